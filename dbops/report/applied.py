"""What became of a plan, for people."""

from __future__ import annotations

from dbops.model.applied import Applied

__all__ = ["text"]


def text(found: Applied) -> str:
    """One line for each step, and a last one that says how many were carried out."""
    lines = [f"{step.status:8} {step.summary} ({step.seconds:.1f} s)" for step in found.steps]
    done = sum(step.status == "done" for step in found.steps)
    return "\n".join([*lines, f"{found.noun}: {done} of {len(found.steps)} steps carried out"]) + "\n"
