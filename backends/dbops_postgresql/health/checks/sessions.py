"""Sessions: how many there are, who holds a transaction open, who blocks whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from dbops.health.answers import Answers
from dbops.health.words import seconds
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Row, Threshold
from dbops_postgresql.health.checks.rule import DOCS, MONITOR, OWN, Context, Rule, hidden

__all__ = ["RULES"]

UP = Check(
    id="pg.up",
    title="The server answers",
    engine="postgresql",
    unit="seconds",
    measured_by="connection",
    threshold=Threshold(warning=1, critical=5),
    source=OWN,
    privilege="CONNECT",
    remedy=Remedy(
        text="Look at the server's log, its address and its limits on connections.", url=f"{DOCS}runtime.html"
    ),
)
SATURATION = Check(
    id="pg.connections.saturation",
    title="Connections in use",
    engine="postgresql",
    unit="percent",
    needs=("connections",),
    threshold=Threshold(warning=80, critical=90),
    source="check_postgres warns at 90 % and is critical at 95 %; dbops leaves time to act",
    privilege="none (pg_monitor tells idle sessions apart)",
    grants=MONITOR,
    remedy=Remedy(
        text="Close idle sessions, put a pooler in front, or raise max_connections (needs a restart and memory).",
        risk="restart",
        url=f"{DOCS}runtime-config-connection.html",
    ),
)
IDLE = Check(
    id="pg.activity.idle_in_xact",
    title="Idle in transaction",
    engine="postgresql",
    unit="seconds",
    needs=("visibility", "idle"),
    threshold=Threshold(warning=300, critical=1800),
    source=OWN,
    privilege="pg_monitor",
    grants=MONITOR,
    remedy=Remedy(
        text="End the session: its locks and its snapshot hold up others and vacuum. Then set "
        "idle_in_transaction_session_timeout and correct the application.",
        risk="rolls back what the session did",
        url=f"{DOCS}runtime-config-client.html",
    ),
)
BLOCKING = Check(
    id="pg.locks.blocking",
    title="Sessions blocked by others",
    engine="postgresql",
    unit="seconds",
    needs=("visibility", "blocking"),
    threshold=Threshold(warning=60, critical=300),
    source="check_postgres: 1 and 2 minutes",
    privilege="pg_monitor",
    grants=MONITOR,
    remedy=Remedy(
        text="End the session at the root of the queue.",
        risk="rolls back what the session did",
        url=f"{DOCS}view-pg-locks.html",
    ),
)


class _Connections(msgspec.Struct, frozen=True):
    used: int
    max_connections: int
    reserved: int
    active: int | None = None
    idle: int | None = None
    idle_in_transaction: int | None = None


class _Idle(msgspec.Struct, frozen=True):
    pid: int
    state: str
    idle_s: float
    transaction_s: float | None = None
    database: str | None = None
    role: str | None = None
    application: str | None = None
    client: str | None = None
    xmin_age: int | None = None
    has_written: bool = False


class _Session(msgspec.Struct, frozen=True):
    """One that waits (``blockers`` is not empty) or that others wait for."""

    pid: int
    blockers: tuple[int, ...]
    database: str | None = None
    role: str | None = None
    application: str | None = None
    state: str | None = None
    mode: str | None = None
    locktype: str | None = None
    relation: str | None = None
    wait_s: float | None = None
    transaction_s: float | None = None


def saturation(answers: Answers, _context: Context) -> Iterable[Observation]:
    """Client connections against the slots that ordinary logins can take."""
    found = answers.one("connections", _Connections)
    usable = found.max_connections - found.reserved
    if usable <= 0:
        missing = Missing("null_value", f"max_connections is {found.max_connections}, {found.reserved} are reserved")
        return [Observation(summary="no connection is left for ordinary logins", missing=missing)]
    share = 100 * found.used / usable
    return [
        Observation(
            summary=f"{found.used} of {usable} connections in use ({share:.0f} %)",
            value=round(share, 2),
            evidence=msgspec.to_builtins(found),
        )
    ]


def idle_in_transaction(answers: Answers, _context: Context) -> Iterator[Observation]:
    """Each session that holds a transaction open without working in it."""
    missing = hidden(answers)
    if missing:
        yield Observation(summary="idle sessions could not be seen", missing=missing)
    found = answers.rows("idle", _Idle)
    if not found and not missing:
        yield Observation(summary="no session is idle in a transaction", value=0.0)
    for one in found:
        what = "an aborted transaction" if "aborted" in one.state else "a transaction"
        yield Observation(
            object=f"session:{one.pid}",
            summary=f"pid {one.pid} ({_who(one.role, one.database, one.application)}) has held {what} open, "
            f"idle for {seconds(one.idle_s)}",
            value=one.idle_s,
            sql=f"SELECT pg_terminate_backend({one.pid});",
            evidence=msgspec.to_builtins(one),
        )


def blocking(answers: Answers, _context: Context) -> Iterator[Observation]:
    """Each session that waits for a lock, with the one at the root of its queue."""
    missing = hidden(answers)
    sessions = {one.pid: one for one in answers.rows("blocking", _Session)}
    # Rows of pg_locks are hidden from nobody: what waits is seen without any right, only not for how long or for whom.
    waiting = [one for one in sessions.values() if one.blockers]
    if missing:
        yield Observation(summary="waiting sessions could not be seen in full", missing=missing)
    elif not waiting:
        yield Observation(summary="no session waits for a lock", value=0.0)
    for one in waiting:
        yield _blocked(one, sessions)


def _blocked(one: _Session, sessions: Mapping[int, _Session]) -> Observation:
    root = root_of(one.pid, sessions)
    holder = sessions.get(root)
    evidence: Row = {
        **msgspec.to_builtins(one),
        "root": root,
        "root_session": msgspec.to_builtins(holder) if holder else None,
    }
    about = f"on {one.relation}" if one.relation else f"({one.locktype})"
    if one.wait_s is None:
        unknown = Missing("hidden_rows", "for how long is hidden from this login")
        summary = f"pid {one.pid} waits for a lock {about}"
        return Observation(object=f"session:{one.pid}", summary=summary, missing=unknown, evidence=evidence)
    by = "a prepared transaction" if root == 0 else f"pid {root} ({_root_state(holder)})"
    return Observation(
        object=f"session:{one.pid}",
        summary=f"pid {one.pid} ({_who(one.role, one.database, one.application)}) has waited {seconds(one.wait_s)} for "
        f"a lock {about}; the root of the queue is {by}",
        value=one.wait_s,
        sql=f"SELECT pg_terminate_backend({root});" if root else "SELECT * FROM pg_prepared_xacts ORDER BY prepared;",
        evidence=evidence,
    )


def root_of(pid: int, sessions: Mapping[int, _Session]) -> int:
    """Who ends the queue that ``pid`` stands in; 0 is a prepared transaction. In a deadlock: one of its members."""
    seen = {pid}
    while True:
        session = sessions.get(pid)
        ahead = [one for one in session.blockers if one not in seen] if session else []
        if not ahead:
            return pid
        # Whoever does not wait himself is the end; pg_blocking_pids() names those further up the queue too.
        pid = min(ahead, key=lambda one: (one in sessions and bool(sessions[one].blockers), one))
        seen.add(pid)


def _root_state(holder: _Session | None) -> str:
    if holder is None or holder.state is None:
        return "of which nothing more is seen"
    return f"{_who(holder.role, holder.database, holder.application)}, {holder.state}"


def _who(role: str | None, database: str | None, application: str | None) -> str:
    place = f"{role or 'unknown'}@{database or '?'}"
    return f"{place}, {application}" if application else place


def _by_connecting(_answers: Answers, _context: Context) -> Iterable[Observation]:
    return ()


RULES = (
    Rule(UP, _by_connecting),
    Rule(SATURATION, saturation),
    Rule(IDLE, idle_in_transaction),
    Rule(BLOCKING, blocking),
)
