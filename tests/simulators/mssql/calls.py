"""Calls of functions: those that DuckDB can compute as a template of SQL, those of the model in Python, aggregates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlglot import exp

from tests.simulators.mssql import dates, kinds
from tests.simulators.mssql.answers import failed, unknown
from tests.simulators.mssql.casts import cast
from tests.simulators.mssql.frames import Frame, Typed
from tests.simulators.mssql.registry import FUNCTIONS, Function

Nodes = Sequence[exp.Expr]


class Native(NamedTuple):
    """``{0}``, ``{1}`` … stand for the arguments; ``parameters`` are their T-SQL types.

    ``returns`` may be ``=0``: the type of the first argument; ``~0``: that, of varying length.
    """

    sql: str
    returns: str
    parameters: tuple[str, ...] = ()


TEXT = "nvarchar(max)"
NATIVES = {
    "LEN": Native("length(rtrim({0}))", "int", (TEXT,)),
    "LOWER": Native("lower({0})", "=0", (TEXT,)),
    "UPPER": Native("upper({0})", "=0", (TEXT,)),
    "LTRIM": Native("ltrim({0})", "~0", (TEXT,)),
    "RTRIM": Native("rtrim({0})", "~0", (TEXT,)),
    "TRIM": Native("trim({0})", "~0", (TEXT,)),
    "LEFT": Native("left({0}, {1})", "~0", (TEXT, "int")),
    "RIGHT": Native("right({0}, {1})", "~0", (TEXT, "int")),
    "SUBSTRING": Native("substr({0}, {1}, {2})", "~0", (TEXT, "int", "int")),
    "REPLACE": Native("replace({0}, {1}, {2})", "nvarchar(4000)", (TEXT, TEXT, TEXT)),
    "REVERSE": Native("reverse({0})", "=0", (TEXT,)),
    "REPLICATE": Native("repeat({0}, {1})", "nvarchar(4000)", (TEXT, "int")),
    "CHARINDEX": Native("instr(lower({1}), lower({0}))", "int", (TEXT, TEXT)),
    "QUOTENAME": Native("('[' || replace({0}, ']', ']]') || ']')", "nvarchar(258)", ("nvarchar(128)",)),
    "STUFF": Native(
        "(left({0}, {1} - 1) || {3} || substr({0}, {1} + {2}))", "nvarchar(4000)", (TEXT, "int", "int", TEXT)
    ),
    "CHAR": Native("chr({0})", "char(1)", ("int",)),
    "NCHAR": Native("chr({0})", "nchar(1)", ("int",)),
    "UNICODE": Native("unicode({0})", "int", (TEXT,)),
    "ASCII": Native("ascii({0})", "int", (TEXT,)),
    "YEAR": Native("CAST(year({0}) AS INTEGER)", "int", ("datetime2(7)",)),
    "MONTH": Native("CAST(month({0}) AS INTEGER)", "int", ("datetime2(7)",)),
    "DAY": Native("CAST(day({0}) AS INTEGER)", "int", ("datetime2(7)",)),
    "ABS": Native("abs({0})", "=0"),
    "FLOOR": Native("floor({0})", "=0"),
    "CEILING": Native("ceil({0})", "=0"),
    "ROUND": Native("round({0}, {1})", "=0"),
    "SIGN": Native("sign({0})", "=0"),
    "POWER": Native("power({0}, {1})", "=0"),
    "SQRT": Native("sqrt({0})", "float"),
    "LOG": Native("ln({0})", "float"),
    "EXP": Native("exp({0})", "float"),
    "NEWID": Native("uuid()", "uniqueidentifier"),
}
AGGREGATES = {"COUNT", "COUNT_BIG", "SUM", "MIN", "MAX", "AVG", "STRING_AGG", "STDEV", "VAR"}
RANKINGS = {
    "ROW_NUMBER": "bigint",
    "RANK": "bigint",
    "DENSE_RANK": "bigint",
    "NTILE": "bigint",
    "LAG": "=0",
    "LEAD": "=0",
    "FIRST_VALUE": "=0",
    "LAST_VALUE": "=0",
}


def call(name: str, arguments: Nodes, frame: Frame) -> Typed:
    upper = name.upper()
    if upper in SPECIAL:
        return SPECIAL[upper](arguments, frame)
    if upper in AGGREGATES:
        return _aggregate(upper, arguments, frame)
    if upper in NATIVES:
        return _native(upper, NATIVES[upper], arguments, frame)
    plain = upper.removeprefix("MASTER.").removeprefix("SYS.") if ".FN_" in upper else upper
    if plain in FUNCTIONS:
        return _modelled(FUNCTIONS[plain], arguments, frame)
    if "." in name:
        raise failed(
            4121,
            f'Cannot find either column "{name.partition(".")[0]}" or the user-defined function or aggregate '
            f'"{name}", or the name is ambiguous.',
        )
    raise failed(195, f"'{name}' is not a recognized built-in function name.", severity=15, state=10)


def _values(arguments: Nodes, frame: Frame) -> list[Typed]:
    from tests.simulators.mssql.values import value

    return [value(one, frame) for one in arguments]


def _count(name: str, given: int, least: int, most: int) -> None:
    if least <= given <= most:
        return
    if least == most:
        raise failed(174, f"The {name.lower()} function requires {least} argument(s).", severity=15)
    raise failed(189, f"The {name.lower()} function requires {least} to {most} arguments.", severity=15)


def _native(name: str, native: Native, arguments: Nodes, frame: Frame) -> Typed:
    found = _values(arguments, frame)
    if name == "SUBSTRING" and len(found) == 3 and kinds.base(found[0].kind) in kinds.BINARY:
        start, length = (cast(one, "int").sql for one in found[1:])
        return Typed(f"unhex(substr(hex({found[0].sql}), 2 * {start} - 1, 2 * {length}))", found[0].kind)
    wanted = native.parameters or tuple(one.kind for one in found)
    _count(name, len(found), len(wanted), len(wanted))
    given = [cast(one, kind).sql for one, kind in zip(found, wanted, strict=True)]
    kind = found[0].kind if native.returns in {"=0", "~0"} else native.returns
    sql = native.sql.format(*given)
    plain = kinds.base(kind) in kinds.TEXT or native.returns != "=0"
    kind = kind.replace("sysname", "nvarchar(128)")
    if native.returns == "~0" and kinds.base(kind) in {"char", "nchar"}:
        kind = kind.replace("char", "varchar", 1)
    return Typed(sql if plain else f"CAST({sql} AS {kinds.duck(kind)})", kind)


def _modelled(function: Function, arguments: Nodes, frame: Frame) -> Typed:
    found = _values(arguments, frame)
    least = sum(not kind.endswith("?") for kind in function.parameters)
    _count(function.name, len(found), least, len(function.parameters))
    wanted = [kind.rstrip("?") for kind in function.parameters[: len(found)]]
    given = [cast(one, kind).sql for one, kind in zip(found, wanted, strict=True)]
    if not given:
        return Typed(kinds.literal(_once(function, frame), function.returns), function.returns)
    name = frame.session.instance.register(function, tuple(wanted))
    return Typed(f"{name}({', '.join(given)})", function.returns)


def _once(function: Function, frame: Frame) -> object:
    """Without arguments it has one value for the whole statement, as GETDATE() does on a server."""
    return function.call(frame.session)


def _aggregate(name: str, arguments: Nodes, frame: Frame) -> Typed:
    distinct = ""
    if arguments and isinstance(arguments[0], exp.Distinct):
        distinct, arguments = "DISTINCT ", [*arguments[0].expressions, *arguments[1:]]
    if name in {"COUNT", "COUNT_BIG"}:
        inside = "*" if isinstance(arguments[0], exp.Star) else distinct + _values(arguments, frame)[0].sql
        kind = "int" if name == "COUNT" else "bigint"
        return Typed(f"CAST(count({inside}) AS {kinds.duck(kind)})", kind, False)
    found = _values(arguments, frame)
    kind = found[0].kind
    if name == "STRING_AGG":
        _count(name, len(found), 2, 2)
        kind = kind if kinds.arguments(kind) == (-1,) else "nvarchar(4000)"
        return Typed(f"string_agg({cast(found[0], kind).sql}, {found[1].sql})", kind)
    _count(name, len(found), 1, 1)
    if name in {"MIN", "MAX"}:
        _not_of(name, kind, {"bit", "xml", "text", "ntext", "image"})
        return Typed(f"{name.lower()}({distinct}{found[0].sql})", kind)
    _not_of(name, kind, {"bit", *kinds.TEXT, *kinds.BINARY, *kinds.MOMENTS, "uniqueidentifier"})
    if name in {"STDEV", "VAR"}:
        return Typed(f"{'stddev_samp' if name == 'STDEV' else 'var_samp'}({distinct}{found[0].sql})", "float")
    total = _total_kind(kind, average=name == "AVG")
    sql = f"{name.lower()}({distinct}{found[0].sql})"
    if name == "AVG" and total in kinds.WHOLE:
        sql = f"trunc({sql})"
    return Typed(f"CAST({sql} AS {kinds.duck(total)})", total)


def _not_of(name: str, kind: str, refused: set[str]) -> None:
    if kinds.base(kind) in refused:
        raise failed(8117, f"Operand data type {kinds.base(kind)} is invalid for {name.lower()} operator.")


def _total_kind(kind: str, *, average: bool) -> str:
    """SUM and AVG of tinyint, smallint and int are int; of decimals, numeric(38,s)."""
    name = kinds.base(kind)
    if name in {"tinyint", "smallint", "int"}:
        return "int"
    if name in {"numeric", "decimal"}:
        scale = (*kinds.arguments(kind), 0, 0)[1]
        return f"numeric(38,{max(scale, 6) if average else scale})"
    return "float" if name in {"real", "float"} else name


def window(node: exp.Expr, frame: Frame) -> Typed:
    from tests.simulators.mssql.queries import ordering
    from tests.simulators.mssql.values import value

    inner = node.this
    name = inner.name.upper()
    if name in RANKINGS:
        found = _values(inner.expressions, frame)
        kind = found[0].kind if RANKINGS[name] == "=0" else RANKINGS[name]
        base = Typed(f"{name.lower()}({', '.join(one.sql for one in found)})", kind)
    else:
        base = _aggregate(name, inner.expressions, frame)
    parts = []
    if node.args.get("partition_by"):
        parts.append("PARTITION BY " + ", ".join(value(one, frame).sql for one in node.args["partition_by"]))
    if node.args.get("order"):
        parts.append(ordering(node.args["order"], frame))
    elif name in RANKINGS:
        raise failed(4112, f"The function '{name}' must have an OVER clause with ORDER BY.")
    if node.args.get("spec"):
        parts.append(node.args["spec"].sql("duckdb"))
    over = f"OVER ({' '.join(parts)})"
    sql = base.sql
    if sql.startswith("CAST(") and name in AGGREGATES:
        head, _, tail = sql.rpartition(" AS ")
        return base._replace(sql=f"{head} {over} AS {tail}")
    return base._replace(sql=f"{sql} {over}")


def within_group(node: exp.Expr, frame: Frame) -> Typed:
    from tests.simulators.mssql.queries import ordering

    if node.this.name.upper() != "STRING_AGG":
        raise unknown(f"WITHIN GROUP of {node.this.name}")
    found = _aggregate("STRING_AGG", node.this.expressions, frame)
    return found._replace(sql=f"{found.sql[:-1]} {ordering(node.expression, frame)})")


def global_variable(name: str, frame: Frame) -> Typed:
    function = FUNCTIONS.get(f"@@{name.upper()}")
    if function is None:
        raise failed(137, f'Must declare the scalar variable "@@{name}".', severity=15)
    return _modelled(function, [], frame)


def _isnull(arguments: Nodes, frame: Frame) -> Typed:
    """The type is that of the first argument, unlike COALESCE."""
    _count("isnull", len(arguments), 2, 2)
    first, second = _values(arguments, frame)
    kind = second.kind if first.sql == "NULL" else first.kind
    return Typed(f"coalesce({cast(first, kind).sql}, {cast(second, kind).sql})", kind, second.nullable)


def _coalesce(arguments: Nodes, frame: Frame) -> Typed:
    from tests.simulators.mssql.values import common

    found = _values(arguments, frame)
    kind = common(found)
    return Typed(f"coalesce({', '.join(cast(one, kind).sql for one in found)})", kind)


def _nullif(arguments: Nodes, frame: Frame) -> Typed:
    from tests.simulators.mssql.predicates import compare

    first, second = _values(arguments, frame)
    return Typed(f"CASE WHEN {compare('=', first, second)} THEN NULL ELSE {first.sql} END", first.kind)


def _iif(arguments: Nodes, frame: Frame) -> Typed:
    from tests.simulators.mssql.predicates import predicate
    from tests.simulators.mssql.values import common

    _count("iif", len(arguments), 3, 3)
    found = _values(arguments[1:], frame)
    kind = common(found)
    yes, no = (cast(one, kind).sql for one in found)
    return Typed(f"CASE WHEN {predicate(arguments[0], frame)} THEN {yes} ELSE {no} END", kind)


def _concat(arguments: Nodes, frame: Frame) -> Typed:
    """NULL counts as an empty text, unlike with ``+``."""
    found = [cast(one, TEXT).sql for one in _values(arguments, frame)]
    return Typed(f"concat({', '.join(found)})", "nvarchar(4000)", False)


def _datalength(arguments: Nodes, frame: Frame) -> Typed:
    found = _values(arguments, frame)[0]
    name = kinds.base(found.kind)
    if name in kinds.BINARY:
        return Typed(f"CAST(octet_length({found.sql}) AS INTEGER)", "int")
    if name in kinds.TEXT:
        width = 2 if name.startswith("n") or name == "sysname" else 1
        return Typed(f"CAST(length({found.sql}) * {width} AS INTEGER)", "int")
    raise unknown(f"DATALENGTH of {found.kind}")


SPECIAL: dict[str, Callable[[Nodes, Frame], Typed]] = {
    "ISNULL": _isnull,
    "COALESCE": _coalesce,
    "NULLIF": _nullif,
    "IIF": _iif,
    "CONCAT": _concat,
    "DATALENGTH": _datalength,
    "DATEADD": dates.dateadd,
    "DATEDIFF": dates.datediff,
    "DATEDIFF_BIG": dates.datediff_big,
    "DATEPART": dates.datepart,
}
