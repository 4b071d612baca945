"""Replication slots: what they keep, whether anybody reads them, and whether there is an end to it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dbops.health.answers import Answers
from dbops.health.words import seconds, size
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Status, Threshold
from dbops_postgresql.health.checks.rule import DOCS, OWN, Context, Rule
from dbops_postgresql.quoting import literal

__all__ = ["RULES"]

GIB = 2**30
RETAINED = Check(
    id="pg.slots.retained",
    title="WAL kept for replication slots",
    engine="postgresql",
    unit="bytes",
    needs=("slots",),
    threshold=Threshold(warning=10 * GIB, critical=50 * GIB),
    source=f"{OWN}; wal_status as in check_pgactivity: unreserved warns, lost is critical",
    privilege="none",
    remedy=Remedy(
        text="Bring the consumer back, or drop the slot when nobody will read it again.",
        risk="the consumer must be made anew",
        url=f"{DOCS}view-pg-replication-slots.html",
    ),
)
INACTIVE = Check(
    id="pg.slots.inactive",
    title="Replication slots that nobody reads",
    engine="postgresql",
    unit="seconds",
    needs=("slots",),
    threshold=Threshold(warning=1800, critical=86_400),
    source="postgres_exporter's mixin: 30 minutes; before 17 the server does not say since when",
    privilege="none",
    remedy=RETAINED.remedy,
)
UNBOUNDED = Check(
    id="pg.slots.unbounded",
    title="Replication slots without a limit",
    engine="postgresql",
    unit="",
    needs=("slots",),
    threshold=Threshold(),
    source=OWN,
    privilege="none",
    remedy=Remedy(
        text="Set a limit, so that a forgotten slot is lost instead of the disk being full.",
        sql="ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf();",
        risk="a consumer that falls further behind must be made anew",
        url=f"{DOCS}runtime-config-replication.html",
    ),
)
STATES = {"unreserved": Status.WARNING, "lost": Status.CRITICAL}


class _Slot(msgspec.Struct, frozen=True):
    slot: str
    kind: str
    active: bool
    temporary: bool
    reserves: bool
    conflicting: bool
    keep_mb: int
    database: str | None = None
    wal_status: str | None = None
    retained_bytes: int | None = None
    inactive_s: float | None = None
    invalidation_reason: str | None = None


def _retained(answers: Answers, _context: Context) -> Iterator[Observation]:
    found = answers.rows("slots", _Slot)
    if not found:
        yield Observation(summary="there are no replication slots", value=0.0)
    for one in found:
        yield _kept(one)


def _kept(one: _Slot) -> Observation:
    name, drop, evidence = f"slot:{one.slot}", _drop(one), msgspec.to_builtins(one)
    why = one.invalidation_reason or ("a conflict with recovery" if one.conflicting else "")
    if why:
        summary = f"{one.slot} was invalidated: {why}"
        return Observation(object=name, summary=summary, state=Status.CRITICAL, sql=drop, evidence=evidence)
    state = STATES.get(one.wal_status or "")
    if not one.reserves:
        summary = f"{one.slot} has lost its WAL" if one.wal_status == "lost" else f"{one.slot} keeps nothing yet"
        return Observation(object=name, summary=summary, value=0.0, state=state, sql=drop, evidence=evidence)
    if one.retained_bytes is None:
        missing = Missing("null_value", "the server does not say how far behind it is")
        return Observation(object=name, summary="what it keeps is not known", missing=missing, evidence=evidence)
    kept = max(0, one.retained_bytes)
    return Observation(
        object=name,
        summary=f"{one.slot} ({'read' if one.active else 'not read'}) keeps {size(kept)}, {one.wal_status}",
        value=float(kept),
        state=state,
        sql=drop,
        evidence=evidence,
    )


def _inactive(answers: Answers, _context: Context) -> Iterator[Observation]:
    found = answers.rows("slots", _Slot)
    idle = [one for one in found if not one.active]
    if not idle:
        yield Observation(summary=f"each of {len(found)} slots is read" if found else "there are no slots", value=0.0)
    for one in idle:
        known = one.inactive_s is not None
        since = f"for {seconds(one.inactive_s)}" if one.inactive_s is not None else "now"
        yield Observation(
            object=f"slot:{one.slot}",
            summary=f"nobody reads {one.slot} {since}",
            value=one.inactive_s,
            state=None if known else Status.WARNING,
            sql=_drop(one),
            evidence=msgspec.to_builtins(one),
        )


def _unbounded(answers: Answers, _context: Context) -> Iterator[Observation]:
    found = answers.rows("slots", _Slot)
    endless = [one for one in found if one.keep_mb == -1 and not one.temporary]
    if not endless:
        yield Observation(summary="no slot can keep WAL without end", state=Status.OK)
        return
    names = ", ".join(one.slot for one in endless[:5]) + (", …" if len(endless) > 5 else "")
    summary = f"max_slot_wal_keep_size is -1 and there are slots ({names}): one that nobody reads fills the disk"
    yield Observation(summary=summary, state=Status.WARNING, evidence={"slots": [one.slot for one in endless]})


def _drop(one: _Slot) -> str:
    return f"SELECT pg_drop_replication_slot({literal(one.slot).strip()});"


RULES = (Rule(RETAINED, _retained), Rule(INACTIVE, _inactive), Rule(UNBOUNDED, _unbounded))
