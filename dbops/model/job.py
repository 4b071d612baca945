"""Unattended work: what ran on each target, and how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from dbops.errors import DbopsError
from dbops.plan import Json

__all__ = ["Agenda", "Failure", "JobRun", "JobRuns", "JobTarget", "PastJobs", "ScheduledJob"]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why something could not be done, as the envelope of an error has it."""

    class_: str = msgspec.field(name="class")
    code: int
    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: DbopsError) -> Failure:
        """As data."""
        return cls(class_=type(error).__name__, code=error.code, message=error.message, hint=error.hint)


class JobTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A job on one target. ``code`` is the exit code that the command for this target alone would have had.

    :param facts: the result in a few words: a backup's id, counts of checks by status, a proof's verdict.
    """

    target: str
    status: str
    code: int
    seconds: float
    facts: dict[str, Json] = {}
    error: Failure | None = None


class JobRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a job. ``scheduled_for`` is the occurrence it was due for; ``code`` the worst of its targets."""

    name: str
    do: str
    status: Literal["done", "failed", "locked"]
    code: int
    started_at: datetime
    finished_at: datetime
    scheduled_for: datetime | None = None
    targets: tuple[JobTarget, ...] = ()
    error: Failure | None = None
    notes: tuple[str, ...] = ()


class JobRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that ``job run`` did: nothing, when nothing was due."""

    code: int
    jobs: tuple[JobRun, ...] = ()


class PastJobs(msgspec.Struct, frozen=True, kw_only=True):
    """Runs that are over, the newest first."""

    jobs: tuple[JobRun, ...]


class Agenda(msgspec.Struct, frozen=True, kw_only=True):
    """What is configured to run."""

    jobs: tuple[ScheduledJob, ...]


class ScheduledJob(msgspec.Struct, frozen=True, kw_only=True):
    """A configured job with its next occurrence, in UTC, and how it went the last time."""

    name: str
    do: str
    targets: tuple[str, ...]
    at: str
    timezone: str
    next: datetime
    last_started_at: datetime | None = None
    last_code: int | None = None
    notes: tuple[str, ...] = ()
