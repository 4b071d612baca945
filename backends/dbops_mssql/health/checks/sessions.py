"""Sessions: whether one can be had, who waits for whom, and who holds a transaction open and does nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from dbops.health.answers import Answers
from dbops.health.words import seconds
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Row, Threshold
from dbops_mssql.health.checks.rule import ENGINE, OWN, STATE, Context, Rule, hidden_sessions
from dbops_mssql.health.pages import PAGES

__all__ = ["RULES", "Waiter", "root_of"]

# blocking_session_id below 0: there is no session to end.
NOBODY: Mapping[int, str] = {
    -2: "an orphaned distributed transaction",
    -3: "a transaction that recovery has put off",
    -4: "the owner of a latch, who is not known at this moment",
    -5: "the owner of a latch, who is not tracked",
}

UP = Check(
    id="ms.up",
    title="The server answers",
    engine=ENGINE,
    unit="seconds",
    measured_by="connection",
    threshold=Threshold(warning=1, critical=5),
    source=OWN,
    privilege="a login",
    remedy=Remedy(
        text="Look at the service, its address and port, the firewall, and the server's error log.", url=PAGES["up"]
    ),
)
BLOCKING = Check(
    id="ms.blocking",
    title="Sessions that wait for others",
    engine=ENGINE,
    unit="seconds",
    needs=("rights", "sessions"),
    threshold=Threshold(warning=30, critical=300),
    source=f"{OWN}; the server lets them wait for ever",
    privilege="the right to view the server's state",
    grants=(STATE,),
    remedy=Remedy(
        text="End the session at the root of the queue, then correct what it was.",
        risk="rolls back what the session did",
        url=PAGES["blocking"],
    ),
)
IDLE = Check(
    id="ms.session.idle_in_xact",
    title="Sessions that hold a transaction open and do nothing",
    engine=ENGINE,
    unit="seconds",
    needs=("rights", "sessions"),
    threshold=Threshold(warning=300, critical=1800),
    source=f"{OWN}; sp_BlitzFirst shows any",
    privilege="the right to view the server's state",
    grants=(STATE,),
    remedy=Remedy(
        text="End the session: its locks hold up others and the log cannot be used again. Then correct the "
        "application, which lost its COMMIT (SET XACT_ABORT ON rolls back on a timeout, too).",
        risk="rolls back what the session did",
        url=PAGES["blocking"],
    ),
)


class Waiter(msgspec.Struct, frozen=True):
    """A session and what it runs. ``blocked_by`` 0 or None: it waits for nobody; ``idle_s`` None: it works."""

    id: int
    login: str | None = None
    host: str | None = None
    program: str | None = None
    db: str | None = None
    status: str | None = None
    transactions: int | None = None
    command: str | None = None
    blocked_by: int | None = None
    wait_ms: int | None = None
    wait_type: str | None = None
    wait_resource: str | None = None
    idle_s: int | None = None

    @property
    def waits(self) -> bool:
        """For somebody else: parallel workers of one statement wait for each other."""
        return bool(self.blocked_by) and self.blocked_by != self.id

    @property
    def who(self) -> str:
        """``app@web1, shop``."""
        return f"{self.login or 'unknown'}@{self.host or '?'}, {self.db or 'no database'}"


def _by_connecting(_answers: Answers, _context: Context) -> Iterable[Observation]:
    return ()


def _blocked(answers: Answers, _context: Context) -> Iterator[Observation]:
    sessions = answers.rows("sessions", Waiter)
    waiting = [one for one in sessions if one.waits]
    for one in waiting:
        yield _waiting(one, sessions)
    yield from _rest(answers, waiting, "no session waits for another")


def _waiting(one: Waiter, sessions: Sequence[Waiter]) -> Observation:
    root = root_of(one, sessions)
    holder = next((other for other in sessions if other.id == root), None)
    if one.wait_ms is None:
        missing = Missing("null_value", "the server does not tell for how long")
        return Observation(object=f"session:{one.id}", summary=f"session {one.id} waits", missing=missing)
    doing = f" ({holder.who}, {'idle' if holder.idle_s is not None else 'working'})" if holder else ""
    root_text = f"session {root}{doing}" if root > 0 else NOBODY.get(root, "nobody")
    evidence: Row = {
        **msgspec.to_builtins(one),
        "root": root,
        "root_session": msgspec.to_builtins(holder) if holder else None,
    }
    return Observation(
        object=f"session:{one.id}",
        summary=f"session {one.id} ({one.who}) has waited {seconds(one.wait_ms / 1000)} for "
        f"{one.wait_resource or one.wait_type or 'a lock'}; the root of the queue is {root_text}",
        value=max(0.0, one.wait_ms / 1000),
        sql=f"KILL {root};" if root > 0 else "",
        evidence=evidence,
    )


def root_of(one: Waiter, sessions: Sequence[Waiter]) -> int:
    """The session that ends the queue in which ``one`` stands; below 0 when it is none; in a circle, one of it."""
    ahead = {other.id: other.blocked_by or 0 for other in sessions if other.waits}
    seen, at = {one.id}, one.blocked_by or 0
    while at in ahead and at not in seen:
        seen.add(at)
        at = ahead[at]
    return at


def _idle(answers: Answers, _context: Context) -> Iterator[Observation]:
    idle = [one for one in answers.rows("sessions", Waiter) if one.transactions and one.idle_s is not None]
    for one in idle:
        yield Observation(
            object=f"session:{one.id}",
            summary=f"session {one.id} ({one.who}) has held a transaction open and done nothing for "
            f"{seconds(one.idle_s or 0)}",
            value=max(0.0, float(one.idle_s or 0)),
            sql=f"KILL {one.id};",
            evidence=msgspec.to_builtins(one),
        )
    yield from _rest(answers, idle, "no idle session holds a transaction open")


def _rest(answers: Answers, found: Sequence[Waiter], well: str) -> Iterator[Observation]:
    missing = hidden_sessions(answers)
    if missing:
        yield Observation(summary="other sessions could not be seen", missing=missing)
    elif not found:
        yield Observation(summary=well, value=0.0)


RULES = (Rule(UP, _by_connecting), Rule(BLOCKING, _blocked), Rule(IDLE, _idle))
