"""Conditions: T-SQL keeps them apart from values, so ``WHERE is_disabled`` is an error and ``SELECT a > 1`` too."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from tests.simulators.mssql import kinds, values
from tests.simulators.mssql.answers import failed, unknown
from tests.simulators.mssql.casts import cast
from tests.simulators.mssql.frames import Frame, Typed
from tests.simulators.mssql.understood import understood

SIGNS: dict[type[exp.Expr], str] = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.GT: ">", exp.LTE: "<=", exp.GTE: ">="}


def is_predicate(node: exp.Expr) -> bool:
    return type(node) in HANDLERS and not isinstance(node, exp.Paren)


def sign(node: exp.Expr) -> str:
    return SIGNS.get(type(node), type(node).__name__.upper())


def predicate(node: exp.Expr, frame: Frame) -> str:
    handler = HANDLERS.get(type(node))
    if handler is None:
        near = node.name or node.sql("tsql")
        raise failed(
            4145,
            f"An expression of non-boolean type specified in a context where a condition is expected, near '{near}'.",
            severity=15,
        )
    understood(node)
    return handler(node, frame)


def compare(mark: str, left: Typed, right: Typed) -> str:
    """Both sides meet in the type that goes before the other, as T-SQL converts without being asked."""
    if "NULL" in {left.sql, right.sql}:
        return f"({left.sql} {mark} {right.sql})"
    one, other = kinds.base(left.kind), kinds.base(right.kind)
    if kinds.duck(left.kind) == kinds.duck(right.kind) or {one, other} <= _NUMBERS - {"bit"}:
        return f"({left.sql} {mark} {right.sql})"
    if (one in kinds.TEXT) != (other in kinds.TEXT) and {one, other} & kinds.BINARY:
        text, binary = (left, right) if one in kinds.TEXT else (right, left)
        raise failed(
            257 if kinds.base(text.kind).startswith("n") else 402,
            f"Implicit conversion from data type {kinds.base(text.kind)} to {kinds.base(binary.kind)} is not allowed. "
            "Use the CONVERT function to run this query.",
        )
    kind = values.common([left, right])
    if "bit" in {one, other} and {one, other} <= _NUMBERS:
        kind = "int"
    return f"({cast(left, kind).sql} {mark} {cast(right, kind).sql})"


_NUMBERS = frozenset({*kinds.WHOLE, "numeric", "decimal", "money", "smallmoney", "float", "real"})


def _comparison(node: exp.Expr, frame: Frame) -> str:
    right = node.expression
    if isinstance(right, exp.Any | exp.All):
        raise unknown("comparisons with ANY and ALL")
    return compare(SIGNS[type(node)], values.value(node.this, frame), values.value(right, frame))


def _both(node: exp.Expr, frame: Frame) -> str:
    word = "AND" if isinstance(node, exp.And) else "OR"
    return f"({predicate(node.this, frame)} {word} {predicate(node.expression, frame)})"


def _not(node: exp.Expr, frame: Frame) -> str:
    return f"(NOT {predicate(node.this, frame)})"


def _paren(node: exp.Expr, frame: Frame) -> str:
    return f"({predicate(node.this, frame)})"


def _is(node: exp.Expr, frame: Frame) -> str:
    if not isinstance(node.expression, exp.Null):
        raise failed(102, "Incorrect syntax near 'IS'.", severity=15)
    return f"({values.text(node.this, frame)} IS NULL)"


def _in(node: exp.Expr, frame: Frame) -> str:
    left = values.value(node.this, frame)
    inner = node.args.get("query")
    if inner is None:
        tests = [compare("=", left, values.value(one, frame)) for one in node.expressions]
        return f"({' OR '.join(tests)})"
    from tests.simulators.mssql.queries import query

    found = inner.this if isinstance(inner, exp.Subquery) else inner
    sql, fields = query(found, frame.inner())
    if len(fields) != 1:
        raise failed(
            116,
            "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.",
            severity=15,
        )
    right = Typed('q."v"', fields[0].type)
    test = compare("=", left, right)
    side = test[1:].split(' = q."v"')[0] if test.endswith('= q."v")') else None
    if side is None:
        return f'({left.sql} IN (SELECT {cast(right, left.kind).sql} FROM ({sql}) AS q("v")))'
    return f"({side} IN ({sql}))"


def _like(node: exp.Expr, frame: Frame) -> str:
    """Patterns go through a function of the model: DuckDB's LIKE knows no sets (``[a-z]``, ``[^x]``, ``[_]``)."""
    escape = "''"
    if isinstance(node, exp.Escape):
        escape = values.text(node.expression, frame)
        node = node.this
    left = values.value(node.this, frame)
    right = values.value(node.expression, frame)
    exact = "TRUE" if frame.session.instance.case_sensitive or "COLLATE C" in left.sql + right.sql else "FALSE"
    kind = "nvarchar(max)"
    found = f"tsql_like({cast(left, kind).sql}, {cast(right, kind).sql}, {escape}, {exact})"
    return f"(NOT {found})" if node.args.get("negate") else found


def _between(node: exp.Expr, frame: Frame) -> str:
    found = values.value(node.this, frame)
    low, high = values.value(node.args["low"], frame), values.value(node.args["high"], frame)
    return f"({compare('>=', found, low)} AND {compare('<=', found, high)})"


def _exists(node: exp.Expr, frame: Frame) -> str:
    from tests.simulators.mssql.queries import query

    inner = node.this.this if isinstance(node.this, exp.Subquery) else node.this
    return f"EXISTS ({query(inner, frame.inner())[0]})"


HANDLERS: dict[type[exp.Expr], Callable[[exp.Expr, Frame], str]] = {
    **dict.fromkeys(SIGNS, _comparison),
    exp.And: _both,
    exp.Or: _both,
    exp.Not: _not,
    exp.Paren: _paren,
    exp.Is: _is,
    exp.In: _in,
    exp.Like: _like,
    exp.Escape: _like,
    exp.Between: _between,
    exp.Exists: _exists,
}
