"""Logins, users and roles as T-SQL; each statement is run in its own database, named in front of it.

Where sessions stay in their databases nothing is named: each statement is for the database of the session, and the only
one of its batch, as Azure SQL Database wants those that name a login. A user is called like his login. Making a login
gives it CONNECT SQL, making a user CONNECT on the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbops.access.reverse import reverse_alter
from dbops.model.change import (
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    SetOwner,
    SetPassword,
    Setting,
)
from dbops.plan import Fragment, Seal, SecretRef
from dbops.plan.steps import fragment_text
from dbops_mssql.access import sql
from dbops_mssql.access.people import split_name
from dbops_mssql.quoting import identifier
from dbops_mssql.reach import MASTER, Reach
from dbops_mssql.users.passwords import HASH, PASSWORD, UNUSABLE

__all__ = ["Statement", "script", "statements", "undo"]

Statement = tuple[Fragment, ...]
_SOURCES = {"WINDOWS": "FROM WINDOWS", "ENTRA": "FROM EXTERNAL PROVIDER"}
_DISABLE, _ENABLE = "DISABLE", "ENABLE"


def statements(change: Change, reach: Reach) -> tuple[Statement, ...]:
    """One change, with the database in front where a session can go there."""
    return tuple(_in(database, reach, *parts) for database, parts in _statements(change))


def script(change: Change, reach: Reach) -> str:
    """To paste; a secret shows as a comment that names where it is."""
    if reach.crosses and not isinstance(change, CreatePrincipal | AlterPrincipal | SetPassword | DropPrincipal):
        return sql.script(change)
    return "\n".join("".join(fragment_text(part) for part in one) + ";" for one in statements(change, reach))


def undo(change: Change, reach: Reach) -> str:
    """The statement that takes it back, or what to do where there is none."""
    if isinstance(change, CreatePrincipal):
        return _text(_in(_where(change.name), reach, f"DROP {_sort(change.name, change.kind)} {_name(change.name)}"))
    if isinstance(change, AlterPrincipal):
        return _altered_back(change, reach)
    if isinstance(change, SetPassword):
        return "set the old password again"
    if isinstance(change, DropPrincipal):
        return "make it again, with the SID that it had (dbops users export before)"
    back = sql.undo(change)
    if isinstance(change, SetOwner) and change.object.kind != "database":
        back += " -- ends all rights on it and in it too: grant them again"
    return _text(_in(sql.where(change), reach, back)) if back else ""


def _statements(change: Change) -> Iterator[tuple[str, Statement]]:
    if isinstance(change, CreatePrincipal):
        yield from _create(change)
    elif isinstance(change, AlterPrincipal):
        yield from _alter(change)
    elif isinstance(change, SetPassword):
        altered = f"ALTER {_sort(change.name, 'user')} {_name(change.name)} WITH "
        yield _where(change.name), (altered, *_password(change.name, change.password))
    elif isinstance(change, DropPrincipal):
        yield _where(change.name), (f"DROP {_sort(change.name, change.kind)} {_name(change.name)}",)
    else:
        yield sql.where(change), (sql.statement(change),)


def _create(change: CreatePrincipal) -> Iterator[tuple[str, Statement]]:
    database, name = split_name(change.name)
    if change.kind == "role":
        yield database or MASTER, (f"CREATE {_sort(change.name, 'role')} {identifier(name)}",)
    elif database:
        yield database, (f"CREATE USER {identifier(name)}", *_user_source(change, name))
    else:
        yield MASTER, (f"CREATE LOGIN {identifier(name)} ", *_identity(change))
        if "LOGIN" not in change.attributes:
            yield MASTER, (f"ALTER LOGIN {identifier(name)} {_DISABLE}",)


def _user_source(change: CreatePrincipal, name: str) -> Statement:
    """Who vouches for a user, and his settings; nobody has to be named for one of Windows in a contained database."""
    options = _settings(change.settings)
    if "CONTAINED" in change.attributes and change.password is not None:
        more = [f", {option}" for option in (options, f"SID = {change.sid}" if change.sid else "") if option]
        return (" WITH ", *_password(change.name, change.password), *more)
    if "WITHOUT LOGIN" in change.attributes:
        source = " WITHOUT LOGIN"
    elif "CONTAINED" in change.attributes:
        source = f" {_SOURCES['ENTRA']}" if "ENTRA" in change.attributes else ""
    else:
        source = f" FOR LOGIN {identifier(name)}"
    return (f"{source} WITH {options}" if options else source,)


def _settings(settings: Sequence[Setting]) -> str:
    """A name, or ``NONE`` for a setting that is taken away."""
    return ", ".join(f"{one.name.upper()} = {identifier(one.value) if one.value else 'NONE'}" for one in settings)


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


def _alter(change: AlterPrincipal) -> Iterator[tuple[str, Statement]]:
    """Of what a spec says of a login, only whether it may log in can change; of a user, its settings."""
    database, name = split_name(change.name)
    if not database:
        for word in (*[_ENABLE] * change.gains.count("LOGIN"), *[_DISABLE] * change.loses.count("LOGIN")):
            yield MASTER, (f"ALTER LOGIN {identifier(name)} {word}",)
        return
    if "ORPHANED" in change.loses:
        # A login of this name that is there again, with another SID.
        yield database, (f"ALTER USER {identifier(name)} WITH LOGIN = {identifier(name)}",)
    if change.settings:
        yield database, (f"ALTER USER {identifier(name)} WITH {_settings(change.settings)}",)


def _altered_back(change: AlterPrincipal, reach: Reach) -> str:
    if "ORPHANED" in change.loses:
        return "the login that it was of is not there"
    return "\n".join(_text(one) for one in statements(reverse_alter(change), reach))


def _sort(name: str, kind: str) -> str:
    database = split_name(name)[0]
    if kind == "role":
        return "ROLE" if database else "SERVER ROLE"
    return "USER" if database else "LOGIN"


def _name(name: str) -> str:
    return identifier(split_name(name)[1])


def _where(name: str) -> str:
    return split_name(name)[0] or MASTER


def _in(database: str, reach: Reach, *parts: Fragment) -> Statement:
    """``USE`` in front: logins and users of several databases are then one transaction of one session."""
    return (f"USE {identifier(database)}; ", *parts) if reach.crosses else parts


def _text(parts: Sequence[Fragment]) -> str:
    return "".join(part for part in parts if isinstance(part, str))
