"""Room on volumes and in files, where a file that may still grow is not full."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.model.finding import Missing
from dbops.model.health import Row, Status
from dbops_mssql.health.checks.room import PAGE, Growing, reach
from tests.backends.mssql.health_samples import (
    CRITICAL,
    HIDDEN,
    MANAGED,
    OK,
    UNKNOWN,
    WARNING,
    database,
    result,
    sql_of,
)

GIB = 2**30
PAGES_GIB = GIB // PAGE
UNSEEN = Missing("no_permission", "The user does not have permission to perform this action.")


def placed(**changed: object) -> Row:
    """The log of ``shop``, of 1 GiB, which may grow as far as its volume goes; there are 9 GiB left of 100."""
    row: dict[str, object] = {
        "id": 5, "file_id": 2, "kind": "LOG", "pages": PAGES_GIB, "max_pages": -1, "growth": 8192, "volume": "L:\\",
        "label": "logs", "total_bytes": 100 * GIB, "available_bytes": 9 * GIB, "is_read_only": 0,
    }  # fmt: skip
    return msgspec.convert({**row, **changed}, Row)


# Volumes


@pytest.mark.parametrize(("left", "status"), [(50, OK), (16, OK), (15, WARNING), (5, CRITICAL), (0, CRITICAL)])
def test_volumes(left: int, status: Status) -> None:
    other = placed(volume="D:\\", file_id=1, kind="ROWS", available_bytes=90 * GIB)
    found = result("ms.disk.free", volumes=[placed(available_bytes=left * GIB), other, other])
    assert (found.status, found.objects) == (status, 2)
    assert found.summary.startswith(f"L:\\ has {left}")


def test_volumes_that_cannot_be_written_or_are_not_told() -> None:
    gone = [placed(volume=None, total_bytes=None, available_bytes=None), placed(is_read_only=1, available_bytes=0)]
    found = result("ms.disk.free", volumes=msgspec.convert(gone, list[Row]))
    assert (found.status, found.reason) == (UNKNOWN, "no_rows")
    unnamed = result("ms.disk.free", volumes=[placed(volume="", label="", available_bytes=1)])
    assert unnamed.summary.startswith("the volume has 1 bytes")


def test_hidden_files_may_lie_on_other_volumes() -> None:
    found = result("ms.disk.free", rights=HIDDEN, volumes=[placed(available_bytes=90 * GIB)])
    assert (found.status, found.reason) == (UNKNOWN, "hidden_rows")
    assert "GRANT VIEW ANY DEFINITION TO [o]]dd'];" in sql_of(found)
    assert result("ms.disk.free", rights=HIDDEN, volumes=[placed(available_bytes=1)]).status is CRITICAL


# Logs


def log(used_gib: float, size_gib: float = 1, name: str = "shop") -> Row:
    return {"name": name, "size_kb": int(size_gib * 2**20), "used_kb": int(used_gib * 2**20)}


def test_a_log_that_may_grow_is_not_full() -> None:
    found = result("ms.log.used", catalogue=[database()], logs=[log(0.99)], volumes=[placed()])
    assert (found.status, found.value) == (OK, 9.9)
    assert found.summary == "shop: 1013.8 MiB of the log are in use, of 10.0 GiB that it can have"


@pytest.mark.parametrize(
    ("changed", "value", "status"),
    [
        ({"growth": 0}, 80.0, WARNING),
        ({"max_pages": 0}, 80.0, WARNING),
        ({"max_pages": 2 * PAGES_GIB}, 40.0, OK),
        ({"available_bytes": 0}, 80.0, WARNING),
        ({"available_bytes": GIB}, 40.0, OK),
    ],
)
def test_how_far_a_log_can_grow(changed: Row, value: float, status: Status) -> None:
    found = result("ms.log.used", catalogue=[database()], logs=[log(0.8)], volumes=[placed(**changed)])
    assert (found.value, found.status) == (value, status)


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        ("LOG_BACKUP", ", and waits for a log backup"),
        ("AVAILABILITY_REPLICA", ", and waits for another replica (ms.ag.lag)"),
        ("SOMETHING_NEW", ", and waits for SOMETHING_NEW"),
        ("NOTHING", "that it can have"),
        ("CHECKPOINT", "that it can have"),
        (None, "that it can have"),
    ],
)
def test_what_the_log_waits_for(wait: str | None, said: str) -> None:
    full = placed(growth=0)
    found = result("ms.log.used", catalogue=[database(log_reuse_wait=wait)], logs=[log(0.95)], volumes=[full])
    assert found.status is CRITICAL
    assert found.summary.endswith(said)


@pytest.mark.parametrize("volumes", [UNSEEN, []])
def test_without_the_files_the_present_size_counts(volumes: list[Row] | Missing) -> None:
    found = result("ms.log.used", catalogue=[database()], logs=[log(0.8)], volumes=volumes)
    assert (found.value, found.status) == (80.0, WARNING)
    assert found.summary.endswith("of 1.0 GiB that it has")


def test_a_service_does_not_tell_volumes() -> None:
    found = result("ms.log.used", MANAGED, catalogue=[database()], logs=[log(0.1)])
    assert (found.status, found.value) == (OK, 10.0)


def test_logs_that_are_not_counted() -> None:
    none = result("ms.log.used", catalogue=[database()], logs=[])
    assert (none.status, none.reason) == (UNKNOWN, "feature_off")
    other = result("ms.log.used", catalogue=[database()], logs=[log(0.1, name="other")], volumes=[])
    assert (other.status, other.reason) == (UNKNOWN, "no_rows")
    empty: Row = {"name": "shop", "size_kb": 0, "used_kb": 0}
    assert result("ms.log.used", catalogue=[database()], logs=[empty]).status is UNKNOWN


@pytest.mark.parametrize("changed", [{"auto_close": 1}, {"state": "OFFLINE"}, {"is_in_standby": 1}])
def test_a_database_that_is_closed_has_no_counters(changed: Row) -> None:
    both = [database("other"), database(**changed)]
    found = result("ms.log.used", catalogue=both, logs=[log(0.1, name="other")], volumes=[])
    assert (found.status, found.objects) == (OK, 1)


def test_hidden_databases_have_logs_too() -> None:
    found = result("ms.log.used", rights=HIDDEN, catalogue=[database()], logs=[log(0.1)], volumes=[])
    assert (found.status, found.reason) == (UNKNOWN, "hidden_rows")


# Filegroups


def file(**changed: object) -> Row:
    row: dict[str, object] = {
        "file_id": 1, "name": "shop", "pages": 1000, "max_pages": -1, "growth": 8192, "filegroup_id": 1,
        "filegroup": "PRIMARY", "used_pages": 950, "is_read_only": 0, "state": "ONLINE",
    }  # fmt: skip
    return msgspec.convert({**row, **changed}, Row)


ROOMY = placed(file_id=1, kind="ROWS", pages=1000, available_bytes=9000 * PAGE)


def test_a_filegroup_that_may_grow() -> None:
    found = result("ms.files.space", files=[file()], volumes=[ROOMY], catalogue=[database()])
    assert (found.status, found.value) == (OK, 9.5)
    assert found.summary == "filegroup shop.PRIMARY: 7.4 MiB are taken of 78.1 MiB that it can have"


@pytest.mark.parametrize(
    ("changed", "status", "value"),
    [
        ({"growth": 0}, CRITICAL, 95.0),
        ({"max_pages": 1000}, CRITICAL, 95.0),
        ({"max_pages": 1050}, WARNING, 90.48),
        ({"growth": 0, "used_pages": 500}, OK, 50.0),
    ],
)
def test_a_filegroup_at_its_limits(changed: Row, status: Status, value: float) -> None:
    found = result("ms.files.space", files=[file(**changed)], volumes=[ROOMY], catalogue=[database()])
    assert (found.status, found.value) == (status, value)


def test_a_fixed_file_is_given_growth() -> None:
    found = result("ms.files.space", files=[file(growth=0)], volumes=[ROOMY], catalogue=[database()])
    assert sql_of(found) == "ALTER DATABASE [shop] MODIFY FILE (NAME = [shop], FILEGROWTH = 64MB);"
    limited = result("ms.files.space", files=[file(max_pages=1000)], volumes=[ROOMY], catalogue=[database()])
    assert sql_of(limited) == ""


def test_one_file_with_room_is_enough_for_its_filegroup() -> None:
    fixed, free = file(growth=0, used_pages=1000), file(file_id=3, name="b", used_pages=0)
    found = result(
        "ms.files.space", files=[fixed, free], volumes=[ROOMY, {**ROOMY, "file_id": 3}], catalogue=[database()]
    )
    assert found.status is OK
    other = file(file_id=4, name="c", filegroup_id=2, filegroup="OLD", growth=0, used_pages=1000)
    full = result("ms.files.space", files=[free, other], volumes=[{**ROOMY, "file_id": 3}], catalogue=[database()])
    assert (full.status, full.evidence[0]["object"]) == (CRITICAL, "filegroup:shop.OLD")


def test_filegroups_that_cannot_be_written_are_left_alone() -> None:
    full = file(filegroup_id=2, filegroup="OLD", growth=0, used_pages=1000, is_read_only=1)
    found = result("ms.files.space", files=[file(), full], volumes=[ROOMY], catalogue=[database()])
    assert (found.status, found.objects) == (OK, 1)


def test_files_that_do_not_tell() -> None:
    closed = result(
        "ms.files.space", files=[file(used_pages=None, state="OFFLINE")], volumes=[ROOMY], catalogue=[database()]
    )
    assert (closed.status, closed.reason) == (UNKNOWN, "null_value")
    assert "shop is OFFLINE" in closed.summary
    assert result("ms.files.space", files=[], volumes=[], catalogue=[database()]).status is UNKNOWN


@pytest.mark.parametrize("volumes", [UNSEEN, []])
def test_a_volume_that_is_not_told(volumes: list[Row] | Missing) -> None:
    found = result("ms.files.space", files=[file()], volumes=volumes, catalogue=[database()])
    assert (found.status, found.reason) == (UNKNOWN, "null_value")
    assert "how much room its volume has is not told" in found.summary
    own_limit = result("ms.files.space", files=[file(max_pages=9500)], volumes=volumes, catalogue=[database()])
    assert (own_limit.status, own_limit.value) == (OK, 10.0)
    without = result("ms.files.space", files=[file(max_pages=9500)], volumes=volumes, catalogue=UNSEEN)
    assert without.status is OK


# tempdb


def temp(free: int, **changed: object) -> Row:
    row: dict[str, object] = {
        "file_id": 1, "pages": 1000, "free_pages": free, "version_pages": 10, "user_pages": 20, "internal_pages": 30,
        "max_pages": 1000, "growth": 8192,
    }  # fmt: skip
    return msgspec.convert({**row, **changed}, Row)


@pytest.mark.parametrize(("free", "status"), [(900, OK), (200, WARNING), (100, CRITICAL), (0, CRITICAL)])
def test_tempdb(free: int, status: Status) -> None:
    found = result("ms.tempdb.space", tempdb=[temp(free)], volumes=UNSEEN)
    assert found.status is status
    assert found.summary.endswith("that it can have; most by internal work")


def test_tempdb_that_may_grow() -> None:
    own = placed(id=2, file_id=1, kind="ROWS", pages=1000, available_bytes=9000 * PAGE)
    found = result("ms.tempdb.space", tempdb=[temp(0, version_pages=900, max_pages=-1)], volumes=[own])
    assert (found.status, found.value) == (OK, 10.0)
    assert found.summary.endswith("most by versions")
    unlimited = result("ms.tempdb.space", tempdb=[temp(0, user_pages=900, max_pages=-1)], volumes=[])
    assert (unlimited.status, unlimited.value) == (CRITICAL, 100.0)
    assert unlimited.summary.endswith("that it has; most by users' tables")
    assert result("ms.tempdb.space", tempdb=[], volumes=[]).reason == "no_rows"


# How far files can grow

FILES = st.builds(
    Growing,
    pages=st.integers(0, 10_000),
    max_pages=st.one_of(st.just(-1), st.integers(0, 20_000)),
    growth=st.sampled_from([0, 8192]),
    volume=st.just("D:\\"),
    available_bytes=st.just(5000 * PAGE),
)


@given(st.lists(FILES, max_size=5))
def test_files_have_their_size_and_share_what_is_left(files: list[Growing]) -> None:
    found = reach(files)
    assert found is not None
    size = sum(one.pages for one in files)
    assert size <= found <= size + 5000


@given(st.lists(FILES, max_size=4), FILES)
def test_one_more_file_never_leaves_less_room(files: list[Growing], more: Growing) -> None:
    assert (reach(files) or 0) <= (reach([*files, more]) or 0)


def test_a_file_without_limit_where_room_is_not_known() -> None:
    assert reach([Growing(10, -1, 1)]) is None
    assert reach([Growing(10, 20, 1)]) == 20
    assert reach([Growing(10, 5, 1)]) == 10
    assert reach([]) == 0
