"""Each check is proved on a real server with the defect that it is there for, and as a login that must not see it.

Both times through the same door as a user's: ``operations.health.check``.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import cast

import psycopg
import pytest
from psycopg import errors

from dbops.config import Config, Target, Waiver
from dbops.model.finding import Remedy
from dbops.model.health import CheckResult, HealthReport, Status
from dbops.model.server import Endpoint, Server
from dbops.operations import health
from dbops.operations.workspace import Workspace
from dbops.testing.servers import Database, ThrowawayServer
from dbops_postgresql.grants import grants

Start = Callable[..., ThrowawayServer]
OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN


def report(endpoint: Endpoint, *only: str, timeout_s: float = 30, **target: object) -> HealthReport:
    one = Target(name="here", endpoint=endpoint, **target)  # type: ignore[arg-type]  # the parts vary by test
    return health.check(Workspace(Config()), [one], only=only, timeout_s=timeout_s)


def one(endpoint: Endpoint, check: str, **thresholds: float) -> CheckResult:
    return report(endpoint, check, thresholds={check: thresholds} if thresholds else {}).checks[0]


def at(result: CheckResult, name: str) -> dict[str, object]:
    """The evidence about one object."""
    found = [row for row in result.evidence if row["object"] == name]
    assert found, f"{name} is not among {[row['object'] for row in result.evidence]}"
    return dict(found[0])


@pytest.fixture
def watcher(database: Database) -> Endpoint:
    """The login that `dbops grants postgresql --for health` describes."""
    database.server.login("watcher")
    database.sql(grants(["health"], "watcher", database.server.major))
    return database.endpoint("watcher")


@pytest.fixture
def plain(database: Database) -> Endpoint:
    """A login without any right."""
    database.server.login("plain")
    return database.endpoint("plain")


@contextmanager
def session(database: Database, *statements: str) -> Iterator[psycopg.Connection]:
    """A session that has run statements and stays where they left it."""
    connection = psycopg.connect(database.url(), autocommit=True)
    try:
        for statement in statements:
            connection.execute(statement.encode())
        yield connection
    finally:
        # Ended by the server: close() would wait for a thread of the test that still waits for a lock here.
        database.server.sql(f"SELECT pg_terminate_backend({connection.info.backend_pid})")
        connection.close()


@contextmanager
def waiting(database: Database, statement: str) -> Iterator[int]:
    """The pid of a session whose statement waits for a lock."""
    with session(database) as connection:
        thread = threading.Thread(target=_endure, args=(connection, statement), daemon=True)
        thread.start()
        pid = connection.info.backend_pid
        try:
            _until(lambda: bool(database.sql(f"SELECT 1 FROM pg_locks WHERE NOT granted AND pid = {pid}")))
            yield pid
        finally:
            database.server.sql(f"SELECT pg_terminate_backend({pid})")
            thread.join(60)


def _endure(connection: psycopg.Connection, statement: str) -> None:
    with suppress(psycopg.OperationalError):
        connection.execute(statement.encode())


def test_a_healthy_server_is_told_so_under_the_least_privileged_login(
    private_postgres: Start,
) -> None:
    server = private_postgres(fsync="on", archive_mode="on", archive_command="true")
    server.sql("CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t DEFAULT VALUES; SELECT pg_switch_wal()")
    server.login("watcher")
    server.sql(grants(["health"], "watcher", server.major))
    _until(lambda: bool(server.sql("SELECT 1 FROM pg_stat_archiver WHERE archived_count > 0")))
    found = report(server.endpoint("watcher"), "pg.*")
    bad = {check.id: check.summary for check in found.checks if check.status is not OK}
    # What is newest and what is supported changes with the calendar, not with this server.
    assert not {name: said for name, said in bad.items() if not name.startswith("pg.version")}
    assert found.coverage == 1.0
    assert found.targets[0].role == "primary"


def test_a_plain_login_gets_no_ok_where_it_cannot_see(database: Database, plain: Endpoint) -> None:
    database.sql("CREATE SEQUENCE s")
    found = report(plain, "pg.*")
    by_id = found.of("here")
    for check in ("pg.activity.idle_in_xact", "pg.locks.blocking"):
        assert (by_id[check].status, by_id[check].reason) == (UNKNOWN, "hidden_rows")
        assert by_id[check].remedy == Remedy(text="The login needs pg_monitor.", sql='GRANT pg_monitor TO "plain";')
    sequences = by_id["pg.sequence.exhaustion"]
    assert (sequences.status, sequences.reason) == (UNKNOWN, "no_permission")
    assert sequences.remedy is not None
    assert 'GRANT SELECT ON SEQUENCE "public"."s" TO "plain";' in sequences.remedy.sql
    assert found.coverage < 1.0


def test_the_grant_that_is_told_is_the_one_that_helps(database: Database, plain: Endpoint) -> None:
    database.sql("CREATE SEQUENCE s; SELECT nextval('s')")
    for check in ("pg.activity.idle_in_xact", "pg.sequence.exhaustion"):
        before = one(plain, check)
        assert before.status is UNKNOWN
        assert before.remedy
        database.sql(before.remedy.sql)
        assert one(plain, check).status is OK


@pytest.mark.parametrize(
    ("sql", "position_and_left"),
    [
        ("CREATE TABLE t (id smallserial)", (32760, 7)),
        ("CREATE SEQUENCE t_id_seq AS bigint; CREATE TABLE t (id int4 DEFAULT nextval('t_id_seq'))", (2147483000, 647)),
        ("CREATE TABLE t (id int4); CREATE SEQUENCE t_id_seq AS bigint OWNED BY t.id", (2147483000, 647)),
        ("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY)", (2147483000, 647)),
        (
            "CREATE DOMAIN d AS int2; CREATE SEQUENCE t_id_seq; CREATE TABLE t (id d DEFAULT nextval('t_id_seq'))",
            (32760, 7),
        ),
        ("CREATE SEQUENCE t_id_seq INCREMENT -1 MINVALUE -100 MAXVALUE -1", (-95, 5)),
    ],
    ids=["smallserial", "bigint feeds int4", "bigint owned by int4", "identity", "domain", "descending"],
)
def test_a_sequence_that_runs_out(
    database: Database, watcher: Endpoint, plain: Endpoint, sql: str, position_and_left: tuple[int, int]
) -> None:
    position, left = position_and_left
    database.sql(f"{sql}; SELECT setval('t_id_seq', {position}); GRANT SELECT ON SEQUENCE t_id_seq TO watcher")
    result = one(watcher, "pg.sequence.exhaustion")
    assert result.status is CRITICAL
    assert at(result, f"sequence:{database.name}.public.t_id_seq")["left"] == left
    assert (one(plain, "pg.sequence.exhaustion").status) is UNKNOWN


def test_the_remedy_of_a_sequence_is_a_remedy(database: Database, watcher: Endpoint) -> None:
    database.sql('CREATE TABLE "Odd ""one" (id smallserial); GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO watcher')
    database.sql("""SELECT setval('"Odd ""one_id_seq"', 32760)""")
    result = one(watcher, "pg.sequence.exhaustion")
    assert result.remedy is not None
    database.sql(result.remedy.sql)
    assert one(watcher, "pg.sequence.exhaustion").status is OK


def test_more_sequences_than_one_page(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

    from dbops_postgresql.health import driver

    server = Server(engine="postgresql", version=(15,), version_text="15", role="primary", incarnation="any")
    questions = driver.PostgreSQLHealth().questions(server)
    small = tuple(msgspec.structs.replace(one, page=3) if one.page else one for one in questions)
    monkeypatch.setattr(driver, "_questions", lambda: small)
    database.sql("; ".join(f"CREATE SEQUENCE s{number}; SELECT setval('s{number}', 5)" for number in range(10)))
    result = one(database.endpoint(), "pg.sequence.exhaustion")
    assert (result.status, result.objects >= 10) == (OK, True)


def test_an_idle_transaction(database: Database, watcher: Endpoint, plain: Endpoint) -> None:
    with session(database, "CREATE TABLE t ()", "BEGIN", "LOCK TABLE t") as idle:
        time.sleep(0.2)
        result = one(watcher, "pg.activity.idle_in_xact", warning=0.05, critical=0.1)
        assert result.status is CRITICAL
        row = at(result, f"session:{idle.info.backend_pid}")
        assert (row["database"], row["state"]) == (database.name, "idle in transaction")
        assert one(watcher, "pg.activity.idle_in_xact").status is OK
        assert one(plain, "pg.activity.idle_in_xact", warning=0.05, critical=0.1).status is UNKNOWN
        assert result.remedy is not None
        database.sql(result.remedy.sql)
        with pytest.raises(psycopg.OperationalError):
            idle.execute("SELECT 1")


def test_a_queue_of_locks_names_its_root(database: Database, watcher: Endpoint, plain: Endpoint) -> None:
    with (
        session(database, "CREATE TABLE t ()", "BEGIN", "LOCK TABLE t IN ACCESS SHARE MODE") as root,
        waiting(database, "TRUNCATE t") as middle,
        waiting(database, "TRUNCATE t") as last,
    ):
        result = one(watcher, "pg.locks.blocking", warning=0, critical=0.001)
        assert result.status is CRITICAL
        row = at(result, f"session:{last}")
        assert middle in cast("list[int]", row["blockers"])
        assert row["root"] == root.info.backend_pid
        assert row["relation"] == "public.t"
        # From 14 on the wait itself is seen by everybody, and that is worse than not knowing; never OK.
        seen = one(plain, "pg.locks.blocking", warning=0, critical=0.001).status
        assert seen is (CRITICAL if database.server.major >= 14 else UNKNOWN)
    assert one(watcher, "pg.locks.blocking").status is OK


def test_a_prepared_transaction(private_postgres: Start) -> None:
    server = private_postgres(max_prepared_transactions="5")
    server.login("plain")
    assert one(server.endpoint(), "pg.2pc.oldest").status is OK
    server.sql("BEGIN; CREATE TABLE t (); PREPARE TRANSACTION 'it''s forgotten'")
    server.restart()
    for login in ("postgres", "plain"):
        result = one(server.endpoint(login), "pg.2pc.oldest", warning=0, critical=0.01)
        assert result.status is CRITICAL
        assert at(result, "prepared:it's forgotten")["database"] == "postgres"
    blocked = one(server.endpoint(), "pg.2pc.oldest", warning=0, critical=0.01)
    assert blocked.remedy is not None
    server.sql(blocked.remedy.sql)
    assert one(server.endpoint(), "pg.2pc.oldest").status is OK


def test_a_lock_held_by_a_prepared_transaction_is_the_root(private_postgres: Start) -> None:
    server = private_postgres(max_prepared_transactions="5")
    server.sql("CREATE TABLE t ()")
    server.sql("BEGIN; LOCK TABLE t IN ACCESS SHARE MODE; PREPARE TRANSACTION 'gone'")
    with waiting(Database(server, "postgres"), "TRUNCATE t"):
        result = one(server.endpoint(), "pg.locks.blocking", warning=0, critical=0.001)
        assert result.status is CRITICAL
        assert "a prepared transaction" in result.summary
    server.sql("ROLLBACK PREPARED 'gone'")


def test_slots(private_postgres: Start) -> None:
    server = private_postgres(wal_level="logical")
    server.login("plain")
    for check in ("retained", "inactive", "unbounded"):
        assert one(server.endpoint(), f"pg.slots.{check}").status is OK
    server.sql("SELECT pg_create_physical_replication_slot('kept', true), pg_create_physical_replication_slot('new')")
    server.sql("SELECT pg_switch_wal()")
    unbounded = one(server.endpoint(), "pg.slots.unbounded")
    for login in ("postgres", "plain"):
        retained = one(server.endpoint(login), "pg.slots.retained", warning=1, critical=10_000_000)
        assert retained.status in (WARNING, CRITICAL)
        assert at(retained, "slot:kept")["wal_status"] == "reserved"
        assert retained.affected == 1
        inactive = one(server.endpoint(login), "pg.slots.inactive", warning=0)
        assert inactive.status is WARNING
        assert inactive.affected == 2
        unbounded = one(server.endpoint(login), "pg.slots.unbounded")
        assert unbounded.status is WARNING
        assert "(kept, new)" in unbounded.summary
    assert unbounded.remedy is not None
    server.sql(unbounded.remedy.sql.split(";")[0])
    server.sql("SELECT pg_reload_conf()")
    _until(lambda: one(server.endpoint(), "pg.slots.unbounded").status is OK)


def test_a_slot_that_lost_its_wal(private_postgres: Start) -> None:
    server = private_postgres(max_slot_wal_keep_size="1MB", wal_level="logical")
    server.sql("SELECT pg_create_physical_replication_slot('late', true)")
    server.sql("CREATE TABLE t (a text)")
    for _ in range(4):
        server.sql("INSERT INTO t VALUES ('x'); SELECT pg_switch_wal()")
    server.sql("CHECKPOINT")
    result = one(server.endpoint(), "pg.slots.retained")
    assert result.status is CRITICAL
    assert at(result, "slot:late")["wal_status"] == "lost"


def test_the_archiver_when_it_fails_and_when_it_was_never_asked(private_postgres: Start) -> None:
    server = private_postgres(archive_mode="on", archive_command="false")
    server.login("plain")
    server.login("watcher")
    server.sql(grants(["health"], "watcher", server.major))
    young = one(server.endpoint("watcher"), "pg.archiver.failing")
    assert (young.status, young.reason) == (UNKNOWN, "stats_too_young")
    server.sql("CREATE TABLE t (); SELECT pg_switch_wal()")
    for login in ("watcher", "plain"):
        _until_failing(server, login)
    for check, limit in (("backlog", 1), ("delay", 0.01)):
        found = one(server.endpoint("watcher"), f"pg.archiver.{check}", warning=limit, critical=limit)
        assert found.status is CRITICAL, found.summary
        refused = one(server.endpoint("plain"), f"pg.archiver.{check}", warning=limit, critical=limit)
        assert (refused.status, refused.reason) == (UNKNOWN, "no_permission")
    server.sql("ALTER SYSTEM SET archive_command = ''")
    server.sql("SELECT pg_reload_conf()")
    _until(lambda: "there is no archive_command" in one(server.endpoint("plain"), "pg.archiver.failing").summary)


def test_nothing_to_archive_is_skipped_for_everybody(plain: Endpoint) -> None:
    for check in ("failing", "backlog", "delay"):
        result = one(plain, f"pg.archiver.{check}")
        assert (result.status, result.reason) == (Status.SKIPPED, "feature_off")


def test_dangerous_settings_here_and_where_somebody_overrides_them(private_postgres: Start) -> None:
    server = private_postgres(fsync="off", autovacuum="off")
    server.login("plain")
    server.sql("ALTER ROLE plain SET zero_damaged_pages = yes")
    result = one(server.endpoint(), "pg.settings.dangerous")
    assert result.status is CRITICAL
    assert {str(row["object"]) for row in result.evidence} == {
        "parameter:fsync", "parameter:autovacuum", "parameter:zero_damaged_pages for role plain",
    }  # fmt: skip
    server.sql("ALTER ROLE plain RESET zero_damaged_pages")
    assert one(server.endpoint("plain"), "pg.settings.dangerous").status is CRITICAL


def test_an_invalid_index(database: Database, watcher: Endpoint, plain: Endpoint) -> None:
    assert one(watcher, "pg.index.invalid").status is OK
    database.sql('CREATE SCHEMA "a.b"; CREATE TABLE "a.b".t (n int); INSERT INTO "a.b".t VALUES (1), (1)')
    with pytest.raises(errors.UniqueViolation):
        database.sql('CREATE UNIQUE INDEX CONCURRENTLY i ON "a.b".t (n)')
    result = one(watcher, "pg.index.invalid")
    for login in (watcher, plain):
        result = one(login, "pg.index.invalid")
        assert result.status is WARNING
        assert at(result, f'index:{database.name}."a.b".i')["is_unique"] is True
    database.sql('DELETE FROM "a.b".t')
    assert result.remedy is not None
    database.sql(result.remedy.sql)
    assert one(watcher, "pg.index.invalid").status is OK


def test_an_index_under_construction_is_not_invalid(database: Database, watcher: Endpoint, plain: Endpoint) -> None:
    database.sql("CREATE TABLE t (n int)")
    build = "CREATE INDEX CONCURRENTLY i ON t (n)"
    with session(database, "BEGIN", "INSERT INTO t VALUES (1)"), waiting(database, build):
        assert one(watcher, "pg.index.invalid").status is OK
        hidden = one(plain, "pg.index.invalid")
        assert (hidden.status, hidden.reason) == (UNKNOWN, "hidden_rows")
    assert one(watcher, "pg.index.invalid").status is WARNING


def test_one_locked_database_never_stops_the_others(private_postgres: Start) -> None:
    server = private_postgres()
    for name in ("open1", "shut", "open2"):
        server.sql(f"CREATE DATABASE {name}")
        server.sql("CREATE TABLE t (id smallserial); SELECT setval('t_id_seq', 32760)", database=name)
    with session(Database(server, "shut"), "BEGIN", "LOCK TABLE pg_sequence IN ACCESS EXCLUSIVE MODE"):
        # The lock is held until the answer is there: nobody waited for it.
        found = report(server.endpoint(), "pg.sequence.exhaustion", "pg.index.invalid", timeout_s=60)
    sequences = found.of("here")["pg.sequence.exhaustion"]
    assert sequences.status is CRITICAL
    states = {str(row["object"]): (row["status"], row.get("reason")) for row in sequences.evidence}
    assert states["database:shut"] == ("unknown", "lock_timeout")
    assert {"sequence:open1.public.t_id_seq", "sequence:open2.public.t_id_seq"} <= set(states)
    assert found.of("here")["pg.index.invalid"].status is OK


def test_a_database_that_nobody_can_even_enter(private_postgres: Start) -> None:
    server = private_postgres()
    for name in ("open1", "shut"):
        server.sql(f"CREATE DATABASE {name}")
        server.sql("CREATE TABLE t (id smallserial); SELECT setval('t_id_seq', 32760)", database=name)
    with session(Database(server, "shut"), "BEGIN", "LOCK TABLE pg_class IN ACCESS EXCLUSIVE MODE"):
        found = report(server.endpoint(), "pg.*", timeout_s=4).of("here")
    assert found["pg.sequence.exhaustion"].status is CRITICAL
    assert at(found["pg.sequence.exhaustion"], "database:shut")["status"] == "unknown"
    assert found["pg.index.invalid"].status is UNKNOWN
    assert found["pg.wraparound.xid"].status is OK


def test_one_locked_sequence_is_unknown_alone(database: Database, watcher: Endpoint) -> None:
    database.sql("CREATE SEQUENCE a; CREATE SEQUENCE b; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO watcher")
    with session(database, "BEGIN", "ALTER SEQUENCE a INCREMENT 2"):
        result = one(watcher, "pg.sequence.exhaustion")
    assert (result.status, result.reason) == (UNKNOWN, "lock_timeout")
    assert [row["object"] for row in result.evidence if row["status"] == "unknown"] == [
        f"sequence:{database.name}.public.a"
    ]


def test_a_database_that_is_closed_to_the_login(database: Database, plain: Endpoint) -> None:
    database.server.sql("CREATE DATABASE closed")
    database.server.sql("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
    try:
        result = one(plain, "pg.index.invalid")
    finally:
        database.server.sql("DROP DATABASE closed")
    assert (result.status, result.reason) == (UNKNOWN, "no_permission")
    assert at(result, "database:closed")["detail"] == "this login cannot ask in closed"


def entered(server: ThrowawayServer, login: str) -> psycopg.Connection:
    """A session; the place of one that has just ended is free a moment later."""
    found: list[psycopg.Connection] = []

    def enters() -> bool:
        with suppress(psycopg.OperationalError):
            found.append(psycopg.connect(server.url(login)))
        return bool(found)

    _until(enters)
    return found[0]


def test_too_few_connections(private_postgres: Start) -> None:
    server = private_postgres(max_connections="7", superuser_reserved_connections="3", max_wal_senders="0")
    server.login("app")
    held = [entered(server, "app") for _ in range(4)]
    used = one(server.endpoint(), "pg.connections.saturation")
    assert used.status is CRITICAL
    assert used.value is not None
    assert used.value >= 100
    found = report(server.endpoint("app"), "pg.up", "pg.connections.*")
    assert (found.of("here")["pg.up"].status, found.of("here")["pg.up"].reason) == (CRITICAL, "too_many_connections")
    assert found.of("here")["pg.connections.saturation"].status is UNKNOWN
    assert found.code == 1
    for connection in held:
        connection.close()


def test_saturation_is_seen_without_any_right(private_postgres: Start) -> None:
    server = private_postgres(max_connections="10", superuser_reserved_connections="3", max_wal_senders="0")
    server.login("app")
    server.login("plain")
    held = [entered(server, "app") for _ in range(6)]
    entered(server, "plain").close()
    _until(lambda: one(server.endpoint("plain"), "pg.connections.saturation").status is CRITICAL)
    for connection in held:
        connection.close()


def test_a_wrong_password_is_not_a_server_that_is_down(database: Database, plain: Endpoint) -> None:
    import msgspec

    database.sql("ALTER ROLE plain PASSWORD 'another'")
    found = report(plain, "pg.up")
    assert (found.checks[0].status, found.checks[0].reason) == (UNKNOWN, "auth_failed")
    assert found.code == 77
    down = report(msgspec.structs.replace(plain, port=1), "pg.up")
    assert (down.checks[0].status, down.checks[0].reason, down.code) == (CRITICAL, "connect_failed", 1)


@pytest.mark.postgres(newest=True)
def test_a_target_that_hangs_holds_up_no_other(database: Database) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        hung = Target(
            name="hung",
            endpoint=Endpoint(engine="postgresql", host="127.0.0.1", port=silent.getsockname()[1], user="x"),
        )
        well = Target(name="well", endpoint=database.endpoint())
        found = health.check(Workspace(Config()), [hung, well], only=["pg.up", "pg.wraparound.*"], timeout_s=4)
    assert found.of("well")["pg.wraparound.xid"].status is OK
    # The driver gives up when we do: whose word comes first is left to chance.
    assert found.of("hung")["pg.up"].status is CRITICAL
    assert found.of("hung")["pg.up"].reason in ("timeout", "connect_failed")
    assert [one.code for one in found.targets] == [1, 0]
    assert found.code == 1


def test_what_was_accepted_and_what_was_left_out(database: Database) -> None:
    accepted = Waiver(id="pg.settings.*", reason="a test server", by="ann", until="2999-12-31")
    found = report(database.endpoint(), "pg.settings.*", "pg.up", waivers=(accepted,)).of("here")
    assert found["pg.settings.dangerous"].status is Status.WAIVED
    expired = Waiver(id="pg.settings.*", reason="a test server", until="2020-01-01")
    found = report(database.endpoint(), "pg.settings.*", waivers=(expired,)).of("here")
    assert found["pg.settings.dangerous"].status is CRITICAL
    assert "pg.up" not in report(database.endpoint(), skip=("pg.up",)).of("here")


def test_every_question_is_answered_on_a_standby(private_postgres: Start) -> None:
    server = private_postgres(
        wal_level="logical", archive_mode="on", archive_command="true", max_prepared_transactions="1"
    )
    server.sql("CREATE TABLE t (id serial); INSERT INTO t DEFAULT VALUES; CREATE UNLOGGED TABLE u (id serial)")
    server.sql("SELECT pg_create_physical_replication_slot('s', true)")
    server.stop()
    (server.datadir / "standby.signal").touch()
    server.start()
    found = report(server.endpoint(), "pg.*")
    by_id = found.of("here")
    assert found.targets[0].role == "standby"
    assert {
        check.id: check.summary
        for check in found.checks
        if check.status is UNKNOWN and check.id != "pg.sequence.exhaustion"
    } == {}
    assert (by_id["pg.archiver.failing"].status, by_id["pg.archiver.failing"].reason) == (
        Status.SKIPPED,
        "not_applicable",
    )
    if server.major >= 15:
        assert [row["object"] for row in by_id["pg.sequence.exhaustion"].evidence] == [
            "sequence:postgres.public.u_id_seq"
        ]


def test_asking_leaves_nothing_behind(database: Database) -> None:
    before = database.sql("SELECT xact_rollback, tup_inserted FROM pg_stat_database WHERE datname = current_database()")
    report(database.endpoint(), "pg.*")
    after = database.sql("SELECT xact_rollback, tup_inserted FROM pg_stat_database WHERE datname = current_database()")
    assert before == after
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dbops'"
    _until(lambda: database.sql(left) == [(0,)])  # a session ends a moment after who had it left


def test_the_end_of_life_is_by_the_clock_of_the_workspace(database: Database) -> None:
    target = Target(name="here", endpoint=database.endpoint())
    for year, status in ((2024, OK), (2040, CRITICAL)):
        ws = Workspace(Config(), clock=_clock(year))
        found = health.check(ws, [target], only=["pg.version.eol"]).checks[0]
        assert found.status is status, found.summary


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


def _until_failing(server: ThrowawayServer, login: str) -> None:
    _until(lambda: one(server.endpoint(login), "pg.archiver.failing").status is CRITICAL)


def _clock(year: int) -> Callable[[], datetime]:
    return lambda: datetime(year, 1, 1, tzinfo=UTC)
