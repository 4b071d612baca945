"""Sessions with a real server: what a reader cannot do, and what is said when none can be opened."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import QueuePool

from dbops.errors import ConfigError, DbopsError, NotPermitted, ReadFailed, Unreachable, UsageError
from dbops.model.server import Endpoint
from dbops.plan import SecretRef
from dbops.secrets import Secrets
from dbops.session import SqlWriter, connect, from_engine, writer
from dbops.spi import Reader
from dbops.testing.servers import Database, ThrowawayServer
from dbops_postgresql import backend

resolve = Secrets().resolve


@pytest.fixture
def reader(database: Database) -> Iterator[Reader]:
    with connect(backend, database.endpoint(), resolve=resolve, timeout_s=30) as found:
        yield found


@pytest.fixture
def hurried(database: Database) -> Iterator[Reader]:
    """Waits for a second."""
    with connect(backend, database.endpoint(), resolve=resolve, timeout_s=1) as found:
        yield found


class Row(msgspec.Struct, frozen=True):
    number: int
    word: str | None


# Asking


def test_four_ways_to_ask(reader: Reader) -> None:
    sql = "VALUES (1, 'one'), (2, NULL)"
    assert reader.tuples(sql) == [(1, "one"), (2, None)]
    named = f"SELECT * FROM ({sql}) AS t(number, word)"
    assert reader.dicts(named) == [{"number": 1, "word": "one"}, {"number": 2, "word": None}]
    assert reader.rows(named, Row) == [Row(1, "one"), Row(2, None)]
    assert reader.scalar(sql) == 1
    assert reader.scalar("SELECT 1 WHERE false") is None


def test_parameters_and_percent_signs(reader: Reader) -> None:
    hostile = "'; DROP TABLE x; -- %s %(a)s \\"
    assert reader.scalar("SELECT %(a)s || %(b)s", {"a": hostile, "b": "!"}) == hostile + "!"
    assert reader.scalar("SELECT '100%'") == "100%"
    assert reader.scalar("SELECT '100%%' WHERE 5 %% 2 = %(one)s", {"one": 1}) == "100%"
    assert reader.scalar("SELECT 7 %% 4 + %(one)s", {"one": 1}) == 4


# Reading only


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE t (x int)", "CREATE ROLE nobody_made_this", "DO $$BEGIN CREATE TABLE t (x int); END$$"]
)
def test_a_reader_cannot_write(reader: Reader, database: Database, statement: str) -> None:
    with pytest.raises(ReadFailed, match="read-only transaction"):
        reader.tuples(statement)
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname = 't'") == [(0,)]


def test_a_question_is_bounded_in_time(hurried: Reader) -> None:
    with pytest.raises(ReadFailed) as caught:
        hurried.scalar("SELECT pg_sleep(600)")
    assert caught.value.reason == "timeout"
    assert hurried.scalar("SELECT 1") == 1


def test_a_reader_does_not_queue_behind_a_lock(reader: Reader, database: Database) -> None:
    database.sql("CREATE TABLE public.locked (x int)")
    with writer(backend, database.endpoint(), resolve=resolve) as other, other.transaction():
        other.run("LOCK TABLE public.locked")
        with pytest.raises(ReadFailed) as caught:
            reader.tuples("SELECT * FROM public.locked")
    assert caught.value.reason == "lock_timeout"


def test_a_snapshot_sees_one_state(reader: Reader, database: Database) -> None:
    database.sql("CREATE TABLE counted (x int)")
    count = "SELECT count(*) FROM public.counted"
    with reader.snapshot():
        assert reader.scalar(count) == 0
        database.sql("INSERT INTO counted VALUES (1)")
        assert reader.scalar(count) == 0
        with pytest.raises(ReadFailed):
            reader.tuples("INSERT INTO public.counted VALUES (2)")
    assert reader.scalar(count) == 1


def test_after_a_failure_inside_a_snapshot_the_session_goes_on(reader: Reader) -> None:
    with pytest.raises(ReadFailed) as caught, reader.snapshot():
        reader.tuples("SELECT nonsense")
    assert caught.value.reason == "not_supported_version"
    assert reader.scalar("SELECT 1") == 1


def test_what_a_role_was_altered_to_does_not_change_what_is_read(database: Database) -> None:
    name = database.server.sql("SELECT 'r' || md5(random()::text)")[0][0]
    database.server.login(name)
    for setting in ("TimeZone = 'Asia/Tokyo'", "DateStyle = 'German'", "search_path = evil", "bytea_output = 'escape'"):
        database.sql(f'ALTER ROLE "{name}" SET {setting}')
    with connect(backend, database.endpoint(name), resolve=resolve) as reader:
        assert reader.scalar("SHOW search_path") == "pg_catalog"
        assert reader.scalar("SELECT ('2026-01-31T03:00:00Z'::timestamptz)::text") == "2026-01-31 03:00:00+00"
        assert reader.scalar("SELECT ('\\x00ff'::bytea)::text") == "\\x00ff"


def test_a_sibling_database(reader: Reader, database: Database) -> None:
    with reader.database("postgres") as sibling:
        assert sibling.scalar("SELECT current_database()") == "postgres"
        assert reader.scalar("SELECT current_database()") == database.name
        with pytest.raises(ReadFailed, match="read-only"):
            sibling.tuples("CREATE TABLE t (x int)")
    with pytest.raises(Unreachable) as caught, reader.database('no "such" %s'):
        pass
    assert caught.value.reason == "unknown_database"


# Writing


def make_twice(session: SqlWriter) -> None:
    with session.transaction():
        session.run("CREATE TABLE public.first (x int)")
        session.run("CREATE TABLE public.first (x int)")


def test_a_writer_commits_or_rolls_back_as_a_whole(database: Database) -> None:
    with writer(backend, database.endpoint(), resolve=resolve) as session:
        with pytest.raises(DbopsError, match="already exists"):
            make_twice(session)
        with session.transaction():
            session.run("CREATE TABLE public.second (x int)")
        assert session.scalar("SELECT count(*) FROM pg_class WHERE relname IN ('first', 'second')") == 1


def test_a_writer_that_is_interrupted_leaves_nothing(database: Database) -> None:
    def interrupted() -> None:
        with writer(backend, database.endpoint(), resolve=resolve) as session, session.transaction():
            session.run("CREATE TABLE public.first (x int)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname = 'first'") == [(0,)]


def ask_until_it_fails(reader: Reader) -> None:
    """The server's child outlives its parent for a moment."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        reader.scalar("SELECT 1")


