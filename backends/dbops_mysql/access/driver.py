"""Who may do what on MySQL and MariaDB: the assembly of the access column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dbops.access.audit import Question, Rule
from dbops.model.access import AccessSnapshot, Scope
from dbops.model.change import Change
from dbops.model.finding import Missing
from dbops.model.server import Server
from dbops.model.users import Desired, Wanted
from dbops.plan import Step
from dbops.spi import Reader

if TYPE_CHECKING:
    from dbops_mysql.access.catalogue import MySQLCatalogue
    from dbops_mysql.access.sql import MySQLStatements
    from dbops_mysql.access.words import MySQLWords

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
        self, reader: Reader, snapshot: AccessSnapshot, questions: Sequence[Question]
    ) -> tuple[bool | Missing, ...]:
        """What ``SHOW GRANTS`` says, where that decides."""
        from dbops_mysql.access.ask import ask

        return ask(reader, snapshot, questions)

    def rules(self) -> tuple[Rule, ...]:
        """What an audit looks for."""
        from dbops_mysql.access.audit_words import MYSQL
        from dbops_mysql.access.rules import rules

        return rules(MYSQL)

    def _words(self, desired: Desired, server: Server) -> MySQLWords:
        from dbops_mysql.access.words import MySQLWords

        return MySQLWords(desired, server)

    def _statements(self, server: Server) -> MySQLStatements:
        from dbops_mysql.access.sql import MySQLStatements

        return MySQLStatements(server)

    def normalise(self, desired: Desired, server: Server) -> Wanted:
        """A spec in the engine's words."""
        from dbops_mysql.skipped import refuse_skipped_grants

        refuse_skipped_grants(server)
        return self._words(desired, server).wanted()

    def parse(self, sql: str, snapshot: AccessSnapshot) -> tuple[Change, ...]:
        """GRANT and REVOKE as changes."""
        from dbops_mysql.access.parse import parse

        return parse(sql, snapshot)

    def compile(self, changes: Sequence[Change], server: Server) -> tuple[Step, ...]:
        """Steps, each of which commits by itself."""
        from dbops_mysql.access.compile import compile_changes
        from dbops_mysql.skipped import refuse_skipped_grants

        refuse_skipped_grants(server)
        return compile_changes(changes, self._statements(server))

    def offboard(
        self, reader: Reader, seen: AccessSnapshot, who: Sequence[str], heir: str, server: Server
    ) -> tuple[Step, ...]:
        """Steps after which the accounts are gone, or locked as long as something runs with their rights."""
        from dbops_mysql.access.offboard import offboard

        return offboard(reader, seen, who, heir, server, self._statements(server))

    def render(self, change: Change, server: Server) -> str:
        """One change as SQL."""
        return self._statements(server).text(change) + ";"


class MariaDBAccess(MySQLAccess):
    """The same of a fork with grant tables of its own."""

    label = "MariaDB"

    def _catalogue(self, reader: Reader, server: Server) -> MySQLCatalogue:
        from dbops_mysql.access.mariadb import MariaDBCatalogue

        return MariaDBCatalogue(reader, server)

    def rules(self) -> tuple[Rule, ...]:
        """What an audit looks for."""
        from dbops_mysql.access.audit_words import MARIADB
        from dbops_mysql.access.rules import rules

        return rules(MARIADB)

    def _words(self, desired: Desired, server: Server) -> MySQLWords:
        from dbops_mysql.access.mariadb_words import MariaDBWords

        return MariaDBWords(desired, server)

    def _statements(self, server: Server) -> MySQLStatements:
        from dbops_mysql.access.mariadb_sql import MariaDBStatements

        return MariaDBStatements(server)
