"""Replication as it should be, and as it is found at night: stopped, broken, behind, delayed on purpose, cut off."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from dbops.model.health import CheckResult, Status
from dbops.testing.lend import lent
from dbops.testing.mysql import Series
from dbops.testing.servers import Installation, ThrowawayServer

OK, WARNING, CRITICAL, UNKNOWN, SKIPPED = (
    Status.OK,
    Status.WARNING,
    Status.CRITICAL,
    Status.UNKNOWN,
    Status.SKIPPED,
)
# Any: the fixture's own types live in a conftest, which cannot be imported.
Clinic = Any
GTID = {"gtid_mode": "ON", "enforce_gtid_consistency": "ON"}


class Words(NamedTuple):
    """What the two families say differently."""

    connect: str
    delay: str


WORDS = {
    "mysql": Words(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port}, SOURCE_USER = 'copier', "
        "SOURCE_PASSWORD = '{password}', SOURCE_AUTO_POSITION = 1, SOURCE_CONNECT_RETRY = 1, GET_SOURCE_PUBLIC_KEY = 1",
        "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_DELAY = {delay}; START REPLICA",
    ),
    "mariadb": Words(
        "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = 'copier', "
        "MASTER_PASSWORD = '{password}', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1",
        "STOP REPLICA; CHANGE MASTER TO MASTER_DELAY = {delay}; START REPLICA",
    ),
}


class Pair:
    """A source and its replica; on the replica there are the logins ``watcher`` and ``plain``."""

    def __init__(self, source: ThrowawayServer, replica: Clinic, words: Words) -> None:
        self.source, self.replica, self.words = source, replica, words
        self._number = 0

    def insert(self) -> int:
        """A new row on the source."""
        self._number += 1
        self.source.sql(f"INSERT INTO shop.t VALUES ({self._number})")
        return self._number

    def arrived(self, number: int) -> bool:
        """The row is on the replica."""
        return bool(self.replica.server.sql(f"SELECT 1 FROM shop.t WHERE id = {number}"))

    def status(self, check: str, **thresholds: float) -> CheckResult:
        found: CheckResult = self.replica.one("watcher", f"my.replica.{check}", **thresholds)
        return found


@pytest.fixture(scope="module")
def pair(mysql_series: Series, mysql_installation: Installation, new_clinic: Callable[..., Clinic]) -> Iterator[Pair]:
    gtid = GTID if mysql_series.family == "mysql" else {}
    words = WORDS[mysql_series.family]
    with ExitStack() as stack:
        source, replica = (
            stack.enter_context(
                lent(mysql_series.family, mysql_installation, {"log_bin": "bin", "server_id": number, **gtid})
            )
            for number in ("1", "2")
        )
        here = new_clinic(replica)
        here.login("watcher", ("health",))
        here.login("plain")
        password = secrets.token_urlsafe(16)
        source.sql(f"CREATE USER copier IDENTIFIED BY '{password}'; GRANT REPLICATION SLAVE ON *.* TO copier")
        source.sql("CREATE DATABASE shop; CREATE TABLE shop.t (id int PRIMARY KEY)")
        replica.sql(words.connect.format(port=source.port, password=password))
        replica.sql("START REPLICA")
        yield Pair(source, here, words)


@pytest.fixture(autouse=True)
def healthy(pair: Pair) -> None:
    """What the test before did is over, also when it failed: what is written on the source arrives."""
    pair.replica.server.sql("START REPLICA")
    there = "SELECT 1 FROM information_schema.tables WHERE table_schema = 'shop' AND table_name = 't'"
    pair.replica.until(lambda: bool(pair.replica.server.sql(there)))
    number = pair.insert()
    pair.replica.until(lambda: pair.arrived(number))


def sql_of(result: CheckResult) -> str:
    assert result.remedy is not None
    return result.remedy.sql


def test_a_replica_that_runs(pair: Pair) -> None:
    running = pair.status("running")
    assert running.status is OK
    assert running.summary == f"replication from 127.0.0.1:{pair.source.port} runs"
    assert pair.status("lag").status is OK
    pair.replica.until(lambda: pair.status("lag").value == 0.0)
    for check in ("running", "lag", "readonly"):
        hidden = pair.replica.one("plain", f"my.replica.{check}")
        assert (hidden.status, hidden.reason) == (UNKNOWN, "no_permission")


def test_a_replica_that_can_be_written_to(pair: Pair) -> None:
    found = pair.status("readonly")
    assert found.status is WARNING
    assert "everybody can write to" in found.summary
    pair.replica.server.sql(sql_of(found))
    again = pair.replica.report("watcher", "my.replica.*")
    assert {check.status for check in again.checks} == {OK}
    assert again.targets[0].role == "standby"
    pair.replica.server.sql("SET GLOBAL read_only = OFF")


def test_a_replica_that_was_stopped(pair: Pair) -> None:
    pair.replica.server.sql("STOP REPLICA")
    found = pair.status("running")
    assert (found.status, found.evidence[0]["receiver"], found.evidence[0]["applier"]) == (CRITICAL, "No", "No")
    assert found.summary.endswith("does not receive nor apply: it was stopped")
    lag = pair.status("lag")
    assert (lag.status, lag.reason) == (UNKNOWN, "null_value"), "what is not running is not 0 seconds behind"
    pair.replica.server.sql(sql_of(found))
    pair.replica.until(lambda: pair.status("running").status is OK)


@pytest.mark.parametrize(("half", "said"), [("IO_THREAD", "receive"), ("SQL_THREAD", "apply")])
def test_a_replica_that_was_stopped_by_half(pair: Pair, half: str, said: str) -> None:
    pair.replica.server.sql(f"STOP REPLICA {half}")
    found = pair.status("running")
    assert found.status is CRITICAL
    assert f"does not {said}: it was stopped" in found.summary
    assert pair.status("lag").status is UNKNOWN
    pair.replica.server.sql(sql_of(found))
    pair.replica.until(lambda: pair.status("running").status is OK)


def test_a_replica_that_broke(pair: Pair) -> None:
    """A row that was written here is in the way of the same one from the source."""
    pair.replica.server.sql("INSERT INTO shop.t VALUES (1000)")
    pair.source.sql("INSERT INTO shop.t VALUES (1000)")
    pair.replica.until(lambda: pair.status("running").status is CRITICAL)
    found = pair.status("running")
    assert "does not apply: 1062: " in found.summary
    assert str(found.evidence[0]["applier_error"]).startswith("1062: ")
    assert sql_of(found) == "", "to start it again would not help"
    assert pair.status("lag").status is UNKNOWN
    pair.replica.server.sql("DELETE FROM shop.t WHERE id = 1000; START REPLICA")


def test_a_replica_that_is_behind(pair: Pair) -> None:
    """Somebody reads a table there for long: the applier waits."""
    with pair.replica.session("LOCK TABLES shop.t READ"):
        pair.insert()
        pair.replica.until(lambda: pair.status("lag", warning=1, critical=2).status is CRITICAL)
        assert pair.status("running").status is OK
        assert pair.status("lag").status is OK, "two seconds are nothing yet"
        waits = pair.replica.one("watcher", "my.locks.mdl", warning=0, critical=0)
        assert waits.status is CRITICAL
        assert "system user" in waits.summary


def test_a_delay_that_is_meant_is_no_lag(pair: Pair) -> None:
    pair.replica.server.sql(pair.words.delay.format(delay=3600))
    pair.insert()
    seen: list[object] = []

    def waits() -> bool:
        seen[:] = [pair.status("lag", warning=1, critical=2)]
        (found,) = seen
        assert isinstance(found, CheckResult)
        return bool(found.evidence[0]["behind_s"])

    pair.replica.until(waits)
    (found,) = seen
    assert isinstance(found, CheckResult)
    assert (found.status, found.value) == (OK, 0.0)
    assert "not counting the 1h 0m that are meant" in found.summary
    pair.replica.server.sql(pair.words.delay.format(delay=0))


def test_a_source_that_is_gone(pair: Pair) -> None:
    pair.source.stop()
    pair.replica.until(lambda: "cannot connect" in pair.status("running").summary)
    found = pair.status("running")
    assert found.status is CRITICAL
    assert str(found.evidence[0]["receiver_error"]).startswith("2003: ")
    assert pair.status("lag").status is UNKNOWN
    pair.source.start()


def test_a_replica_that_forgot_its_source(pair: Pair) -> None:
    """The last test of this module: nothing arrives afterwards."""
    pair.replica.server.sql("STOP REPLICA; RESET REPLICA ALL")
    for check in ("running", "lag", "readonly"):
        assert pair.status(check).status is SKIPPED
    pair.replica.server.sql("SET GLOBAL read_only = ON")
    for check in ("running", "lag", "readonly"):
        found = pair.status(check)
        assert (found.status, found.reason) == (UNKNOWN, "no_rows")
        assert found.summary == "it replicates from nobody: it is read only and has no channel"
