"""SQL Server for tests: a real one where there is one, else a simulator that speaks its protocol.

Fixtures: ``mssql`` (a server shared by the session), ``mssql_database`` (a new database on it, dropped afterwards with
the logins that the test made), ``private_mssql`` (a function that makes instances for one test:
``private_mssql(version="13.0.7000.1", engine_edition=8)``).

``DBOPS_TEST_MSSQL_URL=mssql://sa:secret@host/?TrustServerCertificate=yes`` names the real server, which ``mssql`` then
is. Without it, the fixture ``mssql_simulator`` is asked, which a project that has a simulator overrides. A test that
plays with the simulator's own insides asks for ``private_mssql``, or for ``mssql_driver`` and the simulator itself.
"""

from __future__ import annotations

import itertools
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import pytest

from dbops.errors import ConfigError
from dbops.model.server import Endpoint
from dbops.passwords import Passwords
from dbops.plan import SecretRef
from dbops.testing.lend import new_name
from dbops.testing.missing import missing

__all__ = ["MssqlDatabase", "MssqlServer", "PrivateMssql", "Simulate"]

VARIABLE = "DBOPS_TEST_MSSQL_URL"
FIXTURES = {"mssql", "private_mssql", "mssql_driver"}
_LOGINS = """
SELECT name FROM sys.server_principals
WHERE type IN ('S', 'U', 'G') AND principal_id > 1
    AND name NOT LIKE N'##%' AND name NOT LIKE N'NT %' AND name NOT LIKE N'BUILTIN%'
"""


class MssqlServer:
    """A server that tests may use: real or simulated.

    :param address: whom and how to reach: an administrator.
    :param instance: the model behind a simulated one (Any: its class belongs to whoever has the simulator), else None.
    """

    def __init__(self, address: Endpoint, password: str, directory: Path, instance: Any = None) -> None:
        self.address = address
        self.instance = instance
        self._passwords = Passwords(directory)
        self.administrator = address.user or "sa"
        self.remember(self.administrator, password)

    def remember(self, login: str, password: str) -> None:
        """What ``url`` and ``endpoint`` say for a login."""
        self._passwords.keep(login, password)

    def endpoint(self, user: str = "", database: str | None = None) -> Endpoint:
        """As dbops takes it, the password being a reference to a private file."""
        login = user or self.administrator
        return Endpoint(
            engine=self.address.engine,
            host=self.address.host,
            port=self.address.port,
            user=login,
            database=database,
            password=self._passwords.reference(login),
            options=self.address.options,
        )

    def url(self, user: str = "", database: str = "", *, password: str | None = None) -> str:
        """With the password in it."""
        login = user or self.administrator
        word = self._passwords.of(login) if password is None else password
        port = f":{self.address.port}" if self.address.port else ""
        where = f"{self.address.host}{port}/{quote(database, safe='')}"
        return f"mssql://{quote(login, safe='')}:{quote(word, safe='')}@{where}?{urlencode(self.address.options)}"

    # Any: the values of a row have the types that the driver gives them.
    def sql(self, *statements: str, database: str | None = None, user: str = "") -> list[tuple[Any, ...]]:
        """Run batches one after the other; the rows of the last one."""
        from dbops import registry, session

        login = user or self.administrator
        found: list[tuple[Any, ...]] = []
        with session.writer(
            registry.backend("mssql"),
            self.endpoint(login, database),
            resolve=lambda _ref: self._passwords.of(login),
            timeout_s=30,
        ) as writer:
            for statement in statements:
                found = writer.tuples(statement)
        return found

    def login(self, name: str) -> None:
        """A login with a random password, which ``url`` and ``endpoint`` then know."""
        password = f"{secrets.token_urlsafe(16)}aA1!"
        self.sql(f"CREATE LOGIN {_bracketed(name)} WITH PASSWORD = N'{password}'")
        self.remember(name, password)

    def logins(self) -> frozenset[str]:
        """Of people, those that the server came with left out."""
        return frozenset(str(name) for (name,) in self.sql(_LOGINS))

    def create_database(self, name: str) -> None:
        """An empty one."""
        self.sql(f"CREATE DATABASE {_bracketed(name)}")

    def drop_database(self, name: str) -> None:
        """It need not be there; whoever is connected is thrown out."""
        name_ = _bracketed(name)
        if (name,) in self.sql("SELECT name FROM sys.databases"):
            self.sql(f"ALTER DATABASE {name_} SET SINGLE_USER WITH ROLLBACK IMMEDIATE", f"DROP DATABASE {name_}")


