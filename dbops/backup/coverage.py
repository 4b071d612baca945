"""For every instant of a window: had the server been lost then, what would have come back, and in how long."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Literal

from dbops.backup import objective as law
from dbops.backup.chain import complete
from dbops.backup.text import duration
from dbops.model.backup import BackupRecord, Objective, PastRun, Verdict
from dbops.model.finding import Missing
from dbops.model.recovery import Coverage, Range, Reachability, Reached, Span

__all__ = ["cover"]


def cover(
    records: Iterable[BackupRecord],
    start: datetime,
    end: datetime,
    objective: Objective,
    runs: Sequence[PastRun] = (),
    *,
    reached: Mapping[str, Sequence[Reached]] | None = None,
) -> Coverage:
    """Spans without a gap from ``start`` to ``end``, cut wherever another backup takes over.

    A backup takes over when it is published (``finished_at``), if it holds a newer state; one that failed its
    verification, or whose parents are gone, never does.

    :param reached: by database, of an engine that tells by itself what its backups and logs lead to; what came back
        would be as old as the oldest of them.
    """
    parts = [_Part(one) for one in ({"": _whole(tuple(records))} if reached is None else reached).values()]
    cuts = sorted({start, end, *(at for part in parts for at in part.published if start < at < end)})
    spans = tuple(_span(begins, ends, parts, objective, runs) for begins, ends in pairwise(cuts))
    losses = [span.loss_s for span in spans if span.loss_s is not None]
    return Coverage(
        start=start,
        end=end,
        spans=spans,
        worst_loss_s=max(losses, default=None),
        verdict=_verdict(spans),
        reasons=tuple(_complaint(span, objective) for span in spans if span.within_objective is not True),
    )


class _Part:
    """What is restored by itself: the server, or one database. Asked for moments and stretches of time."""

    def __init__(self, points: Iterable[Reached]) -> None:
        ordered = sorted(points, key=lambda one: (one.published, one.record.id))
        self.published = [one.published for one in ordered]
        self._best = list(accumulate(ordered, _newer))
        self._begins, self._ends = _merged(one for one in ordered if one.since is not None)

    def best(self, at: datetime) -> Reached | None:
        """The newest state that could be brought back then."""
        number = bisect_right(self.published, at)
        return self._best[number - 1] if number else None

    def exact(self, begins: datetime, ends: datetime) -> bool:
        """Every instant of this stretch can be reached."""
        number = bisect_right(self._begins, begins) - 1
        return number >= 0 and ends <= self._ends[number]


def _newer(one: Reached, other: Reached) -> Reached:
    return max(one, other, key=_newest)


def _newest(one: Reached) -> tuple[datetime, str]:
    return one.instant, one.record.id


def _merged(logs: Iterable[Reached]) -> tuple[list[datetime], list[datetime]]:
    begins: list[datetime] = []
    ends: list[datetime] = []
    for since, until in sorted((one.since or one.instant, one.instant) for one in logs):
        if ends and since <= ends[-1]:
            ends[-1] = max(ends[-1], until)
        else:
            begins.append(since)
            ends.append(until)
    return begins, ends


def _whole(every: Sequence[BackupRecord]) -> list[Reached]:
    return [Reached(published=one.finished_at, instant=one.instant, record=one) for one in every if _usable(one, every)]


def _verdict(spans: Sequence[Span]) -> Literal["covered", "gaps", "unknown"]:
    if any(span.within_objective is False for span in spans):
        return "gaps"
    return "covered" if all(span.within_objective is True for span in spans) else "unknown"


def _usable(record: BackupRecord, every: Sequence[BackupRecord]) -> bool:
    failed = record.proof is not None and record.proof.verdict is Verdict.FAILED
    return record.kind != "log" and not failed and complete(record, every).verdict is Reachability.REACHABLE


def _span(
    begins: datetime, ends: datetime, parts: Sequence[_Part], objective: Objective, runs: Sequence[PastRun]
) -> Span:
    exact = bool(parts) and all(part.exact(begins, ends) for part in parts)
    found = [part.best(begins) for part in parts]
    best = min((one for one in found if one is not None), key=_newest, default=None)
    if best is None or None in found:
        nothing = Missing("no_backup", "there was no backup")
        return Span(
            start=begins, end=ends, recoverable=False, exact=exact, backup=None, recovers_to=None, loss_s=None,
            rto_s=nothing, within_objective=False,
        )  # fmt: skip
    loss, rto = (ends - best.instant).total_seconds(), _rto(best.record, runs)
    return Span(
        start=begins,
        end=ends,
        recoverable=True,
        exact=exact,
        backup=best.record.id,
        recovers_to=best.instant,
        loss_s=loss,
        rto_s=rto,
        within_objective=_within(loss, rto, objective),
        proven=best.record.proven is not None,
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
