"""A small database that keeps its whole history and plays the server, for the planner of restores.

The model knows nothing of forks, GUIDs and rules: each backup holds the records themselves, and a log is taken when the
restored history is the beginning of its own. What the planner chooses must give the very history that the database had
at the instant; where it refuses, no order of the model's backups may give it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import msgspec

from dbops_mssql.backup.sequence import Goal, Sequenced, find
from dbops_mssql.backup.sets import BackupSet, DatabaseFile, Kind, Media, Restored

EPOCH = datetime(2026, 1, 1)  # noqa: DTZ001  msdb keeps local times
FILES = ("a", "b")
STEP = 10  # seconds; times in msdb are kept to one


class Record(NamedTuple):
    """A record of the log. No two are the same, whatever their numbers."""

    unique: int
    lsn: int
    at: int
    bulk: bool = False


History = tuple[Record, ...]


class Taken(NamedTuple):
    """A backup as the model keeps it: ``history`` is all that the database went through, up to its end."""

    uuid: str
    kind: Kind
    history: History
    first: int
    last: int
    captured: int
    finished: int
    fork: str
    good: bool
    copy: bool
    bases: dict[str, str]


class Running(NamedTuple):
    """A restore under way. ``stopped``: the instant was reached, and more logs change nothing."""

    history: History
    lsn: int
    at: int
    files: dict[str, str]
    start: str
    whole: bool = True
    stopped: bool = False


Way = tuple[Running, tuple[Taken, ...]]


class Server:
    """One database and all backups ever made of it."""

    def __init__(self, *, informed: bool, zone: int | None, epoch: datetime = EPOCH, where: str = "") -> None:
        self.informed, self.zone, self.epoch, self.where = informed, zone, epoch, where
        self.now, self.lsn, self.serial = 0, 100, 0
        self.fork, self.parents, self.births = "fork-0", {"fork-0": ""}, {"fork-0": 0}
        self.history: History = ()
        self.log_from: int | None = None
        self.model, self.chain_begins = "FULL", True
        self.bases: dict[str, str] = {}
        self.base_lsns: dict[str, int] = {}
        self.taken: list[Taken] = []
        self.sets: list[BackupSet] = []
        self.restores: list[Restored] = []
        self.truth: list[tuple[int, History]] = [(0, ())]

    # What happens to the database.

    def write(self, *, bulk: bool = False) -> None:
        self._tick(bulk=bulk and self.model == "BULK_LOGGED")

    def wait(self, steps: int) -> None:
        self.now += steps * STEP

    def switch(self, model: str) -> None:
        self._tick()
        if model == "SIMPLE":
            self.log_from = None
        elif self.model == "SIMPLE":
            self.chain_begins = True
        self.model = model

    def full(self, during: str, *, fate: str) -> None:
        uuid, begun, checkpoint = self._uuid("F"), self._begin(), self.lsn
        if fate != "copy":
            self.bases, self.base_lsns = dict.fromkeys(FILES, uuid), dict.fromkeys(FILES, checkpoint)
        if during == "write":
            self.write()
        elif during == "log":
            self.log()
        self._data(uuid, Kind.FULL, (begun, checkpoint), fate)

    def differential(self) -> None:
        if not self.bases:
            return
        one = len(set(self.bases.values())) == 1
        files = tuple(DatabaseFile(number=n, name=name, base=self.bases[name]) for n, name in enumerate(FILES))
        named: dict[str, Any] = {"base": self.bases["a"], "base_lsn": self.base_lsns["a"]} if one else {}
        uuid, begun, checkpoint = self._uuid("D"), self._begin(), self.lsn
        self._data(uuid, Kind.DIFFERENTIAL, (begun, checkpoint), bases=dict(self.bases), files=files, **named)

    def file(self, name: str) -> None:
        if self.model == "SIMPLE" or not self.bases:
            return
        uuid, begun, checkpoint = self._uuid("X"), self._begin(), self.lsn
        self.bases = {**self.bases, name: uuid}
        self.base_lsns = {**self.base_lsns, name: checkpoint}
        self._data(uuid, Kind.FILE, (begun, checkpoint), bases={name: uuid})

    def log(self, fate: str = "") -> None:
        if self.log_from is None:
            return  # error 4214: there is no current database backup
        uuid, begun, first = self._uuid("L"), self._begin(), self.log_from
        self._tick()
        captured, last, held = self.now, self.lsn, self.history
        self._tick()
        self._keep(
            Taken(uuid, Kind.LOG, held, first, last, captured, self.now, self.fork, *_fate(fate), {}),
            begun,
            fate,
            bulk_logged=any(one.bulk for one in held if one.lsn >= first),
            begins_chain=self.chain_begins,
            valid_until=self.clock(captured) if self.informed else None,
        )
        if fate != "copy":
            self.log_from, self.chain_begins = last, False

    def restore(self, pick: int, stop: int | None) -> None:
        """Over itself, from any backups that lead somewhere."""
        ways = list(self.ways(stop))
        if not ways:
            return
        done, path = ways[pick % len(ways)]
        last, fork = path[-1], f"fork-{len(self.parents)}"
        parent = last.fork if done.lsn > self.births[last.fork] else self.parents[last.fork] or last.fork
        held_from = max(last.first, self.births[parent])
        self.parents[fork], self.births[fork], self.fork = parent, done.lsn, fork
        self._tick()
        self.history, self.lsn = done.history, done.lsn
        self._tick()
        if self.model != "SIMPLE":
            self.log_from = held_from if pick % 2 else done.lsn
        firsts = {one.uuid: one.first for one in self.taken}
        self.bases = {} if path[0].copy else dict(done.files)
        self.base_lsns = {name: firsts[uuid] for name, uuid in self.bases.items()}
        if self.informed:
            point = stop if done.stopped and stop is not None else done.at
            here, there = self.clock(self.now), self.clock(point)
            self.restores.append(Restored(database="shop", at=here, zone=self.zone, stopped=there))

    # The server's rules, by the records themselves.

    def ways(self, stop: int | None) -> Iterator[Way]:
        """Every end of a restore that the server would bring online; with ``stop``, at that instant."""
        for one in self.taken:
            if one.kind is Kind.FULL and one.good and (stop is None or one.captured < stop):
                start = Running(one.history, one.last, one.captured, dict.fromkeys(FILES, one.uuid), one.uuid)
                yield from self._on(start, (one,), stop, set())

    def _on(self, state: Running, path: tuple[Taken, ...], stop: int | None, seen: set[object]) -> Iterator[Way]:
        key = (state.history, state.lsn, tuple(sorted(state.files.items())), state.stopped, path[-1].kind)
        if key in seen:
            return
        seen.add(key)
        if state.whole and (stop is None or state.stopped):
            yield state, path
        for one in self.taken:
            follows = None if state.stopped or one in path else follow(state, path[-1], one, stop)
            if follows is not None:
                yield from self._on(follows, (*path, one), stop, seen)

    def at(self, instant: int) -> History:
        return next(history for when, history in reversed(self.truth) if when <= instant)

    def replay(self, found: Sequenced, stop: int | None) -> Running | None:
        """What the server makes of these sets, in this order."""
        by_uuid = {one.uuid: one for one in self.taken}
        path = [by_uuid[one.uuid] for one in found.sets]
        first = path[0]
        if first.kind is not Kind.FULL or not first.good:
            return None
        state: Running | None = Running(
            first.history, first.last, first.captured, dict.fromkeys(FILES, first.uuid), first.uuid
        )
        for before, one in pairwise(path):
            state = follow(state, before, one, stop) if state else None
        return state if state and state.whole and (stop is None or state.stopped) else None

    # How backups are written down.

    def clock(self, seconds: int) -> datetime:
        """As it is shown there, without its distance to UTC."""
        at = self.epoch + timedelta(seconds=seconds)
        if self.where:
            return at.replace(tzinfo=UTC).astimezone(ZoneInfo(self.where)).replace(tzinfo=None)
        return at + timedelta(minutes=self.zone or 0)

    def _zone(self, begun: int) -> int | None:
        """As msdb keeps it."""
        if not self.where:
            return self.zone
        there = self.epoch.replace(tzinfo=UTC) + timedelta(seconds=begun)
        return round((self.clock(begun) - there.replace(tzinfo=None)).total_seconds() / 60)

    def _begin(self) -> int:
        self._tick()
        return self.now

    def _tick(self, *, bulk: bool = False) -> None:
        """No instant is like another: time passes, and the log has a record of it."""
        self.now += STEP
        self.serial += 1
        self.history += (Record(self.serial, self.lsn, self.now, bulk),)
        self.lsn += 1
        self.truth.append((self.now, self.history))

    def _uuid(self, letter: str) -> str:
        self.serial += 1
        return f"{letter}{self.serial}"

    def _data(
        self,
        uuid: str,
        kind: Kind,
        began: tuple[int, int],
        fate: str = "",
        *,
        bases: dict[str, str] | None = None,
        **fields: Any,
    ) -> None:
        self._tick()
        (begun, first), (good, copy) = began, _fate(fate)
        taken = Taken(uuid, kind, self.history, first, self.lsn, self.now, self.now, self.fork, good, copy, bases or {})
        self._keep(taken, begun, fate, **fields)
        if kind is not Kind.FILE and self.model != "SIMPLE" and self.log_from is None:
            self.log_from = first

    def _keep(self, one: Taken, begun: int, fate: str, **fields: Any) -> None:
        self.taken.append(one)
        point = self.births[self.fork]
        crosses = one.kind is Kind.LOG and self.fork != "fork-0" and one.first <= point
        found = BackupSet(
            uuid=one.uuid,
            database="shop",
            family="family",
            kind=one.kind,
            first_lsn=one.first,
            last_lsn=one.last,
            checkpoint_lsn=one.first,
            started=self.clock(begun),
            finished=self.clock(one.finished),
            zone=self._zone(begun),
            first_fork=self.parents[self.fork] if crosses else self.fork,
            last_fork=self.fork,
            fork_point_lsn=point if crosses else None,
            copy_only=one.copy,
            damaged=fate == "damaged",
            media=Media(devices=(one.uuid,), virtual=fate == "virtual"),
        )
        if fate != "lost":
            self.sets.append(msgspec.structs.replace(found, **fields))


def _fate(fate: str) -> tuple[bool, bool]:
    return fate in ("", "copy"), fate == "copy"


def follow(state: Running, before: Taken, one: Taken, stop: int | None) -> Running | None:
    """The next set of a restore, or None where the server refuses it."""
    if not one.good or one.kind is Kind.FULL:
        return None
    if one.kind is Kind.LOG:
        return roll(state, one, stop)
    if before.kind in (Kind.LOG, Kind.DIFFERENTIAL) or (stop is not None and one.captured >= stop):
        return None
    if one.kind is Kind.FILE:
        return state._replace(files={**state.files, **one.bases}, at=max(state.at, one.captured), whole=False)
    # Files alone, on a full set that none of them counts from any more, are left to a person: neither does it here.
    matches = state.files == one.bases and state.start in one.bases.values()
    return Running(one.history, one.last, one.captured, state.files, state.start) if matches else None


def roll(state: Running, one: Taken, stop: int | None) -> Running | None:
    """A log: it holds the next record, and its history begins with what was restored."""
    if state.stopped:
        return state
    if not state.whole or not one.first <= state.lsn < one.last:
        return None
    if state.history != tuple(record for record in one.history if record.lsn < state.lsn):
        return None
    if stop is None or one.captured < stop:
        return Running(one.history, one.last, one.captured, state.files, state.start)
    if any(record.bulk for record in one.history if record.lsn >= one.first):
        return None
    new = [record for record in one.history if record.lsn >= state.lsn]
    end = next((record.lsn for record in new if record.at > stop), one.last)
    history = state.history + tuple(record for record in new if record.lsn < end)
    return Running(history, end, stop, state.files, state.start, stopped=True)


FATES = st.sampled_from(["", "", "", "", "copy", "damaged", "lost"])
ACTIONS = st.one_of(
    st.tuples(st.just("write"), st.booleans()),
    st.tuples(st.just("full"), st.sampled_from(["", "write", "log"]), st.one_of(FATES, st.just("virtual"))),
    st.tuples(st.just("differential")),
    st.tuples(st.just("log"), FATES),
    st.tuples(st.just("log"), st.just("")),
    st.tuples(st.just("file"), st.sampled_from(FILES)),
    st.tuples(st.just("switch"), st.sampled_from(["FULL", "BULK_LOGGED", "SIMPLE"])),
    st.tuples(st.just("restore"), st.integers(0, 30), st.one_of(st.none(), st.floats(0, 1))),
)


def play(actions: list[tuple[Any, ...]], **how: Any) -> Server:
    server = Server(**how)
    server.full("", fate="")
    for action, *said in actions:
        if action == "write":
            server.write(bulk=said[0])
        elif action == "full":
            server.full(said[0], fate=said[1])
        elif action == "log":
            server.log(said[0])
        elif action == "restore":
            server.restore(said[0], None if said[1] is None else int(said[1] * server.now))
        else:
            getattr(server, action)(*said)
    return server


HISTORIES = st.builds(
    play,
    st.lists(ACTIONS, max_size=14),
    informed=st.booleans(),
    zone=st.sampled_from([0, -300, 345, None]),
)


def ask(server: Server, stop: int) -> Sequenced:
    at = (server.epoch + timedelta(seconds=stop)).replace(tzinfo=UTC)
    return find(server.sets, "shop", Goal(time=at), server.restores)
