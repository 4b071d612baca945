"""What bit the users of other tools and what Microsoft's documentation warns of, each as a small history of sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dbops.model.recovery import Reachability
from dbops_mssql.backup.dial import placed
from dbops_mssql.backup.sequence import After, Goal, Sequenced, find
from dbops_mssql.backup.sets import BackupSet, DatabaseFile, Kind, Media, Restored

NOON = datetime(2026, 3, 1, 12)  # noqa: DTZ001  msdb keeps local times


def backup(kind: Kind, uuid: str, hours: float, first: int, last: int, **fields: Any) -> BackupSet:
    """A set begun ``hours`` after noon that took a minute."""
    begun = NOON + timedelta(hours=hours)
    one = BackupSet(
        uuid=uuid,
        database="shop",
        family="F",
        kind=kind,
        first_lsn=first,
        last_lsn=last,
        checkpoint_lsn=first if kind is not Kind.LOG else 0,
        started=begun,
        finished=begun + timedelta(minutes=1),
        zone=0,
        first_fork="a",
        last_fork="a",
        media=Media(devices=(f"D:\\backup\\{uuid}.bak",)),
    )
    return msgspec.structs.replace(one, **fields)


def full(uuid: str, hours: float, first: int, last: int, **fields: Any) -> BackupSet:
    return backup(Kind.FULL, uuid, hours, first, last, **fields)


def differential(uuid: str, hours: float, first: int, last: int, **fields: Any) -> BackupSet:
    return backup(Kind.DIFFERENTIAL, uuid, hours, first, last, **fields)


def log(uuid: str, hours: float, first: int, last: int, **fields: Any) -> BackupSet:
    return backup(Kind.LOG, uuid, hours, first, last, **fields)


def at(hours: float) -> datetime:
    return (NOON + timedelta(hours=hours)).replace(tzinfo=UTC)


def to(sets: list[BackupSet], hours: float | None = None, *restores: Restored) -> Sequenced:
    return find(sets, "shop", Goal(time=at(hours)) if hours is not None else None, restores)


def names(found: Sequenced) -> list[str]:
    return [one.uuid for one in found.sets]


def test_the_newest_differential_and_the_logs_after_it_alone() -> None:
    """dbatools#2297: logs from before the differential were restored too, or those after it were not."""
    sets = [
        full("F", 0, 100, 110),
        log("L1", 1, 90, 150),
        differential("D1", 2, 180, 190, base="F", base_lsn=100),
        log("L2", 3, 150, 250),
        differential("D2", 4, 280, 290, base="F", base_lsn=100),
        log("L3", 5, 250, 350),
    ]
    assert names(to(sets)) == ["F", "D2", "L3"]
    assert names(to(sets, 3)) == ["F", "D1", "L2"]


def test_a_differential_is_taken_with_its_own_base_and_never_with_the_full_before_it() -> None:
    """dbatools#3009: a full came between; the differential was put onto the full that was nearest in time."""
    sets = [
        full("F1", 0, 100, 110),
        full("F2", 1, 200, 210, copy_only=True),
        differential("D", 2, 300, 310, base="F1", base_lsn=100),
        log("L", 3, 105, 400),
    ]
    assert names(to(sets, 3)) == ["F1", "D", "L"]


def test_forks_are_followed_and_logs_of_the_one_that_was_left_are_not() -> None:
    """dbatools#6565: after a point-in-time restore the old fork's logs still lay there, with fitting numbers."""
    sets = [
        full("F", 0, 100, 110),
        log("L1", 1, 90, 200),
        log("old", 2, 200, 300),
        log("new", 4, 200, 320, first_fork="a", last_fork="b", fork_point_lsn=250),
        log("newer", 5, 320, 400, first_fork="b", last_fork="b"),
    ]
    restored = Restored(
        database="shop",
        at=NOON + timedelta(hours=3),
        zone=0,
        stopped=NOON + timedelta(hours=1.5),
    )
    assert names(to(sets, None, restored)) == ["F", "L1", "new", "newer"]
    assert names(to(sets, 2, restored)) == ["F", "L1", "old"]
    assert names(to(sets, 4.5, restored)) == ["F", "L1", "new", "newer"]


