"""Locks: who waits for whom, for rows and for whole tables, and who is at the root of the queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from dbops.health.answers import Answers, Unanswered
from dbops.health.words import seconds
from dbops.model.finding import Remedy
from dbops.model.health import Check, Observation, Row, Threshold
from dbops_mysql.health.checks.rule import OWN, PROCESS, Context, Family, Rule, end_session, hidden_sessions
from dbops_mysql.health.checks.sessions import Transaction, who

__all__ = ["Hold", "root_of", "rules"]


class Hold(msgspec.Struct, frozen=True):
    """``waiting`` waits for ``holding`` because of ``what``; 0 and None are no session of anybody."""

    waiting: int
    holding: int | None = None
    what: str | None = None


class _Waiting(msgspec.Struct, frozen=True):
    id: int
    wait_s: float
    state: str
    user: str | None = None
    host: str | None = None
    db: str | None = None
    command: str | None = None


def rules(family: Family) -> tuple[Rule, ...]:
    """Of one engine."""
    return (Rule(_rows(family), _waits), Rule(_metadata(family), _queues))


def _rows(family: Family) -> Check:
    return Check(
        id="my.locks.waits",
        title="Sessions that wait for row locks",
        engine=family.name,
        unit="seconds",
        needs=("transactions",),
        also=("row_waits",),
        threshold=Threshold(warning=60, critical=300),
        source=f"{OWN}; the server gives up after innodb_lock_wait_timeout, 50 seconds by default",
        privilege="PROCESS (SELECT on performance_schema, to name the root on MySQL)",
        grants=PROCESS,
        remedy=Remedy(
            text="End the session at the root of the queue.",
            risk="rolls back what the session did",
            url=family.pages["row_locks"],
        ),
    )


def _metadata(family: Family) -> Check:
    return Check(
        id="my.locks.mdl",
        title="Sessions that wait for tables",
        engine=family.name,
        unit="seconds",
        needs=("waiting",),
        also=("rights", "holders", "transactions"),
        threshold=Threshold(warning=30, critical=300),
        source=f"{OWN}; by default the server lets them wait for a day or a year (lock_wait_timeout)",
        privilege="PROCESS (SELECT on performance_schema, to name the root where it is on)",
        grants=PROCESS,
        remedy=Remedy(
            text="One statement that wants a table for itself stops all that come after it. End the transaction that "
            "it waits for, or the statement.",
            risk="rolls back what the session did",
            url=family.pages["metadata_locks"],
        ),
    )


def _waits(answers: Answers, context: Context) -> Iterator[Observation]:
    sessions = {one.id: one for one in answers.rows("transactions", Transaction)}
    waiting = [one for one in sessions.values() if one.wait_s is not None]
    if not waiting:
        yield Observation(summary="no session waits for a row lock", value=0.0)
        return
    holds, unknown = _holds(answers, "row_waits")
    for one in waiting:
        text, evidence, sql = _root(one.id, holds, unknown, sessions, context)
        yield Observation(
            object=f"session:{one.id}",
            summary=f"session {one.id} ({who(one)}) has waited {seconds(one.wait_s or 0)} for a row {text}",
            value=max(0.0, one.wait_s or 0.0),
            sql=sql,
            evidence={**msgspec.to_builtins(one), **evidence},
        )


def _queues(answers: Answers, context: Context) -> Iterator[Observation]:
    waiting = answers.rows("waiting", _Waiting)
    holds, unknown = _holds(answers, "holders") if waiting else ([], "")
    sessions = _transactions(answers)
    for one in waiting:
        text, evidence, sql = _root(one.id, holds, unknown, sessions, context)
        place = f"{one.user or 'unknown'}@{(one.host or '?').partition(':')[0]}, {one.db or 'no database'}"
        yield Observation(
            object=f"session:{one.id}",
            summary=f"session {one.id} ({place}) is {one.state.lower()} since {seconds(one.wait_s)} {text}",
            value=max(0.0, one.wait_s),
            sql=sql,
            evidence={**msgspec.to_builtins(one), **evidence},
        )
    missing = hidden_sessions(answers, context)
    if missing:
        yield Observation(summary="waiting sessions could not be seen", missing=missing)
    elif not waiting:
        yield Observation(summary="no session waits for a table", value=0.0)


def _holds(answers: Answers, question: str) -> tuple[list[Hold], str]:
    """Who holds what is wanted, and why that is not known when there is nothing."""
    try:
        found = answers.rows(question, Hold)
    except Unanswered as end:
        return [], str(end)
    return found, "" if found else "the server does not tell (performance_schema is off, or it is over)"


def _transactions(answers: Answers) -> dict[int, Transaction]:
    try:
        return {one.id: one for one in answers.rows("transactions", Transaction)}
    except Unanswered:
        return {}


def _root(
    waiting: int, holds: Sequence[Hold], unknown: str, sessions: Mapping[int, Transaction], context: Context
) -> tuple[str, Row, str]:
    """Words for a summary, evidence, and the statement that ends the queue."""
    own = [one for one in holds if one.waiting == waiting]
    if not own:
        return "(by whom is not known)", {"root": None, "root_unknown": unknown or "it does not say"}, ""
    root = root_of(waiting, holds)
    what = own[0].what or ""
    evidence: Row = {"root": root, "what": what, "root_session": None}
    about = f"of {what}; the root of the queue is" if what else "; the root of the queue is"
    if not root:
        return f"{about} a transaction that XA prepared and left", evidence, "XA RECOVER;"
    holder = sessions.get(root)
    if holder is not None:
        evidence["root_session"] = msgspec.to_builtins(holder)
    doing = f" ({who(holder)}, {'idle' if holder.idle else 'working'})" if holder else ""
    return f"{about} session {root}{doing}", evidence, end_session(root, context.server)


def root_of(waiting: int, holds: Sequence[Hold]) -> int:
    """The session that ends the queue in which ``waiting`` stands, 0 for one that nobody has; in a circle one of it."""
    ahead: dict[int, list[int]] = {}
    for hold in holds:
        ahead.setdefault(hold.waiting, []).append(hold.holding or 0)
    seen, one = {waiting}, waiting
    while True:
        further = [other for other in ahead.get(one, []) if other not in seen]
        if not further:
            return one
        # Whoever does not wait himself is the end.
        one = min(further, key=lambda other: (other in ahead, other))
        seen.add(one)
