"""Which backup brings an instant back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dbops.backup.chain import choose
from dbops.model.backup import BackupRecord, LogRange, Until
from dbops.model.recovery import Reachability

Make = Callable[..., BackupRecord]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
LATEST = Until()


def at(hours: float) -> datetime:
    return EPOCH + timedelta(hours=hours)


def test_latest_is_the_newest_state(make_record: Make) -> None:
    late_start = make_record(3, id="b-first", consistent_at=at(3))
    longer = make_record(2, id="b-second", consistent_at=at(4), took_s=3 * 3600)
    found = choose([late_start, longer], LATEST)
    assert (found.verdict, found.chain[-1].id, found.recovers_to) == (Reachability.REACHABLE, "b-second", at(4))


def test_a_full_backup_restores_its_instant_and_no_other(make_record: Make) -> None:
    records = [make_record(1), make_record(2), make_record(3)]
    exact = choose(records, Until(kind="time", time=at(2)))
    assert (exact.verdict, exact.chain[0].id) == (Reachability.REACHABLE, "b-000002.00")
    assert (exact.nearest.before, exact.nearest.after) == (at(1), at(3))
    between = choose(records, Until(kind="time", time=at(2.5)))
    assert between.verdict is Reachability.UNREACHABLE
    assert (between.nearest.before, between.nearest.after) == (at(2), at(3))
    assert "not archived" in between.reason


def test_an_instant_as_shown_in_seconds_finds_its_backup(make_record: Make) -> None:
    record = make_record(1, consistent_at=at(1) + timedelta(milliseconds=700))
    assert choose([record], Until(kind="time", time=at(1))).verdict is Reachability.REACHABLE


def test_position_and_name(make_record: Make) -> None:
    log = LogRange(unit="lsn", start="0/1000", end="0/2000", timeline=1)
    records = [make_record(1, log=log), make_record(2)]
    assert choose(records, Until(kind="position", value="0/2000")).chain[0].id == "b-000001.00"
    missed = choose(records, Until(kind="position", value="0/3000"))
    assert (missed.verdict, missed.reason) == (Reachability.UNREACHABLE, "No backup ends at 0/3000.")
    assert choose(records, Until(kind="name", value="b-000001.00")).chain[0].id == "b-000001.00"
    assert choose(records, Until(kind="name", value="b-x")).reason == "There is no backup b-x."


def test_a_destination_that_takes_one_kind_gets_it_unless_a_backup_is_named(make_record: Make) -> None:
    records = [make_record(1, method="basebackup", kind="physical"), make_record(2)]
    assert choose(records, LATEST, kind="physical").chain[0].id == "b-000001.00"
    assert choose(records, LATEST, kind="logical").chain[0].id == "b-000002.00"
    named = Until(kind="name", value="b-000002.00")
    assert choose(records, named, kind="physical").chain[0].id == "b-000002.00"


def test_no_backup(make_record: Make) -> None:
    found = choose([], LATEST)
    assert (found.verdict, found.reason) == (Reachability.UNREACHABLE, "There is no backup of this.")
    other = choose([make_record(1)], LATEST, method="basebackup")
    assert other.verdict is Reachability.UNREACHABLE


def test_one_that_failed_its_proof_is_passed_over_and_told(make_record: Make) -> None:
    records = [make_record(1, proven=True), make_record(2, failed=True)]
    found = choose(records, LATEST)
    assert found.chain[0].id == "b-000001.00"
    assert found.notes == ("b-000002.00 is newer and was passed over: it failed its last verification",)


def test_a_failed_one_is_better_than_none_and_says_so(make_record: Make) -> None:
    found = choose([make_record(1, failed=True)], LATEST)
    assert found.verdict is Reachability.REACHABLE
    assert found.notes[0] == "b-000001.00 failed its last verification"


def test_parents_come_first(make_record: Make) -> None:
    records = [make_record(1), make_record(2, parent="b-000001.00"), make_record(3, parent="b-000002.00")]
    found = choose(records, LATEST)
    assert [one.id for one in found.chain] == ["b-000001.00", "b-000002.00", "b-000003.00"]


def test_a_missing_parent_is_named_and_an_older_whole_one_taken(make_record: Make) -> None:
    torn = make_record(2, parent="b-gone")
    alone = choose([torn], LATEST)
    assert (alone.verdict, alone.missing) == (Reachability.UNREACHABLE, ("b-gone",))
    assert "builds on b-gone, which is not in the catalogue" in alone.reason
    assert choose([torn, make_record(1)], LATEST).chain[0].id == "b-000001.00"


def test_backups_that_build_on_each_other_are_refused(make_record: Make) -> None:
    records = [make_record(1, id="b-a", parent="b-b"), make_record(2, id="b-b", parent="b-a")]
    found = choose(records, LATEST)
    assert found.verdict is Reachability.UNREACHABLE
    assert "build on each other" in found.reason


def test_a_parent_of_another_server_is_refused(make_record: Make) -> None:
    records = [make_record(1, id="b-old", incarnation="old"), make_record(2, parent="b-old")]
    found = choose(records, LATEST)
    assert found.verdict is Reachability.UNREACHABLE
    assert "of another server" in found.reason


def test_a_parent_on_another_timeline_is_refused(make_record: Make) -> None:
    first = LogRange(unit="lsn", start="0/1", end="0/2", timeline=1)
    second = LogRange(unit="lsn", start="0/3", end="0/4", timeline=2)
    records = [make_record(1, log=first), make_record(2, log=second, parent="b-000001.00")]
    found = choose(records, Until(kind="name", value="b-000002.00"))
    assert found.verdict is Reachability.UNREACHABLE


def test_a_server_that_was_made_anew_is_followed(make_record: Make) -> None:
    records = [make_record(1, incarnation="old"), make_record(2, incarnation="new")]
    assert choose(records, LATEST).chain[0].incarnation == "new"
    assert choose(records, LATEST, incarnation="old").chain[0].incarnation == "old"


def test_two_servers_under_one_name_are_not_mixed(make_record: Make) -> None:
    records = [make_record(1, incarnation="x"), make_record(2, incarnation="y"), make_record(3, incarnation="x")]
    found = choose(records, LATEST)
    assert found.verdict is Reachability.UNKNOWN
    assert "x (newest backup b-000003.00), y (newest backup b-000002.00)" in found.reason
    assert choose(records, LATEST, incarnation="y").verdict is Reachability.REACHABLE


def test_the_whole_server_unless_databases_are_named(make_record: Make) -> None:
    records = [make_record(1), make_record(2, whole=False, databases=("a",))]
    assert choose(records, LATEST).chain[0].id == "b-000001.00"
    assert choose(records, LATEST, databases=("a",)).chain[0].id == "b-000002.00"
    assert choose(records, LATEST, databases=("a", "b")).chain[0].id == "b-000001.00"


def test_unreadable_manifests_make_a_no_unknown_and_a_yes_noted(make_record: Make) -> None:
    assert choose([], LATEST, unreadable=("b-x",)).verdict is Reachability.UNKNOWN
    found = choose([make_record(1, proven=True)], LATEST, unreadable=("b-x",))
    assert found.notes == ("the manifest of b-x cannot be read; it was left out",)


@settings(max_examples=100, deadline=None)
@given(hours=st.lists(st.integers(0, 500), min_size=1, max_size=12, unique=True), wanted=st.integers(0, 1000))
def test_what_is_reached_is_what_was_asked_for(make_record: Make, hours: list[int], wanted: int) -> None:
    records = [make_record(hour) for hour in hours]
    found = choose(records, Until(kind="time", time=at(wanted / 2)))
    if found.verdict is Reachability.REACHABLE:
        assert found.recovers_to == at(wanted / 2)
    else:
        assert wanted / 2 not in hours
    before = [hour for hour in hours if hour < wanted / 2]
    after = [hour for hour in hours if hour > wanted / 2]
    assert found.nearest.before == (at(max(before)) if before else None)
    assert found.nearest.after == (at(min(after)) if after else None)