def test_a_log_that_crosses_a_fork_is_not_stopped_in_what_the_old_fork_lost() -> None:
    """The server would stop at the fork without a word: the state of half past one instead of two."""
    sets = [
        full("F", 0, 100, 110),
        log("L1", 1, 90, 200),
        log("new", 4, 200, 320, last_fork="b", fork_point_lsn=250),
    ]
    restored = Restored(database="shop", at=NOON + timedelta(hours=3), zone=0, stopped=NOON + timedelta(hours=1.5))
    assert to(sets, 2, restored).verdict is Reachability.UNREACHABLE
    assert names(to(sets, 1.25, restored)) == ["F", "L1", "new"]
    unremembered = to(sets, 2)
    assert unremembered.verdict is Reachability.UNKNOWN
    assert "the restore happened that the log backup" in unremembered.reason


def test_a_full_of_the_new_fork_takes_the_log_that_crosses_to_it() -> None:
    sets = [
        full("F2", 3.5, 260, 270, first_fork="b", last_fork="b"),
        log("new", 4, 200, 320, last_fork="b", fork_point_lsn=250),
    ]
    assert names(to(sets)) == ["F2", "new"]


def test_a_database_made_anew_under_the_old_name_is_another_one() -> None:
    """dbatools#3321: sorted by LSN, a backup of years ago won, since the new database had begun to count again."""
    sets = [
        full("ancient", -20_000, 90_000, 90_010, family="old"),
        log("ancient log", -19_999, 90_005, 95_000, family="old"),
        full("F", 0, 100, 110),
        log("L", 1, 90, 200),
    ]
    assert names(to(sets)) == ["F", "L"]
    assert names(to(sets, 1)) == ["F", "L"]


def test_last_lsn_is_the_next_record() -> None:
    """A log that ends where the full ends holds nothing for it; the next one begins there."""
    sets = [full("F", 1, 100, 110), log("before", 0.5, 50, 110), log("L", 2, 110, 200)]
    assert names(to(sets)) == ["F", "L"]


def test_an_overlap_is_legal_and_a_gap_is_not() -> None:
    sets = [full("F", 0, 100, 110), log("copy", 1, 90, 180, copy_only=True), log("L", 2, 90, 250)]
    assert names(to(sets, 2)) == ["F", "L"]
    gap = to([full("F", 0, 100, 110), log("L1", 1, 90, 200), log("L3", 3, 201, 300)], 3)
    assert gap.verdict is Reachability.UNREACHABLE
    assert gap.missing == ("log 200 to 201",)
    assert "log is missing from 200 to 201, between the log backup of 2026-03-01 13:01:00" in gap.reason
    assert gap.nearest.before == at(1)
    assert gap.nearest.after is None


def test_a_log_taken_during_the_full_is_needed_after_it() -> None:
    """It carries the older database_backup_lsn, which is why nothing is chosen by that column."""
    sets = [
        full("F", 0, 100, 160, finished=NOON + timedelta(hours=2)),
        log("during", 1, 90, 140),
        log("L", 3, 140, 250),
    ]
    assert names(to(sets, 3)) == ["F", "L"]


def test_when_the_newest_full_leads_nowhere_an_older_one_does() -> None:
    sets = [
        full("F1", 0, 100, 110),
        log("L1", 1, 90, 200),
        log("L2", 2, 200, 300),
        full("F2", 2.5, 320, 330, damaged=True),
        log("L3", 3, 300, 400),
    ]
    found = to(sets, 3)
    assert names(found) == ["F1", "L1", "L2", "L3"]
    assert any("is damaged" in note for note in found.notes)


