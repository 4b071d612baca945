"""A server as it should be, sessions that hold and wait, and the answers of the checks through the user's own door."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pymysql
import pytest

from dbops import own_server, registry
from dbops.config import Config, Target
from dbops.model.health import CheckResult, HealthReport
from dbops.model.server import Endpoint
from dbops.operations import health
from dbops.operations.workspace import Workspace
from dbops.secrets import Secrets
from dbops.testing.lend import lent
from dbops.testing.mysql import Series
from dbops.testing.servers import Installation, ThrowawayServer
from dbops_mysql.installation import server_user

# Any: PyMySQL's connections are generic over their cursors.
Connection = Any
CAREFUL = {
    "innodb_flush_method": "O_DIRECT", "innodb_flush_log_at_trx_commit": "1", "sync_binlog": "1", "log_bin": "bin",
    "server_id": "1", "binlog_expire_logs_seconds": "604800",
}  # fmt: skip


class Clinic:
    """What every test does with a server."""

    def __init__(self, server: ThrowawayServer) -> None:
        self.server = server

    def report(
        self, login: str | Endpoint, *only: str, now: dt.datetime | None = None, **target: object
    ) -> HealthReport:
        """The checks ``only``, asked as an account or at an endpoint."""
        endpoint = self.server.endpoint(login) if isinstance(login, str) else login
        one = Target(name="here", endpoint=endpoint, **target)  # type: ignore[arg-type]  # the parts vary by test
        ws = Workspace(Config(), clock=lambda: now) if now else Workspace(Config())
        return health.check(ws, [one], only=only, timeout_s=20)

    def one(self, login: str | Endpoint, check: str, **thresholds: float) -> CheckResult:
        """The answer of one check."""
        return self.report(login, check, thresholds={check: thresholds} if thresholds else {}).checks[0]

    def login(self, name: str, jobs: tuple[str, ...] = ()) -> str:
        """An account without any right, or with those that `dbops grants` gives it."""
        self.server.login(name, host="%")  # type: ignore[call-arg]  # MySQL's throwaway servers have accounts at hosts
        if jobs:
            self.server.sql(registry.backend(self.engine).grants(jobs, name, self.server.version))
        return name

    @property
    def engine(self) -> str:
        """``mysql`` or ``mariadb``."""
        return self.server.endpoint().engine

    @contextmanager
    def session(self, *statements: str, user: str = "root", database: str = "") -> Iterator[Connection]:
        """A session that has run statements and stays where they left it."""
        endpoint = self.server.endpoint(user)
        connection = pymysql.connect(
            host=endpoint.host, port=endpoint.port or 0, user=user, password=secret(endpoint),
            database=database or None, autocommit=True, charset="utf8mb4",
        )  # fmt: skip
        number = connection.thread_id()  # type: ignore[no-untyped-call]  # PyMySQL's stubs leave it out
        try:
            for statement in statements:
                connection.query(statement)
            yield connection
        finally:
            # Ended by the server: close() would wait for a thread of the test that still waits for a lock here.
            with suppress(pymysql.MySQLError):
                self.server.sql(f"KILL {number}")
            with suppress(pymysql.MySQLError):
                connection.close()

    @contextmanager
    def waiting(self, statement: str, *before: str) -> Iterator[int]:
        """The id of a session whose statement waits for a lock."""
        with self.session(*before) as connection:
            number = int(connection.thread_id())
            thread = threading.Thread(target=_endure, args=(connection, statement), daemon=True)
            thread.start()
            try:
                self.until(lambda: bool(self._waits(number)))
                yield number
            finally:
                with suppress(pymysql.MySQLError):
                    self.server.sql(f"KILL {number}")
                thread.join(60)

    def until(self, true: Callable[[], bool], deadline_s: float = 120) -> None:
        """Wait for something. Not asked more often: INNODB_TRX is read anew only a tenth of a second after somebody
        read it last (https://dev.mysql.com/doc/refman/9.7/en/innodb-information-schema-internal-data.html), and would
        never change for who asks all the time."""
        end = time.monotonic() + deadline_s
        while not true():
            assert time.monotonic() < end, "it never came true"
            time.sleep(0.25)

    def _waits(self, number: int) -> list[tuple[Any, ...]]:
        return self.server.sql(
            f"SELECT 1 FROM information_schema.processlist WHERE id = {number} AND state LIKE 'Waiting%' UNION ALL "
            "SELECT 1 FROM information_schema.innodb_trx "
            f"WHERE trx_mysql_thread_id = {number} AND trx_state = 'LOCK WAIT'"
        )


def secret(endpoint: Endpoint) -> str:
    assert endpoint.password is not None
    return Secrets().resolve(endpoint.password)


def _endure(connection: Connection, statement: str) -> None:
    with suppress(pymysql.MySQLError):
        connection.query(statement)


@pytest.fixture(scope="session")
def certificate() -> Iterator[dict[str, str]]:
    """Settings of a server with a certificate that it signed itself, for a year."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    user = server_user()
    folder = Path(tempfile.mkdtemp(prefix="dbops-tls-", dir=own_server.temporary_directory(user)))
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    for path in (folder, pem, private):
        own_server.hand_over(path, user)
    yield {"ssl_cert": os.fspath(pem), "ssl_key": os.fspath(private), "ssl_ca": os.fspath(pem)}
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def clinic(mysql_series: Series, mysql_installation: Installation, certificate: dict[str, str]) -> Iterator[Clinic]:
    """A server as it should be, for all tests of a module: what a test spoils, it puts right again."""
    with lent(mysql_series.family, mysql_installation, {**CAREFUL, **certificate}) as server:
        server.sql("CREATE DATABASE shop; CREATE TABLE shop.orders (id bigint AUTO_INCREMENT PRIMARY KEY, n int)")
        server.sql("INSERT INTO shop.orders (n) VALUES (1), (2), (3)")
        here = Clinic(server)
        here.login("watcher", ("health",))
        here.login("plain")
        yield here


@pytest.fixture
def at() -> Callable[[CheckResult, str], dict[str, object]]:
    """The evidence about one object."""

    def find(result: CheckResult, name: str) -> dict[str, object]:
        found = [row for row in result.evidence if row["object"] == name]
        assert found, f"{name} is not among {[row['object'] for row in result.evidence]}"
        return dict(found[0])

    return find


@pytest.fixture(scope="session")
def new_clinic() -> Callable[[ThrowawayServer], Clinic]:
    """Around a private server."""
    return Clinic
