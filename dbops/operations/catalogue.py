"""Looking at stored backups, pinning them, and telling what they cover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from dbops.backup.coverage import cover
from dbops.config import Target
from dbops.model.recovery import Coverage
from dbops.model.stored import Backups, Details, Pinned
from dbops.operations import kept
from dbops.operations.shelf import detached, open_shelf, who
from dbops.operations.workspace import Workspace
from dbops.plan import Call, Plan, Risk

__all__ = ["backups", "coverage", "pin", "show", "unpin"]

WINDOW = timedelta(days=30)


def backups(ws: Workspace, target: str | Target | None = None, *, repository: str | None = None) -> Backups:
    """Every backup of a target, or all of a repository, oldest first."""
    shelf = open_shelf(ws, ws.target(target) if target else None, repository)
    return Backups(repository=shelf.config.name, backups=shelf.records, unreadable=shelf.unreadable, notes=shelf.damage)


def show(ws: Workspace, backup: str, *, repository: str | None = None) -> Details:
    """One backup with its manifest and its history.

    :raises InputError: no such backup, or its manifest cannot be read.
    """
    shelf = open_shelf(ws, None, repository)
    record = shelf.record(backup)
    manifest = shelf.manifests[backup]
    return Details(
        repository=shelf.config.name,
        location=shelf.repository.location(manifest),
        backup=record,
        manifest=manifest,
        events=tuple(one for one in shelf.events if one.backup == backup),
    )


def pin(ws: Workspace, backup: str, *, reason: str = "", repository: str | None = None) -> Pinned:
    """Keep a backup whatever retention says."""
    return _mark(ws, backup, "pin", reason, repository)


def unpin(ws: Workspace, backup: str, *, reason: str = "", repository: str | None = None) -> Pinned:
    """Leave a backup to retention again."""
    return _mark(ws, backup, "unpin", reason, repository)


def _mark(ws: Workspace, backup: str, operation: str, reason: str, repository: str | None) -> Pinned:
    shelf = open_shelf(ws, None, repository)
    record = shelf.record(backup)
    step = Call(
        id=operation,
        summary=f"{operation} {backup}",
        risk=Risk.WRITE,
        provider="repository",
        operation=operation,
        arguments={
            "repository": shelf.config.name,
            "backup": backup,
            "digest": record.digest,
            "by": who(),
            "reason": reason,
        },
        undo=f"dbops backup {'unpin' if operation == 'pin' else 'pin'} {backup}",
    )
    plan = Plan(
        noun=f"backup.{operation}", target=record.target, engine=record.engine, created_at=ws.now(), steps=(step,)
    )
    ws.execute(plan, detached(record.target, record.engine)).raise_for_status()
    return Pinned(backup=backup, pinned=operation == "pin", reason=reason)


def coverage(
    ws: Workspace,
    target: str | Target,
    *,
    since: datetime | None = None,
    databases: Sequence[str] = (),
    repository: str | None = None,
) -> Coverage:
    """For every instant of the window until now: recoverable or not, and in how long.

    :param since: where the window begins; left out, the objective's recovery window (else 30 days), but not before
        the first backup.
    :param databases: only these. Of a server that keeps its backups itself, all but its own are meant by none.
    """
    wanted = ws.target(target)
    shelf = open_shelf(ws, wanted, repository)
    shelf.refuse_damage()
    now, runs = ws.now(), shelf.runs()
    if kept.keeper(wanted) is None:
        records = tuple(one for one in shelf.records if one.whole or set(databases) <= set(one.databases))
        begins = since or _begins([one.finished_at for one in records], wanted, now)
        return cover(records, begins, now, wanted.objective, runs)
    reached, notes = kept.reached(ws, wanted, shelf, databases)
    begins = since or _begins([one.published for part in reached.values() for one in part], wanted, now)
    found = cover((), begins, now, wanted.objective, runs, reached=reached)
    unread = "unknown" if notes and found.verdict == "gaps" else found.verdict
    return msgspec.structs.replace(found, verdict=unread, reasons=(*found.reasons, *notes))


def _begins(published: Iterable[datetime], target: Target, now: datetime) -> datetime:
    window = timedelta(seconds=target.objective.keep.within_s) or WINDOW
    return max(min(published, default=now - window), now - window)
