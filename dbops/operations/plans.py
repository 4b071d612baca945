"""Saved plans: read, planned again, compared, carried out. One door for all of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from dbops.errors import InputError, StalePlan
from dbops.execute import Outcome
from dbops.operations.workspace import Workspace
from dbops.plan import Plan, difference, load_plan

__all__ = ["REPLAN", "apply", "check_fresh", "load"]

REPLAN = {
    "users.apply": "dbops.operations.users",
    "users.rotate": "dbops.operations.users",
    "users.offboard": "dbops.operations.users",
    "backup.prune": "dbops.operations.prune",
    "restore.run": "dbops.operations.restore",
}
"""Which module made a plan and can make it again: it has ``replan(ws, plan)`` and ``carry_out(ws, plan)``."""


def load(path: Path) -> Plan:
    """Read a saved plan.

    :raises InputError: the file cannot be read, is no plan, or comes from an operation that this dbops lacks.
    """
    try:
        plan = load_plan(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    _module(plan, f"{path}: ")
    return plan


def _module(plan: Plan, origin: str = "") -> str:
    if plan.noun not in REPLAN:
        raise InputError(f"{origin}a plan for {plan.noun!r}, which this dbops does not know")
    return REPLAN[plan.noun]


def apply(ws: Workspace, plan: Plan) -> Outcome:
    """Carry a saved plan out, if planning again, under the lock, gives the same steps.

    :raises StalePlan: it gives others; the message shows the difference.
    :raises Locked: another run is at work on the target.
    """
    module = import_module(_module(plan))
    replan = cast(Callable[[Workspace, Plan], Plan], module.replan)
    carry_out = cast(Callable[[Workspace, Plan], Outcome], module.carry_out)
    with ws.state.lock(plan.target, plan.noun):
        check_fresh(plan, replan(ws, plan))
        return carry_out(ws, plan)


def check_fresh(saved: Plan, again: Plan) -> None:
    """:raises StalePlan: the two would do different things."""
    if saved.digest == again.digest:
        return
    lines = "\n".join(difference(saved, again)[:40])
    raise StalePlan(
        f"the plan for {saved.target} is out of date: planning again gives other steps\n{lines}",
        hint="Nothing was changed. Look at the difference, then make and approve a new plan.",
    )
