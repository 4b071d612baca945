"""Changes of access as steps: one transaction for each database, all of them under one lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dbops.access.steps import locked, passwords_to_make_up
from dbops.access.telling import summary
from dbops.model.access import Rules
from dbops.model.change import (
    AddDefault,
    AddGrant,
    AlterPrincipal,
    Change,
    DropPrincipal,
    RemoveDefault,
    RemoveGrant,
    RemoveMembership,
    SetOwner,
)
from dbops.model.server import Server
from dbops.plan import Risk, Sql, Step
from dbops_postgresql.access.kinds import rules
from dbops_postgresql.access.sql import sql, undo

__all__ = ["CHUNK", "compile_changes"]

# Each statement locks the rows it changes until the end; some 2,000 can exhaust the shared lock table.
CHUNK = 1000


def compile_changes(changes: Sequence[Change], server: Server) -> tuple[Step, ...]:
    """The steps, inside a Hold of the lock; none when there is nothing to do."""
    words = rules(server.major)
    home = _home(changes, words, server)
    runs = _in_databases(changes, words, home)
    steps: list[Step] = list(passwords_to_make_up(changes))
    for number, (change, database) in enumerate(runs):
        steps.append(
            Sql(
                id=f"s{number + 1:05d}",
                summary=summary(change, words),
                risk=_risk(change),
                undo=undo(change, server.major),
                statement=sql(change, server.major),
                database=database,
                transaction=f"users-{number // CHUNK}",
            )
        )
    return locked(steps)


def _home(changes: Iterable[Change], words: Rules, server: Server) -> str:
    """Where roles are changed: in the one database that is changed anyway, so that all is one transaction."""
    inside = {found for change in changes if (found := _database(change, words)) is not None}
    return next(iter(inside)) if len(inside) == 1 else server.database


def _in_databases(changes: Sequence[Change], words: Rules, home: str) -> list[tuple[Change, str]]:
    """Roles first, then database by database, then what takes roles and memberships away; order kept within each."""
    first: list[tuple[Change, str]] = []
    inside: dict[str, list[tuple[Change, str]]] = {}
    last: list[tuple[Change, str]] = []
    for change in changes:
        database = _database(change, words)
        if database is not None:
            inside.setdefault(database, []).append((change, database))
        else:
            (last if _takes_away(change) else first).append((change, home))
    return [*first, *(one for database in sorted(inside) for one in inside[database]), *last]


def _takes_away(change: Change) -> bool:
    losing = isinstance(change, AlterPrincipal) and bool(change.loses)
    return losing or isinstance(change, RemoveMembership | DropPrincipal | RemoveGrant)


def _database(change: Change, words: Rules) -> str | None:
    if isinstance(change, AddDefault | RemoveDefault):
        return change.database
    if isinstance(change, AddGrant | RemoveGrant | SetOwner):
        kind = words.kinds[change.object.kind]
        return change.object.path[0] if kind.contained and kind.name != "database" else None
    return None


def _risk(change: Change) -> Risk:
    return Risk.DESTRUCTIVE if isinstance(change, DropPrincipal) else Risk.WRITE
