"""Which backup sets bring a database back to an instant, in the order in which the server takes them.

Pure. A sequence is a full set, at most one differential that counts from it, and logs without a gap, the last of them
stopped at the instant. The newest full set that leads there is taken; when its logs do not, an older one is tried. A
sequence is given only when what is recorded proves that it leads to the very state; where times, zones or forks leave
that open the answer is ``unknown`` and says why.

Rules: BACKUP, RESTORE and msdb as Microsoft documents them (backupset, RESTORE HEADERONLY, RESTORE Statements).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from dbops.model.finding import Missing
from dbops.model.recovery import Nearest, Reachability
from dbops_mssql.backup import refusal
from dbops_mssql.backup.bases import Base, bases
from dbops_mssql.backup.dial import REPEATED, reading
from dbops_mssql.backup.forks import Forks, Sure
from dbops_mssql.backup.sets import BackupSet, Kind, Restored, unusable
from dbops_mssql.backup.walk import Logs, Way, walk

__all__ = ["After", "Goal", "Sequenced", "find"]


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """What to come back to: the newest state that can be had, an instant (UTC), or the record before a log sequence
    number.

    :param zone: minutes east of UTC of the server's clock at that instant; a sequence that is stopped there says it.
    """

    time: datetime | None = None
    lsn: int | None = None
    zone: int | None = None


class After(msgspec.Struct, frozen=True):
    """What an earlier restore brought into a database that it left open for more: the last set, and the local time
    that it was stopped at inside of it."""

    uuid: str
    stopped: datetime | None = None


class Sequenced(msgspec.Struct, frozen=True, kw_only=True):
    """The sets to restore, in their order; or why there is no such sequence.

    :param stop: the last log is stopped there; None to restore all of it.
    :param inside: the last set in the database already, where it is not a new one.
    :param recovers_to: the instant whose state comes back; of sets without an exact one, when the last of them began.
    """

    verdict: Reachability
    reason: str
    sets: tuple[BackupSet, ...] = ()
    stop: Goal = Goal()
    recovers_to: datetime | None = None
    missing: tuple[str, ...] = ()
    nearest: Nearest = Nearest()
    notes: tuple[str, ...] = ()
    inside: BackupSet | None = None


class _Found(NamedTuple):
    base: Base
    way: Way
    last: BackupSet | None

    @property
    def sets(self) -> tuple[BackupSet, ...]:
        return (*self.base.to_restore, *self.way.logs, *([self.last] if self.last else []))


def find(
    sets: Iterable[BackupSet],
    database: str,
    goal: Goal | None = None,
    restores: Sequence[Restored] = (),
    after: After | None = None,
) -> Sequenced:
    """The sequence for one database.

    :param after: onto one that an earlier restore left open for more.

    :param sets: of any databases; sets of one family lead to one another also under another name of the database.
    :param restores: of this database, as far as they are remembered.
    """
    every = tuple({one.uuid: one for one in sets}.values())
    named = [one for one in every if one.database == database]
    wanted = goal or Goal()
    if not named:
        return Sequenced(verdict=Reachability.UNREACHABLE, reason=f"There is no backup of {database}.")
    if after is not None:
        return _onto(every, database, wanted, restores, after)
    answers = [
        _Search([one for one in every if one.family == family], database, wanted, restores).answer()
        for family in _families(named)
    ]
    return next((one for one in answers if one.verdict is Reachability.REACHABLE), _closest(answers))


def _onto(
    every: Sequence[BackupSet], database: str, goal: Goal, restores: Sequence[Restored], after: After
) -> Sequenced:
    last = next((one for one in every if one.uuid == after.uuid), None)
    if last is None:
        reason = f"The last backup set in the database, {after.uuid}, is not among those that are known."
        return Sequenced(verdict=Reachability.UNREACHABLE, reason=reason, missing=(after.uuid,))
    search = _Search([one for one in every if one.family == last.family], database, goal, restores)
    search.bases = (Base((last,), inside=True, stopped=after.stopped),)
    found = search.answer()
    if found.sets or goal != Goal() or search.logs.beyond(search.bases[0].state):
        return found
    reason = f"No log backup is newer than what is in the database: {last.label}."
    return Sequenced(verdict=Reachability.UNREACHABLE, reason=reason, missing=(f"log from {last.last_lsn}",))


def _families(named: Iterable[BackupSet]) -> list[str]:
    """The databases that had this name, the latest first: one that was dropped and made anew starts to count again."""
    newest: dict[str, datetime] = {}
    for one in named:
        newest[one.family] = max(one.ended.latest, newest.get(one.family, one.ended.latest))
    return sorted(newest, key=lambda family: newest[family], reverse=True)


def _closest(answers: Sequence[Sequenced]) -> Sequenced:
    return next((one for one in answers if one.verdict is Reachability.UNKNOWN), answers[0])


class _Search:
    """One database through all of its restores."""

    def __init__(self, sets: Sequence[BackupSet], database: str, goal: Goal, restores: Sequence[Restored]) -> None:
        self.sets, self.goal = sets, goal
        self.usable = [one for one in sets if not unusable(one)]
        self.logs = Logs(one for one in self.usable if one.kind is Kind.LOG)
        own = [one for one in sets if one.database == database]
        self.forks = Forks(own, [one for one in restores if one.database == database])
        self.bases = bases(self.usable)
        self.clock = reading(sets, goal.time) if goal.time is not None else None

    def answer(self) -> Sequenced:
        if self.goal == Goal():
            return self._latest()
        found = next(self._sequences(Sure.YES), None)
        if found is not None and not isinstance(self.clock, Missing):
            return self._given(found)
        whole = next((base for base in self.bases if self._ends_there(base)), None)
        if whole is not None:
            return self._given(_Found(whole, Way(whole.state), None))
        if found is not None and isinstance(self.clock, Missing):
            return self._unstoppable(self.clock)
        maybe = next(self._sequences(Sure.MAYBE), None)
        if maybe is not None:
            return self._unsure(maybe)
        return self._refused()

    def _sequences(self, at_least: Sure) -> Iterator[_Found]:
        """Sequences that surely lead to the goal; with MAYBE also those that may."""
        for base in self.bases:
            if self._not_beyond(base) < at_least:
                continue
            for way, log in walk(self.logs, base.state, lambda one: self._passes(one) >= at_least):
                if self._stops(log) >= at_least:
                    yield _Found(base, way, log)

    def _not_beyond(self, base: Base) -> Sure:
        """The state of a full or differential set is that of its end: it must not be later than the goal."""
        if self.goal.lsn is not None:
            return Sure.YES if base.state.lsn <= self.goal.lsn else Sure.NO
        time = self.goal.time or base.ended.latest
        return Sure.YES if base.ended.latest <= time else Sure.MAYBE if base.ended.earliest <= time else Sure.NO

    def _ends_there(self, base: Base) -> bool:
        """The very second that people are shown as the end of a set, of this database by this name."""
        last = base.sets[-1].ended
        if base.inside:
            return False
        if self.goal.time is None or last.earliest != last.latest or not self.forks.seen(base.state.fork):
            return False
        return base.ended.earliest <= self.goal.time < base.ended.latest

    def _passes(self, log: BackupSet) -> Sure:
        """Whether a log is restored on the way, the goal being after it. One that may hold the goal is told to stop
        there too, and if it does, those after it change nothing; but one with bulk-logged data cannot be stopped."""
        if self.goal.lsn is not None:
            return Sure.YES if log.last_lsn <= self.goal.lsn else Sure.NO
        if self.goal.time is None or log.reach.latest < self.goal.time:
            return Sure.YES
        if log.reach.earliest >= self.goal.time:
            return Sure.NO
        return Sure.MAYBE if log.bulk_logged else Sure.YES

    def _stops(self, log: BackupSet) -> Sure:
        """Whether this log, stopped at the goal, gives the state that the database had then."""
        if log.bulk_logged or not self.forks.seen(log.last_fork):
            return Sure.NO
        if self.goal.lsn is not None:
            return Sure.YES if log.first_lsn <= self.goal.lsn < log.last_lsn else Sure.NO
        time = self.goal.time or log.ended.latest
        reaches = Sure.YES if log.reach.earliest >= time else Sure.MAYBE if log.reach.latest >= time else Sure.NO
        own = min(reaches, self.forks.born(log.last_fork, time))
        return max(own, self._stops_before_the_fork(log, time)) if log.first_fork != log.last_fork else own

    def _stops_before_the_fork(self, log: BackupSet, time: datetime) -> Sure:
        on_old = self.forks.born(log.first_fork, time)
        if time <= self.forks.shared_until(log):
            return on_old
        return min(on_old, Sure.MAYBE) if time <= self.forks.shared_at_most(log) else Sure.NO

    def _latest(self) -> Sequenced:
        best: tuple[object, ...] | None = None
        found: _Found | None = None
        for base in self.bases:
            ends: list[tuple[Way, BackupSet | None]] = [] if base.inside else [(Way(base.state), None)]
            ends += walk(self.logs, base.state, lambda _: True)
            for way, log in ends:
                last = log or base.sets[-1]
                rank = (last.ended.latest, last.last_lsn)
                if self.forks.seen(last.last_fork) and (best is None or rank > best):
                    best, found = rank, _Found(base, way, log)
        return self._given(found) if found else self._refused()

    def _given(self, found: _Found) -> Sequenced:
        last = found.sets[-1]
        reached = self.goal.time or (last.reach.earliest if last.kind is Kind.LOG else last.began.earliest)
        what = "the newest state that can be had" if self.goal == Goal() else "the state asked for"
        return Sequenced(
            verdict=Reachability.REACHABLE,
            reason=f"{len(found.sets)} backup sets bring back {what}",
            sets=found.sets,
            stop=self._stop() if found.last is not None else Goal(),
            recovers_to=reached,
            notes=self._notes(found),
            inside=found.base.sets[-1] if found.base.inside else None,
        )

    def _notes(self, found: _Found) -> tuple[str, ...]:
        inside = [f"{one.label} is the last that is in the database" for one in found.base.sets if found.base.inside]
        return (*inside, *refusal.notes(self.sets, found.sets))

    def _stop(self) -> Goal:
        return msgspec.structs.replace(self.goal, zone=self.clock) if isinstance(self.clock, int) else self.goal

    def _unstoppable(self, clock: Missing) -> Sequenced:
        """The log holds the instant, and no STOPAT says it."""
        never = clock.reason == REPEATED
        verdict = Reachability.UNREACHABLE if never else Reachability.UNKNOWN
        return Sequenced(verdict=verdict, reason=clock.detail, nearest=self._nearest())

    def _unsure(self, found: _Found) -> Sequenced:
        return Sequenced(
            verdict=Reachability.UNKNOWN,
            reason=refusal.unsure(found.sets, self.goal.time),
            missing=(),
            nearest=self._nearest(),
        )

    def _refused(self) -> Sequenced:
        reason, missing = refusal.why(self.sets, self.bases, self.logs, self.goal.time)
        return Sequenced(verdict=Reachability.UNREACHABLE, reason=reason, missing=missing, nearest=self._nearest())

    def _nearest(self) -> Nearest:
        """The closest ends of sets that can be restored whole."""
        if self.goal.time is None:
            return Nearest()
        ends = {one.reach.earliest for base in self.bases for _, one in walk(self.logs, base.state, lambda _: True)}
        ends |= {base.ended.latest for base in self.bases}
        return Nearest(
            before=max((one for one in ends if one <= self.goal.time), default=None),
            after=min((one for one in ends if one > self.goal.time), default=None),
        )
