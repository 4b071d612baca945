"""What is held while a dump is made: the moment that all its streams show, and each stream's program and session.

A snapshot of a dump program cannot be joined by others, so all of them begin while nothing is committed. What is open
is kept here by a word, which the steps inside refer to.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import msgspec

from dbops.errors import InputError
from dbops.model.server import Endpoint, Version
from dbops.plan import Value
from dbops.spi import Member, Runtime
from dbops_mysql.backup.facts import Database, count
from dbops_mysql.backup.freeze import STOPS_WRITING, Frozen, How, frozen, guard, stood_still
from dbops_mysql.backup.link import Link, ask, connect, quietly_close, understood
from dbops_mysql.backup.writer import Writer
from dbops_mysql.installation import Family
from dbops_mysql.login import option_text

__all__ = ["Share", "dump", "held", "moment", "share"]

Held = tuple[Mapping[str, Value], Endpoint | None]
PATIENCE_S = 300
BEGIN_S = 60
SNAPSHOT = "START TRANSACTION WITH CONSISTENT SNAPSHOT"


class _Wanted(msgspec.Struct, frozen=True, kw_only=True):
    family: Family
    tool: str
    server: Version
    shares: tuple[tuple[str, ...], ...]
    fingerprints: bool
    loose: bool
    history: bool
    patience_s: float


class Share:
    """Some databases: the program that dumps them, and a session with the same snapshot, where there is one."""

    def __init__(self, names: tuple[str, ...], writer: Writer | None, link: Link | None) -> None:
        self.names, self.writer, self.link = names, writer, link

    def end(self) -> None:
        """Whatever it does."""
        if self.writer is not None:
            self.writer.end()
        if self.link is not None:
            quietly_close(self.link)


_numbers = itertools.count(1)
_moments: dict[str, list[Share]] = {}


@contextmanager
def moment(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """Start everything, and let it begin at one moment. Outputs: ``moment`` (the word for it), ``how`` (a word of
    :class:`~dbops_mysql.backup.freeze.How`), ``taken_at`` (the server's time), ``databases`` (what was there),
    ``position`` and ``notes`` as JSON, ``locked_ms``.

    Arguments: ``family``, ``tool`` (the program), ``server`` (the server's version), ``shares`` (JSON: names for
    each program), ``fingerprints``, ``loose`` (there are tables without transactions), ``history`` (of versioned
    tables), ``patience_s`` (how long a lock is tried for).
    """
    wanted = _wanted(arguments)
    word = f"moment-{next(_numbers)}"
    with ExitStack() as stack, understood(str(endpoint)):
        opening = _Opening(wanted, endpoint, runtime, stack)
        outputs = opening.begin()
        _moments[word] = opening.shares
        stack.callback(_moments.pop, word, None)
        yield {"moment": word, **outputs}, None


@contextmanager
def share(arguments: Mapping[str, object], _endpoint: Endpoint, _runtime: Runtime) -> Generator[Held]:
    """One share of a moment; at its end its program and its session are ended. Arguments: ``moment``, ``share``."""
    one = held(arguments)
    try:
        yield {"databases": len(one.names)}, None
    finally:
        one.end()


def dump(arguments: Mapping[str, object], _endpoint: Endpoint, _runtime: Runtime) -> Iterator[Member]:
    """The streams of one share: each database's dump, then its views. Arguments: ``moment``, ``share``."""
    writer = held(arguments).writer
    if writer is not None:
        yield from writer.members()


def held(arguments: Mapping[str, object]) -> Share:
    """:raises InputError: the moment is over, or never was."""
    shares = _moments.get(str(arguments["moment"]))
    if shares is None:
        raise InputError(f"there is no moment {arguments['moment']!r} that is held now")
    return shares[int(str(arguments["share"]))]


class _Opening:
    """From nothing to snapshots that have begun."""

    def __init__(self, wanted: _Wanted, endpoint: Endpoint, runtime: Runtime, stack: ExitStack) -> None:
        self._wanted, self._endpoint, self._runtime, self._stack = wanted, endpoint, runtime, stack
        secret = runtime.secret(endpoint.password) if endpoint.password else ""
        self._options = option_text(endpoint, secret, wanted.family)
        self.notes: list[str] = []
        self.shares: list[Share] = []
        self._locked_s = 0.0
        self._found: tuple[Database, ...] = ()

    def begin(self) -> dict[str, Value]:
        wanted, family = self._wanted, self._wanted.family
        # Nobody can be kept from writing for hours.
        if not (STOPS_WRITING[family] and wanted.loose):
            self.notes += filter(None, [guard(self._link(), family)])
        with self._runtime.reader(self._endpoint) as reader:
            self._found = count(reader, family)
        link = self._link()
        self._prepare(wanted.shares)
        with frozen(link, family, wanted.server, wanted.patience_s) as found:
            began = time.monotonic()
            if found.how is How.LOCKED:
                self._begin()
        self._locked_s = time.monotonic() - began
        if found.how is not How.LOCKED:
            found = self._look_for_one(link, found)
        return self._outputs(found)

    def _look_for_one(self, link: Link, refused: Frozen) -> Frozen:
        """All databases by one program: at least they are of one moment with each other."""
        wanted = self._wanted

        def begin() -> None:
            self._forget()
            self._prepare(_all_in_one(wanted.shares))
            self._begin()

        found = stood_still(link, wanted.family, wanted.server, begin)
        if found is not None:
            return msgspec.structs.replace(found, why=refused.why)
        begin()
        for one in self.shares:
            if one.link is not None:
                quietly_close(one.link)
                one.link = None
        self.notes.append(
            f"{refused.why}: the databases are of one moment with each other, but where the binary log stood then is "
            "not known, and their content is not comparable with the server's"
        )
        return refused

    def _prepare(self, shares: tuple[tuple[str, ...], ...]) -> None:
        wanted = self._wanted
        for names in shares:
            link = self._link() if wanted.fingerprints and names else None
            one = Share(names, None, link)
            self._stack.callback(one.end)
            self.shares.append(one)
            if names:
                one.writer = Writer(wanted.family, wanted.tool, names, history=wanted.history)

    def _begin(self) -> None:
        writers = [one.writer for one in self.shares if one.writer is not None]
        for writer in writers:
            writer.release(self._options)
        for one in self.shares:
            if one.link is not None:
                ask(one.link, SNAPSHOT)
        for writer in writers:
            writer.wait_until_begun(BEGIN_S)

    def _forget(self) -> None:
        for one in self.shares:
            one.end()
        self.shares.clear()

    def _link(self) -> Link:
        link = connect(self._endpoint, self._runtime)
        self._stack.callback(quietly_close, link)
        return link

    def _outputs(self, found: Frozen) -> dict[str, Value]:
        said = found.position
        return {
            "how": found.how.value,
            "taken_at": found.taken_at,
            "position": msgspec.json.encode(said).decode() if said is not None else "",
            "notes": json.dumps(self.notes, ensure_ascii=False),
            "databases": msgspec.json.encode(self._found).decode(),
            "locked_ms": round(self._locked_s * 1000),
        }


def _all_in_one(shares: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """As many shares as before, all of it in the first: steps refer to them by number."""
    every = tuple(name for names in shares for name in names)
    return (every, *((),) * (len(shares) - 1))


def _wanted(arguments: Mapping[str, object]) -> _Wanted:
    plain = {**arguments, "shares": json.loads(str(arguments["shares"]))}
    plain["server"] = [int(part) for part in str(arguments["server"]).split(".")]
    return msgspec.convert({"patience_s": PATIENCE_S, **plain}, type=_Wanted)
