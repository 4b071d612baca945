"""Restores, for people and as documents."""

from __future__ import annotations

from collections.abc import Sequence

from dbops.model.recovery import Nearest
from dbops.model.stored import RestoreAnswer, Restored
from dbops.plan import Call, Hold, Step, Together
from dbops.report.amounts import bytes_, instant, seconds, span
from dbops.report.backup import entry
from dbops.report.documents import RestoreDocument, fields

__all__ = ["plan_document", "plan_text", "restored_text"]


def plan_document(found: RestoreAnswer) -> RestoreDocument:
    """What ``restore plan`` prints."""
    return RestoreDocument(**fields(found, chain=tuple(entry(one) for one in found.chain)))


def plan_text(found: RestoreAnswer) -> str:
    """The verdict first, then from what, how long, and by which steps."""
    lines = [f"{found.verdict.value.upper()}  {found.reason}"]
    lines += [f"  missing: {one}" for one in found.missing]
    lines += _nearest(found.nearest)
    if found.chain:
        lines += [f"  from {one.id}, {one.method} of {instant(one.started_at)}" for one in found.chain]
        estimate = found.estimate
        lines.append(f"  reads {bytes_(estimate.stored_bytes)}, writes {bytes_(estimate.bytes)}")
        lines.append(f"  takes {span(estimate.seconds)}")
    lines += [f"  note: {note}" for note in found.notes]
    lines += _steps(found.steps, "  ")
    if found.chain and found.destination is None:
        lines.append("  say where to with --into, to see the steps")
    return "\n".join(lines) + "\n"


def restored_text(found: Restored) -> str:
    """A restore that was carried through."""
    lines = [
        f"Restored {found.backup} into {found.into} in {seconds(found.seconds)}",
        f"  the state of {found.recovered_to}; {bytes_(found.bytes)} were moved",
    ]
    return "\n".join([*lines, *(f"  note: {note}" for note in found.notes)]) + "\n"


def _steps(steps: Sequence[Step], indent: str) -> list[str]:
    lines: list[str] = []
    for step in steps:
        lines.append(f"{indent}- {step.summary}  [{step.risk.value}]")
        lines += [f"{indent}    {line}" for line in _statement(step).splitlines()]
        if isinstance(step, Together | Hold):
            lines += _steps(step.steps, f"{indent}  ")
    return lines


def _statement(step: Step) -> str:
    sql = step.arguments.get("sql") if isinstance(step, Call) else None
    return sql if isinstance(sql, str) else ""


def _nearest(nearest: Nearest) -> list[str]:
    said: list[str] = []
    if nearest.before is not None:
        said.append(f"  nearest before: {instant(nearest.before)}")
    if nearest.after is not None:
        said.append(f"  nearest after:  {instant(nearest.after)}")
    return said
