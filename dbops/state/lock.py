"""Single flight on one host: a lock file that the system releases when its holder dies, however it dies."""

from __future__ import annotations

import os
import platform
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from dbops.errors import Locked, OutputError

__all__ = ["exclusive", "lock"]


@contextmanager
def lock(path: Path, purpose: str) -> Generator[None]:
    """Hold ``path`` alone.

    :raises Locked: somebody else does; the message says who, since when and what for.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise OutputError(f"the lock {path} cannot be made: {error.strerror}") from None
    with file:
        if not _take(file, wait=False):
            file.seek(0)
            holder = file.read(500).decode("utf-8", "replace").strip() or "another run"
            raise Locked(f"{purpose}: {holder} is at work", hint="Wait until it has ended, then try again.")
        file.truncate(0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        file.write(f"process {os.getpid()} on {platform.node()} ({purpose}, since {since})".encode())
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
            _release(file)


@contextmanager
def exclusive(file: IO[bytes]) -> Generator[None]:
    """Wait for, and hold, the lock on an open file: for the moment that an append takes."""
    _take(file, wait=True)
    try:
        yield
    finally:
        _release(file)


def _take(file: IO[bytes], *, wait: bool) -> bool:
    try:
        import fcntl
    except ImportError:
        return _take_on_windows(file, wait=wait)
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take_on_windows(file: IO[bytes], *, wait: bool) -> bool:
    import importlib

    msvcrt = importlib.import_module("msvcrt")  # this platform's name only, unknown to type checkers elsewhere
    # Byte ranges are locked there; one far behind the end leaves the text readable for whoever is refused.
    file.seek(1 << 40)
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True


def _release(file: IO[bytes]) -> None:
    try:
        import fcntl
    except ImportError:
        return  # closing the file releases it
    fcntl.flock(file, fcntl.LOCK_UN)
