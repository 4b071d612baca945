"""How sessions are set up, and how PyMySQL's exceptions are understood."""

from __future__ import annotations

import pymysql
import pytest
from pymysql import err

from dbops.errors import UsageError
from dbops.model.server import Endpoint
from dbops_mysql.session import fault, session


def endpoint(**parts: object) -> Endpoint:
    return Endpoint(engine="mysql", **parts)  # type: ignore[arg-type]  # the parts vary by test


def preamble(*, read_only: bool, timeout_s: float = 5.0) -> str:
    return "; ".join(session(endpoint(), read_only=read_only, timeout_s=timeout_s).preamble)


def connect(**options: str) -> dict[str, object]:
    """What the driver is told because of these options of a URL."""
    named = {name.replace("_", "-"): value for name, value in options.items()}
    return session(endpoint(host="db1", options=named), read_only=True, timeout_s=5).connect


def test_a_reader_cannot_write_and_does_not_wait_for_long() -> None:
    text = preamble(read_only=True)
    assert "SET SESSION TRANSACTION READ ONLY" in text
    assert "lock_wait_timeout = 1, innodb_lock_wait_timeout = 1 " in text
    assert "/*!50708 , max_execution_time = 5000 */" in text
    assert "/*M! , max_statement_time = 5 */" in text


def test_a_writer_is_bounded_in_waiting_but_not_in_working() -> None:
    text = preamble(read_only=False, timeout_s=60)
    assert "SET SESSION TRANSACTION READ WRITE" in text
    assert "lock_wait_timeout = 60, innodb_lock_wait_timeout = 60 " in text
    assert "max_execution_time = 0 " in text
    assert "max_statement_time = 0 " in text
    assert "read_timeout" not in session(endpoint(), read_only=False, timeout_s=60).connect


@pytest.mark.parametrize("timeout_s", [0.0001, 0.5, 1, 2.5, 3600])
def test_no_timeout_ever_becomes_zero_which_means_none(timeout_s: float) -> None:
    text = preamble(read_only=True, timeout_s=timeout_s)
    assert "max_execution_time = 0 " not in text
    assert "max_statement_time = 0 " not in text
    found = session(endpoint(), read_only=True, timeout_s=timeout_s).connect
    assert isinstance(found["connect_timeout"], int)
    assert found["connect_timeout"] >= 1
    assert isinstance(found["read_timeout"], int)
    assert found["read_timeout"] > timeout_s


def test_every_text_means_the_same_whatever_the_server_is_set_to() -> None:
    for read_only in (True, False):
        text = preamble(read_only=read_only)
        assert "NO_BACKSLASH_ESCAPES" in text
        assert "ANSI_QUOTES" not in text
        assert "time_zone = '+00:00'" in text


def test_sizes_and_counters_are_those_of_now() -> None:
    assert "/*!80011 , information_schema_stats_expiry = 0 */" in preamble(read_only=True)


# TLS


def test_by_default_tls_is_used_where_there_is_any() -> None:
    assert not {name for name in connect() if name.startswith("ssl")}


@pytest.mark.parametrize("mode", ["DISABLED", "disabled"])
def test_no_tls(mode: str) -> None:
    assert connect(ssl_mode=mode)["ssl_disabled"] is True


def test_tls_and_nothing_else() -> None:
    found = connect(ssl_mode="REQUIRED")
    assert found["ssl"] == {"check_hostname": False}
    assert "ssl_verify_cert" not in found


def test_tls_with_a_look_at_the_certificate() -> None:
    found = connect(ssl_mode="VERIFY_CA", ssl_ca="/ca.pem")
    assert (found["ssl_ca"], found["ssl_verify_cert"], found["ssl_verify_identity"]) == ("/ca.pem", True, False)
    found = connect(ssl_mode="VERIFY_IDENTITY", ssl_ca="/ca.pem", ssl_cert="/me.pem", ssl_key="/me.key")
    assert (found["ssl_verify_cert"], found["ssl_verify_identity"]) == (True, True)
    assert (found["ssl_cert"], found["ssl_key"]) == ("/me.pem", "/me.key")


