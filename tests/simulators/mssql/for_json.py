"""FOR JSON PATH: rows as one text, as the documentation shows how values of each type are written."""

from __future__ import annotations

import json

from sqlglot import exp

from tests.simulators.mssql import kinds
from tests.simulators.mssql.answers import failed, unknown
from tests.simulators.mssql.frames import Typed
from tests.simulators.mssql.registry import Field
from tests.simulators.mssql.relations import duck_name

COLUMN = "JSON_F52E2B61-18A1-11d1-B105-00805F49916B"
KNOWN = {"PATH", "INCLUDE_NULL_VALUES", "WITHOUT_ARRAY_WRAPPER"}


def as_json(clause: exp.Expr, sql: str, fields: tuple[Field, ...]) -> tuple[str, tuple[Field, ...]]:
    """The query around a query that gives its rows as JSON."""
    if str(clause.args.get("kind", "")).upper() != "JSON":
        raise unknown(f"FOR {clause.args.get('kind')}")
    options = {one.name.upper() for one in clause.expressions}
    if "PATH" not in options or not options <= KNOWN:
        raise unknown(f"FOR JSON {', '.join(sorted(options))}")
    names = [duck_name(f"j{place}") for place in range(len(fields))]
    nulls = "INCLUDE_NULL_VALUES" in options
    parts = [
        _member(field, Typed(f"s.{name}", field.type), nulls=nulls) for field, name in zip(fields, names, strict=True)
    ]
    row = f"('{{' || array_to_string([x FOR x IN [{', '.join(parts)}] IF x IS NOT NULL], ',') || '}}')"
    text = f"string_agg({row}, ',')"
    if "WITHOUT_ARRAY_WRAPPER" not in options:
        text = f"('[' || {text} || ']')"
    return f"SELECT {text} AS {duck_name(COLUMN)} FROM ({sql}) AS s({', '.join(names)})", (
        Field(COLUMN, "nvarchar(max)", True),
    )


def _member(field: Field, value: Typed, *, nulls: bool) -> str:
    if not field.name:
        raise failed(
            13605,
            "Column expressions and data sources without names or aliases cannot be formatted as JSON text using "
            "FOR JSON clause. Add alias to the unnamed column or table.",
        )
    key = json.dumps(field.name).replace("'", "''")
    written = f"'{key}:' || {_value(value)}"
    return f"coalesce({written}, '{key}:null')" if nulls else f"({written})"


def _value(value: Typed) -> str:
    name = kinds.base(value.kind)
    if name in kinds.WHOLE or name in kinds.DECIMAL:
        return f"CAST({value.sql} AS VARCHAR)"
    if name in {"float", "real"}:
        return f"printf('%.15e', {value.sql})"
    if name in kinds.BINARY:
        return f"('\"' || base64({value.sql}) || '\"')"
    if name in kinds.MOMENTS:
        return f"('\"' || replace(CAST({value.sql} AS VARCHAR), ' ', 'T') || '\"')"
    if name == "uniqueidentifier":
        return f"('\"' || upper(CAST({value.sql} AS VARCHAR)) || '\"')"
    return f"CAST(to_json(CAST({value.sql} AS VARCHAR)) AS VARCHAR)"
