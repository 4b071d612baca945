"""Replication into this server: whether it runs, how far behind it is, and whether somebody else can write here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from dbops.health.answers import Answers, Unanswered
from dbops.health.words import seconds
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Row, Status, Threshold
from dbops.model.server import within
from dbops_mysql.health.checks.rule import OWN, Context, Family, Rule, variables
from dbops_mysql.quoting import literal

__all__ = ["Replica", "replicas", "rules"]

# Its channels stand in the same list; my.cluster looks after them.
GROUP = "group_replication_"
RENAMED = (8, 0, 22)
RUNNING = "Yes"
ERROR_LENGTH = 300


class Replica(msgspec.Struct, frozen=True, kw_only=True):
    """One channel, by the newer names: those of MariaDB and of MySQL before 8.0.22 speak of slaves and masters."""

    channel: str = msgspec.field(name="Channel_Name")
    host: str = msgspec.field(name="Source_Host")
    port: int = msgspec.field(name="Source_Port")
    receiver: str = msgspec.field(name="Replica_IO_Running")
    applier: str = msgspec.field(name="Replica_SQL_Running")
    behind_s: float | None = msgspec.field(name="Seconds_Behind_Source")
    delay_s: int = msgspec.field(name="SQL_Delay")
    receiver_errno: int = msgspec.field(name="Last_IO_Errno")
    receiver_error: str = msgspec.field(name="Last_IO_Error")
    applier_errno: int = msgspec.field(name="Last_SQL_Errno")
    applier_error: str = msgspec.field(name="Last_SQL_Error")

    @property
    def object(self) -> str:
        """How it is called in findings; the only channel of most replicas has no name."""
        return f"replica:{self.channel}" if self.channel else ""

    @property
    def named(self) -> str:
        """How it is called in sentences."""
        source = f"{self.host}:{self.port}"
        return f"the channel {self.channel!r} from {source}" if self.channel else f"replication from {source}"

    @property
    def runs(self) -> bool:
        """Both halves."""
        return self.receiver == self.applier == RUNNING

    @property
    def evidence(self) -> Row:
        """Without the statements that errors quote: they may hold a password."""
        return {
            "channel": self.channel,
            "source": f"{self.host}:{self.port}",
            "receiver": self.receiver,
            "applier": self.applier,
            "behind_s": self.behind_s,
            "delay_s": self.delay_s,
            "receiver_error": _said(self.receiver_errno, self.receiver_error),
            "applier_error": _said(self.applier_errno, self.applier_error),
        }


def replicas(answers: Answers) -> list[Replica]:
    """Every channel but a group's.

    :raises Unanswered: the question failed, or a column is not there.
    """
    rows = [{_newer(name): value for name, value in row.items()} for row in answers.plain("replicas")]
    own = [row for row in rows if not str(row.get("Channel_Name")).startswith(GROUP)]
    try:
        return [msgspec.convert(row, Replica, strict=False) for row in own]
    except msgspec.ValidationError as error:
        raise Unanswered(Missing("null_value", f"replicas: {error}")) from None


def _newer(name: str) -> str:
    return name.replace("Slave", "Replica").replace("Master", "Source").replace("Connection_name", "Channel_Name")


def _said(number: int, error: str) -> str:
    return f"{number}: {error.partition(' Query: ')[0][:ERROR_LENGTH]}" if number else ""


def rules(family: Family) -> tuple[Rule, ...]:
    """Of one engine."""
    return (
        Rule(_running_check(family), _running),
        Rule(_lag_check(family), _lag),
        Rule(_read_only_check(family), _read_only),
    )


def _grants(family: Family) -> tuple[str, ...]:
    return (f"GRANT {family.watches_replicas} ON *.* TO {{login}};",)


def _running_check(family: Family) -> Check:
    return Check(
        id="my.replica.running",
        title="Replication runs",
        engine=family.name,
        unit="",
        needs=("replicas",),
        also=("variables",),
        threshold=Threshold(),
        source=OWN,
        privilege=family.watches_replicas,
        grants=_grants(family),
        remedy=Remedy(
            text="Read the error. A row that differs here was written here: find out by whom before it is put right, "
            "and never skip events blindly. One that was stopped is started again.",
            url=family.pages["replication"],
        ),
    )


def _lag_check(family: Family) -> Check:
    return Check(
        id="my.replica.lag",
        title="How far a replica is behind",
        engine=family.name,
        unit="seconds",
        needs=("replicas",),
        also=("variables",),
        threshold=Threshold(warning=30, critical=300),
        source=f"{OWN}; mysqld_exporter's mixin: 30 seconds; a delay that was configured is taken off",
        privilege=family.watches_replicas,
        grants=_grants(family),
        remedy=Remedy(
            text="Look at what the applier is at: one large transaction, a table without a primary key "
            "(my.table.no_pk), a lock (my.locks.mdl), or one thread too few.",
            url=family.pages["lag"],
        ),
    )


def _read_only_check(family: Family) -> Check:
    return Check(
        id="my.replica.readonly",
        title="Replicas that can be written to",
        engine=family.name,
        unit="",
        needs=("replicas", "variables"),
        threshold=Threshold(),
        source=OWN,
        privilege=family.watches_replicas,
        grants=_grants(family),
        remedy=Remedy(
            text="Make it read only; what was written here meanwhile is on no other server.",
            sql=family.make_read_only,
            url=family.pages["read_only"],
        ),
    )


def _none(answers: Answers, context: Context) -> Observation:
    """No channel. A server that cannot be written to and gets nothing from anywhere was meant to be a replica."""
    known = {} if answers.missing("variables") else variables(answers)
    clustered = known.get("group_replication_group_name") or known.get("wsrep_on") == "ON" or context.server.edition
    if context.server.role == "standby" and not clustered:
        missing = Missing("no_rows", "it is read only and has no channel")
        return Observation(summary="it replicates from nobody", missing=missing)
    missing = Missing("not_applicable", "it is no replica")
    return Observation(summary="this server has no channel", missing=missing, state=Status.SKIPPED)


def _channels(answers: Answers, context: Context) -> tuple[Sequence[Replica], list[Observation]]:
    found = replicas(answers)
    return found, [] if found else [_none(answers, context)]


def _running(answers: Answers, context: Context) -> Iterator[Observation]:
    found, nothing = _channels(answers, context)
    yield from nothing
    for one in found:
        yield _state(one, context)


def _state(one: Replica, context: Context) -> Observation:
    error = _said(one.applier_errno, one.applier_error) or _said(one.receiver_errno, one.receiver_error)
    lame = [word for word, state in (("receive", one.receiver), ("apply", one.applier)) if state != RUNNING]
    if not lame:
        return Observation(object=one.object, summary=f"{one.named} runs", state=Status.OK, evidence=one.evidence)
    connecting = one.receiver not in (RUNNING, "No") and one.applier == RUNNING
    if connecting and not one.receiver_errno:
        summary, state = f"{one.named} is connecting", Status.WARNING
    else:
        what = "cannot connect" if connecting else f"does not {' nor '.join(lame)}"
        summary, state = f"{one.named} {what}: {error or 'it was stopped'}", Status.CRITICAL
    start = "" if error or connecting else _start(one, context)
    return Observation(object=one.object, summary=summary, state=state, sql=start, evidence=one.evidence)


def _start(one: Replica, context: Context) -> str:
    words = context.family.start_replica
    if not within(context.server.version, RENAMED, None):
        words = words.replace("REPLICA", "SLAVE")
    return words.format(channel=literal(one.channel))


def _lag(answers: Answers, context: Context) -> Iterator[Observation]:
    found, nothing = _channels(answers, context)
    yield from nothing
    for one in found:
        yield _behind(one)


def _behind(one: Replica) -> Observation:
    # A receiver that stands still leaves a number behind: how late the applier is with what had arrived.
    if one.behind_s is None or not one.runs:
        why = "it does not say so while it is not running (my.replica.running)"
        missing = Missing("null_value", why)
        summary = f"how far {one.named} is behind"
        return Observation(object=one.object, summary=summary, missing=missing, evidence=one.evidence)
    late = max(0.0, one.behind_s - one.delay_s)
    meant = f", not counting the {seconds(one.delay_s)} that are meant" if one.delay_s else ""
    return Observation(
        object=one.object, summary=f"{one.named} is {seconds(late)} behind{meant}", value=late, evidence=one.evidence
    )


def _read_only(answers: Answers, context: Context) -> Iterator[Observation]:
    found, nothing = _channels(answers, context)
    if nothing:
        yield from nothing
        return
    known = variables(answers)
    if "read_only" not in known:
        raise Unanswered(Missing("no_rows", "this server does not tell read_only"))
    evidence: Row = {name: known[name] for name in ("read_only", "super_read_only") if name in known}
    if known["read_only"] in ("OFF", "0"):
        yield Observation(
            summary=f"{found[0].named} runs into a server that everybody can write to",
            state=Status.WARNING,
            evidence=evidence,
        )
        return
    but = ", but not for accounts that may pass it" if known.get("super_read_only") == "OFF" else ""
    yield Observation(summary=f"it is read only{but}", state=Status.OK, evidence=evidence)
