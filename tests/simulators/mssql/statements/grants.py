"""GRANT, DENY and REVOKE: reading them, and who may say them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulators.mssql import azure, names, rights, securables, stored_permissions
from tests.simulators.mssql.answers import Answer, Done, Failed, Message, failed
from tests.simulators.mssql.lexer import Cursor, Kind
from tests.simulators.mssql.model import Database, Principal
from tests.simulators.mssql.permissions import BUILTIN, Builtin, find
from tests.simulators.mssql.refusals import not_found
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.rights import DATABASE, SERVER, Securable
from tests.simulators.mssql.securables import Named
from tests.simulators.mssql.stored_permissions import Change

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

ALL_ON = {
    "DATABASE": "BACKUP DATABASE|BACKUP LOG|CREATE DATABASE|CREATE DEFAULT|CREATE FUNCTION|CREATE PROCEDURE|CREATE RULE"
    "|CREATE TABLE|CREATE VIEW",
    "U": "DELETE|INSERT|REFERENCES|SELECT|UPDATE",
    "V": "DELETE|INSERT|REFERENCES|SELECT|UPDATE",
    "P": "EXECUTE",
    "FN": "EXECUTE|REFERENCES",
    "IF": "DELETE|INSERT|REFERENCES|SELECT|UPDATE",
    "TF": "DELETE|INSERT|REFERENCES|SELECT|UPDATE",
}
"""What ALL stands for, from the pages GRANT Object Permissions and GRANT Database Permissions."""


DEPRECATED_ALL = (
    "The ALL permission is deprecated and maintained only for compatibility. It DOES NOT imply ALL permissions defined "
    "on the entity."
)


@dataclass
class Wanted:
    permissions: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """Each with its columns."""
    on: Named | None = None
    grantees: list[str] = field(default_factory=list)
    grant_option: bool = False
    cascade: bool = False
    grantor: str = ""


@statement("GRANT")
def grant(session: Session, cursor: Cursor) -> Iterator[Answer]:
    wanted = _read(session, cursor, "GRANT")
    yield from _carry_out(session, "GRANT", wanted)


@statement("DENY")
def deny(session: Session, cursor: Cursor) -> Iterator[Answer]:
    wanted = _read(session, cursor, "DENY")
    yield from _carry_out(session, "DENY", wanted)


@statement("REVOKE")
def revoke(session: Session, cursor: Cursor) -> Iterator[Answer]:
    option = cursor.accept("GRANT", "OPTION", "FOR")
    wanted = _read(session, cursor, "REVOKE")
    wanted.grant_option = option
    yield from _carry_out(session, "REVOKE", wanted)


def _read(session: Session, cursor: Cursor, verb: str) -> Wanted:
    wanted = Wanted()
    while True:
        name = _permission(cursor)
        wanted.permissions.append((name, _columns(cursor)))
        if not cursor.accept(","):
            break
    if cursor.accept("ON"):
        wanted.on = securables.read(session, cursor)
        columns = _columns(cursor)
        if columns:
            wanted.permissions = [(name, columns) for name, _ in wanted.permissions]
    if not (cursor.accept("FROM") if verb == "REVOKE" and cursor.sees("FROM") else cursor.accept("TO")):
        raise cursor.wrong()
    wanted.grantees.append(_principal_name(cursor))
    while cursor.accept(","):
        wanted.grantees.append(_principal_name(cursor))
    if verb == "GRANT":
        wanted.grant_option = cursor.accept("WITH", "GRANT", "OPTION")
    else:
        wanted.cascade = cursor.accept("CASCADE")
    if cursor.accept("AS"):
        wanted.grantor = _principal_name(cursor)
    return wanted


def _principal_name(cursor: Cursor) -> str:
    """``public`` is a reserved word and yet a name here."""
    return cursor.take().value if cursor.sees("PUBLIC") else cursor.name()


def _permission(cursor: Cursor) -> str:
    words = []
    while (token := cursor.token) is not None and token.kind is Kind.WORD and not token.is_word("ON", "TO", "FROM"):
        words.append(cursor.take().value.upper())
    if not words:
        raise cursor.wrong()
    return " ".join(words).removesuffix(" PRIVILEGES")


def _columns(cursor: Cursor) -> tuple[str, ...]:
    if not cursor.accept("("):
        return ()
    found = [cursor.name()]
    while cursor.accept(","):
        found.append(cursor.name())
    cursor.expect(")")
    return tuple(found)


def _carry_out(session: Session, verb: str, wanted: Wanted) -> Iterator[Answer]:
    on = wanted.on or _implied(session, wanted.permissions[0][0])
    builtins = [(one, columns) for name, columns in wanted.permissions for one in _known(session, on, name)]
    if any(one.name == "CREATE DATABASE" for one, _ in builtins) and session.current.database_id != 1:
        raise failed(4619, "CREATE DATABASE permission can only be granted in the master database.")
    if on.database is None and session.current.database_id != 1:
        raise failed(4621, "Permissions at the server scope can only be granted when the current database is master")
    grantees = [_grantee(session, on, name) for name in wanted.grantees]
    for grantee in grantees:
        _forbidden(session, on, grantee)
    changes = [
        Change(verb, on.securable, minor, grantee.principal_id, grantor, builtin.name)
        for builtin, columns in builtins
        for grantor in [_grantor(session, on, builtin.name, wanted.grantor)]
        for grantee in grantees
        for minor in _minors(on, columns, session)
    ]
    stored = _stored(session, on)
    kept = copy.deepcopy(stored)
    try:
        for change in changes:
            stored_permissions.apply(stored, change, grant_option=wanted.grant_option, cascade=wanted.cascade)
    except Failed:
        stored[:] = kept
        raise
    if any(name == "ALL" for name, _ in wanted.permissions):
        yield Message(4628, 1, 0, DEPRECATED_ALL)
    yield Done()


def _stored(session: Session, on: Named) -> list[stored_permissions.Permission]:
    if on.database is None:
        return session.instance.state.permissions
    return session.instance.state.databases[on.database.database_id].permissions


def _implied(session: Session, name: str) -> Named:
    """Without ON it is the server or the current database, as the permission belongs to the one or the other."""
    if find("SERVER", name, session.instance.major) is not None:
        azure.server_scope(session)
        return Named(SERVER, None, session.instance.name)
    return Named(DATABASE, session.current, session.current.name)


def _known(session: Session, on: Named, name: str) -> list[Builtin]:
    class_desc = on.securable.class_desc
    if name == "ALL":
        if class_desc not in {"OBJECT", "DATABASE"}:
            raise failed(4623, "The all permission has been deprecated and is not available for this class of entity")
        kind = class_desc
        if class_desc == "OBJECT" and on.database is not None:
            kind = on.database.objects[on.securable.major_id].type
        return [BUILTIN[class_desc, one] for one in ALL_ON.get(kind, "").split("|") if one]
    found = find(class_desc, name, session.instance.major)
    if found is None:
        if any(one.name == name for one in BUILTIN.values()):
            raise failed(4606, f"Granted or revoked privilege {name} is not compatible with object.")
        raise failed(102, f"Incorrect syntax near '{name.rpartition(' ')[2]}'.", severity=15)
    if class_desc == "OBJECT" and on.database is not None:
        _fits(found, on.database.objects[on.securable.major_id].type)
    return [found]


def _fits(found: Builtin, kind: str) -> None:
    programs = {"P": {"SELECT", "INSERT", "UPDATE", "DELETE"}, "U": {"EXECUTE"}, "V": {"EXECUTE"}}
    if found.name in programs.get(kind, set()):
        raise failed(4606, f"Granted or revoked privilege {found.name} is not compatible with object.")


def _grantee(session: Session, on: Named, name: str) -> Principal:
    if on.database is None:
        found = names.find_login(session, name)
        if found is None:
            raise not_found("find", "login", name)
    else:
        found = names.find_user(session, on.database, name)
        if found is None:
            raise not_found("find", "user", name)
    return found


def _forbidden(session: Session, on: Named, grantee: Principal) -> None:
    if grantee.is_fixed_role:
        raise failed(4617, "Cannot grant, deny or revoke permissions to or from special roles.")
    special = {1} if on.database is None else {1, 3, 4}
    me = session.identity.login if on.database is None else _me(session, on.database)
    owner = on.securable.owner if on.securable.class_desc in {"OBJECT", "SCHEMA"} else None
    if grantee.principal_id in special | {me, owner}:
        raise failed(
            4624,
            "Cannot grant, deny, or revoke permissions to sa, dbo, entity owner, information_schema, sys, or yourself.",
        )


def _me(session: Session, database: Database) -> int | None:
    user = names.user_of(session, database)
    return user.principal_id if user else None


def _minors(on: Named, columns: tuple[str, ...], session: Session) -> list[int]:
    if not columns:
        return [0]
    assert on.database is not None
    found = on.database.objects[on.securable.major_id]
    numbers = []
    for name in columns:
        one = next((column for column in found.columns if session.same(column.name, name)), None)
        if one is None:
            raise failed(4615, f"Invalid column name '{name}'.")
        numbers.append(one.column_id)
    return numbers


def _grantor(session: Session, on: Named, permission: str, chosen: str) -> int:
    """Who the row names as grantor: the one after AS, the owner's side, or oneself by a grant option."""
    if chosen:
        grantor = _grantee(session, on, chosen).principal_id
        if not (_powerful(session, on, permission) or _by_option(session, on, permission, grantor)):
            raise failed(4618, f"You do not have permission to use {chosen} in the AS clause.")
        return grantor
    if _owns(session, on):
        return 1 if on.securable.owner is None or on.database is None else on.securable.owner
    me = session.identity.login if on.database is None else _me(session, on.database)
    if me is not None and (_powerful(session, on, permission) or _by_option(session, on, permission, me)):
        return me
    raise _refused(session, on)


