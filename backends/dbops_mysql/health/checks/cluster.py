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
SYNCED, DONOR = "4", "2"
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
    names = ("cluster_status", "ready", "connected", "local_state", "local_state_comment", "cluster_size")
    found = {name: counters.get(f"wsrep_{name}", "") for name in names}
    for name, good in (("cluster_status", "Primary"), ("ready", "ON"), ("connected", "ON")):
        if found[name] != good:
            summary = f"wsrep_{name} is {found[name] or 'not told'}, not {good}: this node must not be used"
            yield Observation(object=f"node:{name}", summary=summary, state=Status.CRITICAL, evidence={**found})
            return
    bad = list(_ailing(found, counters))
    yield from bad
    if not bad:
        summary = f"synced, in a cluster of {found['cluster_size']}"
        yield Observation(summary=summary, state=Status.OK, evidence={**found})


def _ailing(found: Mapping[str, str], counters: Mapping[str, str]) -> Iterator[Observation]:
    said: list[tuple[str, str]] = []
    if found["local_state"] != SYNCED:
        said.append(("local_state", f"the node is {found['local_state_comment'] or found['local_state']}, not synced"))
    if _number(found["cluster_size"]) < ENOUGH:
        said.append(("cluster_size", f"there are {found['cluster_size']} nodes: the loss of one stops the cluster"))
    if _number(counters.get("wsrep_flow_control_paused", "0")) > PAUSED:
        paused = 100 * _number(counters["wsrep_flow_control_paused"])
        said.append(("flow_control", f"the cluster waited for slow nodes {paused:.0f} % of the time"))
    if _number(counters.get("wsrep_local_recv_queue", "0")) > QUEUE:
        said.append(("recv_queue", f"{counters['wsrep_local_recv_queue']} write sets wait to be applied here"))
    for name, summary in said:
        yield Observation(object=f"node:{name}", summary=summary, state=Status.WARNING, evidence={**found})


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Unanswered(Missing("null_value", f"{text!r} is no number")) from None


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
        state = own.state if own else "not in the list"
        yield Observation(
            object="member:own", summary=f"this member is {state}", state=Status.CRITICAL, evidence=_listed(found)
        )
        return
    if not any(one.role == "PRIMARY" for one in online):
        yield Observation(
            object="member:primary", summary="no member is primary: nobody can write", state=Status.CRITICAL
        )
    for one in found:
        if one.state != "ONLINE":
            summary = f"{one.host}:{one.port} is {one.state}"
            yield Observation(object=f"member:{one.id}", summary=summary, state=Status.WARNING)
    if len(online) == len(found):
        yield Observation(
            summary=f"online as {own.role}, in a group of {len(found)}", state=Status.OK, evidence=_listed(found)
        )


def _listed(found: list[_Member]) -> Row:
    return {"members": [msgspec.to_builtins(one) for one in found]}