def test_a_server_that_dies_is_unreachable(private_postgres: Callable[..., ThrowawayServer]) -> None:
    server = private_postgres()
    with connect(backend, server.endpoint(), resolve=resolve) as reader:
        assert reader.scalar("SELECT 1") == 1
        server.kill()
        with pytest.raises(Unreachable) as caught:
            ask_until_it_fails(reader)
        assert caught.value.reason == "connect_failed"
        with pytest.raises(DbopsError), reader.snapshot():
            pytest.fail("there is no server")


# No session


def refused(endpoint: Endpoint, kind: type[DbopsError], reason: str, code: int, timeout_s: float = 30) -> str:
    with pytest.raises(kind) as caught, connect(backend, endpoint, resolve=resolve, timeout_s=timeout_s):
        pass
    assert (caught.value.reason, caught.value.code) == (reason, code)
    return str(caught.value)


@pytest.fixture
def password_file(tmp_path: Path) -> SecretRef:
    path = tmp_path / "secret"
    path.write_text("hunter2-and-more\n")
    return SecretRef(f"file:{path}")


def over_tcp(server: ThrowawayServer, password: SecretRef) -> Endpoint:
    return Endpoint(
        engine="postgresql", host="127.0.0.1", port=server.port, user="postgres", database="postgres", password=password
    )


def test_a_wrong_password(postgres: ThrowawayServer, password_file: SecretRef) -> None:
    said = refused(over_tcp(postgres, password_file), NotPermitted, "auth_failed", 77)
    assert "password authentication failed" in said
    assert f"postgresql://postgres@127.0.0.1:{postgres.port}/postgres" in said
    assert "hunter2" not in said


def test_an_unknown_role(postgres: ThrowawayServer, password_file: SecretRef) -> None:
    endpoint = msgspec.structs.replace(over_tcp(postgres, password_file), user="no such role")
    assert "hunter2" not in refused(endpoint, NotPermitted, "auth_failed", 77)


def test_an_unknown_database(database: Database) -> None:
    said = refused(database.endpoint().at("no such database"), Unreachable, "unknown_database", 69)
    assert 'database "no such database" does not exist' in said


def test_nobody_listens(postgres: ThrowawayServer, password_file: SecretRef) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # kept: a port that nobody listens on, and nobody else gets
        port = free.getsockname()[1]
        endpoint = msgspec.structs.replace(over_tcp(postgres, password_file), port=port)
        said = refused(endpoint, Unreachable, "connect_failed", 69)
    assert f"127.0.0.1:{port}" in said
    assert "hunter2" not in said


def test_a_name_that_nobody_knows(password_file: SecretRef) -> None:
    endpoint = Endpoint(engine="postgresql", host="no-such-host.invalid", password=password_file)
    assert "no-such-host.invalid" in refused(endpoint, Unreachable, "connect_failed", 69)


def test_somebody_who_never_answers(password_file: SecretRef) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = Endpoint(engine="postgresql", host="127.0.0.1", port=silent.getsockname()[1], password=password_file)
        refused(endpoint, Unreachable, "connect_failed", 69, timeout_s=2)


def open_many(server: ThrowawayServer) -> None:
    with ExitStack() as held:
        for _ in range(10):
            held.enter_context(connect(backend, server.endpoint(), resolve=resolve))


