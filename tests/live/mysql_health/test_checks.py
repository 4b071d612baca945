"""Each check is proved on a real server with the defect that it is there for, and as a login that must not see it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pymysql
import pytest

from dbops.model.finding import Remedy
from dbops.model.health import CheckResult, Status

OK, WARNING, CRITICAL, UNKNOWN, SKIPPED = (
    Status.OK,
    Status.WARNING,
    Status.CRITICAL,
    Status.UNKNOWN,
    Status.SKIPPED,
)
# Any: the fixture's own types live in a conftest, which cannot be imported.
Clinic = Any
At = Callable[[CheckResult, str], dict[str, object]]
# What a login with no right at all must not be told to be well, on either engine.
CLOSED = {
    "my.trx.long", "my.locks.waits", "my.locks.mdl", "my.replica.running", "my.replica.lag", "my.replica.readonly",
    "my.autoinc", "my.table.engine", "my.table.no_pk",
}  # fmt: skip


def sql_of(result: CheckResult) -> str:
    assert result.remedy is not None
    return result.remedy.sql


def test_a_healthy_server_is_told_so_under_the_least_privileged_login(clinic: Clinic) -> None:
    found = clinic.report("watcher", "my.*")
    bad = {check.id: f"{check.status}: {check.summary}" for check in found.checks if check.status not in (OK, SKIPPED)}
    # What is supported changes with the calendar, not with this server.
    assert not {name: said for name, said in bad.items() if name != "my.version.eol"}
    skipped = {check.id for check in found.checks if check.status is SKIPPED}
    assert skipped == {"my.replica.running", "my.replica.lag", "my.replica.readonly", "my.cluster"}
    assert found.coverage == 1.0
    assert (found.targets[0].engine, found.targets[0].role) == (clinic.engine, "primary")


def test_a_login_without_rights_gets_no_ok_where_it_cannot_see(clinic: Clinic) -> None:
    plain, root = clinic.report("plain", "my.*"), clinic.report("root", "my.*")
    unknown = {check.id for check in plain.checks if check.status is UNKNOWN}
    assert unknown == CLOSED | ({"my.undo.history"} if clinic.engine == "mysql" else set())
    for check in plain.checks:
        if check.status is UNKNOWN:
            assert check.reason in ("no_permission", "hidden_rows"), check
            assert sql_of(check).startswith("GRANT "), check
        else:
            assert check.status is root.of("here")[check.id].status
    assert plain.coverage < root.coverage == 1.0


def test_the_score_never_rises_as_rights_vanish(clinic: Clinic) -> None:
    """Each right taken away by itself: what was answered stays as it was, or is UNKNOWN."""
    grants = clinic.server.sql("SHOW GRANTS FOR watcher")
    names = sorted(
        {word for (line,) in grants if " ON *.*" in line for word in line[6 : line.index(" ON *.*")].split(", ")}
    )
    assert len(names) == 3
    before = clinic.report("watcher", "my.*")
    for name in names:
        clinic.server.sql(f"REVOKE {name} ON *.* FROM watcher")
        after = clinic.report("watcher", "my.*")
        clinic.server.sql(f"GRANT {name} ON *.* TO watcher")
        changed = {one.id: one.status for one in after.checks if one.status is not before.of("here")[one.id].status}
        assert changed, name
        assert set(changed.values()) == {UNKNOWN}, name
        assert after.coverage < before.coverage


def test_the_grants_that_are_told_are_those_that_help(clinic: Clinic) -> None:
    clinic.login("beggar")
    lacking = [one for one in clinic.report("beggar", "my.*").checks if one.status is UNKNOWN]
    for statement in {sql_of(one) for one in lacking}:
        clinic.server.sql(statement)
    assert not [one for one in clinic.report("beggar", "my.*").checks if one.status is UNKNOWN]
    clinic.server.sql("DROP USER beggar")


@pytest.mark.mysql(newest=True)
def test_rights_by_a_role_count_while_it_is_active(clinic: Clinic) -> None:
    clinic.login("actor")
    clinic.server.sql("CREATE ROLE eyes; GRANT PROCESS, REFERENCES ON *.* TO eyes; GRANT eyes TO actor")
    assert clinic.one("actor", "my.table.engine").status is UNKNOWN
    word = "TO" if clinic.engine == "mysql" else "FOR"
    clinic.server.sql(f"SET DEFAULT ROLE eyes {word} actor")
    assert clinic.one("actor", "my.table.engine").status is OK
    assert clinic.one("actor", "my.locks.mdl").status is OK
    clinic.server.sql("DROP USER actor; DROP ROLE eyes")


@pytest.mark.mysql(family="mysql", newest=True)
def test_rights_that_are_taken_out_again_hide_tables(clinic: Clinic) -> None:
    clinic.server.sql("SET GLOBAL partial_revokes = ON; CREATE DATABASE vault; CREATE TABLE vault.t (a int)")
    clinic.login("partial", ("health",))
    assert clinic.one("partial", "my.table.no_pk").status is WARNING
    clinic.server.sql("REVOKE REFERENCES ON vault.* FROM partial")
    hidden = clinic.one("partial", "my.table.no_pk")
    assert (hidden.status, hidden.reason) == (UNKNOWN, "hidden_rows")
    assert "rights on some databases are revoked again" in hidden.summary
    clinic.server.sql("DROP USER partial; DROP DATABASE vault; SET GLOBAL partial_revokes = OFF")


def test_a_url_that_says_mysql_may_be_mariadb(clinic: Clinic) -> None:
    endpoint = msgspec.structs.replace(clinic.server.endpoint("watcher"), engine="mysql")
    found = clinic.report(endpoint, "my.undo.history", "my.up", thresholds={"my.undo.history": {"critical": 2e6}})
    assert found.targets[0].engine == clinic.engine
    assert {check.status for check in found.checks} == {OK}
    assert found.of("here")["my.undo.history"].critical == 2e6


# Sessions


def fill(held: ExitStack, clinic: Clinic) -> None:
    """To the last place: that of a session that has just ended is free a moment later."""
    for _ in range(10):
        clinic.until(lambda: enters(held, clinic))
    with pytest.raises(pymysql.OperationalError, match="Too many connections"):
        held.enter_context(clinic.session(user="plain"))


def enters(held: ExitStack, clinic: Clinic) -> bool:
    try:
        held.enter_context(clinic.session(user="plain"))
    except pymysql.OperationalError as error:
        if "Too many connections" not in str(error):
            raise
        return False
    return True


def test_too_few_connections(clinic: Clinic) -> None:
    assert clinic.one("plain", "my.connections.saturation").status is OK
    clinic.server.sql("SET GLOBAL max_connections = 10")
    try:
        with ExitStack() as held:
            fill(held, clinic)
            # One more is left for an administrator.
            full = clinic.one("root", "my.connections.saturation")
            assert full.status is CRITICAL
            assert full.value is not None
            assert full.value >= 90
            found = clinic.report("plain", "my.up", "my.connections.*")
        up = found.of("here")["my.up"]
        assert (up.status, up.reason) == (CRITICAL, "too_many_connections")
        assert "Too many connections" in up.summary
        assert found.of("here")["my.connections.saturation"].status is UNKNOWN
        assert found.code == 1
    finally:
        clinic.server.sql("SET GLOBAL max_connections = 151")


@pytest.mark.mysql(newest=True)
def test_saturation_is_seen_without_any_right(clinic: Clinic) -> None:
    clinic.server.sql("SET GLOBAL max_connections = 12")
    with ExitStack() as held:
        for _ in range(10):
            held.enter_context(clinic.session(user="plain"))
        assert clinic.one("plain", "my.connections.saturation").status in (WARNING, CRITICAL)
    clinic.server.sql("SET GLOBAL max_connections = 151")


def test_an_idle_transaction(clinic: Clinic, at: At) -> None:
    assert clinic.one("watcher", "my.trx.long").status is OK
    with clinic.session("BEGIN", "UPDATE shop.orders SET n = 7 WHERE id = 1") as idle:
        number = idle.thread_id()
        time.sleep(1.1)
        result = clinic.one("watcher", "my.trx.long", warning=0.5, critical=1)
        assert result.status is CRITICAL
        row = at(result, f"session:{number}")
        assert (row["user"], row["command"], row["rows_modified"]) == ("root", "Sleep", 1)
        assert "idle for" in str(row["summary"])
        assert clinic.one("watcher", "my.trx.long").status is OK
        assert clinic.one("plain", "my.trx.long", warning=0.5, critical=1).status is UNKNOWN
        clinic.server.sql(sql_of(result))
        with pytest.raises(pymysql.OperationalError):
            idle.query("SELECT 1")


@pytest.mark.mysql(newest=True)
def test_a_snapshot_that_only_reads_counts(clinic: Clinic, at: At) -> None:
    with clinic.session("START TRANSACTION WITH CONSISTENT SNAPSHOT", "SELECT COUNT(*) FROM shop.orders") as reading:
        assert at(clinic.one("watcher", "my.trx.long", warning=0, critical=9), f"session:{reading.thread_id()}")


# Locks


def test_row_locks_name_the_root(clinic: Clinic, at: At) -> None:
    update = "UPDATE shop.orders SET n = n + 1 WHERE id = 2"
    with (
        clinic.session("BEGIN", update) as root,
        clinic.waiting(update, "BEGIN") as middle,
        clinic.waiting(update, "BEGIN") as last,
    ):
        number = root.thread_id()
        result = clinic.one("watcher", "my.locks.waits", warning=0, critical=0)
        assert result.status is CRITICAL
        for waiting in (middle, last):
            row = at(result, f"session:{waiting}")
            assert (row["root"], row["what"]) == (number, "`shop`.`orders`")
        assert sql_of(result) == f"KILL {number};\nKILL {number};"
        clinic.login("halfway")
        clinic.server.sql("GRANT PROCESS ON *.* TO halfway")
        half = clinic.one("halfway", "my.locks.waits", warning=0, critical=0)
        clinic.server.sql("DROP USER halfway")
        assert half.status is CRITICAL
        if clinic.engine == "mysql":
            assert "by whom is not known" in half.summary
            assert "command denied" in str(half.evidence[0]["root_unknown"])
        assert clinic.one("plain", "my.locks.waits", warning=0, critical=0).status is UNKNOWN
        clinic.server.sql(f"KILL {number}")
        clinic.until(lambda: clinic.one("watcher", "my.locks.waits", warning=0, critical=0).affected == 1)
    said = "no session waits for a row lock"
    clinic.until(lambda: clinic.one("watcher", "my.locks.waits", warning=0, critical=0).summary == said)


def test_a_table_behind_a_statement_that_waits(clinic: Clinic, at: At) -> None:
    with (
        clinic.session("BEGIN", "SELECT COUNT(*) FROM shop.orders") as root,
        clinic.waiting("ALTER TABLE shop.orders ADD COLUMN later int") as alter,
        clinic.waiting("SELECT COUNT(*) FROM shop.orders") as reader,
    ):
        result = clinic.one("watcher", "my.locks.mdl", warning=0, critical=0)
        assert result.status is CRITICAL
        assert {alter, reader} == {row["id"] for row in result.evidence}
        if clinic.engine == "mysql":
            for waiting in (alter, reader):
                row = at(result, f"session:{waiting}")
                assert (row["root"], row["what"]) == (root.thread_id(), "`shop`.`orders`")
            assert sql_of(result).splitlines()[0] == f"KILL {root.thread_id()};"
        else:
            assert "performance_schema is off" in str(result.evidence[0]["root_unknown"])
        assert clinic.one("plain", "my.locks.mdl", warning=0, critical=0).status is UNKNOWN
    said = "no session waits for a table"
    clinic.until(lambda: clinic.one("watcher", "my.locks.mdl", warning=0, critical=0).summary == said)


@pytest.mark.mysql(newest=True)
def test_everybody_behind_one_who_reads_for_a_backup(clinic: Clinic) -> None:
    insert = "INSERT INTO shop.orders (n) VALUES (4)"
    with clinic.session("FLUSH TABLES WITH READ LOCK"), clinic.waiting(insert):
        result = clinic.one("watcher", "my.locks.mdl", warning=0, critical=0)
        assert result.status is CRITICAL
        assert "is waiting for" in result.summary


# InnoDB


@pytest.mark.mysql(newest=True)
def test_old_row_versions(clinic: Clinic) -> None:
    assert clinic.one("watcher", "my.undo.history").status is OK
    with clinic.session("START TRANSACTION WITH CONSISTENT SNAPSHOT", "SELECT * FROM shop.orders"):
        for _ in range(30):
            clinic.server.sql("UPDATE shop.orders SET n = n + 1")
        result = clinic.one("watcher", "my.undo.history", warning=10, critical=20)
        assert result.status is CRITICAL
        plain = clinic.one("plain", "my.undo.history", warning=10, critical=20)
        assert plain.status is (UNKNOWN if clinic.engine == "mysql" else CRITICAL)


@pytest.mark.mysql(family="mysql", newest=True)
def test_old_row_versions_that_nobody_counts(clinic: Clinic) -> None:
    clinic.server.sql("SET GLOBAL innodb_monitor_disable = 'trx_rseg_history_len'")
    result = clinic.one("watcher", "my.undo.history")
    clinic.server.sql("SET GLOBAL innodb_monitor_enable = 'trx_rseg_history_len'")
    assert (result.status, result.reason) == (UNKNOWN, "feature_off")


@pytest.mark.mysql(newest=True)
def test_the_redo_log(clinic: Clinic) -> None:
    assert clinic.one("plain", "my.redo.used").status is OK
    clinic.server.sql("CREATE TABLE shop.pile (a int AUTO_INCREMENT PRIMARY KEY, b varchar(2000))")
    clinic.server.sql("INSERT INTO shop.pile (b) VALUES (REPEAT('x', 2000))")
    for _ in range(9):
        clinic.server.sql("INSERT INTO shop.pile (b) SELECT b FROM shop.pile")
    seen: list[CheckResult] = []

    def fills() -> bool:
        """Asked at once: a server with nothing to do empties its log within a second."""
        clinic.server.sql("UPDATE shop.pile SET b = REPEAT(IF(LEFT(b, 1) = 'x', 'y', 'x'), 2000)")
        seen.append(clinic.one("plain", "my.redo.used", warning=0.001, critical=0.1))
        return seen[-1].status is CRITICAL

    clinic.until(fills)
    clinic.server.sql("DROP TABLE shop.pile")
    assert isinstance(seen[-1].evidence[0]["used_bytes"], int)


# Binary log and settings


def test_retention_and_durability(clinic: Clinic, at: At) -> None:
    for check in ("my.binlog.off", "my.binlog.retention", "my.durability", "my.strict_mode"):
        assert clinic.one("plain", check).status is OK
    clinic.server.sql("SET GLOBAL binlog_expire_logs_seconds = 0")
    endless = clinic.one("plain", "my.binlog.retention")
    assert (endless.status, endless.summary) == (WARNING, "binary logs are never removed: they fill the disk")
    clinic.server.sql("SET GLOBAL binlog_expire_logs_seconds = 3600")
    assert clinic.one("plain", "my.binlog.retention").status is WARNING
    clinic.server.sql(sql_of(endless))
    assert clinic.one("plain", "my.binlog.retention").status is OK
    clinic.server.sql("SET GLOBAL sync_binlog = 0, innodb_flush_log_at_trx_commit = 2")
    careless = clinic.one("plain", "my.durability")
    assert careless.status is WARNING
    assert at(careless, "parameter:innodb_flush_log_at_trx_commit")["value"] == "2"
    clinic.server.sql(sql_of(careless))
    assert clinic.one("plain", "my.durability").status is OK
    clinic.server.sql("SET GLOBAL sql_mode = 'NO_ENGINE_SUBSTITUTION'")
    lax = clinic.one("plain", "my.strict_mode")
    assert lax.status is WARNING
    clinic.server.sql(sql_of(lax))
    assert clinic.one("plain", "my.strict_mode").status is OK
    clinic.server.sql("SET GLOBAL sql_mode = DEFAULT")


@pytest.mark.mysql(family="mysql", newest=True)
def test_the_redo_log_is_off(clinic: Clinic) -> None:
    clinic.server.sql("ALTER INSTANCE DISABLE INNODB REDO_LOG")
    result = clinic.one("plain", "my.durability")
    assert result.status is CRITICAL
    clinic.server.sql(sql_of(result))
    assert clinic.one("plain", "my.durability").status is OK


def test_a_certificate_that_expires(clinic: Clinic) -> None:
    assert clinic.one("plain", "my.tls").status is OK
    now = datetime.now(UTC)
    for days, status, word in ((300, OK, "expires"), (340, WARNING, "expires"), (370, CRITICAL, "expired")):
        found = clinic.report("plain", "my.tls", now=now + timedelta(days=days)).checks[0]
        assert found.status is status, found.summary
        assert found.summary.startswith(f"the certificate {word} on ")


def test_the_end_of_life_is_by_the_clock_of_the_workspace(clinic: Clinic) -> None:
    for year, status in ((2024, OK), (2040, CRITICAL)):
        found = clinic.report("plain", "my.version.eol", now=datetime(year, 1, 1, tzinfo=UTC)).checks[0]
        assert found.status is status, found.summary


# Tables

NAMES = ("t", "back`tick", "a.b", "per%cent_", "quo\"te'", "ärger 漢字")
# By type: the next value, and how many are left.
RUNNING_OUT = {
    "tinyint": (120, 8), "tinyint unsigned": (250, 6), "smallint": (32761, 7), "mediumint unsigned": (16777210, 6),
    "int": (2147483000, 648), "int unsigned": (4294967290, 6), "bigint": (9223372036854775800, 8),
}  # fmt: skip


@contextmanager
def tables(clinic: Clinic, **definitions: str) -> Iterator[None]:
    """Tables in the database shop, dropped afterwards."""
    for name, definition in definitions.items():
        clinic.server.sql(f"CREATE TABLE shop.{name} {definition}")
    try:
        yield
    finally:
        clinic.server.sql(f"DROP TABLE {', '.join(f'shop.{name}' for name in definitions)}")


def test_auto_increments_that_run_out(clinic: Clinic, at: At) -> None:
    made = {
        f"t{number}": f"(id {kind} NOT NULL AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = {next_value}"
        for number, (kind, (next_value, _)) in enumerate(RUNNING_OUT.items())
    }
    with tables(clinic, **made):
        result = clinic.one("watcher", "my.autoinc")
        assert (result.status, result.affected) == (CRITICAL, len(RUNNING_OUT))
        for number, (_, left) in enumerate(RUNNING_OUT.values()):
            assert at(result, f"column:shop.t{number}.id")["left"] == left
        hidden = clinic.one("plain", "my.autoinc")
        assert (hidden.status, hidden.reason) == (UNKNOWN, "hidden_rows")
        clinic.server.sql(sql_of(result))
        assert clinic.one("watcher", "my.autoinc").status is OK


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def test_remedies_of_tables_are_remedies_whatever_their_names(clinic: Clinic) -> None:
    for name in map(quoted, NAMES):
        clinic.server.sql(f"CREATE DATABASE {name}")
        clinic.server.sql(f"CREATE TABLE {name}.{name} ({name} int) ENGINE = MyISAM")
        clinic.server.sql(f"CREATE TABLE {name}.n ({name} tinyint NOT NULL AUTO_INCREMENT PRIMARY KEY)")
        clinic.server.sql(f"INSERT INTO {name}.n VALUES (126)")
    try:
        for check, bad in (("my.table.engine", WARNING), ("my.table.no_pk", WARNING), ("my.autoinc", CRITICAL)):
            result = clinic.one("watcher", check)
            assert (result.status, result.affected) == (bad, len(NAMES))
            said = {str(row["summary"]).partition(" ")[0] for row in result.evidence}
            assert any(words.startswith("per%cent_.") for words in said)
            with clinic.session("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'") as session:
                for statement in sql_of(result).splitlines():
                    session.query(statement)
            assert clinic.one("watcher", check).status is OK
    finally:
        for name in map(quoted, NAMES):
            clinic.server.sql(f"DROP DATABASE {name}")


def test_a_value_of_today_and_not_of_yesterday(clinic: Clinic) -> None:
    """MySQL keeps what it once told for a day; somebody who asked early must not make us say OK."""
    clinic.server.sql(
        "CREATE TABLE shop.t (id tinyint NOT NULL AUTO_INCREMENT PRIMARY KEY); INSERT INTO shop.t VALUES ()"
    )
    ask = "SELECT auto_increment FROM information_schema.tables WHERE table_schema = 'shop' AND table_name = 't'"
    assert clinic.server.sql(ask) == [(2,)]
    clinic.server.sql("INSERT INTO shop.t VALUES (120)")
    result = clinic.one("watcher", "my.autoinc")
    clinic.server.sql("DROP TABLE shop.t")
    assert result.status is CRITICAL


@pytest.mark.mysql(newest=True)
def test_one_locked_table_is_unknown_alone(clinic: Clinic, at: At) -> None:
    """RENAME holds the first table for itself while it waits for the second: so does every tool that swaps tables."""
    clinic.server.sql(
        "CREATE TABLE shop.a (id tinyint NOT NULL AUTO_INCREMENT PRIMARY KEY); INSERT INTO shop.a VALUES (125);"
        "CREATE TABLE shop.n (id tinyint NOT NULL AUTO_INCREMENT PRIMARY KEY); INSERT INTO shop.n VALUES (125);"
        "CREATE TABLE shop.z (id int PRIMARY KEY)"
    )
    try:
        with (
            clinic.session("BEGIN", "SELECT * FROM shop.z"),
            clinic.waiting("RENAME TABLE shop.a TO shop.b, shop.z TO shop.y"),
        ):
            result = clinic.one("watcher", "my.autoinc")
            states = {row["object"]: (row["status"], row.get("reason")) for row in result.evidence}
            assert states == {"column:shop.n.id": ("critical", None), "table:shop.a": ("unknown", "lock_timeout")}
            assert "Lock wait timeout exceeded" in str(at(result, "table:shop.a")["detail"])
            for check in ("my.table.engine", "my.table.no_pk"):
                assert clinic.one("watcher", check).status is (OK if clinic.engine == "mysql" else UNKNOWN)
    finally:
        clinic.server.sql("DROP TABLE IF EXISTS shop.a, shop.b, shop.n, shop.y, shop.z")


def test_what_counts_as_a_key(clinic: Clinic) -> None:
    keyed = {"a": "(a int PRIMARY KEY)", "b": "(a int NOT NULL, UNIQUE (a))"}
    keyless = {"c": "(a int)", "d": "(a int, KEY (a))", "e": "(a int, UNIQUE (a))"}
    with tables(clinic, **keyed, **keyless):
        result = clinic.one("watcher", "my.table.no_pk")
        assert {row["object"] for row in result.evidence} == {f"table:shop.{name}" for name in keyless}
        assert result.status is WARNING


def test_engines_without_transactions(clinic: Clinic, at: At) -> None:
    there = {row[0] for row in clinic.server.sql("SHOW ENGINES") if row[1] in ("YES", "DEFAULT")}
    every = [engine for engine in ("MyISAM", "Aria", "CSV", "ARCHIVE", "MEMORY") if engine in there]
    assert {"MyISAM", "CSV", "MEMORY"} <= set(every)
    with tables(clinic, **{engine.lower(): f"(a int NOT NULL) ENGINE = {engine}" for engine in every}):
        result = clinic.one("watcher", "my.table.engine")
        assert (result.status, result.affected) == (WARNING, len(every))
        for engine in every:
            assert at(result, f"table:shop.{engine.lower()}")["engine"] == engine
        clinic.server.sql(sql_of(result))
        assert clinic.one("watcher", "my.table.engine").status is OK


def test_asking_leaves_nothing_behind(clinic: Clinic) -> None:
    def written() -> list[tuple[Any, ...]]:
        logs: list[tuple[Any, ...]] = clinic.server.sql("SHOW BINARY LOGS")
        counters = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_insert', 'Com_create_table', 'Com_set_password')"
        return [*logs, *clinic.server.sql(counters)]

    before = written()
    clinic.report("watcher", "my.*")
    assert written() == before
    left = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'watcher'"
    clinic.until(lambda: clinic.server.sql(left) == [(0,)])  # a session ends a moment after who had it left


def test_a_remedy_for_a_permission_says_what_it_opens(clinic: Clinic) -> None:
    result = clinic.one("plain", "my.table.engine")
    assert result.remedy == Remedy(
        text="The login needs REFERENCES on all tables, which shows their structure and no row.",
        sql="GRANT REFERENCES ON *.* TO `plain`@`%`;",
    )
    for statement in ("SELECT * FROM shop.orders", "CREATE TABLE shop.x (a int)", "SELECT * FROM mysql.user"):
        with pytest.raises(pymysql.OperationalError, match="denied"):
            clinic.server.sql(statement, user="watcher")
