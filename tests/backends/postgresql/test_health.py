"""The catalogue of PostgreSQL's checks as a whole, and the pure functions that measure, from facts as rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.health.decide import judge, observe
from dbops.model.finding import Missing
from dbops.model.health import Answer, Check, CheckResult, HealthFacts, Row, Status
from dbops.model.server import Server
from dbops_postgresql.health import PostgreSQLHealth
from dbops_postgresql.health.checks import settings, version
from dbops_postgresql.health.checks.sequences import Sequence, used_and_left

NOW = datetime(2026, 5, 1, tzinfo=UTC)
HEALTH = PostgreSQLHealth()
CHECKS = {check.id: check for check in HEALTH.checks()}
SERVER = Server(
    engine="postgresql", version=(15, 18), version_text="15.18", role="primary", incarnation="1", user='o"dd'
)
MEASURED = [check for check in CHECKS.values() if check.measured_by == "engine"]
SEEN: Row = {"hidden": 0, "total": 5}
HIDDEN: Row = {"hidden": 4, "total": 5}


def result(check: str, server: Server = SERVER, **rows: list[Row] | Missing) -> CheckResult:
    return measured(check, rows, server)


def measured(check: str, rows: Mapping[str, list[Row] | Missing], server: Server = SERVER) -> CheckResult:
    answers = {name: one if isinstance(one, Missing) else Answer(rows=tuple(one)) for name, one in rows.items()}
    local = CHECKS[check].scope == "database"
    facts = HealthFacts(databases={"app": answers}) if local else HealthFacts(server=answers)
    found = observe(CHECKS[check], facts, lambda known: HEALTH.measure(CHECKS[check], known, server, NOW))
    return judge(CHECKS[check], found, (), NOW)


@pytest.mark.parametrize("check", MEASURED, ids=lambda check: check.id)
@pytest.mark.parametrize("reason", ["no_permission", "timeout", "not_supported_version"])
def test_no_check_is_ok_without_its_facts(check: Check, reason: str) -> None:
    if not check.needs:
        return
    found = measured(check.id, dict.fromkeys(check.needs, Missing(reason)))
    assert (found.status, found.reason) == (Status.UNKNOWN, reason)


@pytest.mark.parametrize("check", [one for one in MEASURED if one.needs], ids=lambda check: check.id)
def test_no_check_is_ok_when_every_column_is_null(check: Check) -> None:
    rows: Row = dict.fromkeys(
        (
            "hidden",
            "total",
            "used",
            "max_connections",
            "reserved",
            "database",
            "xid_age",
            "gid",
            "slot",
            "mode",
            "name",
            "pid",
        )
    )
    found = measured(check.id, {need: [rows] for need in check.needs})
    assert found.status is Status.UNKNOWN, found


def test_the_catalogue_is_whole() -> None:
    questions = {question.name: question for question in HEALTH.questions(SERVER)}
    for check in CHECKS.values():
        assert set(check.needs) <= set(questions), check.id
        assert check.remedy.text, check.id
        assert check.privilege, check.id
        assert check.source, check.id
        assert check.remedy.url.startswith("https://"), check.id
        local = any(questions[need].scope == "database" for need in check.needs)
        assert (check.scope == "database") is local, check.id
    assert len(CHECKS) == len(HEALTH.checks())
    used = {need for check in CHECKS.values() for need in check.needs}
    assert set(questions) - used == {"databases"}


def test_grants_are_for_the_login_in_use() -> None:
    assert HEALTH.grants(CHECKS["pg.activity.idle_in_xact"], SERVER) == ('GRANT pg_monitor TO "o""dd";',)


@pytest.mark.parametrize("question", HEALTH.questions(SERVER), ids=lambda question: question.name)
def test_each_question_says_versions_and_privilege_and_only_reads(question: object) -> None:
    sql = getattr(question, "sql")  # noqa: B009  # the ids of parametrize want object
    head, _, body = sql.partition("\n")
    comment = "\n".join(line for line in sql.splitlines() if line.startswith("--"))
    assert head.startswith("-- ")
    assert "PostgreSQL 13+" in comment
    assert re.search(r"no privilege|pg_monitor|SELECT or USAGE", comment)
    assert not re.search(
        r"\b(INSERT|UPDATE|DELETE|ALTER|CREATE|DROP|LOCK TABLE|nextval|setval)\b", re.sub("--.*|'[^']*'", "", body)
    )


def test_connections() -> None:
    row: Row = {"used": 78, "max_connections": 100, "reserved": 3, "active": None, "idle": None}
    found = result("pg.connections.saturation", connections=[row])
    assert (found.status, found.value) == (Status.WARNING, 80.41)
    assert result("pg.connections.saturation", connections=[{**row, "used": None}]).reason == "null_value"
    assert result("pg.connections.saturation", connections=[{**row, "reserved": 100}]).status is Status.UNKNOWN
    assert result("pg.connections.saturation", connections=[]).reason == "no_rows"


IDLE: Row = {"pid": 7, "state": "idle in transaction", "idle_s": 400.0, "role": "app", "database": "shop"}


def test_idle_in_transaction() -> None:
    assert result("pg.activity.idle_in_xact", visibility=[SEEN], idle=[]).status is Status.OK
    found = result("pg.activity.idle_in_xact", visibility=[SEEN], idle=[IDLE])
    assert found.status is Status.WARNING
    assert found.summary == "pid 7 (app@shop) has held a transaction open, idle for 6m 40s"
    aborted: Row = {**IDLE, "state": "idle in transaction (aborted)", "application": "web"}
    found = result("pg.activity.idle_in_xact", visibility=[SEEN], idle=[aborted])
    assert found.summary == "pid 7 (app@shop, web) has held an aborted transaction open, idle for 6m 40s"


def test_idle_in_transaction_with_hidden_sessions_is_never_ok() -> None:
    assert result("pg.activity.idle_in_xact", visibility=[HIDDEN], idle=[]).status is Status.UNKNOWN
    own: Row = {**IDLE, "idle_s": 1.0}
    assert result("pg.activity.idle_in_xact", visibility=[HIDDEN], idle=[own]).status is Status.UNKNOWN
    assert result("pg.activity.idle_in_xact", visibility=[HIDDEN], idle=[IDLE]).status is Status.WARNING


def waits(pid: int, *blockers: int, wait_s: float | None = 90.0, **rest: str) -> Row:
    return {
        "pid": pid, "blockers": list(blockers), "wait_s": wait_s, "locktype": "relation", "state": "active", **rest,
    }  # fmt: skip


def test_blocking_names_the_root() -> None:
    queue = [waits(1, wait_s=None, role="batch", database="shop"), waits(2, 1), waits(3, 1, 2), waits(4, 3)]
    found = result("pg.locks.blocking", visibility=[SEEN], blocking=queue)
    assert (found.status, found.affected) == (Status.WARNING, 3)
    assert {row["root"] for row in found.evidence} == {1}
    assert "the root of the queue is pid 1 (batch@shop, active)" in found.summary
    assert found.remedy is not None
    assert set(found.remedy.sql.splitlines()) == {"SELECT pg_terminate_backend(1);"}


def test_blocking_by_nobody_and_by_what_is_not_seen() -> None:
    assert result("pg.locks.blocking", visibility=[SEEN], blocking=[]).status is Status.OK
    assert result("pg.locks.blocking", visibility=[HIDDEN], blocking=[]).status is Status.UNKNOWN
    found = result("pg.locks.blocking", visibility=[SEEN], blocking=[waits(2, 0, relation="public.t")])
    assert "on public.t; the root of the queue is a prepared transaction" in found.summary
    found = result("pg.locks.blocking", visibility=[SEEN], blocking=[waits(2, 9)])
    assert "pid 9 (of which nothing more is seen)" in found.summary
    found = result("pg.locks.blocking", visibility=[SEEN], blocking=[waits(2, 9, wait_s=None)])
    assert (found.status, found.reason) == (Status.UNKNOWN, "hidden_rows")


def test_a_deadlock_ends_the_search_for_its_root() -> None:
    found = result("pg.locks.blocking", visibility=[SEEN], blocking=[waits(1, 2), waits(2, 1)])
    assert found.affected == 2


@pytest.mark.parametrize(
    ("age", "status"), [(10, Status.OK), (10**9, Status.WARNING), (1_600_000_000, Status.CRITICAL)]
)
@pytest.mark.parametrize(("kind", "other"), [("xid", "mxid"), ("mxid", "xid")])
def test_wraparound(kind: str, other: str, age: int, status: Status) -> None:
    row: Row = {"database": "shop", "xid_freeze_max_age": 2, "mxid_freeze_max_age": 4, f"{kind}_age": age}
    row[f"{other}_age"] = 1
    found = result(f"pg.wraparound.{kind}", wraparound=[row])
    assert found.status is status
    assert found.evidence[0]["left"] == 2**31 - 3_000_000 - age
    assert result(f"pg.wraparound.{other}", wraparound=[row]).status is Status.OK
    assert result(f"pg.wraparound.{kind}", wraparound=[]).status is Status.UNKNOWN


def sequence(**parts: object) -> Sequence:
    usual = {"schema": "s", "name": "q", "readable": True, "locked": False, "increment": 1, "minimum": 1}
    usual |= {"maximum": 2**63 - 1, "cycles": False}
    return msgspec.convert({**usual, **parts}, Sequence)


@pytest.mark.parametrize(
    ("parts", "used", "left"),
    [
        ({"last_value": None}, 0.0, 2**63 - 1),
        ({"last_value": 32760, "column_type": "int2"}, 99.98, 7),
        ({"last_value": 2147483000, "column_type": "int4"}, 100.0, 647),
        ({"last_value": 32767, "column_type": "int2"}, 100.0, 0),
        ({"last_value": 40000, "column_type": "int2"}, 100.0, 0),
        ({"last_value": 5, "column_type": "numeric", "maximum": 10}, 50.0, 5),
        ({"last_value": 5, "maximum": 10, "increment": 2}, 50.0, 2),
        ({"last_value": -95, "minimum": -100, "maximum": -1, "increment": -1}, 95.0, 5),
        (
            {"last_value": -30000, "minimum": -(2**63), "maximum": -1, "increment": -10, "column_type": "int2"},
            91.55,
            276,
        ),
        ({"last_value": 9, "maximum": 10, "cycles": True}, 0.0, 1),
        ({"last_value": 32760, "column_type": "int2", "cycles": True}, 99.98, 7),
        ({"last_value": 1_000_000, "minimum": 1_000_000, "maximum": 2**31, "column_type": "int2"}, 100.0, 0),
    ],
)
def test_how_far_a_sequence_is(parts: dict[str, object], used: float, left: int) -> None:
    share, remaining = used_and_left(sequence(**parts))
    assert (round(share, 2), remaining) == (used, left)


@given(
    st.sampled_from(["int2", "int4", "int8", None]),
    st.integers(-(2**15), 2**15 - 1),
    st.integers(-(2**15), 2**15 - 1),
    st.integers(1, 1000),
    st.booleans(),
)
def test_the_values_that_are_left_can_really_be_taken(kind: str | None, a: int, b: int, step: int, down: bool) -> None:
    low, high = sorted((a, b))
    one = sequence(minimum=low, maximum=high, last_value=a, increment=-step if down else step, column_type=kind)
    share, left = used_and_left(one)
    assert 0 <= share <= 100
    final = a + one.increment * left
    assert low <= final <= high
    assert not low <= final + one.increment <= high


@given(st.integers(1, 32767), st.integers(1, 32767))
def test_a_sequence_that_went_further_has_used_no_less(a: int, b: int) -> None:
    low, high = sorted((a, b))
    shares = [used_and_left(sequence(last_value=value, column_type="int2"))[0] for value in (low, high)]
    assert shares[0] <= shares[1]


def test_a_sequence_that_is_not_readable_or_locked() -> None:
    row: Row = msgspec.to_builtins(sequence(readable=False))
    found = result("pg.sequence.exhaustion", sequences=[row])
    assert (found.status, found.reason) == (Status.UNKNOWN, "no_permission")
    assert found.remedy is not None
    assert found.remedy.sql == 'GRANT SELECT ON SEQUENCE "s"."q" TO "o""dd";'
    locked: Row = {**row, "readable": True, "locked": True}
    assert result("pg.sequence.exhaustion", sequences=[locked]).reason == "lock_timeout"
    assert result("pg.sequence.exhaustion", sequences=[]).status is Status.OK


def test_a_sequence_says_which_column_ends_first_and_how_to_widen_it() -> None:
    column = {"column_schema": "s", "column_table": "t", "column_name": "id", "column_type": "int2"}
    row: Row = msgspec.to_builtins(sequence(last_value=32760, **column))
    found = result("pg.sequence.exhaustion", sequences=[row])
    assert found.summary == "sequence:app.s.q: s.q for t.id (int2): 7 values left, 99.98 % used"
    assert found.remedy is not None
    assert found.remedy.sql == ('ALTER TABLE "s"."t" ALTER COLUMN "id" TYPE bigint; ALTER SEQUENCE "s"."q" AS bigint;')
    alone: Row = msgspec.to_builtins(sequence(last_value=32760, maximum=32767))
    found = result("pg.sequence.exhaustion", sequences=[alone])
    assert found.remedy is not None
    assert found.remedy.sql == 'ALTER SEQUENCE "s"."q" AS bigint;'


def test_prepared_transactions() -> None:
    row: Row = {"gid": "it's", "database": "shop", "age_s": 400.0, "xid_age": 5, "role": None}
    found = result("pg.2pc.oldest", prepared=[row])
    assert found.status is Status.WARNING
    assert found.remedy is not None
    assert found.remedy.sql == "ROLLBACK PREPARED 'it''s';  -- in database shop"
    assert "a dropped role" in found.summary
    assert result("pg.2pc.oldest", prepared=[]).status is Status.OK


SLOT: Row = {
    "slot": "s", "kind": "physical", "active": True, "temporary": False, "reserves": True, "conflicting": False,
    "keep_mb": 1000, "wal_status": "reserved", "retained_bytes": 5, "inactive_s": None, "invalidation_reason": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({}, Status.OK, "s (read) keeps 5 bytes, reserved"),
        ({"retained_bytes": 20 * 2**30, "active": False}, Status.WARNING, "s (not read) keeps 20.0 GiB, reserved"),
        ({"retained_bytes": 60 * 2**30}, Status.CRITICAL, "keeps 60.0 GiB"),
        ({"wal_status": "unreserved"}, Status.WARNING, "unreserved"),
        ({"wal_status": "lost", "reserves": False, "retained_bytes": None}, Status.CRITICAL, "s has lost its WAL"),
        ({"wal_status": None, "reserves": False, "retained_bytes": None}, Status.OK, "s keeps nothing yet"),
        ({"conflicting": True}, Status.CRITICAL, "s was invalidated: a conflict with recovery"),
        ({"invalidation_reason": "idle_timeout"}, Status.CRITICAL, "s was invalidated: idle_timeout"),
        ({"retained_bytes": None}, Status.UNKNOWN, "what it keeps is not known"),
        ({"retained_bytes": -5}, Status.OK, "keeps 0 bytes"),
    ],
)
def test_slots_and_what_they_keep(change: Row, status: Status, said: str) -> None:
    found = result("pg.slots.retained", slots=[{**SLOT, **change}])
    assert found.status is status
    assert said in found.summary


def test_slots_that_nobody_reads() -> None:
    assert result("pg.slots.inactive", slots=[SLOT]).summary == "each of 1 slots is read"
    assert result("pg.slots.inactive", slots=[]).status is Status.OK
    unread: Row = {**SLOT, "active": False}
    assert result("pg.slots.inactive", slots=[unread]).status is Status.WARNING
    for seconds_, status in ((60.0, Status.OK), (1800.0, Status.WARNING), (86_400.0, Status.CRITICAL)):
        assert result("pg.slots.inactive", slots=[{**unread, "inactive_s": seconds_}]).status is status


def test_slots_without_a_limit() -> None:
    endless: Row = {**SLOT, "keep_mb": -1}
    found = result("pg.slots.unbounded", slots=[{**endless, "slot": f"s{number}"} for number in range(7)])
    assert found.status is Status.WARNING
    assert "(s0, s1, s2, s3, s4, …)" in found.summary
    assert result("pg.slots.unbounded", slots=[{**endless, "temporary": True}]).status is Status.OK


ARCHIVER: Row = {
    "mode": "on", "standby": False, "nothing_to_run": False, "archived_count": 3, "failed_count": 0,
    "archived_s": 60.0, "failed_s": None, "last_failed_wal": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({}, Status.OK, "the last segment was archived 1m 0s ago"),
        (
            {"failed_s": 5.0, "failed_count": 2, "last_failed_wal": "00A"},
            Status.CRITICAL,
            "archiving 00A failed 5s ago",
        ),
        ({"failed_s": 500.0, "failed_count": 2}, Status.OK, "archived"),
        ({"archived_s": None, "failed_s": 5.0}, Status.CRITICAL, "failed"),
        ({"archived_s": None}, Status.UNKNOWN, "nothing was archived since the statistics were reset"),
        ({"nothing_to_run": True}, Status.CRITICAL, "there is no archive_command"),
        ({"mode": "off"}, Status.SKIPPED, "archive_mode is off"),
        ({"standby": True}, Status.SKIPPED, "a standby does not archive with archive_mode = on"),
        ({"standby": True, "mode": "always"}, Status.OK, "archived"),
    ],
)
def test_the_archiver(change: Row, status: Status, said: str) -> None:
    found = result("pg.archiver.failing", archiver=[{**ARCHIVER, **change}])
    assert found.status is status
    assert said in found.summary


def test_the_backlog() -> None:
    rows: dict[str, list[Row] | Missing] = {"archiver": [ARCHIVER], "backlog": [{"ready": 12, "oldest_s": 400.0}]}
    assert measured("pg.archiver.backlog", rows).status is Status.WARNING
    assert measured("pg.archiver.delay", rows).summary == "the oldest segment has waited 6m 40s"
    empty: dict[str, list[Row] | Missing] = {"archiver": [ARCHIVER], "backlog": [{"ready": 0, "oldest_s": None}]}
    assert measured("pg.archiver.delay", empty).summary == "no segment waits"
    off: dict[str, list[Row] | Missing] = {
        "archiver": [{**ARCHIVER, "mode": "off"}],
        "backlog": Missing("no_permission"),
    }
    for check in ("backlog", "delay"):
        assert measured(f"pg.archiver.{check}", off).status is Status.SKIPPED


def well() -> list[Row]:
    return [
        {"name": name, "place": "", "setting": "on" if one.bad == "off" else "off"}
        for name, one in settings.WATCHED.items()
    ]


@pytest.mark.parametrize("name", settings.WATCHED)
def test_each_dangerous_setting(name: str) -> None:
    assert result("pg.settings.dangerous", settings=well()).status is Status.OK
    bad: list[Row] = [{**row, "setting": settings.WATCHED[name].bad} if row["name"] == name else row for row in well()]
    assert result("pg.settings.dangerous", settings=bad).status is settings.WATCHED[name].status
    without = [row for row in well() if row["name"] != name]
    found = result("pg.settings.dangerous", settings=without)
    assert (found.status, found.reason) == (Status.UNKNOWN, "hidden_rows")


@pytest.mark.parametrize(("written", "bad"), [("yes", True), ("TRUE", True), ("1", True), ("no", False), ("0", False)])
def test_overrides_are_read_however_they_are_written(written: str, bad: bool) -> None:
    override: Row = {"name": "zero_damaged_pages", "place": "for role app", "setting": written}
    found = result("pg.settings.dangerous", settings=[*well(), override])
    assert (found.status is Status.CRITICAL) is bad


INDEX: Row = {
    "schema": "s", "name": "i", "table": "t", "partitioned": False, "is_unique": True, "backs_constraint": False,
    "bytes": 8192, "building": False, "hidden_builds": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "status", "sql"),
    [
        ({}, Status.WARNING, 'REINDEX INDEX CONCURRENTLY "s"."i";'),
        ({"name": "i_ccnew1"}, Status.WARNING, 'DROP INDEX CONCURRENTLY "s"."i_ccnew1";'),
        (
            {"partitioned": True},
            Status.WARNING,
            '-- ALTER INDEX "s"."i" ATTACH PARTITION …; for each partition that has none',
        ),
        ({"building": True}, Status.OK, None),
        ({"hidden_builds": 1}, Status.UNKNOWN, "GRANT pg_monitor TO {login};"),
    ],
)
def test_invalid_indexes(change: Row, status: Status, sql: str | None) -> None:
    found = result("pg.index.invalid", indexes=[{**INDEX, **change}])
    assert found.status is status
    assert (found.remedy.sql if found.remedy else None) == sql


def server_of(*numbers: int) -> Server:
    return msgspec.structs.replace(SERVER, version=numbers, version_text=".".join(map(str, numbers)))


def test_the_end_of_life_of_each_known_version() -> None:
    assert set(version.releases()) == {13, 14, 15, 16, 17, 18}
    assert result("pg.version.eol", server_of(13, 5)).status is Status.CRITICAL
    assert result("pg.version.eol", server_of(18, 1)).status is Status.OK
    found = result("pg.version.eol", server_of(14, 5))
    assert (found.status, found.value) == (Status.OK, 195.0)
    assert result("pg.version.eol", server_of(19, 0)).reason == "stale_input"


def test_how_many_minor_releases_behind() -> None:
    newest = version.releases()[15].newest
    assert result("pg.version.minor", server_of(15, newest)).status is Status.OK
    assert result("pg.version.minor", server_of(15, newest + 1)).status is Status.OK
    found = result("pg.version.minor", server_of(15, newest - 3))
    assert (found.status, found.value) == (Status.WARNING, 3.0)
    assert f"15.{newest - 3} is 3 behind 15.{newest}" in found.summary
    assert result("pg.version.minor", server_of(19, 0)).reason == "stale_input"
