"""Names in a FROM clause: which view, table or function of the model they mean, and its rows for DuckDB."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from tests.simulators.mssql import azure, kinds
from tests.simulators.mssql.answers import Failed, error, failed, unknown
from tests.simulators.mssql.model import Database, Object
from tests.simulators.mssql.registry import TABLE_FUNCTIONS, VIEWS, Field, TableFunction, View
from tests.simulators.mssql.scope import Scope

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

_numbers = itertools.count(1)
SYSTEM_SCHEMAS = frozenset({"sys", "information_schema"})


class Relation(NamedTuple):
    """``alias`` is a temporary table of DuckDB that holds the rows."""

    alias: str
    fields: tuple[Field, ...]
    keys: int = 0
    """How many columns ``_1``, ``_2`` … of arguments it has besides its fields."""
    target: tuple[Database, Object] | None = None
    """The table or view of a user's that it is, for rights on its columns."""


def relation(session: Session, parts: tuple[str, ...]) -> Relation:
    """A table or view by its name of one to three parts. Raises 208 where there is none, and what rights say."""
    database, schema, name = located(session, parts)
    view = _view(session, database, schema, name)
    if view is not None:
        return _of_view(session, view, database)
    found = session.find_object(database, schema, name)
    if found is None or found.type not in {"U", "V", "S"}:
        raise failed(208, f"Invalid object name '{'.'.join(parts)}'.")
    return session.read_object(database, found)._replace(target=(database, found))


def located(session: Session, parts: tuple[str, ...]) -> tuple[Database, str, str]:
    """The database, the schema (empty where it was left out) and the name; raises 911, 916 or 7202."""
    *qualifiers, name = parts
    if len(qualifiers) > 2:
        raise failed(
            7202,
            f"Could not find server '{parts[0]}' in sys.servers. Verify that the correct server name was specified. "
            "If necessary, execute the stored procedure sp_addlinkedserver to add the server to sys.servers.",
            severity=11,
            state=2,
        )
    schema = qualifiers[-1] if qualifiers else ""
    database = session.reach(qualifiers[0]) if len(qualifiers) == 2 and qualifiers[0] else session.current
    return database, schema, name


def _view(session: Session, database: Database, schema: str, name: str) -> View | None:
    view = VIEWS.get(f"{schema or 'sys'}.{name}".lower())
    if view is None or (view.since and view.since > session.instance.major):
        return None
    if not azure.has_view(session, view.name):
        return None
    if session.instance.case_sensitive and view.name != f"{schema or 'sys'}.{name}":
        return None
    if not schema and view.name.startswith("sys."):
        return None
    return view if not view.database or view.database == database.name.lower() else None


def _of_view(session: Session, view: View, database: Database) -> Relation:
    session.demand_view(view.needs)
    found = _since(session, view.fields)
    given = session.instance.given(view, database)
    rows = list(view.rows(Scope(session, database)) if given is None else given)
    loaded = load(session, view.name, found, rows)
    return loaded._replace(target=_shipped(session, view, database))


def _shipped(session: Session, view: View, database: Database) -> tuple[Database, Object] | None:
    """The table of msdb that it is: what a login may read there is granted on it, not on the server."""
    found = session.find_object(database, "dbo", view.name.removeprefix("dbo.")) if view.database else None
    return (database, found) if found else None


def function_rows(session: Session, name: str, values: list[object] | None) -> Relation:
    """The rows of a table-valued function; ``values`` is None where its arguments are columns."""
    function = TABLE_FUNCTIONS.get(name.lower())
    if function is None or (function.since and function.since > session.instance.major):
        raise failed(208, f"Invalid object name '{name}'.")
    session.demand_view(function.needs)
    found = _since(session, function.fields)
    scope = Scope(session, session.current)
    if values is not None and not function.keys:
        return load(session, function.name, found, list(function.rows(scope, *values)))
    if not function.keys:
        raise unknown(f"{name} with columns as its arguments")
    return load(session, function.name, (*found, *_keys(function)), list(function.rows(scope)), len(function.keys))


def _keys(function: TableFunction) -> tuple[Field, ...]:
    return tuple(Field(f"_{number}", kind, True) for number, kind in enumerate(function.keys, 1))


def _since(session: Session, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    return tuple(one for one in fields if one.since <= session.instance.major)


def load(
    session: Session, name: str, fields: tuple[Field, ...], rows: Iterable[Mapping[str, object]], keys: int = 0
) -> Relation:
    """Checks what the model says against the columns that the documentation gives, then hands it to DuckDB."""
    listed = list(rows)
    known = {one.name for one in fields}
    every = known | {one.name for one in _every_field(name)}
    for row in listed:
        if not row.keys() <= every:
            raise unknown(f"the columns {sorted(row.keys() - every)} that the model gives for {name}")
    named = _named(session, fields)
    made = table(session, named, [[row.get(one.name) for row in listed] for one in named], keys)
    return made._replace(fields=fields[: len(fields) - keys])


def _named(session: Session, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Columns that the statement nowhere names are not handed to DuckDB: making a table costs by its columns."""
    words = session.words
    if words is None:
        return fields
    return tuple(one for one in fields if one.name.lower() in words or one.name.startswith("_")) or fields[:1]


def _every_field(name: str) -> tuple[Field, ...]:
    found = VIEWS.get(name.lower()) or TABLE_FUNCTIONS.get(name.lower())
    return found.fields if found else ()


def table(session: Session, fields: tuple[Field, ...], columns: list[list[object]], keys: int = 0) -> Relation:
    alias = f"r{next(_numbers)}"
    types = [kinds.duck(one.type) for one in fields]
    quoted = [duck_name(one.name) for one in fields]
    declared = ", ".join(f"{name} {kind}" for name, kind in zip(quoted, types, strict=True))
    duck = session.instance.duck
    duck.execute(f"CREATE TEMP TABLE {alias} ({declared})")
    session.temporary.append(alias)
    if columns and columns[0]:
        chosen = ", ".join(f"unnest(${number}::{kind}[])" for number, kind in enumerate(types, 1))
        try:
            duck.execute(f"INSERT INTO {alias} SELECT {chosen}", [_plain(column) for column in columns])
        except duckdb.Error as wrong:
            raise Failed(
                error(50000, f"the model gives values that do not fit {[*zip(quoted, types, strict=True)]}: {wrong}")
            ) from wrong
    return Relation(alias, fields[: len(fields) - keys], keys)


def _plain(column: list[object]) -> list[object]:
    return [str(value) if hasattr(value, "hex") and hasattr(value, "urn") else value for value in column]


def duck_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def of_object(session: Session, found: Object) -> Relation:
    fields = tuple(Field(one.name, one.type, one.nullable) for one in found.columns)
    columns: list[list[object]] = [[row[place] for row in found.rows] for place in range(len(fields))]
    return table(session, fields, columns)
