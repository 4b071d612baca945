"""Prepared transactions: whoever prepared one and never came back holds up vacuum and locks, restarts included."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dbops.health.answers import Answers
from dbops.health.words import seconds
from dbops.model.finding import Remedy
from dbops.model.health import Check, Observation, Threshold
from dbops_postgresql.health.checks.rule import DOCS, OWN, Context, Rule
from dbops_postgresql.quoting import literal

__all__ = ["RULES"]

OLDEST = Check(
    id="pg.2pc.oldest",
    title="Prepared transactions",
    engine="postgresql",
    unit="seconds",
    needs=("prepared",),
    threshold=Threshold(warning=300, critical=3600),
    source=f"{OWN}; check_postgres: 1 and 30 seconds",
    privilege="none",
    remedy=Remedy(
        text="Ask the transaction manager that prepared it; when it has forgotten, commit or roll back by hand.",
        risk="decides the transaction for good",
        url=f"{DOCS}sql-rollback-prepared.html",
    ),
)


class _Prepared(msgspec.Struct, frozen=True):
    gid: str
    database: str
    age_s: float
    xid_age: int
    role: str | None = None


def _oldest(answers: Answers, _context: Context) -> Iterator[Observation]:
    found = answers.rows("prepared", _Prepared)
    if not found:
        yield Observation(summary="there are no prepared transactions", value=0.0)
    for one in found:
        yield Observation(
            object=f"prepared:{one.gid}",
            summary=f"{one.gid!r} in {one.database} by {one.role or 'a dropped role'} is {seconds(one.age_s)} old",
            value=one.age_s,
            sql=f"ROLLBACK PREPARED {literal(one.gid).strip()};  -- in database {one.database}",
            evidence=msgspec.to_builtins(one),
        )


RULES = (Rule(OLDEST, _oldest),)
