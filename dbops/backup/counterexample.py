"""Courses of events in which an objective is missed, with numbers that can be checked by hand."""

from __future__ import annotations

from dbops.backup.text import duration, size
from dbops.model.recovery import Counterexample, Moment, Range

__all__ = ["too_full", "too_much_lost", "too_slow"]


def too_much_lost(every_s: float, took: Range, limit_s: float) -> Counterexample:
    """The server dies just before the second backup is published."""
    failure = every_s + took.high
    timeline = (
        Moment(at_s=0, what="backup A begins; this is the state that it surely holds"),
        Moment(at_s=took.high, what="backup A is published"),
        Moment(at_s=every_s, what="backup B begins"),
        Moment(at_s=failure, what="the server is lost just before backup B is published"),
    )
    text = (
        f"Backups begin every {duration(every_s)} and take up to {duration(took.high)}. "
        f"The server is lost {duration(failure)} after backup A began, just before backup B is published. "
        f"What comes back is the state {duration(failure)} before: more than the {duration(limit_s)} that may be lost."
    )
    return Counterexample(objective="rpo", text=text, value=failure, limit=limit_s, unit="s", timeline=timeline)


def too_slow(source: int, seconds: float, limit_s: float) -> Counterexample:
    """A restore at the slowest measured rate."""
    rate = source / seconds if seconds else 0.0
    text = (
        f"The server is lost. Restoring {size(source)} at the measured {size(rate)}/s, all phases included, "
        f"takes {duration(seconds)}: longer than the {duration(limit_s)} that recovery may take."
    )
    timeline = (
        Moment(at_s=0, what="the server is lost and the restore begins"),
        Moment(at_s=limit_s, what="recovery should have ended"),
        Moment(at_s=seconds, what="recovery ends"),
    )
    return Counterexample(objective="rto", text=text, value=seconds, limit=limit_s, unit="s", timeline=timeline)


def too_full(count: int, need: int, room: int, every_s: float) -> Counterexample:
    """The repository is full before retention deletes anything."""
    each = need / count
    fitting = int(room // each) if each else 0
    at = fitting * every_s
    text = (
        f"Retention holds up to {count - 1} backups of {size(each)} and writes the next before it deletes one. "
        f"{fitting} fit into {size(room)}: the repository is full after {duration(at)}, {size(need)} are needed."
    )
    timeline = (Moment(at_s=at, what="the next backup finds no room"),)
    return Counterexample(objective="keep", text=text, value=need, limit=room, unit="B", timeline=timeline)
