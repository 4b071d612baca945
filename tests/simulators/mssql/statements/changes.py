"""INSERT, UPDATE, DELETE and TRUNCATE: the rows that the model keeps for a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from tests.simulators.mssql import kinds, relations
from tests.simulators.mssql.answers import Answer, Done, Failed, failed, unknown
from tests.simulators.mssql.casts import cast
from tests.simulators.mssql.dialect import parsed
from tests.simulators.mssql.frames import Frame, Source, Typed
from tests.simulators.mssql.lexer import Cursor
from tests.simulators.mssql.model import Column, Database, Object
from tests.simulators.mssql.names import object_name
from tests.simulators.mssql.predicates import predicate
from tests.simulators.mssql.queries import query
from tests.simulators.mssql.registry import Field, statement
from tests.simulators.mssql.relations import duck_name
from tests.simulators.mssql.rights import demand_object, has, object_denied, of_object
from tests.simulators.mssql.statements.queries import rest
from tests.simulators.mssql.values import value

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


@statement("INSERT")
@statement("UPDATE")
@statement("DELETE")
def changes(session: Session, cursor: Cursor) -> Iterator[Answer]:
    yield from change(session, parsed(rest(cursor)))


def change(session: Session, tree: exp.Expr) -> Iterator[Answer]:
    session.instance.changing(session)
    match tree:
        case exp.Insert():
            count = _insert(session, tree)
        case exp.Update():
            count = _update(session, tree)
        case exp.Delete():
            count = _delete(session, tree)
        case _:
            raise unknown(f"the statement {tree.sql('tsql')!r}")
    session.row_count = count
    yield Done(count)


def target(session: Session, node: exp.Expr) -> tuple[Database, Object]:
    parts = tuple(one for one in (node.text("catalog"), node.text("db"), node.name) if one)
    database, schema, name = relations.located(session, parts)
    found = session.find_object(database, schema, name)
    if found is None or found.type != "U":
        raise failed(208, f"Invalid object name '{'.'.join(parts)}'.")
    return database, found


def _insert(session: Session, tree: exp.Insert) -> int:
    into = tree.this
    table = into.this if isinstance(into, exp.Schema) else into
    database, found = target(session, table)
    _demand(session, "INSERT", database, found, set())
    chosen = [column(found, one.name, session) for one in into.expressions] if isinstance(into, exp.Schema) else None
    columns = chosen or [one for one in found.columns if not one.identity and not one.computed]
    if tree.expression is None:
        raise unknown("INSERT … DEFAULT VALUES")
    sql, fields = query(tree.expression, _frame(session, tree))
    if len(fields) != len(columns):
        raise failed(213, "Column name or number of supplied values does not match table definition.")
    given = [
        cast(Typed(f"s.{duck_name(f'v{place}')}", field.type), one.type).sql
        for place, (field, one) in enumerate(zip(fields, columns, strict=True))
    ]
    names = ", ".join(duck_name(f"v{place}") for place in range(len(fields)))
    rows = session.instance.duck.execute(f"SELECT {', '.join(given)} FROM ({sql}) AS s({names})").fetchall()
    count = len(found.rows)
    try:
        for row in rows:
            values = dict(zip([one.name for one in columns], row, strict=True))
            found.rows.append(_complete(session, database, found, values))
    except Failed:
        del found.rows[count:]
        raise
    return len(rows)


def _frame(session: Session, tree: exp.Expr) -> Frame:
    if tree.args.get("with_"):
        raise unknown("common table expressions of INSERT, UPDATE and DELETE")
    return session.frame()


def _default(session: Session, one: Column) -> object:
    tree = parsed(f"SELECT {one.default}")
    assert isinstance(tree, exp.Select)
    return session.constant(cast(value(tree.expressions[0], session.frame()), one.type))


def _complete(session: Session, database: Database, found: Object, given: dict[str, object]) -> tuple[object, ...]:
    row: list[object] = []
    for place, one in enumerate(found.columns):
        if one.identity:
            taken = [int(str(other[place])) for other in found.rows]
            row.append(max(taken, default=0) + 1)
            continue
        value_ = given.get(one.name) if one.name in given or one.default is None else _default(session, one)
        _check(database, found, one, value_)
        row.append(value_)
    done = tuple(row)
    _unique(database, found, done)
    return done


def _check(database: Database, found: Object, one: Column, given: object) -> None:
    schema, name = object_name(database, found)
    if given is None and not one.nullable:
        raise failed(
            515,
            f"Cannot insert the value NULL into column '{one.name}', table '{database.name}.{schema}.{name}'; column "
            "does not allow nulls. INSERT fails.",
            state=2,
        )
    low, high = kinds.RANGES.get(kinds.base(one.type), (None, None))
    if low is not None and high is not None and isinstance(given, int) and not low <= given <= high:
        raise failed(8115, f"Arithmetic overflow error converting expression to data type {one.type}.")


def _unique(database: Database, found: Object, row: tuple[object, ...]) -> None:
    if not found.key:
        return
    places = [place for place, one in enumerate(found.columns) if one.name in found.key]
    key = [row[place] for place in places]
    if any([other[place] for place in places] == key for other in found.rows):
        schema, name = object_name(database, found)
        raise failed(
            2627,
            f"Violation of PRIMARY KEY constraint 'PK_{name}'. Cannot insert duplicate key in object '{schema}.{name}'."
            f" The duplicate key value is ({', '.join(map(str, key))}).",
            severity=14,
        )


def column(found: Object, name: str, session: Session) -> Column:
    for one in found.columns:
        if session.same(one.name, name):
            return one
    raise failed(207, f"Invalid column name '{name}'.")


def _demand(session: Session, permission: str, database: Database, found: Object, columns: set[str]) -> None:
    if columns:
        demand_object(session, permission, database, found, columns)
    elif not has(session, permission, of_object(database, found), database):
        raise object_denied(permission, database, found)


def _numbered(session: Session, found: Object, node: exp.Expr, database: Database) -> tuple[str, Frame]:
    """The table with the number of each row, so that what a condition picks is found again in the model."""
    fields = (*(Field(one.name, one.type, one.nullable) for one in found.columns), Field("_row", "int"))
    columns: list[list[object]] = [[row[place] for row in found.rows] for place in range(len(found.columns))]
    made = relations.table(session, fields, [*columns, list(range(len(found.rows)))])
    frame = session.frame()
    alias = node.alias or found.name
    frame.add(Source(alias, fields[:-1], target=(database, found)))
    return f"{made.alias} AS {duck_name(alias)}", frame


def _plain(tree: exp.Expr, known: set[str]) -> None:
    for name, given in tree.args.items():
        if given and name not in known:
            raise unknown(f"{name.strip('_').upper()} of {type(tree).__name__.upper()}")


def _where(tree: exp.Expr, frame: Frame) -> str:
    found = tree.args.get("where")
    return f" WHERE {predicate(found.this, frame)}" if found else ""


def _update(session: Session, tree: exp.Update) -> int:
    _plain(tree, {"this", "expressions", "where"})
    database, found = target(session, tree.this)
    source, frame = _numbered(session, found, tree.this, database)
    alias = frame.sources[0].alias
    changed = [(column(found, one.this.name, session), value(one.expression, frame)) for one in tree.expressions]
    items = [cast(new, one.type).sql for one, new in changed]
    sql = f"SELECT {duck_name(alias)}._row, {', '.join(items)} FROM {source}{_where(tree, frame)}"
    _demand(session, "UPDATE", database, found, {one.name for one, _ in changed})
    _demand_read(session, frame)
    rows = session.instance.duck.execute(sql).fetchall()
    places = [found.columns.index(one) for one, _ in changed]
    for _, *values in rows:
        for place, new in zip(places, values, strict=True):
            _check(database, found, found.columns[place], new)
    for number, *values in rows:
        row = list(found.rows[number])
        for place, new in zip(places, values, strict=True):
            row[place] = new
        found.rows[number] = tuple(row)
    return len(rows)


def _demand_read(session: Session, frame: Frame) -> None:
    if frame.sources[0].used:
        session.demand_read(frame.sources)


def _delete(session: Session, tree: exp.Delete) -> int:
    _plain(tree, {"this", "where"})
    database, found = target(session, tree.this)
    source, frame = _numbered(session, found, tree.this, database)
    _demand(session, "DELETE", database, found, set())
    where = _where(tree, frame)
    _demand_read(session, frame)
    sql = f"SELECT {duck_name(frame.sources[0].alias)}._row FROM {source}{where}"
    gone = {row[0] for row in session.instance.duck.execute(sql).fetchall()}
    found.rows[:] = [row for number, row in enumerate(found.rows) if number not in gone]
    return len(gone)


@statement("TRUNCATE TABLE")
def truncate(session: Session, cursor: Cursor) -> Iterator[Answer]:
    parts = cursor.dotted()
    database, schema, name = relations.located(session, parts)
    found = session.find_object(database, schema, name)
    if found is None or not has(session, "ALTER", of_object(database, found), database):
        raise cannot_find(".".join(parts))
    session.instance.changing(session)
    found.rows.clear()
    yield Done()


def cannot_find(name: str) -> Failed:
    return failed(
        4701, f'Cannot find the object "{name}" because it does not exist or you do not have permissions.', state=1
    )
