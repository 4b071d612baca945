"""A whole server to be thrown away: the demo and the tests run on it. What all engines have in common.

It listens on the loopback address and on a private socket, asks everybody for a password, and the administrator's is
random. Leaving the context, or the end of the interpreter, ends the server and deletes its files.
"""

from __future__ import annotations

import atexit
import itertools
import os
import secrets
import shutil
import signal
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar
from urllib.parse import quote

from dbops import own_server
from dbops.errors import ToolFailed
from dbops.model.server import Endpoint
from dbops.plan import SecretRef

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
        self.password = secrets.token_urlsafe(16)
        place = own_server.temporary_directory(user)
        self.directory = Path(tempfile.mkdtemp(prefix=prefix or f"{PREFIX}{os.getpid()}-", dir=place))
        self.datadir = self.directory / "data"
        self.socket_dir = self.directory / "s"
        self.log = self.directory / "log"
        self.port = 0
        self._running: Running | None = None
        self._passwords: dict[str, Path] = {}
        self._numbers = itertools.count(1)
        atexit.register(self.destroy)
        self.directory.chmod(0o711)
        self.socket_dir.mkdir(mode=0o700)
        own_server.hand_over(self.socket_dir, user)
        self.remember(self.administrator, self.password)

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
        end = time.monotonic() + deadline_s
        while True:
            port = self.port or own_server.free_port()
            self._running = self.launch(port)
            self._note(self._running)
            try:
                self._running.wait_until_ready(max(1.0, end - time.monotonic()))
            except ToolFailed as error:
                self.kill()
                if time.monotonic() > end or not any(words in error.message for words in self.try_again):
                    raise
                time.sleep(0.1)
            else:
                self.port = port
                return

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
        secret = self.secret(user) if password is None else password
        account = f"{quote(user, safe='')}:{quote(secret, safe='')}"
        return f"{self.engine}://{account}@{HOST}:{self.port}/{quote(database, safe='')}"

    def reference(self, user: str, database: str) -> Endpoint:
        """The same as dbops takes it; the password is in a file that only we can read."""
        password = SecretRef(f"file:{self._passwords[user]}")
        return Endpoint(
            engine=self.engine, host=HOST, port=self.port, user=user, database=database or None, password=password
        )

    def remember(self, user: str, password: str) -> None:
        """Keep a password where only we can read it."""
        place = self.directory / f"password-{next(self._numbers)}"
        place.touch(mode=0o600)
        place.write_text(password, encoding="utf-8")
        self._passwords[user] = place

    def secret(self, user: str) -> str:
        """The password of an account that was made here."""
        return self._passwords[user].read_text(encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.destroy()

    def _note(self, running: Running) -> None:
        # For a sweep, should we be killed: whom to end, and how.
        number = (*running.hurried, signal.SIGKILL)[0]
        (self.directory / "pid").write_text(f"{running.pid} {int(number)}\n", encoding="utf-8")
