"""Sessions with SQLite, whose driver differs from PostgreSQL's in everything that a session must not depend on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import ConfigError, NotPermitted, ReadFailed, Unreachable
from dbops.faults import said
from dbops.model.server import Endpoint, Session
from dbops.plan import SecretRef
from dbops.session import SqlReader, connect, from_engine, writer
from dbops.spi import Backend


class Toy:
    """The words of a session; ``reason`` is what every exception is said to mean."""

    name = "toy"

    def __init__(self, drivername: str = "sqlite") -> None:
        self.drivername, self.reason = drivername, "query_failed"

    def session(self, endpoint: Endpoint, *, read_only: bool, timeout_s: float) -> Session:
        pragma = f"PRAGMA query_only = {'ON' if read_only else 'OFF'}"
        return Session(drivername=self.drivername, connect={}, preamble=(pragma,), begin="BEGIN")

    def fault(self, error: BaseException) -> str:
        return self.reason


class Row(msgspec.Struct, frozen=True):
    a: int
    b: str | None


def no_secret(reference: SecretRef) -> str:
    raise AssertionError("no password was configured")


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def endpoint(tmp_path: Path) -> Endpoint:
    return Endpoint(engine="toy", database=str(tmp_path / "x.db"))


@pytest.fixture
def reader(toy: Toy, endpoint: Endpoint) -> Iterator[SqlReader]:
    with connect(cast(Backend, toy), endpoint, resolve=no_secret) as found:
        yield found


def test_four_ways_to_ask(reader: SqlReader) -> None:
    sql = "SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, NULL"
    assert reader.tuples(sql) == [(1, "x"), (2, None)]
    assert reader.dicts(sql) == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    assert reader.rows(sql, Row) == [Row(1, "x"), Row(2, None)]
    assert reader.scalar(sql) == 1
    assert reader.scalar("SELECT 1 WHERE 0") is None
    assert reader.tuples("PRAGMA query_only = ON") == []


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.integers(-(2**62), 2**62))
def test_parameters_are_bound_by_name_whatever_the_driver_calls_them(text: str, number: int) -> None:
    with connect(cast(Backend, Toy()), Endpoint(engine="toy"), resolve=no_secret) as reader:
        sql = "SELECT %(n)s, %(t)s, '%%', '?', %(n)s"
        assert reader.tuples(sql, {"t": text, "n": number}) == [(number, text, "%", "?", number)]


def test_without_parameters_a_percent_sign_is_one(reader: SqlReader) -> None:
    assert reader.scalar("SELECT '100%'") == "100%"
    assert reader.scalar("SELECT '100%'", {}) == "100%"


def test_a_snapshot_ends_whatever_happens(reader: SqlReader) -> None:
    with reader.snapshot():
        assert reader.scalar("SELECT 1") == 1
    with pytest.raises(ReadFailed), reader.snapshot():
        reader.tuples("SELECT nonsense")
    with reader.snapshot():
        assert reader.scalar("SELECT 1") == 1


def test_a_sibling(reader: SqlReader, tmp_path: Path) -> None:
    with reader.database(str(tmp_path / "y.db")) as other:
        assert other.scalar("SELECT file FROM pragma_database_list").endswith("y.db")


@pytest.mark.parametrize(
    ("reason", "kind", "code"),
    [
        ("no_permission", NotPermitted, 77),
        ("auth_failed", NotPermitted, 77),
        ("connect_failed", Unreachable, 69),
        ("unknown_database", Unreachable, 69),
        ("too_many_connections", Unreachable, 69),
        ("timeout", ReadFailed, 74),
        ("query_failed", ReadFailed, 74),
    ],
)
def test_the_backend_s_reason_decides_what_is_raised(
    toy: Toy, reader: SqlReader, reason: str, kind: type[ReadFailed], code: int
) -> None:
    toy.reason = reason
    with pytest.raises(kind, match=r"^toy://local/.*: no such table: x$") as caught:
        reader.tuples("SELECT * FROM x")
    assert (caught.value.reason, caught.value.code) == (reason, code)


@pytest.mark.parametrize(
    ("engine", "hint"),
    [
        ("mysql", "Install dbops again, with what it needs."),  # PyMySQL comes with every installation
        ("toy", "Install dbops again, with what it needs."),
    ],
)
def test_a_driver_that_is_missing_names_what_brings_it(engine: str, hint: str) -> None:
    made = Toy("mysql+mysqldb")
    made.name = engine
    with (
        pytest.raises(ConfigError, match="the driver cannot be loaded") as caught,
        connect(cast(Backend, made), Endpoint(engine="toy", host="h"), resolve=no_secret),
    ):
        pass
    assert caught.value.hint == hint


class Bytes(Toy):
    """A driver that takes passwords as bytes: PyMySQL's way, without a server."""

    def session(self, endpoint: Endpoint, *, read_only: bool, timeout_s: float) -> Session:
        return Session(drivername="mysql+pymysql", connect={}, preamble=(), password_encoding="utf-8")


