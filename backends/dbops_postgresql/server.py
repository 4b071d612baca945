"""A PostgreSQL server of our own: made, started, watched and stopped. Scratch servers and tests stand on this.

The server is our direct child, not ``pg_ctl``'s: ``pg_ctl -w start`` returns 0 for a server that then dies, while a
child's end is seen at once. It is asked over its private socket, so no other server on the same port can answer.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from dbops import process
from dbops.own_server import LOOPBACK, OwnServer, hand_over
from dbops_postgresql.installation import Installation

__all__ = ["Running", "initdb", "start"]

StopMode = Literal["smart", "fast", "immediate"]
SIGNALS: Mapping[StopMode, str] = {"smart": "SIGTERM", "fast": "SIGINT", "immediate": "SIGQUIT"}
# What the operator's own client settings would change in a server that is none of his.
CLEAN: Mapping[str, str | None] = {
    "PGDATA": None, "PGPORT": None, "PGHOST": None, "PGUSER": None, "PGOPTIONS": None, "LC_ALL": "C",
}  # fmt: skip


class Running(OwnServer):
    """A server that was started here. Leaving the context stops it; so does the end of this interpreter."""

    patient = (signal.SIGINT, signal.SIGQUIT)
    hurried = (signal.SIGQUIT,)

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
        super().__init__(child, datadir=datadir, log=log, log_start=log_start)
        self.installation = installation
        self.socket_dir = socket_dir
        self.port = port

    def accepts(self) -> bool:
        """Whether it would take a connection now; no login is made."""
        from psycopg import pq

        where = f"host={self.socket_dir} hostaddr='' port={self.port} dbname=postgres connect_timeout=5"
        return pq.PGconn.ping(where.encode()) == pq.Ping.OK

    def stop(self, mode: StopMode = "fast", deadline_s: float = 30) -> None:
        """Stop; immediately after the deadline, and by SIGKILL when that does not help. Stopping twice is allowed."""
        self.end([getattr(signal, SIGNALS[mode]), *self.hurried], deadline_s)


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
