"""The agent's jobs: backups, checks and clean-ups that everybody believes to run."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dbops.health.answers import Answers
from dbops.model.finding import Remedy
from dbops.model.health import Check, Observation, Status, Threshold
from dbops_mssql.health.checks.rule import ENGINE, Context, Rule, select_in_msdb
from dbops_mssql.health.pages import PAGES
from dbops_mssql.quoting import named

__all__ = ["RULES", "moment"]

FAILED, CANCELLED = 0, 3
SHOWN = 300

CHECK = Check(
    id="ms.jobs.failed",
    title="Jobs of the agent that failed when they last ran",
    engine=ENGINE,
    unit="",
    needs=("jobs",),
    threshold=Threshold(),
    source="check_mssql_health and dbachecks: any",
    privilege="SELECT on sysjobs and sysjobservers in msdb",
    grants=select_in_msdb("sysjobs", "sysjobservers"),
    remedy=Remedy(
        text="Read the history of the step that failed, correct it, and start the job: the backup that it should "
        "have made is not there.",
        url=PAGES["jobs"],
    ),
)


class _Job(msgspec.Struct, frozen=True):
    """``outcome``: 0 failed, 1 succeeded, 2 tried again, 3 cancelled, 4 running, 5 not known."""

    id: str
    name: str
    outcome: int | None = None
    message: str | None = None
    run_date: int | None = None
    run_time: int | None = None


def _failed(answers: Answers, _context: Context) -> Iterator[Observation]:
    jobs = answers.rows("jobs", _Job)
    bad = [one for one in jobs if one.outcome in (FAILED, CANCELLED)]
    for one in bad:
        word = "failed" if one.outcome == FAILED else "was cancelled"
        said = f": {one.message[:SHOWN]}" if one.message else ""
        yield Observation(
            object=named("job", one.name),
            summary=f"{one.name} {word} {moment(one.run_date, one.run_time)}{said}",
            state=Status.WARNING,
            evidence={**msgspec.to_builtins(one), "message": (one.message or "")[:SHOWN]},
        )
    if not bad:
        yield Observation(summary=f"none of {len(jobs)} enabled jobs failed when it last ran", state=Status.OK)


def moment(date: int | None, time: int | None) -> str:
    """``20260501`` and ``3000`` as ``at 2026-05-01 00:30:00``, by the server's clock; 0 is never."""
    if not date:
        return "at a time that is not told"
    clock = f"{time or 0:06d}"
    return f"at {date // 10000}-{date // 100 % 100:02d}-{date % 100:02d} {clock[:-4]}:{clock[-4:-2]}:{clock[-2:]}"


RULES = (Rule(CHECK, _failed, "agent"),)
