"""How sessions are set up, and how psycopg's exceptions are understood."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from dbops.model.server import Endpoint
from dbops_postgresql.session import fault, session


def endpoint(**parts: object) -> Endpoint:
    return Endpoint(engine="postgresql", **parts)  # type: ignore[arg-type]  # the parts vary by test


def preamble(read_only: bool, timeout_s: float = 5.0) -> str:
    return "; ".join(session(endpoint(), read_only=read_only, timeout_s=timeout_s).preamble)


def test_a_reader_cannot_write_and_does_not_wait_for_a_lock() -> None:
    text = preamble(read_only=True)
    assert "SET default_transaction_read_only = on" in text
    assert "SET statement_timeout = 5000" in text
    assert "SET lock_timeout = 100;" in text
    assert "SET idle_in_transaction_session_timeout = 10000" in text


def test_a_writer_is_bounded_in_waiting_but_not_in_working() -> None:
    text = preamble(read_only=False, timeout_s=60)
    assert "SET default_transaction_read_only = off" in text
    assert "SET statement_timeout = 0" in text
    assert "SET lock_timeout = 60000;" in text


@pytest.mark.parametrize("timeout_s", [0.001, 0.5, 1, 2.5, 3600])
def test_no_timeout_ever_becomes_zero_which_means_none(timeout_s: float) -> None:
    assert "_timeout = 0;" not in preamble(read_only=True, timeout_s=timeout_s)
    connect = session(endpoint(), read_only=True, timeout_s=timeout_s).connect
    assert connect["connect_timeout"] >= 2  # type: ignore[operator]  # an int, typed as object in the struct
    assert connect["tcp_user_timeout"] > timeout_s * 1000  # type: ignore[operator]  # the same


def test_nothing_is_a_startup_option_and_what_is_left_out_stays_out() -> None:
    connect = session(endpoint(), read_only=True, timeout_s=5).connect
    assert not {"options", "host", "user", "password", "dbname"} & set(connect)


def test_a_socket_directory_goes_where_libpq_expects_it() -> None:
    connect = session(endpoint(host="/run/postgresql"), read_only=True, timeout_s=5).connect
    assert connect["host"] == "/run/postgresql"


def test_the_options_of_the_url_win() -> None:
    connect = session(endpoint(options={"connect_timeout": "30"}), read_only=True, timeout_s=5).connect
    assert "connect_timeout" not in connect


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.InsufficientPrivilege(), "no_permission"),
        (errors.QueryCanceled(), "timeout"),
        (errors.LockNotAvailable(), "lock_timeout"),
        (errors.TooManyConnections(), "too_many_connections"),
        (errors.InvalidPassword(), "auth_failed"),
        (errors.InvalidCatalogName(), "unknown_database"),
        (errors.UndefinedColumn(), "not_supported_version"),
        (errors.AdminShutdown(), "connect_failed"),
        (errors.ConnectionFailure(), "connect_failed"),
        (errors.DivisionByZero(), "query_failed"),
        (ValueError("anything"), "query_failed"),
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError("Connection refused"), "connect_failed"),
    ],
)
def test_reasons_by_state(error: BaseException, reason: str) -> None:
    assert fault(error) == reason


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ('FATAL:  password authentication failed for user "x"', "auth_failed"),
        ('FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "x", database "y", no encryption', "auth_failed"),
        ('FATAL:  role "nobody" does not exist', "auth_failed"),
        ('FATAL:  role "app" is not permitted to log in', "auth_failed"),
        ("connection failed: fe_sendauth: no password supplied", "auth_failed"),
        ('FATAL:  database "shop" does not exist', "unknown_database"),
        ('FATAL:  database "template0" is not currently accepting connections', "unknown_database"),
        ('FATAL:  permission denied for database "shop"', "no_permission"),
        ("FATAL:  sorry, too many clients already", "too_many_connections"),
        (
            "FATAL:  remaining connection slots are reserved for superusers",
            "too_many_connections",
        ),
        ('FATAL:  too many connections for role "app"', "too_many_connections"),
        ("FATAL:  the database system is starting up", "connect_failed"),
        ("Connection refused\n\tIs the server running on that host?", "connect_failed"),
        ("FATAL:  le système de bases de données s'arrête", "connect_failed"),
    ],
)
def test_reasons_by_libpq_s_words(said: str, reason: str) -> None:
    assert fault(psycopg.OperationalError(said)) == reason
