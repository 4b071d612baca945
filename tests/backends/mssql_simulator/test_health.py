"""The questions of health on the modelled instance: the T-SQL itself, each defect it is there for, and every right."""

from __future__ import annotations

import uuid

import pytest

from dbops.model.health import CheckResult, Status
from tests.backends.mssql_simulator.clinic import GIB_PAGES, RIGHTS, RIGHTS_2022, TABLES, Clinic
from tests.simulators.mssql.instance import Instance
from tests.simulators.mssql.model import File

OK, WARNING, CRITICAL, UNKNOWN, SKIPPED = (
    Status.OK,
    Status.WARNING,
    Status.CRITICAL,
    Status.UNKNOWN,
    Status.SKIPPED,
)
GROUPS = {"ms.ag.health", "ms.ag.lag"}
VERSIONS = {
    "2016": "13.0.6300.2", "2017": "14.0.3500.1", "2019": "15.0.4430.1", "2022": "16.0.4135.4", "2025": "17.0.1000.7",
}  # fmt: skip


@pytest.fixture
def clinic() -> Clinic:
    return Clinic()


def not_well(found: dict[str, CheckResult]) -> dict[str, str]:
    return {name: f"{one.status}: {one.summary}" for name, one in found.items() if one.status not in (OK, SKIPPED)}


@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
def test_a_healthy_server_is_told_so_under_the_least_privileged_login(version: str) -> None:
    here = Clinic(Instance(version=version))
    rights = RIGHTS_2022 if here.instance.major >= 16 else RIGHTS
    found = here.report(here.watcher(rights, TABLES))
    assert not not_well(found)
    assert {name for name, one in found.items() if one.status is SKIPPED} == GROUPS


def test_a_login_without_rights_gets_no_ok_where_it_cannot_see(clinic: Clinic) -> None:
    plain, everything = clinic.report(clinic.watcher()), clinic.report("sa")
    told = {name for name, one in plain.items() if one.status is not UNKNOWN}
    # What everybody may see; suspect_pages is open to whoever enters msdb.
    assert told == {"ms.db.state", "ms.page_verify", "ms.db.auto", "ms.checkdb.age", "ms.corruption"}
    for name in told:
        assert plain[name].status is everything[name].status
    for one in plain.values():
        if one.status is UNKNOWN:
            assert one.reason in ("no_permission", "hidden_rows"), one
            assert one.remedy is not None, one
            assert one.remedy.sql.startswith(("GRANT ", "USE [msdb];")), one


@pytest.mark.parametrize("right", RIGHTS_2022)
def test_each_right_taken_away_makes_unknown_and_nothing_else(clinic: Clinic, right: str) -> None:
    before = clinic.report(clinic.watcher(RIGHTS_2022, TABLES))
    after = clinic.report(clinic.watcher([one for one in RIGHTS_2022 if one != right], TABLES))
    changed = {name: one.status for name, one in after.items() if one.status is not before[name].status}
    assert changed, right
    assert set(changed.values()) == {UNKNOWN}, changed


@pytest.mark.parametrize("table", [one for one in TABLES if one != "suspect_pages"])
def test_each_table_of_msdb_taken_away_makes_unknown(clinic: Clinic, table: str) -> None:
    after = clinic.report(clinic.watcher(RIGHTS_2022, [one for one in TABLES if one != table]))
    bad = {name for name, one in after.items() if one.status is UNKNOWN}
    kept = (
        {"ms.jobs.failed"} if table.startswith("sys") else {"ms.backup.age", "ms.backup.log_age", "ms.backup.damaged"}
    )
    assert bad == kept
    for name in bad:
        remedy = after[name].remedy
        assert remedy is not None
        assert f"USE [msdb]; GRANT SELECT ON [dbo].[{table}] TO [watcher];" in remedy.sql