def test_a_copy_only_full_begins_a_chain_of_logs_and_is_no_base() -> None:
    sets = [
        full("C", 0, 100, 110, copy_only=True),
        differential("D", 1, 200, 210, base="C", base_lsn=100),
        log("L", 2, 90, 300),
    ]
    assert names(to(sets, 2)) == ["C", "L"]


def test_simple_breaks_the_chain() -> None:
    sets = [
        full("F1", 0, 100, 110),
        log("L1", 1, 90, 200),
        full("F2", 4, 500, 510),
        log("L2", 5, 500, 600, begins_chain=True),
    ]
    assert names(to(sets, 5)) == ["F2", "L2"]
    broken = to(sets, 3)
    assert broken.verdict is Reachability.UNREACHABLE
    assert "the database was in the SIMPLE recovery model" in broken.reason
    assert (broken.nearest.before, broken.nearest.after) == (at(1), at(4) + timedelta(minutes=1, seconds=1))


def test_nothing_stops_inside_a_log_with_bulk_logged_changes() -> None:
    sets = [full("F", 0, 100, 110), log("L1", 1, 90, 200), log("bulk", 2, 200, 300, bulk_logged=True)]
    inside = to(sets, 1.5)
    assert inside.verdict is Reachability.UNREACHABLE
    assert "holds bulk-logged changes: it is restored whole or not at all" in inside.reason
    assert names(to(sets)) == ["F", "L1", "bulk"]
    beside = [*sets, log("copy", 1.75, 200, 280, copy_only=True)]
    assert names(to(beside, 1.5)) == ["F", "L1", "copy"]


def test_a_snapshot_by_another_program_resets_the_base_and_cannot_be_read_back() -> None:
    sets = [
        full("F", 0, 100, 110),
        full("vss", 1, 200, 210, snapshot=True, media=Media(devices=("{guid}1",), virtual=True)),
        differential("D", 2, 300, 310, base="vss", base_lsn=200),
    ]
    found = to(sets, 2.5)
    assert found.verdict is Reachability.UNREACHABLE
    assert "was written by another program through a virtual device" in found.reason
    assert names(to(sets)) == ["F"]


def test_a_differential_whose_base_is_not_known_is_named() -> None:
    found = to([full("F", 0, 100, 110), differential("D", 2, 300, 310, base="gone", base_lsn=200)], 3)
    assert found.verdict is Reachability.UNREACHABLE
    assert "No log backup reaches that instant" in found.reason
    assert names(to([full("F", 0, 100, 110), differential("D", 2, 300, 310, base="F", base_lsn=99)])) == ["F"]


def test_a_differential_with_several_bases_goes_to_its_files() -> None:
    files = (DatabaseFile(number=1, name="a", base="F"), DatabaseFile(number=3, name="b", base="X"))
    sets = [
        full("F", 0, 100, 110),
        backup(Kind.FILE, "X", 1, 200, 210),
        differential("D", 2, 300, 310, files=files),
        log("L", 3, 250, 400),
    ]
    assert names(to(sets, 3)) == ["F", "X", "D", "L"]
    without = to([one for one in sets if one.uuid != "X"], 3)
    assert without.verdict is Reachability.UNREACHABLE
    assert "counts from 2 backups, since files were backed up by themselves, and these of them are not known: X" in (
        without.reason
    )


def test_a_differential_on_files_alone_is_left_to_a_person() -> None:
    files = (DatabaseFile(number=1, name="a", base="X"), DatabaseFile(number=3, name="b", base="Y"))
    sets = [
        full("F", 0, 100, 110),
        backup(Kind.FILE, "X", 1, 200, 210),
        backup(Kind.FILE, "Y", 1.5, 220, 230),
        differential("D", 2, 300, 310, files=files),
        log("L", 3, 250, 400),
    ]
    found = to(sets, 2.5)
    assert found.verdict is Reachability.UNREACHABLE
    assert "none of them is of the whole database: which full backup goes under them is not recorded" in found.reason
    bare = to([full("F", 0, 100, 110), differential("D", 2, 300, 310)], 3)
    assert "does not say which backup it counts from" in bare.reason