def test_a_password_of_any_letters_reaches_the_driver_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []

    def refuse(**arguments: object) -> None:
        taken.append(arguments["password"])
        raise OSError("nobody is there")

    monkeypatch.setattr("pymysql.connect", refuse)
    endpoint = Endpoint(engine="toy", host="h", password=SecretRef("env:X"))
    with (
        pytest.raises(Unreachable, match="nobody is there"),
        connect(cast(Backend, Bytes()), endpoint, resolve=lambda reference: "pässwörd €"),
    ):
        pass
    assert taken == ["pässwörd €".encode()]


def test_a_letter_that_the_driver_cannot_send_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyMySQL makes latin-1 of a password that it reads in ``~/.my.cnf`` by itself."""

    def encode(**arguments: object) -> None:
        "hunter2 €".encode("latin-1")

    monkeypatch.setattr("pymysql.connect", encode)
    with (
        pytest.raises(ConfigError, match="toy://h/: the driver can send no letters beyond latin-1") as caught,
        connect(cast(Backend, Bytes()), Endpoint(engine="toy", host="h"), resolve=no_secret),
    ):
        pass
    assert "hunter2" not in str(caught.value)
    assert 'password = "env:NAME"' in caught.value.hint


def test_what_stands_above_a_caret_is_left_out(toy: Toy) -> None:
    words = (
        "syntax error at or near \"x\"\nLINE 1: ... PASSWORD 'hunter2' x\n                        ^\nHINT:  Look again."
    )
    assert said(Exception(words)) == 'syntax error at or near "x" HINT: Look again.'


def test_a_driver_s_number_and_text_are_no_pair_of_python_s() -> None:
    assert said(Exception(1045, "Access denied for user 'x'")) == "Access denied for user 'x' (error 1045)"
    assert said(Exception("28000", "Login failed")) == "('28000', 'Login failed')"
    assert said(Exception(0, "")) == "(error 0)"


def test_a_writer_commits_as_a_whole_or_not_at_all(toy: Toy, endpoint: Endpoint) -> None:
    def twice() -> None:
        with session.transaction():
            session.run("CREATE TABLE a (x)")
            session.run("CREATE TABLE a (x)")

    with writer(cast(Backend, toy), endpoint, resolve=no_secret) as session:
        with pytest.raises(ReadFailed, match="already exists"):
            twice()
        with session.transaction():
            session.run("CREATE TABLE b (x)")
        assert session.tuples("SELECT name FROM sqlite_master") == [("b",)]


def test_an_engine_that_is_handed_in(toy: Toy, endpoint: Endpoint) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(f"sqlite:///{endpoint.database}")
    with from_engine(cast(Backend, toy), engine) as reader, pytest.raises(ReadFailed, match="readonly"):
        reader.tuples("CREATE TABLE a (x)")
    with engine.begin() as own:
        own.execute(text("CREATE TABLE mine (x)"))
    engine.dispose()
