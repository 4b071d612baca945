"""CREATE and DROP of tables, views, procedures and functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql import names, rights
from tests.simulators.mssql.answers import Answer, Done, failed, unknown
from tests.simulators.mssql.lexer import Cursor, tokens
from tests.simulators.mssql.model import Column, Database, Object, Schema
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.rights import DATABASE
from tests.simulators.mssql.statements.batches import type_name

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

KINDS = {
    "U": "table",
    "V": "view",
    "P": "procedure",
    "FN": "function",
    "IF": "function",
    "TF": "function",
    "SN": "synonym",
}


def first_in_batch(cursor: Cursor, what: str) -> None:
    """111 for what must stand alone at the start of its batch."""
    if tokens(cursor.sql[: cursor.found[0].start]):
        raise failed(111, f"'{what}' must be the first statement in a query batch.", severity=15)


def place(session: Session, parts: tuple[str, ...], permission: str) -> tuple[Database, Schema, str]:
    """Where a new object goes: its permission in the database and ALTER on the schema are asked for here."""
    database = session.reach(parts[-3]) if len(parts) > 2 and parts[-3] else session.current
    wanted = parts[-2] if len(parts) > 1 and parts[-2] else names.default_schema(session, database)
    rights.demand(session, permission, DATABASE, database)
    schema = names.schema_named(session, database, wanted)
    if schema is None or not rights.has(session, "ALTER", rights.of_schema(database, schema.schema_id), database):
        raise failed(
            2760, f'The specified schema name "{wanted}" either does not exist or you do not have permission to use it.'
        )
    if names.find_object(session, database, schema.name, parts[-1]):
        raise failed(2714, f"There is already an object named '{parts[-1]}' in the database.", state=6)
    return database, schema, parts[-1]


def add(session: Session, database: Database, schema: Schema, name: str, kind: str) -> Object:
    session.instance.changing(session)
    now = session.instance.now()
    database = session.instance.state.databases[database.database_id]
    made = Object(name, database.next_object, schema.schema_id, kind, now, now)
    database.objects[made.object_id] = made
    database.next_object += 16000057
    return made


@statement("CREATE TABLE")
def create_table(session: Session, cursor: Cursor) -> Iterator[Answer]:
    parts = cursor.dotted()
    if parts[-1].startswith("#"):
        raise unknown("temporary tables")
    database, schema, name = place(session, parts, "CREATE TABLE")
    columns, key = _columns(cursor)
    if cursor.accept("ON"):
        cursor.name()
    made = add(session, database, schema, name, "U")
    made.columns, made.key = columns, key
    yield Done()


def _columns(cursor: Cursor) -> tuple[list[Column], tuple[str, ...]]:
    cursor.expect("(")
    columns: list[Column] = []
    key: tuple[str, ...] = ()
    while True:
        if cursor.sees("CONSTRAINT") or cursor.sees("PRIMARY") or cursor.sees("UNIQUE") or cursor.sees("CHECK"):
            key = _constraint(cursor) or key
        else:
            column, is_key = _column(cursor, len(columns) + 1)
            columns.append(column)
            key = (column.name,) if is_key else key
        if not cursor.accept(","):
            break
    cursor.expect(")")
    for column in columns:
        column.nullable = column.nullable and column.name not in key
    return columns, key


def _column(cursor: Cursor, number: int) -> tuple[Column, bool]:
    made = Column(cursor.name(), number, "int")
    if cursor.accept("AS"):
        raise unknown("computed columns")
    made.type = type_name(cursor)
    is_key = False
    while not (cursor.sees(",") or cursor.sees(")")):
        if cursor.accept("PRIMARY", "KEY"):
            is_key = True
            cursor.accept("CLUSTERED")
        else:
            _attribute(cursor, made)
    return made, is_key


def _attribute(cursor: Cursor, made: Column) -> None:
    if cursor.accept("NOT", "NULL"):
        made.nullable = False
    elif cursor.accept("IDENTITY"):
        made.identity, made.nullable = True, False
        if cursor.accept("("):
            cursor.number()
            cursor.expect(",")
            cursor.number()
            cursor.expect(")")
    elif cursor.accept("DEFAULT"):
        made.default = _skip(cursor)
    elif cursor.accept("COLLATE") or cursor.accept("CONSTRAINT"):
        cursor.name()
    elif not (cursor.accept("NULL") or cursor.accept("UNIQUE")):
        raise unknown(f"{cursor.take().value} of a column")


def _skip(cursor: Cursor) -> str:
    depth, start = 0, cursor.at
    while depth or not (cursor.sees(",") or cursor.sees(")") or cursor.sees("NOT") or cursor.sees("CONSTRAINT")):
        token = cursor.take()
        depth += token.is_symbol("(") - token.is_symbol(")")
    return cursor.sql[cursor.found[start].start : cursor.found[cursor.at - 1].end]


def _constraint(cursor: Cursor) -> tuple[str, ...]:
    if cursor.accept("CONSTRAINT"):
        cursor.name()
    if not cursor.accept("PRIMARY", "KEY"):
        raise unknown("constraints of a table other than its primary key")
    cursor.accept("CLUSTERED") or cursor.accept("NONCLUSTERED")
    cursor.expect("(")
    found = [cursor.name()]
    cursor.accept("ASC")
    while cursor.accept(","):
        found.append(cursor.name())
        cursor.accept("ASC")
    cursor.expect(")")
    return tuple(found)


@statement("DROP TABLE")
def drop_table(session: Session, cursor: Cursor) -> Iterator[Answer]:
    yield from _drop(session, cursor, "U")


@statement("DROP VIEW")
def drop_view(session: Session, cursor: Cursor) -> Iterator[Answer]:
    yield from _drop(session, cursor, "V")


@statement("DROP PROC")
@statement("DROP PROCEDURE")
def drop_procedure(session: Session, cursor: Cursor) -> Iterator[Answer]:
    yield from _drop(session, cursor, "P")


@statement("DROP FUNCTION")
def drop_function(session: Session, cursor: Cursor) -> Iterator[Answer]:
    yield from _drop(session, cursor, "FN", "IF", "TF")


@statement("DROP SYNONYM")
def drop_synonym(session: Session, cursor: Cursor) -> Iterator[Answer]:
    yield from _drop(session, cursor, "SN")


def _drop(session: Session, cursor: Cursor, *types: str) -> Iterator[Answer]:
    quiet = cursor.accept("IF", "EXISTS")
    while True:
        parts = cursor.dotted()
        database = session.reach(parts[-3]) if len(parts) > 2 and parts[-3] else session.current
        found = names.find_object(session, database, parts[-2] if len(parts) > 1 else "", parts[-1])
        if found is None and quiet:
            pass
        elif found is None or found.type not in types or not _may_drop(session, database, found):
            name, kind = ".".join(parts), KINDS[types[0]]
            raise failed(
                3701,
                f"Cannot drop the {kind} '{name}', because it does not exist or you do not have permission.",
                severity=11,
                state=5,
            )
        else:
            session.instance.changing(session)
            remove(session.instance.state.databases[database.database_id], found.object_id)
        if not cursor.accept(","):
            break
    yield Done()


def _may_drop(session: Session, database: Database, found: Object) -> bool:
    schema = rights.of_schema(database, found.schema_id)
    return rights.has(session, "CONTROL", rights.of_object(database, found), database) or rights.has(
        session, "ALTER", schema, database
    )


def remove(database: Database, object_id: int) -> None:
    del database.objects[object_id]
    database.permissions = [one for one in database.permissions if (one.class_, one.major_id) != (1, object_id)]


@statement("CREATE SYNONYM")
def create_synonym(session: Session, cursor: Cursor) -> Iterator[Answer]:
    database, schema, name = place(session, cursor.dotted(), "CREATE SYNONYM")
    cursor.expect("FOR")
    base = ".".join(f"[{part.replace(']', ']]')}]" if part else "" for part in cursor.dotted())
    add(session, database, schema, name, "SN").base = base
    yield Done()
