"""A MySQL or MariaDB server of our own: made, started, watched and stopped. Scratch servers and tests stand on this.

It listens on a socket in a private directory, and on the loopback address only where that is asked for. No option file
of the machine is read. Nothing runs in it by itself: no event, no replica, whatever the data directory says.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dbops import own_server, process
from dbops.errors import ToolFailed
from dbops_mysql.installation import Family, Installation

__all__ = ["Running", "initialise", "start"]

# Variables by which the operator's own settings would reach a server that is none of his.
CLEAN: Mapping[str, str | None] = {
    "MYSQL_HOME": None, "MYSQL_TCP_PORT": None, "MYSQL_UNIX_PORT": None, "MYSQL_GROUP_SUFFIX": None,
    "MYSQL_TEST_LOGIN_FILE": None, "MYSQLD_BOOTSTRAP": None, "LC_ALL": "C",
}  # fmt: skip
QUIET: Mapping[Family, Mapping[str, str]] = {
    # "loose": the two names are one option before and after 8.0.26, and neither version knows the other's.
    "mysql": {"mysqlx": "OFF", "loose-skip-replica-start": "ON", "loose-skip-slave-start": "ON"},
    "mariadb": {"skip-slave-start": "ON"},
}
SOCKET_BYTES = 107
GREETING_S = 5


class Running(own_server.OwnServer):
    """A server that was started here. Leaving the context stops it; so does the end of this interpreter.

    :param port: None when it listens on its socket alone.
    """

    def __init__(
        self,
        child: process.Child,
        *,
        installation: Installation,
        datadir: Path,
        socket: Path,
        port: int | None,
        log: Path,
        log_start: int,
    ) -> None:
        super().__init__(child, datadir=datadir, log=log, log_start=log_start)
        self.installation = installation
        self.socket = socket
        self.port = port

    def accepts(self) -> bool:
        """Whether it would take a connection now; no login is made.

        The socket takes connections long before they are served, so its greeting is waited for.
        """
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(GREETING_S)
                probe.connect(os.fspath(self.socket))
                return len(probe.recv(5)) == 5
        except OSError:
            return False

    def stop(self, deadline_s: float = 60) -> None:
        """Shut down in good order; by SIGKILL after the deadline. Stopping twice is allowed."""
        self.end(self.patient, deadline_s)


INITIALISE: Mapping[Family, Callable[[Installation], tuple[str | os.PathLike[str], ...]]] = {
    "mysql": lambda one: (one.server, "--no-defaults", "--initialize-insecure"),
    "mariadb": lambda one: (
        one.tool("mariadb-install-db"), "--no-defaults", "--auth-root-authentication-method=normal",
        "--skip-test-db", "--skip-name-resolve",
    ),
}  # fmt: skip


def initialise(
    installation: Installation,
    datadir: Path,
    *,
    user: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Make a data directory. ``root`` has no password there: it is to be reached by a private socket alone until it
    has one, and MariaDB's is made for three more hosts than ``localhost``.

    Here as in :func:`start` its temporary directory is its own: a server that starts removes every temporary table that
    it finds there, those of other servers too.

    :param datadir: absent or empty; handed over to ``user``, who must be able to pass through its parents.
    :param settings: of the server, those that are built into a data directory, such as ``innodb_page_size``.
    :raises ToolFailed: with the program's own words, or because there are files (MariaDB would leave them and succeed).
    """
    datadir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(datadir.iterdir()):
        raise ToolFailed(f"no data directory can be made in {datadir}: it is not empty")
    own_server.hand_over(datadir, user)
    argv: list[str | os.PathLike[str]] = [*INITIALISE[installation.family](installation)]
    with tempfile.TemporaryDirectory(prefix="dbops-init-", dir=own_server.temporary_directory(user)) as tmpdir:
        own_server.hand_over(Path(tmpdir), user)
        argv += [f"--datadir={datadir}", *_options(settings or {}), f"--tmpdir={tmpdir}"]
        process.run(argv, env=CLEAN, user=user, cwd=datadir, timeout=300).check()


def start(
    installation: Installation,
    datadir: Path,
    *,
    socket_dir: Path,
    log: Path,
    port: int | None = None,
    user: str | None = None,
    settings: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
) -> Running:
    """Start a server on a data directory that is there; it need not be ready yet.

    :param socket_dir: private to this server, reachable by ``user``, and short: a socket's path has 107 bytes.
    :param port: listen there on the loopback address too. It may be taken: then the server ends while starting.
    :param settings: ``{"innodb_page_size": "8k"}``; they win over what keeps the server quiet, not over where it lies.
        Everybody on the machine can read them.
    :param options: further options as they are.
    :raises ToolFailed: the path of the socket is too long, or the program cannot be started.
    """
    place = socket_dir / "s.sock"
    if len(os.fsencode(place)) > SOCKET_BYTES:
        raise ToolFailed(
            f"the path of a socket has at most {SOCKET_BYTES} bytes, and {place} is longer",
            hint="Set TMPDIR to a shorter path, such as /tmp.",
        )
    quiet = {"event-scheduler": "OFF", "secure-file-priv": "", **QUIET[installation.family]}
    tmpdir = socket_dir / "tmp"
    tmpdir.mkdir(mode=0o700, exist_ok=True)
    own_server.hand_over(tmpdir, user)
    where = {
        "datadir": os.fspath(datadir), "socket": os.fspath(place), "pid-file": os.fspath(socket_dir / "pid"),
        "tmpdir": os.fspath(tmpdir),
    }  # fmt: skip
    if port is None:
        network = {"skip-networking": "ON"}
    else:
        network = {"skip-networking": "OFF", "bind-address": own_server.LOOPBACK, "port": str(port)}
    argv: list[str | os.PathLike[str]] = [
        installation.server, "--no-defaults",
        *_options(quiet), *_options(settings or {}), *options, *_options(where | network),
    ]  # fmt: skip
    # One that was killed left them, with a process number that somebody else may have by now.
    for name in (place.name, f"{place.name}.lock"):
        (socket_dir / name).unlink(missing_ok=True)
    log_start = log.stat().st_size if log.exists() else 0
    child = process.popen(argv, env=CLEAN, user=user, cwd=socket_dir, log=log)
    return Running(
        child,
        installation=installation,
        datadir=datadir,
        socket=place,
        port=port,
        log=log,
        log_start=log_start,
    )


def _options(settings: Mapping[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in settings.items()]