def test_too_many_connections(private_postgres: Callable[..., ThrowawayServer]) -> None:
    server = private_postgres(max_connections="5", superuser_reserved_connections="0", max_wal_senders="0")
    with connect(backend, server.endpoint(), resolve=resolve) as first:
        with pytest.raises(Unreachable) as caught:
            open_many(server)
        assert first.scalar("SELECT 1") == 1
    assert caught.value.reason == "too_many_connections"


def test_a_database_that_may_not_be_connected_to(database: Database) -> None:
    database.sql(f'REVOKE CONNECT ON DATABASE "{database.name}" FROM PUBLIC')
    name = database.server.sql("SELECT 'r' || md5(random()::text)")[0][0]
    database.server.login(name)
    said = refused(database.endpoint(name), NotPermitted, "no_permission", 77)
    assert f'permission denied for database "{database.name}"' in said


def test_a_table_that_may_not_be_read(database: Database) -> None:
    database.sql("CREATE TABLE public.hidden (x int)")
    name = database.server.sql("SELECT 'r' || md5(random()::text)")[0][0]
    database.server.login(name)
    with (
        connect(backend, database.endpoint(name), resolve=resolve) as reader,
        pytest.raises(NotPermitted) as caught,
    ):
        reader.tuples("SELECT * FROM public.hidden")
    assert caught.value.reason == "no_permission"
    assert "permission denied for table hidden" in caught.value.message


def test_a_mistake_in_a_question_does_not_repeat_the_question(reader: Reader) -> None:
    with pytest.raises(ReadFailed) as caught:
        reader.tuples("SELECT 'hunter2' FROM FROM x")
    assert caught.value.reason == "query_failed"
    assert "syntax error" in caught.value.message
    assert "hunter2" not in str(caught.value)


def test_an_option_that_the_driver_does_not_know(database: Database) -> None:
    endpoint = msgspec.structs.replace(database.endpoint(), options={"sslmoode": "require"})
    with pytest.raises(DbopsError, match="sslmoode"), connect(backend, endpoint, resolve=resolve):
        pass


# An Engine of the library's user


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    url = database.url().replace("postgresql://", "postgresql+psycopg://", 1)
    made = create_engine(url, pool_size=1, max_overflow=0)
    yield made
    made.dispose()


def test_an_engine_that_is_handed_in_gives_a_reader(engine: Engine, database: Database) -> None:
    with from_engine(backend, engine) as reader:
        assert reader.scalar("SELECT current_database()") == database.name
        with pytest.raises(ReadFailed, match="read-only"):
            reader.tuples("CREATE TABLE t (x int)")
        with pytest.raises(UsageError, match="the database postgres cannot be opened from an Engine") as caught:
            reader.database("postgres")
    assert "Hand in an endpoint" in caught.value.hint


def test_nothing_of_ours_stays_on_the_owner_s_connections(engine: Engine) -> None:
    with engine.connect() as own:
        before = own.execute(text("SELECT pg_backend_pid()")).scalar()
    with from_engine(backend, engine) as reader:
        assert reader.scalar("SELECT pg_backend_pid()") == before
    with engine.begin() as own:
        assert own.execute(text("SELECT pg_backend_pid()")).scalar() != before
        own.execute(text("CREATE TABLE public.mine (x int)"))
        assert own.execute(text("SHOW statement_timeout")).scalar() == "0"
        assert own.execute(text("SHOW application_name")).scalar() != "dbops"
    assert isinstance(engine.pool, QueuePool)
    assert engine.pool.checkedout() == 0


def test_a_failure_gives_the_connection_up_too(engine: Engine) -> None:
    with pytest.raises(ReadFailed), from_engine(backend, engine) as reader:
        reader.tuples("SELECT nonsense")
    with engine.begin() as own:
        own.execute(text("CREATE TABLE public.mine (x int)"))


class AsyncEngine:
    """Stands for SQLAlchemy's, which cannot be imported without greenlet; it is known by its name."""


def test_an_async_engine_is_refused_by_its_name() -> None:
    made = AsyncEngine()
    # What the type checker would refuse is exactly what a user may do.
    with pytest.raises(UsageError, match="an AsyncEngine was handed in") as caught, from_engine(backend, made):  # type: ignore[arg-type]
        pass
    assert ".sync_engine" in caught.value.hint


def test_an_engine_s_password_is_in_no_message(postgres: ThrowawayServer) -> None:
    for url in (
        f"postgresql+psycopg://postgres:hunter2@127.0.0.1:{postgres.port}/postgres",
        f"postgresql+psycopg://postgres@127.0.0.1:{postgres.port}/postgres?password=hunter2",
    ):
        made = create_engine(url)
        with pytest.raises(NotPermitted) as caught, from_engine(backend, made):
            pass
        assert "hunter2" not in f"{caught.value} {caught.value!r}"
        made.dispose()


def test_a_password_that_cannot_be_had(database: Database) -> None:
    endpoint = msgspec.structs.replace(database.endpoint(), password=SecretRef("env:NOT_SET_ANYWHERE"))
    with pytest.raises(ConfigError, match="NOT_SET_ANYWHERE is not set"), connect(backend, endpoint, resolve=resolve):
        pass
