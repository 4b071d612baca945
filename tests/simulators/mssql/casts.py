"""CAST and CONVERT: between the types that DuckDB holds apart as T-SQL does, and the styles that are in use."""

from __future__ import annotations

from tests.simulators.mssql import kinds
from tests.simulators.mssql.answers import unknown
from tests.simulators.mssql.frames import Typed

WIDTHS = {"bit": 1, "tinyint": 1, "smallint": 2, "int": 4, "bigint": 8}
MOMENT_STYLES = {
    0: "%b %-d %Y %-I:%M%p",
    20: "%Y-%m-%d %H:%M:%S",
    23: "%Y-%m-%d",
    112: "%Y%m%d",
    120: "%Y-%m-%d %H:%M:%S",
    121: "%Y-%m-%d %H:%M:%S.%g",
    126: "%Y-%m-%dT%H:%M:%S.%g",
    127: "%Y-%m-%dT%H:%M:%S.%gZ",
}


def cast(found: Typed, kind: str, *, safe: bool = False) -> Typed:
    """An expression as another type; a text is cut to its length, as an explicit CAST does."""
    if found.kind == kind or found.sql == "NULL":
        return found._replace(
            sql=f"CAST({found.sql} AS {kinds.duck(kind)})" if found.sql == "NULL" else found.sql, kind=kind
        )
    return convert(found, kind, 0, safe=safe)


def convert(found: Typed, kind: str, style: int, *, safe: bool = False) -> Typed:
    source, target = kinds.base(found.kind), kinds.base(kind)
    sql = _to_text(found.sql, source, style) if target in kinds.TEXT else ""
    sql = sql or (_from_text(found.sql, source, kind, style) if source in kinds.TEXT else "")
    sql = sql or _other(found.sql, source, kind)
    if not sql:
        sql = f"{'TRY_CAST' if safe else 'CAST'}({found.sql} AS {kinds.duck(kind)})"
    return Typed(_cut(sql, kind), kind, found.nullable or safe)


def _to_text(sql: str, source: str, style: int) -> str:
    if source in kinds.BINARY:
        return _binary_to_text(sql, style)
    if source in kinds.MOMENTS:
        return _moment_to_text(sql, source, style)
    if source == "bit":
        return f"CAST(CAST({sql} AS INTEGER) AS VARCHAR)"
    return f"upper(CAST({sql} AS VARCHAR))" if source == "uniqueidentifier" else ""


def _from_text(sql: str, source: str, kind: str, style: int) -> str:
    target = kinds.base(kind)
    if target in kinds.BINARY:
        return _text_to_binary(sql, source, style)
    return _text_to_moment(sql, kind, style) if target in kinds.MOMENTS - {"time"} else ""


def _other(sql: str, source: str, kind: str) -> str:
    target = kinds.base(kind)
    if source in kinds.BINARY and target in kinds.WHOLE:
        return f"CAST(tsql_whole({sql}, {WIDTHS[target]}) AS {kinds.duck(kind)})"
    if source in kinds.WHOLE and target in kinds.BINARY:
        return _whole_to_binary(sql, source, kind)
    if source in {"float", "real", "numeric", "decimal", "money"} and target in kinds.WHOLE:
        return f"CAST(trunc({sql}) AS {kinds.duck(kind)})"
    return ""


def _cut(sql: str, kind: str) -> str:
    length = kinds.arguments(kind)
    if kinds.base(kind) in kinds.TEXT and length and length[0] > 0:
        return f"left({sql}, {length[0]})"
    return sql


def _binary_to_text(sql: str, style: int) -> str:
    match style:
        case 1:
            return f"('0x' || hex({sql}))"
        case 2:
            return f"hex({sql})"
        case 0:
            return f"decode({sql})"
        case _:
            raise unknown(f"style {style} of a binary")


def _text_to_binary(sql: str, source: str, style: int) -> str:
    match style:
        case 0 if source in {"nchar", "nvarchar", "sysname"}:
            return f"tsql_utf16({sql})"
        case 0:
            return f"encode({sql})"
        case 1:
            return f"unhex(substr({sql}, 3))"
        case 2:
            return f"unhex({sql})"
        case _:
            raise unknown(f"style {style} of a binary")


def _text_to_moment(sql: str, kind: str, style: int) -> str:
    if style not in {0, 112, 120, 121, 126, 127}:
        raise unknown(f"style {style} of a date")
    moment = f"tsql_moment({sql})"
    return (
        f"timezone('UTC', {moment})"
        if kinds.base(kind) == "datetimeoffset"
        else f"CAST({moment} AS {kinds.duck(kind)})"
    )


def _moment_to_text(sql: str, source: str, style: int) -> str:
    if style not in MOMENT_STYLES:
        raise unknown(f"style {style} of a date")
    moment = f"timezone('UTC', {sql})" if source == "datetimeoffset" else sql
    if source == "date" and style == 0:
        return f"strftime({sql}, '%Y-%m-%d')"
    if style == 0 and source in {"datetime2", "datetimeoffset"}:
        return f"CAST({sql} AS VARCHAR)"
    return f"strftime({moment}, '{MOMENT_STYLES[style]}')"


def _whole_to_binary(sql: str, source: str, kind: str) -> str:
    width = WIDTHS[source]
    length = (kinds.arguments(kind) or (width,))[0]
    return f"unhex(lpad(printf('%x', {sql}), {2 * (length if length > 0 else width)}, '0'))"
