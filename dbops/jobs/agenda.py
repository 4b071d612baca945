"""The configured jobs and when each is due: the pure schedule applied to a configuration, a clock and the stamps."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, tzinfo

from dbops.config import JobConfig
from dbops.conversion import nearest
from dbops.errors import DbopsError, UsageError
from dbops.jobs import schedule
from dbops.jobs.stamps import Stamps
from dbops.model.doctor import Standing, Symptom
from dbops.model.job import Agenda, ScheduledJob
from dbops.operations.workspace import Workspace
from dbops.state import Run

__all__ = ["due", "examine", "find", "handled", "last_occurrence", "listed", "notes"]

# A job that was never seen is not caught up with, except when it became due just now: the first look after a job was
# configured must not start a backup at noon, nor may a scheduler that calls once a day at its very minute miss it.
FIRST_SIGHT = timedelta(hours=1)
NOT_SENT = "notify: this version sends no notifications; watch the exit code"


def find(ws: Workspace, name: str) -> JobConfig:
    """:raises UsageError: there is no job of this name."""
    if name not in ws.config.jobs:
        where = ws.config.path or "the configuration (no dbops.toml was found)"
        hint = nearest(name, ws.config.jobs) or "Add [jobs.nightly] with do, targets and at."
        raise UsageError(f"there is no job {name!r} in {where}", hint=hint)
    return ws.config.jobs[name]


def due(ws: Workspace, job: JobConfig) -> datetime | None:
    """The occurrence to be handled now: the last one, however many were missed; None when there is nothing to do.

    :raises ConfigError: the job's ``at`` or ``timezone`` is none.
    """
    cron, tz = _schedule(ws, job)
    now, stamps = ws.now(), _stamps(ws)
    since = stamps.read(job.name)
    if since is None:
        since = now - FIRST_SIGHT
        stamps.write(job.name, since)
    return schedule.due(cron, since=since, now=now, tz=tz)


def last_occurrence(ws: Workspace, job: JobConfig) -> datetime:
    """When the job was due the last time.

    :raises ConfigError: the job's ``at`` or ``timezone`` is none.
    """
    cron, tz = _schedule(ws, job)
    return schedule.previous(cron, ws.now(), tz)


def handled(ws: Workspace, job: JobConfig, occurrence: datetime) -> None:
    """Remember that an occurrence, and every one before it, needs nothing more."""
    _stamps(ws).write(job.name, occurrence)


def listed(ws: Workspace) -> Agenda:
    """Every configured job with its next occurrence.

    :raises ConfigError: a job's ``at`` or ``timezone`` is none.
    """
    return Agenda(jobs=tuple(_listed(ws, job) for job in ws.config.jobs.values()))


def examine(ws: Workspace) -> tuple[Symptom, ...]:
    """What the doctor says of the jobs: each one's schedule and targets."""
    return tuple(_examined(ws, job) for job in ws.config.jobs.values())


def notes(job: JobConfig) -> tuple[str, ...]:
    """What the configuration asks for and this version does not do."""
    return (NOT_SENT,) if job.notify else ()


def _examined(ws: Workspace, job: JobConfig) -> Symptom:
    subject = f"job {job.name}"
    try:
        cron, tz = _schedule(ws, job)
        targets = ws.config.select(job.targets, ws.secrets.literal)
    except DbopsError as error:
        return Symptom(subject=subject, area="jobs", standing=Standing.PROBLEM, summary=error.message, fix=error.hint)
    following = schedule.next_after(cron, ws.now(), tz)
    summary = f"{job.do} of {len(targets)} targets, next {following:%Y-%m-%d %H:%M} UTC"
    return Symptom(subject=subject, area="jobs", standing=Standing.OK, summary=summary)


def _listed(ws: Workspace, job: JobConfig) -> ScheduledJob:
    cron, tz = _schedule(ws, job)
    last: tuple[Run, ...] = ()
    with suppress(DbopsError):  # the list of jobs must not depend on a database
        last = ws.state.history.runs(kind="job", name=job.name, limit=1)
    return ScheduledJob(
        name=job.name,
        do=job.do,
        targets=(job.targets,) if isinstance(job.targets, str) else job.targets,
        at=job.at,
        timezone=job.timezone,
        next=schedule.next_after(cron, ws.now(), tz),
        last_started_at=last[0].started_at if last else None,
        last_code=last[0].code if last else None,
        notes=notes(job),
    )


def _schedule(ws: Workspace, job: JobConfig) -> tuple[schedule.Cron, tzinfo]:
    where = f"{ws.config.path}: jobs.{job.name}"
    return schedule.parse(job.at, f"{where}.at"), schedule.zone(job.timezone, f"{where}.timezone")


def _stamps(ws: Workspace) -> Stamps:
    return Stamps(ws.state.directory / "jobs")
