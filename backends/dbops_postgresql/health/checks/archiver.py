"""The archiver: whether WAL leaves the server, and how much waits to leave."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from dbops.health.answers import Answers
from dbops.health.words import seconds
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Status, Threshold
from dbops_postgresql.health.checks.rule import DOCS, MONITOR, OWN, Context, Rule

__all__ = ["RULES"]

REMEDY = Remedy(
    text="Read the server's log for what archive_command says, and look at the archive's room and rights. Until it "
    "works WAL piles up in pg_wal.",
    url=f"{DOCS}continuous-archiving.html",
)
FAILING = Check(
    id="pg.archiver.failing",
    title="Archiving fails",
    engine="postgresql",
    unit="",
    needs=("archiver",),
    threshold=Threshold(),
    source=OWN,
    privilege="none",
    remedy=REMEDY,
)
BACKLOG = Check(
    id="pg.archiver.backlog",
    title="Segments waiting to be archived",
    engine="postgresql",
    unit="segments",
    needs=("archiver", "backlog"),
    threshold=Threshold(warning=10, critical=100),
    source=f"{OWN}; check_postgres: 10 and 15",
    privilege="pg_monitor",
    grants=MONITOR,
    remedy=REMEDY,
)
DELAY = Check(
    id="pg.archiver.delay",
    title="How long the oldest segment waits",
    engine="postgresql",
    unit="seconds",
    needs=("archiver", "backlog"),
    threshold=Threshold(warning=300, critical=1800),
    source=OWN,
    privilege="pg_monitor",
    grants=MONITOR,
    remedy=REMEDY,
)


class _Archiver(msgspec.Struct, frozen=True):
    mode: str
    standby: bool
    nothing_to_run: bool
    archived_count: int
    failed_count: int
    archived_s: float | None = None
    failed_s: float | None = None
    last_failed_wal: str | None = None


class _Backlog(msgspec.Struct, frozen=True):
    ready: int
    oldest_s: float | None = None


def _failing(answers: Answers, _context: Context) -> Iterable[Observation]:
    found = answers.one("archiver", _Archiver)
    return [_off(found) or _state(found)]


def _state(found: _Archiver) -> Observation:
    evidence = msgspec.to_builtins(found)
    if found.nothing_to_run:
        summary = "archive_mode is on and there is no archive_command: WAL piles up"
        return Observation(summary=summary, state=Status.CRITICAL, evidence=evidence)
    if found.failed_s is not None and (found.archived_s is None or found.failed_s < found.archived_s):
        summary = (
            f"archiving {found.last_failed_wal} failed {seconds(found.failed_s)} ago, {found.failed_count} times in all"
        )
        return Observation(summary=summary, state=Status.CRITICAL, evidence=evidence)
    if found.archived_s is None:
        young = Missing("stats_too_young", "nothing was archived since the statistics were reset")
        return Observation(summary="it is not known whether archiving works", missing=young, evidence=evidence)
    summary = f"the last segment was archived {seconds(found.archived_s)} ago"
    return Observation(summary=summary, state=Status.OK, evidence=evidence)


def _backlog(answers: Answers, _context: Context) -> Iterable[Observation]:
    off = _off(answers.one("archiver", _Archiver))
    if off:
        return [off]
    found = answers.one("backlog", _Backlog)
    summary = f"{found.ready} segments wait to be archived"
    return [Observation(summary=summary, value=float(found.ready), evidence=msgspec.to_builtins(found))]


def _delay(answers: Answers, _context: Context) -> Iterable[Observation]:
    off = _off(answers.one("archiver", _Archiver))
    if off:
        return [off]
    found = answers.one("backlog", _Backlog)
    age_s = max(0.0, found.oldest_s or 0.0)
    summary = f"the oldest segment has waited {seconds(age_s)}" if found.ready else "no segment waits"
    return [Observation(summary=summary, value=age_s, evidence=msgspec.to_builtins(found))]


def _off(found: _Archiver) -> Observation | None:
    if found.mode == "off":
        missing = Missing("feature_off", "archive_mode is off")
    elif found.standby and found.mode != "always":
        missing = Missing("not_applicable", f"a standby does not archive with archive_mode = {found.mode}")
    else:
        return None
    return Observation(summary="nothing is archived", missing=missing, state=Status.SKIPPED)


RULES = (Rule(FAILING, _failing), Rule(BACKLOG, _backlog), Rule(DELAY, _delay))