@pytest.mark.parametrize(("word", "meant"), [("true", True), ("1", True), ("on", True), ("false", False), ("0", False)])
def test_the_driver_s_own_words(word: str, meant: bool) -> None:
    assert connect(ssl_ca="/ca.pem", ssl_verify_cert=word)["ssl_verify_cert"] is meant


@pytest.mark.parametrize(
    ("options", "said", "hint"),
    [
        ({"ssl_mode": "MAYBE"}, "ssl-mode=MAYBE is not known", "VERIFY_IDENTITY"),
        ({"ssl_mode": "VERIFY_CA"}, "ssl-mode=VERIFY_CA needs the certificate authority's file", "ssl-ca"),
        ({"ssl_mode": "verify_identity"}, "ssl-mode=VERIFY_IDENTITY needs", "ssl-ca"),
    ],
)
def test_words_that_promise_what_cannot_be_kept(options: dict[str, str], said: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        connect(**options)
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_other_options_go_to_the_driver_as_they_are() -> None:
    found = session(endpoint(host="h", options={"charset": "utf8mb4", "ssl-ca": "/ca"}), read_only=True, timeout_s=5)
    assert found.query == {"charset": "utf8mb4"}


# Where


def test_a_path_is_a_socket() -> None:
    found = session(endpoint(host="/run/mysqld/mysqld.sock"), read_only=True, timeout_s=5).connect
    assert found["unix_socket"] == "/run/mysqld/mysqld.sock"
    assert "read_default_file" not in found


@pytest.mark.parametrize(
    ("parts", "read"),
    [
        ({}, True),
        ({"user": "x"}, True),
        ({"host": "db1"}, False),
        ({"host": "/run/s"}, False),
        ({"options": {"unix_socket": "/run/s"}}, False),
        ({"options": {"read_default_file": "/other.cnf"}}, False),
    ],
)
def test_the_users_own_file_counts_only_where_no_server_is_named(parts: dict[str, object], read: bool) -> None:
    found = session(endpoint(**parts), read_only=True, timeout_s=5).connect
    assert (found.get("read_default_file") == "~/.my.cnf") is read


# Faults


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (1045, "auth_failed"),
        (1698, "auth_failed"),
        (1130, "auth_failed"),
        (1862, "auth_failed"),
        (3118, "auth_failed"),
        (4151, "auth_failed"),
        (1044, "no_permission"),
        (1142, "no_permission"),
        (1227, "no_permission"),
        (1040, "too_many_connections"),
        (1203, "too_many_connections"),
        (1226, "too_many_connections"),
        (2002, "connect_failed"),
        (2003, "connect_failed"),
        (2006, "connect_failed"),
        (2013, "connect_failed"),
        (2026, "connect_failed"),
        (3159, "auth_failed"),
        (1049, "unknown_database"),
        (1205, "lock_timeout"),
        (1213, "deadlock"),
        (1317, "timeout"),
        (1969, "timeout"),
        (3024, "timeout"),
        (1054, "not_supported_version"),
        (1146, "not_supported_version"),
        (1193, "not_supported_version"),
        (1064, "query_failed"),
        (1381, "query_failed"),
    ],
)
def test_reasons_by_number(number: int, reason: str) -> None:
    assert fault(pymysql.OperationalError(number, "some words")) == reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (err.OperationalError(2013, "Lost connection to MySQL server during query (timed out)"), "timeout"),
        (err.OperationalError(2003, "Can't connect to MySQL server on 'x' (timed out)"), "connect_failed"),
        (err.OperationalError(1047, "WSREP has not yet prepared node for application use"), "connect_failed"),
        (err.OperationalError(1047, "Unknown command"), "query_failed"),
        (err.InterfaceError(0, ""), "connect_failed"),
        (err.InterfaceError("(0, '')"), "connect_failed"),
        (err.OperationalError("no number"), "query_failed"),
        (err.OperationalError(), "query_failed"),
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(111, "Connection refused"), "connect_failed"),
        (ValueError("anything"), "query_failed"),
    ],
)
def test_reasons_by_other_signs(error: BaseException, reason: str) -> None:
    assert fault(error) == reason
