"""What an exception of a driver means."""

from __future__ import annotations

import pytest

from dbops_mssql.fault import fault, numbers

THROUGH = "[Microsoft][ODBC Driver 18 for SQL Server]"


class Odbc(Exception):
    """As pyodbc raises: the SQLSTATE, and the words."""


class Words(Exception):
    """As mssql-python raises: one text, and what it makes of the SQLSTATE."""

    def __init__(self, driver_error: str, said: str) -> None:
        super().__init__(f"Driver Error: {driver_error}; DDBC Error: [Microsoft][SQL Server]{said}")
        self.driver_error = driver_error


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (f"[28000] {THROUGH}[SQL Server]Login failed for user 'x'. (18456) (SQLDriverConnect)", "auth_failed"),
        (f"[42000] {THROUGH}[SQL Server]Cannot open database. (4060) (SQLDriverConnect)", "unknown_database"),
        (f"[HYT00] {THROUGH}Login timeout expired (0) (SQLDriverConnect)", "timeout"),
        (f"[28000] {THROUGH}No. (18456) (SQL1); [28000] {THROUGH}Not open. (4060) (SQL1)", "unknown_database"),
        (f"[42000] {THROUGH}Not open. (4060) (SQL1); [28000] {THROUGH}No. (18456) (SQL1)", "unknown_database"),
        ("[42000] [FreeTDS][SQL Server]The SELECT permission was denied. (229) (SQLExecDirectW)", "no_permission"),
        (f"[42000] {THROUGH}[SQL Server]a (50000) (SQL2); [42000] {THROUGH}b (1222) (SQL1)", "lock_timeout"),
        (f"[40001] {THROUGH}[SQL Server]deadlocked (1205) (SQLMoreResults)", "deadlock"),
        (f"[HYT00] {THROUGH}Query timeout expired (0) (SQLExecDirectW)", "timeout"),
        (f"[08S01] {THROUGH}TCP Provider: Error code 0x68 (104) (SQLExecDirectW)", "connect_failed"),
        (f"[08001] {THROUGH}SSL Provider: [error:certificate verify failed:x] (-1) (SQL1)", "certificate_untrusted"),
        ("[01000] [unixODBC][Driver Manager]Can't open lib 'x' (0) (SQLDriverConnect)", "driver_missing"),
        ("[IM002] [unixODBC][Driver Manager]No data source (0) (SQLDriverConnect)", "driver_missing"),
        (f"[42000] {THROUGH}[SQL Server]Cannot open backup device. (3201) (SQLExecDirectW)", "query_failed"),
    ],
)  # fmt: skip
def test_pyodbc(said: str, reason: str) -> None:
    assert fault(Odbc(said[1:6], said)) == reason


@pytest.mark.parametrize(
    ("driver_error", "said", "reason"),
    [
        ("Invalid authorization specification", "Login failed for user 'x'.", "auth_failed"),
        ("Syntax error or access violation", "Lock request time out period exceeded.", "lock_timeout"),
        ("Syntax error or access violation", "The SELECT permission was denied on the object 'x'.", "no_permission"),
        ("Syntax error or access violation", "Incorrect syntax near 'x'.", "query_failed"),
        ("Serialization failure", "Transaction was deadlocked.", "deadlock"),
        ("Base table or view not found", "Invalid object name 'x'.", "not_supported_version"),
        ("Communication link failure", "x", "connect_failed"),
        ("Timeout expired", "Query timeout expired", "timeout"),
    ],
)
def test_mssql_python(driver_error: str, said: str, reason: str) -> None:
    assert fault(Words(driver_error, said)) == reason


def test_other_exceptions() -> None:
    assert fault(TimeoutError()) == "timeout"
    assert fault(ConnectionResetError()) == "connect_failed"
    assert fault(ValueError()) == "query_failed"
    assert fault(Odbc("ODBC SQL type -16 is not yet supported", "HY106")) == "query_failed"


def test_numbers_are_those_of_messages_and_not_others_in_the_text() -> None:
    assert numbers("a (12) b (3201) (SQLExecDirectW); [42000] c (3013) (SQLMoreResults)") == [3201, 3013]
