"""Sessions that wait or hold, memory, and the agent's jobs, from recorded rows."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.model.health import Row, Status
from dbops_mssql.health.checks.jobs import moment
from dbops_mssql.health.checks.sessions import Waiter, root_of
from tests.backends.mssql.health_samples import CRITICAL, HIDDEN, OK, OLDER, UNKNOWN, WARNING, result, sql_of

# Blocking


def session(number: int, blocked_by: int | None = None, wait_ms: int | None = 0, **changed: object) -> Row:
    row: dict[str, object] = {
        "id": number, "login": "app", "host": "web1", "program": "shop", "db": "shop", "status": "suspended",
        "transactions": 1, "command": "UPDATE", "blocked_by": blocked_by, "wait_ms": wait_ms, "wait_type": "LCK_M_X",
        "wait_resource": "KEY: 5:72057594043039744", "idle_s": None,
    }  # fmt: skip
    return msgspec.convert({**row, **changed}, Row)


IDLE = session(51, command=None, status="sleeping", idle_s=400, wait_ms=None)


@pytest.mark.parametrize(("wait_ms", "status"), [(29_999, OK), (30_000, WARNING), (300_000, CRITICAL)])
def test_who_waits_and_the_root_of_the_queue(wait_ms: int, status: Status) -> None:
    found = result("ms.blocking", sessions=[IDLE, session(60, 51, wait_ms), session(61, 60, 10)])
    assert (found.status, found.value, found.objects) == (status, wait_ms / 1000, 2)
    assert "session 60 (app@web1, shop) has waited" in found.summary
    assert "the root of the queue is session 51 (app@web1, shop, idle)" in found.summary
    if status is CRITICAL:
        assert sql_of(found) == "KILL 51;"
        assert found.evidence[0]["root"] == 51


@pytest.mark.parametrize(
    ("root", "said"),
    [
        (-2, "an orphaned distributed transaction"),
        (-3, "a transaction that recovery has put off"),
        (-4, "the owner of a latch, who is not known at this moment"),
        (-5, "the owner of a latch, who is not tracked"),
        (-9, "nobody"),
        (77, "session 77"),
    ],
)
def test_roots_that_are_no_session_of_anybody(root: int, said: str) -> None:
    found = result("ms.blocking", sessions=[session(60, root, 400_000)])
    assert found.status is CRITICAL
    assert found.summary.endswith(f"the root of the queue is {said}")
    assert sql_of(found) == ("KILL 77;" if root > 0 else "")


def test_nobody_waits() -> None:
    for rows in ([], [IDLE], [session(60, 0)], [session(60, 60, 900_000)]):
        found = result("ms.blocking", sessions=rows)
        assert (found.status, found.summary) == (OK, "no session waits for another")


def test_a_wait_of_unknown_length() -> None:
    found = result("ms.blocking", sessions=[session(60, 51, None)])
    assert (found.status, found.reason) == (UNKNOWN, "null_value")


def test_a_wait_for_nothing_that_has_a_name() -> None:
    plain = session(60, 51, 40_000, wait_resource=None, wait_type=None, db=None, host=None, login=None)
    found = result("ms.blocking", sessions=[plain])
    assert found.summary.startswith("session 60 (unknown@?, no database) has waited 40s for a lock")


@pytest.mark.parametrize("check", ["ms.blocking", "ms.session.idle_in_xact"])
def test_hidden_sessions(check: str) -> None:
    found = result(check, rights=HIDDEN, sessions=[])
    assert (found.status, found.reason) == (UNKNOWN, "hidden_rows")
    assert sql_of(found) == "GRANT VIEW SERVER PERFORMANCE STATE TO [o]]dd'];"
    # Before 2022 there is no narrower right to have.
    assert result(check, rights=OLDER, sessions=[]).status is OK
    narrow: Row = {**HIDDEN[0], "performance_state": 1}
    assert result(check, rights=[narrow], sessions=[]).status is OK


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(-3, 6)), min_size=1, max_size=10))
def test_the_search_for_the_root_ends(pairs: list[tuple[int, int]]) -> None:
    sessions = [Waiter(id=number, blocked_by=by) for number, by in pairs]
    for one in sessions:
        if one.waits:
            root = root_of(one, sessions)
            waiting = {other.id for other in sessions if other.waits}
            # Whoever does not wait, or a circle.
            assert root not in waiting or root in {other.blocked_by for other in sessions if other.waits}


# Idle in a transaction


@pytest.mark.parametrize(("idle_s", "status"), [(299, OK), (300, WARNING), (1800, CRITICAL)])
def test_idle_in_a_transaction(idle_s: int, status: Status) -> None:
    found = result("ms.session.idle_in_xact", sessions=[{**IDLE, "idle_s": idle_s}, session(60, 51, 10)])
    assert (found.status, found.value, found.objects) == (status, float(idle_s), 1)
    if status is CRITICAL:
        assert found.summary == ("session 51 (app@web1, shop) has held a transaction open and done nothing for 30m 0s")
        assert sql_of(found) == "KILL 51;"


def test_idle_without_a_transaction() -> None:
    found = result("ms.session.idle_in_xact", sessions=[{**IDLE, "transactions": 0}])
    assert (found.status, found.summary) == (OK, "no idle session holds a transaction open")


# Memory


def memory(left_mb: int, limit_mb: int = 24_000, **changed: object) -> Row:
    row: dict[str, object] = {
        "total_kb": 32_768 * 1024, "available_kb": left_mb * 1024, "low_signal": 0, "limit_mb": limit_mb,
        "state": "Available physical memory is high",
    }  # fmt: skip
    return msgspec.convert({**row, **changed}, Row)


@pytest.mark.parametrize(("left", "status"), [(4000, OK), (513, OK), (512, WARNING), (256, CRITICAL)])
def test_memory_that_is_left(left: int, status: Status) -> None:
    found = result("ms.memory", memory=[memory(left)])
    assert (found.status, found.value) == (status, float(left))
    assert found.summary == f"{left:,} MB of 32,768 MB are left"


def test_the_machine_says_that_it_is_low() -> None:
    found = result("ms.memory", memory=[memory(4000, low_signal=1)])
    assert found.status is CRITICAL
    assert found.summary.endswith("; the machine says that this is low")


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (2_147_483_647, "max server memory is not set (the machine has 32,768 MB)"),
        (40_000, "max server memory is 40,000 MB, more than there are (the machine has 32,768 MB)"),
    ],
)
def test_a_server_that_does_not_know_where_to_stop(limit: int, said: str) -> None:
    found = result("ms.memory", memory=[memory(4000, limit)])
    assert found.status is WARNING
    assert found.summary == f"max_server_memory: {said}" or found.summary.endswith(said)
    assert "EXEC sys.sp_configure N'max server memory (MB)', 24576; RECONFIGURE;" in sql_of(found)


def test_memory_that_is_not_told() -> None:
    assert result("ms.memory", memory=[]).reason == "no_rows"


# Jobs


def job(outcome: int | None, **changed: object) -> Row:
    row: dict[str, object] = {
        "id": "E0D5D2B4-0001-0002-0003-000000000001", "name": "Backup.full", "outcome": outcome,
        "message": "The job failed.  The Job was invoked by Schedule 8.", "run_date": 20260430, "run_time": 3000,
    }  # fmt: skip
    return msgspec.convert({**row, **changed}, Row)


@pytest.mark.parametrize(("outcome", "status"), [(0, WARNING), (3, WARNING), (1, OK), (2, OK), (4, OK), (5, OK)])
def test_how_jobs_ended(outcome: int, status: Status) -> None:
    assert result("ms.jobs.failed", jobs=[job(1), job(outcome)]).status is status


def test_a_job_that_failed_says_when_and_why() -> None:
    found = result("ms.jobs.failed", jobs=[job(0)])
    assert found.summary == (
        "Backup.full failed at 2026-04-30 00:30:00: The job failed.  The Job was invoked by Schedule 8."
    ) or found.summary.endswith("The Job was invoked by Schedule 8.")
    assert found.evidence[0]["object"] == "job:[Backup.full]"
    long = result("ms.jobs.failed", jobs=[job(3, message="x" * 1000)])
    assert "was cancelled" in long.summary
    assert "x" * 300 in long.summary
    assert "x" * 301 not in str(long)
    silent = result("ms.jobs.failed", jobs=[job(0, message=None, run_date=0)])
    assert silent.summary.endswith("Backup.full failed at a time that is not told")


def test_no_job_failed() -> None:
    assert result("ms.jobs.failed", jobs=[]).summary == "none of 0 enabled jobs failed when it last ran"
    assert result("ms.jobs.failed", jobs=[job(None)]).status is OK


@pytest.mark.parametrize(
    ("date", "time", "said"),
    [
        (20261125, 223059, "at 2026-11-25 22:30:59"),
        (20261125, 5, "at 2026-11-25 00:00:05"),
        (20261125, None, "at 2026-11-25 00:00:00"),
        (0, 0, "at a time that is not told"),
        (None, None, "at a time that is not told"),
    ],
)
def test_moments_that_are_whole_numbers(date: int | None, time: int | None, said: str) -> None:
    assert moment(date, time) == said
