"""Changes of access as steps: one transaction over the server and its databases, under one lock."""

from __future__ import annotations

from collections.abc import Sequence

from dbops.access.steps import locked, passwords_to_make_up
from dbops.access.telling import summary
from dbops.errors import UsageError
from dbops.model.access import Rules
from dbops.model.change import Change, CreatePrincipal, DropPrincipal, SetOwner, SetPassword
from dbops.model.server import Server
from dbops.plan import Risk, Sql, Step
from dbops_mssql.access.people import split_name
from dbops_mssql.reach import reach
from dbops_mssql.users.sql import statements, undo

__all__ = ["TRANSACTION", "compile_changes"]

TRANSACTION = "users"
_NAMES = Rules(kinds={}, quotes=("[", "]"))


def compile_changes(changes: Sequence[Change], server: Server) -> tuple[Step, ...]:
    """The steps, inside a Hold of the lock; none when there is nothing to do.

    :raises UsageError: a password for who has none.
    """
    for change in changes:
        _check(change)
    place = reach(server)
    steps: list[Step] = list(passwords_to_make_up(changes))
    number = 0
    for change in changes:
        for statement in statements(change, place):
            number += 1
            steps.append(
                Sql(
                    id=f"s{number:05d}",
                    summary=_summary(change),
                    risk=Risk.DESTRUCTIVE if isinstance(change, DropPrincipal) else Risk.WRITE,
                    undo=undo(change, place),
                    statement=statement,
                    database=place.home(server),
                    transaction=TRANSACTION,
                )
            )
    return locked(steps, database=place.home(server))


def _check(change: Change) -> None:
    if isinstance(change, SetPassword) and change.stored == "none":
        raise UsageError(
            f"{change.name} has no password of its own",
            hint="A login of SQL Server has one, and a contained user; Windows and Entra keep those of theirs.",
        )


def _summary(change: Change) -> str:
    text = summary(change, _NAMES)
    if isinstance(change, SetOwner) and change.object.kind != "database":
        return f"{text}, which ends all rights on it, and in it where it is a schema; those that stay are granted again"
    if not isinstance(change, CreatePrincipal) or change.kind != "user" or split_name(change.name)[0]:
        return text
    text = f"{text} with the SID {change.sid}" if change.sid else text
    if change.password is None and not {"WINDOWS", "ENTRA"}.intersection(change.attributes):
        return f"{text} with a password that nobody has and without a policy: dbops users rotate sets one"
    return text
