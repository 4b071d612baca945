"""A whole server to be thrown away: the demo and the tests run on it. What all engines have in common.

It listens on the loopback address and on a private socket, asks everybody for a password, and the administrator's is
random. Leaving the context, or the end of the interpreter, ends the server and deletes its files.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar
from urllib.parse import quote

from dbops import own_server
from dbops.errors import ToolFailed
from dbops.model.server import Endpoint
from dbops.passwords import Passwords

__all__ = ["PREFIX", "Throwaway"]

Running = TypeVar("Running", bound=own_server.OwnServer)
# With the process id of whom it belongs to; what a killed process left is known and swept by that.
PREFIX = "dbops-test-"
HOST = own_server.LOOPBACK


class Throwaway(ABC, Generic[Running]):
    """Files and life of one server.

    :param user: whom it runs as when that is not ourselves.
    :cvar administrator: the account that ``password`` is for.
    :cvar try_again: what the log says when a server could not start now, and another try may do: another port is taken
        then, as long as none was kept.
    """

    engine: str
    administrator: ClassVar[str]
    try_again: ClassVar[Sequence[str]]

    def __init__(self, user: str | None, prefix: str = "") -> None:
        self.user = user
        place = own_server.temporary_directory(user)
        self.directory = Path(tempfile.mkdtemp(prefix=prefix or f"{PREFIX}{os.getpid()}-", dir=place))
        self.datadir = self.directory / "data"
        self.socket_dir = self.directory / "s"
        self.log = self.directory / "log"
        self.port = 0
        self._running: Running | None = None
        self.passwords = Passwords(self.directory)
        atexit.register(self.destroy)
        self.directory.chmod(0o711)
        self.socket_dir.mkdir(mode=0o700)
        own_server.hand_over(self.socket_dir, user)
        self.password = self.passwords.new(self.administrator)

    @abstractmethod
    def launch(self, port: int) -> Running:
        """Start on this port; it need not be ready."""

    @property
    def running(self) -> Running:
        """The server.

        :raises ToolFailed: it was not started.
        """
        if self._running is None:
            raise ToolFailed(f"the server in {self.directory} was not started")
        return self._running

    @property
    def pid(self) -> int:
        """The server's process id.

        :raises ToolFailed: it was not started.
        """
        return self.running.pid

    def start(self, deadline_s: float = 60) -> None:
        """Start, and wait until it accepts connections. The port is chosen by the first start and kept.

        :raises ToolFailed: with the end of the server's log.
        """
        self._running, self.port = own_server.on_port(
            self._launched, again=self.try_again, port=self.port, deadline_s=deadline_s
        )

    def stop(self) -> None:
        """Stop in good order; files and port stay for the next start."""
        if self._running is not None:
            self._running.end(self._running.patient)

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self._running is not None:
            self._running.kill()

    def send_signal(self, number: int) -> None:
        """A signal to the server's first process."""
        self.running.send_signal(number)

    def restart(self) -> None:
        """Stop when it runs, and start on the same port."""
        self.stop()
        self.start()

    def destroy(self) -> None:
        """End the server and delete its files; twice is allowed."""
        atexit.unregister(self.destroy)
        if self._running is not None:
            self._running.end(self._running.hurried)
        shutil.rmtree(self.directory, ignore_errors=True)

    def address(self, user: str, database: str, password: str | None) -> str:
        """A SQLAlchemy URL with the password in it."""
        secret = self.passwords.of(user) if password is None else password
        account = f"{quote(user, safe='')}:{quote(secret, safe='')}"
        return f"{self.engine}://{account}@{HOST}:{self.port}/{quote(database, safe='')}"

    def reference(self, user: str, database: str) -> Endpoint:
        """The same as dbops takes it; the password is in a file that only we can read."""
        password = self.passwords.reference(user)
        return Endpoint(
            engine=self.engine, host=HOST, port=self.port, user=user, database=database or None, password=password
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.destroy()

    def _launched(self, port: int) -> Running:
        running = self.launch(port)
        # For a sweep, should we be killed: whom to end, and how.
        number = (*running.hurried, signal.SIGKILL)[0]
        (self.directory / "pid").write_text(f"{running.pid} {int(number)}\n", encoding="utf-8")
        return running
