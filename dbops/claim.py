"""Whose a directory is: its owner keeps a lock on a file in it, which a killed run has lost.

The next run can thus tell what is left over from what is in use, without a process number that may be reused.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from dbops import process
from dbops.errors import Locked

__all__ = ["claimed", "remove", "sweep", "take_over"]

MARK = "owner"
END_S = 10.0
# Where servers write their process number: below their data directory, or beside their socket.
PID_FILES = ("*/postmaster.pid", "*/pid")
MOMENT_S = 0.5


@contextmanager
def claimed(path: Path) -> Generator[None]:
    """Own a directory that was just made. The owner removes it before he lets go."""
    import fcntl

    # Locked before it has its name: nobody ever sees an owner's mark without its lock.
    draft = path / f".{MARK}"
    mark = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(mark, fcntl.LOCK_EX)
        os.write(mark, f"dbops, process {os.getpid()}\n".encode())
        draft.rename(path / MARK)
        yield
    finally:
        os.close(mark)


def remove(path: Path) -> None:
    """The directory and everything in it, the owner's mark last; what cannot be removed stays."""
    with suppress(OSError):
        for one in path.iterdir():
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one, ignore_errors=True)
            elif one.name != MARK:
                one.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)


def sweep(into: Path, prefix: str) -> tuple[Path, ...]:
    """Remove what killed runs of this user left in ``into``; what a living run owns stays."""
    return tuple(path for path in into.glob(f"{prefix}*") if _abandoned(path))


def take_over(path: Path) -> None:
    """Remove what a killed run left at ``path``.

    :raises Locked: a living run owns it, or nobody says whose it is.
    """
    if path.exists() and not _abandoned(path):
        raise Locked(
            f"{path} is in use by another run",
            hint="Wait until it has ended. If there is none, remove the directory.",
            reason="locked",
        )


def _abandoned(path: Path) -> bool:
    """True when it was left over; it is gone then."""
    import fcntl

    with suppress(OSError):
        mark = os.open(path / MARK, os.O_RDWR | os.O_NOFOLLOW)
        try:
            if os.fstat(mark).st_uid == os.geteuid():
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _end_server(path)
                remove(path)
                return True
        finally:
            os.close(mark)
    return _never_begun(path)


def _never_begun(path: Path) -> bool:
    """A run that was killed between making a directory and marking it left it empty; it is gone then. One that is alive
    marks it at once, so that a moment is enough to tell."""
    for moment in (MOMENT_S, 0.0):
        try:
            if path.lstat().st_uid != os.geteuid() or any(one.name != f".{MARK}" for one in path.iterdir()):
                return False
        except OSError:
            return False
        time.sleep(moment)
    remove(path)
    return not path.exists()


def _end_server(path: Path) -> None:
    pid = _server_pid(path)
    for number in (signal.SIGQUIT, signal.SIGKILL):
        end = time.monotonic() + END_S
        if pid is None or not _runs(pid, path):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        while time.monotonic() < end and _runs(pid, path):
            time.sleep(0.1)


def _server_pid(path: Path) -> int | None:
    """Of a server that runs on a directory below ``path``; the number in its file may be somebody else's by now."""
    for file in (file for pattern in PID_FILES for file in path.glob(pattern)):
        with suppress(OSError, ValueError, IndexError):
            pid = int(file.read_text(encoding="utf-8").splitlines()[0])
            if _runs(pid, path):
                return pid
    return None


def _runs(pid: int, path: Path) -> bool:
    """Whether this process works below ``path``. One that ended, and that nobody has waited for, has no arguments."""
    return os.fspath(path) in process.run(["ps", "-o", "command=", "-p", str(pid)], timeout=10).stdout
