"""Through the logs: which one fits on which state, and how far they lead.

A log fits on a state when it holds the record that comes next and its history up to there is the state's own:
``first_lsn <= state < last_lsn`` on the same fork. An overlap is legal, only a gap is not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from dbops_mssql.backup.sets import BackupSet

__all__ = ["Logs", "State", "Way", "fits", "walk"]


class State(NamedTuple):
    """A database being restored: its fork, and the next record that it needs."""

    fork: str
    lsn: int


class Way(NamedTuple):
    """Where logs lead when each is restored whole; linked from its end, since ways share their beginnings."""

    state: State
    before: Way | None = None
    log: BackupSet | None = None

    def through(self, log: BackupSet) -> Way:
        """One log further."""
        return Way(State(log.last_fork, log.last_lsn), self, log)

    @property
    def logs(self) -> tuple[BackupSet, ...]:
        """In the order of restoring."""
        found: list[BackupSet] = []
        here: Way | None = self
        while here is not None and here.log is not None:
            found.append(here.log)
            here = here.before
        return tuple(reversed(found))


class Logs:
    """Log sets by fork, to be asked for those that fit."""

    def __init__(self, logs: Iterable[BackupSet]) -> None:
        by_fork: dict[str, list[BackupSet]] = defaultdict(list)
        for log in logs:
            for fork in {log.first_fork, log.last_fork}:
                by_fork[fork].append(log)
        self._logs = {fork: sorted(found, key=lambda one: one.last_lsn) for fork, found in by_fork.items()}
        self._ends = {fork: [one.last_lsn for one in found] for fork, found in self._logs.items()}
        self._begins = {fork: _smallest_to_come(found) for fork, found in self._logs.items()}

    def after(self, state: State) -> Iterator[BackupSet]:
        """Every log that fits on a state."""
        found, begins = self._logs.get(state.fork, []), self._begins.get(state.fork, [])
        start = bisect_right(self._ends.get(state.fork, []), state.lsn)
        for number in range(start, len(found)):
            if begins[number] > state.lsn:
                return
            if fits(found[number], state):
                yield found[number]

    def beyond(self, state: State) -> BackupSet | None:
        """The next log after a gap: the first of this fork that begins later than the state ends."""
        later = [one for one in self._logs.get(state.fork, []) if one.first_lsn > state.lsn]
        return min(later, key=lambda one: one.first_lsn, default=None)


def fits(log: BackupSet, state: State) -> bool:
    """Whether the server would take this log next."""
    if not log.first_lsn <= state.lsn < log.last_lsn:
        return False
    if log.first_fork == log.last_fork:
        return log.first_fork == state.fork
    point = log.fork_point_lsn or 0
    return state.lsn <= point if state.fork == log.first_fork else state.lsn >= point


def walk(logs: Logs, start: State, passes: Callable[[BackupSet], bool]) -> Iterator[tuple[Way, BackupSet]]:
    """Every log that can come next somewhere, with the way to it, each once, the fewest logs first.

    :param passes: whether a log may be restored whole on the way to others.
    """
    queue, seen = deque([Way(start)]), {start}
    tried: set[str] = set()
    while queue:
        way = queue.popleft()
        for log in logs.after(way.state):
            if log.uuid not in tried:
                tried.add(log.uuid)
                yield way, log
            further = way.through(log)
            if further.state not in seen and passes(log):
                seen.add(further.state)
                queue.append(further)


def _smallest_to_come(found: list[BackupSet]) -> list[int]:
    smallest: list[int] = []
    for one in reversed(found):
        smallest.append(min(one.first_lsn, smallest[-1]) if smallest else one.first_lsn)
    return smallest[::-1]
