"""Who may do what on PostgreSQL: the assembly of the access column."""

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

__all__ = ["PostgreSQLAccess"]


class PostgreSQLAccess:
    """Implements :class:`dbops.spi.AccessDriver`."""

    def inspect(self, reader: Reader, server: Server, scope: Scope) -> AccessSnapshot:
        """One consistent reading for each database."""
        from dbops_postgresql.access.inspect import inspect

        return inspect(reader, server, scope)

    def ask(
        self, reader: Reader, snapshot: AccessSnapshot, questions: Sequence[Question]
    ) -> tuple[bool | Missing, ...]:
        """What ``has_*_privilege`` says."""
        from dbops_postgresql.access.ask import ask

        return ask(reader, snapshot, questions)

    def rules(self) -> tuple[Rule, ...]:
        """What an audit looks for."""
        from dbops_postgresql.access.rules import RULES

        return RULES

    def normalise(self, desired: Desired, server: Server) -> Wanted:
        """A spec in PostgreSQL's words."""
        from dbops_postgresql.access.words import normalise

        return normalise(desired, server)

    def parse(self, sql: str, snapshot: AccessSnapshot) -> tuple[Change, ...]:
        """GRANT and REVOKE as changes."""
        from dbops_postgresql.access.parse import parse

        return parse(sql, snapshot)

    def compile(self, changes: Sequence[Change], server: Server) -> tuple[Step, ...]:
        """Steps in transactions, under a lock."""
        from dbops_postgresql.access.compile import compile_changes

        return compile_changes(changes, server)

    def offboard(
        self, reader: Reader, seen: AccessSnapshot, who: Sequence[str], heir: str, server: Server
    ) -> tuple[Step, ...]:
        """Steps after which the role and all references to it are gone."""
        from dbops_postgresql.access.offboard import offboard

        [name] = who  # a role has one
        return offboard(reader, seen, name, heir, server)

    def render(self, change: Change, server: Server) -> str:
        """One change as SQL."""
        from dbops_postgresql.access.sql import sql

        return "".join(part if isinstance(part, str) else "'***'" for part in sql(change, server.major)) + ";"
