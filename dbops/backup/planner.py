"""Whether an objective can be met, how, and if not: the course of events that shows it.

Every method is judged by itself, on three questions (loss, time to recover, room); each has the answers yes, no and
unknown. One no makes infeasible, otherwise one unknown makes unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

from dbops.backup import objective as law
from dbops.backup.case import Case, Room, Wanted, apart, build
from dbops.backup.counterexample import too_full, too_much_lost, too_slow
from dbops.backup.text import duration, size
from dbops.model.backup import BackupFacts, Blocker, Keep, Method, PastRun
from dbops.model.finding import Missing
from dbops.model.recovery import (
    BackupPlan,
    Counterexample,
    Feasibility,
    MethodAnswer,
    Predicted,
    Range,
    ScheduleEntry,
)

__all__ = ["Room", "Wanted", "plan"]

_ORDER = (Feasibility.FEASIBLE, Feasibility.UNKNOWN, Feasibility.INFEASIBLE)
Answer = bool | Missing


def plan(
    wanted: Wanted, facts: BackupFacts, methods: Sequence[Method], runs: Sequence[PastRun], room: Room
) -> BackupPlan:
    """The answer for the method that does best; between equals, the one that the backend prefers (the first)."""
    cases = [build(method, wanted, facts, runs, room) for method in methods if method.kind != "log"]
    if not cases:
        return _nothing(wanted)
    judged = [(case, *_judge(case)) for case in cases]
    case, verdict, reasons, example = min(judged, key=lambda one: _ORDER.index(one[1]))
    return BackupPlan(
        verdict=verdict,
        objective=wanted.objective,
        reasons=(*reasons, *_remarks(case, facts, methods)),
        methods=tuple(
            _answer(one, said, (*why, *_known(one, facts)), chosen=one is case) for one, said, why, _ in judged
        ),
        schedule=_schedule(case),
        predicted=_predicted(case),
        server_changes=case.changes,
        counterexample=example if verdict is Feasibility.INFEASIBLE else None,
    )


def _judge(case: Case) -> tuple[Feasibility, tuple[str, ...], Counterexample | None]:
    if case.blocked:
        return Feasibility.INFEASIBLE, case.blocked, None
    answers = [_loss(case), _recovery(case), _room(case)]
    reasons = tuple(reason for _, reason, _ in answers if reason)
    examples = [example for answer, _, example in answers if answer is False and example]
    if examples:
        return Feasibility.INFEASIBLE, reasons, examples[0]
    unknown = any(isinstance(answer, Missing) for answer, _, _ in answers)
    return (Feasibility.UNKNOWN if unknown else Feasibility.FEASIBLE), reasons, None


Judgement = tuple[Answer, str, Counterexample | None]


def _loss(case: Case) -> Judgement:
    limit = case.wanted.objective.rpo_s
    every = apart(case.interval, case.took)
    if limit is None:
        return True, "No RPO is set: any loss is accepted.", None
    if isinstance(case.took, Missing) or isinstance(case.loss, Missing):
        if every > limit:
            example = too_much_lost(every, Range(0, 0), limit)
            return False, f"Even backups every {duration(every)} can lose more than the RPO.", example
        why = case.took.detail if isinstance(case.took, Missing) else ""
        return Missing("unknown", why), f"How long a backup takes is not known: {why}.", None
    if case.loss.high > limit:
        example = too_much_lost(every, case.took, limit)
        return False, f"The best schedule can lose {duration(case.loss.high)}, the RPO is {duration(limit)}.", example
    return True, f"At most {duration(case.loss.high)} are lost, the RPO is {duration(limit)}.", None


def _recovery(case: Case) -> Judgement:
    limit = case.wanted.objective.rto_s
    if limit is None:
        return True, "No RTO is set: recovery may take any time.", None
    if isinstance(case.restore, Missing) or isinstance(case.source, Missing):
        why = case.restore.detail if isinstance(case.restore, Missing) else ""
        return Missing("unknown", why), f"How long a restore takes is not known: {why}.", None
    if case.restore.high > limit:
        example = too_slow(case.source, case.restore.high, limit)
        return False, f"A restore takes up to {duration(case.restore.high)}, the RTO is {duration(limit)}.", example
    return True, f"A restore takes at most {duration(case.restore.high)}, the RTO is {duration(limit)}.", None


def _room(case: Case) -> Judgement:
    need, room = case.storage, case.room
    if isinstance(need, Missing):
        return True, f"{need.detail[:1].upper()}{need.detail[1:]}.", None
    if isinstance(room.free, Missing):
        if room.free.reason == "unlimited":
            return True, f"Retention needs at most {size(need)}; the repository has no limit.", None
        return room.free, f"Whether {size(need)} fit is not known: {room.free.detail}.", None
    if need <= room.free + room.used:
        return True, f"Retention needs at most {size(need)} of {size(room.free + room.used)}.", None
    if isinstance(case.share, Missing):
        return case.share, f"Up to {size(need)} are needed, {size(room.free)} are free: {case.share.detail}.", None
    count = law.kept_count(case.wanted.objective.keep, case.interval.seconds) + 1
    example = too_full(count, need, room.free + room.used, case.interval.seconds)
    return False, f"Retention needs {size(need)}, {size(room.free + room.used)} are there for it.", example


def _predicted(case: Case) -> Predicted:
    return Predicted(rpo_s=case.loss, rto_s=case.restore, storage_bytes=case.storage, backup_s=case.took)


def _answer(case: Case, verdict: Feasibility, reasons: tuple[str, ...], *, chosen: bool) -> MethodAnswer:
    return MethodAnswer(
        name=case.method.name,
        kind=case.method.kind,
        title=case.method.title,
        verdict=verdict,
        reasons=reasons,
        predicted=_predicted(case),
        every_s=case.interval.seconds,
        chosen=chosen,
    )


def _schedule(case: Case) -> tuple[ScheduleEntry, ...]:
    name, interval, wanted = case.method.name, case.interval, case.wanted
    entries = [
        ScheduleEntry(do="backup", method=name, at=interval.cron, every_s=interval.seconds, reason=_why_then(case))
    ]
    if wanted.verify_every_s is not None:
        proof = law.choose(law.LADDER, max(wanted.verify_every_s, law.LADDER[0].seconds))
        reason = f"a {wanted.verify_level} proof is wanted every {duration(wanted.verify_every_s)}"
        at = proof.cron.replace("15 2 ", "45 4 ")
        entries.append(ScheduleEntry(do="verify", method=name, at=at, every_s=proof.seconds, reason=reason))
    if law.kept_count(wanted.objective.keep, interval.seconds):
        entries.append(
            ScheduleEntry(
                do="prune", method=name, at="30 6 * * *", every_s=law.DAY_S, reason="keeps what retention asks"
            )
        )
    return tuple(entries)


def _why_then(case: Case) -> str:
    limit = case.wanted.objective.rpo_s
    if isinstance(case.took, Missing):
        return "until a first run has been measured; then plan again"
    if limit is not None and isinstance(case.loss, Range) and case.loss.high > limit:
        return f"the most often that a run of {duration(case.took.high)} allows; it does not meet the RPO"
    if limit is not None and case.interval.seconds < law.preferred_s(case.wanted.objective.keep):
        return f"the longest interval that meets the RPO of {duration(limit)}"
    kept = case.wanted.objective.keep != Keep()
    return "often enough for the retention" if kept else "once a day unless the RPO asks for more"


def _remarks(case: Case, facts: BackupFacts, methods: Sequence[Method]) -> tuple[str, ...]:
    said: list[str] = []
    if isinstance(case.loss, Range) and isinstance(facts.log_bytes_per_s, float) and facts.log_bytes_per_s > 0:
        lost = size(int(facts.log_bytes_per_s * case.loss.high))
        said.append(
            f"At the measured log rate of {size(int(facts.log_bytes_per_s))}/s, {lost} of changes are at stake."
        )
    limit = case.wanted.objective.rpo_s
    missed = limit is not None and isinstance(case.loss, Range) and case.loss.high > limit
    if missed and not any(method.kind == "log" for method in methods):
        said.append("Losing less needs continuous archiving of the server's log, which is not set up by dbops yet.")
    met = limit is None or (isinstance(case.loss, Range) and case.loss.high <= limit)
    said += [] if met else [_off(one) for one in facts.blockers if one.method == "log"]
    said += _known(case, facts)
    said.append("A run that fails or is skipped adds one interval to the loss.")
    return tuple(said)


def _known(case: Case, facts: BackupFacts) -> list[str]:
    return [one.text for one in facts.remarks if one.method == case.method.name]


def _off(blocker: Blocker) -> str:
    if not blocker.setting:
        return f"No backups of the log: {blocker.reason}."
    restart = " and restart" if blocker.restart else ""
    return f"{blocker.reason}: set {blocker.setting} = {blocker.value}{restart} first."


def _nothing(wanted: Wanted) -> BackupPlan:
    gone = Missing("no_method", "no method of backup works on this server")
    return BackupPlan(
        verdict=Feasibility.INFEASIBLE,
        objective=wanted.objective,
        reasons=("No method of backup works on this server.",),
        methods=(),
        schedule=(),
        predicted=Predicted(rpo_s=gone, rto_s=gone, storage_bytes=gone, backup_s=gone),
        server_changes=(),
        counterexample=None,
    )
