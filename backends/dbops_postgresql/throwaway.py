"""A whole PostgreSQL server to be thrown away: the demo and the tests run on it.

Made by initdb each time (half a second), never copied from a template: copies would share one system identifier, and
whatever tells servers apart would take them for the same one.
"""

from __future__ import annotations

import atexit
import itertools
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from dbops.errors import ToolFailed
from dbops.model.server import Endpoint, Version
from dbops.plan import SecretRef
from dbops_postgresql import server
from dbops_postgresql.installation import Installation, installations, reachable, server_user, temporary_directory

__all__ = ["PostgresServer", "installations", "start"]

SUPERUSER = "postgres"
HOST = server.LOOPBACK
SETTINGS: Mapping[str, str] = {
    "fsync": "off",  # thrown away anyway
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
TAKEN = ("could not create any TCP/IP sockets", "Address already in use")
STILL_ENDING = ("pre-existing shared memory block", "lock file")


class PostgresServer:
    """Listens on the loopback address and on a private socket; SCRAM everywhere; a random superuser password.

    Settings go to a file that ``ALTER SYSTEM`` wins over. Leaving the context, or the end of the interpreter, ends the
    server and deletes its files.
    """

    def __init__(
        self,
        installation: Installation,
        settings: Mapping[str, str] | None = None,
        *,
        prefix: str = f"dbops-test-{os.getpid()}-",
    ) -> None:
        self.user = server_user()
        self.installation = reachable(installation, self.user)
        self.password = secrets.token_urlsafe(16)
        self.directory = Path(tempfile.mkdtemp(prefix=prefix, dir=temporary_directory(self.user)))
        self.datadir = self.directory / "data"
        self.socket_dir = self.directory / "s"
        self.log = self.directory / "log"
        self.port = 0
        self._running: server.Running | None = None
        self._passwords: dict[str, Path] = {}
        self._numbers = itertools.count(1)
        atexit.register(self.destroy)
        self._make({**SETTINGS, **(settings or {})})

    @property
    def version(self) -> Version:
        """Such as ``(15, 18)``."""
        return self.installation.version

    @property
    def major(self) -> int:
        """Such as 15."""
        return self.installation.major

    @property
    def bindir(self) -> Path:
        """Where the client tools of the same version are."""
        return self.installation.bindir

    @property
    def pid(self) -> int:
        """The postmaster's process id.

        :raises ToolFailed: it was not started.
        """
        return self._started().pid

    def start(self, deadline_s: float = 60) -> None:
        """Start, and wait until it accepts connections. The port is chosen by the first start and kept.

        :raises ToolFailed: with the end of the server's log.
        """
        end = time.monotonic() + deadline_s
        while True:
            port = self.port or server.free_port()
            self._running = server.start(
                self.installation,
                self.datadir,
                socket_dir=self.socket_dir,
                log=self.log,
                port=port,
                tcp=True,
                user=self.user,
            )
            try:
                self._running.wait_until_ready(max(1.0, end - time.monotonic()))
            except ToolFailed as error:
                self.kill()
                if time.monotonic() > end or not any(words in error.message for words in TAKEN + STILL_ENDING):
                    raise
                time.sleep(0.1)
            else:
                self.port = port
                return

    def stop(self, mode: server.StopMode = "fast") -> None:
        """Stop; files and port stay for the next start."""
        if self._running is not None:
            self._running.stop(mode)

    def kill(self) -> None:
        """SIGKILL the postmaster, as a power cut would."""
        if self._running is not None:
            self._running.kill()

    def send_signal(self, number: int) -> None:
        """A signal to the postmaster."""
        self._started().send_signal(number)

    def restart(self) -> None:
        """Stop when it runs, and start on the same port."""
        self.stop()
        self.start()

    def destroy(self) -> None:
        """End the server and delete its files; twice is allowed."""
        atexit.unregister(self.destroy)
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)

    def url(self, user: str = SUPERUSER, database: str = "postgres", *, password: str | None = None) -> str:
        """A SQLAlchemy URL with the password in it, for the superuser, a :meth:`login`, or the one that is given."""
        secret = self._password(user) if password is None else password
        account = f"{quote(user, safe='')}:{quote(secret, safe='')}"
        return f"postgresql://{account}@{HOST}:{self.port}/{quote(database, safe='')}"

    def endpoint(self, user: str = SUPERUSER, database: str = "postgres") -> Endpoint:
        """The same as dbops takes it; the password is in a file that only we can read."""
        reference = SecretRef(f"file:{self._passwords[user]}")
        return Endpoint(
            engine="postgresql", host=HOST, port=self.port, user=user, database=database, password=reference
        )

    def login(self, name: str, options: str = "") -> None:
        """Create a role with a random password that may log in; ``options`` such as ``IN ROLE pg_monitor``."""
        self._remember(name, secrets.token_urlsafe(16))
        secret = self._password(name)
        quoted = name.replace('"', '""')
        self.sql(f"CREATE ROLE \"{quoted}\" LOGIN PASSWORD '{secret}' {options}")

    # Any: the values of a row have the types that the driver gives them.
    def sql(self, statements: str, *, database: str = "postgres", user: str = SUPERUSER) -> list[tuple[Any, ...]]:
        """Run one or several statements, each by itself unless they say BEGIN; the rows of the last one."""
        import psycopg

        with psycopg.connect(self.url(user, database), autocommit=True) as connection:
            cursor = connection.execute(statements.encode())
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.destroy()

    def _make(self, settings: Mapping[str, str]) -> None:
        self.directory.chmod(0o711)
        self.socket_dir.mkdir(mode=0o700)
        server.hand_over(self.socket_dir, self.user)
        self._remember(SUPERUSER, self.password)
        server.initdb(self.installation, self.datadir, superuser=SUPERUSER, password=self.password, user=self.user)
        ours = self.datadir / "throwaway.conf"
        ours.write_text("".join(f"{name} = '{_escaped(value)}'\n" for name, value in settings.items()), "utf-8")
        server.hand_over(ours, self.user)
        with (self.datadir / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(f"include '{ours.name}'\n")

    def _started(self) -> server.Running:
        if self._running is None:
            raise ToolFailed(f"the server in {self.directory} was not started")
        return self._running

    def _remember(self, user: str, password: str) -> None:
        place = self.directory / f"password-{next(self._numbers)}"
        place.touch(mode=0o600)
        place.write_text(password, encoding="utf-8")
        self._passwords[user] = place

    def _password(self, user: str) -> str:
        return self._passwords[user].read_text(encoding="utf-8")


def start(installation: Installation, settings: Mapping[str, str] | None = None) -> PostgresServer:
    """A new server that is ready; it leaves nothing behind when it cannot be started."""
    one = PostgresServer(installation, settings)
    try:
        one.start()
    except BaseException:
        one.destroy()
        raise
    return one


def _escaped(value: str) -> str:
    return value.replace("'", "''")
