"""What regular full backups promise, from what past runs took.

Two laws hold everything up. A backup helps only once it is published, so until then the one before it counts. And a
length of time grows with the size: ``seconds(size) = fixed + moving * size / size_then``; never the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from dbops.model.backup import Keep, PastRun
from dbops.model.finding import Missing
from dbops.model.recovery import Range

__all__ = [
    "DAY_S",
    "LADDER",
    "WEEK_S",
    "Interval",
    "choose",
    "kept_count",
    "predict",
    "preferred_s",
    "stored_share",
    "worst_loss",
]

HOUR_S, DAY_S, WEEK_S = 3600, 86_400, 604_800
RUNS = 10  # past runs that count: enough to see the spread, few enough to follow a changed disk


class Interval(msgspec.Struct, frozen=True):
    """A distance between runs that cron can express exactly."""

    seconds: int
    cron: str


def _ladder() -> tuple[Interval, ...]:
    minutes = [Interval(n * 60, "* * * * *" if n == 1 else f"*/{n} * * * *") for n in (1, 2, 5, 10, 15, 20, 30)]
    hours = [Interval(n * HOUR_S, "15 * * * *" if n == 1 else f"15 */{n} * * *") for n in (1, 2, 3, 4, 6, 8, 12)]
    return (*minutes, *hours, Interval(DAY_S, "15 2 * * *"), Interval(WEEK_S, "15 2 * * 0"))


LADDER = _ladder()


def worst_loss(every_s: float, took: Range) -> Range:
    """The most that is lost when the server dies at the worst instant, with every run taking its shortest and longest.

    A backup surely holds what was committed when it began (a copy is consistent at its end, but nobody records that
    instant) and counts from its end: a failure just before the next one is published costs the interval and a run.
    """
    return Range(every_s + took.low, every_s + took.high)


def predict(what: Literal["backup", "restore"], method: str, runs: Iterable[PastRun], size: int) -> Range | Missing:
    """How long it takes at ``size`` bytes on the server, from the newest past runs of the same kind."""
    seconds = [_scaled(run, size) for run in _newest(what, method, runs)]
    if not seconds:
        verb = "backup run" if what == "backup" else "backup verify"
        return Missing("no_history", f"no past {what} by {method} was measured: do `dbops {verb}` once")
    return Range(min(seconds), max(seconds))


def _scaled(run: PastRun, size: int) -> float:
    fixed = min(run.fixed_s, run.seconds)
    return fixed + (run.seconds - fixed) * size / run.source_bytes


def _newest(what: str, method: str, runs: Iterable[PastRun]) -> list[PastRun]:
    fitting = [run for run in runs if run.what == what and run.method == method and run.source_bytes > 0]
    return sorted(fitting, key=lambda run: run.started_at, reverse=True)[:RUNS]


def stored_share(method: str, runs: Iterable[PastRun]) -> float | Missing:
    """Stored bytes for each byte on the server, the worst of the newest backups."""
    shares = [run.stored_bytes / run.source_bytes for run in _newest("backup", method, runs) if run.stored_bytes > 0]
    return max(shares) if shares else Missing("no_history", f"no past backup by {method} tells how well it compresses")


def kept_count(keep: Keep, every_s: int) -> int:
    """An upper bound of the backups that ``keep`` holds on to, with runs ``every_s`` apart; 0: it deletes nothing."""
    by_number = keep.last + keep.hourly + keep.daily + keep.weekly + keep.monthly + keep.yearly
    # A window also needs the one before its beginning.
    by_window = -(-keep.within_s // every_s) + 1 if keep.within_s else 0
    return by_number + by_window


def preferred_s(keep: Keep) -> int:
    """How often at least, for the retention to have something to choose from."""
    if keep.hourly:
        return HOUR_S
    rare = keep.weekly or keep.monthly or keep.yearly
    return WEEK_S if rare and not (keep.daily or keep.last or keep.within_s) else DAY_S


def choose(intervals: Sequence[Interval], preferred: int) -> Interval:
    """The longest that is not longer than preferred, else the shortest."""
    short = [one for one in intervals if one.seconds <= preferred]
    return short[-1] if short else intervals[0]
