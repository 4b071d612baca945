"""Simulated servers of SQL Server that a test scripts, spoken to by the real drivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dbops.config import Config
from dbops.model.server import Endpoint
from dbops.operations.workspace import Workspace
from dbops.plan import SecretRef
from dbops.session import SqlReader, SqlWriter, connect, writer
from dbops.state import State
from dbops.testing.missing import missing
from dbops.testing.mssql import MssqlServer, Simulate
from dbops_mssql import backend
from tests.live.mssql.backup_shop import Shop
from tests.live.mssql.people import FIRST, SECOND
from tests.simulators.mssql import certificate, media
from tests.simulators.mssql.certificate import Certificate
from tests.simulators.mssql.scripted import PASSWORD, USER, Scripted
from tests.simulators.mssql.server import Server
from tests.simulators.mssql.tds.conversation import Manners

HERE = Path(__file__).parent
FREETDS = sorted(Path("/usr/lib").glob("*/odbc/libtdsodbc.so"))
TRUSTED = {"TrustServerCertificate": "yes"}


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Signed by itself."""
    return certificate.make(tmp_path_factory.mktemp("certificate"))


class Place:
    """A scripted engine, the server before it, and ways to it."""

    def __init__(self, engine: Scripted, server: Server) -> None:
        self.engine = engine
        self.server = server

    def endpoint(self, *, scheme: str = "mssql", host: str = "127.0.0.1", **options: str) -> Endpoint:
        """Without options the certificate is trusted; an empty one is none."""
        return Endpoint(
            engine=scheme,
            host=host,
            port=self.server.port,
            user=USER,
            password=SecretRef("env:SCRIPTED"),
            options={name: value for name, value in (options or TRUSTED).items() if value},
        )

    def reader(self, password: str = PASSWORD, timeout_s: float = 30, **how: str) -> AbstractContextManager[SqlReader]:
        return connect(backend, self.endpoint(**how), resolve=lambda _ref: password, timeout_s=timeout_s)

    def writer(self, **how: str) -> AbstractContextManager[SqlWriter]:
        return writer(backend, self.endpoint(**how), resolve=lambda _ref: PASSWORD, timeout_s=30)


Start = Callable[..., Place]


@pytest.fixture
def scripted(certified: Certificate) -> Iterator[Start]:
    """``scripted({"pattern": answers}, encryption=…)``: a server of this test."""
    with ExitStack() as stack:
        # Any: the fields of Manners have each its own type.
        def start(says: Any = None, **manners: Any) -> Place:
            engine = Scripted(says)
            return Place(engine, stack.enter_context(Server(engine, certified, Manners(**manners))))

        yield start


@pytest.fixture
def freetds() -> str:
    """The library of FreeTDS' ODBC driver."""
    if not FREETDS:
        missing("freetds", "FreeTDS' ODBC driver (Debian's tdsodbc)")
    return str(FREETDS[0])


@pytest.fixture(scope="module")
def pair(
    mssql_driver: None, mssql_simulator: Simulate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[MssqlServer]]:
    """Two simulated instances that see the same media, which these tests look at and spoil, wherever they run."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(mssql_simulator(tmp_path_factory.mktemp(name), name=name))
            for name in ("PRIMARY", "PROOF")
        ]
        media.share(servers[0].instance, servers[1].instance)
        yield servers


@pytest.fixture
def shop(pair: list[MssqlServer], tmp_path: Path) -> Iterator[Shop]:
    yield Shop(pair[0], pair[1], tmp_path)
    for server in pair:
        server.instance.offset = timedelta()
        for number in [number for number in server.instance.state.databases if number > 4]:
            del server.instance.state.databases[number]
        for login in server.logins():
            server.sql(f"DROP LOGIN [{login}]")
    media.forget(*(server.instance for server in pair))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Also what is scripted is about SQL Server."""
    if item.path.is_relative_to(HERE):
        item.add_marker("on_mssql")


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Without a configuration; with the passwords of :mod:`tests.live.mssql.people` at hand."""
    monkeypatch.setenv("FIRST", FIRST)
    monkeypatch.setenv("SECOND", SECOND)
    return Workspace(Config(), state=State(tmp_path / "state", clock=lambda: datetime.now(UTC)))
