"""Tables: those that no transaction protects, those without a key, and auto_increments that run out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from dbops.health.answers import Answers
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Status, Threshold
from dbops_mysql.health.checks.rule import OWN, STRUCTURE, Context, Family, Rule, hidden_tables
from dbops_mysql.quoting import identifier, named

__all__ = ["AutoIncrement", "rules", "used_and_left"]

PRIVILEGE = "REFERENCES on all tables, which shows their structure and no row"
WHY = {
    "MyISAM": "a crash can damage it, and a dump of the running server does not see it at one instant",
    "MRG_MyISAM": "it stands for tables that a crash can damage",
    "Aria": "a dump of the running server does not see it at one instant",
    "CSV": "a crash can damage it",
    "ARCHIVE": "a crash can damage it",
    "MEMORY": "it is empty after a restart, and then differs from its replicas",
}
# By the number of bits; floating point numbers are exact up to these.
INTEGERS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
EXACT = {"float": 2**24, "double": 2**53}


class _Table(msgspec.Struct, frozen=True):
    schema: str
    name: str
    engine: str | None = None
    unread: str | None = None


class AutoIncrement(msgspec.Struct, frozen=True):
    """:param next_value: None: nothing was ever inserted. :param unread: why the table could not be opened."""

    schema: str
    name: str
    next_value: int | None = None
    column: str | None = None
    type: str | None = None
    is_unsigned: bool | None = None
    unread: str | None = None


def rules(family: Family) -> tuple[Rule, ...]:
    """Of one engine."""
    return (
        Rule(_auto_increment_check(family), _auto_increments),
        Rule(_engine_check(family), _engines),
        Rule(_key_check(family), _keyless),
    )


def _auto_increment_check(family: Family) -> Check:
    return Check(
        id="my.autoinc",
        title="auto_increment running out",
        engine=family.name,
        unit="percent",
        needs=("auto_increments",),
        also=("rights",),
        cost="heavy",
        threshold=Threshold(warning=70, critical=90),
        source=OWN,
        privilege=PRIVILEGE,
        grants=STRUCTURE,
        remedy=Remedy(
            text="Widen the column to bigint unsigned, and those that refer to it first; add its other attributes. "
            "This writes the table anew and keeps writers out: use gh-ost or pt-online-schema-change on a large one.",
            risk="locks",
            url=family.pages["auto_increment"],
        ),
    )


def _engine_check(family: Family) -> Check:
    return Check(
        id="my.table.engine",
        title="Tables that no transaction protects",
        engine=family.name,
        unit="",
        needs=("engines",),
        also=("rights",),
        cost="medium",
        threshold=Threshold(),
        source=OWN,
        privilege=PRIVILEGE,
        grants=STRUCTURE,
        remedy=Remedy(
            text="Let InnoDB keep them. This writes the table anew and keeps writers out meanwhile.",
            risk="locks",
            url=family.pages["engines"],
        ),
    )


def _key_check(family: Family) -> Check:
    return Check(
        id="my.table.no_pk",
        title="Tables without a primary key",
        engine=family.name,
        unit="",
        needs=("keyless",),
        also=("rights",),
        cost="medium",
        threshold=Threshold(),
        source=f"{OWN}; groups and clusters refuse such tables, and a replica reads them whole for each row",
        privilege=PRIVILEGE,
        grants=STRUCTURE,
        remedy=Remedy(
            text="Give it the key that its rows have; where they have none, an invisible one disturbs no application. "
            "This writes the table anew and keeps writers out meanwhile.",
            risk="locks",
            url=family.pages["keys"],
        ),
    )


def used_and_left(one: AutoIncrement) -> tuple[float, int] | None:
    """Percent of the values that are used, and how many are left at most; None for a type that is not known."""
    if one.type in INTEGERS:
        limit = 2 ** (INTEGERS[one.type] - (0 if one.is_unsigned else 1)) - 1
    elif one.type in EXACT:
        limit = EXACT[one.type]
    else:
        return None
    used = max(0, (one.next_value or 1) - 1)
    return min(100.0, 100 * used / limit), max(0, limit - used)


def _auto_increments(answers: Answers, context: Context) -> Iterator[Observation]:
    found = answers.rows("auto_increments", AutoIncrement)
    for one in found:
        yield _counted(one)
    yield from _visible(answers, context, found, "no table has an auto_increment", value=0.0)


def _counted(one: AutoIncrement) -> Observation:
    table = named("table", one.schema, one.name)
    known = used_and_left(one)
    if one.unread or one.column is None or known is None:
        reason, why = ("lock_timeout", one.unread) if one.unread else ("null_value", f"its type is {one.type}")
        return Observation(object=table, summary="its next value could not be read", missing=Missing(reason, why))
    used, left = known
    kind = f"{one.type}{' unsigned' if one.is_unsigned else ''}"
    return Observation(
        object=named("column", one.schema, one.name, one.column),
        summary=f"{one.schema}.{one.name}.{one.column} ({kind}): {left:,} values left, {used:.2f} % used",
        value=round(used, 4),
        sql=_widen(one),
        evidence={**msgspec.to_builtins(one), "left": left},
    )


def _widen(one: AutoIncrement) -> str:
    if one.type == "bigint" and one.is_unsigned:
        return ""
    column = f"{identifier(one.column or '')} bigint unsigned NOT NULL AUTO_INCREMENT"
    return f"ALTER TABLE {_quoted(one.schema, one.name)} MODIFY COLUMN {column};"


def _engines(answers: Answers, context: Context) -> Iterator[Observation]:
    found = answers.rows("engines", _Table)
    for one in found:
        yield _unprotected(one)
    yield from _visible(answers, context, found, "every table is transactional", state=Status.OK)


def _unprotected(one: _Table) -> Observation:
    if one.engine is None:
        return _unread(one)
    return Observation(
        object=named("table", one.schema, one.name),
        summary=f"{one.schema}.{one.name} is {one.engine}: {WHY.get(one.engine, 'no transaction protects it')}",
        state=Status.WARNING,
        sql=f"ALTER TABLE {_quoted(one.schema, one.name)} ENGINE = InnoDB;",
        evidence=msgspec.to_builtins(one),
    )


def _keyless(answers: Answers, context: Context) -> Iterator[Observation]:
    found = answers.rows("keyless", _Table)
    for one in found:
        yield _without_key(one)
    yield from _visible(answers, context, found, "every table has a key", state=Status.OK)


def _without_key(one: _Table) -> Observation:
    if one.unread:
        return _unread(one)
    column = "`id` bigint unsigned NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY FIRST"
    return Observation(
        object=named("table", one.schema, one.name),
        summary=f"{one.schema}.{one.name} ({one.engine}) has no primary key and no other that could be one",
        state=Status.WARNING,
        sql=f"ALTER TABLE {_quoted(one.schema, one.name)} ADD COLUMN {column};",
        evidence=msgspec.to_builtins(one),
    )


def _visible(
    answers: Answers,
    context: Context,
    found: Sequence[msgspec.Struct],
    well: str,
    *,
    value: float | None = None,
    state: Status | None = None,
) -> Iterator[Observation]:
    """Nothing was found: that is only good news for somebody who sees everything."""
    missing = hidden_tables(answers, context)
    if missing:
        yield Observation(summary="tables could not be seen", missing=missing)
    elif not found:
        yield Observation(summary=well, value=value, state=state)


def _unread(one: _Table) -> Observation:
    missing = Missing("lock_timeout", one.unread or "the server does not say why")
    return Observation(object=named("table", one.schema, one.name), summary="it could not be opened", missing=missing)


def _quoted(schema: str, name: str) -> str:
    return f"{identifier(schema)}.{identifier(name)}"
