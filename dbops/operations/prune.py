"""Deleting what retention no longer asks for: a plan that names manifests by digest, then its execution."""

from __future__ import annotations

from contextlib import ExitStack

import msgspec

from dbops.backup.retention import decide
from dbops.config import Target
from dbops.errors import InputError
from dbops.execute import Outcome, StepStatus
from dbops.model.backup import Keep
from dbops.model.recovery import Forgotten, Retention
from dbops.model.stored import Pruned
from dbops.operations.shelf import Shelf, detached, open_shelf, reading, recorded, who
from dbops.operations.workspace import Workspace
from dbops.plan import Call, Plan, Risk

__all__ = ["NOUN", "carry_out", "plan", "replan", "result"]

NOUN = "backup.prune"


class _Inputs(msgspec.Struct, frozen=True, kw_only=True):
    repository: str
    keep: Keep
    backups: tuple[str, ...]


def plan(
    ws: Workspace, target: str | Target, *, keep: Keep | None = None, repository: str | None = None
) -> tuple[Retention, Plan]:
    """What stays, what may go, and the plan that deletes it.

    :param keep: instead of the configured retention.
    :raises InputError: a manifest of this target cannot be read: what it needs is not known, so nothing is deleted.
    """
    wanted = ws.target(target)
    rule = keep or wanted.objective.keep
    shelf = open_shelf(ws, wanted, repository)
    answer = _decide(ws, shelf, rule)
    return answer, _plan(ws, wanted.name, shelf, rule, answer.forget)


def replan(ws: Workspace, saved: Plan) -> Plan:
    """The approved deletions as far as retention still allows them; backups that came since are not its business."""
    inputs = _inputs(saved)
    shelf = _shelf(ws, saved.target, inputs.repository)
    still = tuple(one for one in _decide(ws, shelf, inputs.keep).forget if one.backup.id in inputs.backups)
    return _plan(ws, saved.target, shelf, inputs.keep, still)


def carry_out(ws: Workspace, plan: Plan) -> Outcome:
    """Delete, while nobody makes a backup of the target or reads one that is to go.

    :raises Locked: somebody does.
    """
    inputs = _inputs(plan)
    store = ws.repository(ws.config.repository(inputs.repository))
    purpose = f"pruning the backups of {plan.target}"
    with recorded(ws, "prune", plan.target, inputs.repository) as facts, ExitStack() as held:
        held.enter_context(store.lease(plan.target, purpose=purpose))
        for name in (name for backup in inputs.backups for name in reading(backup)):
            held.enter_context(store.lease(name, purpose=purpose))
        outcome = ws.execute(plan, detached(plan.target, plan.engine))
        facts["deleted"] = list(_deleted(outcome))
        return outcome.raise_for_status()


def result(answer: Retention, outcome: Outcome | None) -> Pruned:
    """What became of it; without an outcome it is only planned."""
    gone = frozenset(_deleted(outcome)) if outcome else frozenset[str]()
    freed = sum(_size(one) for one in answer.forget if one.backup.id in gone)
    return Pruned(
        status="done" if gone else "planned" if answer.forget else "nothing_to_do",
        keep=answer.keep,
        forget=answer.forget,
        deleted=tuple(one.backup.id for one in answer.forget if one.backup.id in gone),
        freed_bytes=freed,
        notes=answer.notes,
    )


def _plan(ws: Workspace, target: str, shelf: Shelf, keep: Keep, forget: tuple[Forgotten, ...]) -> Plan:
    inputs = _Inputs(repository=shelf.config.name, keep=keep, backups=tuple(one.backup.id for one in forget))
    return Plan(
        noun=NOUN,
        target=target,
        engine=shelf.records[-1].engine if shelf.records else "",
        created_at=ws.now(),
        # Newest first: what builds on another backup is newer than it, and goes before it.
        steps=tuple(_deletion(one, shelf.config.name) for one in forget),
        inputs=msgspec.to_builtins(inputs),
    )


def _deletion(one: Forgotten, repository: str) -> Call:
    record = one.backup
    return Call(
        id=f"delete-{record.id}",
        summary=f"delete {record.id} ({record.method}, {record.started_at:%Y-%m-%d %H:%M}Z): {one.reason}",
        risk=Risk.DESTRUCTIVE,
        provider="repository",
        operation="delete",
        arguments={
            "repository": repository,
            "backup": record.id,
            "digest": record.digest,
            "by": who(),
            "reason": one.reason,
        },
    )


def _decide(ws: Workspace, shelf: Shelf, keep: Keep) -> Retention:
    shelf.refuse_damage()
    if shelf.unreadable:
        names = ", ".join(one.id for one in shelf.unreadable)
        raise InputError(
            f"nothing is deleted from {shelf.config.url}: the manifest of {names} cannot be read "
            f"({shelf.unreadable[0].reason}), so what it builds on is not known",
            hint="Use the dbops that wrote it, or take the damaged backup away by hand.",
        )
    return decide(shelf.records, keep, ws.now())


def _shelf(ws: Workspace, target: str, repository: str) -> Shelf:
    config = ws.config.repository(repository)
    return Shelf(config, ws.repository(config), target)


def _inputs(plan: Plan) -> _Inputs:
    try:
        return msgspec.convert(plan.inputs, _Inputs)
    except msgspec.ValidationError as error:
        raise InputError(f"the plan for {plan.target} does not say what it was made from: {error}") from None


def _deleted(outcome: Outcome) -> tuple[str, ...]:
    return tuple(one.id.removeprefix("delete-") for one in outcome.steps if one.status is StepStatus.DONE)


def _size(one: Forgotten) -> int:
    return one.backup.stored_bytes if isinstance(one.backup.stored_bytes, int) else 0
