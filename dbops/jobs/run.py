"""Running jobs: by name, or whatever is due. One run of a job at a time; every run is kept in the history."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from dbops.config import JobConfig, Target
from dbops.conversion import nearest
from dbops.durations import duration
from dbops.errors import ConfigError, DbopsError, Locked, worst_code
from dbops.jobs import agenda
from dbops.jobs.fleet import Answer, side_by_side
from dbops.model.job import Failure, JobRun, JobRuns, JobTarget, PastJobs
from dbops.operations.workspace import Workspace
from dbops.plan import Json
from dbops.state import Run

__all__ = ["Done", "Work", "past", "run_due", "run_named"]

SIDE_BY_SIDE = 4


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """How the work on one target ended: a word, an exit code, and the result in a few facts."""

    status: str
    code: int
    facts: dict[str, Json] = {}


Work = Callable[[Workspace, Target, JobConfig], Done]


def run_named(ws: Workspace, name: str, works: Mapping[str, Work]) -> JobRuns:
    """Run one job now, due or not.

    :param works: what a job can do, by the word in its ``do``.
    :raises UsageError: there is no such job.
    :raises Locked: it is running already.
    """
    job = agenda.find(ws, name)
    occurrence = agenda.last_occurrence(ws, job)
    with _alone(ws, job):
        run = _run(ws, job, works, None)
        # What ran by hand need not be caught up with.
        agenda.handled(ws, job, occurrence)
    return JobRuns(code=run.code, jobs=(run,))


def run_due(ws: Workspace, works: Mapping[str, Work]) -> JobRuns:
    """Run what is due, one job after the other; however many occurrences were missed, a job runs once.

    A job that another process is running is reported with code 75.
    """
    runs = [run for job in ws.config.jobs.values() if (run := _run_if_due(ws, job, works)) is not None]
    return JobRuns(code=worst_code(run.code for run in runs), jobs=tuple(runs))


def past(ws: Workspace, name: str | None = None, limit: int = 20) -> PastJobs:
    """Runs that are over, the newest first.

    :raises Unreachable: the state database does not answer.
    """
    return PastJobs(jobs=tuple(_recalled(run) for run in ws.state.history.runs(kind="job", name=name, limit=limit)))


def _run_if_due(ws: Workspace, job: JobConfig, works: Mapping[str, Work]) -> JobRun | None:
    began = ws.now()
    try:
        if agenda.due(ws, job) is None:
            return None
        with _alone(ws, job):
            return _run_still_due(ws, job, works)
    except DbopsError as error:
        return JobRun(
            name=job.name,
            do=job.do,
            status="locked" if isinstance(error, Locked) else "failed",
            code=error.code,
            started_at=began,
            finished_at=ws.now(),
            error=_failure(error),
        )


def _run_still_due(ws: Workspace, job: JobConfig, works: Mapping[str, Work]) -> JobRun | None:
    # Asked again under the lock: another process may have run it since.
    occurrence = agenda.due(ws, job)
    if occurrence is None:
        return None
    run = _run(ws, job, works, occurrence)
    agenda.handled(ws, job, occurrence)
    return run


def _run(ws: Workspace, job: JobConfig, works: Mapping[str, Work], occurrence: datetime | None) -> JobRun:
    began = ws.now()
    targets, error = _on_targets(ws, job, works)
    code = error.code if error is not None else worst_code(one.code for one in targets)
    run = JobRun(
        name=job.name,
        do=job.do,
        status="failed" if code else "done",
        code=code,
        started_at=began,
        finished_at=ws.now(),
        scheduled_for=occurrence,
        targets=targets,
        error=error,
        notes=agenda.notes(job),
    )
    ws.state.history.record(_remembered(run))
    return run


def _on_targets(
    ws: Workspace, job: JobConfig, works: Mapping[str, Work]
) -> tuple[tuple[JobTarget, ...], Failure | None]:
    try:
        work = _work(ws, job, works)
        targets = ws.config.select(job.targets, ws.secrets.literal)
        bound = duration(job.timeout, f"jobs.{job.name}.timeout") if job.timeout else None
    except DbopsError as error:
        return (), _failure(error)
    answers = side_by_side(
        targets, lambda target: work(ws, target, job), limit=SIDE_BY_SIDE, timeout_s=bound, stop=ws.stop
    )
    return tuple(_target(answer) for answer in answers), None


def _work(ws: Workspace, job: JobConfig, works: Mapping[str, Work]) -> Work:
    if job.do not in works:
        hint = nearest(job.do, works)
        raise ConfigError(f"{ws.config.path}: jobs.{job.name}.do: {job.do!r} is nothing that a job can do", hint=hint)
    return works[job.do]


def _target(answer: Answer[Target, Done]) -> JobTarget:
    seconds = round(answer.seconds, 3)
    if answer.error is not None:
        failure = _failure(answer.error)
        return JobTarget(target=answer.item.name, status="failed", code=failure.code, seconds=seconds, error=failure)
    done = answer.result
    return JobTarget(target=answer.item.name, status=done.status, code=done.code, seconds=seconds, facts=done.facts)


def _failure(error: BaseException) -> Failure:
    if isinstance(error, DbopsError):
        return Failure.of(error)
    # Its own words are left out: nobody foresaw them, so nobody knows what they hold.
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    return Failure(
        class_="DbopsError",
        code=DbopsError.code,
        message=f"a bug in dbops: {type(error).__name__} at {where} in {frame.name}",
        hint="Run the command for this target by hand to see more.",
    )


def _remembered(run: JobRun) -> Run:
    # Any: the plain values of the run, as JSON.
    facts: dict[str, Any] = msgspec.to_builtins(run)
    return Run(
        kind="job",
        target="",
        name=run.name,
        started_at=run.started_at,
        finished_at=run.finished_at,
        status=run.status,
        code=run.code,
        facts={"run": facts},
    )


def _recalled(kept: Run) -> JobRun:
    try:
        return msgspec.convert(kept.facts.get("run"), JobRun)
    except msgspec.ValidationError:  # kept by another version: the columns are the same
        return JobRun(
            name=kept.name,
            do="",
            status="failed" if kept.code else "done",
            code=kept.code,
            started_at=kept.started_at,
            finished_at=kept.finished_at,
        )


def _alone(ws: Workspace, job: JobConfig) -> AbstractContextManager[None]:
    return ws.state.lock(f"job {job.name}", f"job {job.name}")
