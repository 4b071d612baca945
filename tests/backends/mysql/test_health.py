"""The catalogues of MySQL and MariaDB as a whole, and the pure functions that measure, from recorded answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.health.decide import fits, judge, observe
from dbops.model.finding import Missing
from dbops.model.health import Answer, Check, CheckResult, HealthFacts, Question, Row, Status
from dbops.model.server import Server, within
from dbops_mysql.health import MariaDBHealth, MySQLHealth
from dbops_mysql.health.checks import settings
from dbops_mysql.health.checks.locks import Hold, root_of

NOW = datetime(2026, 5, 1, tzinfo=UTC)
OK, WARNING, CRITICAL, UNKNOWN, SKIPPED = (
    Status.OK,
    Status.WARNING,
    Status.CRITICAL,
    Status.UNKNOWN,
    Status.SKIPPED,
)
MYSQL = Server(
    engine="mysql", version=(9, 7, 4), version_text="9.7.4", role="primary", incarnation="own-uuid", user="o`dd@10.%"
)
MARIADB = msgspec.structs.replace(MYSQL, engine="mariadb", version=(10, 11, 19), version_text="10.11.19")
REPLICA = msgspec.structs.replace(MYSQL, role="standby")
HEALTH = {"mysql": MySQLHealth(), "mariadb": MariaDBHealth()}
BOTH = [MYSQL, MARIADB]
EVERY = [(server, check) for server in BOTH for check in HEALTH[server.engine].checks()]
NEEDY = [(server, check) for server, check in EVERY if check.needs]
Rows = Mapping[str, list[Row] | Missing]

SEES_ALL: list[Row] = [{"Grants for x@%": "GRANT PROCESS, REPLICATION CLIENT, REFERENCES ON *.* TO `x`@`%`"}]
SEES_SELF: list[Row] = [{"Grants for x@%": "GRANT USAGE ON *.* TO `x`@`%` IDENTIFIED BY PASSWORD '*SECRET'"}]


def pairs(**values: str) -> list[Row]:
    return [{"Variable_name": name, "Value": value} for name, value in values.items()]


def check_of(identity: str, server: Server) -> Check:
    return next(one for one in HEALTH[server.engine].checks() if one.id == identity)


def measured(identity: str, rows: Rows, server: Server = MYSQL, now: datetime = NOW) -> CheckResult:
    check = check_of(identity, server)
    answers = {name: one if isinstance(one, Missing) else Answer(rows=tuple(one)) for name, one in rows.items()}
    driver = HEALTH[server.engine]
    found = observe(check, HealthFacts(server=answers), lambda known: driver.measure(check, known, server, now))
    return judge(msgspec.structs.replace(check, grants=driver.grants(check, server)), found, (), now)


def result(identity: str, server: Server = MYSQL, **rows: list[Row] | Missing) -> CheckResult:
    return measured(identity, rows, server)


# The catalogue


@pytest.mark.parametrize(("server", "check"), NEEDY, ids=lambda one: getattr(one, "id", None) or one.engine)
@pytest.mark.parametrize("reason", ["no_permission", "timeout", "not_supported_version"])
def test_no_check_is_ok_without_its_facts(server: Server, check: Check, reason: str) -> None:
    found = measured(check.id, dict.fromkeys(check.needs, Missing(reason)), server)
    assert (found.status, found.reason) == (UNKNOWN, reason)


@pytest.mark.parametrize(("server", "check"), NEEDY, ids=lambda one: getattr(one, "id", None) or one.engine)
def test_no_check_is_ok_when_every_column_is_null(server: Server, check: Check) -> None:
    columns = {"Variable_name", "Value", "id", "schema", "name", "length", "wait_s", "Channel_Name"}
    found = measured(check.id, {need: [dict.fromkeys(columns)] for need in check.needs}, server)
    assert found.status is UNKNOWN, found


@pytest.mark.parametrize(("server", "check"), NEEDY, ids=lambda one: getattr(one, "id", None) or one.engine)
def test_no_check_that_reads_counters_or_settings_is_ok_when_there_are_none(server: Server, check: Check) -> None:
    if not {"status", "variables"} & set(check.needs) or check.id == "my.cluster":
        return
    found = measured(check.id, {need: [] for need in check.needs}, server)
    assert found.status in (UNKNOWN, SKIPPED), found


@pytest.mark.parametrize("server", BOTH, ids=lambda one: one.engine)
def test_the_catalogue_is_whole(server: Server) -> None:
    driver = HEALTH[server.engine]
    questions = {question.name for question in driver.questions(server)}
    for check in driver.checks():
        assert {*check.needs, *check.also} <= questions, check.id
        assert check.engine == server.engine
        assert check.id.startswith("my.")
        assert check.remedy.text
        assert check.privilege
        assert check.source
        assert check.remedy.url.startswith("https://")
    used = {need for check in driver.checks() for need in (*check.needs, *check.also)}
    assert used == questions
    assert len(driver.checks()) >= 15


def test_both_engines_have_the_same_checks() -> None:
    """A mysql:// URL may turn out to be MariaDB: what was chosen or accepted by id stays so."""
    assert [one.id for one in HEALTH["mysql"].checks()] == [one.id for one in HEALTH["mariadb"].checks()]


