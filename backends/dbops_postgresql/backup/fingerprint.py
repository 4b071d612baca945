"""What tables hold, as a few numbers that are equal exactly when the rows are: computed inside the server.

The text of each value is hashed, the hashes of a row are hashed, and those are summed: equal for equal rows in any
order, on any major version, under the same session settings. Indexes, rights and definitions are no part of it.
Sequences stand outside of snapshots: a restored one must stand where the recorded one stood, or before it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from dbops.backup.fingerprints import FAILED, Fingerprint, compare, read
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.readable import Chunks
from dbops.spi import Member, Runtime
from dbops_postgresql.backup.link import connect, understood
from dbops_postgresql.quoting import identifier, literal
from dbops_postgresql.statement import statement, text

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["compare_call", "fingerprints", "measure"]

LARGE_OBJECTS = "large objects"
ARGUMENTS = 90
"""A function takes no more than 100."""


def fingerprints(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Iterator[Member]:
    """The stream of one database's fingerprints, a JSON object on each line.

    Arguments: ``database``, ``snapshot`` (left out: the present state), ``budget_s``.
    """
    yield Member("fingerprints.jsonl", Chunks(_lines(arguments, endpoint, runtime)))


def _lines(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Iterator[bytes]:
    for one in measure(arguments, endpoint, runtime):
        yield msgspec.json.encode(one) + b"\n"


def measure(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Iterator[Fingerprint]:
    """Each object of ``database``, the smallest first, until ``budget_s`` is used up: the rest is named as skipped."""
    database = str(arguments["database"])
    budget_s = float(str(arguments.get("budget_s", 0)))
    end = time.monotonic() + budget_s if budget_s else None
    with connect(endpoint, runtime, database) as connection, understood(str(endpoint.at(database))):
        connection.execute(statement("fingerprint_session"))
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if arguments.get("snapshot"):
            connection.execute(f"SET TRANSACTION SNAPSHOT {literal(str(arguments['snapshot']))}".encode())
        for row in connection.execute(statement("fingerprint_tables")).fetchall():
            yield _table(connection, row, end)
        yield _large_objects(connection, end)
        for schema, name, value, step, cycle in connection.execute(statement("fingerprint_sequences")).fetchall():
            yield Fingerprint(_name(schema, name), "sequence", value=value, step=0 if cycle else step)


def compare_call(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Mapping[str, Value]:
    """The restored ``database`` against the ``recorded`` file; the outputs are a
    :class:`~dbops.backup.fingerprints.Comparison` as JSON."""
    recorded = read(Path(str(arguments["recorded"])).read_bytes(), f"the fingerprints of {arguments['database']}")
    comparison = compare(recorded, tuple(measure(arguments, endpoint, runtime)))
    return {"comparison": msgspec.json.encode(comparison).decode()}


# Any: psycopg gives rows of any types.
def _table(connection: Connection[Any], row: tuple[Any, ...], end: float | None) -> Fingerprint:
    schema, name, _size, skipped, columns, oid = row
    shown = _name(schema, name)
    if skipped:
        return Fingerprint(shown, skipped=skipped)
    table = f"{identifier(schema)}.{identifier(name)}"
    sql = text("fingerprint_table").replace(":row", _row(columns)).replace(":table", table)
    return _hashed(connection, Fingerprint(shown), sql, end, oid)


def _row(columns: Sequence[str]) -> str:
    """What stands for one row. The whole row as one text would be quoted letter by letter: three times as slow."""
    parts = [_value(name, place) for place, name in enumerate(columns)]
    while len(parts) > 1:
        groups = [parts[at : at + ARGUMENTS] for at in range(0, len(parts), ARGUMENTS)]
        parts = [f"pg_catalog.concat_ws(',', {', '.join(group)})" for group in groups]
    return f"pg_catalog.concat({parts[0]})" if parts else "''::text"


def _value(name: str, place: int) -> str:
    """The hash of one value, none for NULL; the seed tells columns apart. concat asks the type's own output function,
    where a cast could run a function that somebody else wrote; the "C" keeps a collation from calling texts equal."""
    column = f"t.{identifier(name)}"
    shown = f'pg_catalog.concat({column}) COLLATE pg_catalog."C"'
    return f"CASE WHEN {column} IS DISTINCT FROM NULL THEN pg_catalog.hashtextextended({shown}, {place}) END"


def _large_objects(connection: Connection[Any], end: float | None) -> Fingerprint:
    return _hashed(connection, Fingerprint(LARGE_OBJECTS, LARGE_OBJECTS), text("fingerprint_large_objects"), end)


def _hashed(connection: Connection[Any], one: Fingerprint, sql: str, end: float | None, oid: int = 0) -> Fingerprint:
    import psycopg

    if end is not None and time.monotonic() > end:
        return _skipped(one, "budget")
    try:
        with connection.transaction():
            row = connection.execute(sql.encode()).fetchone()
            # Asked when reading has locked it. TRUNCATE and rewriting ALTER TABLE heed no snapshot: an older one sees
            # an empty table, which would speak against the dump.
            if oid and connection.execute(statement("fingerprint_rewritten"), {"oid": oid}).fetchone():
                return _skipped(one, "rewritten")
    except psycopg.errors.LockNotAvailable:
        return _skipped(one, "locked")
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        return _skipped(one, "no_permission" if error.sqlstate == "42501" else FAILED)
    rows, first, second = row or (0, "0", "0")
    return msgspec.structs.replace(one, rows=rows, hash=f"{first}.{second}")


def _skipped(one: Fingerprint, reason: str) -> Fingerprint:
    return msgspec.structs.replace(one, skipped=reason)


def _name(schema: str, name: str) -> str:
    return f"{_part(schema)}.{_part(name)}"


def _part(name: str) -> str:
    return identifier(name) if any(mark in name for mark in '."') else name
