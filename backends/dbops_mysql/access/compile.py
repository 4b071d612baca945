"""Changes of access as steps, each of which commits by itself, all of them under one lock.

Their order was chosen so that a run may end after any of them (:mod:`dbops.access.order`); what is decided here is
which of several rows about the same databases comes first, for one alone counts: the most specific.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from dbops.access.patterns import specificity
from dbops.access.steps import locked, passwords_to_make_up
from dbops.access.telling import summary
from dbops.model.change import (
    AddGrant,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    RemoveGrant,
    RemoveMembership,
)
from dbops.plan import Risk, Sql, Step
from dbops_mysql.access.sql import MySQLStatements, statements

__all__ = ["compile_changes"]

NAME_LENGTH = 64


def compile_changes(changes: Sequence[Change], to: MySQLStatements) -> tuple[Step, ...]:
    """The steps, inside a Hold of the lock; none when there is nothing to do."""
    steps: list[Step] = list(passwords_to_make_up(changes))
    number = 0
    for change in _row_by_row(_one_condition(changes), to.dialect.order):
        for statement in statements(change, to):
            number += 1
            steps.append(
                Sql(
                    id=f"s{number:05d}",
                    summary=_summary(change, to),
                    risk=Risk.DESTRUCTIVE if isinstance(change, DropPrincipal) else Risk.WRITE,
                    undo=to.undo(change),
                    needs=to.needs(change),
                    idempotent=to.revoking_again or not isinstance(change, RemoveGrant | RemoveMembership),
                    statement=statement,
                )
            )
    return locked(steps)


def _summary(change: Change, to: MySQLStatements) -> str:
    text = summary(change, to.rules)
    if isinstance(change, CreatePrincipal) and change.kind == "user" and change.password is None:
        return f"{text} with a password that nobody has: dbops users rotate sets one"
    return text


def _one_condition(changes: Sequence[Change]) -> list[Change]:
    """REQUIRE says one thing: where another one takes its place, losing the old one is the same change."""
    lost = {
        one.name: tuple(word for word in one.loses if word.startswith("REQUIRE "))
        for one in changes
        if isinstance(one, AlterPrincipal) and any(word.startswith("REQUIRE ") for word in one.loses)
    }
    found: list[Change] = []
    replaced: set[str] = set()
    for change in changes:
        if not isinstance(change, AlterPrincipal):
            found.append(change)
            continue
        if change.name in lost and any(word.startswith("REQUIRE ") for word in change.gains):
            replaced.add(change.name)
            found.append(msgspec.structs.replace(change, loses=(*change.loses, *lost[change.name])))
            continue
        if change.name in replaced:
            left = tuple(word for word in change.loses if not word.startswith("REQUIRE "))
            if not (left or change.gains or change.set_limit):
                continue
            change = msgspec.structs.replace(change, loses=left)  # noqa: PLW2901
        found.append(change)
    return found


def _row_by_row(changes: Sequence[Change], order: str) -> Iterator[Change]:
    """Rows of one account for databases: granted from the most specific on, revoked from the least specific on.

    A row hides all that are less specific. So one is there before what it hides grows, and goes after that has shrunk.
    """

    def specific(change: Change) -> tuple[int, int]:
        if not isinstance(change, AddGrant | RemoveGrant) or change.object.kind not in ("database", "pattern"):
            return (2, 0)
        exact = change.object.kind == "database"
        return (1, 0) if exact else (0, specificity(change.object.path[0], order, NAME_LENGTH))

    for (sort, _), group in groupby(changes, key=_run):
        if sort is AddGrant:
            yield from sorted(group, key=specific, reverse=True)
        elif sort is RemoveGrant:
            yield from sorted(group, key=specific)
        else:
            yield from group


def _run(change: Change) -> tuple[type, str]:
    return type(change), change.principal if isinstance(change, AddGrant | RemoveGrant) else ""
