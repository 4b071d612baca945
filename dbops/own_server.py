"""A database server that dbops runs itself, for a proof, a demo or a test: whom it runs as, where it lies, how it is
watched and ended. How one is made and started is its backend's.

The server is our direct child: its end is seen at once, while programs that start servers in the background return 0
for one that then dies.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import stat
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self, TypeVar

from dbops import process
from dbops.errors import ToolFailed

__all__ = ["LOOPBACK", "OwnServer", "as_typed", "free_port", "hand_over", "on_port", "run_as", "temporary_directory"]

LOOPBACK = "127.0.0.1"
POLL_S = 0.02
LOG_LINES = 15
Running = TypeVar("Running", bound="OwnServer")


class OwnServer(ABC):
    """A server that was started here. Leaving the context stops it; so does the end of this interpreter.

    :cvar patient: signals that end it in good order, one tried after the other; SIGKILL comes after them.
    :cvar hurried: the same where nobody will look at its files again.
    :param child: the server process.
    :param log: the file that its outputs are appended to; :param log_start: how long that was before the start.
    """

    patient: ClassVar[Sequence[int]] = (signal.SIGTERM,)
    hurried: ClassVar[Sequence[int]] = ()

    def __init__(self, child: process.Child, *, datadir: Path, log: Path, log_start: int) -> None:
        self.datadir = datadir
        self.log = log
        self._child = child
        self._log_start = log_start
        _servers.append(self)

    @abstractmethod
    def accepts(self) -> bool:
        """Whether it would take a connection now; no login is made."""

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._child.pid

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that it was started by."""
        return tuple(self._child.argv)

    def poll(self) -> int | None:
        """The exit code of the server, or None while it runs."""
        return self._child.poll()

    def wait_until_ready(self, deadline_s: float = 60) -> None:
        """Until it accepts connections.

        :raises ToolFailed: it ended, or was not ready in time; with the end of its log.
        """
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            if self.poll() is not None:
                ended = process.describe(self._child.argv, self._child.wait())
                raise ToolFailed(f"{ended} while starting in {self.datadir}:\n{self.log_tail()}")
            if self.accepts():
                return
            time.sleep(POLL_S)
        raise ToolFailed(f"the server in {self.datadir} is not ready after {deadline_s:g} s:\n{self.log_tail()}")

    def log_tail(self, lines: int = LOG_LINES) -> str:
        """The last lines that this server logged since it was started."""
        try:
            text = self.log.read_bytes()[self._log_start :].decode(errors="replace")
        except OSError as error:
            return f"(its log cannot be read: {error})"
        return "\n".join(text.splitlines()[-lines:]) or "(its log is empty)"

    def send_signal(self, number: int) -> None:
        """To the server's first process."""
        self._child.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, as a power cut would; the server's own children notice and end by themselves."""
        self._child.kill()
        with suppress(ValueError):
            _servers.remove(self)

    def end(self, signals: Sequence[int], deadline_s: float = 30) -> None:
        """One signal after the other, each with this much time, then SIGKILL. Twice is allowed."""
        for number in signals:
            if self.poll() is not None:
                break
            self.send_signal(number)
            with suppress(TimeoutError):
                self._child.wait(deadline_s)
        self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(self.patient)


def run_as(product: str, users: Sequence[str]) -> str | None:
    """Whom a server that refuses to run as root must run as: None for ourselves, and for root the first of ``users``
    that this machine has.

    :raises ToolFailed: we are root and the machine has none of them.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd

    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in users:
        if name in known:
            return name
    raise ToolFailed(
        f"{product} refuses to run as root, and this machine has no user {' or '.join(users)} to run it as",
        hint="Run dbops as an ordinary user.",
    )


def as_typed(command: str, user: str | None) -> str:
    """A command for the shell of whoever runs dbops, so that it runs as ``user``."""
    return command if user is None else f"setpriv --reuid {user} --clear-groups {command}"


def temporary_directory(user: str | None) -> Path:
    """A directory for temporary files that ``user`` can pass through; short, since a socket's path has 107 bytes."""
    candidates = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108  # private ones are made in it
    for place in candidates:
        if place.is_dir() and open_to_all(place) and len(os.fspath(place)) <= 60:
            return place
    if user is None:
        return candidates[0]
    raise ToolFailed(
        f"no temporary directory is open to the user {user}, who must run the server",
        hint="Set TMPDIR to a directory that everybody can pass through, such as /tmp.",
    )


def open_to_all(place: Path) -> bool:
    """Whether everybody can pass through it and all above it."""
    return all(one.stat().st_mode & stat.S_IXOTH for one in (place.resolve(), *place.resolve().parents))


def hand_over(path: Path, user: str | None) -> None:
    """Make ``user`` the owner of ``path`` and of everything below; nothing to do for None."""
    if user is None:
        return
    import pwd

    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)
    for folder, directories, files in os.walk(path):
        for name in (*directories, *files):
            os.chown(Path(folder, name), entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def free_port() -> int:
    """A loopback port that nobody uses at this instant; somebody may before it is taken."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def on_port(
    launch: Callable[[int], Running], *, again: Sequence[str], port: int = 0, deadline_s: float = 60
) -> tuple[Running, int]:
    """A server that accepts connections, and its port.

    :param launch: starts it on a port; it need not be ready.
    :param again: what its log says when it could not start now, and another try may do.
    :param port: where it shall listen; 0: on any that is free, each try on another.
    :raises ToolFailed: with the end of the server's log.
    """
    end = time.monotonic() + deadline_s
    while True:
        tried = port or free_port()
        running = launch(tried)
        try:
            running.wait_until_ready(max(1.0, end - time.monotonic()))
        except BaseException as error:
            running.kill()
            may = isinstance(error, ToolFailed) and any(words in error.message for words in again)
            if not may or time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return running, tried


_servers: list[OwnServer] = []


@atexit.register
def _stop_all() -> None:
    for server in tuple(_servers):
        server.end(server.hurried, deadline_s=5)