def test_where_nobody_may_see_every_database(clinic: Clinic) -> None:
    clinic.instance.state.permissions = [
        one for one in clinic.instance.state.permissions if one.name != "VIEW ANY DATABASE"
    ]
    found = clinic.report(clinic.watcher(("VIEW SERVER PERFORMANCE STATE",), TABLES))
    for name in ("ms.db.state", "ms.page_verify", "ms.db.auto", "ms.backup.age", "ms.checkdb.age", "ms.log.used"):
        assert (found[name].status, found[name].reason) == (UNKNOWN, "hidden_rows"), found[name]


@pytest.mark.parametrize(("edition", "number"), [("Azure SQL Managed Instance", 8), ("Azure SQL Database", 5)])
def test_services_answer_what_they_are_asked(edition: str, number: int) -> None:
    found = Clinic(Instance(engine_edition=number)).report("sa", edition)
    skipped = {name for name, one in found.items() if one.status is SKIPPED}
    assert {"ms.backup.age", "ms.disk.free", "ms.memory"} < skipped
    # No volume is told there, and the files of the model have no limit of their own.
    assert set(not_well(found)) == {"ms.files.space"}
    if number == 5:
        assert found["ms.db.state"].summary == "1 databases are online"


# Each check sees the defect that it is there for


def test_states_and_settings(clinic: Clinic) -> None:
    shop = clinic.instance.database("shop")
    shop.options |= {"page_verify_option": 1, "is_auto_shrink_on": True}
    found = clinic.report(only=["ms.page_verify", "ms.db.auto"])
    assert found["ms.page_verify"].summary.startswith("shop: PAGE_VERIFY is TORN_PAGE_DETECTION")
    assert found["ms.db.auto"].summary == "shop: AUTO_SHRINK on"
    shop.options["state"] = 4
    assert clinic.one("ms.db.state").summary.startswith("shop: SUSPECT")


def test_backups(clinic: Clinic) -> None:
    full = clinic.backup("D", "shop", days=10)
    others = [clinic.backup("D", name, hours=5) for name in ("master", "model", "msdb")]
    log = clinic.backup("L", "shop", minutes=10)
    differential = clinic.backup(
        "I", "shop", hours=2, changed={"differential_base_guid": full["backup_set_uuid"], "time_zone": 127}
    )
    clinic.backups(*others, full, log)
    assert clinic.one("ms.backup.age").status is CRITICAL
    clinic.backups(*others, full, log, differential)
    assert clinic.one("ms.backup.age").status is OK
    clinic.backups(*others, {**full, "place": "NUL"}, log, differential)
    assert clinic.one("ms.backup.age").summary == "shop: no full backup yet"
    assert "needs a full backup" in clinic.one("ms.backup.damaged").summary


@pytest.mark.parametrize(
    ("changed", "age", "worth"),
    [
        ({"is_damaged": True}, CRITICAL, "is damaged"),
        ({"has_backup_checksums": False}, OK, "has no checksums"),
        ({"family_guid": uuid.UUID(int=1)}, CRITICAL, "whole and have checksums"),
        ({"server_name": "OTHER"}, CRITICAL, "whole and have checksums"),
    ],
)
def test_backups_that_are_not_what_they_seem(
    clinic: Clinic, changed: dict[str, object], age: Status, worth: str
) -> None:
    others = [clinic.backup("D", name, hours=5) for name in ("master", "model", "msdb")]
    full = {**clinic.backup("D", "shop", hours=5), **changed}
    clinic.backups(*others, full, clinic.backup("L", "shop", minutes=5))  # type: ignore[arg-type]
    found = clinic.report(only=["ms.backup.age", "ms.backup.damaged"])
    assert found["ms.backup.age"].status is age
    assert worth in found["ms.backup.damaged"].summary


def test_a_time_zone_is_counted(clinic: Clinic) -> None:
    """Finished at what is five hours later by the clock of New York."""
    local = {"time_zone": -20}
    clinic.backups(
        *(clinic.backup("D", name, hours=5) for name in ("master", "model", "msdb", "shop")),
        clinic.backup("L", "shop", hours=5, minutes=10, changed=local),  # type: ignore[arg-type]
    )
    assert clinic.one("ms.backup.log_age").status is OK


