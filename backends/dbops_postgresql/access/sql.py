"""One change of access as PostgreSQL's SQL, and the SQL that undoes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import singledispatch

from dbops.access.reverse import reverse
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
from dbops.plan import Fragment, Seal, SecretRef
from dbops_postgresql.quoting import identifier, literal

__all__ = ["ON", "OPTIONS_SINCE", "SCRAM", "object_sql", "principal", "sql", "undo"]

SCRAM = "scram-sha-256"
OPTIONS_SINCE = 16
# How GRANT … ON calls a kind, and how ALTER … OWNER TO does where that is another word.
ON = {
    "database": "DATABASE", "tablespace": "TABLESPACE", "parameter": "PARAMETER", "schema": "SCHEMA", "table": "TABLE",
    "view": "TABLE", "matview": "TABLE", "foreign_table": "TABLE", "column": "TABLE", "sequence": "SEQUENCE",
    "function": "ROUTINE", "type": "TYPE", "language": "LANGUAGE", "fdw": "FOREIGN DATA WRAPPER",
    "foreign_server": "FOREIGN SERVER", "large_object": "LARGE OBJECT",
}  # fmt: skip
_ALTER = {
    "view": "VIEW", "matview": "MATERIALIZED VIEW", "foreign_table": "FOREIGN TABLE", "foreign_server": "SERVER",
}  # fmt: skip
_DEFAULT = {
    "table": "TABLES", "sequence": "SEQUENCES", "function": "ROUTINES", "type": "TYPES", "schema": "SCHEMAS",
    "large_object": "LARGE OBJECTS",
}  # fmt: skip


def principal(name: str) -> str:
    """A role as SQL, or the word for everybody."""
    return "PUBLIC" if name == "PUBLIC" else identifier(name)


def object_sql(name: ObjectName) -> str:
    """An object as SQL, from inside its database."""
    path = name.path[:-1] if name.kind == "column" else name.path
    if name.kind == "large_object":
        return path[-1]
    if name.kind == "parameter":
        return ".".join(identifier(part) for part in path[0].split("."))
    if name.kind == "function":
        return f"{identifier(path[1])}.{path[2]}"
    return ".".join(identifier(part) for part in (path[1:] if len(path) > 1 else path))


@singledispatch
def sql(change: Change, major: int) -> tuple[Fragment, ...]:  # noqa: ARG001
    """The statement, complete and without a final semicolon."""
    raise TypeError(type(change).__name__)


def undo(change: Change, major: int) -> str:
    """The statement that takes the change back, empty when there is none."""
    back = reverse(change)
    return "" if back is None else _text(back, major)


def _words(attributes: Sequence[str]) -> str:
    return " ".join(attributes)


def _until(at: datetime | None) -> str:
    return f"VALID UNTIL {literal(at.isoformat(sep=' ') if at else 'infinity')}"


def _password(name: str, secret: SecretRef) -> tuple[Fragment, ...]:
    return (" PASSWORD ", Seal(seal=SCRAM, secret=secret, name=name))


@sql.register
def _(change: CreatePrincipal, major: int) -> tuple[Fragment, ...]:  # noqa: ARG001
    words = [f"CREATE ROLE {identifier(change.name)}"]
    chosen = [*change.attributes, *(() if "INHERIT" in change.attributes else ("NOINHERIT",))]
    words += ["WITH", *chosen] if chosen else []
    if change.connection_limit is not None:
        words.append(f"CONNECTION LIMIT {change.connection_limit}")
    if change.valid_until is not None:
        words.append(_until(change.valid_until))
    text = " ".join(words)
    return (text, *_password(change.name, change.password)) if change.password else (text,)


@sql.register
def _(change: AlterPrincipal, major: int) -> tuple[Fragment, ...]:  # noqa: ARG001
    words = [*change.gains, *(f"NO{word}" for word in change.loses)]
    if change.set_limit:
        words.append(f"CONNECTION LIMIT {-1 if change.connection_limit is None else change.connection_limit}")
    if change.set_until:
        words.append(_until(change.valid_until))
    return (f"ALTER ROLE {identifier(change.name)} {_words(words)}",)


@sql.register
def _(change: SetPassword, major: int) -> tuple[Fragment, ...]:  # noqa: ARG001
    return (f"ALTER ROLE {identifier(change.name)}", *_password(change.name, change.password))


@sql.register
def _(change: DropPrincipal, major: int) -> tuple[Fragment, ...]:  # noqa: ARG001
    return (f"DROP ROLE {identifier(change.name)}",)


@sql.register
def _(change: AddMembership, major: int) -> tuple[Fragment, ...]:
    head = f"GRANT {identifier(change.group)} TO {identifier(change.member)}"
    by = f" GRANTED BY {identifier(change.grantor)}" if change.grantor else ""
    if major >= OPTIONS_SINCE:
        options = f"ADMIN {change.admin}, INHERIT {change.inherit}, SET {change.set}".upper()
        return (f"{head} WITH {options}{by}",)
    if change.less_admin:
        return (f"REVOKE ADMIN OPTION FOR {identifier(change.group)} FROM {identifier(change.member)}",)
    return (f"{head}{' WITH ADMIN OPTION' if change.admin else ''}",)


@sql.register
def _(change: RemoveMembership, major: int) -> tuple[Fragment, ...]:  # noqa: ARG001
    by = f" GRANTED BY {identifier(change.grantor)}" if change.grantor else ""
    return (f"REVOKE {identifier(change.group)} FROM {identifier(change.member)}{by}",)


@sql.register
def _(change: AddGrant, major: int) -> tuple[Fragment, ...]:  # noqa: ARG001
    option = " WITH GRANT OPTION" if change.grantable else ""
    text = f"GRANT {_what(change.object, change.actions)} TO {principal(change.principal)}{option}"
    return (_as(change.grantor, text),)


@sql.register
def _(change: RemoveGrant, major: int) -> tuple[Fragment, ...]:  # noqa: ARG001
    option = "GRANT OPTION FOR " if change.option_only else ""
    text = f"REVOKE {option}{_what(change.object, change.actions)} FROM {principal(change.principal)}"
    return (_as(change.grantor, text),)


@sql.register
def _(change: SetOwner, major: int) -> tuple[Fragment, ...]:  # noqa: ARG001
    kind = _ALTER.get(change.object.kind, ON[change.object.kind])
    return (f"ALTER {kind} {object_sql(change.object)} OWNER TO {identifier(change.owner)}",)


@sql.register
def _(change: AddDefault, major: int) -> tuple[Fragment, ...]:  # noqa: ARG001
    option = " WITH GRANT OPTION" if change.grantable else ""
    what = f"GRANT {', '.join(change.actions)} ON {_DEFAULT[change.kind]} TO {principal(change.principal)}{option}"
    return (f"{_for(change)} {what}",)


@sql.register
def _(change: RemoveDefault, major: int) -> tuple[Fragment, ...]:  # noqa: ARG001
    option = "GRANT OPTION FOR " if change.option_only else ""
    what = f"{', '.join(change.actions)} ON {_DEFAULT[change.kind]} FROM {principal(change.principal)}"
    return (f"{_for(change)} REVOKE {option}{what}",)


def _for(change: AddDefault | RemoveDefault) -> str:
    within = f" IN SCHEMA {identifier(change.schema)}" if change.schema else ""
    return f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(change.creator)}{within}"


def _what(name: ObjectName, actions: Sequence[str]) -> str:
    column = f" ({identifier(name.path[-1])})" if name.kind == "column" else ""
    return f"{', '.join(action + column for action in actions)} ON {ON[name.kind]} {object_sql(name)}"


def _as(grantor: str, text: str) -> str:
    """A grant of somebody else than the owner can only be taken back in his name."""
    return f"SET LOCAL ROLE {identifier(grantor)}; {text}; RESET ROLE" if grantor else text


def _text(change: Change, major: int) -> str:
    return "".join(part if isinstance(part, str) else "'***'" for part in sql(change, major))
