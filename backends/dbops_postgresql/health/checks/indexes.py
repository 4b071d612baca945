"""Indexes that were never finished: they cost every write and serve no read."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dbops.health.answers import Answers
from dbops.health.words import size
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Status, Threshold
from dbops_postgresql.health.checks.rule import DOCS, MONITOR, OWN, Context, Rule
from dbops_postgresql.quoting import identifier, named

__all__ = ["RULES"]

INVALID = Check(
    id="pg.index.invalid",
    title="Invalid indexes",
    engine="postgresql",
    unit="",
    needs=("indexes",),
    scope="database",
    threshold=Threshold(),
    source=OWN,
    privilege="none (pg_monitor, to tell an index that another role is building)",
    grants=MONITOR,
    remedy=Remedy(
        text="Build it again, or drop it when it is a leftover of REINDEX CONCURRENTLY.",
        risk="safe",
        url=f"{DOCS}sql-createindex.html",
    ),
)


class _Index(msgspec.Struct, frozen=True):
    schema: str
    name: str
    table: str
    partitioned: bool
    is_unique: bool
    backs_constraint: bool
    bytes: int
    building: bool
    hidden_builds: int


def _invalid(answers: Answers, _context: Context) -> Iterator[Observation]:
    found = [one for one in answers.rows("indexes", _Index) if not one.building]
    if not found:
        yield Observation(object=f"database:{answers.database}", summary="no invalid index", state=Status.OK)
    for one in found:
        yield _observe(one, answers.database)


def _observe(one: _Index, database: str) -> Observation:
    name = named("index", database, one.schema, one.name)
    evidence = {**msgspec.to_builtins(one), "database": database}
    if one.hidden_builds:
        missing = Missing("hidden_rows", "another role builds an index here, and which one is hidden from this login")
        return Observation(object=name, summary="it may be under construction", missing=missing, evidence=evidence)
    what = "a partition lacks its part of it" if one.partitioned else f"never finished, {size(one.bytes)}"
    return Observation(
        object=name,
        summary=f"{one.schema}.{one.name} on {one.table} is invalid: {what}",
        state=Status.WARNING,
        sql=_sql(one),
        evidence=evidence,
    )


def _sql(one: _Index) -> str:
    name = f"{identifier(one.schema)}.{identifier(one.name)}"
    if one.partitioned:
        return f"-- ALTER INDEX {name} ATTACH PARTITION …; for each partition that has none"
    if "_ccnew" in one.name or "_ccold" in one.name:
        return f"DROP INDEX CONCURRENTLY {name};"
    return f"REINDEX INDEX CONCURRENTLY {name};"


RULES = (Rule(INVALID, _invalid),)
