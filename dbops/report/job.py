"""Jobs for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from dbops.model.job import Agenda, JobRun, JobRuns, JobTarget, PastJobs, ScheduledJob
from dbops.report.table import table

__all__ = ["history", "listing", "runs"]


def runs(found: JobRuns) -> str:
    """What ran, target by target."""
    if not found.jobs:
        return "Nothing is due.\n"
    return "".join(_run(run) for run in found.jobs)


def listing(agenda: Agenda) -> str:
    """The configured jobs and when they are due."""
    jobs = agenda.jobs
    if not jobs:
        return "No jobs are configured: add [jobs.nightly] with do, targets and at to dbops.toml.\n"
    rows = [
        (job.name, job.do, " ".join(job.targets), f"{job.at} {job.timezone}", minute(job.next), _last(job))
        for job in jobs
    ]
    notes = "".join(f"{job.name}: {note}\n" for job in jobs for note in job.notes)
    return table(("JOB", "DOES", "TARGETS", "AT", "NEXT", "LAST"), rows) + notes


def history(past: PastJobs) -> str:
    """Past runs, the newest first."""
    if not past.jobs:
        return "No job has run yet.\n"
    rows = [
        (minute(run.started_at), run.name, run.do, run.status, str(run.code), _seconds(run), _said(run))
        for run in past.jobs
    ]
    return table(("STARTED", "JOB", "DOES", "STATUS", "CODE", "SECONDS", ""), rows)


def minute(instant: datetime) -> str:
    """``2026-01-31 02:15 UTC``, for an instant in UTC."""
    return instant.strftime("%Y-%m-%d %H:%M UTC")


def _run(run: JobRun) -> str:
    lines = [f"{run.name} ({run.do}): {run.status}, exit code {run.code}, {_seconds(run)} s"]
    lines += [f"  {_target(one)}" for one in run.targets]
    if run.error is not None:
        lines += [f"  {line}" for line in (run.error.message, run.error.hint) if line]
    lines += [f"  note: {note}" for note in run.notes]
    return "\n".join(lines) + "\n"


def _target(one: JobTarget) -> str:
    facts = ", ".join(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in one.facts.items() if value != [])
    said = one.error.message if one.error is not None else facts
    return f"{one.target}: {one.status} ({one.code}), {one.seconds:.1f} s" + (f": {said}" if said else "")


def _plain(value: object) -> str:
    """``2 high, 1 medium`` of counts, ``a b`` of a list."""
    if isinstance(value, Mapping):
        return " ".join(f"{number} {word}" for word, number in cast(Mapping[str, object], value).items()) or "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(str(each) for each in cast(Sequence[object], value))
    return str(value)


def _seconds(run: JobRun) -> str:
    return f"{(run.finished_at - run.started_at).total_seconds():.1f}"


def _said(run: JobRun) -> str:
    if run.error is not None:
        return run.error.message
    return ", ".join(f"{one.target} {one.status}" for one in run.targets)


def _last(job: ScheduledJob) -> str:
    if job.last_started_at is None:
        return "never"
    return f"{minute(job.last_started_at)} (exit code {job.last_code})"