class MssqlDatabase:
    """One database on a server."""

    def __init__(self, server: MssqlServer, name: str) -> None:
        self.server = server
        self.name = name

    def endpoint(self, user: str = "") -> Endpoint:
        """As dbops takes it."""
        return self.server.endpoint(user, self.name)

    def url(self, user: str = "") -> str:
        """With the password in it."""
        return self.server.url(user, self.name)

    # Any: the values of a row have the types that the driver gives them.
    def sql(self, *statements: str, user: str = "") -> list[tuple[Any, ...]]:
        """Run batches here; the rows of the last one."""
        return self.server.sql(*statements, database=self.name, user=user)


class Simulate(Protocol):
    """Makes a simulated server; ``settings`` are those of its model."""

    def __call__(self, directory: Path, **settings: object) -> AbstractContextManager[MssqlServer]: ...


PrivateMssql = Callable[..., MssqlServer]
"""Makes a simulated server for one test."""


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line("markers", "on_mssql: set here, on tests that need SQL Server or its simulator; for -m")


def pytest_itemcollected(item: pytest.Item) -> None:
    """``-m on_mssql``, ``-m 'not on_mssql'``."""
    if FIXTURES & set(getattr(item, "fixturenames", ())):
        item.add_marker("on_mssql")


@pytest.fixture(scope="session")
def mssql_simulator() -> Simulate | None:
    """None: dbops as it is installed has no simulator."""
    return None


@pytest.fixture(scope="session")
def mssql_driver() -> None:
    """A driver that connects; the test is skipped, or fails where SQL Server is required, when there is none."""
    from dbops import registry

    anywhere = Endpoint(engine="mssql", options={"TrustServerCertificate": "yes"})
    try:
        registry.backend("mssql").session(anywhere, read_only=True, timeout_s=1)
    except ConfigError as error:
        missing("mssql", f"SQL Server ({error.message})")


@pytest.fixture(scope="session")
def mssql(mssql_driver: None, mssql_simulator: Simulate | None) -> Iterator[MssqlServer]:  # noqa: ARG001
    """A server shared by all tests of the session (of the worker): leave nothing on it."""
    with tempfile.TemporaryDirectory(prefix="dbops-mssql-") as directory:
        if os.environ.get(VARIABLE):
            yield _real(os.environ[VARIABLE], Path(directory))
            return
        with _simulate(mssql_simulator)(Path(directory)) as server:
            yield server


@pytest.fixture
def mssql_database(mssql: MssqlServer) -> Iterator[MssqlDatabase]:
    """A new empty database. It and the logins that were made meanwhile are dropped afterwards."""
    before = mssql.logins()
    name = new_name()
    mssql.create_database(name)
    yield MssqlDatabase(mssql, name)
    mssql.drop_database(name)
    for login in mssql.logins() - before:
        mssql.sql(f"DROP LOGIN {_bracketed(login)}")


@pytest.fixture
def private_mssql(
    mssql_driver: None,  # noqa: ARG001
    mssql_simulator: Simulate | None,
    tmp_path: Path,
) -> Iterator[PrivateMssql]:
    """``private_mssql(version="13.0.7000.1")``: a simulated server for this test, to be set up and broken freely."""
    with ExitStack() as stack:
        numbers = itertools.count(1)

        def make(**settings: object) -> MssqlServer:
            directory = tmp_path / f"mssql-{next(numbers)}"
            directory.mkdir()
            return stack.enter_context(_simulate(mssql_simulator)(directory, **settings))

        yield make


def _simulate(simulator: Simulate | None) -> Simulate:
    if simulator is None:
        missing("mssql", f"SQL Server ({VARIABLE} names none)")
    return simulator


def _real(url: str, directory: Path) -> MssqlServer:
    from dbops.url import parse_url

    kept: list[str] = []

    def keep(password: str) -> SecretRef:
        kept.append(password)
        return SecretRef("env:NONE")

    endpoint, _ = parse_url(url, keep, VARIABLE)
    if not kept or not endpoint.user:
        raise ConfigError(f"{VARIABLE} wants a login with its password")
    return MssqlServer(endpoint, kept[0], directory)


def _bracketed(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"
