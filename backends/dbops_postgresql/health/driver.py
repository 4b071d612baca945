"""The health of PostgreSQL: the catalogue of its checks, and the questions behind them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from importlib.resources import files

from dbops.health.answers import Answers
from dbops.model.health import Check, Observation, Question
from dbops.model.server import Server
from dbops_postgresql.health.checks import (
    archiver,
    indexes,
    prepared,
    sequences,
    sessions,
    settings,
    slots,
    version,
    wraparound,
)
from dbops_postgresql.health.checks.rule import Context, Rule
from dbops_postgresql.quoting import identifier

__all__ = ["PostgreSQLHealth"]

# Those first that need no lock and cost least: what is answered before a deadline counts.
RULES: tuple[Rule, ...] = (
    *sessions.RULES,
    *wraparound.RULES,
    *sequences.RULES,
    *prepared.RULES,
    *slots.RULES,
    *archiver.RULES,
    *settings.RULES,
    *indexes.RULES,
    *version.RULES,
)
_MEASURES = {rule.check.id: rule.measure for rule in RULES}
_SERVER = (
    "databases", "visibility", "connections", "wraparound", "idle", "blocking", "prepared", "slots", "archiver",
    "backlog", "settings",
)  # fmt: skip
# Reading a position takes a lock until the statement ends, and the lock table is shared by all sessions.
_PAGE = 1000


class PostgreSQLHealth:
    """Implements :class:`dbops.spi.HealthDriver`."""

    def checks(self) -> tuple[Check, ...]:
        """In the order in which they are shown."""
        return tuple(rule.check for rule in RULES)

    def questions(self, server: Server) -> tuple[Question, ...]:  # noqa: ARG002  # the same for every version
        """In the order in which they are asked."""
        return _questions()

    def measure(self, check: Check, answers: Answers, server: Server, now: datetime) -> Iterable[Observation]:
        """Pure."""
        return _MEASURES[check.id](answers, Context(server, now))

    def grants(self, check: Check, server: Server) -> tuple[str, ...]:
        """Pure; for the login in use."""
        return tuple(grant.replace("{login}", identifier(server.user)) for grant in check.grants)


@cache
def _questions() -> tuple[Question, ...]:
    return (
        *(Question(name=name, sql=_sql(name)) for name in _SERVER),
        Question(name="indexes", sql=_sql("indexes"), scope="database"),
        Question(name="sequences", sql=_sql("sequences"), scope="database", page=_PAGE, page_by="oid"),
    )


def _sql(name: str) -> str:
    return files("dbops_postgresql").joinpath(f"sql/health_{name}.sql").read_text(encoding="utf-8")
