"""The planner against laws, and against a simulation that tries every instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dbops.backup.case import Room, Wanted
from dbops.backup.objective import LADDER, Interval, kept_count, worst_loss
from dbops.backup.planner import plan
from dbops.backup.retention import decide
from dbops.model.backup import (
    BackupFacts,
    BackupRecord,
    Blocker,
    Custody,
    DatabaseFacts,
    Keep,
    Method,
    Objective,
    PastRun,
    Remark,
)
from dbops.model.finding import Missing
from dbops.model.recovery import BackupPlan, Feasibility, Range

MakeRun = Callable[..., PastRun]
GIB = 1 << 30
DUMP = Method(name="dump", kind="logical", title="pg_dump")
COPY = Method(name="basebackup", kind="physical", title="base backup")
PLENTY = Room(free=1 << 50)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def facts_of(size: int = GIB, **fields: object) -> BackupFacts:
    plain = BackupFacts(
        databases=(DatabaseFacts(name="shop", bytes=size),), total_bytes=size, log_bytes_per_s=1000.0, log_sample_s=5
    )
    return msgspec.structs.replace(plain, **fields)


def ask(
    objective: Objective,
    runs: list[PastRun],
    *,
    size: int = GIB,
    room: Room = PLENTY,
    methods: tuple[Method, ...] = (DUMP,),
) -> BackupPlan:
    return plan(Wanted(objective=objective), facts_of(size), methods, runs, room)


def test_the_classic_no(make_run: MakeRun) -> None:
    answer = ask(Objective(rpo_s=15 * 60), [make_run("backup", seconds=40 * 60)])
    assert answer.verdict is Feasibility.INFEASIBLE
    assert answer.reasons[0] == "The best schedule can lose 1h40m, the RPO is 15m."
    assert answer.counterexample is not None
    assert answer.counterexample.text == (
        "Backups begin every 1h and take up to 40m. The server is lost 1h40m after backup A began, just before "
        "backup B is published. What comes back is the state 1h40m before: more than the 15m that may be lost."
    )
    assert any("continuous archiving" in reason for reason in answer.reasons)


def test_what_keeps_the_log_from_being_archived_is_said_where_a_log_would_help(make_run: MakeRun) -> None:
    off = Blocker(method="log", reason="log_bin = OFF", setting="log_bin", value="ON", restart=True)
    runs = [make_run("backup", seconds=40 * 60)]
    wanted = Wanted(objective=Objective(rpo_s=15 * 60))
    answer = plan(wanted, facts_of(blockers=(off,)), (DUMP,), runs, PLENTY)
    assert "log_bin = OFF: set log_bin = ON and restart first." in answer.reasons
    answer = plan(wanted, facts_of(blockers=(msgspec.structs.replace(off, restart=False),)), (DUMP,), runs, PLENTY)
    assert "log_bin = OFF: set log_bin = ON first." in answer.reasons
    never = Blocker(method="log", reason="the service keeps the log")
    answer = plan(wanted, facts_of(blockers=(never,)), (DUMP,), runs, PLENTY)
    assert "No backups of the log: the service keeps the log." in answer.reasons
    unmeasured = plan(wanted, facts_of(blockers=(off,)), (DUMP,), [], PLENTY)
    assert "log_bin = OFF: set log_bin = ON and restart first." in unmeasured.reasons
    content = Wanted(objective=Objective(rpo_s=86_400))
    answer = plan(content, facts_of(blockers=(off,)), (DUMP,), runs, PLENTY)
    assert not any("log_bin" in reason for reason in answer.reasons)


def test_what_is_to_be_known_of_the_chosen_method_is_said() -> None:
    facts = facts_of(remarks=(Remark("dump", "It locks for a moment."), Remark("basebackup", "It needs a slot.")))
    answer = plan(Wanted(objective=Objective()), facts, (DUMP, COPY), [], PLENTY)
    assert "It locks for a moment." in answer.reasons
    assert "It needs a slot." not in answer.reasons
    assert [one.reasons[-1] for one in answer.methods] == ["It locks for a moment.", "It needs a slot."]


def test_a_yes_with_its_schedule(make_run: MakeRun) -> None:
    runs = [make_run("backup", seconds=60), make_run("restore", seconds=120, fixed=20)]
    objective = Objective(rpo_s=7200, rto_s=300, keep=Keep(daily=7))
    answer = ask(objective, runs, size=2 * GIB)
    assert answer.verdict is Feasibility.FEASIBLE
    assert answer.counterexample is None
    assert [(one.do, one.at, one.every_s) for one in answer.schedule] == [
        ("backup", "15 * * * *", 3600),
        ("prune", "30 6 * * *", 86_400),
    ]
    assert answer.schedule[0].reason == "the longest interval that meets the RPO of 2h"
    assert answer.predicted.rpo_s == Range(3720, 3720)
    assert answer.predicted.rto_s == Range(220, 220)  # 20 fixed, 100 for each GiB
    assert answer.predicted.storage_bytes == 8 * GIB // 2  # seven and the one that is being written, a quarter of 2 GiB


def test_a_slow_restore_is_a_no_with_its_arithmetic(make_run: MakeRun) -> None:
    runs = [make_run("backup", seconds=60), make_run("restore", seconds=1024)]
    answer = ask(Objective(rto_s=1800), runs, size=4 * GIB)
    assert answer.verdict is Feasibility.INFEASIBLE
    assert answer.counterexample is not None
    assert answer.counterexample.text == (
        "The server is lost. Restoring 4.0 GiB at the measured 1.0 MiB/s, all phases included, takes 1h8m: "
        "longer than the 30m that recovery may take."
    )


def test_too_little_room_is_a_no(make_run: MakeRun) -> None:
    runs = [make_run("backup", seconds=60)]
    answer = ask(Objective(keep=Keep(daily=7)), runs, room=Room(free=GIB))
    assert answer.verdict is Feasibility.INFEASIBLE
    assert answer.counterexample is not None
    assert "4 fit into 1.0 GiB: the repository is full after 4d" in answer.counterexample.text


def test_what_is_stored_already_counts_as_room(make_run: MakeRun) -> None:
    runs = [make_run("backup", seconds=60)]
    room = Room(free=GIB // 2, used=7 * GIB // 4)
    assert ask(Objective(keep=Keep(daily=7)), runs, room=room).verdict is Feasibility.FEASIBLE


@pytest.mark.parametrize(
    ("objective", "runs", "named"),
    [
        (Objective(rpo_s=3600), (), "no past backup by dump was measured: do `dbops backup run` once"),
        (Objective(rto_s=3600), ("backup",), "no past restore by dump was measured: do `dbops backup verify` once"),
    ],
)
def test_a_missing_measurement_is_unknown_and_named(
    make_run: MakeRun, objective: Objective, runs: tuple[str, ...], named: str
) -> None:
    answer = ask(objective, [make_run(what, seconds=10) for what in runs])
    assert answer.verdict is Feasibility.UNKNOWN
    assert any(named in reason for reason in answer.reasons)
    assert answer.counterexample is None


def test_a_missing_size_is_unknown_and_named(make_run: MakeRun) -> None:
    hidden = Missing("no_permission", "needs CONNECT on it")
    facts = facts_of(databases=(DatabaseFacts(name="hr", bytes=hidden),))
    answer = plan(Wanted(objective=Objective(rpo_s=3600)), facts, (DUMP,), [make_run("backup", seconds=9)], PLENTY)
    assert answer.verdict is Feasibility.UNKNOWN
    assert any("the size of the database hr is not known: needs CONNECT on it" in reason for reason in answer.reasons)


def test_room_that_cannot_be_told(make_run: MakeRun) -> None:
    runs = [make_run("backup", seconds=10)]
    objective = Objective(keep=Keep(last=3))
    hidden = Room(free=Missing("no_permission", "statvfs failed"))
    assert ask(objective, runs, room=hidden).verdict is Feasibility.UNKNOWN
    assert ask(objective, runs, room=Room(free=Missing("unlimited"))).verdict is Feasibility.FEASIBLE


def test_room_without_knowing_how_well_it_compresses(make_run: MakeRun) -> None:
    objective = Objective(keep=Keep(last=3))
    assert ask(objective, [], room=Room(free=5 * GIB)).verdict is Feasibility.FEASIBLE, "fits uncompressed"
    tight = ask(objective, [], room=Room(free=3 * GIB))
    assert tight.verdict is Feasibility.UNKNOWN
    assert any("how well it compresses" in reason for reason in tight.reasons)


def test_a_seconds_rpo_is_a_no_whatever_a_run_takes() -> None:
    answer = ask(Objective(rpo_s=30), [])
    assert answer.verdict is Feasibility.INFEASIBLE
    assert answer.counterexample is not None
    assert answer.counterexample.value > 30


def test_nothing_wanted_is_feasible_and_says_so() -> None:
    answer = ask(Objective(), [])
    assert answer.verdict is Feasibility.FEASIBLE
    assert "No RPO is set: any loss is accepted." in answer.reasons
    assert any("grows for ever" in reason for reason in answer.reasons)


def test_the_method_that_can_is_chosen(make_run: MakeRun) -> None:
    runs = [make_run("backup", seconds=50 * 60), make_run("backup", seconds=5 * 60, method="basebackup")]
    answer = ask(Objective(rpo_s=65 * 60), runs, methods=(DUMP, COPY))
    assert answer.verdict is Feasibility.FEASIBLE
    assert [(one.name, one.verdict, one.chosen) for one in answer.methods] == [
        ("dump", Feasibility.INFEASIBLE, False),
        ("basebackup", Feasibility.FEASIBLE, True),
    ]


def test_what_must_be_set_on_the_server_is_listed(make_run: MakeRun) -> None:
    blockers = (
        Blocker(method="basebackup", reason="no replication slots", setting="max_wal_senders", value="4", restart=True),
    )
    runs = [make_run("backup", seconds=60, method="basebackup")]
    answer = plan(Wanted(objective=Objective(rpo_s=7200)), facts_of(blockers=blockers), (COPY,), runs, PLENTY)
    assert answer.verdict is Feasibility.FEASIBLE
    assert [(one.setting, one.value, one.restart) for one in answer.server_changes] == [("max_wal_senders", "4", True)]


def test_what_no_setting_helps_is_a_no() -> None:
    blockers = (Blocker(method="dump", reason="pg_dump is not installed"),)
    answer = plan(Wanted(objective=Objective()), facts_of(blockers=blockers), (DUMP,), (), PLENTY)
    assert (answer.verdict, answer.reasons[0]) == (Feasibility.INFEASIBLE, "pg_dump is not installed")


def test_no_method_at_all() -> None:
    answer = plan(Wanted(objective=Objective()), facts_of(), (), (), PLENTY)
    assert (answer.verdict, answer.schedule) == (Feasibility.INFEASIBLE, ())


def test_a_run_longer_than_every_interval(make_run: MakeRun) -> None:
    answer = ask(Objective(rpo_s=7 * 86_400), [make_run("backup", seconds=8 * 86_400)])
    assert answer.verdict is Feasibility.INFEASIBLE
    assert answer.predicted.rpo_s == Range(22 * 86_400, 22 * 86_400)  # every second week, and eight days more


def test_a_proof_is_scheduled_when_one_is_wanted(make_run: MakeRun) -> None:
    wanted = Wanted(objective=Objective(), verify_every_s=7 * 86_400)
    answer = plan(wanted, facts_of(), (DUMP,), [make_run("backup", seconds=9)], PLENTY)
    assert [(one.do, one.at) for one in answer.schedule] == [("backup", "15 2 * * *"), ("verify", "45 4 * * 0")]


def test_only_the_chosen_databases_count(make_run: MakeRun) -> None:
    facts = facts_of(databases=(DatabaseFacts(name="a", bytes=GIB), DatabaseFacts(name="b", bytes=9 * GIB)))
    runs = [make_run("backup", seconds=60)]
    answer = plan(Wanted(objective=Objective(), databases=("a",)), facts, (DUMP,), runs, PLENTY)
    assert answer.predicted.backup_s == Range(60, 60)


# --- laws ---

seconds = st.floats(0.5, 200_000)
runs_drawn = st.lists(st.tuples(st.sampled_from(["backup", "restore"]), seconds, st.integers(1, 1 << 40)), max_size=6)
objectives = st.builds(
    Objective,
    rpo_s=st.none() | st.integers(1, 10**6),
    rto_s=st.none() | st.integers(1, 10**6),
    keep=st.builds(
        Keep, last=st.integers(0, 9), hourly=st.integers(0, 9), daily=st.integers(0, 9), weekly=st.integers(0, 9)
    ),
)


@settings(max_examples=200, deadline=None)
@given(rows=runs_drawn, objective=objectives, kind=st.sampled_from([DUMP, COPY]), looser=objectives)
def test_relaxing_never_turns_a_yes_into_a_no(
    make_run: MakeRun,
    rows: list[tuple[str, float, int]],
    objective: Objective,
    kind: Method,
    looser: Objective,
) -> None:
    runs = [make_run(what, seconds=took, source=source, method=kind.name) for what, took, source in rows]
    room = Room(free=40 * GIB)
    before = ask(objective, runs, methods=(kind,), room=room)
    assume(before.verdict is Feasibility.FEASIBLE)

    def most(a: int | None, b: int | None) -> int | None:
        return None if a is None or b is None else max(a, b)

    least = Keep(
        **{name: min(getattr(objective.keep, name), getattr(looser.keep, name)) for name in Keep.__struct_fields__}
    )
    relaxed = Objective(
        rpo_s=most(objective.rpo_s, looser.rpo_s), rto_s=most(objective.rto_s, looser.rto_s), keep=least
    )
    assert ask(relaxed, runs, methods=(kind,), room=room).verdict is Feasibility.FEASIBLE


@settings(max_examples=100, deadline=None)
@given(rows=runs_drawn, size=st.integers(1, 1 << 42), more=st.integers(0, 1 << 42))
def test_more_data_never_takes_less(
    make_run: MakeRun, rows: list[tuple[str, float, int]], size: int, more: int
) -> None:
    runs = [make_run(what, seconds=took, source=source) for what, took, source in rows]
    small, large = (ask(Objective(), runs, size=one).predicted for one in (size, size + more))
    for one, other in ((small.rto_s, large.rto_s), (small.backup_s, large.backup_s)):
        if isinstance(one, Range) and isinstance(other, Range):
            assert one.low <= other.low
            assert one.high <= other.high
        else:
            assert one == other


def loss_at(failure: float, every: float, took: list[float]) -> float:
    """What a failure at this instant costs, from nothing but the definition. ``took``: of each run, in order."""
    published = [number * every for number, length in enumerate(took) if number * every + length <= failure]
    return failure - max(published)


@settings(max_examples=150, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 5000), min_size=1, max_size=4),
    rpo=st.integers(61, 40_000),
    kind=st.sampled_from([DUMP, COPY]),
    data=st.data(),
)
def test_the_promise_holds_at_every_instant(
    make_run: MakeRun, lengths: list[int], rpo: int, kind: Method, data: st.DataObject
) -> None:
    runs = [make_run("backup", seconds=one, method=kind.name) for one in lengths]
    answer = ask(Objective(rpo_s=rpo), runs, methods=(kind,))
    assume(answer.verdict is Feasibility.FEASIBLE)
    every = answer.schedule[0].every_s
    took = data.draw(st.lists(st.floats(min(lengths), max(lengths)), min_size=8, max_size=8))
    assert max(took) <= every, "runs do not overlap"
    ends = [number * every + length for number, length in enumerate(took)]
    instants = [ends[0], *(end - 1e-6 for end in ends[1:]), *(number * every for number in range(1, 8))]
    losses = [loss_at(instant, every, took) for instant in instants if instant >= ends[0]]
    predicted = answer.predicted.rpo_s
    assert isinstance(predicted, Range)
    assert max(losses) <= predicted.high + 1e-6 <= rpo + 1e-5


@settings(max_examples=150, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 50_000), min_size=1, max_size=4),
    rpo=st.integers(1, 90_000),
    kind=st.sampled_from([DUMP, COPY]),
)
def test_a_counterexample_really_violates(make_run: MakeRun, lengths: list[int], rpo: int, kind: Method) -> None:
    runs = [make_run("backup", seconds=one, method=kind.name) for one in lengths]
    answer = ask(Objective(rpo_s=rpo), runs, methods=(kind,))
    assume(answer.verdict is Feasibility.INFEASIBLE)
    example = answer.counterexample
    assert example is not None
    assert example.value > example.limit == rpo
    begun, failure = example.timeline[2].at_s, example.timeline[3].at_s
    again = loss_at(failure - 1e-6, begun, [max(lengths), max(lengths)])
    assert again == pytest.approx(example.value, abs=1e-3)
    best = min(
        worst_loss(one.seconds, Range(min(lengths), max(lengths))).high for one in LADDER if one.seconds >= max(lengths)
    )
    assert best > rpo, "no other interval would do"


@settings(max_examples=100, deadline=None)
@given(keep=objectives.map(lambda one: one.keep), rung=st.sampled_from(LADDER))
def test_retention_never_holds_more_than_was_counted(keep: Keep, rung: Interval) -> None:
    assume(keep != Keep())
    records = [
        BackupRecord(
            id=f"b-{number}", target="t", incarnation="1", engine="e", server_version="1", method="dump",
            kind="logical", custody=Custody.REPOSITORY, location="",
            started_at=EPOCH + timedelta(seconds=number * rung.seconds),
            finished_at=EPOCH, bytes=1, stored_bytes=1, whole=True,
        )
        for number in range(40)
    ]  # fmt: skip
    now = records[-1].started_at
    assert len(decide(records, keep, now).keep) <= kept_count(keep, rung.seconds) + 1
