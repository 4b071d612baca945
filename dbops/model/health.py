"""Health: definitions of checks, facts, and results."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from dbops.model.finding import Missing, Remedy, Waived
from dbops.plan import Json

__all__ = ["Check", "CheckResult", "Fact", "HealthFacts", "HealthReport", "Status", "Threshold"]


class Status(StrEnum):
    """The six answers a check can give. A missing right or an empty view is UNKNOWN, never OK."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    WAIVED = "waived"


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value turns bad. ``low_bad`` reverses the comparison."""

    warning: float | None
    critical: float | None
    low_bad: bool = False


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the catalogue, as data. Deciding is a pure function found under the same ``id``.

    :param id: kept for ever, such as ``pg.wraparound.xid``.
    :param needs: names of the facts it is decided from.
    :param grants: the SQL that gives a login what the facts need.
    :param source: where the thresholds come from.
    """

    id: str
    title: str
    engine: str
    needs: tuple[str, ...]
    threshold: Threshold
    unit: str
    since: int = 0
    until: int | None = None
    roles: tuple[str, ...] = ("primary", "standby")
    scope: str = "server"
    cost: str = "cheap"
    grants: tuple[str, ...] = ()
    source: str = ""
    url: str = ""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one question, by column name; ``database`` is empty for a question to the whole server."""

    name: str
    rows: tuple[dict[str, Json], ...]
    database: str = ""


class HealthFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the checks are decided from; a question that failed is a Missing under its name."""

    facts: dict[str, tuple[Fact, ...] | Missing]
    databases_missing: dict[str, Missing] = {}


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of one check."""

    id: str
    status: Status
    summary: str
    reason: str = ""
    value: float | None = None
    unit: str = ""
    warning: float | None = None
    critical: float | None = None
    remedy: Remedy | None = None
    evidence: tuple[dict[str, Json], ...] = ()
    waived: Waived | None = None


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """All answers, the worst of them, and the share of the checks that gave an answer (0 to 1)."""

    status: Status
    coverage: float
    checks: tuple[CheckResult, ...]