def test_grants_are_for_the_account_in_use() -> None:
    for server, word in ((MYSQL, "REPLICATION CLIENT"), (MARIADB, "SLAVE MONITOR")):
        check = check_of("my.replica.lag", server)
        assert HEALTH[server.engine].grants(check, server) == (f"GRANT {word} ON *.* TO `o``dd`@`10.%`;",)
    nobody = msgspec.structs.replace(MYSQL, user="skip-grants user@skip-grants host")
    assert HEALTH["mysql"].grants(check_of("my.replica.lag", MYSQL), nobody) == ()


@pytest.mark.parametrize(
    "question",
    [one for server in BOTH for one in HEALTH[server.engine].questions(server)],
    ids=lambda question: question.name,
)
def test_each_question_says_versions_and_privilege_and_only_reads(question: Question) -> None:
    comment = " ".join(line.strip("- ") for line in question.sql.splitlines() if line.startswith("--"))
    body = "\n".join(line for line in question.sql.splitlines() if not line.startswith("--"))
    assert re.search(r"MySQL 8\.0|MariaDB 10\.6\+", comment)
    assert re.search(r"no privilege|PROCESS|REPLICATION CLIENT|SLAVE MONITOR|privilege on each|SELECT on", comment)
    assert body.startswith(("SELECT", "SHOW"))
    assert not re.search(
        r"\b(INSERT|UPDATE|DELETE|ALTER|CREATE|DROP|LOCK|SET|FLUSH|KILL)\b", re.sub("'[^']*'", "", body)
    )


def test_replicas_are_asked_for_in_the_words_of_each_version() -> None:
    questions = [one for one in HEALTH["mysql"].questions(MYSQL) if one.name == "replicas"]
    for numbers in ((8, 0, 11), (8, 0, 21), (8, 0, 22), (8, 4, 0), (9, 7, 4)):
        asked = [one.sql.splitlines()[-1] for one in questions if within(numbers, one.since, one.until)]
        assert asked == ["SHOW SLAVE STATUS" if numbers < (8, 0, 22) else "SHOW REPLICA STATUS"]


# Sessions


def test_connections() -> None:
    counters = pairs(Threads_connected="122", Max_used_connections="130")
    found = result("my.connections.saturation", status=counters, variables=pairs(max_connections="151"))
    assert (found.status, found.value) == (WARNING, 80.79)
    assert found.summary == "122 of 151 connections in use (81 %), 130 at the most so far"
    full = pairs(Threads_connected="151", Max_used_connections="152")
    assert result("my.connections.saturation", status=full, variables=pairs(max_connections="151")).status is CRITICAL
    few = result("my.connections.saturation", status=counters, variables=pairs(max_connections="0"))
    assert (few.status, few.reason) == (UNKNOWN, "null_value")
    odd = pairs(Threads_connected="many", Max_used_connections="1")
    assert result("my.connections.saturation", status=odd, variables=pairs(max_connections="9")).reason == "null_value"
    assert result("my.connections.saturation", status=[], variables=[]).reason == "no_rows"


