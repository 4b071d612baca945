"""One method of backup with everything that is known about it: what a plan is judged by."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dbops.backup import objective as law
from dbops.model.backup import BackupFacts, Custody, DatabaseFacts, Method, Objective, PastRun
from dbops.model.finding import Missing
from dbops.model.recovery import Range, ServerChange

__all__ = ["Case", "Room", "Wanted", "apart", "build", "source_bytes"]


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """Where backups go. ``used`` is what this target's backups take there now; it is part of what retention needs.

    A store without a limit has ``free`` Missing with the reason ``unlimited``.
    """

    free: int | Missing
    used: int = 0


ELSEWHERE = Room(free=Missing("custody", "the backups go to a place that only the server sees"))


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan is asked for.

    :param databases: empty for all.
    :param verify_every_s: how often a proof is wanted; None leaves it out of the schedule.
    """

    objective: Objective
    databases: tuple[str, ...] = ()
    verify_every_s: int | None = None
    verify_level: str = "full"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One method with everything known about it."""

    method: Method
    wanted: Wanted
    source: int | Missing
    took: Range | Missing
    restore: Range | Missing
    share: float | Missing
    room: Room
    interval: law.Interval
    loss: Range | Missing
    storage: int | Missing
    blocked: tuple[str, ...]
    changes: tuple[ServerChange, ...]


def build(method: Method, wanted: Wanted, facts: BackupFacts, runs: Sequence[PastRun], room: Room) -> Case:
    """Everything known about one method, with the interval that suits it best."""
    source = source_bytes(method, wanted.databases, facts)
    took = source if isinstance(source, Missing) else law.predict("backup", method.name, runs, source)
    interval = _interval(wanted.objective, took)
    share = law.stored_share(method.name, runs)
    blockers = [one for one in facts.blockers if one.method == method.name]
    return Case(
        method=method,
        wanted=wanted,
        source=source,
        took=took,
        restore=source if isinstance(source, Missing) else law.predict("restore", method.name, runs, source),
        share=share,
        room=room if method.custody is Custody.REPOSITORY else ELSEWHERE,
        interval=interval,
        loss=took if isinstance(took, Missing) else law.worst_loss(apart(interval, took), took),
        storage=_storage(source, share, wanted.objective, interval),
        blocked=tuple(one.reason for one in blockers if not one.setting),
        changes=tuple(
            ServerChange(setting=one.setting, value=one.value, reason=one.reason, restart=one.restart)
            for one in blockers
            if one.setting
        ),
    )


def source_bytes(method: Method, databases: tuple[str, ...], facts: BackupFacts) -> int | Missing:
    """Size on the server of what a backup covers; ``databases`` empty for all."""
    if method.kind == "physical" and not (method.partial and databases):
        return facts.total_bytes
    chosen: list[DatabaseFacts] = [one for one in facts.databases if not databases or one.name in databases]
    total = 0
    for one in chosen:
        if isinstance(one.bytes, Missing):
            return Missing(one.bytes.reason, f"the size of the database {one.name} is not known: {one.bytes.detail}")
        total += one.bytes
    return total


def _interval(wanted: Objective, took: Range | Missing) -> law.Interval:
    """The longest that meets the RPO and suits the retention; when none does, the one that loses least.

    While it is not known how long a run takes, half the RPO is left for it.
    """
    preferred = law.preferred_s(wanted.keep)
    if isinstance(took, Missing):
        limit = wanted.rpo_s / 2 if wanted.rpo_s is not None else law.WEEK_S
        short = [one for one in law.LADDER if one.seconds <= limit]
        return law.choose(short or law.LADDER[:1], preferred)
    apart = [one for one in law.LADDER if one.seconds >= took.high]
    if not apart:
        return law.LADDER[-1]
    if wanted.rpo_s is None:
        return law.choose(apart, preferred)
    good = [one for one in apart if law.worst_loss(one.seconds, took).high <= wanted.rpo_s]
    return law.choose(good, preferred) if good else apart[0]


def apart(interval: law.Interval, took: Range | Missing) -> float:
    """The distance between runs that really happens: a run that meets the one before it still at work is skipped."""
    if isinstance(took, Missing) or took.high <= interval.seconds:
        return interval.seconds
    return interval.seconds * -(-took.high // interval.seconds)


def _storage(source: int | Missing, share: float | Missing, wanted: Objective, interval: law.Interval) -> int | Missing:
    if isinstance(source, Missing):
        return source
    count = law.kept_count(wanted.keep, interval.seconds)
    if not count:
        return Missing("no_retention", "without a keep rule nothing is deleted, so the repository grows for ever")
    # One more: a new backup is written before an old one goes. An unknown share counts as incompressible.
    each = source * (1.0 if isinstance(share, Missing) else share)
    return int((count + 1) * each)
