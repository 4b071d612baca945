"""Everything that is known about targets, gathered for one page; what cannot be had hides nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from dbops import __version__
from dbops.access.evaluator import evaluator
from dbops.access.summary import summary
from dbops.config import Target
from dbops.errors import DbopsError
from dbops.model.finding import Missing
from dbops.model.report import AccessSummary, Audited, Checked, Protected, Report, TargetReport, Timing
from dbops.operations import access, catalogue, health, targets
from dbops.operations.side_by_side import side_by_side
from dbops.operations.workspace import Workspace

__all__ = ["gather"]

T = TypeVar("T")
RUNS = 30


def gather(ws: Workspace, wanted: Sequence[Target], *, jobs: int = 4, timeout_s: float | None = None) -> Report:
    """Ask every target, ``jobs`` at a time, and its repository and the history."""
    found = side_by_side(lambda target: _target(ws, target, timeout_s), wanted, jobs)
    return Report(generated_at=ws.now(), dbops=__version__, targets=tuple(found))


def _target(ws: Workspace, target: Target, timeout_s: float | None) -> TargetReport:
    reached = targets.reach(ws, [target], timeout_s=timeout_s).targets[0]
    return TargetReport(
        name=target.name,
        address=str(target.endpoint),
        server=f"{reached.version}, {reached.role}" if reached.error is None else _absent(reached.error.message),
        health=_known(lambda: _health(ws, target, timeout_s)),
        audit=_known(lambda: _audit(ws, target)),
        access=_known(lambda: _access(ws, target)),
        backups=_known(lambda: _backups(ws, target)),
        timings=_known(lambda: _timings(ws, target)),
    )


def _health(ws: Workspace, target: Target, timeout_s: float | None) -> Checked:
    found = health.check(ws, [target], timeout_s=timeout_s)
    return Checked(summary=found.targets[0], checks=found.checks)


def _audit(ws: Workspace, target: Target) -> Audited:
    found = access.audit(ws, target)
    ordered = sorted(found.findings, key=lambda one: (one.waived is not None, -one.severity.rank, one.id))
    return Audited(findings=tuple(ordered), skipped=tuple(f"{one.id}: {one.detail}" for one in found.unknown))


def _access(ws: Workspace, target: Target) -> AccessSummary:
    return summary(evaluator(access.snapshot(ws, target), ws.now()))


def _backups(ws: Workspace, target: Target) -> Protected:
    stored = catalogue.backups(ws, target)
    covered = _known(lambda: catalogue.coverage(ws, target)) if stored.backups else _absent("there is no backup")
    return Protected(repository=stored.repository, backups=stored.backups, coverage=covered)


def _timings(ws: Workspace, target: Target) -> tuple[Timing, ...]:
    runs = ws.state.history.runs(target=target.name, limit=RUNS)
    return tuple(
        Timing(what=run.kind, name=run.name, started_at=run.started_at, seconds=run.seconds, status=run.status)
        for run in runs
    )


def _known(question: Callable[[], T]) -> T | Missing:
    try:
        return question()
    except DbopsError as error:
        return Missing(error.reason or type(error).__name__, error.message)


def _absent(detail: str) -> Missing:
    return Missing("not_reachable", detail)
