"""T-SQL types: how DuckDB holds them, and how a value of Python leaves the engine as one of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

TEXT = frozenset({"char", "varchar", "nchar", "nvarchar", "sysname", "text", "ntext", "xml", "sql_variant"})
BINARY = frozenset({"binary", "varbinary", "image", "rowversion", "timestamp"})
WHOLE = ("bit", "tinyint", "smallint", "int", "bigint")
DECIMAL = frozenset({"decimal", "numeric", "money", "smallmoney"})
MOMENTS = frozenset({"datetime", "smalldatetime", "datetime2", "date", "time", "datetimeoffset"})
RANGES = {"tinyint": (0, 255), "smallint": (-(2**15), 2**15 - 1), "int": (-(2**31), 2**31 - 1)}

_DUCK = {
    "bit": "BOOLEAN",
    "tinyint": "UTINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "DOUBLE",
    "real": "FLOAT",
    "money": "DECIMAL(19,4)",
    "smallmoney": "DECIMAL(10,4)",
    "datetime": "TIMESTAMP",
    "smalldatetime": "TIMESTAMP",
    "datetime2": "TIMESTAMP",
    "datetimeoffset": "TIMESTAMPTZ",
    "date": "DATE",
    "time": "TIME",
    "uniqueidentifier": "UUID",
}
_TSQL = {
    "BOOLEAN": "bit",
    "UTINYINT": "tinyint",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "HUGEINT": "numeric(38,0)",
    "UBIGINT": "numeric(20,0)",
    "DOUBLE": "float",
    "FLOAT": "real",
    "TIMESTAMP": "datetime2(7)",
    "TIMESTAMP WITH TIME ZONE": "datetimeoffset(7)",
    "DATE": "date",
    "TIME": "time(7)",
    "UUID": "uniqueidentifier",
    "BLOB": "varbinary(max)",
    "VARCHAR": "nvarchar(4000)",
    "NULL": "int",
    '"NULL"': "int",
}
NAMES = frozenset({*_DUCK, *TEXT, *BINARY, *DECIMAL, "hierarchyid", "geometry", "geography"})


def base(kind: str) -> str:
    """``nvarchar`` of ``nvarchar(128)``."""
    return kind.partition("(")[0].strip().lower()


def arguments(kind: str) -> tuple[int, ...]:
    """``(25, 0)`` of ``numeric(25,0)``; ``max`` counts as -1."""
    inside = re.search(r"\((.*)\)", kind)
    return (
        tuple(-1 if one.strip().lower() == "max" else int(one) for one in inside.group(1).split(",")) if inside else ()
    )


def duck(kind: str) -> str:
    name = base(kind)
    if name in {"decimal", "numeric"}:
        precision, scale = (*arguments(kind), 18, 0)[:2] if len(arguments(kind)) != 1 else (arguments(kind)[0], 0)
        return f"DECIMAL({precision},{scale})"
    if name in BINARY:
        return "BLOB"
    return _DUCK.get(name, "VARCHAR")


def of_duck(kind: str) -> str:
    """The T-SQL type that a column of DuckDB leaves as where nothing better is known of it."""
    return f"numeric{kind[7:]}" if kind.startswith("DECIMAL") else _TSQL.get(kind, "nvarchar(4000)")


def of_value(value: object) -> str:
    """The type of a parameter that a client sent without saying one."""
    match value:
        case bool():
            return "bit"
        case int():
            return "int" if -(2**31) <= value < 2**31 else "bigint"
        case float():
            return "float"
        case Decimal():
            return "numeric(38,10)"
        case bytes():
            return "varbinary(max)"
        case datetime():
            return "datetimeoffset(7)" if value.tzinfo else "datetime2(7)"
        case UUID():
            return "uniqueidentifier"
        case _:
            return "nvarchar(4000)"


def literal(value: object, kind: str) -> str:
    """A value as an expression of DuckDB."""
    if value is None:
        return f"CAST(NULL AS {duck(kind)})"
    match value:
        case bytes():
            text = "'" + "".join(f"\\x{byte:02X}" for byte in value) + "'::BLOB"
        case bool() | int() | float() | Decimal():
            text = str(value)
        case datetime():
            text = f"'{value.isoformat(sep=' ')}'"
        case _:
            text = "'" + str(value).replace("'", "''") + "'"
    return f"CAST({text} AS {duck(kind)})"


def outward(value: object, kind: str) -> object:
    """What a client gets: scaled decimals, zoned moments in UTC, bits as ``bool``."""
    if value is None:
        return None
    name = base(kind)
    if name in DECIMAL:
        scale = 4 if "money" in name else (*arguments(kind), 0, 0)[1]
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-scale))
    if name in {"float", "real"}:
        return float(str(value))
    if name == "bit":
        return bool(value)
    if name in WHOLE:
        return int(str(value)) if not isinstance(value, bool) else int(value)
    if isinstance(value, datetime):
        return _moment(value, name)
    return value


def _moment(value: datetime, name: str) -> datetime:
    if name == "datetimeoffset":
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if name == "datetime":
        return _three_hundredths(value)
    return value


def _three_hundredths(value: datetime) -> datetime:
    """``datetime`` keeps ticks of 1/300 second, which show as .000, .003 and .007."""
    ticks = round(value.microsecond * 300 / 1_000_000)
    return value.replace(microsecond=0) + timedelta(milliseconds=round(ticks * 10 / 3))
