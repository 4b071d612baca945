"""Retention against laws, and against a reference written the slow and obvious way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbops.backup.retention import decide, group
from dbops.model.backup import BackupRecord, Keep, Proof, Verdict
from dbops.model.recovery import Retention

Make = Callable[..., BackupRecord]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
NOW = EPOCH + timedelta(days=800)
keeps = st.builds(
    Keep,
    last=st.integers(0, 4),
    hourly=st.integers(0, 4),
    daily=st.integers(0, 4),
    weekly=st.integers(0, 3),
    monthly=st.integers(0, 3),
    yearly=st.integers(0, 2),
    within_s=st.sampled_from([0, 3600, 86_400 * 5, 86_400 * 400]),
)
drawn = st.lists(
    st.tuples(
        st.integers(0, 19_000),  # hours
        st.sampled_from(["dump", "basebackup"]),
        st.sampled_from(["all", "a", "b"]),
        st.sampled_from(["good", "good", "good", "failed", "proven", "pinned"]),
        st.booleans(),  # builds on an earlier one
    ),
    max_size=25,
)


def records_of(rows: list[tuple[int, str, str, str, bool]], make: Make) -> list[BackupRecord]:
    found: list[BackupRecord] = []
    for number, (hours, method, databases, fate, child) in enumerate(rows):
        earlier = [one for one in found if one.method == method]
        found.append(
            make(
                hours,
                id=f"b-{number:03}",
                method=method,
                whole=databases == "all",
                databases=() if databases == "all" else (databases,),
                failed=fate == "failed",
                proven=fate == "proven",
                pinned=fate == "pinned",
                parent=earlier[-1].id if child and earlier else None,
            )
        )
    return found


def kept_ids(records: list[BackupRecord], keep: Keep, now: datetime = NOW) -> set[str]:
    return {one.backup.id for one in decide(records, keep, now).keep}


def period_of(word: str, at: datetime) -> str:
    return at.strftime(
        {"hourly": "%Y%m%d%H", "daily": "%Y%m%d", "weekly": "%G%V", "monthly": "%Y%m", "yearly": "%Y"}[word]
    )


def slow_reference(records: list[BackupRecord], keep: Keep, now: datetime) -> set[str]:
    """Every rule by itself, on every kind of content by itself; then parents until nothing changes."""
    kept: set[str] = set()
    for key in {group(one) for one in records}:
        mine = sorted([one for one in records if group(one) == key], key=lambda one: (one.started_at, one.id))
        good = [one for one in mine if not (one.proof and one.proof.verdict is Verdict.FAILED)]
        kept |= {mine[-1].id} | {one.id for one in mine if one.pinned}
        kept |= {[one.id for one in good if one.proven][-1]} if any(one.proven for one in good) else set()
        kept |= {good[-1].id} if good else {one.id for one in mine}
        kept |= {one.id for one in good[-keep.last :]} if keep.last else set()
        for word in ("hourly", "daily", "weekly", "monthly", "yearly"):
            last_of = {period_of(word, one.started_at): one.id for one in good}
            count = getattr(keep, word)
            kept |= {last_of[period] for period in sorted(last_of)[-count:]} if count else set()
        if keep.within_s:
            edge = now - timedelta(seconds=keep.within_s)
            kept |= {one.id for one in good if one.instant > edge}
            before = [one for one in good if one.instant <= edge]
            kept |= {before[-1].id} if before else set()
    by_id = {one.id: one for one in records}
    while missing := {by_id[one].parent for one in kept} - kept - {None}:
        kept |= {one for one in missing if one is not None}
    return kept


@settings(max_examples=150, deadline=None)
@given(rows=drawn, keep=keeps)
def test_agrees_with_the_slow_reference(
    make_record: Make, rows: list[tuple[int, str, str, str, bool]], keep: Keep
) -> None:
    records = records_of(rows, make_record)
    expected = slow_reference(records, keep, NOW) if keep != Keep() else {one.id for one in records}
    assert kept_ids(records, keep) == expected


@settings(max_examples=100, deadline=None)
@given(rows=drawn, keep=keeps, data=st.data())
def test_laws(make_record: Make, rows: list[tuple[int, str, str, str, bool]], keep: Keep, data: st.DataObject) -> None:
    records = records_of(rows, make_record)
    answer = decide(records, keep, NOW)
    kept, gone = {one.backup.id for one in answer.keep}, {one.backup.id for one in answer.forget}
    assert kept | gone == {one.id for one in records}, "every backup has an answer"
    assert not kept & gone
    assert all(one.reasons for one in answer.keep)
    assert all(one.reason for one in answer.forget)
    for record in records:
        assert record.id not in kept or record.parent is None or record.parent in kept, "a chain stays whole"
    shuffled = data.draw(st.permutations(records))
    assert kept_ids(shuffled, keep) == kept, "the order of the catalogue does not matter"
    survivors = [one for one in records if one.id in kept]
    assert kept_ids(survivors, keep) == kept, "pruning twice deletes nothing more"


@settings(max_examples=100, deadline=None)
@given(rows=drawn, keep=keeps, more=keeps)
def test_asking_for_more_never_keeps_less(
    make_record: Make, rows: list[tuple[int, str, str, str, bool]], keep: Keep, more: Keep
) -> None:
    records = records_of(rows, make_record)
    names = Keep.__struct_fields__
    wider = Keep(**{name: max(getattr(keep, name), getattr(more, name)) for name in names})
    assert keep == Keep() or kept_ids(records, keep) <= kept_ids(records, wider)


def test_dumps_of_different_databases_do_not_push_each_other_out(make_record: Make) -> None:
    records = [make_record(hour, whole=False, databases=("a" if hour % 2 else "b",)) for hour in range(10)]
    kept = decide(records, Keep(last=2), NOW).keep
    assert sorted(one.backup.databases for one in kept) == [("a",), ("a",), ("b",), ("b",)]


def test_backups_of_the_whole_server_stay_together_when_databases_come_and_go(make_record: Make) -> None:
    records = [make_record(hour, databases=tuple("abcdef"[: hour + 1])) for hour in range(5)]
    assert len(decide(records, Keep(last=2), NOW).keep) == 2


def test_order_is_that_of_time_not_of_names(make_record: Make) -> None:
    records = [make_record(1, id="b-zzz"), make_record(2, id="b-aaa")]
    assert [one.backup.id for one in decide(records, Keep(last=1), NOW).keep] == ["b-aaa"]


def test_a_failed_backup_fills_no_slot(make_record: Make) -> None:
    records = [make_record(1), make_record(25), make_record(26, failed=True)]
    answer = decide(records, Keep(daily=2), NOW)
    assert {one.backup.id: one.reasons for one in answer.keep} == {
        "b-000026.00": ("newest",),
        "b-000025.00": ("newest that did not fail its verification", "daily 1 of 2"),
        "b-000001.00": ("daily 2 of 2",),
    }


def test_failed_backups_stay_while_there_is_no_good_one(make_record: Make) -> None:
    records = [make_record(1, failed=True), make_record(2, failed=True)]
    answer = decide(records, Keep(last=1), NOW)
    assert not answer.forget
    assert "no good backup of this is left" in answer.keep[1].reasons


def test_a_failed_one_goes_once_a_good_one_is_newer_and_says_why(make_record: Make) -> None:
    answer = decide([make_record(1, failed=True), make_record(2)], Keep(daily=7), NOW)
    assert [(one.backup.id, one.reason) for one in answer.forget] == [
        ("b-000001.00", "failed its verification, and a good one is kept")
    ]


def test_the_last_proven_one_stays_although_a_newer_one_was_only_read_through(make_record: Make) -> None:
    read_through = Proof(at=EPOCH, verdict=Verdict.VERIFIED, level="checksum")
    records = [make_record(1, proven=True), make_record(2, proof=read_through), make_record(3), make_record(4)]
    kept = {one.backup.id: one.reasons for one in decide(records, Keep(last=1), NOW).keep}
    assert kept["b-000001.00"] == ("last proven by a restore",)
    assert kept["b-000002.00"] == ("last verified",)
    assert "b-000003.00" not in kept


def test_what_somebody_is_at_work_on_stays_with_its_parents(make_record: Make) -> None:
    records = [make_record(1), make_record(2, parent="b-000001.00"), make_record(3)]
    answer = decide(records, Keep(last=1), NOW, busy={"b-000002.00": "a restore is reading it"})
    assert {one.backup.id: one.reasons for one in answer.keep} == {
        "b-000003.00": ("newest", "last 1 of 1"),
        "b-000002.00": ("a restore is reading it",),
        "b-000001.00": ("b-000002.00 builds on it",),
    }


def test_a_parent_that_is_not_there_is_told(make_record: Make) -> None:
    answer = decide([make_record(1, id="b-child", parent="b-gone")], Keep(last=1), NOW)
    assert answer.notes == ("b-child builds on b-gone, which is not in the catalogue",)


@pytest.mark.parametrize("incarnation", ["", "unknown"])
def test_an_unknown_incarnation_stays_and_says_so(make_record: Make, incarnation: str) -> None:
    records = [make_record(1, incarnation=incarnation), make_record(2, incarnation=incarnation)]
    answer = decide(records, Keep(last=1), NOW)
    assert not answer.forget
    assert "unknown incarnation" in answer.keep[1].reasons[0]


def test_another_incarnation_is_judged_by_itself(make_record: Make) -> None:
    records = [make_record(1, incarnation="old"), make_record(2, incarnation="old"), make_record(3), make_record(4)]
    assert kept_ids(records, Keep(last=1)) == {"b-000002.00", "b-000004.00"}


def test_without_a_rule_nothing_goes(make_record: Make) -> None:
    answer = decide([make_record(1), make_record(2)], Keep(), NOW)
    assert not answer.forget
    assert answer.keep[1].reasons == ("no rule says what may go",)


def test_the_beginning_of_the_window_can_be_brought_back(make_record: Make) -> None:
    records = [make_record(hours) for hours in (0, 24, 48, 72)]
    now = EPOCH + timedelta(hours=73)
    answer = decide(records, Keep(within_s=30 * 3600), now)
    assert {one.backup.id for one in answer.keep} == {"b-000024.00", "b-000048.00", "b-000072.00"}


def test_nothing_at_all() -> None:
    assert decide([], Keep(last=1), NOW) == Retention(keep=(), forget=())
