"""Plans for people: the whole of one, and the difference of two."""

from __future__ import annotations

import msgspec

from dbops.plan.document import Plan, walk
from dbops.plan.steps import Call, Command, Hold, Sql, Step, Together, fragment_text

__all__ = ["difference", "render_text"]


def difference(old: Plan, new: Plan) -> tuple[str, ...]:
    """Lines that tell how two plans differ, ``-`` for what only ``old`` does and ``+`` for what only ``new`` does; none
    exactly when their digests are equal. A container is compared apart from its content."""
    if old.incarnation != new.incarnation:
        return (f"! this is another server: {new.incarnation or 'unknown'}, not {old.incarnation or 'unknown'}",)
    before, after = _flat(old), _flat(new)
    gone = [step for key, step in before.items() if key not in after]
    come = [step for key, step in after.items() if key not in before]
    if not gone and not come and old.digest != new.digest:
        return ("the same steps in another order, or for another target",)
    twins = {_line(step) for step in gone} & {_line(step) for step in come}
    return (*(f"- {_told_apart(step, twins)}" for step in gone), *(f"+ {_told_apart(step, twins)}" for step in come))


def _flat(plan: Plan) -> dict[bytes, Step]:
    shallow = [
        msgspec.structs.replace(step, steps=()) if isinstance(step, Together | Hold) else step
        for step in walk(plan.steps)
    ]
    return {msgspec.json.encode(step, order="sorted"): step for step in shallow}


def _told_apart(step: Step, twins: set[str]) -> str:
    line = _line(step)
    return f"{line} {msgspec.json.encode(step, order='sorted').decode()}" if line in twins else line


def render_text(plan: Plan) -> str:
    """The plan for a person: one block per step with its risk, its SQL or command, and its undo."""
    lines = [f"{plan.noun} for {plan.target} ({plan.engine}): {len(plan.steps)} steps, risk {plan.risk.value}"]
    lines += [f"note: {note}" for note in plan.notes]
    for number, step in enumerate(plan.steps, 1):
        lines += _block(step, f"{number}.", "")
    return "\n".join(lines) + "\n"


def _block(step: Step, label: str, indent: str) -> list[str]:
    lines = [f"{indent}{label} {step.summary}  [{step.risk.value}]"]
    detail = _detail(step)
    if detail:
        lines += [f"{indent}     {line}" for line in detail.splitlines()]
    if step.undo:
        lines += [f"{indent}     undo: {line}" for line in step.undo.splitlines()]
    if isinstance(step, Together | Hold):
        for inner in step.steps:
            lines += _block(inner, "-", indent + "   ")
    return lines


def _line(step: Step) -> str:
    detail = _detail(step)
    return f"{step.summary}: {detail}" if detail else step.summary


def _detail(step: Step) -> str:
    if isinstance(step, Sql):
        return step.text
    if isinstance(step, Call) and isinstance(sql := step.arguments.get("sql"), str):
        return sql
    if isinstance(step, Command):
        return " ".join(fragment_text(part) for part in step.argv)
    return ""
