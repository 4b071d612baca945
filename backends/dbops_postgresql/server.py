"""A PostgreSQL server of our own: made, started, watched and stopped. Scratch servers and tests stand on this.

The server is our direct child, not ``pg_ctl``'s: ``pg_ctl -w start`` returns 0 for a server that then dies, while a
child's end is seen at once. It is asked over its private socket, so no other server on the same port can answer.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from dbops import process
from dbops.errors import ToolFailed
from dbops_postgresql.installation import Installation

__all__ = ["Running", "free_port", "hand_over", "initdb", "start"]

StopMode = Literal["smart", "fast", "immediate"]
SIGNALS: Mapping[StopMode, str] = {"smart": "SIGTERM", "fast": "SIGINT", "immediate": "SIGQUIT"}
LOOPBACK = "127.0.0.1"
POLL_S = 0.02
LOG_LINES = 15
# What the operator's own client settings would change in a server that is none of his.
CLEAN: Mapping[str, str | None] = {
    "PGDATA": None, "PGPORT": None, "PGHOST": None, "PGUSER": None, "PGOPTIONS": None, "LC_ALL": "C",
}  # fmt: skip


class Running:
    """A server that was started here. Leaving the context stops it; so does the end of this interpreter."""

    def __init__(
        self,
        child: process.Child,
        *,
        installation: Installation,
        datadir: Path,
        socket_dir: Path,
        port: int,
        log: Path,
        log_start: int,
    ) -> None:
        self.installation = installation
        self.datadir = datadir
        self.socket_dir = socket_dir
        self.port = port
        self.log = log
        self._child = child
        self._log_start = log_start
        _servers.append(self)

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return self._child.pid

    def poll(self) -> int | None:
        """The exit code of the postmaster, or None while it runs."""
        return self._child.poll()

    def accepts(self) -> bool:
        """Whether it would take a connection now; no login is made."""
        from psycopg import pq

        where = f"host={self.socket_dir} hostaddr='' port={self.port} dbname=postgres connect_timeout=5"
        return pq.PGconn.ping(where.encode()) == pq.Ping.OK

    def wait_until_ready(self, deadline_s: float = 60) -> None:
        """Until it accepts connections.

        :raises ToolFailed: it ended, or was not ready in time; with the end of its log.
        """
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            if self.poll() is not None:
                ended = process.describe(("postgres",), self._child.wait())
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
        """To the postmaster."""
        self._child.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, as a power cut would; the server's own children notice and end by themselves."""
        self._child.kill()
        _forget(self)

    def stop(self, mode: StopMode = "fast", deadline_s: float = 30) -> None:
        """Stop; immediately after the deadline, and by SIGKILL when that does not help. Stopping twice is allowed."""
        for number in (SIGNALS[mode], SIGNALS["immediate"]):
            if self.poll() is not None:
                break
            self.send_signal(getattr(signal, number))
            with suppress(TimeoutError):
                self._child.wait(deadline_s)
        self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def initdb(
    installation: Installation,
    datadir: Path,
    *,
    superuser: str,
    password: str,
    user: str | None = None,
    locale: str = "C",
) -> None:
    """Make a data directory: page checksums, UTF-8, SCRAM for every kind of connection.

    :param datadir: absent or empty; handed over to ``user``, who must be able to pass through its parents.
    :raises ToolFailed: with initdb's own words.
    """
    datadir.mkdir(mode=0o700, parents=True, exist_ok=True)
    hand_over(datadir, user)
    secret = datadir.with_name(f"{datadir.name}.pwfile")
    secret.touch(mode=0o600)
    try:
        secret.write_text(password + "\n", encoding="utf-8")
        hand_over(secret, user)
        process.run(
            [
                installation.tool("initdb"), "--pgdata", datadir, "--username", superuser, "--pwfile", secret,
                "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", locale,
                "--data-checksums", "--no-sync", "--no-instructions",
            ],
            env=CLEAN, user=user, timeout=120,
        ).check()  # fmt: skip
    finally:
        secret.unlink()


def start(
    installation: Installation,
    datadir: Path,
    *,
    socket_dir: Path,
    log: Path,
    port: int = 5432,
    tcp: bool = False,
    user: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> Running:
    """Start a server; it need not be ready yet.

    :param socket_dir: private to this server, reachable by ``user``, and short: a socket's path has 107 bytes.
    :param tcp: listen on the loopback address too. The port may be taken: then it ends while starting.
    :param settings: win over the configuration files; everybody on the machine can read them.
    """
    ours = {
        "port": str(port),
        "listen_addresses": LOOPBACK if tcp else "",
        "unix_socket_directories": os.fspath(socket_dir),
        "logging_collector": "off",
        "log_destination": "stderr",
    }
    argv: list[str | os.PathLike[str]] = [installation.tool("postgres"), "-D", datadir]
    for name, value in {**(settings or {}), **ours}.items():
        argv += ["-c", f"{name}={value}"]
    log_start = log.stat().st_size if log.exists() else 0
    child = process.popen(argv, env=CLEAN, user=user, cwd=socket_dir, log=log)
    return Running(
        child,
        installation=installation,
        datadir=datadir,
        socket_dir=socket_dir,
        port=port,
        log=log,
        log_start=log_start,
    )


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


_servers: list[Running] = []


def _forget(server: Running) -> None:
    with suppress(ValueError):
        _servers.remove(server)


@atexit.register
def _stop_all() -> None:
    for server in tuple(_servers):
        server.stop("immediate", deadline_s=5)