@pytest.mark.parametrize("kind", [Kind.PARTIAL, Kind.PARTIAL_DIFFERENTIAL, Kind.FILE_DIFFERENTIAL])
def test_parts_of_a_database_are_no_beginning(kind: Kind) -> None:
    found = to([backup(kind, "P", 0, 100, 110)])
    assert found.verdict is Reachability.UNREACHABLE
    assert "No full backup of this database can be restored." in found.reason
    assert "holds a part of the database only" in found.reason


def test_every_stripe_is_needed() -> None:
    media = Media(devices=("D:\\a.bak", "D:\\c.bak"), families=3)
    found = to([full("F", 0, 100, 110, media=media)])
    assert found.verdict is Reachability.UNREACHABLE
    assert "3 stripes were written and 2 are known" in found.reason


def test_local_times_are_put_in_their_zone() -> None:
    """Barman#881, CloudNativePG#2701, pgBackRest#2452: a time was read in the wrong zone."""
    berlin = [full("F", 0, 100, 110, zone=60), log("L", 1, 90, 200, zone=60)]
    assert names(to(berlin, 0)) == ["F", "L"]
    assert to(berlin, 0.5).verdict is Reachability.UNREACHABLE
    early = full("E", -3, 50, 60, zone=60)
    winter = [early, log("L", 1, 40, 200, zone=60), log("winter", 1, 200, 300, zone=0), log("M", 5, 300, 400, zone=0)]
    assert names(to(winter, -2)) == ["E", "L"]
    assert names(to(winter, 2.5)) == ["E", "L", "winter", "M"]
    for hours in (-0.5, 0.5, 1.5):  # put back somewhere between the two, or an hour that was shown twice
        unclear = to(winter, hours)
        assert unclear.verdict is Reachability.UNKNOWN
        assert "The server's clock was put from +01:00 to +00:00 between" in unclear.reason
        assert "--server-time-zone" in unclear.reason


def test_what_a_backup_took_is_not_negative_when_the_clock_was_put_back_meanwhile() -> None:
    """msdb keeps the zone of the beginning alone. A full backup that began before and ended after was not over before
    the instant, though the clock says so."""
    late = full("F", 0, 100, 110, zone=60, finished=NOON - timedelta(minutes=20))
    sets = [full("E", -3, 50, 60, zone=60), late, log("L", 1.5, 40, 200, zone=0), log("M", 5, 200, 300, zone=0)]
    assert late.ended.earliest == late.began.earliest == at(-1)
    assert late.ended.latest > at(0.5)
    assert to(sets, -0.75).verdict is Reachability.UNKNOWN
    assert names(to(sets, 4)) == ["F", "L", "M"]


@pytest.mark.parametrize("hours", [-10, 2, 10])
def test_an_unknown_zone_is_said_and_never_guessed(hours: float) -> None:
    sets = [full("F", 0, 100, 110, zone=None), log("L", 1, 90, 200, zone=None)]
    found = to(sets, hours)
    assert found.verdict is Reachability.UNKNOWN
    assert "in which time zone" in found.reason
    assert names(to(sets)) == ["F", "L"]


def test_an_unknown_zone_leaves_open_what_to_stop_at_also_days_from_any_backup() -> None:
    """The sets are sure; what STOPAT must say is not."""
    days = [full("F", 0, 100, 110, zone=None), log("L", 72, 90, 200, zone=None)]
    found = to(days, 36)
    assert found.verdict is Reachability.UNKNOWN
    assert "In which time zone the server was is not known" in found.reason
    assert names(to([placed(one, "+02:00") for one in days], 36)) == ["F", "L"]


