"""Health checks as a user has them, through Microsoft's driver, of the modelled server: types, messages, rights."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dbops.config import Config, Target
from dbops.model.health import HealthReport, Status
from dbops.operations import health
from dbops.operations.workspace import Workspace
from dbops.testing.mssql import MssqlServer, PrivateMssql
from tests.backends.mssql_simulator.clinic import RIGHTS_2022, TABLES, WATCHER, Clinic
from tests.simulators.mssql.answers import Message
from tests.simulators.mssql.passwords import hashed

PASSWORD = "Watch-1234"
GROUPS = {"ms.ag.health", "ms.ag.lag"}


class Practice:
    """A clinic behind a port, and a login that asks."""

    def __init__(self, server: MssqlServer) -> None:
        self.server = server
        self.clinic = Clinic(server.instance)
        server.remember("watcher", PASSWORD)

    def report(
        self,
        *only: str,
        rights: Sequence[str] = RIGHTS_2022,
        tables: Sequence[str] = TABLES,
        timeout_s: float = 30,
    ) -> HealthReport:
        """What the login ``watcher`` is told."""
        self.clinic.watcher(rights, tables)
        self.clinic.instance.state.principals[WATCHER].password_hash = hashed(PASSWORD)
        target = Target(name="here", endpoint=self.server.endpoint("watcher"))
        return health.check(Workspace(Config()), [target], only=only or ["ms.*"], timeout_s=timeout_s)


@pytest.fixture
def practice(private_mssql: PrivateMssql) -> Practice:
    return Practice(private_mssql())


@pytest.mark.proves("mssql", "health", by="a simulator")
def test_a_healthy_server_over_the_wire(practice: Practice) -> None:
    report = practice.report()
    bad = {one.id: one.summary for one in report.checks if one.status not in (Status.OK, Status.SKIPPED)}
    # What is supported changes with the calendar, not with this server.
    assert not {name: said for name, said in bad.items() if name != "ms.version.eol"}
    assert {one.id for one in report.checks if one.status is Status.SKIPPED} == GROUPS
    assert report.coverage == 1.0
    found = report.of("here")
    assert found["ms.up"].summary.startswith("SQL Server 2022 (16.0.4135.4), primary, answered in ")
    assert found["ms.disk.free"].value == 40.0
    assert found["ms.backup.age"].objects == 4


def test_what_is_refused_over_the_wire_names_the_right(practice: Practice) -> None:
    report = practice.report(rights=(), tables=())
    found = report.of("here")
    for name in ("ms.memory", "ms.backup.age", "ms.jobs.failed", "ms.blocking", "ms.files.space", "ms.disk.free"):
        one = found[name]
        assert one.status is Status.UNKNOWN, one
        assert one.reason in ("no_permission", "hidden_rows"), one
        assert one.remedy is not None
        assert "[watcher]" in one.remedy.sql
    assert "permission was denied on the object 'sysjobs', database 'msdb'" in found["ms.jobs.failed"].summary
    assert 0.2 < report.coverage < 0.6
    assert report.status is Status.UNKNOWN


def test_a_bad_server_over_the_wire(practice: Practice) -> None:
    shop = practice.clinic.instance.database("shop")
    shop.options["state"] = 4
    page = {"database_id": 5, "file_id": 1, "page_id": 2**32, "event_type": 2, "error_count": 1}
    practice.clinic.instance.set_rows("dbo.suspect_pages", [{**page, "last_update_date": practice.clinic.ago(hours=1)}])
    report = practice.report("ms.db.state", "ms.corruption", "ms.files.space")
    found = report.of("here")
    assert found["ms.db.state"].summary.startswith("shop: SUSPECT")
    assert found["ms.corruption"].summary == "shop: page 1:4294967296 has a wrong checksum"
    # A database that is not online is asked nothing, and holds up no other.
    assert found["ms.files.space"].status is Status.OK
    assert (report.status, report.code) == (Status.CRITICAL, 1)


LOCKED = Message(1222, 51, 16, "Lock request time out period exceeded.")


def test_a_question_that_waits_for_a_lock_is_unknown_alone(practice: Practice) -> None:
    practice.clinic.instance.faults.fail("dm_os_sys_memory", LOCKED)
    found = practice.report("ms.memory", "ms.db.state").of("here")
    assert (found["ms.memory"].status, found["ms.memory"].reason) == (Status.UNKNOWN, "lock_timeout")
    assert found["ms.db.state"].status is Status.OK


def test_a_connection_that_breaks_keeps_what_was_answered(practice: Practice) -> None:
    practice.clinic.instance.faults.drop("dm_os_sys_memory")
    found = practice.report("ms.up", "ms.memory", "ms.db.state", "ms.disk.free").of("here")
    assert found["ms.up"].status is Status.CRITICAL
    for name in ("ms.memory", "ms.disk.free"):
        assert (found[name].status, found[name].reason) == (Status.UNKNOWN, "connect_failed"), found[name]
    assert found["ms.db.state"].status is Status.OK


def test_a_question_that_hangs_holds_up_no_other(practice: Practice) -> None:
    practice.clinic.instance.faults.hang("backupset")
    found = practice.report("ms.backup.age", "ms.db.state", timeout_s=5).of("here")
    assert (found["ms.backup.age"].status, found["ms.backup.age"].reason) == (Status.UNKNOWN, "timeout")
    assert found["ms.db.state"].status is Status.OK


def test_azure_sql_database_over_the_wire(private_mssql: PrivateMssql) -> None:
    practice = Practice(private_mssql(engine_edition=5, version="12.0.2000.8"))
    found = practice.report("ms.backup.age", "ms.version.eol", "ms.db.state").of("here")
    assert found["ms.backup.age"].summary == (
        "does not apply here: the service makes the backups and does not write them into msdb"
    )
    assert found["ms.version.eol"].status is Status.SKIPPED
    assert found["ms.db.state"].status is Status.OK
