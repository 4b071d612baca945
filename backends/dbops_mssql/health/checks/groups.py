"""Availability groups: whether each replica is there and keeps up, and how far behind it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from dbops.health.answers import Answers
from dbops.health.words import seconds, size
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Row, Status, Threshold
from dbops_mssql.health.checks.rule import DEFINITIONS, ENGINE, STATE, Context, Rule, hidden_definitions
from dbops_mssql.health.pages import PAGES
from dbops_mssql.quoting import identifier, named

__all__ = ["RULES"]

PRIVILEGE = "the right to view the server's state, and VIEW ANY DEFINITION"
FAILED = ("FAILED", "FAILED_NO_QUORUM", "OFFLINE")

HEALTH = Check(
    id="ms.ag.health",
    title="Replicas of availability groups are there and synchronised",
    engine=ENGINE,
    unit="",
    needs=("rights", "replicas", "replica_databases"),
    threshold=Threshold(),
    source="check_mssql_health and dbachecks: anything but healthy",
    privilege=PRIVILEGE,
    grants=(STATE, DEFINITIONS),
    remedy=Remedy(
        text="Not connected: the other server, its endpoint and certificate. Suspended: see why in the error log "
        "before resuming. While a replica is away the primary keeps all its log: mind ms.log.used.",
        url=PAGES["replicas"],
    ),
)
LAG = Check(
    id="ms.ag.lag",
    title="How far replicas are behind",
    engine=ENGINE,
    unit="seconds",
    needs=("rights", "replicas", "replica_databases"),
    threshold=Threshold(warning=60, critical=300),
    source="sp_Blitz: 60 seconds",
    privilege=PRIVILEGE,
    grants=(STATE, DEFINITIONS),
    remedy=Remedy(
        text="Much to send: the network, or its compression. Much to redo: the replica's storage, or readers there "
        "that hold up redo.",
        url=PAGES["lag"],
    ),
)


class _Replica(msgspec.Struct, frozen=True):
    """``is_local`` None: nothing is known of it here; a secondary knows itself alone."""

    group_name: str
    replica: str
    mode: str | None = None
    is_local: int | None = None
    role: str | None = None
    operational: str | None = None
    connected: str | None = None
    health: str | None = None
    error: str | None = None

    @property
    def object(self) -> str:
        """``replica:group.server``."""
        return named("replica", self.group_name, self.replica)


class _Copy(msgspec.Struct, frozen=True):
    """One database on one replica."""

    group_name: str
    replica: str
    name: str | None = None
    mode: str | None = None
    is_local: int | None = None
    is_primary: int | None = None
    state: str | None = None
    health: str | None = None
    database_state: str | None = None
    is_suspended: int | None = None
    suspend_reason: str | None = None
    send_queue_kb: int | None = None
    send_rate_kb: int | None = None
    redo_queue_kb: int | None = None
    redo_rate_kb: int | None = None
    lag_s: int | None = None

    @property
    def object(self) -> str:
        """``replica:group.server.database``."""
        return named("replica", self.group_name, self.replica, self.name or "?")

    @property
    def where(self) -> str:
        """In words."""
        return f"{self.name or '?'} on {self.replica}"


def _health(answers: Answers, _context: Context) -> Iterator[Observation]:
    replicas = answers.rows("replicas", _Replica)
    if not replicas:
        yield _none(answers)
        return
    bad = [seen for one in replicas for seen in _replica(one)]
    bad += [seen for one in answers.rows("replica_databases", _Copy) for seen in _copy(one)]
    yield from bad
    if not bad:
        known = sum(one.is_local is not None for one in replicas)
        groups = len({one.group_name for one in replicas})
        yield Observation(summary=f"{known} replicas of {groups} groups are well", state=Status.OK)
    yield from _rest(answers)


def _replica(one: _Replica) -> Iterator[Observation]:
    if one.is_local is None:
        return
    evidence: Row = msgspec.to_builtins(one)

    def seen(state: Status, what: str) -> Observation:
        said = f"{one.replica} in group {one.group_name} {what}"
        return Observation(object=one.object, summary=said, state=state, evidence=evidence)

    if one.connected == "DISCONNECTED":
        yield seen(Status.CRITICAL, f"is not connected{f': {one.error}' if one.error else ''}")
    if one.operational in FAILED:
        yield seen(Status.CRITICAL, f"is {one.operational}")
    if one.role == "RESOLVING":
        yield seen(Status.CRITICAL, "is RESOLVING: the group has no primary that it knows of")
    # A replica for the configuration alone has no databases to synchronise.
    if one.mode == "CONFIGURATION_ONLY" or one.connected == "DISCONNECTED":
        return
    if one.health == "NOT_HEALTHY":
        yield seen(Status.CRITICAL, "has databases that are not synchronised")
    elif one.health == "PARTIALLY_HEALTHY":
        yield seen(Status.WARNING, "has databases that are still catching up: failing over to it now loses data")
    elif one.health is None:
        missing = Missing("null_value", "the server does not tell")
        said = f"{one.replica} in group {one.group_name}: not known how it is"
        yield Observation(object=one.object, summary=said, missing=missing)


def _copy(one: _Copy) -> Iterator[Observation]:
    if one.is_suspended:
        why = f" ({one.suspend_reason})" if one.suspend_reason else ""
        sql = f"ALTER DATABASE {identifier(one.name)} SET HADR RESUME;" if one.name and one.is_local else ""
        yield _of(one, f"{one.where} is suspended{why}: it gets no changes", sql)
    if one.is_local and one.database_state not in (None, "ONLINE"):
        yield _of(one, f"{one.where} is {one.database_state}")


def _of(one: _Copy, said: str, sql: str = "") -> Observation:
    evidence = msgspec.to_builtins(one)
    return Observation(object=one.object, summary=said, state=Status.CRITICAL, sql=sql, evidence=evidence)


def _lag(answers: Answers, _context: Context) -> Iterator[Observation]:
    if not answers.rows("replicas", _Replica):
        yield _none(answers)
        return
    copies = [one for one in answers.rows("replica_databases", _Copy) if one.is_primary == 0]
    for one in copies:
        yield _behind(one)
    if not copies:
        missing = Missing("no_rows", "no database of another replica is known here")
        yield Observation(summary="how far replicas are behind is not known", missing=missing)
    yield from _rest(answers)


def _behind(one: _Copy) -> Observation:
    times = [float(one.lag_s)] if one.lag_s is not None else []
    times += [queue / rate for queue, rate in _queues(one) if queue and rate]
    # A queue that does not move has no length in time.
    told = all(queue == 0 or (queue and rate) for queue, rate in _queues(one))
    if one.lag_s is None and not told:
        missing = Missing("null_value", "the server tells neither how long nor how much")
        return Observation(object=one.object, summary=f"{one.where}: not known how far behind", missing=missing)
    behind = max(times, default=0.0)
    queues = f"{size((one.send_queue_kb or 0) * 1024)} to send, {size((one.redo_queue_kb or 0) * 1024)} to redo"
    return Observation(
        object=one.object,
        summary=f"{one.where} is {seconds(behind)} behind ({queues})",
        value=round(behind, 1),
        evidence=msgspec.to_builtins(one),
    )


def _queues(one: _Copy) -> Sequence[tuple[int | None, int | None]]:
    return (one.send_queue_kb, one.send_rate_kb), (one.redo_queue_kb, one.redo_rate_kb)


def _none(answers: Answers) -> Observation:
    missing = hidden_definitions(answers)
    if missing:
        return Observation(summary="availability groups could not be seen", missing=missing)
    off = Missing("not_applicable", "it is in no availability group")
    return Observation(summary="there is no availability group", missing=off, state=Status.SKIPPED)


def _rest(answers: Answers) -> Iterator[Observation]:
    missing = hidden_definitions(answers)
    if missing:
        yield Observation(summary="there may be other groups", missing=missing)


RULES = (Rule(HEALTH, _health, "replicas"), Rule(LAG, _lag, "replicas"))
