"""Who may do what on SQL Server: the assembly of the access column."""

from __future__ import annotations

from collections.abc import Sequence

from dbops.access.audit import Question, Rule
from dbops.model.access import AccessSnapshot, Scope
from dbops.model.change import Change
from dbops.model.finding import Missing
from dbops.model.server import Server
from dbops.model.users import Desired, Wanted
from dbops.plan import Step
from dbops.spi import Reader

__all__ = ["SQLServerAccess"]


class SQLServerAccess:
    """Implements :class:`dbops.spi.AccessDriver`."""

    def inspect(self, reader: Reader, server: Server, scope: Scope) -> AccessSnapshot:
        """The server, then one pass for each database."""
        from dbops_mssql.access.inspect import inspect

        return inspect(reader, server, scope)

    def ask(
        self, reader: Reader, snapshot: AccessSnapshot, questions: Sequence[Question]
    ) -> tuple[bool | Missing, ...]:
        """What ``HAS_PERMS_BY_NAME`` says."""
        from dbops_mssql.access.ask import ask

        return ask(reader, snapshot, questions)

    def rules(self) -> tuple[Rule, ...]:
        """What an audit looks for."""
        from dbops_mssql.access.rules import RULES

        return RULES

    def normalise(self, desired: Desired, server: Server) -> Wanted:
        """A spec in SQL Server's words."""
        from dbops_mssql.users.builtin import shipped
        from dbops_mssql.users.words import Words

        return Words(desired, server, shipped(server.major)).wanted()

    def parse(self, sql: str, snapshot: AccessSnapshot) -> tuple[Change, ...]:
        """GRANT, DENY, REVOKE and members of roles as changes."""
        from dbops_mssql.access.parse import parse

        return parse(sql, snapshot)

    def compile(self, changes: Sequence[Change], server: Server) -> tuple[Step, ...]:
        """Steps."""
        from dbops_mssql.users.compile import compile_changes

        return compile_changes(changes, server)

    def offboard(
        self, reader: Reader, seen: AccessSnapshot, who: Sequence[str], heir: str, server: Server
    ) -> tuple[Step, ...]:
        """Steps after which a login and its users are gone."""
        from dbops_mssql.users.offboard import offboard

        return offboard(reader, seen, who, heir, server)

    def render(self, change: Change, server: Server) -> str:
        """One change as T-SQL, with the database where it belongs."""
        from dbops_mssql.reach import reach
        from dbops_mssql.users.sql import script

        return script(change, reach(server))