def test_a_database_without_a_chain(clinic: Clinic) -> None:
    clinic.instance.set_rows(
        "sys.database_recovery_status",
        [{"database_id": 5, "family_guid": clinic.instance.database("shop").family_guid}],
    )
    assert "has no log chain" in clinic.one("ms.backup.log_age").summary


def test_damage(clinic: Clinic) -> None:
    page = {"database_id": 5, "file_id": 1, "page_id": 153, "error_count": 2, "last_update_date": clinic.ago(hours=1)}
    clinic.instance.set_rows("dbo.suspect_pages", [{**page, "event_type": 2}])
    assert clinic.one("ms.corruption").summary == "shop: page 1:153 has a wrong checksum, 2 times"
    clinic.instance.set_rows("dbo.suspect_pages", [{**page, "event_type": 5}])
    assert clinic.one("ms.corruption").status is OK
    repair = {"database_id": 5, "file_id": 1, "page_id": 9, "error_type": 2, "modification_time": clinic.ago(days=1)}
    clinic.instance.set_rows("sys.dm_hadr_auto_page_repair", [{**repair, "page_status": 5}])
    assert clinic.one("ms.corruption").status is CRITICAL


def test_never_checked(clinic: Clinic) -> None:
    shop = clinic.instance.database("shop")
    shop.last_good_check = "1900-01-01 00:00:00.000"
    found = clinic.one("ms.checkdb.age")
    assert (found.status, found.summary) == (CRITICAL, "shop: never checked")
    shop.last_good_check = str(clinic.ago(days=9))
    assert clinic.one("ms.checkdb.age").status is WARNING