TRANSACTION: Row = {
    "id": 7, "user": "app", "host": "10.0.0.9:4711", "db": "shop", "command": "Sleep", "state_s": 380,
    "state": "RUNNING", "rows_locked": 3, "rows_modified": 1, "age_s": 400, "wait_s": None,
}  # fmt: skip


def test_long_transactions() -> None:
    assert result("my.trx.long", transactions=[]).status is OK
    found = result("my.trx.long", transactions=[TRANSACTION])
    assert found.status is WARNING
    assert found.summary == "session 7 (app@10.0.0.9, shop) has held a transaction open for 6m 40s, idle for 6m 20s"
    assert found.remedy is not None
    assert found.remedy.sql == "KILL 7;"
    busy: Row = {**TRANSACTION, "command": "Query", "age_s": 4000, "db": None}
    found = result("my.trx.long", transactions=[busy])
    assert found.status is CRITICAL
    assert found.summary == "session 7 (app@10.0.0.9, no database) has held a transaction open for 1h 6m, running"
    assert result("my.trx.long", transactions=[{**TRANSACTION, "age_s": -3}]).value == 0.0
    assert result("my.trx.long", transactions=[{**TRANSACTION, "age_s": None}]).reason == "null_value"


def test_a_managed_service_keeps_kill_to_itself() -> None:
    managed = msgspec.structs.replace(MYSQL, edition="Amazon RDS")
    found = result("my.trx.long", managed, transactions=[TRANSACTION])
    assert found.remedy is not None
    assert found.remedy.sql == "CALL mysql.rds_kill(7);"


def test_a_transaction_that_xa_left() -> None:
    left: Row = {"id": 0, "age_s": 7200, "state": "RUNNING"}
    found = result("my.trx.long", transactions=[left])
    assert found.status is CRITICAL
    assert "a transaction that XA prepared and left has been open for 2h 0m" in found.summary
    assert found.remedy is not None
    assert found.remedy.sql.startswith("XA RECOVER;")


# Locks


def trx(number: int, wait_s: int | None = None, command: str = "Query") -> Row:
    return {**TRANSACTION, "id": number, "wait_s": wait_s, "command": command, "age_s": 100}


@pytest.mark.parametrize("server", BOTH, ids=lambda one: one.engine)
def test_row_locks_name_the_root(server: Server) -> None:
    queue = [trx(1, command="Sleep"), trx(2, 90), trx(3, 80)]
    holds: list[Row] = [
        {"waiting": 2, "holding": 1, "what": "`shop`.`t`"},
        {"waiting": 3, "holding": 2, "what": "`shop`.`t`"},
    ]
    found = result("my.locks.waits", server, transactions=queue, row_waits=holds)
    assert (found.status, found.value, found.affected) == (WARNING, 90.0, 2)
    assert {row["root"] for row in found.evidence} == {1}
    assert found.summary == (
        "session 2 (app@10.0.0.9, shop) has waited 1m 30s for a row of `shop`.`t`; the root of the queue is session 1 "
        "(app@10.0.0.9, shop, idle) (and 1 more)"
    )
    assert found.remedy is not None
    assert set(found.remedy.sql.splitlines()) == {"KILL 1;"}
    assert result("my.locks.waits", server, transactions=[trx(1)]).status is OK


def test_row_locks_are_measured_even_where_the_root_is_not_told() -> None:
    answers: tuple[list[Row] | Missing, ...] = (Missing("no_permission", "SELECT command denied"), [])
    for unknown in answers:
        found = result("my.locks.waits", transactions=[trx(2, 400)], row_waits=unknown)
        assert found.status is CRITICAL
        assert "has waited 6m 40s for a row (by whom is not known)" in found.summary
        assert found.evidence[0]["root"] is None
    assert result("my.locks.waits", transactions=[trx(1)], row_waits=Missing("no_permission")).status is OK


