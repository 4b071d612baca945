"""Availability groups, as the primary and as a secondary see them."""

from __future__ import annotations

import msgspec
import pytest

from dbops.model.finding import Missing
from dbops.model.health import CheckResult, Row, Status
from tests.backends.mssql.health_samples import CRITICAL, HIDDEN, OK, SKIPPED, UNKNOWN, WARNING, result, sql_of


def replica(name: str = "SQL2", /, **changed: object) -> Row:
    row: dict[str, object] = {
        "group_name": "ag1", "replica": name, "mode": "SYNCHRONOUS_COMMIT", "is_local": 0, "role": "SECONDARY",
        "operational": None, "connected": "CONNECTED", "health": "HEALTHY", "error": None,
    }  # fmt: skip
    return msgspec.convert({**row, **changed}, Row)


def copy(name: str = "SQL2", /, **changed: object) -> Row:
    row: dict[str, object] = {
        "group_name": "ag1", "replica": name, "name": "shop", "mode": "SYNCHRONOUS_COMMIT", "is_local": 0,
        "is_primary": 0, "state": "SYNCHRONIZED", "health": "HEALTHY", "database_state": None, "is_suspended": 0,
        "suspend_reason": None, "send_queue_kb": 0, "send_rate_kb": 1000, "redo_queue_kb": 0, "redo_rate_kb": 2000,
        "lag_s": 0,
    }  # fmt: skip
    return msgspec.convert({**row, **changed}, Row)


PRIMARY = replica("SQL1", is_local=1, role="PRIMARY", operational="ONLINE")
OWN = copy("SQL1", is_local=1, is_primary=1, database_state="ONLINE", lag_s=None)


def health(*replicas: Row, copies: list[Row] | None = None) -> CheckResult:
    return result("ms.ag.health", replicas=[PRIMARY, *replicas], replica_databases=copies or [OWN, copy()])


def lag(*copies: Row) -> CheckResult:
    return result("ms.ag.lag", replicas=[PRIMARY, replica()], replica_databases=[OWN, *copies])


def test_a_group_that_is_well() -> None:
    found = health(replica())
    assert (found.status, found.summary) == (OK, "2 replicas of 1 groups are well")


@pytest.mark.parametrize(
    ("bad", "status", "said"),
    [
        (replica(connected="DISCONNECTED", health="NOT_HEALTHY"), CRITICAL, "SQL2 in group ag1 is not connected"),
        (
            replica(connected="DISCONNECTED", error="certificate expired"),
            CRITICAL,
            "SQL2 in group ag1 is not connected: certificate expired",
        ),
        (replica(operational="FAILED_NO_QUORUM"), CRITICAL, "SQL2 in group ag1 is FAILED_NO_QUORUM"),
        (replica(role="RESOLVING"), CRITICAL, "SQL2 in group ag1 is RESOLVING: the group has no primary"),
        (replica(health="NOT_HEALTHY"), CRITICAL, "SQL2 in group ag1 has databases that are not synchronised"),
        (replica(health="PARTIALLY_HEALTHY"), WARNING, "SQL2 in group ag1 has databases that are still catching up"),
        (replica(health=None), UNKNOWN, "SQL2 in group ag1: not known how it is"),
    ],
)
def test_a_replica_that_is_not_well(bad: Row, status: Status, said: str) -> None:
    found = health(bad)
    assert (found.status, found.affected) == (status, 1)
    assert said in found.summary


def test_a_replica_for_the_configuration_alone_has_no_databases() -> None:
    assert health(replica("SQL3", mode="CONFIGURATION_ONLY", health="NOT_HEALTHY")).status is OK


def test_a_secondary_knows_itself_alone() -> None:
    unseen = replica("SQL1", is_local=None, role=None, connected=None, health=None)
    own = replica("SQL2", is_local=1, operational="ONLINE")
    found = result("ms.ag.health", replicas=[unseen, own], replica_databases=[copy("SQL2", is_local=1)])
    assert (found.status, found.summary) == (OK, "1 replicas of 1 groups are well")


def test_a_database_that_gets_no_changes() -> None:
    away = health(replica(), copies=[OWN, copy(is_suspended=1, suspend_reason="SUSPEND_FROM_APPLY")])
    assert away.status is CRITICAL
    assert "shop on SQL2 is suspended (SUSPEND_FROM_APPLY): it gets no changes" in away.summary
    assert sql_of(away) == ""
    here = health(replica(), copies=[{**OWN, "is_suspended": 1, "name": "a]b"}])
    assert sql_of(here) == "ALTER DATABASE [a]]b] SET HADR RESUME;"
    assert "is suspended: it gets no changes" in here.summary


def test_a_database_that_is_not_open_here() -> None:
    found = health(replica(), copies=[{**OWN, "database_state": "RECOVERY_PENDING"}])
    assert found.status is CRITICAL
    assert "shop on SQL1 is RECOVERY_PENDING" in found.summary


@pytest.mark.parametrize("check", ["ms.ag.health", "ms.ag.lag"])
def test_no_group_or_none_that_is_shown(check: str) -> None:
    none = result(check, replicas=[], replica_databases=[])
    assert (none.status, none.reason) == (SKIPPED, "not_applicable")
    hidden = result(check, rights=HIDDEN, replicas=[], replica_databases=[])
    assert (hidden.status, hidden.reason) == (UNKNOWN, "hidden_rows")
    assert "GRANT VIEW ANY DEFINITION TO [o]]dd'];" in sql_of(hidden)
    some = result(check, rights=HIDDEN, replicas=[PRIMARY, replica()], replica_databases=[OWN, copy()])
    assert (some.status, some.reason) == (UNKNOWN, "hidden_rows")
    refused = result(check, replicas=[PRIMARY], replica_databases=Missing("no_permission", "denied"))
    assert (refused.status, refused.reason) == (UNKNOWN, "no_permission")


@pytest.mark.parametrize(
    ("changed", "status", "value"),
    [
        ({}, OK, 0.0),
        ({"lag_s": 59}, OK, 59.0),
        ({"lag_s": 60}, WARNING, 60.0),
        ({"lag_s": 300}, CRITICAL, 300.0),
        ({"redo_queue_kb": 600_000}, CRITICAL, 300.0),
        ({"send_queue_kb": 90_000}, WARNING, 90.0),
        ({"lag_s": None, "redo_queue_kb": 4000}, OK, 2.0),
        ({"lag_s": None, "redo_rate_kb": 0, "send_rate_kb": None}, OK, 0.0),
        ({"lag_s": 7, "send_queue_kb": 5, "send_rate_kb": 0}, OK, 7.0),
    ],
)
def test_how_far_a_replica_is_behind(changed: Row, status: Status, value: float) -> None:
    found = lag(copy(**changed))
    assert (found.status, found.value) == (status, value)
    assert "shop on SQL2 is " in found.summary


def test_a_lag_that_is_not_told() -> None:
    silent = copy(lag_s=None, send_queue_kb=None, redo_queue_kb=None)
    found = lag(silent)
    assert (found.status, found.reason) == (UNKNOWN, "null_value")
    # A queue that does not move is no answer either.
    for queue in ({"send_queue_kb": 5, "send_rate_kb": 0}, {"redo_queue_kb": 7, "redo_rate_kb": None}):
        assert lag(copy(lag_s=None, **queue)).status is UNKNOWN
    alone = lag()
    assert (alone.status, alone.reason) == (UNKNOWN, "no_rows")
    nameless = lag(copy(name=None, lag_s=400))
    assert "? on SQL2 is 6m 40s behind" in nameless.summary
