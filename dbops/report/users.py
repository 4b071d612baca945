"""What a users spec would change, for people."""

from __future__ import annotations

from dbops.model.users import Delta, UsersPlan

__all__ = ["text"]

SHOWN = 12


def text(found: UsersPlan) -> str:
    """The steps with their SQL and undo, and who gains or loses what."""
    lines = [f"{found.changes} change(s)" if found.steps else "in sync: nothing to do"]
    for number, step in enumerate(found.steps, 1):
        lines.append(f"{number:>4}. {step.summary}{'  [destructive]' if step.risk == 'destructive' else ''}")
        lines += [f"      {line}" for line in (step.sql, f"undo: {step.undo}" if step.undo else "") if line]
    for delta in found.access_delta:
        lines += _delta(delta)
    lines += [f"note: {note}" for note in found.notes]
    return "\n".join(lines) + "\n"


def _delta(delta: Delta) -> list[str]:
    return [f"{delta.principal}:", *_part("+", delta.gains), *_part("-", delta.loses)]


def _part(sign: str, entries: tuple[str, ...]) -> list[str]:
    lines = [f"  {sign} {entry}" for entry in entries[:SHOWN]]
    left = len(entries) - SHOWN
    return [*lines, *([f"  {sign} … {left} more"] if left > 0 else [])]