def test_the_root_may_be_a_transaction_that_nobody_has() -> None:
    holds: list[Row] = [{"waiting": 2, "holding": 0, "what": None}]
    found = result("my.locks.waits", transactions=[trx(2, 70)], row_waits=holds)
    assert "the root of the queue is a transaction that XA prepared and left" in found.summary
    gone: list[Row] = [{"waiting": 2, "holding": 99, "what": "`a`.`b`"}]
    found = result("my.locks.waits", transactions=[trx(2, 70)], row_waits=gone)
    assert found.summary.endswith("; the root of the queue is session 99")


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), max_size=12), st.integers(1, 6))
def test_the_search_for_the_root_ends(pairs_: list[tuple[int, int]], start: int) -> None:
    holds = [Hold(waiting, holding) for waiting, holding in pairs_]
    root = root_of(start, holds)
    waits = {hold.waiting for hold in holds}
    assert root == start or root in {hold.holding for hold in holds}
    if root in waits and root != start:  # a circle
        assert all(
            other in waits or other == start for hold in holds if hold.waiting == root for other in [hold.holding or 0]
        )


WAITING: Row = {
    "id": 5, "user": "app", "host": "web:1", "db": "shop", "command": "Query", "wait_s": 45,
    "state": "Waiting for table metadata lock",
}  # fmt: skip


def test_waiting_for_a_table() -> None:
    assert result("my.locks.mdl", rights=SEES_ALL, waiting=[]).status is OK
    holds: list[Row] = [{"waiting": 5, "holding": 7, "what": "`shop`.`t`"}]
    found = result("my.locks.mdl", rights=SEES_ALL, waiting=[WAITING], holders=holds, transactions=[TRANSACTION])
    assert found.status is WARNING
    assert found.summary == (
        "session 5 (app@web, shop) is waiting for table metadata lock since 45s of `shop`.`t`; the root of the queue "
        "is session 7 (app@10.0.0.9, shop, idle)"
    )
    assert found.remedy is not None
    assert found.remedy.sql == "KILL 7;"


def test_waiting_for_a_table_where_performance_schema_is_off() -> None:
    found = result("my.locks.mdl", MARIADB, rights=SEES_ALL, waiting=[WAITING], holders=[], transactions=[])
    assert found.status is WARNING
    assert "(by whom is not known)" in found.summary
    assert "performance_schema is off" in str(found.evidence[0]["root_unknown"])


def test_hidden_sessions_are_never_well() -> None:
    found = result("my.locks.mdl", rights=SEES_SELF, waiting=[])
    assert (found.status, found.reason) == (UNKNOWN, "hidden_rows")
    assert found.remedy is not None
    assert found.remedy.sql == "GRANT PROCESS ON *.* TO `o``dd`@`10.%`;"
    assert "SECRET" not in str(found)
    own = result("my.locks.mdl", rights=SEES_SELF, waiting=[{**WAITING, "wait_s": 400}])
    assert own.status is CRITICAL


# InnoDB


def test_history() -> None:
    for length, status in ((5, OK), (100_000, WARNING), (1_000_000, CRITICAL)):
        assert result("my.undo.history", history=[{"length": length, "status": "enabled"}]).status is status
        counters = pairs(Innodb_history_list_length=str(length))
        assert result("my.undo.history", MARIADB, status=counters).status is status
    off = result("my.undo.history", history=[{"length": 0, "status": "disabled"}])
    assert (off.status, off.reason) == (UNKNOWN, "feature_off")
    assert result("my.undo.history", history=[]).reason == "no_rows"


def test_redo() -> None:
    capacity = 100 * 2**20
    for used, status in ((0, OK), (0.65, WARNING), (0.79, CRITICAL)):
        mine = pairs(
            Innodb_redo_log_capacity_resized=str(capacity), Innodb_redo_log_logical_size=str(int(used * capacity))
        )
        assert result("my.redo.used", status=mine).status is status
        theirs = pairs(
            Innodb_checkpoint_age=str(int(used * capacity)), Innodb_checkpoint_max_age=str(int(0.8 * capacity))
        )
        assert result("my.redo.used", MARIADB, status=theirs).status is status
    none = pairs(Innodb_checkpoint_age="1", Innodb_checkpoint_max_age="0")
    assert result("my.redo.used", MARIADB, status=none).reason == "null_value"
    old = msgspec.structs.replace(MYSQL, version=(8, 0, 29))
    assert fits(check_of("my.redo.used", MYSQL), old) is not None


