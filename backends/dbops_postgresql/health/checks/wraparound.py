"""Transaction and multixact ids: how far the oldest database is from the point where the server stops writing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from dbops.health.answers import Answers
from dbops.model.finding import Remedy
from dbops.model.health import Check, Observation, Threshold
from dbops_postgresql.health.checks.rule import DOCS, OWN, Context, Rule

__all__ = ["RULES"]

# src/backend/access/transam/varsup.c: assignment stops three million ids before the ids wrap around at 2^31.
STOP_AT = 2**31 - 3_000_000
# vacuum_failsafe_age is 1.6e9: from there on vacuum itself is in a hurry.
LIMITS = Threshold(warning=1.0e9, critical=1.6e9)
REMEDY = Remedy(
    text="Find what keeps the horizon back (old transactions, prepared transactions, slots), then VACUUM FREEZE the "
    "oldest tables of the database.",
    risk="reads every page of the tables",
    url=f"{DOCS}routine-vacuuming.html",
)


def _check(kind: Literal["xid", "mxid"], title: str) -> Check:
    return Check(
        id=f"pg.wraparound.{kind}",
        title=title,
        engine="postgresql",
        unit=f"{kind}s",
        needs=("wraparound",),
        threshold=LIMITS,
        source=f"{OWN}; check_postgres: 1.3e9 and 1.4e9",
        privilege="none",
        remedy=REMEDY,
    )


class _Database(msgspec.Struct, frozen=True):
    database: str
    xid_age: int
    mxid_age: int
    xid_freeze_max_age: int
    mxid_freeze_max_age: int


def _xid(answers: Answers, _context: Context) -> Iterator[Observation]:
    for one in answers.rows("wraparound", _Database):
        yield _age(one.database, "transaction", one.xid_age, one.xid_freeze_max_age)


def _mxid(answers: Answers, _context: Context) -> Iterator[Observation]:
    for one in answers.rows("wraparound", _Database):
        yield _age(one.database, "multixact", one.mxid_age, one.mxid_freeze_max_age)


def _age(database: str, what: str, age: int, freeze_max_age: int) -> Observation:
    left = max(0, STOP_AT - age)
    return Observation(
        object=f"database:{database}",
        summary=f"the oldest {what} id in {database} is {age:,} old, {left:,} before the server stops writing",
        value=float(age),
        evidence={"database": database, "age": age, "left": left, "freeze_max_age": freeze_max_age},
    )


RULES = (
    Rule(_check("xid", "Transaction id wraparound"), _xid),
    Rule(_check("mxid", "Multixact id wraparound"), _mxid),
)
