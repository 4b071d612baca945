"""DATEADD, DATEDIFF and DATEPART: their first argument is a word, and what they count are boundaries crossed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from tests.simulators.mssql import kinds
from tests.simulators.mssql.answers import failed
from tests.simulators.mssql.casts import cast
from tests.simulators.mssql.frames import Frame, Typed

PARTS = {
    **dict.fromkeys(("YEAR", "YY", "YYYY"), "year"),
    **dict.fromkeys(("QUARTER", "QQ", "Q"), "quarter"),
    **dict.fromkeys(("MONTH", "MM", "M"), "month"),
    **dict.fromkeys(("DAY", "DD", "D"), "day"),
    **dict.fromkeys(("WEEK", "WK", "WW"), "week"),
    **dict.fromkeys(("HOUR", "HH"), "hour"),
    **dict.fromkeys(("MINUTE", "MI", "N"), "minute"),
    **dict.fromkeys(("SECOND", "SS", "S"), "second"),
    **dict.fromkeys(("MILLISECOND", "MS"), "millisecond"),
    **dict.fromkeys(("MICROSECOND", "MCS"), "microsecond"),
}


def part(node: exp.Expr, name: str) -> str:
    word = node.name.upper()
    if not isinstance(node, exp.Column) or word not in PARTS:
        raise failed(155, f"'{node.name}' is not a recognized {name.lower()} option.", severity=15)
    return PARTS[word]


def moment(node: exp.Expr, frame: Frame) -> Typed:
    from tests.simulators.mssql.values import value

    found = value(node, frame)
    if kinds.base(found.kind) in kinds.MOMENTS - {"time"}:
        return found
    return cast(found, "datetime")


def dateadd(arguments: Sequence[exp.Expr], frame: Frame) -> Typed:
    from tests.simulators.mssql.values import value

    word = part(arguments[0], "dateadd")
    count = cast(value(arguments[1], frame), "int")
    found = moment(arguments[2], frame)
    kind = "datetime" if found.kind == "date" and word in {"hour", "minute", "second"} else found.kind
    step = f"to_{word}s" if word != "quarter" else "to_months"
    times = f"{count.sql} * 3" if word == "quarter" else count.sql
    return Typed(f"CAST(({found.sql} + {step}({times})) AS {kinds.duck(kind)})", kind)


def datediff(arguments: Sequence[exp.Expr], frame: Frame) -> Typed:
    return _between(arguments, frame, "int")


def datediff_big(arguments: Sequence[exp.Expr], frame: Frame) -> Typed:
    return _between(arguments, frame, "bigint")


def _between(arguments: Sequence[exp.Expr], frame: Frame, kind: str) -> Typed:
    word = part(arguments[0], "datediff")
    first, last = (_plain(moment(one, frame)) for one in arguments[1:])
    return Typed(f"CAST(date_diff('{word}', {first}, {last}) AS {kinds.duck(kind)})", kind)


def _plain(found: Typed) -> str:
    if kinds.base(found.kind) == "datetimeoffset":
        return f"timezone('UTC', {found.sql})"
    return f"CAST({found.sql} AS TIMESTAMP)"


def datepart(arguments: Sequence[exp.Expr], frame: Frame) -> Typed:
    word = part(arguments[0], "datepart")
    return Typed(f"CAST(date_part('{word}', {_plain(moment(arguments[1], frame))}) AS INTEGER)", "int")