# Replication

CHANNEL: Row = {
    "Channel_Name": "", "Source_Host": "db1", "Source_Port": 3306, "Replica_IO_Running": "Yes",
    "Replica_SQL_Running": "Yes", "Seconds_Behind_Source": 0, "SQL_Delay": 0, "Last_IO_Errno": 0, "Last_IO_Error": "",
    "Last_SQL_Errno": 0, "Last_SQL_Error": "",
}  # fmt: skip
OLDER = {
    name.replace("Replica", "Slave").replace("Source", "Master").replace("Channel_Name", "Connection_name"): value
    for name, value in CHANNEL.items()
}


@pytest.mark.parametrize(
    ("change", "status", "said", "sql"),
    [
        ({}, OK, "replication from db1:3306 runs", None),
        ({"Channel_Name": "eu"}, OK, "the channel 'eu' from db1:3306 runs", None),
        (
            {"Replica_IO_Running": "No", "Replica_SQL_Running": "No"}, CRITICAL,
            "replication from db1:3306 does not receive nor apply: it was stopped", "START REPLICA FOR CHANNEL '';",
        ),
        (
            {"Replica_SQL_Running": "No", "Last_SQL_Errno": 1062, "Last_SQL_Error": "Duplicate entry '1'"}, CRITICAL,
            "replication from db1:3306 does not apply: 1062: Duplicate entry '1'", "",
        ),
        (
            {"Replica_IO_Running": "Connecting", "Last_IO_Errno": 2003, "Last_IO_Error": "error connecting"}, CRITICAL,
            "replication from db1:3306 cannot connect: 2003: error connecting", "",
        ),
        ({"Replica_IO_Running": "Connecting"}, WARNING, "replication from db1:3306 is connecting", ""),
        (
            {"Channel_Name": "it's", "Replica_IO_Running": "No"}, CRITICAL, "does not receive: it was stopped",
            "START REPLICA FOR CHANNEL 'it''s';",
        ),
    ],
)  # fmt: skip
def test_replication_runs(change: Row, status: Status, said: str, sql: str | None) -> None:
    found = result("my.replica.running", replicas=[{**CHANNEL, **change}])
    assert found.status is status
    assert said in found.summary
    assert (found.remedy.sql if found.remedy else None) == sql


def test_the_names_of_before() -> None:
    stopped = {**OLDER, "Slave_SQL_Running": "No", "Connection_name": "eu"}
    found = result("my.replica.running", MARIADB, replicas=[OLDER, stopped])
    assert (found.status, found.objects) == (CRITICAL, 2)
    assert found.remedy is not None
    assert found.remedy.sql == "START REPLICA 'eu';"
    old = msgspec.structs.replace(MYSQL, version=(8, 0, 21))
    stopped = {**OLDER, "Slave_SQL_Running": "No", "Channel_Name": "eu"}
    del stopped["Connection_name"]
    found = result("my.replica.running", old, replicas=[stopped])
    assert found.remedy is not None
    assert found.remedy.sql == "START SLAVE FOR CHANNEL 'eu';"


def test_statements_in_errors_are_left_out() -> None:
    error = "Error 'x' on query. Default database: 'd'. Query: 'CREATE USER a IDENTIFIED BY PASSWORD '*HASH''"
    found = result(
        "my.replica.running",
        replicas=[{**CHANNEL, "Replica_SQL_Running": "No", "Last_SQL_Errno": 1, "Last_SQL_Error": error}],
    )
    assert "HASH" not in str(found)
    assert "Error 'x' on query." in found.summary


