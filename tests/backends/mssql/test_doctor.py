"""What the doctor makes of what it sees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from dbops.errors import ReadFailed
from dbops.model.backup import BackupFacts, Blocker, Depot
from dbops.model.doctor import Configured, Standing
from dbops.model.finding import Missing
from dbops.model.server import Endpoint, Server
from dbops_mssql.backup.places import unset
from dbops_mssql.doctor import (
    Seen,
    driver_of,
    examine,
    judge_backup,
    judge_connection,
    judge_databases,
    judge_driver,
    judge_password,
)
from dbops_mssql.driver import Driver

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SERVER = Server(
    engine="mssql", version=(16, 0), version_text="2022", role="primary", incarnation="x", user="dbops"
)  # fmt: skip


@pytest.mark.parametrize(("days", "standing"), [(0, "problem"), (13, "problem"), (14, "ok"), (60, "ok")])
def test_a_password_that_runs_out_soon_is_a_problem(days: int, standing: str) -> None:
    [found] = judge_password(Seen(clock=NOW, days_left=days), SERVER)
    assert found.standing == standing
    assert f"another {days} days" in found.summary
    assert ("ALTER LOGIN [dbops]" in found.fix) == (standing == "problem")


def test_a_password_without_an_end_is_nothing_to_tell() -> None:
    assert list(judge_password(Seen(clock=NOW), SERVER)) == []


def test_a_connection_in_clear_text_is_a_problem_and_one_that_nobody_tells_of_is_none() -> None:
    [found] = judge_connection("FALSE", "SQL")
    assert (found.standing, found.summary.count("not encrypted, the login by SQL")) == (Standing.PROBLEM, 1)
    assert list(judge_connection("", "NTLM")) == []


def test_a_driver_that_verifies_nothing_is_a_problem() -> None:
    assert judge_driver(Driver("FreeTDS", "freetds", "installed")).standing is Standing.PROBLEM
    found = judge_driver(Driver("/x/libmsodbcsql-18.6.so.2.1", "microsoft", "wheel"))
    assert found.standing is Standing.OK
    assert found.summary == "Microsoft's ODBC driver libmsodbcsql-18.6.so.2.1 (of the extra mssql)"


def test_databases_that_are_shut_are_counted_and_some_named() -> None:
    assert judge_databases([], 4).standing is Standing.OK
    assert judge_databases(["a", "b"], 4).summary == "the login cannot enter a, b"
    assert judge_databases(["a", "b", "c", "d", "e"], 9).summary == "the login cannot enter a, b, c and 2 more"


def blocked(*methods: str) -> BackupFacts:
    return BackupFacts(
        databases=(),
        log_bytes_per_s=0.0,
        total_bytes=0,
        blockers=tuple(Blocker(method=one, reason="because") for one in methods),
    )


def test_a_method_that_works_is_enough() -> None:
    found = list(judge_backup(blocked("log"), ["full", "log"]))
    assert [(one.standing, one.summary) for one in found] == [
        (Standing.OK, "backups by full can be made"),
        (Standing.OK, "backups by log cannot be made: because"),
    ]
    found = list(judge_backup(blocked("full", "log"), ["full", "log"]))
    assert [one.standing for one in found] == [Standing.PROBLEM, Standing.PROBLEM]
    assert found[0].summary == "backups by full will fail: because"


def test_what_the_configuration_leaves_out_keeps_backups_from_being_made() -> None:
    nowhere = BackupFacts(databases=(), log_bytes_per_s=0.0, total_bytes=0, blockers=tuple(unset(Depot())))
    found = list(judge_backup(nowhere, ["full", "log"]))
    assert [one.standing for one in found[:2]] == [Standing.PROBLEM, Standing.PROBLEM]
    assert found[0].summary == "backups by full will fail: where the server is to write its backups is not configured"
    assert found[0].fix.startswith("Set [targets.NAME.backup] to = ")
    assert {one.standing for one in judge_backup(nowhere, ["full", "log"], wanted=False)} == {Standing.OK}
    assert [one.method for one in unset(Depot(to=("D:",)))] == ["differential", "log", "tail"]
    assert list(unset(Depot(to=("D:",), owns_chain=True))) == []


@pytest.mark.parametrize(
    ("engine", "driver", "said"),
    [
        ("mssql+mssqlpython", "", "the driver mssql-python"),
        ("mssql", "/usr/lib/odbc/libtdsodbc.so", "FreeTDS libtdsodbc.so (as the URL says) does not verify"),
        ("mssql", "ODBC Driver 17 for SQL Server", "ODBC Driver 17 for SQL Server (as the URL says)"),
    ],
)
def test_the_driver_is_the_one_that_the_url_takes(engine: str, driver: str, said: str) -> None:
    pytest.importorskip("pyodbc")
    assert said in driver_of(Endpoint(engine=engine, options={"driver": driver})).summary


def test_a_server_that_does_not_answer_is_unknown_and_not_well() -> None:
    class Broken:
        def rows(self, *_: object) -> list[object]:
            raise ReadFailed("no answer", reason="timeout")

    nothing = cast("Any", None)
    configured = Configured(endpoint=Endpoint(engine="mssql"))
    found = examine(cast("Any", Broken()), SERVER, nothing, nothing, configured)  # only what is asked first
    assert found.symptoms[-1].standing is Standing.UNKNOWN
    assert found.clock == found.data_bytes == Missing("timeout", "no answer")
