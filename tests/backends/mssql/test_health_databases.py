"""States and settings of databases, from rows of sys.databases."""

from __future__ import annotations

import pytest

from dbops.model.finding import Missing
from dbops.model.health import Row, Status
from tests.backends.mssql.health_samples import (
    CRITICAL,
    HIDDEN,
    OK,
    SKIPPED,
    UNKNOWN,
    WARNING,
    database,
    result,
    sql_of,
)

MASTER = database("master", id=1, recovery_model="SIMPLE", log_backup_lsn=None)
TEMPDB = database("tempdb", id=2, page_verify="NONE", auto_shrink=1)


def test_all_is_well() -> None:
    for check, said in (
        ("ms.db.state", "3 databases are online"),
        ("ms.page_verify", "pages have checksums"),
        ("ms.db.auto", "no database is closed or shrunk by itself"),
    ):
        found = result(check, catalogue=[MASTER, TEMPDB, database()])
        assert (found.status, found.summary) == (OK, said)


@pytest.mark.parametrize(
    ("state", "status", "said"),
    [
        ("SUSPECT", CRITICAL, "shop: SUSPECT: its recovery failed, nobody can use it"),
        ("RECOVERY_PENDING", CRITICAL, "shop: RECOVERY_PENDING: files or room that recovery needs are not there"),
        ("EMERGENCY", CRITICAL, "shop: EMERGENCY: somebody opened it for rescue"),
        ("RECOVERING", WARNING, "shop: RECOVERING: recovery is at work"),
        ("RESTORING", WARNING, "shop: RESTORING: it waits for more of its backup"),
        ("OFFLINE", OK, "2 databases are online"),
        ("COPYING", OK, "2 databases are online"),
    ],
)
def test_a_database_that_cannot_be_used(state: str, status: Status, said: str) -> None:
    found = result("ms.db.state", catalogue=[MASTER, TEMPDB, database(state=state)])
    assert found.status is status
    assert found.summary.startswith(said)


def test_a_state_that_is_not_known_is_unknown() -> None:
    found = result("ms.db.state", catalogue=[MASTER, database(state="DREAMING")])
    assert (found.status, found.reason) == (UNKNOWN, "null_value")
    assert "shop: not known how it is: its state is DREAMING" in found.summary


def test_a_copy_in_a_group_is_restoring_by_its_nature() -> None:
    copy = database(state="RESTORING", in_group=1, updateability=None)
    assert result("ms.db.state", catalogue=[MASTER, copy]).status is OK


def test_a_snapshot_is_no_database_of_its_own() -> None:
    snapshot = database("shop_snap", id=9, snapshot_of=5, state="SUSPECT", page_verify="NONE")
    for check in ("ms.db.state", "ms.page_verify"):
        assert result(check, catalogue=[MASTER, snapshot]).status is OK


def test_single_user() -> None:
    found = result("ms.db.state", catalogue=[database("we]ird", user_access="SINGLE_USER")])
    assert (found.status, sql_of(found)) == (WARNING, "ALTER DATABASE [we]]ird] SET MULTI_USER;")
    assert found.evidence[0]["object"] == "database:[we]]ird]"


@pytest.mark.parametrize("option", ["NONE", "TORN_PAGE_DETECTION"])
def test_pages_without_checksums(option: str) -> None:
    found = result("ms.page_verify", catalogue=[MASTER, TEMPDB, database(page_verify=option)])
    assert (found.status, found.affected) == (WARNING, 1)
    assert found.summary == f"shop: PAGE_VERIFY is {option}: what storage damages is not noticed"
    assert sql_of(found) == "ALTER DATABASE [shop] SET PAGE_VERIFY CHECKSUM WITH NO_WAIT;"


@pytest.mark.parametrize(
    "changed",
    [
        {"is_read_only": 1},
        {"state": "OFFLINE"},
        {"is_in_standby": 1},
        {"in_group": 1, "updateability": "READ_ONLY"},
    ],
)
def test_what_cannot_be_set_here_is_left_alone(changed: Row) -> None:
    for check in ("ms.page_verify", "ms.db.auto"):
        assert result(check, catalogue=[MASTER, database(page_verify="NONE", auto_close=1, **changed)]).status is OK


def test_closing_and_shrinking() -> None:
    both = result("ms.db.auto", catalogue=[database(auto_close=1, auto_shrink=1)])
    assert (both.status, both.summary) == (WARNING, "shop: AUTO_CLOSE and AUTO_SHRINK on")
    assert sql_of(both).splitlines() == [
        "ALTER DATABASE [shop] SET AUTO_CLOSE OFF WITH NO_WAIT;",
        "ALTER DATABASE [shop] SET AUTO_SHRINK OFF WITH NO_WAIT;",
    ]
    one = result("ms.db.auto", catalogue=[database(auto_shrink=1)])
    assert one.summary == "shop: AUTO_SHRINK on"


def test_what_the_server_does_not_tell_is_unknown() -> None:
    for check, column in (("ms.page_verify", "page_verify"), ("ms.db.auto", "auto_close")):
        found = result(check, catalogue=[database(**{column: None})])
        assert (found.status, found.reason) == (UNKNOWN, "null_value")


def test_hidden_databases_are_not_well_and_hide_no_bad_one() -> None:
    for check in ("ms.db.state", "ms.page_verify", "ms.db.auto"):
        found = result(check, rights=HIDDEN, catalogue=[MASTER])
        assert (found.status, found.reason) == (UNKNOWN, "hidden_rows")
        assert sql_of(found) == "GRANT VIEW ANY DATABASE TO [o]]dd'];"
    bad = result("ms.db.state", rights=HIDDEN, catalogue=[database(state="SUSPECT")])
    assert bad.status is CRITICAL
    unread = result("ms.db.state", rights=Missing("timeout", "late"), catalogue=[MASTER])
    assert (unread.status, unread.reason) == (UNKNOWN, "timeout")


def test_an_offline_database_does_not_make_the_answer_unclear() -> None:
    found = result("ms.db.state", catalogue=[database(state="OFFLINE")])
    assert (found.status, found.summary) == (OK, "0 databases are online")
    assert SKIPPED not in {row["status"] for row in found.evidence}
