"""Damaged pages and DBCC CHECKDB, from recorded rows."""

from __future__ import annotations

import msgspec
import pytest

from dbops.model.finding import Missing
from dbops.model.health import Row, Status
from tests.backends.mssql.health_samples import (
    CRITICAL,
    DAY,
    HIDDEN,
    OK,
    SERVER,
    UNKNOWN,
    WARNING,
    database,
    result,
    sql_of,
)

NEVER: Row = {"name": "shop", "since_1900_d": 0, "age_min": 66_000_000}


def checked(minutes: int | None) -> Row:
    return {"name": "shop", "since_1900_d": None if minutes is None else 46_000, "age_min": minutes}


@pytest.mark.parametrize(("minutes", "status"), [(60, OK), (8 * DAY - 1, OK), (8 * DAY, WARNING), (15 * DAY, CRITICAL)])
def test_how_long_ago_it_was_checked(minutes: int, status: Status) -> None:
    found = result("ms.checkdb.age", catalogue=[database()], checked=[checked(minutes)])
    assert (found.status, found.value) == (status, minutes * 60.0)
    assert found.summary.startswith("shop: last found whole ")


def test_never_checked_counts_from_when_it_was_made() -> None:
    found = result("ms.checkdb.age", catalogue=[database()], checked=[NEVER])
    assert (found.status, found.summary, found.value) == (CRITICAL, "shop: never checked", 30 * DAY * 60.0)
    assert sql_of(found) == "DBCC CHECKDB ([shop]) WITH NO_INFOMSGS, ALL_ERRORMSGS;"
    assert result("ms.checkdb.age", catalogue=[database(created_min=5)], checked=[NEVER]).status is OK
    untold = result("ms.checkdb.age", catalogue=[database(created_min=None)], checked=[NEVER])
    assert untold.status is CRITICAL


@pytest.mark.parametrize("rows", [[], [checked(None)]])
def test_what_is_not_told_is_unknown(rows: list[Row]) -> None:
    found = result("ms.checkdb.age", catalogue=[database()], checked=rows)
    assert (found.status, found.reason) == (UNKNOWN, "null_value")


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ((13, 0, 4001, 0), "not_supported_version"),
        ((13, 0, 5026, 0), "null_value"),
        ((14, 0, 3029, 16), "not_supported_version"),
        ((14, 0, 3030, 27), "null_value"),
        ((15, 0, 2000, 5), "null_value"),
    ],
)
def test_builds_that_do_not_tell(version: tuple[int, ...], reason: str) -> None:
    server = msgspec.structs.replace(SERVER, version=version)
    found = result("ms.checkdb.age", server, catalogue=[database()], checked=[checked(None)])
    assert (found.status, found.reason) == (UNKNOWN, reason)


def test_hidden_databases() -> None:
    found = result("ms.checkdb.age", rights=HIDDEN, catalogue=[database()], checked=[checked(5)])
    assert (found.status, found.reason) == (UNKNOWN, "hidden_rows")


def suspect(event: int, **changed: object) -> Row:
    row = {"id": 5, "name": "shop", "file_id": 1, "page_id": 153, "event_type": event, "error_count": 3, "age_min": 60}
    return msgspec.convert({**row, **changed}, Row)


def test_no_damage() -> None:
    found = result("ms.corruption", catalogue=[database()], suspects=[], repairs=[])
    assert (found.status, found.summary) == (OK, "no page is known to be damaged")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (1, "shop: page 1:153 could not be read, 3 times"),
        (2, "shop: page 1:153 has a wrong checksum, 3 times"),
        (3, "shop: page 1:153 was written by half, 3 times"),
        (6, "shop: page 1:153 failed (event 6), 3 times"),
    ],
)
def test_a_damaged_page(event: int, said: str) -> None:
    found = result("ms.corruption", catalogue=[database()], suspects=[suspect(event)], repairs=[])
    assert (found.status, found.summary) == (CRITICAL, said)
    assert found.remedy is not None
    assert found.remedy.risk == "data-loss"


@pytest.mark.parametrize("event", [4, 5, 7])
def test_a_page_that_was_mended(event: int) -> None:
    found = result("ms.corruption", catalogue=[database()], suspects=[suspect(event)], repairs=[])
    assert (found.status, found.summary) == (OK, "no page is known to be damaged (1 were, and have been repaired)")


def test_a_page_of_a_database_that_is_gone() -> None:
    assert result("ms.corruption", catalogue=[], suspects=[suspect(2, name=None)], repairs=[]).status is OK


def test_a_table_that_is_nearly_full_records_no_more() -> None:
    many = [suspect(4, page_id=number) for number in range(900)]
    found = result("ms.corruption", catalogue=[database()], suspects=many, repairs=[])
    assert found.status is WARNING
    assert "at 1,000 rows the server records no more" in found.summary


def repair(status: int, age_min: int | None = 60) -> Row:
    return {"name": "shop", "file_id": 1, "page_id": 7, "page_status": status, "age_min": age_min}


@pytest.mark.parametrize(
    ("row", "status", "said"),
    [
        (repair(4), WARNING, "was repaired from another replica: storage damaged it"),
        (repair(2), WARNING, "is asked of another replica: storage damaged it"),
        (repair(5), CRITICAL, "could not be had from another replica"),
        (repair(5, 100 * DAY), CRITICAL, "could not be had from another replica"),
        (repair(4, None), WARNING, "was repaired from another replica: storage damaged it"),
    ],
)
def test_repairs_by_another_replica(row: Row, status: Status, said: str) -> None:
    found = result("ms.corruption", catalogue=[database()], suspects=[], repairs=[row])
    assert (found.status, found.summary) == (status, f"shop: page 1:7 {said}")


def test_repairs_of_long_ago_and_repairs_that_are_not_shown() -> None:
    assert result("ms.corruption", catalogue=[database()], suspects=[], repairs=[repair(4, 31 * DAY)]).status is OK
    refused = Missing("no_permission", "VIEW SERVER STATE permission was denied")
    assert result("ms.corruption", catalogue=[database()], suspects=[], repairs=refused).status is OK
    assert result("ms.corruption", catalogue=[database()], suspects=refused, repairs=[]).status is UNKNOWN
