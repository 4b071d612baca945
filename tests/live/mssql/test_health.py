"""The questions of health through Microsoft's driver, to the modelled server: types, messages and rights on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from dbops.errors import NotPermitted
from dbops.model.finding import Missing
from dbops.model.health import CheckResult, Question, Row, Status
from dbops.model.server import Endpoint
from dbops.plan import SecretRef
from dbops.session import SqlReader, connect
from dbops_mssql import backend
from tests.backends.mssql_simulator.clinic import RIGHTS_2022, TABLES, WATCHER, Clinic, report
from tests.simulators.mssql.certificate import Certificate
from tests.simulators.mssql.passwords import hashed
from tests.simulators.mssql.server import Server

PASSWORD = "Watch-1234"  # noqa: S105  # of a simulated login


class Practice:
    """A clinic behind a port."""

    def __init__(self, clinic: Clinic, server: Server) -> None:
        self.clinic, self.server = clinic, server

    def report(self, *, rights: tuple[str, ...] = (), tables: tuple[str, ...] = ()) -> dict[str, CheckResult]:
        """What the login ``watcher`` is told, over one connection for each database."""
        user = self.clinic.watcher(rights, tables)
        self.clinic.instance.state.principals[WATCHER].password_hash = hashed(PASSWORD)
        with ExitStack() as stack:
            readers: dict[str, SqlReader] = {}

            def ask(question: Question, database: str) -> list[Row] | Missing:
                if database not in readers:
                    readers[database] = stack.enter_context(self._reader(database))
                try:
                    return list(readers[database].dicts(question.sql))
                except NotPermitted as error:
                    return Missing(error.reason, error.message)

            return report(self.clinic.server(user), ask)

    def _reader(self, database: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  # that of connect
        endpoint = Endpoint(
            engine="mssql", host="127.0.0.1", port=self.server.port, user="watcher", database=database,
            password=SecretRef("env:ANY"), options={"TrustServerCertificate": "yes"},
        )  # fmt: skip
        return connect(backend, endpoint, resolve=lambda _ref: PASSWORD)


@pytest.fixture
def practice(certified: Certificate) -> Iterator[Practice]:
    clinic = Clinic()
    with Server(clinic.instance, certified) as server:
        yield Practice(clinic, server)


def test_a_healthy_server_over_the_wire(practice: Practice) -> None:
    found = practice.report(rights=RIGHTS_2022, tables=TABLES)
    bad = {name: one.summary for name, one in found.items() if one.status not in (Status.OK, Status.SKIPPED)}
    assert not bad
    # Whole numbers come as such, whatever type they have on the server.
    assert found["ms.backup.age"].summary == "msdb: the newest full backup is 5h 0m old" or found["ms.backup.age"].value
    assert found["ms.disk.free"].value == 40.0


def test_what_is_refused_over_the_wire_names_the_right(practice: Practice) -> None:
    found = practice.report()
    for name in ("ms.memory", "ms.backup.age", "ms.jobs.failed", "ms.blocking", "ms.files.space"):
        one = found[name]
        assert one.status is Status.UNKNOWN, one
        assert one.reason in ("no_permission", "hidden_rows"), one
        assert one.remedy is not None
        assert "[watcher]" in one.remedy.sql
    assert "permission was denied on the object 'sysjobs', database 'msdb'" in found["ms.jobs.failed"].summary


def test_a_bad_server_over_the_wire(practice: Practice) -> None:
    shop = practice.clinic.instance.database("shop")
    shop.options["state"] = 4
    practice.clinic.instance.set_rows(
        "dbo.suspect_pages",
        [
            {
                "database_id": 5, "file_id": 1, "page_id": 2**32, "event_type": 2, "error_count": 1,
                "last_update_date": practice.clinic.ago(hours=1),
            }
        ],
    )  # fmt: skip
    found = practice.report(rights=RIGHTS_2022, tables=TABLES)
    assert found["ms.db.state"].summary.startswith("shop: SUSPECT")
    assert found["ms.corruption"].summary == "shop: page 1:4294967296 has a wrong checksum"
    assert found["ms.corruption"].status is Status.CRITICAL
