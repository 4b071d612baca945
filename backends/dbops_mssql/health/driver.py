"""The health of SQL Server: the catalogue of its checks, and the questions behind them.

Chosen first are the checks of what loses data or stops a server, because one that is down can still be restored and one
without backups cannot: backups and their worth, damaged pages, then room, then memory, blocking, replicas and jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from dbops.health.answers import Answers
from dbops.model.health import Check, Observation, Question, Status
from dbops.model.server import Server, Version
from dbops_mssql.health.checks import (
    backups,
    databases,
    groups,
    integrity,
    jobs,
    memory,
    sessions,
    space,
    version,
)
from dbops_mssql.health.checks.rule import DATABASES, DEFINITIONS, ENTER, STATE, Context, Rule
from dbops_mssql.health.platforms import DATABASE, Platform, platform
from dbops_mssql.quoting import identifier, literal
from dbops_mssql.statement import text

__all__ = ["SQLServerHealth"]

RULES: tuple[Rule, ...] = (
    *sessions.RULES,
    *databases.RULES,
    *backups.RULES,
    *integrity.RULES,
    *space.RULES,
    *memory.RULES,
    *groups.RULES,
    *jobs.RULES,
    *version.RULES,
)
_RULES: Mapping[str, Rule] = {rule.check.id: rule for rule in RULES}
# Rights first, then what half of the checks look at, then what costs more.
_SERVER = (
    "rights", "databases", "catalogue", "sessions", "logs", "memory", "volumes", "tempdb", "replicas",
    "replica_databases", "suspects", "repairs", "jobs", "checked", "backups",
)  # fmt: skip
_LOCAL = ("files",)
# The narrower rights came with 2022; before, one right was all of them.
_NARROWER: Version = (16,)
_BROADER = {STATE: "GRANT VIEW SERVER STATE TO {login};"}
# Azure SQL Database has users, and rights on the database.
_IN_DATABASE = {
    STATE: "GRANT VIEW DATABASE STATE TO {login};",
    DEFINITIONS: "GRANT VIEW DEFINITION TO {login};",
    DATABASES: "",
    ENTER: "",
}


class SQLServerHealth:
    """Implements :class:`dbops.spi.HealthDriver`."""

    def checks(self) -> tuple[Check, ...]:
        """In the order in which they are shown."""
        return tuple(rule.check for rule in RULES)

    def questions(self, server: Server) -> tuple[Question, ...]:
        """In the order in which they are asked; Azure's services are asked fewer, and some in other words."""
        here = platform(server)
        return (
            *(_question(name, here) for name in _SERVER if name not in here.without),
            *(Question(name=name, sql=text(f"health_{name}"), scope="database") for name in _LOCAL),
        )

    def measure(self, check: Check, answers: Answers, server: Server, now: datetime) -> Iterable[Observation]:
        """Pure."""
        rule = _RULES[check.id]
        kept = platform(server).keeps(rule.subject)
        if kept:
            return [Observation(summary="does not apply here", missing=kept, state=Status.SKIPPED)]
        return rule.measure(answers, Context(server, now, check.threshold))

    def grants(self, check: Check, server: Server) -> tuple[str, ...]:
        """Pure; for the login in use, in the words of its version."""
        words = _words(server)
        said = (words.get(grant, grant) for grant in check.grants)
        return tuple(_for(server.user, grant) for grant in said if grant)


def _question(name: str, here: Platform) -> Question:
    file = here.questions.get(name, f"health_{name}")
    return Question(name=name, sql=text(file))


def _words(server: Server) -> Mapping[str, str]:
    if platform(server) is DATABASE:
        return _IN_DATABASE
    return {} if server.version >= _NARROWER else _BROADER


def _for(login: str, grant: str) -> str:
    return grant.replace("{login}", identifier(login)).replace("{text}", literal(login))
