"""For every instant of a window: what would have come back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from dbops.backup.coverage import cover
from dbops.model.backup import BackupRecord, Objective, PastRun
from dbops.model.finding import Missing
from dbops.model.recovery import Range, Reached

Make = Callable[..., BackupRecord]
MakeRun = Callable[..., PastRun]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING_WANTED = Objective()


def at(hours: float) -> datetime:
    return EPOCH + timedelta(hours=hours)


def test_a_backup_counts_from_its_end(make_record: Make) -> None:
    found = cover([make_record(1, took_s=3600)], at(0), at(10), NOTHING_WANTED)
    assert [(one.start, one.end, one.recoverable, one.loss_s) for one in found.spans] == [
        (at(0), at(2), False, None),
        (at(2), at(10), True, 9 * 3600),
    ]
    assert found.verdict == "gaps"
    assert found.reasons == (f"{at(0).isoformat()} to {at(2).isoformat()}: nothing could have been brought back",)


def test_loss_beyond_the_objective_is_a_gap(make_record: Make) -> None:
    records = [make_record(0, took_s=0), make_record(2, took_s=0), make_record(8, took_s=0)]
    found = cover(records, at(0), at(9), Objective(rpo_s=2 * 3600))
    assert [one.within_objective for one in found.spans] == [True, False, True]
    assert found.worst_loss_s == 6 * 3600
    assert found.reasons[0].endswith("up to 6h would have been lost, the RPO is 2h")


def test_one_that_failed_its_proof_covers_nothing(make_record: Make) -> None:
    records = [make_record(0, took_s=0), make_record(2, took_s=0, failed=True)]
    assert [one.backup for one in cover(records, at(0), at(4), NOTHING_WANTED).spans] == ["b-000000.00"]


def test_one_without_its_parent_covers_nothing(make_record: Make) -> None:
    found = cover([make_record(0, took_s=0, parent="b-gone")], at(0), at(4), NOTHING_WANTED)
    assert not found.spans[0].recoverable


def test_the_time_to_recover(make_record: Make, make_run: MakeRun) -> None:
    record = make_record(0, took_s=0, source_bytes=1 << 31)
    wanted = Objective(rto_s=150)
    unknown = cover([record], at(0), at(1), wanted)
    assert unknown.verdict == "unknown"
    assert "is not known: no past restore by dump was measured" in unknown.reasons[0]
    runs = [make_run("restore", seconds=100)]
    slow = cover([record], at(0), at(1), wanted, runs)
    assert (slow.verdict, slow.spans[0].rto_s) == ("gaps", Range(200, 200))
    assert slow.reasons[0].endswith("bringing b-000000.00 back takes longer than the RTO of 2m30s")
    assert cover([record], at(0), at(1), Objective(rto_s=250), runs).verdict == "covered"


def test_a_backup_that_does_not_say_its_size_cannot_be_timed(make_record: Make, make_run: MakeRun) -> None:
    record = make_record(0, took_s=0, source_bytes=Missing("not_recorded", "an old manifest"))
    found = cover([record], at(0), at(1), Objective(rto_s=150), [make_run("restore", seconds=100)])
    assert found.verdict == "unknown"


def test_an_empty_window(make_record: Make) -> None:
    assert cover([make_record(0)], at(1), at(1), NOTHING_WANTED).spans == ()


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(-50, 150), st.integers(0, 10 * 3600), st.booleans()), max_size=10),
    probes=st.lists(st.floats(0, 99.99), max_size=10),
)
def test_every_instant_gets_what_was_published_by_then(
    make_record: Make, rows: list[tuple[int, int, bool]], probes: list[float]
) -> None:
    records = [
        make_record(hour, id=f"b-{number}", took_s=took, failed=bad) for number, (hour, took, bad) in enumerate(rows)
    ]
    found = cover(records, at(0), at(100), NOTHING_WANTED)
    assert found.spans[0].start == at(0)
    assert found.spans[-1].end == at(100)
    assert all(one.end == other.start for one, other in pairwise(found.spans))
    for hour in probes:
        instant = at(hour)
        span = next(one for one in found.spans if one.start <= instant < one.end)
        there = [
            one.instant
            for one, (_, _, bad) in zip(records, rows, strict=True)
            if one.finished_at <= instant and not bad
        ]
        assert span.recovers_to == max(there, default=None)
        assert span.loss_s is None or (instant - max(there)).total_seconds() <= span.loss_s


def point(make_record: Make, hours: float, since: float | None = None, published: float | None = None) -> Reached:
    record = make_record(hours, took_s=0)
    begins = at(since) if since is not None else None
    return Reached(
        published=at(hours if published is None else published), instant=at(hours), since=begins, record=record
    )


def test_logs_let_every_instant_be_reached(make_record: Make) -> None:
    shop = [point(make_record, 0), *(point(make_record, hour, since=hour - 1) for hour in (1, 2, 3))]
    found = cover((), at(0), at(4), Objective(rpo_s=3600), reached={"shop": shop})
    assert [(one.start, one.exact, one.loss_s) for one in found.spans] == [
        (at(0), True, 3600), (at(1), True, 3600), (at(2), True, 3600), (at(3), False, 3600),
    ]  # fmt: skip
    assert (found.verdict, found.worst_loss_s) == ("covered", 3600)
    assert [one.recovers_to for one in found.spans] == [at(hour) for hour in range(4)]


def test_a_hole_between_two_logs_is_not_exact(make_record: Make) -> None:
    shop = [point(make_record, 0), point(make_record, 1, since=0), point(make_record, 4, since=2)]
    found = cover((), at(0), at(4), NOTHING_WANTED, reached={"shop": shop})
    assert [(one.start, one.exact) for one in found.spans] == [(at(0), True), (at(1), False)]


def test_a_server_is_as_old_as_the_oldest_of_its_databases(make_record: Make) -> None:
    shop = [point(make_record, 0), point(make_record, 3, since=0)]
    found = cover((), at(0), at(5), NOTHING_WANTED, reached={"shop": shop, "hr": [point(make_record, 1)]})
    assert [(one.start, one.recovers_to, one.exact) for one in found.spans] == [
        (at(0), None, False), (at(1), at(0), False), (at(3), at(1), False),
    ]  # fmt: skip
    assert found.spans[1].loss_s == 3 * 3600


def test_what_is_published_late_counts_from_then(make_record: Make) -> None:
    shop = [point(make_record, 0), point(make_record, 1, since=0, published=3)]
    found = cover((), at(2), at(4), NOTHING_WANTED, reached={"shop": shop})
    assert [(one.start, one.recovers_to) for one in found.spans] == [(at(2), at(0)), (at(3), at(1))]


def test_no_database_is_no_backup() -> None:
    found = cover((), at(0), at(1), NOTHING_WANTED, reached={})
    assert (found.verdict, found.spans[0].recoverable, found.spans[0].exact) == ("gaps", False, False)
