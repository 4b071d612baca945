"""For every instant of a window: had the server been lost then, what would have come back, and in how long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal

from dbops.backup import objective as law
from dbops.backup.chain import complete
from dbops.backup.text import duration
from dbops.model.backup import BackupRecord, Objective, PastRun, Verdict
from dbops.model.finding import Missing
from dbops.model.recovery import Coverage, Range, Reachability, Span

__all__ = ["cover"]


def cover(
    records: Iterable[BackupRecord],
    start: datetime,
    end: datetime,
    objective: Objective,
    runs: Sequence[PastRun] = (),
) -> Coverage:
    """Spans without a gap from ``start`` to ``end``, cut wherever another backup takes over.

    A backup takes over when it is published (``finished_at``), if it holds a newer state; one that failed its
    verification, or whose parents are gone, never does.
    """
    every = tuple(records)
    usable = sorted((one for one in every if _usable(one, every)), key=lambda one: (one.finished_at, one.id))
    cuts = [start, *(one.finished_at for one in usable if start < one.finished_at < end), end]
    spans = tuple(_span(begins, ends, usable, objective, runs) for begins, ends in pairwise(cuts) if begins < ends)
    losses = [span.loss_s for span in spans if span.loss_s is not None]
    return Coverage(
        start=start,
        end=end,
        spans=spans,
        worst_loss_s=max(losses, default=None),
        verdict=_verdict(spans),
        reasons=tuple(_complaint(span, objective) for span in spans if span.within_objective is not True),
    )


def _verdict(spans: Sequence[Span]) -> Literal["covered", "gaps", "unknown"]:
    if any(span.within_objective is False for span in spans):
        return "gaps"
    return "covered" if all(span.within_objective is True for span in spans) else "unknown"


def _usable(record: BackupRecord, every: Sequence[BackupRecord]) -> bool:
    failed = record.proof is not None and record.proof.verdict is Verdict.FAILED
    return record.kind != "log" and not failed and complete(record, every).verdict is Reachability.REACHABLE


def _span(
    begins: datetime, ends: datetime, usable: Sequence[BackupRecord], objective: Objective, runs: Sequence[PastRun]
) -> Span:
    published = [one for one in usable if one.finished_at <= begins]
    best = max(published, key=lambda one: (one.instant, one.id), default=None)
    if best is None:
        nothing = Missing("no_backup", "there was no backup")
        return Span(
            start=begins, end=ends, recoverable=False, exact=False, backup=None, recovers_to=None, loss_s=None,
            rto_s=nothing, within_objective=False,
        )  # fmt: skip
    loss, rto = (ends - best.instant).total_seconds(), _rto(best, runs)
    return Span(
        start=begins,
        end=ends,
        recoverable=True,
        exact=False,
        backup=best.id,
        recovers_to=best.instant,
        loss_s=loss,
        rto_s=rto,
        within_objective=_within(loss, rto, objective),
        proven=best.proven is not None,
    )


def _rto(record: BackupRecord, runs: Sequence[PastRun]) -> Range | Missing:
    if isinstance(record.source_bytes, Missing):
        return record.source_bytes
    return law.predict("restore", record.method, runs, record.source_bytes)


def _within(loss: float, rto: Range | Missing, objective: Objective) -> bool | Missing:
    if objective.rpo_s is not None and loss > objective.rpo_s:
        return False
    if objective.rto_s is None:
        return True
    return rto if isinstance(rto, Missing) else rto.high <= objective.rto_s


def _complaint(span: Span, objective: Objective) -> str:
    when = f"{span.start.isoformat()} to {span.end.isoformat()}"
    if span.loss_s is None:
        return f"{when}: nothing could have been brought back"
    if objective.rpo_s is not None and span.loss_s > objective.rpo_s:
        return f"{when}: up to {duration(span.loss_s)} would have been lost, the RPO is {duration(objective.rpo_s)}"
    if isinstance(span.within_objective, Missing):
        return f"{when}: how long bringing {span.backup} back takes is not known: {span.within_objective.detail}"
    return f"{when}: bringing {span.backup} back takes longer than the RTO of {duration(objective.rto_s or 0)}"
