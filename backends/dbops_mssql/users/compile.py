"""Changes of access as steps: one transaction over the server and its databases, under one lock."""

from __future__ import annotations

from collections.abc import Sequence

from dbops.access.steps import passwords_to_make_up
from dbops.access.telling import summary
from dbops.errors import UsageError
from dbops.model.access import Rules
from dbops.model.change import Change, CreatePrincipal, DropPrincipal, SetPassword
from dbops.plan import Hold, Opening, Risk, Sql, Step
from dbops_mssql.access.people import split_name
from dbops_mssql.users.sql import MASTER, statements, undo

__all__ = ["LOCK", "TRANSACTION", "compile_changes", "locked"]

LOCK = "users_lock"
TRANSACTION = "users"
_NAMES = Rules(kinds={}, quotes=("[", "]"))


def compile_changes(changes: Sequence[Change]) -> tuple[Step, ...]:
    """The steps, inside a Hold of the lock; none when there is nothing to do.

    :raises UsageError: a password for who has none.
    """
    for change in changes:
        _check(change)
    steps: list[Step] = list(passwords_to_make_up(changes))
    number = 0
    for change in changes:
        for statement in statements(change):
            number += 1
            steps.append(
                Sql(
                    id=f"s{number:05d}",
                    summary=_summary(change),
                    risk=Risk.DESTRUCTIVE if isinstance(change, DropPrincipal) else Risk.WRITE,
                    undo=undo(change),
                    statement=statement,
                    database=MASTER,
                    transaction=TRANSACTION,
                )
            )
    return locked(steps)


def locked(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Under the lock that keeps a second run away."""
    if not steps:
        return ()
    order = list(Risk)
    return (
        Hold(
            id="lock",
            summary="keep other runs of dbops users away",
            risk=max((step.risk for step in steps), key=order.index),
            opening=Opening(what=LOCK),
            steps=tuple(steps),
            close="the lock is released with its session",
        ),
    )


def _check(change: Change) -> None:
    if isinstance(change, SetPassword) and (split_name(change.name)[0] or change.stored == "none"):
        raise UsageError(
            f"{change.name} has no password of its own",
            hint="A login of SQL Server has one; Windows and Entra keep those of theirs.",
        )


def _summary(change: Change) -> str:
    text = summary(change, _NAMES)
    if not isinstance(change, CreatePrincipal) or change.kind != "user" or split_name(change.name)[0]:
        return text
    text = f"{text} with the SID {change.sid}" if change.sid else text
    if change.password is None and not {"WINDOWS", "ENTRA"}.intersection(change.attributes):
        return f"{text} with a password that nobody has and without a policy: dbops users rotate sets one"
    return text