def test_room(clinic: Clinic) -> None:
    shop = clinic.instance.database("shop")
    shop.files = [
        File(1, 0, "shop", "/d/shop.mdf", GIB_PAGES, growth=0, used=int(GIB_PAGES * 0.97)),
        File(2, 1, "shop_log", "/d/shop.ldf", GIB_PAGES, max_size=GIB_PAGES),
    ]
    counters = [
        {
            "object_name": "SQLServer:Databases", "counter_name": name, "instance_name": "shop", "cntr_value": value,
            "cntr_type": 65792,
        }
        for name, value in (("Log File(s) Size (KB)", 2**20), ("Log File(s) Used Size (KB)", 2**20 * 8 // 10))
    ]  # fmt: skip
    clinic.instance.set_rows("sys.dm_os_performance_counters", counters)
    shop.options["log_reuse_wait"] = 2
    clinic.instance.state.rows["sys.dm_os_volume_stats"] = [
        {"database_id": 5, "file_id": 1, "volume_mount_point": "/d", "total_bytes": 2**40, "available_bytes": 2**33}
    ]
    found = clinic.report(only=["ms.files.space", "ms.log.used", "ms.disk.free"])
    assert (found["ms.files.space"].status, found["ms.files.space"].value) == (CRITICAL, 97.0)
    assert "of 1.0 GiB that it can have, and waits for a log backup" in str(found["ms.log.used"].evidence)
    assert (found["ms.disk.free"].status, found["ms.disk.free"].value) == (CRITICAL, 99.22)


def test_tempdb(clinic: Clinic) -> None:
    tempdb = clinic.instance.database("tempdb")
    tempdb.files[0] = File(1, 0, "tempdev", "/t/tempdb.mdf", 1000, max_size=1000, used=950)
    assert (clinic.one("ms.tempdb.space").status, clinic.one("ms.tempdb.space").value) == (CRITICAL, 95.0)


def test_memory(clinic: Clinic) -> None:
    clinic.instance.state.configurations.clear()
    assert "max server memory is not set" in clinic.one("ms.memory").summary


def test_sessions_that_wait_and_hold(clinic: Clinic) -> None:
    idle = {
        "session_id": 60, "login_name": "app", "host_name": "web1", "program_name": "shop", "status": "sleeping",
        "is_user_process": True, "database_id": 5, "open_transaction_count": 1, "login_time": clinic.ago(hours=2),
        "last_request_start_time": clinic.ago(hours=1), "last_request_end_time": clinic.ago(hours=1),
    }  # fmt: skip
    waiting = {**idle, "session_id": 61, "status": "running"}
    request = {
        "session_id": 61, "request_id": 0, "database_id": 5, "blocking_session_id": 60, "wait_time": 400_000,
        "wait_type": "LCK_M_S", "wait_resource": "OBJECT: 5:99", "command": "SELECT", "status": "suspended",
    }  # fmt: skip
    clinic.instance.state.rows["all sys.dm_exec_sessions"] = [idle, waiting]
    clinic.instance.state.rows["all sys.dm_exec_requests"] = [request]
    found = clinic.report(only=["ms.blocking", "ms.session.idle_in_xact"])
    assert found["ms.blocking"].status is CRITICAL
    assert "the root of the queue is session 60 (app@web1, shop, idle)" in found["ms.blocking"].summary
    assert "session 60 (app@web1, shop) has held a transaction open" in found["ms.session.idle_in_xact"].summary
    assert found["ms.session.idle_in_xact"].status is CRITICAL
    hidden = clinic.one("ms.blocking", clinic.watcher())
    assert (hidden.status, hidden.reason) == (UNKNOWN, "hidden_rows")


def test_groups(clinic: Clinic) -> None:
    group, one, two, database = (uuid.UUID(int=number) for number in (1, 2, 3, 4))
    rows = clinic.instance.state.rows
    rows["all sys.availability_groups"] = [{"group_id": group, "name": "ag1"}]
    rows["all sys.availability_replicas"] = [
        {"group_id": group, "replica_id": number, "replica_server_name": name, "availability_mode_desc": "SYNCHRONOUS"}
        for number, name in ((one, "SQL1"), (two, "SQL2"))
    ]
    rows["all sys.availability_databases_cluster"] = [
        {"group_id": group, "group_database_id": database, "database_name": "shop"}
    ]
    clinic.instance.set_rows(
        "sys.dm_hadr_availability_replica_states",
        [
            {
                "group_id": group, "replica_id": number, "is_local": local, "role_desc": role,
                "connected_state_desc": connected, "synchronization_health_desc": "HEALTHY",
            }
            for number, local, role, connected in (
                (one, True, "PRIMARY", "CONNECTED"),
                (two, False, "SECONDARY", "DISCONNECTED"),
            )
        ],
    )  # fmt: skip
    clinic.instance.set_rows(
        "sys.dm_hadr_database_replica_states",
        [
            {
                "database_id": 5, "group_id": group, "replica_id": two, "group_database_id": database,
                "is_local": False, "is_primary_replica": False, "secondary_lag_seconds": 90,
                "log_send_queue_size": 10, "redo_queue_size": 0, "is_suspended": False,
            }
        ],
    )  # fmt: skip
    found = clinic.report(only=["ms.ag.health", "ms.ag.lag"])
    assert "SQL2 in group ag1 is not connected" in found["ms.ag.health"].summary
    assert (found["ms.ag.lag"].status, found["ms.ag.lag"].value) == (WARNING, 90.0)
    blind = clinic.one("ms.ag.health", clinic.watcher(("VIEW SERVER PERFORMANCE STATE",), TABLES))
    assert (blind.status, blind.reason) == (UNKNOWN, "hidden_rows")


def test_jobs(clinic: Clinic) -> None:
    job = uuid.UUID(int=7)
    clinic.instance.set_rows("dbo.sysjobs", [{"job_id": job, "name": "nightly", "enabled": 1}])
    run = {"job_id": job, "server_id": 0, "last_run_date": 20260430, "last_run_time": 10500}
    clinic.instance.set_rows(
        "dbo.sysjobservers", [{**run, "last_run_outcome": 0, "last_outcome_message": "The job failed."}]
    )
    found = clinic.one("ms.jobs.failed")
    assert (found.status, found.summary) == (WARNING, "nightly failed at 2026-04-30 01:05:00: The job failed.")
    clinic.instance.set_rows("dbo.sysjobs", [{"job_id": job, "name": "nightly", "enabled": 0}])
    assert clinic.one("ms.jobs.failed").status is OK
