"""The shop's server: started in a directory, filled, used, stopped."""

from __future__ import annotations

import re
import secrets
import shlex
import time
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from dbops import own_server
from dbops.errors import ConfigError, ToolFailed
from dbops.model.server import Endpoint
from dbops.passwords import Passwords
from dbops_mysql import server
from dbops_mysql.installation import Family, Installation, installations, reachable, server_user
from dbops_mysql.quoting import account, literal

if TYPE_CHECKING:
    from pymysql.connections import Connection

__all__ = ["Shop", "place", "start"]

ROOT = "root"
MAIN = "shop"
LABELS = {"mysql": "MySQL", "mariadb": "MariaDB"}
PACKAGES = {"mysql": "mysql-server-core", "mariadb": "mariadb-server and mariadb-backup"}
SETTINGS = {
    # Nothing here is worth an fsync; the health check says what that would mean elsewhere.
    "innodb-flush-log-at-trx-commit": "0",
    "sync-binlog": "0",
    "innodb-buffer-pool-size": "64M",
    "log-bin": "binlog",
    "server-id": "1",
    "performance-schema": "ON",
}
OWN_SETTINGS = {"mysql": {"plugin-load-add": "mysql_clone.so"}, "mariadb": {}}
_END = re.compile(r";\s*(?:\n|\Z)")
AGAIN = ("Address already in use", "Do you already have another")


class Shop:
    """A running shop, until it is stopped; the files stay."""

    # By three roles, one in the other.
    question = "alice", "UPDATE", "table:shop.orders"
    # It finds the session of :meth:`_sit_idle`.
    impatient = "my.trx.long"

    def __init__(self, installation: Installation, directory: Path) -> None:
        self.user = server_user()
        self.installation = reachable(installation, self.user)
        self.directory = directory
        self.datadir = directory / "data"
        self._sockets = directory / "s"
        self._passwords = Passwords(directory)
        self._idle: Connection | None = None
        self._running = self._start()

    @property
    def label(self) -> str:
        """``MariaDB 10.11.19 (PATH)``."""
        return self.installation.label

    @property
    def again(self) -> str:
        """The command that starts the server again once it was stopped, for a shell."""
        start = f"{shlex.join(self._running.argv)} 2>> {shlex.quote(str(self.directory / 'log'))} &"
        return own_server.as_typed(start, self.user)

    @property
    def tools(self) -> Path:
        """The directory of the programs of this version."""
        return self.installation.bindir

    @property
    def spec(self) -> str:
        """Who should be able to do what."""
        return _text("users.yaml")

    def endpoint(self, user: str = ROOT) -> Endpoint:
        """How dbops reaches it; the password is in a private file."""
        reference = self._passwords.reference(user)
        return Endpoint(
            engine=self.installation.family, host=own_server.LOOPBACK, port=self.port, user=user, password=reference
        )

    def fill(self) -> str:
        """Make the shop: accounts, two databases, rows, and the bad habits. Says in a line what it holds."""
        password = secrets.token_urlsafe(16)
        family = self.installation.family
        for name in ("roles", f"roles_{family}", "schema", "rows", "objects", "habits", f"habits_{family}"):
            self._execute(_text(f"{name}.sql").replace("'PASSWORD'", literal(password)))
        self._sit_idle()
        megabytes, relations, routines, accounts = self._execute(_text("summary.sql"))
        return (
            f"{megabytes} MB in 2 databases, {relations} relations, {routines} routines, {accounts} accounts and roles"
        )

    def login(self, name: str, sql: str) -> Endpoint:
        """Run ``sql``, which makes the login ``name``, as an administrator would, and give it a random password in a
        private file."""
        self._execute(sql)
        password = literal(self._passwords.new(name))
        self._execute(f"ALTER USER {account(name, '%')} IDENTIFIED BY {password} ACCOUNT UNLOCK")
        return self.endpoint(name)

    def stop(self) -> None:
        """End the server; twice is allowed."""
        if self._idle is not None:
            self._idle.close()
            self._idle = None
        self._running.stop()

    def _start(self) -> server.Running:
        self._sockets.mkdir(mode=0o700)
        own_server.hand_over(self._sockets, self.user)
        server.initialise(self.installation, self.datadir, user=self.user)
        running, self.port = own_server.on_port(self._launch, again=AGAIN)
        self._protect(running)
        return running

    def _launch(self, port: int) -> server.Running:
        return server.start(
            self.installation,
            self.datadir,
            socket_dir=self._sockets,
            log=self.directory / "log",
            port=port,
            user=self.user,
            settings={**SETTINGS, **OWN_SETTINGS[self.installation.family]},
        )

    def _protect(self, running: server.Running) -> None:
        """The administrator gets a password, and is the only one."""
        import pymysql

        password = self._passwords.new(ROOT)
        with pymysql.connect(unix_socket=str(running.socket), user=ROOT) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT Host FROM mysql.user WHERE User = 'root'")
            for (host,) in cursor.fetchall():
                verb = "ALTER USER" if host == "localhost" else "DROP USER"
                how = f" IDENTIFIED BY {literal(password)}" if host == "localhost" else ""
                cursor.execute(f"{verb} {account(ROOT, host)}{how}")

    def _sit_idle(self) -> None:
        """Somebody changed a row, went to lunch, and holds its lock."""
        self._idle = self._connect()
        self._idle.begin()
        with self._idle.cursor() as cursor:
            cursor.execute("UPDATE shop.products SET price = price + 1 WHERE id = 1")
        # The server tells the age of a transaction in whole seconds: a fast machine would look before there is one.
        time.sleep(1)

    def _execute(self, sql: str) -> tuple[object, ...]:
        """Statements, one after the other; the first row of the last one.

        Each is sent by itself: of several sent together, a trigger's or a routine's text would keep the semicolon after
        it, and a dump of that cannot be loaded.
        """
        from pymysql import Error

        row: tuple[object, ...] | None = None
        with self._connect() as connection, connection.cursor() as cursor:
            for statement in filter(None, (one.strip() for one in _END.split(sql))):
                try:
                    cursor.execute(statement)
                except Error as error:
                    raise ToolFailed(f"the demo's server refused: {error}") from None
                row = cursor.fetchone()
        return row or ()

    def _connect(self) -> Connection:
        import pymysql

        return pymysql.connect(
            host=own_server.LOOPBACK,
            port=self.port,
            user=ROOT,
            password=self._passwords.of(ROOT),
            autocommit=True,
        )


def _text(name: str) -> str:
    return files("dbops_mysql").joinpath(f"demo/{name}").read_text(encoding="utf-8")


def start(engine: str, directory: Path) -> Shop:
    """Start an empty shop in ``directory``, which is there, empty, and may be passed through by others.

    :raises ConfigError: no server of this engine is installed here.
    :raises ToolFailed: the server cannot be started, with the end of its log.
    """
    family: Family = "mariadb" if engine == "mariadb" else "mysql"
    found = installations(family=family)
    if not found:
        raise ConfigError(
            f"the demo on {LABELS[family]} needs its server, and none is installed here",
            hint=f"Install it (Debian: {PACKAGES[family]}), or name its directory in DBOPS_SERVERS.",
        )
    return Shop(found[0], directory)


def place(engine: str) -> Path:  # noqa: ARG001  the same for both
    """A directory for temporary files that the server's user can pass through."""
    return own_server.temporary_directory(server_user())
