"""Grants, denials and memberships as T-SQL, and the T-SQL that undoes them.

A statement about something in a database is to be run in that database; one about the server, in ``master``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

from dbops.access.reverse import reverse
from dbops.model.change import AddGrant, AddMembership, Change, ObjectName, RemoveGrant, RemoveMembership, SetOwner
from dbops_mssql.access.people import split_name
from dbops_mssql.quoting import identifier

__all__ = ["ON", "object_sql", "principal", "script", "statement", "undo", "where"]

# How GRANT … ON calls a kind; the server and a database are not named.
ON = {
    "login": "LOGIN", "server_role": "SERVER ROLE", "endpoint": "ENDPOINT", "user": "USER", "role": "ROLE",
    "application_role": "APPLICATION ROLE", "schema": "SCHEMA", "table": "OBJECT", "view": "OBJECT",
    "table_function": "OBJECT", "function": "OBJECT", "procedure": "OBJECT", "queue": "OBJECT", "sequence": "OBJECT",
    "synonym": "OBJECT", "column": "OBJECT", "type": "TYPE", "xml_schema_collection": "XML SCHEMA COLLECTION",
    "assembly": "ASSEMBLY", "asymmetric_key": "ASYMMETRIC KEY", "symmetric_key": "SYMMETRIC KEY",
    "certificate": "CERTIFICATE", "contract": "CONTRACT", "message_type": "MESSAGE TYPE", "service": "SERVICE",
    "route": "ROUTE", "fulltext_catalog": "FULLTEXT CATALOG", "remote_service_binding": "REMOTE SERVICE BINDING",
    "fulltext_stoplist": "FULLTEXT STOPLIST", "search_property_list": "SEARCH PROPERTY LIST",
    "database_scoped_credential": "DATABASE SCOPED CREDENTIAL",
}  # fmt: skip
_ON_SERVER = ("server", "login", "server_role", "endpoint")
MASTER = "master"


def principal(name: str) -> str:
    """A principal as it is called where the statement runs."""
    called = split_name(name)[1]
    return "public" if called.lower() == "public" else identifier(called)


def object_sql(name: ObjectName) -> str:
    """An object, from inside its database."""
    path = name.path[:-1] if name.kind == "column" else name.path
    return ".".join(identifier(part) for part in (path[1:] if len(path) > 1 else path))


def where(change: Change) -> str:
    """The database in which a statement is to be run."""
    if isinstance(change, AddGrant | RemoveGrant | SetOwner):
        return MASTER if change.object.kind in _ON_SERVER else change.object.path[0]
    if isinstance(change, AddMembership | RemoveMembership):
        return split_name(change.group)[0] or MASTER
    return MASTER


def script(change: Change) -> str:
    """A statement to paste: with the database where it belongs."""
    return f"USE {identifier(where(change))};\n{statement(change)};"


@singledispatch
def statement(change: Change) -> str:
    """The statement, complete and without a final semicolon.

    :raises TypeError: the change is none of access alone.
    """
    raise TypeError(type(change).__name__)


def undo(change: Change) -> str:
    """The statement that takes the change back, empty when there is none."""
    back = reverse(change)
    return "" if back is None else statement(back)


@statement.register
def _(change: AddGrant) -> str:
    what = f"{_what(change.object, change.actions)} TO {principal(change.principal)}"
    option = " WITH GRANT OPTION" if change.grantable and not change.deny else ""
    cascade = " CASCADE" if change.deny else ""  # refused without it where what is denied was passed on
    return f"{'DENY' if change.deny else 'GRANT'} {what}{option}{cascade}{_as(change.grantor)}"


@statement.register
def _(change: RemoveGrant) -> str:
    option = "GRANT OPTION FOR " if change.option_only else ""
    what = f"{_what(change.object, change.actions)} FROM {principal(change.principal)}"
    cascade = " CASCADE" if change.grantable or change.option_only else ""
    return f"REVOKE {option}{what}{cascade}{_as(change.grantor)}"


@statement.register
def _(change: AddMembership) -> str:
    return _member(change, "ADD")


@statement.register
def _(change: RemoveMembership) -> str:
    return _member(change, "DROP")


@statement.register
def _(change: SetOwner) -> str:
    kind = "DATABASE" if change.object.kind == "database" else ON[change.object.kind]
    owner = principal(change.owner)
    return f"ALTER AUTHORIZATION ON {kind}::{object_sql(change.object)} TO {owner}"


def _member(change: AddMembership | RemoveMembership, verb: str) -> str:
    database, role = split_name(change.group)
    sort = "ROLE" if database else "SERVER ROLE"
    return f"ALTER {sort} {identifier(role)} {verb} MEMBER {principal(change.member)}"


def _what(name: ObjectName, actions: Sequence[str]) -> str:
    column = f" ({identifier(name.path[-1])})" if name.kind == "column" else ""
    listed = ", ".join(action + column for action in actions)
    return listed if name.kind in ("server", "database") else f"{listed} ON {ON[name.kind]}::{object_sql(name)}"


def _as(grantor: str) -> str:
    """What somebody passed on is granted and taken back in his name."""
    return f" AS {principal(grantor)}" if grantor else ""
