"""What DuckDB says of a query as the error that SQL Server would give."""

from __future__ import annotations

import re

import duckdb

from tests.simulators.mssql.answers import Failed, failed, unknown


def translated(wrong: duckdb.Error) -> Failed:
    text = str(wrong)
    own = re.search(r"t-sql error (\d+) (\d+) (\d+): (.*)", text)
    if own:
        return failed(int(own[1]), own[4], severity=int(own[2]), state=int(own[3]))
    grouped = re.search(r'column "?([^"]+?)"? must appear in the GROUP BY', text)
    if grouped:
        return failed(
            8120,
            f"Column '{grouped[1]}' is invalid in the select list because it is not contained in either an "
            "aggregate function or the GROUP BY clause.",
        )
    converted = re.search(r"Could not convert string '(.*?)' to (\w+)", text)
    if converted:
        kind = {"int32": "int", "int64": "bigint"}.get(converted[2].lower(), converted[2].lower())
        return failed(245, f"Conversion failed when converting the varchar value '{converted[1]}' to data type {kind}.")
    if isinstance(wrong, duckdb.ConversionException) and ("timestamp" in text.lower() or "date" in text.lower()):
        return failed(241, "Conversion failed when converting date and/or time from character string.")
    if isinstance(wrong, duckdb.OutOfRangeException):
        return failed(8115, "Arithmetic overflow error converting expression to data type int.")
    if "More than one row returned by a subquery" in text:
        return failed(
            512,
            "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= "
            "or when the subquery is used as an expression.",
        )
    return unknown(f"how to run this query: {text}")


def carried(wrong: Failed) -> str:
    """An error of the model as a text that ``translated`` finds again in DuckDB's."""
    said = wrong.messages[-1]
    return f"t-sql error {said.number} {said.severity} {said.state}: {said.text}"
