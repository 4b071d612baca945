"""The health of MySQL: the catalogue of its checks, and the questions behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from dbops.health.answers import Answers
from dbops.model.health import Check, Observation, Question
from dbops.model.server import Server, Version
from dbops_mysql.health.checks import (
    access,
    binlog,
    cluster,
    innodb,
    locks,
    replication,
    sessions,
    settings,
    tables,
    version,
)
from dbops_mysql.health.checks.rule import Context, Family, Rule
from dbops_mysql.health.families import MYSQL
from dbops_mysql.probe import skips_grants
from dbops_mysql.quoting import account
from dbops_mysql.statement import text

__all__ = ["MySQLHealth", "shared"]

MEMBERS = ("GRANT SELECT ON performance_schema.* TO {login};",)


def shared(family: Family) -> tuple[Rule, ...]:
    """What both engines are asked, each in its own words."""
    return (
        *sessions.rules(family),
        *access.rules(family),
        *locks.rules(family),
        *replication.rules(family),
        *binlog.rules(family),
        *settings.rules(family),
        *tables.rules(family),
        *version.rules(family),
    )


def _ask(name: str, since: Version = (), until: Version | None = None, file: str = "") -> Question:
    return Question(name=name, sql=text(file or f"health_{name}"), since=since, until=until)


class MySQLHealth:
    """Implements :class:`dbops.spi.HealthDriver`."""

    family: ClassVar[Family] = MYSQL

    def checks(self) -> tuple[Check, ...]:
        """In the order in which they are shown."""
        return tuple(rule.check for rule in self._rules.values())

    def questions(self, server: Server) -> tuple[Question, ...]:  # noqa: ARG002  # the versions are in the questions
        """In the order in which they are asked: those that open tables last."""
        return self._questions

    def measure(self, check: Check, answers: Answers, server: Server, now: datetime) -> Iterable[Observation]:
        """Pure."""
        return self._rules[check.id].measure(answers, Context(server, now, self.family))

    def grants(self, check: Check, server: Server) -> tuple[str, ...]:
        """Pure; for the account in use. Where nobody is asked who he is, nothing can be granted."""
        if skips_grants(server):
            return ()
        user, _, host = server.user.rpartition("@")
        return tuple(grant.replace("{login}", account(user, host)) for grant in check.grants)

    def rules(self) -> tuple[Rule, ...]:
        """The whole catalogue."""
        return (
            *shared(self.family),
            innodb.history(self.family, innodb.by_metric, "history", privilege="PROCESS"),
            innodb.redo(self.family, innodb.by_logical_size, since=(8, 0, 30)),
            cluster.rule(
                self.family,
                cluster.galera_or_group,
                ("variables", "status", "members"),
                privilege="SELECT on performance_schema",
                grants=MEMBERS,
            ),
        )

    def asked(self) -> tuple[Question, ...]:
        """What both engines are asked the same way, and what MySQL is asked."""
        return (
            _ask("status"),
            _ask("variables"),
            _ask("rights", file="rights"),
            _ask("transactions"),
            _ask("row_waits"),
            _ask("waiting"),
            _ask("holders"),
            _ask("history"),
            _ask("replicas", since=(8, 0, 22)),
            _ask("replicas", until=(8, 0, 21), file="health_replicas_8_0"),
            _ask("members"),
            _ask("engines"),
            _ask("keyless"),
            _ask("auto_increments"),
        )

    @cached_property
    def _rules(self) -> Mapping[str, Rule]:
        return {rule.check.id: rule for rule in self.rules()}

    @cached_property
    def _questions(self) -> tuple[Question, ...]:
        return self.asked()
