"""Checks of tables, rights, certificates, clusters and versions, from recorded answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import msgspec
import pytest

from dbops.health.decide import judge, observe
from dbops.model.finding import Missing
from dbops.model.health import Answer, Check, CheckResult, HealthFacts, Row, Status
from dbops.model.server import Server
from dbops_mysql.health import MariaDBHealth, MySQLHealth
from dbops_mysql.health.checks import version
from dbops_mysql.health.checks.access import moment
from dbops_mysql.health.checks.tables import AutoIncrement, used_and_left

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
HEALTH = {"mysql": MySQLHealth(), "mariadb": MariaDBHealth()}
BOTH = [MYSQL, MARIADB]
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


# Tables

COLUMN: Row = {
    "schema": "sh`op", "name": "t", "column": "id", "type": "smallint", "is_unsigned": 0, "next_value": 32001,
    "unread": None,
}  # fmt: skip


@pytest.mark.parametrize("server", BOTH, ids=lambda one: one.engine)
def test_auto_increments(server: Server) -> None:
    found = result("my.autoinc", server, rights=SEES_ALL, auto_increments=[COLUMN])
    assert (found.status, found.value) == (CRITICAL, 97.6592)
    assert found.summary == "column:`sh``op`.t.id: sh`op.t.id (smallint): 767 values left, 97.66 % used"
    assert found.remedy is not None
    assert found.remedy.sql == ("ALTER TABLE `sh``op`.`t` MODIFY COLUMN `id` bigint unsigned NOT NULL AUTO_INCREMENT;")
    assert result("my.autoinc", server, rights=SEES_ALL, auto_increments=[]).status is OK
    widest: Row = {**COLUMN, "type": "bigint", "is_unsigned": 1, "next_value": 2**64 - 1}
    found = result("my.autoinc", server, rights=SEES_ALL, auto_increments=[widest])
    assert found.status is CRITICAL
    assert found.remedy is not None
    assert found.remedy.sql == ""


@pytest.mark.parametrize(
    ("type_", "unsigned", "limit"),
    [
        ("tinyint", False, 127),
        ("tinyint", True, 255),
        ("smallint", False, 32767),
        ("mediumint", True, 16777215),
        ("int", False, 2147483647),
        ("bigint", False, 2**63 - 1),
        ("bigint", True, 2**64 - 1),
        ("float", False, 2**24),
        ("double", False, 2**53),
    ],
)
def test_how_far_an_auto_increment_is(type_: str, unsigned: bool, limit: int) -> None:
    def one(next_value: int | None) -> tuple[float, int] | None:
        return used_and_left(AutoIncrement("s", "t", next_value, "c", type_, unsigned))

    assert one(None) == one(1) == one(0) == (0.0, limit)
    assert one(limit + 1) == (100.0, 0)
    assert one(limit + 9) == (100.0, 0)


def test_an_auto_increment_that_was_not_read() -> None:
    locked: Row = {**COLUMN, "next_value": 4294967295, "unread": "Lock wait timeout exceeded"}
    found = result("my.autoinc", rights=SEES_ALL, auto_increments=[locked])
    assert (found.status, found.reason) == (UNKNOWN, "lock_timeout")
    assert found.summary == "table:`sh``op`.t: its next value could not be read: Lock wait timeout exceeded"
    unknown: Row = {**COLUMN, "type": "decimal"}
    assert result("my.autoinc", rights=SEES_ALL, auto_increments=[unknown]).reason == "null_value"


TABLE: Row = {"schema": "shop", "name": "a.b", "engine": "MyISAM", "unread": None}


def test_tables_without_transactions() -> None:
    found = result("my.table.engine", rights=SEES_ALL, engines=[TABLE, {**TABLE, "name": "m", "engine": "MEMORY"}])
    assert (found.status, found.affected) == (WARNING, 2)
    assert found.remedy is not None
    assert "ALTER TABLE `shop`.`a.b` ENGINE = InnoDB;" in found.remedy.sql.splitlines()
    assert result("my.table.engine", rights=SEES_ALL, engines=[]).status is OK
    broken: Row = {**TABLE, "engine": None, "unread": "Table 'shop.x' doesn't exist in engine"}
    found = result("my.table.engine", rights=SEES_ALL, engines=[broken])
    assert found.status is UNKNOWN
    assert "doesn't exist in engine" in found.summary


def test_tables_without_a_key() -> None:
    found = result("my.table.no_pk", rights=SEES_ALL, keyless=[TABLE])
    assert found.status is WARNING
    assert found.remedy is not None
    assert found.remedy.sql.startswith(
        "ALTER TABLE `shop`.`a.b` ADD COLUMN `id` bigint unsigned NOT NULL AUTO_INCREMENT"
    )
    assert result("my.table.no_pk", rights=SEES_ALL, keyless=[]).status is OK
    assert result("my.table.no_pk", rights=SEES_ALL, keyless=[{**TABLE, "unread": "locked"}]).reason == "lock_timeout"


@pytest.mark.parametrize("check", ["my.autoinc", "my.table.engine", "my.table.no_pk"])
@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["GRANT USAGE ON *.* TO `x`@`%`"], "there is no right on all of them"),
        (["GRANT PROCESS, TRIGGER, EVENT ON *.* TO `x`@`%`", "GRANT SELECT ON `shop`.* TO `x`@`%`"], "no right on all"),
        (
            ["GRANT SELECT ON *.* TO `x`@`%`", "REVOKE SELECT ON `secret`.* FROM `x`@`%`"],
            "rights on some databases are revoked again",
        ),
    ],
)
def test_hidden_tables_are_never_well(check: str, lines: list[str], why: str) -> None:
    need = next(one for one in check_of(check, MYSQL).needs if one != "rights")
    rights: list[Row] = [{"Grants": line} for line in lines]
    found = measured(check, {"rights": rights, need: []})
    assert (found.status, found.reason) == (UNKNOWN, "hidden_rows")
    assert why in found.summary
    assert found.remedy is not None
    assert found.remedy.sql == "GRANT REFERENCES ON *.* TO `o``dd`@`10.%`;"


def test_what_is_seen_in_spite_of_missing_rights_counts() -> None:
    found = result("my.autoinc", rights=SEES_SELF, auto_increments=[COLUMN])
    assert found.status is CRITICAL
    well: Row = {**COLUMN, "next_value": 5}
    assert result("my.autoinc", rights=SEES_SELF, auto_increments=[well]).status is UNKNOWN


def test_without_grant_tables_nothing_is_hidden() -> None:
    nobody = msgspec.structs.replace(MYSQL, user="skip-grants user@skip-grants host")
    refused = Missing("query_failed", "running with the --skip-grant-tables option")
    found = result("my.access.skip_grants", nobody)
    assert found.status is CRITICAL
    assert "whoever reaches this server may do everything" in found.summary
    there = msgspec.structs.replace(MARIADB, user="@")
    assert result("my.access.skip_grants", there).status is CRITICAL
    assert result("my.access.skip_grants", msgspec.structs.replace(MARIADB, user="@%")).status is OK
    assert result("my.table.engine", nobody, rights=refused, engines=[]).status is OK
    assert result("my.table.engine", rights=refused, engines=[]).status is UNKNOWN
    assert result("my.table.engine", rights=refused, engines=[TABLE]).status is WARNING


# TLS


@pytest.mark.parametrize(
    ("counters", "known", "status", "said"),
    [
        ({"Ssl_server_not_after": "Nov  2 16:09:06 2036 GMT"}, {}, OK, "the certificate expires on 2036-11-02"),
        ({"Ssl_server_not_after": "May 20 00:00:00 2026 GMT"}, {}, WARNING, "the certificate expires on 2026-05-20"),
        ({"Ssl_server_not_after": "May  3 00:00:00 2026 GMT"}, {}, CRITICAL, "the certificate expires on 2026-05-03"),
        ({"Ssl_server_not_after": "Apr 30 00:00:00 2026 GMT"}, {}, CRITICAL, "the certificate expired on 2026-04-30"),
        ({"Ssl_server_not_after": ""}, {}, WARNING, "there is no TLS"),
        ({"Ssl_server_not_after": "soon"}, {}, UNKNOWN, "when it expires is not known"),
        ({}, {}, UNKNOWN, "this server does not tell Ssl_server_not_after"),
        ({}, {"skip_networking": "ON"}, SKIPPED, "nobody connects over a network"),
        (
            {"Ssl_server_not_after": "Nov  2 16:09:06 2036 GMT"}, {"tls_version": "TLSv1,TLSv1.1,TLSv1.2"}, WARNING,
            "old protocols are accepted: TLSv1, TLSv1.1",
        ),
    ],
)  # fmt: skip
def test_tls(counters: dict[str, str], known: dict[str, str], status: Status, said: str) -> None:
    found = result("my.tls", status=pairs(**counters), variables=pairs(**{"tls_version": "TLSv1.2,TLSv1.3", **known}))
    assert found.status is status
    assert said in found.summary


def test_plain_connections_are_mentioned() -> None:
    counters = pairs(Ssl_server_not_after="Nov 22 16:09:06 2036 GMT")
    found = result("my.tls", status=counters, variables=pairs(require_secure_transport="OFF"))
    assert found.summary.endswith("; connections without TLS are accepted, too")
    found = result("my.tls", status=counters, variables=pairs(require_secure_transport="ON"))
    assert found.summary == "the certificate expires on 2036-11-22"


@pytest.mark.parametrize("text", ["", "Foo 1 2:3:4 2020 GMT", "Jan 99 00:00:00 2020 GMT", "Jan 1 2020"])
def test_what_is_no_moment(text: str) -> None:
    assert moment(text) is None


# Clusters

NODE = {
    "wsrep_cluster_status": "Primary", "wsrep_ready": "ON", "wsrep_connected": "ON", "wsrep_local_state": "4",
    "wsrep_local_state_comment": "Synced", "wsrep_cluster_size": "3", "wsrep_flow_control_paused": "0.0",
    "wsrep_local_recv_queue": "0",
}  # fmt: skip


@pytest.mark.parametrize("server", BOTH, ids=lambda one: one.engine)
@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({}, OK, "synced, in a cluster of 3"),
        ({"wsrep_cluster_status": "non-Primary"}, CRITICAL, "wsrep_cluster_status is non-Primary, not Primary"),
        ({"wsrep_ready": "OFF"}, CRITICAL, "wsrep_ready is OFF, not ON"),
        ({"wsrep_connected": "OFF"}, CRITICAL, "wsrep_connected is OFF"),
        (
            {"wsrep_local_state": "2", "wsrep_local_state_comment": "Donor/Desynced"},
            WARNING,
            "the node is Donor/Desynced, not synced",
        ),
        ({"wsrep_cluster_size": "2"}, WARNING, "wsrep_cluster_size is 2: the loss of one node stops the cluster"),
        ({"wsrep_flow_control_paused": "0.5"}, WARNING, "the cluster waited for slow nodes 50 % of the time since"),
        ({"wsrep_local_recv_queue": "500"}, WARNING, "500 write sets wait to be applied here"),
        ({"wsrep_cluster_size": "?"}, UNKNOWN, "wsrep_cluster_size is '?'"),
    ],
)
def test_a_galera_node(server: Server, change: dict[str, str], status: Status, said: str) -> None:
    counters, known = pairs(**{**NODE, **change}), pairs(wsrep_on="ON")
    found = result("my.cluster", server, status=counters, variables=known, members=[])
    assert found.status is status
    assert said in found.summary


def test_a_galera_node_that_tells_nothing() -> None:
    found = result("my.cluster", MARIADB, status=[], variables=pairs(wsrep_on="ON"))
    assert found.status is CRITICAL
    assert result("my.cluster", MARIADB, status=[], variables=pairs(wsrep_on="OFF")).status is SKIPPED
    assert result("my.cluster", MARIADB, status=[], variables=[]).status is SKIPPED


GROUP = pairs(group_replication_group_name="g", performance_schema="ON")
MEMBER: Row = {"id": "own-uuid", "host": "db1", "port": 3306, "state": "ONLINE", "role": "PRIMARY"}
OTHER: Row = {"id": "other", "host": "db2", "port": 3306, "state": "ONLINE", "role": "SECONDARY"}


@pytest.mark.parametrize(
    ("members", "status", "said"),
    [
        ([MEMBER, OTHER], OK, "online as PRIMARY, in a group of 2"),
        ([{**MEMBER, "host": "", "port": None, "state": "OFFLINE"}], CRITICAL, "this member (own) is OFFLINE"),
        ([{**MEMBER, "state": "ERROR"}, OTHER], CRITICAL, "this member (db1:3306) is ERROR"),
        ([OTHER], CRITICAL, "this member (own) is not in the list"),
        ([MEMBER, {**OTHER, "state": "UNREACHABLE"}], WARNING, "db2:3306 is UNREACHABLE"),
        ([{**MEMBER, "state": "RECOVERING"}, {**OTHER, "role": "PRIMARY"}], WARNING, "db1:3306 is RECOVERING"),
        ([{**MEMBER, "role": "SECONDARY"}, OTHER], CRITICAL, "no member is primary: nobody can write"),
    ],
)
def test_a_member_of_a_group(members: list[Row], status: Status, said: str) -> None:
    found = result("my.cluster", status=[], variables=GROUP, members=members)
    assert found.status is status
    assert said in found.summary


def test_a_group_that_is_not_seen() -> None:
    off = pairs(group_replication_group_name="g", performance_schema="OFF")
    assert result("my.cluster", status=[], variables=off, members=[]).reason == "feature_off"
    assert result("my.cluster", status=[], variables=GROUP, members=[]).reason == "no_rows"
    refused = result("my.cluster", status=[], variables=GROUP, members=Missing("no_permission", "denied"))
    assert (refused.status, refused.reason) == (UNKNOWN, "no_permission")
    assert refused.remedy is not None
    assert refused.remedy.sql == "GRANT SELECT ON performance_schema.* TO `o``dd`@`10.%`;"
    alone = pairs(performance_schema="ON")
    assert result("my.cluster", status=[], variables=alone, members=Missing("no_permission")).status is SKIPPED


# Versions


def server_of(server: Server, *numbers: int) -> Server:
    return msgspec.structs.replace(server, version=numbers, version_text=".".join(map(str, numbers)))


def test_the_end_of_life_of_each_series() -> None:
    assert measured("my.version.eol", {}, server_of(MYSQL, 8, 4, 1)).status is OK
    ended = measured("my.version.eol", {}, server_of(MYSQL, 8, 0, 46), datetime(2026, 5, 1, tzinfo=UTC))
    assert (ended.status, ended.value) == (CRITICAL, -1.0)
    assert ended.summary == "support of MySQL 8.0 ended on 2026-04-30"
    soon = measured("my.version.eol", {}, server_of(MARIADB, 10, 6, 20))
    assert (soon.status, soon.summary) == (WARNING, "support of MariaDB 10.6 ends on 2026-07-06")
    new = measured("my.version.eol", {}, server_of(MYSQL, 26, 10, 0))
    assert (new.status, new.reason) == (UNKNOWN, "stale_input")


@pytest.mark.parametrize("engine", ["mysql", "mariadb"])
def test_the_series_are_in_order(engine: str) -> None:
    known = version.series(engine)
    assert list(known) == sorted(known, key=lambda name: [int(part) for part in name.split(".")])
    assert all(one.end_of_life > date(2023, 1, 1) for one in known.values())
