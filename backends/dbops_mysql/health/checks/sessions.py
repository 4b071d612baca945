"""Sessions: how many there are, and who holds a transaction open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from dbops.health.answers import Answers
from dbops.health.words import seconds
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Threshold
from dbops_mysql.health.checks.rule import (
    OWN,
    PROCESS,
    Context,
    Family,
    Rule,
    end_session,
    number,
    status,
    variables,
)

__all__ = ["Transaction", "rules", "who"]


class Transaction(msgspec.Struct, frozen=True):
    """One open transaction; ``id`` is that of its session, 0 without one. ``wait_s``: it waits for a row lock."""

    id: int
    age_s: float
    user: str | None = None
    host: str | None = None
    db: str | None = None
    command: str | None = None
    state_s: float | None = None
    state: str | None = None
    rows_locked: int | None = None
    rows_modified: int | None = None
    wait_s: float | None = None

    @property
    def idle(self) -> bool:
        """Its session does nothing."""
        return self.command == "Sleep"


def who(one: Transaction) -> str:
    """``app@10.0.0.7, shop``."""
    return f"{one.user or 'unknown'}@{(one.host or '?').partition(':')[0]}, {one.db or 'no database'}"


def rules(family: Family) -> tuple[Rule, ...]:
    """Of one engine."""
    return (
        Rule(_up(family), _by_connecting),
        Rule(_saturation(family), _in_use),
        Rule(_long(family), _open),
    )


def _up(family: Family) -> Check:
    return Check(
        id="my.up",
        title="The server answers",
        engine=family.name,
        unit="seconds",
        measured_by="connection",
        threshold=Threshold(warning=1, critical=5),
        source=OWN,
        privilege="an account",
        remedy=Remedy(
            text="Look at the server's log, its address and its limits on connections.", url=family.pages["up"]
        ),
    )


def _saturation(family: Family) -> Check:
    return Check(
        id="my.connections.saturation",
        title="Connections in use",
        engine=family.name,
        unit="percent",
        needs=("status", "variables"),
        threshold=Threshold(warning=80, critical=90),
        source="mysqltuner: 85 % of the most there ever were; dbops looks at those of now and leaves time to act",
        privilege="none",
        remedy=Remedy(
            text="End idle sessions, let them end by themselves (wait_timeout), use a pool, or raise max_connections "
            "(needs memory for each).",
            url=family.pages["connections"],
        ),
    )


def _long(family: Family) -> Check:
    return Check(
        id="my.trx.long",
        title="Transactions open for long",
        engine=family.name,
        unit="seconds",
        needs=("transactions",),
        threshold=Threshold(warning=300, critical=3600),
        source=OWN,
        privilege="PROCESS",
        grants=PROCESS,
        remedy=Remedy(
            text="End the session: its locks hold up others, and what it may still see keeps old row versions. Then "
            "correct the application. A dump of a large server is such a transaction, too: accept it by a waiver.",
            risk="rolls back what the session did",
            url=family.pages["transactions"],
        ),
    )


def _by_connecting(_answers: Answers, _context: Context) -> Iterable[Observation]:
    return ()


def _in_use(answers: Answers, _context: Context) -> Iterable[Observation]:
    counters = status(answers)
    used, most = number(counters, "threads_connected"), number(counters, "max_used_connections")
    limit = number(variables(answers), "max_connections")
    if limit <= 0:
        missing = Missing("null_value", f"max_connections is {limit:g}")
        return [Observation(summary="how many there can be is not known", missing=missing)]
    share = 100 * used / limit
    return [
        Observation(
            summary=f"{used:.0f} of {limit:.0f} connections in use ({share:.0f} %), {most:.0f} at the most so far",
            value=round(share, 2),
            evidence={"used": int(used), "max_connections": int(limit), "most": int(most)},
        )
    ]


def _open(answers: Answers, context: Context) -> Iterator[Observation]:
    found = answers.rows("transactions", Transaction)
    if not found:
        yield Observation(summary="no transaction is open", value=0.0)
    for one in found:
        yield _forgotten(one) if one.id == 0 else _held(one, context)


def _held(one: Transaction, context: Context) -> Observation:
    doing = f"idle for {seconds(one.state_s or 0)}" if one.idle else (one.state or "").lower()
    return Observation(
        object=f"session:{one.id}",
        summary=f"session {one.id} ({who(one)}) has held a transaction open for {seconds(one.age_s)}, {doing}",
        value=max(0.0, one.age_s),
        sql=end_session(one.id, context.server),
        evidence=msgspec.to_builtins(one),
    )


def _forgotten(one: Transaction) -> Observation:
    return Observation(
        object="session:0",
        summary=f"a transaction that XA prepared and left has been open for {seconds(one.age_s)}",
        value=max(0.0, one.age_s),
        sql="XA RECOVER;  -- then XA ROLLBACK or XA COMMIT what nobody comes back for",
        evidence=msgspec.to_builtins(one),
    )
