"""Byte streams as a transfer reads them: what a program prints, what a generator yields."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from dbops import process
from dbops.errors import ToolFailed

__all__ = ["Chunks", "ToolOutput"]

PIPE_BYTES = 1 << 20


class ToolOutput:
    """What a program prints. Its end is only given when the program said that it succeeded.

    :param ended: called when it ended well, before the end is given; what it raises says that it did not.
    :param words: what it said that matters, instead of all of it.
    """

    def __init__(
        self,
        child: process.Child,
        what: str,
        ended: Callable[[], None] | None = None,
        words: Callable[[], str] | None = None,
    ) -> None:
        self._child = child
        self._what = what
        self._ended = ended
        self._words = words or child.stderr_tail
        self._pipe = cast(IO[bytes], child.stdout)
        _widen(self._pipe.fileno())

    @property
    def pid(self) -> int:
        """Of the program."""
        return self._child.pid

    def read(self, n: int, /) -> bytes:
        """:raises ToolFailed: it failed or was killed, with its last words."""
        block = self._pipe.read(n)
        if not block:
            self._judge()
        return block

    def cancel(self) -> None:
        """End the program; whoever waits for its output reads of its death."""
        if self._child.poll() is None:
            self._child.kill()

    def close(self) -> None:
        """End the program when it still runs."""
        if self._child.poll() is None:
            self._child.kill()
        self._pipe.close()

    def _judge(self) -> None:
        returncode = self._child.wait()
        self._child.stderr_tail()  # complete from now on
        said = self._words().strip()
        if returncode == 0:
            if self._ended is not None:
                self._ended()
            return
        raise ToolFailed(
            f"{self._what}: {process.describe((Path(self._child.argv[0]).name,), returncode)}: "
            f"{said or 'it said nothing'}",
            hint="Nothing of this backup is kept.",
        )


class Chunks:
    """What a generator yields."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._rest = b""

    def read(self, n: int, /) -> bytes:
        """At most ``n`` bytes; what the generator raises comes through."""
        while not self._rest:
            block = next(self._source, None)
            if block is None:
                return b""
            self._rest = block
        block, self._rest = self._rest[:n], self._rest[n:]
        return block

    def close(self) -> None:
        """Let the generator clean up."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()


def _widen(descriptor: int) -> None:
    """A pipe of 64 KiB makes both ends wait for each other; where the system allows it, a wider one."""
    if sys.platform != "linux":
        return
    import fcntl
    from contextlib import suppress

    with suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