def test_what_was_committed_while_the_log_was_written_may_not_be_in_it() -> None:
    """Before 2022 nobody says how far a log reaches; a later one tells."""
    sets = [full("F", 0, 100, 110), log("L1", 1, 90, 200)]
    half = 1 + 0.5 / 60
    assert to(sets, half).verdict is Reachability.UNKNOWN
    assert "may end before it: a later log backup would tell" in to(sets, half).reason
    assert names(to([*sets, log("L2", 2, 200, 300)], half)) == ["F", "L1", "L2"]
    exact = [sets[0], msgspec.structs.replace(sets[1], valid_until=NOON + timedelta(hours=1, seconds=40))]
    assert names(to(exact, half)) == ["F", "L1"]


def test_a_target_later_than_the_last_log_is_refused_with_the_nearest_instant() -> None:
    """Barman#926: beyond the last commit the server gives up in the middle of a restore."""
    found = to([full("F", 0, 100, 110), log("L", 1, 90, 200)], 5)
    assert found.verdict is Reachability.UNREACHABLE
    assert "No log backup reaches that instant: the last is the log backup" in found.reason
    assert found.nearest.before == at(1)


def test_logs_go_onto_a_database_that_an_earlier_restore_left_open() -> None:
    sets = [full("F", 0, 100, 110), log("L1", 1, 90, 200), log("L2", 2, 200, 300), log("L3", 3, 301, 400)]
    onto = After("L1")
    assert names(find(sets, "shop", after=onto)) == ["L2"]
    assert names(find(sets, "shop", Goal(time=at(1.5)), after=onto)) == ["L2"]
    early = find(sets, "shop", Goal(time=at(0.5)), after=onto)
    assert early.verdict is Reachability.UNREACHABLE
    gap = find(sets, "shop", after=After("L2"))
    assert gap.verdict is Reachability.UNREACHABLE
    assert "log is missing from 300 to 301" in gap.reason
    assert "is not among those that are known" in find(sets, "shop", after=After("gone")).reason
    stopped = After("L1", NOON + timedelta(minutes=30))
    assert names(find(sets, "shop", Goal(time=at(0.75)), after=stopped)) == ["L1"]
    assert names(find(sets, "shop", after=stopped)) == ["L1", "L2"]
    assert find(sets, "shop", Goal(time=at(0.25)), after=stopped).verdict is Reachability.UNREACHABLE


def test_a_target_before_the_first_full_is_refused() -> None:
    found = to([full("F", 1, 100, 110), log("L", 2, 90, 200)], 0.5)
    assert found.verdict is Reachability.UNREACHABLE
    assert "ended after that instant" in found.reason
    assert found.missing == ("an older full backup",)


def test_a_log_sequence_number_is_found_in_the_log_that_holds_it() -> None:
    sets = [full("F", 0, 100, 110), log("L1", 1, 90, 200), log("L2", 2, 200, 300)]
    assert names(find(sets, "shop", Goal(lsn=150))) == ["F", "L1"]
    assert names(find(sets, "shop", Goal(lsn=200))) == ["F", "L1", "L2"]
    assert find(sets, "shop", Goal(lsn=300)).verdict is Reachability.UNREACHABLE


def test_a_copy_under_another_name_does_not_answer_for_the_original() -> None:
    copy = full("copy", 3, 400, 410, database="shop_test", first_fork="c", last_fork="c")
    assert names(to([full("F", 0, 100, 110), copy])) == ["F"]
    assert find([copy], "shop").reason == "There is no backup of shop."


def test_a_renamed_database_keeps_its_chain() -> None:
    sets = [full("F", 0, 100, 110, database="store"), log("L", 1, 90, 200)]
    assert names(to(sets, 1)) == ["F", "L"]


def test_thousands_of_logs_are_walked_once() -> None:
    logs = [log(f"L{number}", 1 + number / 4, 90 + 10 * number, 100 + 10 * number) for number in range(2000)]
    found = to([full("F", 0, 90, 95), *logs], 1 + 1999 / 4)
    assert len(found.sets) == 2001
