"""Health: checks and questions as data, facts, measurements and answers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from dbops.model.finding import Missing, Remedy, Waived
from dbops.model.server import Role, Version
from dbops.plan import Json

__all__ = [
    "Answer",
    "Check",
    "CheckResult",
    "HealthFacts",
    "HealthReport",
    "Observation",
    "Protection",
    "Question",
    "Row",
    "Status",
    "TargetHealth",
    "Threshold",
    "WaiverRule",
]

Row = dict[str, Json]


class Status(StrEnum):
    """The six answers that a check can give. A missing right or an empty view is UNKNOWN, never OK."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    WAIVED = "waived"


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value turns bad: at the threshold and beyond. ``low_bad`` reverses the comparison. None: never."""

    warning: float | None = None
    critical: float | None = None
    low_bad: bool = False


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a server; its answer is a fact that several checks may be decided from.

    :param scope: asked once for the server, or in each database.
    :param since: first version that ``sql`` works on; ``until`` is the last. Several questions may share a name when
        their versions do not meet: one of them is asked.
    :param page: when not 0, the SQL takes ``%(after)s`` and gives at most so many rows in the order of ``page_by``;
        it is asked again from the last row's value on, so that one statement never locks or holds too much.
    """

    name: str
    sql: str
    scope: Literal["server", "database"] = "server"
    since: Version = ()
    until: Version | None = None
    page: int = 0
    page_by: str = ""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the catalogue, as data. Measuring is a pure function of the engine, found by ``id``.

    :param id: kept for ever, such as ``pg.wraparound.xid``.
    :param needs: names of the questions that it is decided from: without one of them it is UNKNOWN.
    :param also: names of questions that add detail; it is decided without them all the same.
    :param measured_by: who gives the observations: the engine from facts, the act of connecting, or the repository.
    :param since: first version that it makes sense on; ``until`` is the last.
    :param roles: on other servers it is SKIPPED.
    :param scope: measured once, or once in each database.
    :param cost: of its questions on a large server: ``cheap`` (below 50 ms), ``medium``, ``heavy``.
    :param privilege: what the login needs, in a few words; ``grants`` is the SQL, with ``{login}`` in it.
    :param source: where the thresholds come from.
    :param remedy: what to do when it is not well; an observation may add its own SQL.
    """

    id: str
    title: str
    engine: str
    unit: str
    threshold: Threshold
    remedy: Remedy
    needs: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    measured_by: Literal["engine", "connection", "repository"] = "engine"
    since: Version = ()
    until: Version | None = None
    roles: tuple[Role, ...] = ("primary", "standby")
    scope: Literal["server", "database"] = "server"
    cost: Literal["cheap", "medium", "heavy"] = "cheap"
    privilege: str = ""
    grants: tuple[str, ...] = ()
    source: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one question, by column name."""

    rows: tuple[Row, ...]


class HealthFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the checks are decided from. A question that was not answered is a Missing in its place.

    :param databases: by name of the database, then of the question; ``databases_missing`` says why there are none.
    """

    server: dict[str, Answer | Missing] = {}
    databases: dict[str, dict[str, Answer | Missing]] = {}
    databases_missing: Missing | None = None


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """What the repository knows about getting a target back.

    :param backup_at: when the newest backup was finished, None when there is none.
    :param proof_at: when a restore test last verified one of its backups.
    :param attempt: the newest restore test's verdict, and when it ended.
    """

    backup_at: datetime | None = None
    backup: str = ""
    proof_at: datetime | None = None
    proof: str = ""
    attempt: str = ""
    attempt_at: datetime | None = None
    unreadable: int = 0


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a check looked at, before it is judged.

    :param object: in the words of ``kind:name``; the empty string is the server itself.
    :param value: in the check's unit, compared with its threshold.
    :param state: what holds whatever the threshold says (a lost slot); the worse of both counts.
    :param missing: it could not be measured: UNKNOWN, unless ``state`` is worse, or SKIPPED.
    :param sql: what would help, for this one object.
    """

    summary: str
    object: str = ""
    value: float | None = None
    state: Status | None = None
    missing: Missing | None = None
    sql: str = ""
    evidence: Row = {}


class WaiverRule(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody accepts a check (``id``, in which ``*`` stands for anything) or one finding of it (``fingerprint``).

    ``until`` is the first instant at which it no longer counts.
    """

    id: str
    reason: str
    by: str = ""
    until: datetime | None = None
    fingerprint: str = ""


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of one check: that of its worst object.

    :param reason: machine reason of UNKNOWN and SKIPPED.
    :param objects: how many were looked at; ``affected`` of them are not well.
    :param evidence: one for each object that is not well (the worst first, at most 50), or the one nearest to the
        threshold when all are: ``object``, ``status``, ``summary``, ``fingerprint``, and what was measured.
    """

    id: str
    title: str
    target: str = ""
    status: Status
    summary: str
    reason: str = ""
    value: float | None = None
    unit: str = ""
    warning: float | None = None
    critical: float | None = None
    low_bad: bool = False
    objects: int = 0
    affected: int = 0
    remedy: Remedy | None = None
    evidence: tuple[Row, ...] = ()
    waived: Waived | None = None


class TargetHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One target of a report.

    :param status: the worst of its checks; UNKNOWN is worse than OK and better than WARNING.
    :param coverage: the share (0 to 1) of the checks that apply which gave an answer.
    :param code: the exit code of this target alone: 0, 1 for WARNING and CRITICAL, 76 for UNKNOWN, or that of the error
        which kept us from asking.
    """

    name: str
    engine: str
    address: str
    server_version: str
    role: Role
    status: Status
    coverage: float
    code: int
    started_at: datetime
    seconds: float


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """Every answer about every target; each check names its target."""

    status: Status
    coverage: float
    code: int
    targets: tuple[TargetHealth, ...]
    checks: tuple[CheckResult, ...]

    def of(self, target: str) -> dict[str, CheckResult]:
        """The answers about one target, by id."""
        return {check.id: check for check in self.checks if check.target == target}
