"""A whole PostgreSQL server to be thrown away: the demo and the tests run on it.

Made by initdb each time (half a second), never copied from a template: copies would share one system identifier, and
whatever tells servers apart would take them for the same one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from dbops.model.server import Endpoint, Version
from dbops.own_server import hand_over
from dbops.throwaway import Throwaway
from dbops_postgresql import installation as programs
from dbops_postgresql import server
from dbops_postgresql.installation import Installation
from dbops_postgresql.quoting import identifier

__all__ = ["PostgresServer", "installations", "start"]

SUPERUSER = "postgres"
SETTINGS: Mapping[str, str] = {
    "fsync": "off",  # thrown away anyway
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


class PostgresServer(Throwaway[server.Running]):
    """SCRAM everywhere. Settings go to a file that ``ALTER SYSTEM`` wins over."""

    engine = "postgresql"
    administrator: ClassVar[str] = SUPERUSER
    try_again: ClassVar[Sequence[str]] = (
        "could not create any TCP/IP sockets",
        "Address already in use",
        # One that was killed is still ending.
        "pre-existing shared memory block",
        "lock file",
    )

    def __init__(
        self, installation: Installation, settings: Mapping[str, str] | None = None, *, prefix: str = ""
    ) -> None:
        super().__init__(programs.server_user(), prefix)
        self.installation = programs.reachable(installation, self.user)
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

    def launch(self, port: int) -> server.Running:
        """Start on this port; it need not be ready."""
        return server.start(
            self.installation,
            self.datadir,
            socket_dir=self.socket_dir,
            log=self.log,
            port=port,
            tcp=True,
            user=self.user,
        )

    def url(self, user: str = SUPERUSER, database: str = "postgres", *, password: str | None = None) -> str:
        """A SQLAlchemy URL with the password in it, for the superuser, a :meth:`login`, or the one that is given."""
        return self.address(user, database, password)

    def endpoint(self, user: str = SUPERUSER, database: str = "postgres") -> Endpoint:
        """The same as dbops takes it; the password is in a file that only we can read."""
        return self.reference(user, database)

    def login(self, name: str, options: str = "") -> None:
        """Create a role with a random password that may log in; ``options`` such as ``IN ROLE pg_monitor``."""
        self.sql(f"CREATE ROLE {identifier(name)} LOGIN PASSWORD '{self.passwords.new(name)}' {options}")

    # Any: the values of a row have the types that the driver gives them.
    def sql(self, statements: str, *, database: str = "postgres", user: str = SUPERUSER) -> list[tuple[Any, ...]]:
        """Run one or several statements, each by itself unless they say BEGIN; the rows of the last one."""
        import psycopg

        with psycopg.connect(self.url(user, database), autocommit=True) as connection:
            cursor = connection.execute(statements.encode())
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def create_database(self, name: str) -> None:
        """An empty one."""
        self.sql(f"CREATE DATABASE {identifier(name)}")

    def drop_database(self, name: str) -> None:
        """Whoever is connected to it; it need not be there."""
        self.sql(f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)")

    def accounts(self) -> frozenset[str]:
        """Roles of every kind."""
        return frozenset(row[0] for row in self.sql("SELECT rolname FROM pg_roles"))

    def drop_accounts(self, names: Collection[str]) -> None:
        """With what they own in the database ``postgres``, and what they were granted."""
        quoted = [identifier(name) for name in sorted(names)]
        if quoted:
            # One DROP for all: roles that granted memberships to each other cannot go one by one.
            owned = "; ".join(f"DROP OWNED BY {name} CASCADE" for name in quoted)
            self.sql(f"{owned}; DROP ROLE {', '.join(quoted)}")

    def _make(self, settings: Mapping[str, str]) -> None:
        server.initdb(self.installation, self.datadir, superuser=SUPERUSER, password=self.password, user=self.user)
        ours = self.datadir / "throwaway.conf"
        ours.write_text("".join(f"{name} = '{_escaped(value)}'\n" for name, value in settings.items()), "utf-8")
        hand_over(ours, self.user)
        with (self.datadir / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(f"include '{ours.name}'\n")


def installations(engine: str = "postgresql") -> tuple[Installation, ...]:  # noqa: ARG001  # there is one here
    """Every PostgreSQL server that this machine could start, the newest first."""
    return programs.installations()


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
