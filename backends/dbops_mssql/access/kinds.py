"""What SQL Server's words of access mean, as data: what covers what comes from the server itself.

``sys.fn_builtin_permissions`` says which permissions there are and which ones bring them along. Three server
permissions of 2014 are not in its hierarchy and are added as the GRANT page describes them; so is what fixed roles
hold, which no catalog view shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from dbops.model.access import Gate, Implied, Kind, Rules, Word
from dbops_mssql.access.fixed import COVERING

__all__ = ["CLASSES", "COLUMN", "MODULES", "OBJECTS", "TABLE_LIKE", "Builtin", "rules"]


class Builtin(NamedTuple):
    """A row of ``sys.fn_builtin_permissions``; what is not there is empty."""

    class_: str
    permission: str
    covering: str
    parent: str
    parent_covering: str


CLASSES = {
    "SERVER": "server", "LOGIN": "login", "SERVER ROLE": "server_role", "ENDPOINT": "endpoint", "DATABASE": "database",
    "USER": "user", "ROLE": "role", "APPLICATION ROLE": "application_role", "SCHEMA": "schema", "TYPE": "type",
    "XML SCHEMA COLLECTION": "xml_schema_collection", "ASSEMBLY": "assembly", "ASYMMETRIC KEY": "asymmetric_key",
    "SYMMETRIC KEY": "symmetric_key", "CERTIFICATE": "certificate", "CONTRACT": "contract",
    "MESSAGE TYPE": "message_type", "SERVICE": "service", "ROUTE": "route", "FULLTEXT CATALOG": "fulltext_catalog",
    "REMOTE SERVICE BINDING": "remote_service_binding", "FULLTEXT STOPLIST": "fulltext_stoplist",
    "SEARCH PROPERTY LIST": "search_property_list", "DATABASE SCOPED CREDENTIAL": "database_scoped_credential",
}  # fmt: skip
_ON_SERVER = ("SERVER", "LOGIN", "SERVER ROLE", "ENDPOINT")
_IN_SCHEMA = ("TYPE", "XML SCHEMA COLLECTION")

# What sys.objects.type calls a kind.
OBJECTS = {
    "U": "table", "V": "view", "IF": "table_function", "TF": "table_function", "FT": "table_function",
    "FN": "function", "FS": "function", "AF": "function", "P": "procedure", "PC": "procedure", "RF": "procedure",
    "X": "procedure", "SQ": "queue", "SO": "sequence", "SN": "synonym",
}  # fmt: skip
# What a user is from the day it is made: ALTER USER and ALTER LOGIN change none of it.
LASTING = ("CONTAINED", "WITHOUT LOGIN", "ENTRA")
MODULES = ("view", "table_function", "function", "procedure")
TABLE_LIKE = ("table", "view", "table_function")
COLUMN = ("SELECT", "UPDATE", "REFERENCES", "UNMASK")
_ALWAYS = ("ALTER", "CONTROL", "TAKE OWNERSHIP", "VIEW DEFINITION")
_DATA = ("SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", *_ALWAYS)
_APPLICABLE = {
    "table": (*_DATA, "UNMASK", "VIEW CHANGE TRACKING"),
    "view": (*_DATA, "UNMASK"),
    "table_function": _DATA,
    "function": ("EXECUTE", "REFERENCES", *_ALWAYS),
    "procedure": ("EXECUTE", *_ALWAYS),
    "queue": ("RECEIVE", "REFERENCES", "SELECT", *_ALWAYS),
    "sequence": ("REFERENCES", "UPDATE", *_ALWAYS),
    "synonym": ("SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE", "CONTROL", "TAKE OWNERSHIP", "VIEW DEFINITION"),
}
# The three of 2014, each as the page says what it does granted and, of the last two, what it does denied:
# https://learn.microsoft.com/sql/t-sql/statements/grant-server-permissions-transact-sql#remarks-1
_BESIDE = (
    ("DATABASE", "CONNECT", "CONNECT ANY DATABASE"),
    ("OBJECT", "SELECT", "SELECT ALL USER SECURABLES"),
    ("LOGIN", "IMPERSONATE", "IMPERSONATE ANY LOGIN"),
)
_WORDS = {
    "read": ("SELECT",),
    "write": ("INSERT", "UPDATE", "DELETE"),
    "execute": ("EXECUTE",),
    "ddl": ("ALTER",),
    "admin": ("CONTROL",),
}
_FAMILIES = {
    "view": "table",
    "table_function": "table",
    "table": "table",
    "function": "routine",
    "procedure": "routine",
}


def rules(builtin: Iterable[Builtin]) -> Rules:
    """The rules of a server, from its own list."""
    return _rules(tuple(builtin))


@cache
def _rules(builtin: tuple[Builtin, ...]) -> Rules:
    found = [
        *(_kind(name, kind, builtin) for name, kind in CLASSES.items()),
        *(_object(kind, actions, builtin) for kind, actions in _APPLICABLE.items()),
        _column(builtin),
    ]
    return Rules(
        kinds={one.name: one for one in found if one.actions},
        login="LOGIN",
        quotes=("[", "]"),
        drop_takes_rights=True,
        decided=("LOGIN", "ORPHANED", *LASTING),
        made_as=("SERVER", "NO ENTRA"),
        lasting=LASTING,
        orphaned="ORPHANED",
        settings={"default_schema": "dbo", "default_language": ""},
        covering=COVERING,
    )


def _kind(name: str, kind: str, builtin: Sequence[Builtin]) -> Kind:
    actions = tuple(dict.fromkeys(row.permission for row in builtin if row.class_ == name))
    outside = name in _ON_SERVER
    return Kind(
        name=kind,
        actions=actions,
        depth=0 if name == "SERVER" else 1 if outside or name == "DATABASE" else 3 if name in _IN_SCHEMA else 2,
        contained=not outside,
        gates=() if outside else (Gate("database", "CONNECT"),),
        implied=_implied(name, kind, builtin),
        owner_actions=() if name in ("SERVER", "DATABASE", "LOGIN") else ("CONTROL",),
        words=_words(actions),
    )


def _object(kind: str, applicable: Sequence[str], builtin: Sequence[Builtin]) -> Kind:
    there = {row.permission for row in builtin if row.class_ == "OBJECT"}
    actions = tuple(action for action in applicable if action in there)
    return Kind(
        name=kind,
        actions=actions,
        family=_FAMILIES.get(kind, ""),
        depth=3,
        gates=(Gate("database", "CONNECT"),),
        implied=_implied("OBJECT", kind, builtin),
        owner_actions=("CONTROL",) if actions else (),
        words=_words(actions),
    )


def _column(builtin: Sequence[Builtin]) -> Kind:
    there = {row.permission for row in builtin if row.class_ == "OBJECT"}
    actions = tuple(action for action in COLUMN if action in there)
    return Kind(
        name="column",
        actions=actions,
        depth=4,
        gates=(Gate("database", "CONNECT"),),
        implied=tuple(Implied(action, "table", action) for action in actions),
        words=_words(actions),
    )


def _implied(name: str, kind: str, builtin: Sequence[Builtin]) -> tuple[Implied, ...]:
    found: dict[Implied, None] = {}
    for row in builtin:
        if row.class_ != name:
            continue
        if row.covering and row.covering != row.permission:
            found[Implied(row.permission, kind, row.covering)] = None
        if row.parent_covering and row.parent in CLASSES:
            found[Implied(row.permission, CLASSES[row.parent], row.parent_covering)] = None
    there = {row.permission for row in builtin if row.class_ == "SERVER"}
    for of, action, beside in _BESIDE:
        if of == name and beside in there and action in _APPLICABLE.get(kind, (action,)):
            found[Implied(action, "server", beside)] = None
    return tuple(found)


def _words(actions: Sequence[str]) -> tuple[Word, ...]:
    found = ((word, tuple(one for one in meaning if one in actions)) for word, meaning in _WORDS.items())
    return tuple(Word(word, meaning) for word, meaning in found if meaning)