def _owns(session: Session, on: Named) -> bool:
    if on.database is None:
        return rights.is_sysadmin(session, session.server_login) or _in_role(session, "securityadmin")
    return rights.is_owner(session, on.database) or on.securable.owner in rights.user_identities(session, on.database)


def _in_role(session: Session, role: str) -> bool:
    login = session.server_login
    principals = session.instance.state.principals
    return login is not None and any(principals[one].name == role for one in rights.server_identities(session, login))


def _powerful(session: Session, on: Named, permission: str) -> bool:
    """CONTROL of the securable, or a permission above that implies the one to give."""
    control = "CONTROL SERVER" if on.securable.class_desc == "SERVER" else "CONTROL"
    if on.database is None:
        return rights.server_right(session, session.server_login, control, on.securable)
    who = rights.user_identities(session, on.database)
    security = any(on.database.principals[one].name == "db_securityadmin" for one in who)
    return security or rights.has(session, control, on.securable, on.database)


def _by_option(session: Session, on: Named, permission: str, who: int) -> bool:
    inside = _holders(session, on, who)
    return any(
        row.state == "W" and row.grantee in inside and row.name == permission
        for row in _stored(session, on)
        if _same(row, on.securable)
    )


def _same(row: stored_permissions.Permission, securable: Securable) -> bool:
    return row.class_ == securable.number and row.major_id == securable.major_id


def _holders(session: Session, on: Named, who: int) -> set[int]:
    from tests.simulators.mssql.model import roles_of

    members = session.instance.state.members if on.database is None else on.database.members
    return {who} | roles_of(who, members)


def _refused(session: Session, on: Named) -> Exception:
    if on.securable.class_desc in {"SERVER", "DATABASE"}:
        return failed(4613, "Grantor does not have GRANT permission.")
    del session
    return not_found("find", on.securable.class_desc.lower(), on.name)