def test_columns_that_are_not_there() -> None:
    without = {name: value for name, value in CHANNEL.items() if name != "SQL_Delay"}
    for check in ("running", "lag"):
        found = result(f"my.replica.{check}", replicas=[without])
        assert (found.status, found.reason) == (UNKNOWN, "null_value")


@pytest.mark.parametrize("check", ["running", "lag", "readonly"])
def test_a_server_that_is_no_replica(check: str) -> None:
    known = pairs(read_only="OFF")
    found = result(f"my.replica.{check}", replicas=[], variables=known)
    assert (found.status, found.reason) == (SKIPPED, "not_applicable")
    group: Row = {**CHANNEL, "Channel_Name": "group_replication_applier", "Source_Host": None}
    assert result(f"my.replica.{check}", replicas=[group], variables=known).status is SKIPPED
    for word, value in (("group_replication_group_name", "g"), ("wsrep_on", "ON")):
        member = pairs(read_only="ON", **{word: value})
        assert result(f"my.replica.{check}", REPLICA, replicas=[], variables=member).status is SKIPPED
    lost = result(f"my.replica.{check}", REPLICA, replicas=[], variables=known)
    assert (lost.status, lost.reason) == (UNKNOWN, "no_rows")
    assert lost.summary == "it replicates from nobody: it is read only and has no channel"
    managed = msgspec.structs.replace(REPLICA, edition="Amazon Aurora")
    assert result(f"my.replica.{check}", managed, replicas=[], variables=known).status is SKIPPED


@pytest.mark.parametrize(
    ("behind", "delay", "status", "value"),
    [
        (0, 0, OK, 0.0),
        (30, 0, WARNING, 30.0),
        (300, 0, CRITICAL, 300.0),
        (3600, 3600, OK, 0.0),
        (10, 3600, OK, 0.0),
        (3640, 3600, WARNING, 40.0),
        (None, 0, UNKNOWN, None),
    ],
)
def test_lag(behind: int | None, delay: int, status: Status, value: float | None) -> None:
    channel: Row = {**CHANNEL, "Seconds_Behind_Source": behind, "SQL_Delay": delay}
    found = result("my.replica.lag", replicas=[channel])
    assert (found.status, found.value) == (status, value)
    if delay:
        assert "not counting the 1h 0m that are meant" in found.summary
    if behind is None:
        assert found.reason == "null_value"
        assert "it does not say so while it is not running" in found.summary


@pytest.mark.parametrize("half", ["Replica_IO_Running", "Replica_SQL_Running"])
def test_a_half_that_stands_still_says_nothing_about_the_lag(half: str) -> None:
    found = result("my.replica.lag", replicas=[{**CHANNEL, half: "No", "Seconds_Behind_Source": 0}])
    assert (found.status, found.value, found.reason) == (UNKNOWN, None, "null_value")


def test_replicas_that_can_be_written_to() -> None:
    for server, sql in ((MYSQL, "SET PERSIST super_read_only = ON;"), (MARIADB, "SET GLOBAL read_only = ON;")):
        found = result("my.replica.readonly", server, replicas=[CHANNEL], variables=pairs(read_only="OFF"))
        assert found.status is WARNING
        assert found.remedy is not None
        assert found.remedy.sql == sql
    half = pairs(read_only="ON", super_read_only="OFF")
    found = result("my.replica.readonly", replicas=[CHANNEL], variables=half)
    assert (found.status, found.summary) == (OK, "it is read only, but not for accounts that may pass it")
    whole = pairs(read_only="ON", super_read_only="ON")
    assert result("my.replica.readonly", replicas=[CHANNEL], variables=whole).summary == "it is read only"
    for word in ("NO_LOCK", "NO_LOCK_NO_ADMIN"):
        newer = pairs(read_only=word)
        assert result("my.replica.readonly", MARIADB, replicas=[OLDER], variables=newer).status is OK


# Binary log


def test_binary_log() -> None:
    assert result("my.binlog.off", variables=pairs(log_bin="ON", binlog_format="MIXED")).status is OK
    assert result("my.binlog.off", variables=pairs(log_bin="OFF")).status is WARNING


