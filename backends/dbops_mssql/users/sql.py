"""Logins, users and roles as T-SQL; each statement is run in its own database, named in front of it.

A user is called like his login. Making a login gives it CONNECT SQL, making a user CONNECT on the database.
"""

from __future__ import annotations

from collections.abc import Sequence

from dbops.model.change import (
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    SetPassword,
)
from dbops.plan import Fragment, Seal, SecretRef
from dbops.plan.steps import fragment_text
from dbops_mssql.access import sql
from dbops_mssql.access.people import split_name
from dbops_mssql.quoting import identifier
from dbops_mssql.users.passwords import HASH, PASSWORD, UNUSABLE

__all__ = ["MASTER", "Statement", "script", "statements", "undo"]

MASTER = "master"
Statement = tuple[Fragment, ...]
_SOURCES = {"WINDOWS": "FROM WINDOWS", "ENTRA": "FROM EXTERNAL PROVIDER"}
_DISABLE, _ENABLE = "DISABLE", "ENABLE"


def statements(change: Change) -> tuple[Statement, ...]:
    """One change, with the database in front where it belongs."""
    if isinstance(change, CreatePrincipal):
        return _create(change)
    if isinstance(change, AlterPrincipal):
        return _alter(change)
    if isinstance(change, SetPassword):
        return (_in(MASTER, f"ALTER LOGIN {_name(change.name)} WITH ", *_password(change.name, change.password)),)
    if isinstance(change, DropPrincipal):
        return (_in(_where(change.name), f"DROP {_sort(change.name, change.kind)} {_name(change.name)}"),)
    return (_in(sql.where(change), sql.statement(change)),)


def script(change: Change) -> str:
    """To paste; a secret shows as a comment that names where it is."""
    if isinstance(change, CreatePrincipal | AlterPrincipal | SetPassword | DropPrincipal):
        return "\n".join("".join(fragment_text(part) for part in one) + ";" for one in statements(change))
    return sql.script(change)


def undo(change: Change) -> str:
    """The statement that takes it back, or what to do where there is none."""
    if isinstance(change, CreatePrincipal):
        return _text(_in(_where(change.name), f"DROP {_sort(change.name, change.kind)} {_name(change.name)}"))
    if isinstance(change, AlterPrincipal):
        if split_name(change.name)[0]:
            return "the login that it was of is not there"
        words = [_ENABLE] * len(change.loses) + [_DISABLE] * len(change.gains)
        return "\n".join(_text(_in(MASTER, f"ALTER LOGIN {_name(change.name)} {word}")) for word in words)
    if isinstance(change, SetPassword):
        return "set the old password again"
    if isinstance(change, DropPrincipal):
        return "make it again, with the SID that it had (dbops users export before)"
    back = sql.undo(change)
    return _text(_in(sql.where(change), back)) if back else ""


def _create(change: CreatePrincipal) -> tuple[Statement, ...]:
    database, name = split_name(change.name)
    if change.kind == "role":
        return (_in(database or MASTER, f"CREATE {_sort(change.name, 'role')} {identifier(name)}"),)
    if database:
        login = "WITHOUT LOGIN" if "WITHOUT LOGIN" in change.attributes else f"FOR LOGIN {identifier(name)}"
        return (_in(database, f"CREATE USER {identifier(name)} {login}"),)
    made = _in(MASTER, f"CREATE LOGIN {identifier(name)} ", *_identity(change))
    locked = "LOGIN" not in change.attributes
    return (made, _in(MASTER, f"ALTER LOGIN {identifier(name)} {_DISABLE}")) if locked else (made,)


def _identity(change: CreatePrincipal) -> Statement:
    for word, source in _SOURCES.items():
        if word in change.attributes:
            return (source,)
    sid = f", SID = {change.sid}" if change.sid else ""
    if change.password is None:
        return (f"WITH PASSWORD = {UNUSABLE} HASHED, CHECK_POLICY = OFF{sid}",)
    if change.hashed:
        return ("WITH PASSWORD = ", Seal(seal=HASH, secret=change.password, name=change.name), f" HASHED{sid}")
    return ("WITH ", *_password(change.name, change.password), *([sid] if sid else []))


def _password(name: str, secret: SecretRef) -> Statement:
    return ("PASSWORD = ", Seal(seal=PASSWORD, secret=secret, name=name))


def _alter(change: AlterPrincipal) -> tuple[Statement, ...]:
    """Of what a spec says of a login, only whether it may log in can change."""
    database, name = split_name(change.name)
    if database:
        # A login of this name that is there again, with another SID.
        mapped = f"ALTER USER {identifier(name)} WITH LOGIN = {identifier(name)}"
        return (_in(database, mapped),) if "ORPHANED" in change.loses else ()
    words = [_ENABLE] * change.gains.count("LOGIN") + [_DISABLE] * len(change.loses)
    return tuple(_in(MASTER, f"ALTER LOGIN {_name(change.name)} {word}") for word in words)


def _sort(name: str, kind: str) -> str:
    database = split_name(name)[0]
    if kind == "role":
        return "ROLE" if database else "SERVER ROLE"
    return "USER" if database else "LOGIN"


def _name(name: str) -> str:
    return identifier(split_name(name)[1])


def _where(name: str) -> str:
    return split_name(name)[0] or MASTER


def _in(database: str, *parts: Fragment) -> Statement:
    """``USE`` in front: logins and users of several databases are then one transaction of one session."""
    return (f"USE {identifier(database)}; ", *parts)


def _text(parts: Sequence[Fragment]) -> str:
    return "".join(part for part in parts if isinstance(part, str))
