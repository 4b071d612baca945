"""One dump of several databases as a stream for each: its tables and programs, and later its views.

A dump program that is given several databases writes the views of all of them after the tables of all, since a view may
read another database. The text between is plain: one line names the database that follows, the next says USE. Names are
known beforehand and come in their order; a stored program that holds such lines itself is found by what comes too early
or too often, and refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dbops.errors import ToolFailed
from dbops_mysql.quoting import identifier

__all__ = ["Part", "Splitter"]

BLOCK = 1 << 20
BEGIN = b"\n--\n-- Current Database: "
VIEW = b"\n-- Final view structure for view "
FOOTER = b"\n-- Dump completed"
WHOLE = b"\n-- dbops: this stream is whole.\n"
FOOTER_BYTES = 4096
# MySQL keeps the semicolon at the end of a trigger or event that came as one of several statements, and its dump
# program then writes what no client can load: the comment is cut in two at that semicolon (seen on 9.7). Rows hold no
# line ends.
MENDED = {b"; */;;\n": b" */;;\n", b"; */ ;;\n": b" */ ;;\n"}


class Part:
    """The stream of one database. ``read`` gives what follows until the next one begins."""

    def __init__(self, splitter: Splitter, database: str, *, views: bool) -> None:
        self.database, self.views = database, views
        self._splitter = splitter
        self._pending = splitter.header
        self._ended = False

    def read(self, n: int, /) -> bytes:
        """At most about ``n`` bytes."""
        if not self._pending and not self._ended:
            block = self._splitter.next_block()
            self._ended = not block
            self._pending = block or WHOLE
        block, self._pending = self._pending[:n], self._pending[n:]
        return block


class Splitter:
    """Cuts what ``read`` gives, whose end says that the program succeeded.

    :param names: the databases in the order in which the program was given them.
    """

    def __init__(self, read: Callable[[int], bytes], names: Sequence[str]) -> None:
        self._read = read
        self._names = tuple(names)
        self._marks = [_mark(name) for name in names]
        self._reach = max(map(len, self._marks), default=0)
        self._buffer = b""
        self._at = 0
        self._over = False
        self._tail = b""
        self._line = 0
        self.header = b""
        self.largest = 0
        """Bytes of the longest line so far, to within a block: a statement is one line, save those of programs."""

    def parts(self) -> Iterator[Part]:
        """Each must be read to its end before the next is asked for. Views come after all else, where there are any.

        :raises ToolFailed: the text is not what it should be, or its end is missing.
        """
        self.header = self._until_next()
        for name in self._names:
            yield Part(self, name, views=False)
        if self.seen_views:
            for name in self._names:
                text = self._until_next()
                if VIEW in text:
                    yield _Text(self.header + text + WHOLE, name)
        self._check_end()

    @property
    def seen_views(self) -> bool:
        """Whether the second round, that of views, was there."""
        return self._at > len(self._names)

    def next_block(self) -> bytes:
        """What belongs to the present part; empty at its end."""
        while True:
            found = self._buffer.find(BEGIN)
            if found == 0:
                return self._pass_mark()
            if found > 0:
                return self._take(found)
            kept = 0 if self._over else len(BEGIN) - 1
            if self._over or len(self._buffer) > kept:
                return self._take(len(self._buffer) - kept)
            self._fill()

    def _until_next(self) -> bytes:
        pieces: list[bytes] = []
        while block := self.next_block():
            pieces.append(block)
        return b"".join(pieces)

    def _take(self, size: int) -> bytes:
        block, self._buffer = self._buffer[:size], self._buffer[size:]
        self._tail = (self._tail + block[-FOOTER_BYTES:])[-FOOTER_BYTES:]
        self._measure(block)
        return block

    def _measure(self, block: bytes) -> None:
        """Lines inside of a block are not looked at: only the first and the last can be longer than it."""
        first, last = block.find(b"\n"), block.rfind(b"\n")
        if first < 0:
            self._line += len(block)
        else:
            self.largest = max(self.largest, self._line + first, last - first)
            self._line = len(block) - last - 1
        self.largest = max(self.largest, self._line)

    def _fill(self) -> None:
        block = self._read(BLOCK)
        self._over = not block
        # What is kept of the block before is longer than the words that are looked for here.
        self._buffer += block
        for broken, mended in MENDED.items():
            self._buffer = self._buffer.replace(broken, mended)

    def _pass_mark(self) -> bytes:
        while len(self._buffer) < self._reach and not self._over:
            self._fill()
        expected = self._marks[self._at % len(self._marks)] if self._at < 2 * len(self._marks) else b"\0"
        if not self._buffer.startswith(expected):
            raise _confusing()
        self._buffer = self._buffer[len(expected) :]
        self._at += 1
        return b""

    def _check_end(self) -> None:
        if not self._over or self._at not in (len(self._names), 2 * len(self._names)):
            raise _confusing()
        if FOOTER not in self._tail:
            raise ToolFailed(
                "the dump ends without its last line, `-- Dump completed`: it is not whole",
                hint="Nothing of this backup is kept.",
            )


class _Text(Part):
    """A stream that is there already."""

    def __init__(self, text: bytes, database: str) -> None:
        self.database, self.views = database, True
        self._pending = text

    def read(self, n: int, /) -> bytes:
        """At most ``n`` bytes."""
        block, self._pending = self._pending[:n], self._pending[n:]
        return block


def _mark(name: str) -> bytes:
    quoted = identifier(name).encode()
    return BEGIN + quoted + b"\n--\n\nUSE " + quoted + b";\n"


def _confusing() -> ToolFailed:
    return ToolFailed(
        "the dump cannot be told apart by databases: it names one where another was expected",
        hint="Does a stored program hold the lines `-- Current Database:` and `USE` of a dump? Nothing is kept.",
    )
