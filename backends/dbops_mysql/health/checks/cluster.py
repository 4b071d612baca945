"""The server as a member: of a Galera cluster, or of a replication group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from dbops.health.answers import Answers, Unanswered
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Row, Status, Threshold
from dbops_mysql.health.checks.rule import OWN, Context, Family, Measure, Rule, status, variables

__all__ = ["galera", "galera_or_group", "rule"]

# https://galeracluster.com/library/documentation/node-states.html
SYNCED = "4"
MUST = {"wsrep_cluster_status": "Primary", "wsrep_ready": "ON", "wsrep_connected": "ON"}
TOLD = (*MUST, "wsrep_local_state", "wsrep_local_state_comment", "wsrep_cluster_size")
PAUSED = 0.02
QUEUE = 100
ENOUGH = 3
GROUP_STATES = {"ONLINE": Status.OK, "RECOVERING": Status.WARNING}


class _Member(msgspec.Struct, frozen=True):
    id: str
    host: str
    state: str
    port: int | None = None
    role: str | None = None

    @property
    def name(self) -> str:
        """How it is called; it has no address while it is offline."""
        return f"{self.host}:{self.port}" if self.host else "own"


def rule(family: Family, measure: Measure, needs: tuple[str, ...], *, privilege: str, grants: tuple[str, ...]) -> Rule:
    """The check of one engine; what it needs depends on what there can be."""
    check = Check(
        id="my.cluster",
        title="The server is a good member of its cluster",
        engine=family.name,
        unit="",
        needs=needs,
        threshold=Threshold(),
        source=f"{OWN}; mysqld_exporter's mixin for Galera",
        privilege=privilege,
        grants=grants,
        remedy=Remedy(
            text="Read the server's log, and look at the other members first: never start a part of a cluster by "
            "itself before it is known that the other part is down.",
            url=family.pages["cluster"],
        ),
    )
    return Rule(check, measure)


def galera(answers: Answers, _context: Context) -> Iterator[Observation]:
    """MariaDB, and Percona XtraDB Cluster."""
    if variables(answers).get("wsrep_on") != "ON":
        yield _nothing("it replicates in no cluster")
        return
    yield from _node(status(answers))


def galera_or_group(answers: Answers, context: Context) -> Iterator[Observation]:
    """MySQL."""
    known = variables(answers)
    if known.get("wsrep_on") == "ON":
        yield from _node(status(answers))
    elif known.get("group_replication_group_name"):
        yield from _group(answers, context)
    else:
        yield _nothing("it replicates in no group")


def _nothing(why: str) -> Observation:
    missing = Missing("not_applicable", why)
    return Observation(summary="this server is no member of anything", missing=missing, state=Status.SKIPPED)


def _node(counters: Mapping[str, str]) -> Iterator[Observation]:
    evidence: Row = {name: value for name, value in counters.items() if name in TOLD}
    for name, good in MUST.items():
        if counters.get(name) != good:
            summary = f"{name} is {counters.get(name) or 'not told'}, not {good}: this node must not be used"
            yield Observation(object=f"status:{name}", summary=summary, state=Status.CRITICAL, evidence=evidence)
            return
    ailments = list(_ailments(counters))
    for name, summary in ailments:
        yield Observation(object=f"status:{name}", summary=summary, state=Status.WARNING, evidence=evidence)
    if not ailments:
        summary = f"synced, in a cluster of {counters['wsrep_cluster_size']}"
        yield Observation(summary=summary, state=Status.OK, evidence=evidence)


def _ailments(counters: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    state = counters.get("wsrep_local_state")
    if state != SYNCED:
        said = counters.get("wsrep_local_state_comment") or state or "not told"
        yield "wsrep_local_state", f"wsrep_local_state is {state}: the node is {said}, not synced"
    nodes = _number(counters, "wsrep_cluster_size")
    if nodes < ENOUGH:
        yield "wsrep_cluster_size", f"wsrep_cluster_size is {nodes:.0f}: the loss of one node stops the cluster"
    paused = _number(counters, "wsrep_flow_control_paused")
    if paused > PAUSED:
        share = f"{100 * paused:.0f} % of the time since FLUSH STATUS"
        yield "wsrep_flow_control_paused", f"wsrep_flow_control_paused: the cluster waited for slow nodes {share}"
    queue = _number(counters, "wsrep_local_recv_queue")
    if queue > QUEUE:
        yield "wsrep_local_recv_queue", f"wsrep_local_recv_queue: {queue:.0f} write sets wait to be applied here"


def _number(counters: Mapping[str, str], name: str) -> float:
    try:
        return float(counters.get(name, ""))
    except ValueError:
        raise Unanswered(Missing("null_value", f"{name} is {counters.get(name)!r}")) from None


def _group(answers: Answers, context: Context) -> Iterator[Observation]:
    found = answers.rows("members", _Member)
    own = next((one for one in found if one.id == context.server.identity), None)
    if not found:
        off = variables(answers).get("performance_schema") == "OFF"
        why = Missing("feature_off", "performance_schema is off") if off else Missing("no_rows", "no member is listed")
        yield Observation(summary="the group is not known", missing=why)
        return
    online = [one for one in found if one.state == "ONLINE"]
    if own is None or own.state not in GROUP_STATES:
        name, state = (own.name, own.state) if own else ("own", "not in the list")
        summary = f"this member ({name}) is {state}"
        yield Observation(object=f"member:{name}", summary=summary, state=Status.CRITICAL, evidence=_listed(found))
        return
    if not any(one.role == "PRIMARY" for one in online):
        yield Observation(summary="no member is primary: nobody can write", state=Status.CRITICAL)
    for one in found:
        if one.state != "ONLINE":
            yield Observation(object=f"member:{one.name}", summary=f"{one.name} is {one.state}", state=Status.WARNING)
    if len(online) == len(found):
        yield Observation(
            summary=f"online as {own.role}, in a group of {len(found)}", state=Status.OK, evidence=_listed(found)
        )


def _listed(found: list[_Member]) -> Row:
    return {"members": [msgspec.to_builtins(one) for one in found]}
