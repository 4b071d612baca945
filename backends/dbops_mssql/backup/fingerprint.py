"""What tables hold, as a few numbers that are equal exactly when the rows are: computed inside the server.

Each row is written as JSON, hashed with SHA-256, and the first 64 bits of the hashes are summed without a limit: equal
for equal rows in any order, and equal rows count each time. CHECKSUM_AGG would not do: it cancels pairs.

A backup holds the state of its end, which nobody can read from outside. So tables are read before and after it, and
those that were the same are recorded: what comes back must hold the same too.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import msgspec

from dbops.backup.fingerprints import FAILED, Fingerprint, compare, read
from dbops.errors import DbopsError
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_mssql.backup.link import Link, connected
from dbops_mssql.quoting import identifier
from dbops_mssql.statement import text

__all__ = ["compare_call", "measure", "measure_call", "row_hash", "unchanged", "unchanged_call"]

CHANGED = "rewritten"
# FOR JSON rounds the first two, and cannot write the others.
BINARY = frozenset({"float", "real", "geometry", "geography", "hierarchyid", "timestamp"})
TEXT = frozenset({"xml", "text", "ntext", "json"})
OTHER = {"image": "varbinary(max)", "sql_variant": "nvarchar(4000)"}


def measure_call(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Mapping[str, Value]:
    """Every table of ``database``; the output ``lines`` has a JSON object on each. None, when the database cannot be
    looked into: a backup needs no right to read."""
    try:
        return {"lines": _lines(_measured(arguments, endpoint, runtime))}
    except DbopsError:
        return {"lines": ""}


def unchanged_call(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Mapping[str, Value]:
    """The same again; what differs from ``before`` is named as changed."""
    if not arguments["before"]:
        return {"lines": ""}
    before = read(str(arguments["before"]).encode())
    return {"lines": _lines(unchanged(before, _measured(arguments, endpoint, runtime)))}


def compare_call(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Mapping[str, Value]:
    """The copy against ``recorded``; the output is a :class:`~dbops.backup.fingerprints.Comparison` as JSON."""
    recorded = read(str(arguments["recorded"]).encode())
    return {"comparison": msgspec.json.encode(compare(recorded, _measured(arguments, endpoint, runtime))).decode()}


def unchanged(before: Sequence[Fingerprint], after: Sequence[Fingerprint]) -> tuple[Fingerprint, ...]:
    """Pure: those that were the same twice; of the others only the name, and that they changed. One that came or went
    meanwhile counts as changed."""
    first = {one.name: one for one in before}
    names = dict.fromkeys([*first, *(one.name for one in after)])
    second = {one.name: one for one in after}
    return tuple(
        second[name] if name in second and first.get(name) == second[name] else Fingerprint(name, skipped=CHANGED)
        for name in names
    )


def _lines(found: Sequence[Fingerprint]) -> str:
    return "\n".join(msgspec.json.encode(one).decode() for one in found)


def _measured(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> tuple[Fingerprint, ...]:
    end = time.monotonic() + float(str(arguments["budget_s"]))
    with connected(endpoint, runtime) as link:
        return tuple(measure(link, str(arguments["database"]), end))


def measure(link: Link, database: str, end: float) -> Iterator[Fingerprint]:
    """Each table, the smallest first, until ``end`` on the monotonic clock: the rest is named as left out."""
    link.run(f"USE {identifier(database)}")
    rows = link.dicts(text("fingerprint_columns"))
    for (schema, table), columns in groupby(rows, key=lambda row: (str(row["schema_name"]), str(row["table_name"]))):
        one = Fingerprint(f"{_part(schema)}.{_part(table)}")
        if time.monotonic() > end:
            yield msgspec.structs.replace(one, skipped="budget")
            continue
        kinds = {str(row["column_name"]): str(row["type_name"]) for row in columns}
        yield _table(link, one, f"{identifier(schema)}.{identifier(table)}", kinds)


def _table(link: Link, one: Fingerprint, place: str, columns: Mapping[str, str]) -> Fingerprint:
    try:
        found = link.dicts(row_hash(place, columns))[0]
    except DbopsError as error:
        return msgspec.structs.replace(one, skipped=error.reason or FAILED)
    return msgspec.structs.replace(one, rows=int(found["row_count"]), hash=str(found["total"] or 0))


def row_hash(place: str, columns: Mapping[str, str]) -> str:
    """The question about one table. :param columns: their types by name."""
    shown = ", ".join(f"{_shown(name, kind)} AS [c{number}]" for number, (name, kind) in enumerate(columns.items()))
    as_json = f"SELECT {shown} FOR JSON PATH, INCLUDE_NULL_VALUES, WITHOUT_ARRAY_WRAPPER"
    first = "CONVERT(decimal(38, 0), CONVERT(bigint, SUBSTRING(h.hashed, 1, 8)))"
    hashed = f"SELECT HASHBYTES('SHA2_256', ({as_json})) AS hashed"
    words = {":first": first, ":table": place, ":hashed": hashed}
    return re.sub(r":(first|table|hashed)\b", lambda found: words[found[0]], text("fingerprint_table"))


def _shown(name: str, kind: str) -> str:
    column = f"t.{identifier(name)}"
    if kind in BINARY:
        return f"CONVERT(varbinary(max), {column})"
    if kind in TEXT:
        return f"CONVERT(nvarchar(max), {column})"
    return f"CONVERT({OTHER[kind]}, {column})" if kind in OTHER else column


def _part(name: str) -> str:
    return identifier(name) if any(mark in name for mark in '."[]') else name
