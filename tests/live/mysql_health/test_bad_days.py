"""Servers as nobody should run them: careless settings, other time zones, no grant tables, clusters that fell apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dbops.model.health import CheckResult, Status
from dbops.own_server import free_port
from dbops.testing.lend import Private
from dbops.testing.mysql import Series

OK, WARNING, CRITICAL, UNKNOWN, SKIPPED = (
    Status.OK,
    Status.WARNING,
    Status.CRITICAL,
    Status.UNKNOWN,
    Status.SKIPPED,
)
# Any: the fixture's own types live in a conftest, which cannot be imported.
Clinic = Any
Make = Callable[..., Clinic]
GALERA = Path("/usr/lib/galera/libgalera_smm.so")


@pytest.fixture
def made(private_mysql: Private, new_clinic: Callable[..., Clinic]) -> Make:
    """A clinic around a new server with these settings."""
    return lambda **settings: new_clinic(private_mysql(**settings))


def sql_of(result: CheckResult) -> str:
    assert result.remedy is not None
    return result.remedy.sql


@pytest.mark.mysql(newest=True)
def test_a_careless_server(
    made: Make, mysql_series: Series, monkeypatch: pytest.MonkeyPatch, at: Callable[..., dict[str, object]]
) -> None:
    """No binary log, no strict mode, no second copy of pages, another character set, quotes that mean something else,
    and a machine that is nine hours ahead of UTC."""
    monkeypatch.setenv("TZ", "JST-9")
    without_tls = {"tls_version": ""} if mysql_series.family == "mysql" else {"skip_ssl": "ON"}
    without_log = {"skip_log_bin": "ON"} if mysql_series.family == "mysql" else {}
    clinic = made(
        sql_mode="ANSI_QUOTES,NO_BACKSLASH_ESCAPES", innodb_doublewrite="OFF", innodb_flush_method="fsync",
        character_set_server="utf8mb3", collation_server="utf8mb3_general_ci",
        performance_schema="OFF", **without_log, **without_tls,
    )  # fmt: skip
    clinic.login("watcher", ("health",))
    assert clinic.server.sql("SELECT @@system_time_zone") == [("JST",)]
    clinic.server.sql('CREATE DATABASE shop; CREATE TABLE shop."a""b" (id tinyint AUTO_INCREMENT PRIMARY KEY, n int)')
    clinic.server.sql('INSERT INTO shop."a""b" VALUES (125, 1)')
    found = clinic.report("watcher", "my.*").of("here")
    states = {name: check.status for name, check in found.items() if check.status not in (OK, SKIPPED)}
    states.pop("my.version.eol", None)  # What is supported changes with the calendar, not with this server.
    assert states == {
        "my.tls": WARNING, "my.binlog.off": WARNING, "my.durability": CRITICAL, "my.strict_mode": WARNING,
        "my.autoinc": CRITICAL,
    }  # fmt: skip
    assert (found["my.binlog.retention"].status, found["my.binlog.retention"].reason) == (SKIPPED, "feature_off")
    assert found["my.cluster"].status is SKIPPED
    assert at(found["my.durability"], "parameter:innodb_doublewrite")["status"] == "critical"
    assert at(found["my.durability"], "parameter:innodb_flush_log_at_trx_commit")["status"] == "warning"
    assert "sync_binlog" not in str(found["my.durability"].evidence), "there is no log to be flushed"
    clinic.server.sql(sql_of(found["my.autoinc"]))
    assert clinic.one("watcher", "my.autoinc").status is OK
    update = 'UPDATE shop."a""b" SET n = n + 1'
    with clinic.session("BEGIN", update), clinic.waiting(update, "BEGIN"):
        time.sleep(1.1)
        # By a clock that is hours off it would be critical, or nothing at all.
        assert clinic.one("watcher", "my.trx.long", warning=1, critical=60).status is WARNING
        waits = clinic.one("watcher", "my.locks.waits", warning=1, critical=60)
        assert waits.status is WARNING
        assert ("by whom is not known" in waits.summary) is (mysql_series.family == "mysql")


@pytest.mark.mysql(newest=True)
def test_innodb_in_its_emergency_mode(made: Make, at: Callable[..., dict[str, object]]) -> None:
    clinic = made()
    clinic.login("plain")
    clinic.server.settings["innodb_force_recovery"] = "1"
    clinic.server.restart()
    result = clinic.one("plain", "my.durability")
    assert result.status is CRITICAL
    assert at(result, "parameter:innodb_force_recovery")["status"] == "critical"


@pytest.mark.mysql(family="mariadb", newest=True)
def test_mariadb_names_who_holds_a_table_where_performance_schema_is_on(made: Make) -> None:
    clinic = made(performance_schema="ON", performance_schema_instrument="wait/lock/metadata/sql/mdl=ON")
    clinic.login("watcher", ("health",))
    clinic.server.sql("CREATE DATABASE shop; CREATE TABLE shop.t (a int)")
    with (
        clinic.session("BEGIN", "SELECT * FROM shop.t") as root,
        clinic.waiting("ALTER TABLE shop.t ADD COLUMN b int"),
    ):
        result = clinic.one("watcher", "my.locks.mdl", warning=0, critical=0)
        assert (result.status, result.evidence[0]["root"]) == (CRITICAL, root.thread_id())
        assert sql_of(result) == f"KILL {root.thread_id()};"


@pytest.mark.mysql(newest=True)
def test_without_grant_tables(made: Make, mysql_series: Series) -> None:
    """Whoever reaches it is somebody who may do everything; and nothing is hidden from him."""
    clinic = made(skip_grant_tables="ON")
    socket = {"unix_socket": str(clinic.server.socket)}
    endpoint = msgspec.structs.replace(clinic.server.endpoint(), host=None, password=None, options=socket)
    found = clinic.report(endpoint, "my.*")
    open_ = found.of("here")["my.access.skip_grants"]
    assert (found.status, open_.status) == (CRITICAL, CRITICAL)
    assert open_.summary.startswith("skip-grant-tables: whoever reaches this server may do everything")
    assert {check.id for check in found.checks if check.status is UNKNOWN} == set()
    if mysql_series.family == "mysql":
        assert found.of("here")["my.tls"].status is SKIPPED
    clinic.server.sql(sql_of(open_))
    assert clinic.one(endpoint, "my.access.skip_grants").status is OK


@pytest.mark.mysql(family="mysql", newest=True)
def test_a_group_with_one_member_and_with_none(made: Make) -> None:
    clinic = made(
        log_bin="bin", server_id="1", gtid_mode="ON", enforce_gtid_consistency="ON",
        plugin_load_add="group_replication.so", report_host="127.0.0.1",
        loose_group_replication_group_name="aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
        loose_group_replication_start_on_boot="OFF", loose_group_replication_bootstrap_group="ON",
    )  # fmt: skip
    clinic.login("watcher", ("health",))
    clinic.login("plain")
    left = clinic.one("watcher", "my.cluster")
    assert left.status is CRITICAL
    assert left.summary.endswith(") is OFFLINE")
    assert clinic.one("plain", "my.cluster").status is UNKNOWN
    address = f"127.0.0.1:{free_port()}"  # taken at once: later it may be somebody else's
    for name in ("local_address", "group_seeds"):
        clinic.server.sql(f"SET GLOBAL group_replication_{name} = '{address}'")
    clinic.server.sql("START GROUP_REPLICATION")
    clinic.until(lambda: clinic.one("watcher", "my.cluster").status is OK)
    assert clinic.one("watcher", "my.cluster").summary == "online as PRIMARY, in a group of 1"
    clinic.server.sql("SET GLOBAL read_only = ON")  # as on every member but the primary
    assert clinic.one("watcher", "my.replica.running").status is SKIPPED, "a group's channels are none of its business"
    clinic.server.sql("SET GLOBAL read_only = OFF")
    clinic.server.sql("STOP GROUP_REPLICATION")
    assert clinic.one("watcher", "my.cluster").status is CRITICAL


@pytest.mark.mysql(family="mariadb", before="11.0")
@pytest.mark.skipif(not GALERA.exists(), reason="not tested here: Galera (no libgalera_smm.so)")
def test_a_galera_node_alone_and_cut_off(made: Make, tmp_path: Path) -> None:
    port = free_port()
    clinic = made(
        wsrep_on="ON", wsrep_provider=str(GALERA), wsrep_cluster_address="gcomm://", binlog_format="ROW",
        wsrep_provider_options=f"base_host=127.0.0.1;base_port={port};gmcast.listen_addr=tcp://127.0.0.1:{port}",
        innodb_autoinc_lock_mode="2", wsrep_node_address="127.0.0.1",
    )  # fmt: skip
    clinic.login("watcher", ("health",))
    alone = clinic.one("watcher", "my.cluster")
    assert (alone.status, alone.summary) == (WARNING, "wsrep_cluster_size is 1: the loss of one node stops the cluster")
    clinic.server.sql("SET GLOBAL wsrep_desync = ON")
    clinic.until(lambda: clinic.one("watcher", "my.cluster").affected == 2)
    with clinic.session() as session:
        session.query("SET GLOBAL wsrep_cluster_address = 'gcomm://127.0.0.1:1?pc.wait_prim=no'")
        clinic.until(lambda: clinic.one("watcher", "my.up").status is CRITICAL)
        cut_off = clinic.report("watcher", "my.up", "my.cluster").of("here")
        assert "WSREP has not yet prepared node for application use" in cut_off["my.up"].summary
        assert cut_off["my.cluster"].status is UNKNOWN
