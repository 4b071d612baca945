"""Who may do what on MySQL and MariaDB: the assembly of the access column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dbops.access.audit import Question, Rule
from dbops.errors import Unsupported
from dbops.model.access import AccessSnapshot, Scope
from dbops.model.change import Change
from dbops.model.finding import Missing
from dbops.model.server import Server
from dbops.model.users import Desired, Wanted
from dbops.plan import Step
from dbops.spi import Reader

if TYPE_CHECKING:
    from dbops_mysql.access.catalogue import MySQLCatalogue

__all__ = ["MariaDBAccess", "MySQLAccess"]


class MySQLAccess:
    """Implements :class:`dbops.spi.AccessDriver`."""

    label = "MySQL"

    def _catalogue(self, reader: Reader, server: Server) -> MySQLCatalogue:
        from dbops_mysql.access.catalogue import MySQLCatalogue

        return MySQLCatalogue(reader, server)

    def inspect(self, reader: Reader, server: Server, scope: Scope) -> AccessSnapshot:
        """One consistent reading."""
        from dbops_mysql.access.inspect import inspect

        return inspect(reader, server, scope, self._catalogue)

    def ask(
        self,
        reader: Reader,  # noqa: ARG002
        snapshot: AccessSnapshot,  # noqa: ARG002
        questions: Sequence[Question],
    ) -> tuple[bool | Missing, ...]:
        """The server's own answers, where it has any."""
        return (Missing("not_supported_version", "not asked yet"),) * len(questions)

    def rules(self) -> tuple[Rule, ...]:
        """What an audit looks for."""
        return ()

    def normalise(self, desired: Desired, server: Server) -> Wanted:  # noqa: ARG002
        """A spec in the engine's words."""
        raise Unsupported(f"{self.label}: users are not implemented yet")

    def parse(self, sql: str, snapshot: AccessSnapshot) -> tuple[Change, ...]:  # noqa: ARG002
        """GRANT and REVOKE as changes."""
        raise Unsupported(f"{self.label}: users are not implemented yet")

    def compile(self, changes: Sequence[Change], server: Server) -> tuple[Step, ...]:  # noqa: ARG002
        """Steps, each of which commits by itself."""
        raise Unsupported(f"{self.label}: users are not implemented yet")

    def offboard(self, reader: Reader, seen: AccessSnapshot, name: str, heir: str, server: Server) -> tuple[Step, ...]:  # noqa: ARG002
        """Steps after which the account is gone."""
        raise Unsupported(f"{self.label}: users are not implemented yet")

    def render(self, change: Change, server: Server) -> str:  # noqa: ARG002
        """One change as SQL."""
        raise Unsupported(f"{self.label}: users are not implemented yet")


class MariaDBAccess(MySQLAccess):
    """The same of a fork with grant tables of its own."""

    label = "MariaDB"

    def _catalogue(self, reader: Reader, server: Server) -> MySQLCatalogue:
        from dbops_mysql.access.mariadb import MariaDBCatalogue

        return MariaDBCatalogue(reader, server)
