"""The xbstream format, read while it passes: whether every file in it has its end, how many there are and how large,
and what a few small ones say. Nothing is changed, and no file is held in memory.

A program may end well without having written everything, and ``mbstream`` takes a stream that lacks whole files, so
the files are counted when the backup is made and counted again when it is unpacked.

A stream is a row of chunks: ``XBSTCK01``, flags (1 byte), type (1), length of the path (4), path. Types that both
families have are ``P``, a piece of a file (length 8, offset 8, CRC-32 4, bytes), and ``E``, a file's end.
https://docs.percona.com/percona-xtrabackup/8.4/xbstream-binary-overview.html
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Generator, Mapping

import msgspec

from dbops.errors import ToolFailed
from dbops.spi import Readable

__all__ = ["MARIADB", "MYSQL", "Dialect", "Walked", "Walker", "Watched"]

MAGIC = b"XBSTCK01"
HEAD = struct.Struct("<8sBcI")
LENGTH = struct.Struct("<I")
PIECE = struct.Struct("<QQI")
OFFSET = struct.Struct("<Q")
HOLE = struct.Struct("<II")
IGNORABLE = 1
LONGEST_PATH = 4096
LARGEST_KEPT = 1 << 16


class Walked(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole stream held.

    :param bytes: of all files as they are unpacked.
    :param kept: the files that were asked for, by the last part of their names.
    """

    files: int
    bytes: int
    kept: Mapping[str, str]


Steps = Generator[int, bytes, None]
Dialect = Mapping[bytes, Callable[["_State", str], Steps]]


class _State:
    """What is known so far. ``skip`` bytes of the stream are of no interest; ``between`` is true between chunks."""

    def __init__(self, wanted: Collection[str]) -> None:
        self.wanted = wanted
        self.sizes: dict[str, int] = {}
        self.open: set[str] = set()
        self.kept: dict[str, bytearray] = {}
        self.skip = 0
        self.between = True


class Walker:
    """Fed with the stream, block by block.

    :param dialect: the chunk types of one family beside those that both have.
    :param wanted: names of small files in the top directory whose contents are kept.
    """

    def __init__(self, dialect: Dialect, wanted: Collection[str] = ()) -> None:
        self._state = _State(wanted)
        self._dialect: Dialect = {**COMMON, **dialect}
        self._steps = self._chunks()
        self._need = next(self._steps)
        self._buffer = bytearray()

    def feed(self, block: bytes | memoryview) -> None:
        """:raises ToolFailed: this is no such stream."""
        view = memoryview(block)
        while view:
            if self._state.skip:
                passed = min(self._state.skip, len(view))
                self._state.skip -= passed
                view = view[passed:]
                continue
            lacking = self._need - len(self._buffer)
            self._buffer += view[:lacking]
            view = view[lacking:]
            self._advance()

    def _advance(self) -> None:
        while len(self._buffer) == self._need and not self._state.skip:
            read = bytes(self._buffer)
            self._buffer.clear()
            self._need = self._steps.send(read)

    def finish(self) -> Walked:
        """After the last block.

        :raises ToolFailed: it broke off, or a file has no end.
        """
        state = self._state
        if self._buffer or state.skip or not state.between:
            raise ToolFailed("the stream of the copy broke off in the middle of a file")
        if state.open:
            some = ", ".join(sorted(state.open)[:3])
            raise ToolFailed(f"the stream of the copy ended before {len(state.open)} of its files did: {some}")
        kept = {name: bytes(content).decode(errors="replace") for name, content in state.kept.items()}
        return Walked(files=len(state.sizes), bytes=sum(state.sizes.values()), kept=kept)

    def _chunks(self) -> Steps:
        while True:
            self._state.between = True
            magic, flags, kind, length = HEAD.unpack((yield HEAD.size))
            self._state.between = False
            if magic != MAGIC or length > LONGEST_PATH:
                raise ToolFailed("the copying program wrote something that is no xbstream")
            path = (yield length).decode(errors="surrogateescape") if length else ""
            act = self._dialect.get(kind)
            if act is None and not flags & IGNORABLE:
                raise ToolFailed(f"the copying program wrote a piece of an unknown kind, {kind!r}, about {path!r}")
            if act is not None:
                yield from act(self._state, path)


def _piece(state: _State, path: str) -> Steps:
    length, offset, _ = PIECE.unpack((yield PIECE.size))
    _begin(state, path, offset)
    yield from _payload(state, path, length)
    _reached(state, path, offset + length)


def _end(state: _State, path: str) -> Steps:
    state.open.discard(path)
    state.sizes.setdefault(path, 0)
    yield from ()


def _seek(state: _State, path: str) -> Steps:
    (offset,) = OFFSET.unpack((yield OFFSET.size))
    _begin(state, path, offset)


def _remove(state: _State, path: str) -> Steps:
    state.sizes.pop(path, None)
    yield from ()


def _rename(state: _State, path: str) -> Steps:
    (length,) = LENGTH.unpack((yield LENGTH.size))
    name = (yield length).decode(errors="surrogateescape")
    if path in state.sizes:
        state.sizes[name] = state.sizes.pop(path)


def _sparse(state: _State, path: str) -> Steps:
    (count,) = LENGTH.unpack((yield LENGTH.size))
    length, offset, _ = PIECE.unpack((yield PIECE.size))
    holes = 0
    for _ in range(count):
        skipped, _ = HOLE.unpack((yield HOLE.size))
        holes += skipped
    _begin(state, path, offset)
    yield from _payload(state, path, length)
    _reached(state, path, offset + length + holes)


def _begin(state: _State, path: str, offset: int) -> None:
    if path not in state.open:
        state.open.add(path)
        if offset == 0:
            state.sizes[path] = 0


def _reached(state: _State, path: str, offset: int) -> None:
    state.sizes[path] = max(state.sizes.get(path, 0), offset)


def _payload(state: _State, path: str, length: int) -> Steps:
    if path in state.wanted and length <= LARGEST_KEPT:
        kept = state.kept.setdefault(path, bytearray())
        if length and len(kept) + length <= LARGEST_KEPT:
            kept += yield length
            return
    state.skip = length
    yield from ()


COMMON: Dialect = {b"P": _piece, b"E": _end}
# The letter S means a jump in a file to MariaDB's programs, and a file with holes to Percona's.
MARIADB: Dialect = {b"S": _seek, b"D": _remove, b"R": _rename}
MYSQL: Dialect = {b"S": _sparse}


class Watched:
    """A stream that is walked through while it is read."""

    def __init__(self, stream: Readable, walker: Walker, finished: Callable[[Walked], None]) -> None:
        self._stream, self._walker, self._finished = stream, walker, finished

    def read(self, n: int, /) -> bytes:
        """:raises ToolFailed: the program failed, or the stream is not whole."""
        block = self._stream.read(n)
        if block:
            self._walker.feed(block)
        else:
            self._finished(self._walker.finish())
        return block

    def cancel(self) -> None:
        """End a read that waits."""
        cancel = getattr(self._stream, "cancel", None)
        if cancel is not None:
            cancel()

    def close(self) -> None:
        """Of the stream itself."""
        self._stream.close()
