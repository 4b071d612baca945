"""SELECT, with or without common table expressions, and SELECT @variable = …"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from tests.simulators.mssql import kinds
from tests.simulators.mssql.answers import Answer, Column, Done, Rows, failed
from tests.simulators.mssql.dialect import parsed
from tests.simulators.mssql.frames import Variable
from tests.simulators.mssql.lexer import Cursor
from tests.simulators.mssql.queries import query
from tests.simulators.mssql.registry import Field, statement

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


@statement("SELECT")
@statement("WITH")
def select(session: Session, cursor: Cursor) -> Iterator[Answer]:
    tree = parsed(rest(cursor))
    if isinstance(tree, exp.Insert | exp.Update | exp.Delete):
        from tests.simulators.mssql.statements.changes import change

        yield from change(session, tree)
        return
    assigned = assignments(tree)
    if assigned:
        yield from _assign(session, tree, assigned)
        return
    fields, rows = run(session, tree)
    session.row_count = len(rows)
    yield Rows(tuple(Column(one.name, one.type, one.nullable) for one in fields), rows)
    yield Done(len(rows))


def rest(cursor: Cursor) -> str:
    """The text of the whole statement, which ends where the cursor's tokens do."""
    sql = cursor.sql[cursor.found[0].start : cursor.found[-1].end]
    cursor.at = len(cursor.found)
    return sql


def run(session: Session, tree: exp.Expr) -> tuple[tuple[Field, ...], list[tuple[object, ...]]]:
    sql, fields = query(tree, session.frame())
    found = session.instance.duck.execute(sql)
    types = [str(one[1]) for one in found.description or ()]
    fields = tuple(
        Field(one.name, one.type if one.type != "?" else kinds.of_duck(kind), one.nullable)
        for one, kind in zip(fields, types, strict=True)
    )
    rows = [
        tuple(kinds.outward(value, one.type) for value, one in zip(row, fields, strict=True))
        for row in found.fetchall()
    ]
    return fields, rows


def assignments(tree: exp.Expr) -> list[tuple[str, exp.Expr]]:
    """``SELECT @a = 1, @b = name``: sqlglot reads the equal sign as an alias or as a comparison."""
    if not isinstance(tree, exp.Select):
        return []
    found = []
    for one in tree.expressions:
        if isinstance(one, exp.EQ | exp.PropertyEQ) and isinstance(one.this, exp.Parameter):
            found.append((f"@{one.this.name}", one.expression))
        elif isinstance(one, exp.Alias) and isinstance(one.args["alias"], exp.Parameter):
            found.append((f"@{one.args['alias'].name}", one.this))
    if found and len(found) != len(tree.expressions):
        raise failed(
            141,
            "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval "
            "operations.",
            severity=15,
        )
    return found


def _assign(session: Session, tree: exp.Expr, assigned: list[tuple[str, exp.Expr]]) -> Iterator[Answer]:
    tree = tree.copy()
    tree.set("expressions", [expression for _, expression in assigned])
    _, rows = run(session, tree)
    if rows:
        for (name, _), value in zip(assigned, rows[-1], strict=True):
            set_variable(session, name, value)
    session.row_count = len(rows)
    yield Done(len(rows))


def set_variable(session: Session, name: str, value: object) -> None:
    known = next((one for one in session.variables if one.casefold() == name.casefold()), None)
    if known is None:
        raise failed(137, f'Must declare the scalar variable "{name}".', severity=15)
    session.variables[known] = Variable(session.variables[known].kind, value)