@pytest.mark.parametrize(
    ("known", "status", "value"),
    [
        ({"log_bin": "OFF"}, SKIPPED, None),
        ({"binlog_expire_logs_seconds": "2592000"}, OK, 2592000.0),
        ({"binlog_expire_logs_seconds": "3600"}, WARNING, 3600.0),
        ({"binlog_expire_logs_seconds": "0"}, WARNING, None),
        ({"binlog_expire_logs_seconds": "0", "expire_logs_days": "10.000000"}, OK, 864000.0),
        ({"expire_logs_days": "0.000000"}, WARNING, None),
        ({"binlog_expire_logs_seconds": "2592000", "binlog_expire_logs_auto_purge": "OFF"}, WARNING, None),
        ({}, UNKNOWN, None),
    ],
)
def test_retention(known: dict[str, str], status: Status, value: float | None) -> None:
    found = result("my.binlog.retention", variables=pairs(**{"log_bin": "ON", **known}))
    assert (found.status, found.value) == (status, value)


# Settings

WELL = {
    "innodb_force_recovery": "0", "innodb_flush_log_at_trx_commit": "1", "innodb_doublewrite": "ON", "sync_binlog": "1",
    "innodb_flush_method": "O_DIRECT", "innodb_checksum_algorithm": "crc32", "innodb_log_checksums": "ON",
    "replica_skip_errors": "OFF", "slave_skip_errors": "OFF", "log_bin": "ON",
}  # fmt: skip
BAD = {
    "innodb_force_recovery": "3", "innodb_flush_log_at_trx_commit": "2", "innodb_doublewrite": "DETECT_ONLY",
    "sync_binlog": "0", "innodb_flush_method": "nosync", "innodb_checksum_algorithm": "none",
    "innodb_log_checksums": "OFF", "replica_skip_errors": "1062", "slave_skip_errors": "all",
}  # fmt: skip


@pytest.mark.parametrize("name", settings.WATCHED)
def test_each_dangerous_setting(name: str) -> None:
    counters = pairs(Innodb_redo_log_enabled="ON")
    assert result("my.durability", status=counters, variables=pairs(**WELL)).status is OK
    known = {**WELL, name: BAD[name]}
    if name == "slave_skip_errors":
        assert result("my.durability", status=counters, variables=pairs(**known)).status is OK  # said by the other name
        del known["replica_skip_errors"]
    found = result("my.durability", status=counters, variables=pairs(**known))
    assert found.status is settings.WATCHED[name].state
    assert f"{name} = {BAD[name]}: " in found.summary
    lacking = {key: value for key, value in WELL.items() if key != name}
    found = result("my.durability", status=counters, variables=pairs(**lacking))
    assert found.status is (UNKNOWN if settings.WATCHED[name].always else OK)


def test_what_can_be_set_at_once_is_told() -> None:
    found = result("my.durability", status=[], variables=pairs(**{**WELL, "sync_binlog": "0"}))
    assert found.remedy is not None
    assert found.remedy.sql == "SET GLOBAL sync_binlog = 1;"
    without_log = {**WELL, "sync_binlog": "0", "log_bin": "OFF"}
    assert result("my.durability", MARIADB, status=[], variables=pairs(**without_log)).status is OK
    assert result("my.durability", status=[], variables=pairs(**{**WELL, "innodb_doublewrite": "fast"})).status is OK


def test_the_redo_log_can_be_off() -> None:
    found = result("my.durability", status=pairs(Innodb_redo_log_enabled="OFF"), variables=pairs(**WELL))
    assert found.status is CRITICAL
    assert found.remedy is not None
    assert found.remedy.sql == "ALTER INSTANCE ENABLE INNODB REDO_LOG;"


@pytest.mark.parametrize(
    ("mode", "status"),
    [
        ("ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES", OK),
        ("TRADITIONAL,STRICT_ALL_TABLES", OK),
        ("NO_ENGINE_SUBSTITUTION", WARNING),
        ("", WARNING),
    ],
)
def test_strict_mode(mode: str, status: Status) -> None:
    assert result("my.strict_mode", variables=pairs(sql_mode=mode)).status is status
