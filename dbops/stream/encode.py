"""Storing a stream: source, digest, zstd, age, sink; each with a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from dbops.errors import ConfigError
from dbops.model.repository import Content
from dbops.plan import Filter
from dbops.spi import Readable
from dbops.stream.age import encrypt, parse_recipients
from dbops.stream.crew import BLOCK, BlockReader, Channel, Crew
from dbops.stream.tally import Tally
from dbops.stream.zstd import DEFAULT_LEVEL, compress

__all__ = ["Progress", "Sink", "age_filter", "encode", "zstd_filter"]

Progress = Callable[[int, int], None]
"""``(clear bytes, stored bytes)`` so far; called in the thread that waits for the stream, several times a second."""

TICK = 0.1
GRACE = 5.0
"""Seconds that a stopped stream is given to let go of its ends."""


class Sink(Protocol):
    """The stored end of a stream. Only ``finish`` makes what was written count."""

    @property
    def size(self) -> int:
        """Stored bytes so far."""
        ...

    def write(self, block: bytes) -> None: ...
    def finish(self) -> None: ...
    def abort(self) -> None: ...


def zstd_filter(level: int = DEFAULT_LEVEL) -> Filter:
    """The filter as plans and manifests record it."""
    return Filter(name="zstd", options={"level": str(level)})


def age_filter(recipients: Sequence[str]) -> Filter:
    """The filter as plans and manifests record it; the comment of an SSH key is left out."""
    return Filter(name="age", options={"recipients": ",".join(" ".join(key.split()[:2]) for key in recipients)})


def encode(
    source: Readable,
    sink: Sink,
    filters: Sequence[Filter] = (),
    *,
    progress: Progress | None = None,
    threads: int | None = None,
    crew: Crew | None = None,
) -> Content:
    """Bring all of ``source`` through ``filters`` into ``sink``, finish it, and say what the clear bytes were.

    The source is always closed. When anything fails, or Ctrl-C comes, every thread is stopped, the sink is aborted,
    and the first error of either end is raised as it was.

    :param threads: of compression; None: as many as there are processors.
    :param crew: lets another thread stop the stream, by ``crew.fail``.
    """
    team = crew or Crew("encode")
    end = _Once(source)
    clear = Tally()
    try:
        read = team.stage("read", lambda out: _read(end, out))
        channel = team.stage("digest", lambda out: _digest(read, clear, out))
        for one in filters:
            channel = team.stage(one.name, _stage(one, channel, threads))
        stored = channel
        team.start("store", lambda: _store(stored, sink))
        _watch(team, lambda: progress(clear.size, sink.size) if progress else None)
    except BaseException as error:
        team.fail(error)
        _let_go(team, end)
        with suppress(Exception):  # the first error is what the caller must see; cleaning is tried again later
            sink.abort()
        raise
    return clear.content()


def _watch(team: Crew, tick: Callable[[], None]) -> None:
    while not team.settled(TICK):
        tick()
    if team.failure is not None:
        raise team.failure
    tick()


def _read(source: _Once, out: Channel) -> None:
    # Nothing else is done here: while this thread is busy, the server or the program at the other end waits.
    while block := source.read(BLOCK):
        out.put(block)
    # Closing belongs to reading: a producer that only now says that it failed has failed before anything is published.
    source.close()


def _digest(blocks: Channel, clear: Tally, out: Channel) -> None:
    for block in blocks:
        clear.add(block)
        out.put(block)


def _stage(one: Filter, source: Channel, threads: int | None) -> Callable[[Channel], None]:
    if one.name == "zstd":
        level = int(one.options.get("level", DEFAULT_LEVEL))
        return lambda out: _forward(compress(source, level, threads), out)
    if one.name == "age":
        recipients = parse_recipients(one.options.get("recipients", "").split(","))
        return lambda out: encrypt(BlockReader(source), out, recipients)
    raise ConfigError(f"no such filter: {one.name}", hint="A stream can go through zstd and age.")


def _forward(blocks: Iterable[bytes], out: Channel) -> None:
    for block in blocks:
        out.put(block)


def _store(stored: Channel, sink: Sink) -> None:
    for block in stored:
        sink.write(block)
    sink.finish()


def _let_go(team: Crew, source: _Once) -> None:
    """Close the source, although another thread may be in its ``read``: some sources wait until that returns."""
    team.join(GRACE / 20)
    closer = threading.Thread(target=source.close_quietly, name="close-source", daemon=True)
    closer.start()
    closer.join(GRACE)
    team.join(GRACE)


class _Once:
    """A source that is closed once, by whichever thread comes first."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._closed = False

    def read(self, n: int) -> bytes:
        return self._source.read(n)

    def close(self) -> None:
        with self._lock:
            closed, self._closed = self._closed, True
        if not closed:
            self._source.close()

    def close_quietly(self) -> None:
        with suppress(Exception):  # the stream has failed already; this can only be an echo
            self.close()
