"""Recovery: what was decided about backups. Every struct here is the answer of one pure function of dbops.backup."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from dbops.model.backup import BackupRecord, Fingerprints, Objective, Phase, ProofCheck, Verdict, VerifyLevel
from dbops.model.finding import Missing
from dbops.plan import Json

__all__ = [
    "BackupPlan",
    "ChainChoice",
    "Counterexample",
    "Coverage",
    "Feasibility",
    "Forgotten",
    "Kept",
    "MethodAnswer",
    "Moment",
    "Nearest",
    "Predicted",
    "Range",
    "Reachability",
    "Reached",
    "Retention",
    "ScheduleEntry",
    "ServerChange",
    "Span",
    "Verification",
]


class Feasibility(StrEnum):
    """Whether an objective can be met. UNKNOWN names the fact that is missing."""

    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


class Reachability(StrEnum):
    """Whether an instant can be restored."""

    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


class Range(msgspec.Struct, frozen=True):
    """From the best to the worst that was measured, scaled to the present size."""

    low: float
    high: float


class Predicted(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule gives. ``rpo_s`` is the worst loss, ``storage_bytes`` an upper bound once retention is steady."""

    rpo_s: Range | Missing
    rto_s: Range | Missing
    storage_bytes: int | Missing
    backup_s: Range | Missing


class ScheduleEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do regularly. ``at`` is a five-field cron line in UTC whose runs are ``every_s`` apart."""

    do: Literal["backup", "verify", "prune"]
    method: str
    at: str
    every_s: int
    reason: str


class ServerChange(msgspec.Struct, frozen=True, kw_only=True):
    """What to set on the server before the plan works."""

    setting: str
    value: str
    reason: str
    restart: bool = False


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a counterexample, in seconds after its beginning."""

    at_s: float
    what: str


class Counterexample(msgspec.Struct, frozen=True, kw_only=True):
    """A concrete course of events in which an objective is missed: ``value`` exceeds ``limit`` (both in ``unit``)."""

    objective: Literal["rpo", "rto", "keep"]
    text: str
    value: float
    limit: float
    unit: Literal["s", "B"]
    timeline: tuple[Moment, ...] = ()


class MethodAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What one method can do for the objective; exactly one answer of a plan is ``chosen``."""

    name: str
    kind: Literal["logical", "physical", "log"]
    title: str
    verdict: Feasibility
    reasons: tuple[str, ...]
    predicted: Predicted
    every_s: int
    chosen: bool = False


class BackupPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Whether and how an objective can be met. When it cannot, ``schedule`` is what comes closest."""

    verdict: Feasibility
    objective: Objective
    reasons: tuple[str, ...]
    methods: tuple[MethodAnswer, ...]
    schedule: tuple[ScheduleEntry, ...]
    predicted: Predicted
    server_changes: tuple[ServerChange, ...]
    counterexample: Counterexample | None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that stays, with every reason."""

    backup: BackupRecord
    reasons: tuple[str, ...]


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that nothing needs any more."""

    backup: BackupRecord
    reason: str


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """Every backup is in exactly one of both lists, newest first."""

    keep: tuple[Kept, ...]
    forget: tuple[Forgotten, ...]
    notes: tuple[str, ...] = ()


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """The closest reachable instants on both sides of the one that was asked for."""

    before: datetime | None = None
    after: datetime | None = None


class ChainChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which backups bring an instant back, oldest first; or what is missing for it.

    :param extra: of an engine that keeps its backups: what it decided, which goes into the :class:`Chain`.
    """

    verdict: Reachability
    reason: str
    chain: tuple[BackupRecord, ...] = ()
    missing: tuple[str, ...] = ()
    nearest: Nearest = Nearest()
    recovers_to: datetime | None = None
    notes: tuple[str, ...] = ()
    extra: dict[str, Json] = {}


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """What could be brought back from one moment on.

    :param published: when the last backup that it takes was finished.
    :param instant: the newest state that it brings back, and no later than the truth.
    :param since: a log lets every instant after this one be reached, up to ``instant``; None: that one alone.
    :param record: the last backup of it.
    """

    published: datetime
    instant: datetime
    since: datetime | None = None
    record: BackupRecord


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time, ``start`` included and ``end`` not. A failure inside it brings back ``recovers_to``; ``exact``
    when every instant of it can be reached by itself.

    :param loss_s: the most that is lost: from ``recovers_to`` to the end of the span; None when nothing comes back.
    """

    start: datetime
    end: datetime
    recoverable: bool
    exact: bool
    backup: str | None
    recovers_to: datetime | None
    loss_s: float | None
    rto_s: Range | Missing
    within_objective: bool | Missing
    proven: bool = False


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The window without a hole, oldest span first.

    :param verdict: ``covered``: every span meets the objective; ``gaps``: one does not; ``unknown``: nobody can tell.
    """

    start: datetime
    end: datetime
    spans: tuple[Span, ...]
    worst_loss_s: float | None
    verdict: Literal["covered", "gaps", "unknown"]
    reasons: tuple[str, ...] = ()


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """A proof, or why there is none.

    :param source: the target that the backup is of.
    :param rto_s: what bringing the copy up took, checks left out.
    :param rpo_s: age of the recovered state when the verification began: what a failure at that moment would have cost.
    """

    backup: str
    source: str
    level: VerifyLevel
    verdict: Verdict
    reasons: tuple[str, ...]
    checks: tuple[ProofCheck, ...]
    phases: tuple[Phase, ...]
    fingerprints: Fingerprints | Missing
    recovered_to: datetime | Missing
    rto_s: float | Missing
    rpo_s: float | Missing
    started_at: datetime
    finished_at: datetime
