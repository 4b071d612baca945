"""Sequences: how much is left before the next value does not fit, in the sequence or in the column that it feeds."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dbops.health.answers import Answers
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Threshold
from dbops_postgresql.health.checks.rule import DOCS, OWN, Context, Rule
from dbops_postgresql.quoting import identifier, named

__all__ = ["RULES", "Sequence", "used_and_left"]

EXHAUSTION = Check(
    id="pg.sequence.exhaustion",
    title="Sequences running out",
    engine="postgresql",
    unit="percent",
    needs=("sequences",),
    scope="database",
    cost="medium",
    threshold=Threshold(warning=70, critical=90),
    source=f"{OWN}; check_postgres: 85 and 95 %",
    privilege="SELECT on every sequence",
    grants=("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {login};  -- and in every other schema",),
    remedy=Remedy(
        text="Widen the column and the sequence to bigint. This rewrites the table under an exclusive lock: on a large "
        "one add a bigint column, fill it in batches and swap.",
        risk="locks",
        url=f"{DOCS}sql-altersequence.html",
    ),
)
# Of the types that a sequence can feed; numeric and the like never end before the sequence itself.
COLUMN_LIMITS = {"int2": 2**15 - 1, "int4": 2**31 - 1, "int8": 2**63 - 1}


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence with the narrowest column that it feeds."""

    schema: str
    name: str
    readable: bool
    locked: bool
    increment: int
    minimum: int
    maximum: int
    cycles: bool
    last_value: int | None = None
    column_name: str | None = None
    column_type: str | None = None
    column_schema: str | None = None
    column_table: str | None = None


def exhaustion(answers: Answers, context: Context) -> Iterator[Observation]:
    """The share of its values that each sequence has used."""
    found = answers.rows("sequences", Sequence)
    if not found:
        yield Observation(object=f"database:{answers.database}", summary="there are no sequences", value=0.0)
    for one in found:
        yield _observe(one, answers.database, context.server.user)


def used_and_left(one: Sequence) -> tuple[float, int]:
    """Percent of the range that is used, and how many values are left; both by what the column can hold."""
    low, high = effective_range(one)
    if one.last_value is None:
        return 0.0, _steps(one, low, high)
    # The sequence gives nothing more that fits once it stands outside of what the column holds.
    last = min(max(one.last_value, low), high)
    used = last - low + 1 if one.increment > 0 else high - last + 1
    left = (high - last) // one.increment if one.increment > 0 else (last - low) // -one.increment
    if not low <= one.last_value <= high:
        return 100.0, 0
    # A cycle starts again by itself, unless the column ends before the sequence does.
    return (0.0 if one.cycles and (low, high) == (one.minimum, one.maximum) else 100 * used / (high - low + 1)), left


def effective_range(one: Sequence) -> tuple[int, int]:
    """Lowest and highest value that both the sequence gives and the column holds."""
    limit = COLUMN_LIMITS.get(one.column_type or "", 2**63 - 1)
    low, high = max(one.minimum, -limit - 1), min(one.maximum, limit)
    return (low, high) if low <= high else (high, high)


def _steps(one: Sequence, low: int, high: int) -> int:
    return (high - low) // abs(one.increment) + 1


def _observe(one: Sequence, database: str, login: str) -> Observation:
    name = named("sequence", database, one.schema, one.name)
    missing = _missing(one)
    if missing:
        grant = f"GRANT SELECT ON SEQUENCE {identifier(one.schema)}.{identifier(one.name)} TO {identifier(login)};"
        return Observation(object=name, summary="its position is not known", missing=missing, sql=grant)
    used, left = used_and_left(one)
    column = f" for {one.column_table}.{one.column_name} ({one.column_type})" if one.column_name else ""
    return Observation(
        object=name,
        summary=f"{one.schema}.{one.name}{column}: {left:,} values left, {used:.2f} % used",
        value=round(used, 4),
        sql=_widen(one),
        evidence={**msgspec.to_builtins(one), "database": database, "left": left},
    )


def _missing(one: Sequence) -> Missing | None:
    if not one.readable:
        return Missing("no_permission", "SELECT on it is not granted")
    if one.locked:
        return Missing("lock_timeout", "another session has locked it")
    return None


def _widen(one: Sequence) -> str:
    sequence = f"ALTER SEQUENCE {identifier(one.schema)}.{identifier(one.name)} AS bigint;"
    if one.column_table is None or one.column_schema is None or one.column_name is None:
        return sequence
    table = f"{identifier(one.column_schema)}.{identifier(one.column_table)}"
    return f"ALTER TABLE {table} ALTER COLUMN {identifier(one.column_name)} TYPE bigint; {sequence}"


RULES = (Rule(EXHAUSTION, exhaustion),)
