"""Recovery forks in time: on which one a database lived at an instant.

Every RESTORE … WITH RECOVERY begins a new fork: the log goes on from the instant that was recovered to, and what the
old fork held after it is reached by the old fork's own backups alone. One log backup may cross the fork. Stopped at an
instant of the old fork's last days, it would stop at the fork instead and say nothing: such an instant must be told
from those of the new fork. A fork that was left is never taken up again, so what it was seen at bounds its life.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import IntEnum

from dbops_mssql.backup.clock import Span
from dbops_mssql.backup.sets import BackupSet, Kind, Restored

__all__ = ["Forks", "Sure"]

ALWAYS = datetime.min.replace(tzinfo=UTC)


class Sure(IntEnum):
    """What is known of a statement."""

    NO = 0
    MAYBE = 1
    YES = 2


class Forks:
    """The forks of one database, from its own backup sets (usable or not) and the restores that are remembered.

    :param sets: those that bear the name of the database; a copy under another name lives on forks of its own.
    """

    def __init__(self, sets: Iterable[BackupSet], restores: Sequence[Restored]) -> None:
        self._sets = tuple(sets)
        self._restores = tuple(restores)
        self._births = {fork: self._birth(fork) for fork in {one.last_fork for one in self._sets}}

    def seen(self, fork: str) -> bool:
        """A set of this very database ends on this fork."""
        return fork in self._births

    def born(self, fork: str, at: datetime) -> Sure:
        """Whether the database lived on ``fork``, or on one that came after it, at an instant."""
        birth = self._births.get(fork)
        if birth is None:
            return Sure.MAYBE
        return Sure.YES if birth.latest <= at else Sure.NO if birth.earliest > at else Sure.MAYBE

    def _birth(self, fork: str) -> Span:
        first = min((one.began for one in self._sets if one.last_fork == fork), key=lambda one: one.latest)
        # Sets of other forks before it: the restore that began this one is later than they are.
        others = [one.ended for one in self._sets if one.last_fork != fork and one.ended.latest <= first.earliest]
        after = max((one.earliest for one in others), default=ALWAYS)
        made = [one.when for one in self._restores if after <= one.when.latest and one.when.earliest <= first.latest]
        last = max(made, key=lambda one: one.latest, default=None)
        if last is not None and last.latest <= first.latest:
            return last
        return Span(after, first.latest)

    def shared_until(self, log: BackupSet) -> datetime:
        """For a log that crosses a fork: until when it surely holds the old fork's history."""
        point = log.fork_point_lsn or 0
        before = [
            one.reach.earliest if one.kind is Kind.LOG else one.began.earliest
            for one in self._sets
            if one.last_fork == log.first_fork and one.last_lsn <= point
        ]
        stopped = [point.earliest for point in self._points(log)] if self._came_from(log) else []
        return max([*before, *stopped], default=ALWAYS)

    def shared_at_most(self, log: BackupSet) -> datetime:
        """And until when it may hold it: the restore was no later than the new fork's beginning."""
        birth = self._births.get(log.last_fork)
        return min((point.latest for point in self._points(log)), default=birth.latest if birth else log.ended.latest)

    def _points(self, log: BackupSet) -> list[Span]:
        """What the restore that began the log's last fork was stopped at."""
        birth = self._births.get(log.last_fork)
        return [one.point for one in self._restores if birth == one.when and one.point is not None]

    def _came_from(self, log: BackupSet) -> bool:
        """The database was restored from the fork that it lived on. Where it lived on a third one, the restore may have
        gone through a log that crosses to that one, and have been stopped at the crossing, long before its STOPAT."""
        birth = self._births[log.last_fork]
        earlier = [one for one in self._sets if one.last_fork != log.last_fork and one.began.earliest < birth.latest]
        return {one.last_fork for one in earlier if one.ended.latest >= self._births[log.first_fork].earliest} == {
            log.first_fork
        }
