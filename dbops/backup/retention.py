"""Which backups stay. Restic's words (last, hourly, daily, …) and Barman's recovery window.

Backups compete only with backups of the same content: same target, incarnation, method and databases. Whatever the
rules say, these stay: the newest, what is pinned, the newest proven one, what a kept one builds on, what somebody is
at work on, what cannot be told apart (unknown incarnation), and whose bytes are not the repository's to delete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from dbops.model.backup import BackupRecord, Custody, Keep, Verdict
from dbops.model.recovery import Forgotten, Kept, Retention

__all__ = ["decide", "group"]

Group = tuple[str, str, str, tuple[str, ...] | str]
_UNKNOWN = ("", "unknown")
_PERIODS: tuple[tuple[str, Callable[[datetime], object]], ...] = (
    ("hourly", lambda at: (at.date(), at.hour)),
    ("daily", lambda at: at.date()),
    ("weekly", lambda at: at.isocalendar()[:2]),
    ("monthly", lambda at: (at.year, at.month)),
    ("yearly", lambda at: at.year),
)


def group(record: BackupRecord) -> Group:
    """What a backup competes with. Backups of the whole server stay together when databases come and go."""
    databases = "all" if record.whole else tuple(sorted(record.databases))
    return record.target, record.incarnation, record.method, databases


def decide(
    records: Iterable[BackupRecord], keep: Keep, now: datetime, busy: Mapping[str, str] | None = None
) -> Retention:
    """Sort backups into those that stay and those that may go.

    :param records: of any number of targets; times are UTC.
    :param busy: ids that somebody is at work on (a restore, a child being written), with the words for it.
    """
    newest_first = sorted(records, key=lambda one: (one.started_at, one.id), reverse=True)
    reasons: dict[str, list[str]] = defaultdict(list)
    groups: dict[Group, list[BackupRecord]] = defaultdict(list)
    for record in newest_first:
        groups[group(record)].append(record)
    for members in groups.values():
        _protect(members, reasons)
        _apply(members, keep, now, reasons)
    for one, why in (busy or {}).items():
        reasons[one].append(why)
    notes = _keep_parents(newest_first, reasons)
    return Retention(
        keep=tuple(Kept(backup=one, reasons=tuple(reasons[one.id])) for one in newest_first if reasons.get(one.id)),
        forget=tuple(Forgotten(backup=one, reason=_why_not(one)) for one in newest_first if not reasons.get(one.id)),
        notes=notes,
    )


def _protect(members: Sequence[BackupRecord], reasons: dict[str, list[str]]) -> None:
    for record in members:
        if record.pinned:
            reasons[record.id].append("pinned")
        if record.custody is not Custody.REPOSITORY:
            reasons[record.id].append(f"kept by the {record.custody.value}: it is deleted there, not here")
        if record.incarnation in _UNKNOWN:
            reasons[record.id].append("of an unknown incarnation of the server: delete it by hand if it is not needed")
    reasons[members[0].id].append("newest")
    good = [record for record in members if not _bad(record)]
    if good and good[0] is not members[0]:
        reasons[good[0].id].append("newest that did not fail its verification")
    proven = next((one for one in good if one.proven is not None), None)
    if proven is not None:
        reasons[proven.id].append("last proven by a restore")
    verified = next((one for one in good if one.proof and one.proof.verdict is Verdict.VERIFIED), None)
    if verified is not None:
        reasons[verified.id].append("last verified")


def _apply(members: Sequence[BackupRecord], keep: Keep, now: datetime, reasons: dict[str, list[str]]) -> None:
    if keep == Keep():
        for record in members:
            reasons[record.id].append("no rule says what may go")
        return
    good = [record for record in members if not _bad(record)]
    if not good:  # broken as they are, they are all that is left
        for record in members:
            reasons[record.id].append("no good backup of this is left")
        return
    for number, record in enumerate(good[: keep.last], 1):
        reasons[record.id].append(f"last {number} of {keep.last}")
    for word, period in _PERIODS:
        _one_of_each(good, word, getattr(keep, word), period, reasons)
    if keep.within_s:
        _window(good, now - timedelta(seconds=keep.within_s), reasons)


def _one_of_each(
    good: Sequence[BackupRecord],
    word: str,
    count: int,
    period: Callable[[datetime], object],
    reasons: dict[str, list[str]],
) -> None:
    seen: set[object] = set()
    for record in good:
        if len(seen) == count:
            return
        bucket = period(record.started_at)
        if bucket not in seen:
            seen.add(bucket)
            reasons[record.id].append(f"{word} {len(seen)} of {count}")


def _window(good: Sequence[BackupRecord], begins: datetime, reasons: dict[str, list[str]]) -> None:
    for record in good:
        if record.instant > begins:
            reasons[record.id].append("within the recovery window")
    before = [record for record in good if record.instant <= begins]
    if before:
        newest = max(before, key=lambda one: (one.instant, one.started_at, one.id))
        reasons[newest.id].append("brings back the beginning of the recovery window")


def _keep_parents(records: Sequence[BackupRecord], reasons: dict[str, list[str]]) -> tuple[str, ...]:
    by_id = {record.id: record for record in records}
    notes: list[str] = []
    waiting = [record for record in records if reasons.get(record.id)]
    while waiting:
        child = waiting.pop()
        if child.parent is None:
            continue
        parent = by_id.get(child.parent)
        if parent is None:
            notes.append(f"{child.id} builds on {child.parent}, which is not in the catalogue")
            continue
        if not reasons.get(parent.id):
            waiting.append(parent)
        reasons[parent.id].append(f"{child.id} builds on it")
    return tuple(sorted(notes))


def _bad(record: BackupRecord) -> bool:
    return record.proof is not None and record.proof.verdict is Verdict.FAILED


def _why_not(record: BackupRecord) -> str:
    return "failed its verification, and a good one is kept" if _bad(record) else "no rule keeps it"
