"""Jobs, targets, the doctor and carried-out plans as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dbops.model.applied import Applied, AppliedStep
from dbops.model.doctor import Diagnosis, Standing, Symptom
from dbops.model.job import Agenda, Failure, JobRun, JobRuns, JobTarget, PastJobs, ScheduledJob
from dbops.model.target import Listed, Reached, ReachedTargets, Targets
from dbops.plan import Json
from dbops.report import applied, doctor, job, targets
from dbops.report.table import table

AT = datetime(2026, 3, 1, 2, 15, tzinfo=UTC)
FAILURE = Failure(class_="Unreachable", code=69, message="db2: connection refused", hint="Is it up?")
RUN = JobRun(
    name="nightly", do="backup", status="failed", code=69, started_at=AT, finished_at=AT + timedelta(seconds=12),
    targets=(
        JobTarget(target="shop", status="done", code=0, seconds=3, facts={"backup": "b-1", "method": "dump"}),
        JobTarget(target="blog", status="failed", code=69, seconds=9, error=FAILURE),
    ),
    notes=("notify: not sent",),
)  # fmt: skip


def test_a_run_names_each_target_with_its_code() -> None:
    assert job.runs(JobRuns(code=69, jobs=(RUN,))) == (
        "nightly (backup): failed, exit code 69, 12.0 s\n"
        "  shop: done (0), 3.0 s: backup b-1, method dump\n"
        "  blog: failed (69), 9.0 s: db2: connection refused\n"
        "  note: notify: not sent\n"
    )


def test_what_a_job_found_is_read_without_knowing_python() -> None:
    facts: dict[str, Json] = {
        "findings": {"high": 2, "low": 1},
        "not_ok": ["pg.a", "pg.b"],
        "not_judged": [],
        "checks": {},
    }
    shop = JobTarget(target="shop", status="findings", code=1, seconds=3, facts=facts)
    run = JobRun(name="n", do="audit", status="failed", code=1, started_at=AT, finished_at=AT, targets=(shop,))
    told = job.runs(JobRuns(code=1, jobs=(run,))).splitlines()[1]
    assert told == "  shop: findings (1), 3.0 s: findings 2 high 1 low, not ok pg.a pg.b, checks none"


def test_a_run_that_did_not_begin_says_why_and_what_to_do() -> None:
    run = JobRun(name="n", do="backup", status="locked", code=75, started_at=AT, finished_at=AT, error=FAILURE)
    assert job.runs(JobRuns(code=75, jobs=(run,))).splitlines()[1:] == ["  db2: connection refused", "  Is it up?"]
    assert job.runs(JobRuns(code=0)) == "Nothing is due.\n"


def test_past_runs() -> None:
    broken = JobRun(name="n", do="", status="failed", code=78, started_at=AT, finished_at=AT, error=FAILURE)
    shown = job.history(PastJobs(jobs=(RUN, broken))).splitlines()
    assert shown[1].startswith("2026-03-01 02:15 UTC  nightly  backup  failed  69    12.0")
    assert shown[1].endswith("shop done, blog failed")
    assert shown[2].endswith("db2: connection refused")
    assert job.history(PastJobs(jobs=())) == "No job has run yet.\n"


def test_the_agenda() -> None:
    one = ScheduledJob(
        name="nightly", do="backup", targets=("a", "b"), at="15 2 * * *", timezone="UTC", next=AT,
        last_started_at=AT, last_code=0, notes=("a note",),
    )  # fmt: skip
    shown = job.listing(Agenda(jobs=(one,)))
    assert "a b" in shown
    assert "2026-03-01 02:15 UTC (exit code 0)" in shown
    assert shown.endswith("nightly: a note\n")
    assert "add [jobs.nightly]" in job.listing(Agenda(jobs=()))


def symptom(standing: Standing, subject: str = "shop", fix: str = "") -> Symptom:
    return Symptom(subject=subject, area="rights", standing=standing, summary=f"it is {standing.value}", fix=fix)


def test_the_doctor_groups_by_subject_and_closes_with_the_count() -> None:
    found = Diagnosis.of(
        (symptom(Standing.OK, "here"), symptom(Standing.PROBLEM, fix="do\nthis"), symptom(Standing.UNKNOWN))
    )
    assert found.code == 1
    assert doctor.text(found) == (
        "here\n  ok       rights: it is ok\n\n"
        "shop\n  PROBLEM  rights: it is problem\n           do\n           this\n  unknown  rights: it is unknown\n\n"
        "1 problems, 1 unknown, 3 looked at\n"
    )


def test_the_doctors_code() -> None:
    assert Diagnosis.of((symptom(Standing.UNKNOWN), symptom(Standing.OK))).code == 76
    well = Diagnosis.of((symptom(Standing.OK),))
    assert well.code == 0
    assert doctor.text(well).endswith("All 1 are well.\n")


def test_targets() -> None:
    one = Listed(
        name="shop", engine="postgresql", address="postgresql://db1/", labels={"env": "prod", "tier": "1"},
        repository="main", password="env:X",
    )  # fmt: skip
    assert "env=prod tier=1  main" in targets.listing(Targets(targets=(one,)))
    assert "env:X" not in targets.listing(Targets(targets=(one,)))
    assert "dbops init" in targets.listing(Targets(targets=()))


def test_targets_that_answered_or_did_not() -> None:
    good = Reached(target="a", address="x", code=0, seconds=0.1, version="PostgreSQL 17.10", role="primary", user="u")
    root = Reached(target="b", address="x", code=0, seconds=0.1, version="P", role="standby", user="r", superuser=True)
    bad = Reached(target="c", address="x", code=69, seconds=5, error=FAILURE)
    lines = targets.tested(ReachedTargets(code=69, targets=(good, root, bad))).splitlines()
    assert lines[1] == "a       answers  0.10 s  PostgreSQL 17.10, primary, as u"
    assert lines[2].endswith("as r (superuser)")
    assert lines[3:] == ["c       FAILED   5.00 s  db2: connection refused", "c: Is it up?"]


def test_steps_that_were_carried_out() -> None:
    steps = (
        AppliedStep(id="1", summary="create role a", status="done", seconds=0.02),
        AppliedStep(id="2", summary="grant it", status="failed", seconds=1, error="no"),
    )
    assert applied.text(Applied(noun="users.apply", plan="d", steps=steps)) == (
        "done     create role a (0.0 s)\nfailed   grant it (1.0 s)\nusers.apply: 1 of 2 steps carried out\n"
    )


def test_columns_are_as_wide_as_they_must_be() -> None:
    assert table(("A", "LONG", ""), [("xyz", "1", ""), ("", "2", "end")]) == "A    LONG\nxyz  1\n     2     end\n"
