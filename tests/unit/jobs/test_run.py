"""Running jobs: single flight, what is due, history, the code of the worst. State lies in a temporary directory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dbops.config import Config, JobConfig, Target, parse
from dbops.errors import ConfigError, Locked, OutputError, Unreachable, UsageError
from dbops.jobs import agenda
from dbops.jobs.run import Done, Work, past, run_due, run_named
from dbops.jobs.stamps import Stamps
from dbops.operations.workspace import Workspace
from dbops.state import Run, State

TOML = """
[targets.shop]
url = "postgresql://dbops@db1/shop"
labels = { env = "prod" }

[targets.blog]
url = "postgresql://dbops@db2/blog"
labels = { env = "prod" }

[jobs.nightly]
do = "backup"
targets = "label:env=prod"
at = "15 2 * * *"
notify = ["ops"]

[jobs.weekly]
do = "verify"
targets = ["shop"]
at = "30 4 * * sun"
"""
NIGHT = datetime(2026, 1, 31, 2, 20, tzinfo=UTC)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(NIGHT)


def workspace(tmp_path: Path, clock: Clock, toml: str = TOML) -> Workspace:
    config: Config = parse(toml, "dbops.toml")
    return Workspace(config, state=State(tmp_path / "state", clock=clock), clock=clock)


@pytest.fixture
def ws(tmp_path: Path, clock: Clock) -> Workspace:
    return workspace(tmp_path, clock)


def good(ws: Workspace, target: Target, job: JobConfig) -> Done:
    return Done(status="ok", code=0, facts={"backup": f"b-{target.name}"})


def works(work: Work = good) -> dict[str, Work]:
    return {"backup": work, "verify": work}


def test_a_named_job_runs_on_every_target_and_is_remembered(ws: Workspace) -> None:
    runs = run_named(ws, "nightly", works())
    assert runs.code == 0
    (run,) = runs.jobs
    assert [(one.target, one.status, one.code) for one in run.targets] == [("shop", "ok", 0), ("blog", "ok", 0)]
    assert run.scheduled_for is None
    assert run.notes == (agenda.NOT_SENT,)
    (kept,) = ws.state.history.runs(kind="job")
    assert (kept.name, kept.status, kept.code) == ("nightly", "done", 0)
    assert "b-shop" in str(kept.facts)


def test_each_target_keeps_its_own_code_and_the_worst_wins(ws: Workspace) -> None:
    def work(ws: Workspace, target: Target, job: JobConfig) -> Done:
        if target.name == "shop":
            raise Unreachable("shop: connection refused", hint="Is it up?")
        return Done(status="could_not_verify", code=76)

    runs = run_named(ws, "nightly", works(work))
    shop, blog = runs.jobs[0].targets
    assert (shop.code, blog.code, runs.code, runs.jobs[0].status) == (69, 76, 76, "failed")
    assert shop.error is not None
    assert (shop.error.class_, shop.error.message, shop.error.hint) == (
        "Unreachable", "shop: connection refused", "Is it up?",
    )  # fmt: skip


def test_a_bug_in_one_target_is_70_and_shows_a_place_but_no_value(ws: Workspace) -> None:
    def work(ws: Workspace, target: Target, job: JobConfig) -> Done:
        raise ValueError("hunter2")

    run = run_named(ws, "weekly", works(work)).jobs[0]
    error = run.targets[0].error
    assert run.code == 70
    assert error is not None
    assert "a bug in dbops: ValueError at test_run.py:" in error.message
    assert "hunter2" not in error.message + error.hint


def test_a_target_that_hangs_is_given_up_after_the_jobs_timeout(tmp_path: Path, clock: Clock) -> None:
    import threading

    release = threading.Event()
    toml = TOML.replace('targets = ["shop"]', 'targets = ["shop"]\ntimeout = "1s"')

    def work(ws: Workspace, target: Target, job: JobConfig) -> Done:
        release.wait(60)
        return Done(status="ok", code=0)

    run = run_named(workspace(tmp_path, clock, toml), "weekly", works(work)).jobs[0]
    release.set()
    assert run.code == 69
    assert run.targets[0].error is not None
    assert run.targets[0].error.message == "no answer within 1.0s"


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("nigthly", "there is no job 'nigthly' in dbops.toml", "Did you mean 'nightly'?"),
        ("x", "there is no job 'x' in dbops.toml", "There is: nightly, weekly."),
    ],
)
def test_an_unknown_job_is_wrong_use(ws: Workspace, name: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        run_named(ws, name, works())
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_without_a_configuration_the_hint_says_what_to_add(tmp_path: Path, clock: Clock) -> None:
    ws = Workspace(Config(), state=State(tmp_path, clock=clock), clock=clock)
    with pytest.raises(UsageError, match=r"no dbops\.toml was found") as caught:
        run_named(ws, "nightly", works())
    assert "[jobs.nightly]" in caught.value.hint


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('do = "verify"', 'do = "verfy"', "jobs.weekly.do: 'verfy' is nothing that a job can do"),
        ('targets = ["shop"]', 'targets = "label:env=test"', "no target has the label env=test"),
        ('targets = ["shop"]', 'targets = ["shop"]\ntimeout = "soon"', "'soon' is not a length of time"),
    ],
)
def test_a_wrong_job_fails_in_its_run_and_in_the_history(
    tmp_path: Path, clock: Clock, old: str, new: str, said: str
) -> None:
    ws = workspace(tmp_path, clock, TOML.replace(old, new))
    run = run_named(ws, "weekly", works()).jobs[0]
    assert run.error is not None
    assert said in run.error.message
    assert run.code == run.error.code != 0
    assert said in str(ws.state.history.runs(kind="job")[0].facts)


def test_a_job_runs_once_at_a_time(ws: Workspace) -> None:
    with ws.state.lock("job nightly", "job nightly"):
        with pytest.raises(Locked, match="job nightly"):
            run_named(ws, "nightly", works())
        runs = run_due(ws, works())
    assert (runs.code, runs.jobs[0].status, runs.jobs[0].code) == (75, "locked", 75)
    assert run_due(ws, works()).jobs[0].status == "done"  # it stayed due


def test_what_became_due_just_now_runs_at_first_sight_and_only_once(ws: Workspace, clock: Clock) -> None:
    (run,) = run_due(ws, works()).jobs
    assert (run.name, run.scheduled_for) == ("nightly", datetime(2026, 1, 31, 2, 15, tzinfo=UTC))
    clock.now += timedelta(minutes=5)
    assert run_due(ws, works()).jobs == ()


def test_a_new_job_is_not_caught_up_with(ws: Workspace, clock: Clock) -> None:
    clock.now = NIGHT.replace(hour=12)
    assert run_due(ws, works()).jobs == ()
    clock.now = NIGHT + timedelta(days=1)
    assert [run.name for run in run_due(ws, works()).jobs] == ["nightly"]


def test_many_missed_occurrences_are_one_late_run(ws: Workspace, clock: Clock) -> None:
    run_due(ws, works())
    clock.now = NIGHT + timedelta(days=30, hours=9)
    late = run_due(ws, works()).jobs
    assert [run.name for run in late] == ["nightly", "weekly"]
    assert late[0].scheduled_for == datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
    assert run_due(ws, works()).jobs == ()


def test_a_run_by_hand_counts(ws: Workspace, clock: Clock) -> None:
    run_named(ws, "nightly", works())
    assert run_due(ws, works()).jobs == ()


def test_a_failed_occurrence_is_not_tried_again(ws: Workspace) -> None:
    def work(ws: Workspace, target: Target, job: JobConfig) -> Done:
        raise Unreachable("away")

    assert run_due(ws, works(work)).code == 69
    assert run_due(ws, works(work)).jobs == ()


def test_an_interrupted_occurrence_stays_due(ws: Workspace) -> None:
    def work(ws: Workspace, target: Target, job: JobConfig) -> Done:
        raise AssertionError

    def interrupt(run: object) -> bool:
        raise KeyboardInterrupt

    record = ws.state.history.record
    ws.state.history.record = interrupt  # type: ignore[method-assign]  # the last thing before it counts as handled
    with pytest.raises(KeyboardInterrupt):
        run_due(ws, works())
    ws.state.history.record = record  # type: ignore[method-assign]
    assert len(run_due(ws, works()).jobs) == 1


def test_another_process_that_ran_it_meanwhile_is_noticed(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([NIGHT, None, None])
    monkeypatch.setattr(agenda, "due", lambda ws, job: next(answers))
    assert run_due(ws, works()).jobs == ()


def test_a_wrong_schedule_does_not_hide_the_other_jobs(tmp_path: Path, clock: Clock) -> None:
    ws = workspace(tmp_path, clock, TOML.replace('at = "30 4 * * sun"', 'at = "weekly"'))
    runs = run_due(ws, works())
    assert [(run.name, run.status, run.code) for run in runs.jobs] == [("nightly", "done", 0), ("weekly", "failed", 78)]
    assert runs.code == 78
    with pytest.raises(ConfigError, match=r"dbops\.toml: jobs\.weekly\.at"):
        agenda.listed(ws)


def test_the_list_shows_when_and_how_it_went(ws: Workspace) -> None:
    run_named(ws, "weekly", works())
    nightly, weekly = agenda.listed(ws).jobs
    assert (nightly.targets, nightly.next) == (("label:env=prod",), datetime(2026, 2, 1, 2, 15, tzinfo=UTC))
    assert (nightly.last_started_at, nightly.last_code) == (None, None)
    assert (weekly.targets, weekly.last_started_at, weekly.last_code) == (("shop",), NIGHT, 0)


def test_the_history_is_read_back_whole(ws: Workspace, clock: Clock) -> None:
    first = run_named(ws, "weekly", works()).jobs[0]
    clock.now += timedelta(hours=1)
    second = run_named(ws, "nightly", {}).jobs[0]
    assert past(ws).jobs == (second, first)
    assert past(ws, name="weekly").jobs == (first,)
    assert past(ws, limit=1).jobs == (second,)


def test_a_run_of_another_version_is_still_listed(ws: Workspace) -> None:
    run = Run(
        kind="job", target="", name="old", started_at=NIGHT, finished_at=NIGHT, status="done", code=0, facts={"x": 1}
    )
    ws.state.history.record(run)
    (found,) = past(ws).jobs
    assert (found.name, found.do, found.targets) == ("old", "", ())


def test_the_list_needs_no_database(tmp_path: Path, clock: Clock) -> None:
    state = State(tmp_path, clock=clock, url=f"sqlite:///{tmp_path}/absent/x.sqlite")
    listed = agenda.listed(Workspace(parse(TOML), state=state, clock=clock))
    assert [job.last_code for job in listed.jobs] == [None, None]


def test_stamps_outlive_and_forgive(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path / "jobs")
    assert stamps.read("nightly") is None
    stamps.write("nightly", NIGHT)
    stamps.write("../x y", NIGHT)
    assert stamps.read("nightly") == stamps.read("../x y") == NIGHT
    assert sorted(path.parent for path in tmp_path.rglob("*.stamp")) == [tmp_path / "jobs"] * 2
    (tmp_path / "jobs" / "nightly.stamp").write_text("rubbish")
    assert stamps.read("nightly") is None
    (tmp_path / "jobs" / "nightly.stamp").write_text("2026-01-31T02:15:00")
    assert stamps.read("nightly") is None


def test_a_stamp_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        Stamps(tmp_path / "file" / "jobs").write("nightly", NIGHT)
