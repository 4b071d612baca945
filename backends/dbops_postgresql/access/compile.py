"""Changes of access as steps: one transaction for each database, all of them under one lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dbops.access.naming import spell
from dbops.model.access import Rules
from dbops.model.change import (
    AddDefault,
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    ObjectName,
    RemoveDefault,
    RemoveGrant,
    RemoveMembership,
    SetOwner,
    SetPassword,
)
from dbops.model.server import Server
from dbops.plan import Call, Hold, Opening, Risk, Sql, Step
from dbops_postgresql.access.kinds import rules
from dbops_postgresql.access.sql import sql, undo

__all__ = ["CHUNK", "LOCK", "compile_changes", "locked", "summary"]

# Each statement locks the rows it changes until the end; some 2,000 can exhaust the shared lock table.
CHUNK = 1000
LOCK = "users_lock"
GENERATE = "generate_password"


def compile_changes(changes: Sequence[Change], server: Server) -> tuple[Step, ...]:
    """The steps, inside a Hold of the lock; none when there is nothing to do."""
    words = rules(server.major)
    home = _home(changes, words, server)
    runs = _in_databases(changes, words, home)
    steps: list[Step] = [_generate(number, one) for number, one in enumerate(_to_generate(changes), 1)]
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


def locked(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Under the advisory lock that keeps a second run away."""
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


def _to_generate(changes: Iterable[Change]) -> list[CreatePrincipal | SetPassword]:
    return [change for change in changes if isinstance(change, CreatePrincipal | SetPassword) and change.generate]


def _generate(number: int, change: CreatePrincipal | SetPassword) -> Step:
    reference = change.password
    if reference is None:
        raise TypeError("a generated password has a place")
    path = reference.ref.partition(":")[2]
    return Call(
        id=f"g{number:03d}",
        summary=f"make up a password for {change.name} in {path}",
        risk=Risk.WRITE,
        undo=f"remove {path}",
        provider="backend",
        operation=GENERATE,
        arguments={"path": path},
    )


def summary(change: Change, words: Rules) -> str:
    """A change in one line of plain words."""
    if isinstance(change, CreatePrincipal):
        return f"create {_login(change.attributes)} {change.name}"
    if isinstance(change, AlterPrincipal):
        return f"alter {change.name}: {_altered(change)}"
    if isinstance(change, SetPassword):
        return f"set a new password for {change.name}"
    if isinstance(change, DropPrincipal):
        return f"drop {change.name}"
    if isinstance(change, AddMembership | RemoveMembership):
        return _membership(change)
    if isinstance(change, SetOwner):
        return f"make {change.owner} the owner of {_name(change.object, words)} (was {change.old})"
    if isinstance(change, AddGrant | RemoveGrant):
        return _grant(change, words)
    if isinstance(change, AddDefault | RemoveDefault):
        return _default(change)
    raise TypeError(f"PostgreSQL has no {type(change).__name__}")


def _login(attributes: Iterable[str]) -> str:
    return "login" if "LOGIN" in attributes else "role"


def _altered(change: AlterPrincipal) -> str:
    words = [*(f"+{word}" for word in change.gains), *(f"-{word}" for word in change.loses)]
    if change.set_limit:
        limit = "unlimited" if change.connection_limit is None else change.connection_limit
        words.append(f"connection limit {limit}")
    if change.set_until:
        words.append(f"valid until {change.valid_until.isoformat() if change.valid_until else 'for ever'}")
    return ", ".join(words)


def _membership(change: AddMembership | RemoveMembership) -> str:
    if isinstance(change, RemoveMembership):
        return f"take {change.member} out of {change.group}"
    unlike = [word for word in ("inherit", "set") if not getattr(change, word)]
    words = [*(f"without {word}" for word in unlike), *(["with admin"] if change.admin else [])]
    return f"let {change.member} into {change.group}{' ' + ', '.join(words) if words else ''}"


def _grant(change: AddGrant | RemoveGrant, words: Rules) -> str:
    actions, where = ", ".join(change.actions), _name(change.object, words)
    if isinstance(change, AddGrant):
        return f"grant {actions} on {where} to {change.principal}{' to pass on' if change.grantable else ''}"
    what = f"the right to pass on {actions}" if change.option_only else actions
    by = f" (granted by {change.grantor})" if change.grantor else ""
    return f"revoke {what} on {where} from {change.principal}{by}"


def _default(change: AddDefault | RemoveDefault) -> str:
    verb = ("grant", "to") if isinstance(change, AddDefault) else ("no longer grant", "to")
    where = f"{change.database}.{change.schema}" if change.schema else change.database
    what = f"{', '.join(change.actions)} on each new {change.kind} that {change.creator} creates in {where}"
    return f"{verb[0]} {what} {verb[1]} {change.principal}"


def _name(name: ObjectName, words: Rules) -> str:
    return spell(words, name.kind, name.path)
