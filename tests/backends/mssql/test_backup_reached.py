"""What sets made it possible to bring back, against the planner of restores and the database that keeps its history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given, settings

from dbops.model.backup import BackupRecord, Proof, Until, Verdict
from dbops.model.recovery import Reachability, Reached
from dbops.model.server import Server as Instance
from dbops_mssql.backup.driver import SQLServerBackup
from dbops_mssql.backup.history import records
from dbops_mssql.backup.restoring import sequenced
from dbops_mssql.backup.sets import BackupSet, Kind
from tests.backends.mssql.backup_model import HISTORIES, STEP, Server, ask
from tests.backends.mssql.test_backup_bugs import at, differential, full, log

SERVER = Instance(engine="mssql", version=(16,), version_text="2022", role="primary", incarnation="7")


def known(sets: list[BackupSet]) -> list[BackupRecord]:
    return list(records(sets, (), SERVER))


def reached(sets: list[BackupSet], *databases: str) -> dict[str, tuple[Reached, ...]]:
    return SQLServerBackup().reached(known(sets), databases)


def of_shop(sets: list[BackupSet]) -> dict[str, Reached]:
    return {one.record.id.removeprefix("msdb-").upper(): one for one in reached(sets, "shop")["shop"]}


def test_logs_reach_every_instant_after_the_full() -> None:
    found = of_shop([full("F", 0, 100, 110), log("L1", 1, 90, 200), log("L2", 2, 200, 300)])
    minute = timedelta(minutes=1)
    assert (found["F"].instant, found["F"].since, found["F"].published) == (at(0), None, at(0) + minute)
    assert (found["L1"].since, found["L1"].instant) == (at(0) + minute + timedelta(seconds=1), at(1))
    assert (found["L2"].since, found["L2"].instant, found["L2"].published) == (at(1) + minute, at(2), at(2) + minute)


def test_what_is_behind_a_gap_or_bulk_logged_reaches_nothing_in_between() -> None:
    sets = [full("F", 0, 100, 110), log("L1", 1, 90, 200, bulk_logged=True), log("L3", 3, 201, 300)]
    found = of_shop(sets)
    assert found["L1"].since is None
    assert "L3" not in found
    assert of_shop([log("L", 1, 90, 200)]) == {}


def test_an_unclear_clock_reaches_no_instant_by_itself() -> None:
    unknown = of_shop([full("F", 0, 100, 110, zone=None), log("L", 1, 90, 200, zone=None)])
    assert unknown["L"].since is None
    assert unknown["L"].instant == at(1) - timedelta(hours=14)
    turned = [full("F", 0, 100, 110, zone=60), log("L1", 1, 90, 200, zone=0), log("L2", 3, 200, 300, zone=0)]
    found = of_shop([*turned, log("L3", 8, 300, 400, zone=0)])
    assert [found[name].since is None for name in ("L1", "L2", "L3")] == [True, True, False]


def test_a_log_that_was_written_before_its_base_counts_from_when_the_base_was_there() -> None:
    late = differential("D", 5, 180, 190, base="F", base_lsn=100, finished=full("F", 6, 1, 2).finished)
    sets = [full("F", 0, 100, 110), late, log("L", 4, 150, 250)]
    assert of_shop(sets)["L"].published == at(6) + timedelta(minutes=1)


def test_a_set_that_failed_its_proof_leads_nowhere() -> None:
    both = known([full("F", 0, 100, 110), log("L", 1, 90, 200)])
    bad = Proof(at=datetime(2026, 1, 1, tzinfo=UTC), verdict=Verdict.FAILED, level="full")
    spoilt = [msgspec.structs.replace(both[0], id="b-1", proof=bad), *both]
    assert SQLServerBackup().reached(spoilt, ["shop"]) == {"shop": ()}


def test_the_servers_own_databases_count_only_when_they_are_asked_for() -> None:
    sets = [full("F", 0, 100, 110), full("M", 0, 5, 6, database="master", family="m")]
    assert list(reached(sets)) == ["shop"]
    assert list(reached(sets, "master")) == ["master"]
    assert list(reached(sets[1:])) == ["master"]
    whole = msgspec.structs.replace(known(sets)[0], id="b-1", whole=True, databases=("shop", "model"))
    old = known([full("O", -90, 5, 6, database="dropped", family="o")])
    assert list(SQLServerBackup().reached([whole, *old], ())) == ["shop"]


@settings(max_examples=150, deadline=None)
@given(HISTORIES)
def test_what_is_said_to_be_reached_is_what_a_restore_finds(server: Server) -> None:
    every = list(records(server.sets, tuple(server.restores), SERVER))
    by_id = {one.id: one for one in every}
    for point in SQLServerBackup().reached(every, ["shop"])["shop"]:
        then = [one for one in every if one.finished_at <= point.published]
        found = sequenced(then, Until(kind="name", value=point.record.id), "shop")
        assert found.verdict is Reachability.REACHABLE, found.reason
        if point.since is None:
            continue
        assert by_id[point.record.id].method == "log"
        begins, ends = (
            int((one.replace(tzinfo=None) - server.epoch).total_seconds()) for one in (point.since, point.instant)
        )
        for stop in range(begins + 1, ends + 1, STEP // 2):
            assert ask(server, stop).verdict is Reachability.REACHABLE


@settings(max_examples=100, deadline=None)
@given(HISTORIES)
def test_everything_that_a_restore_finds_is_said(server: Server) -> None:
    every = list(records(server.sets, tuple(server.restores), SERVER))
    named = {point.record.id for point in SQLServerBackup().reached(every, ["shop"])["shop"]}
    newest = sequenced(every, Until(), "shop")
    if newest.sets:
        assert f"msdb-{newest.sets[-1].uuid.lower()}" in named
    assert all(one.kind in (Kind.FULL, Kind.DIFFERENTIAL, Kind.LOG) for one in newest.sets[-1:])
