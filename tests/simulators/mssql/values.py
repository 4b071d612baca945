"""Scalar expressions of T-SQL as SQL of DuckDB, each with its T-SQL type. What is not listed here is an error."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from tests.simulators.mssql import calls, kinds, predicates
from tests.simulators.mssql.answers import failed, unknown
from tests.simulators.mssql.casts import cast, convert
from tests.simulators.mssql.frames import Frame, Typed
from tests.simulators.mssql.understood import understood

NILADIC = {
    "CURRENT_TIMESTAMP": "GETDATE",
    "SYSTEM_USER": "SUSER_NAME",
    "CURRENT_USER": "USER_NAME",
    "USER": "USER_NAME",
}
"""Functions that are written without parentheses, and what they are the same as."""


def value(node: exp.Expr, frame: Frame) -> Typed:
    handler = HANDLERS.get(type(node))
    if handler is not None:
        understood(node)
        return handler(node, frame)
    if predicates.is_predicate(node):
        raise failed(102, f"Incorrect syntax near '{predicates.sign(node)}'.", severity=15)
    raise unknown(f"the expression {node.sql('tsql')!r} ({type(node).__name__})")


def text(node: exp.Expr, frame: Frame) -> str:
    return value(node, frame).sql


def is_niladic(node: exp.Expr) -> bool:
    quoted = isinstance(node.this, exp.Identifier) and node.this.args.get("quoted")
    return not node.text("table") and not quoted and node.name.upper() in NILADIC


def _column(node: exp.Expr, frame: Frame) -> Typed:
    name = node.name
    qualifier = node.text("table")
    if is_niladic(node):
        return calls.call(NILADIC[name.upper()], [], frame)
    return frame.column(name, qualifier)


def _literal(node: exp.Expr, _frame: Frame) -> Typed:
    assert isinstance(node, exp.Literal)
    if node.is_string:
        return _string(node.this, "varchar")
    if "e" in node.this.lower():
        return Typed(f"CAST({node.this} AS DOUBLE)", "float", False)
    if "." in node.this:
        whole, _, part = node.this.partition(".")
        kind = f"numeric({max(len(whole.lstrip('0')) + len(part), 1)},{len(part)})"
        return Typed(f"CAST({node.this} AS {kinds.duck(kind)})", kind, False)
    number = int(node.this)
    kind = "int" if number < 2**31 else f"numeric({len(node.this)},0)"
    return Typed(f"CAST({number} AS {kinds.duck(kind)})", kind, False)


def _string(found: str, name: str) -> Typed:
    quoted = found.replace("'", "''")
    return Typed(f"'{quoted}'", f"{name}({max(len(found), 1)})", False)


def _national(node: exp.Expr, _frame: Frame) -> Typed:
    return _string(node.this, "nvarchar")


def _hex(node: exp.Expr, _frame: Frame) -> Typed:
    raw = bytes.fromhex(node.this if len(node.this) % 2 == 0 else "0" + node.this)
    return Typed(kinds.literal(raw, "varbinary(max)"), f"varbinary({max(len(raw), 1)})", False)


def _null(_node: exp.Expr, _frame: Frame) -> Typed:
    return Typed("NULL", "int")


def _parameter(node: exp.Expr, frame: Frame) -> Typed:
    if isinstance(node.this, exp.Parameter):
        return calls.global_variable(node.this.name, frame)
    name = f"@{node.name}"
    for known, variable in frame.variables.items():
        if known.casefold() == name.casefold():
            return Typed(kinds.literal(variable.value, variable.kind), variable.kind, variable.value is None)
    raise failed(137, f'Must declare the scalar variable "{name}".', severity=15)


def _paren(node: exp.Expr, frame: Frame) -> Typed:
    found = value(node.this, frame)
    return found._replace(sql=f"({found.sql})")


def _cast(node: exp.Expr, frame: Frame) -> Typed:
    return cast(value(node.this, frame), kind_of(node.args["to"]), safe=isinstance(node, exp.TryCast))


def _convert(node: exp.Expr, frame: Frame) -> Typed:
    style = node.args.get("style")
    number = int(style.sql("tsql")) if style is not None else 0
    return convert(value(node.expression, frame), kind_of(node.this), number, safe=bool(node.args.get("safe")))


def kind_of(node: exp.Expr) -> str:
    """``nvarchar(128)`` of the tree of a type; the lengths that T-SQL assumes in a CAST are filled in."""
    written = node.sql("tsql").lower().replace(" ", "")
    name = kinds.base(written)
    if isinstance(node, exp.DataType) and node.this is exp.DType.USERDEFINED:
        written = name = (node.text("kind").lower() or written).removeprefix("sys.")
    if name == "integer":
        return "int"
    if name not in kinds.NAMES:
        raise failed(243, f"Type {written} is not a defined system type.")
    if "(" not in written and name in {"char", "varchar", "nchar", "nvarchar", "binary", "varbinary"}:
        return f"{written}(30)"
    return {"decimal": "numeric(18,0)", "numeric": "numeric(18,0)"}.get(written, written.replace("decimal", "numeric"))


def _case(node: exp.Expr, frame: Frame) -> Typed:
    subject = value(node.this, frame) if node.this else None
    branches = [(branch.this, value(branch.args["true"], frame)) for branch in node.args["ifs"]]
    default = node.args.get("default")
    results = [found for _, found in branches] + ([value(default, frame)] if default is not None else [])
    kind = common(results)
    conditions = [
        predicates.compare("=", subject, value(one, frame)) if subject else predicates.predicate(one, frame)
        for one, _ in branches
    ]
    parts = [f"WHEN {test} THEN {cast(found, kind).sql}" for test, (_, found) in zip(conditions, branches, strict=True)]
    other = f" ELSE {cast(results[-1], kind).sql}" if default is not None else ""
    return Typed(f"CASE {' '.join(parts)}{other} END", kind)


ORDER = (
    *("varbinary", "char", "varchar", "nchar", "sysname", "nvarchar", "uniqueidentifier", "bit", "tinyint", "smallint"),
    *("int", "bigint", "smallmoney", "money", "numeric", "real", "float", "time", "date", "smalldatetime"),
    *("datetime", "datetime2", "datetimeoffset", "xml", "sql_variant"),
)
"""Data type precedence, the lowest first."""


def common(found: list[Typed]) -> str:
    """The type of CASE, COALESCE or UNION: the one that goes before the others, as long as the longest of them."""
    known = [one for one in found if one.sql != "NULL"] or found
    rank = {name: place for place, name in enumerate(ORDER)}
    best = max(known, key=lambda one: rank.get(kinds.base(one.kind), 0)).kind
    lengths = [kinds.arguments(one.kind) for one in known if kinds.base(one.kind) in kinds.TEXT | kinds.BINARY]
    if kinds.base(best) in kinds.TEXT | kinds.BINARY and "(" in best and all(lengths):
        longest = "max" if any(-1 in one for one in lengths) else str(max(one[0] for one in lengths))
        return f"{kinds.base(best)}({longest})"
    return best


def _arithmetic(node: exp.Expr, frame: Frame) -> Typed:
    assert isinstance(node, exp.Binary)
    left, right = value(node.left, frame), value(node.right, frame)
    sign = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}[type(node)]
    names = {kinds.base(left.kind), kinds.base(right.kind)}
    if names <= kinds.TEXT | kinds.BINARY and left.sql != "NULL" and right.sql != "NULL":
        return _concatenation(sign, left, right)
    if names & {"datetime", "smalldatetime"}:
        raise unknown("arithmetic of datetimes other than DATEADD and DATEDIFF")
    kind = numeric_kind(sign, left, right)
    left, right = cast(left, _operand(left, kind)), cast(right, _operand(right, kind))
    operator = "//" if sign == "/" and kind in kinds.WHOLE else sign
    return cast(Typed(f"({left.sql} {operator} {right.sql})", "?"), kind)


def _concatenation(sign: str, left: Typed, right: Typed) -> Typed:
    if sign != "+":
        raise failed(8117, f"Operand data type {kinds.base(left.kind)} is invalid for subtract operator.")
    lengths = [kinds.arguments(one.kind) or (128,) for one in (left, right)]
    total = sum(one[0] for one in lengths)
    base = kinds.base(common([left, right])).replace("sysname", "nvarchar")
    longest = "max" if any(-1 in one for one in lengths) else min(total, 4000 if base.startswith("n") else 8000)
    return Typed(f"({left.sql} || {right.sql})", f"{base}({longest})")


def numeric_kind(sign: str, left: Typed, right: Typed) -> str:
    """The documented precision and scale of arithmetic (Precision, scale, and length)."""
    name = kinds.base(common([left, right]))
    if name in kinds.TEXT:
        name = "int"
    if name not in {"numeric", "decimal"}:
        return "int" if name == "bit" else name
    (p1, s1), (p2, s2) = _precision(left.kind), _precision(right.kind)
    if sign == "/":
        scale = max(6, s1 + p2 + 1)
        precision = p1 - s1 + s2 + scale
    elif sign == "*":
        precision, scale = p1 + p2 + 1, s1 + s2
    else:
        scale = max(s1, s2)
        precision = scale + max(p1 - s1, p2 - s2) + 1
    if precision > 38:
        precision, scale = 38, max(min(scale, 38 - (precision - scale)), min(scale, 6))
    return f"numeric({precision},{scale})"


def _precision(kind: str) -> tuple[int, int]:
    whole = {"bit": 1, "tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
    if kinds.base(kind) in whole:
        return whole[kinds.base(kind)], 0
    found = (*kinds.arguments(kind), 0)
    return (found[0], found[1]) if len(found) > 1 else (18, 0)


def _operand(found: Typed, kind: str) -> str:
    """A decimal keeps its own scale in an operation; a whole number meets it as a double of DuckDB would not."""
    return (
        found.kind
        if kinds.base(found.kind) in {"numeric", "decimal"}
        else "numeric(19,0)"
        if "numeric" in kind
        else kind
    )


def _bitwise(node: exp.Expr, frame: Frame) -> Typed:
    assert isinstance(node, exp.Binary)
    left, right = value(node.left, frame), value(node.right, frame)
    kind = numeric_kind("+", left, right)
    sign = {exp.BitwiseAnd: "&", exp.BitwiseOr: "|"}.get(type(node))
    left, right = cast(left, kind), cast(right, kind)
    return Typed(f"({left.sql} {sign} {right.sql})" if sign else f"xor({left.sql}, {right.sql})", kind)


def _negative(node: exp.Expr, frame: Frame) -> Typed:
    found = value(node.this, frame)
    return Typed(f"(-{found.sql})", found.kind, found.nullable)


def _subquery(node: exp.Expr, frame: Frame) -> Typed:
    from tests.simulators.mssql.queries import query

    sql, fields = query(node.this, frame.inner())
    if len(fields) != 1:
        raise failed(
            116,
            "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.",
            severity=15,
        )
    return Typed(f"({sql})", fields[0].type)


def _collate(node: exp.Expr, frame: Frame) -> Typed:
    found = value(node.this, frame)
    name = node.expression.name.upper()
    if name in {"DATABASE_DEFAULT", "CATALOG_DEFAULT"}:
        return found
    if not name.startswith(("SQL_", "LATIN1_")):
        raise failed(448, f"Invalid collation '{node.expression.name}'.")
    return found._replace(sql=f"({found.sql} COLLATE {'C' if '_BIN' in name or '_CS' in name else 'NOCASE'})")


def _anonymous(node: exp.Expr, frame: Frame) -> Typed:
    return calls.call(node.name, node.expressions, frame)


def _dotted(node: exp.Expr, frame: Frame) -> Typed:
    """``sys.fn_varbintohexstr(…)``, ``master.sys.…``, ``dbo.total(…)``."""
    last = node.expression
    if isinstance(last, exp.Anonymous):
        return calls.call(
            f"{node.this.sql('tsql')}.{last.name}".replace("[", "").replace("]", ""), last.expressions, frame
        )
    raise unknown(f"the expression {node.sql('tsql')!r}")


def _zone(node: exp.Expr, frame: Frame) -> Typed:
    zone = node.args["zone"].name
    if zone.upper() != "UTC":
        raise unknown(f"the time zone {zone!r}")
    found = value(node.this, frame)
    if kinds.base(found.kind) == "datetimeoffset":
        return found
    return Typed(f"timezone('UTC', {found.sql})", "datetimeoffset(7)")


HANDLERS: dict[type[exp.Expr], Callable[[exp.Expr, Frame], Typed]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.National: _national,
    exp.HexString: _hex,
    exp.Null: _null,
    exp.Parameter: _parameter,
    exp.Paren: _paren,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Convert: _convert,
    exp.Case: _case,
    exp.Add: _arithmetic,
    exp.Sub: _arithmetic,
    exp.Mul: _arithmetic,
    exp.Div: _arithmetic,
    exp.Mod: _arithmetic,
    exp.BitwiseAnd: _bitwise,
    exp.BitwiseOr: _bitwise,
    exp.BitwiseXor: _bitwise,
    exp.Neg: _negative,
    exp.Subquery: _subquery,
    exp.Collate: _collate,
    exp.Anonymous: _anonymous,
    exp.Dot: _dotted,
    exp.AtTimeZone: _zone,
    exp.Window: calls.window,
    exp.WithinGroup: calls.within_group,
}
