"""``dbops plan show`` and ``dbops apply``: saved plans, of whatever command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbops.cli import options
from dbops.cli.output import confirm, emit
from dbops.cli.rendered import rendered

if TYPE_CHECKING:
    from dbops.execute import Outcome
    from dbops.model.applied import Applied
    from dbops.operations.workspace import Workspace
    from dbops.plan import Plan

__all__ = ["apply", "plan"]

PLAN = click.argument("path", metavar="PLAN", type=click.Path(dir_okay=False))


@click.group()
def plan() -> None:
    """Look at a saved plan."""


@plan.command()
@PLAN
@options.formats("text", "json")
@options.output
def show(path: str, format_: str, output: str | None) -> None:
    """Every step of PLAN with its risk, its SQL or command, and its undo."""
    from dbops.operations import plans
    from dbops.plan import render_text
    from dbops.report.documents import PlanDocument

    found = plans.load(Path(path))
    emit(
        PlanDocument(digest=found.digest, risk=found.risk, plan=found),
        schema="dbops.plan.show/1",
        format=format_,
        output=output,
        target=found.target,
        status="ok",
        renderers=rendered(render_text(found)),
    )


@click.command()
@PLAN
@options.yes
@options.formats("text", "json")
@options.output
@options.workspace
def apply(ws: Workspace, *, path: str, yes: bool, format_: str, output: str | None) -> None:
    """Carry PLAN out, after planning again gave the same steps. A plan that is out of date is refused."""
    from dbops.operations import plans
    from dbops.report import applied

    found = plans.load(Path(path))
    confirm(found, yes=yes)
    outcome = plans.apply(ws, found).raise_for_status()
    emit(
        _applied(found, outcome),
        schema="dbops.plan.apply/1",
        format=format_,
        output=output,
        target=ws.config.targets.get(found.target, found.target),
        status="done",
        renderers={"text": applied.text},
    )


def _applied(plan: Plan, outcome: Outcome) -> Applied:
    from dbops.model.applied import Applied, AppliedStep

    steps = tuple(
        AppliedStep(
            id=step.id, summary=step.summary, status=step.status.value, seconds=round(step.seconds, 3), error=step.error
        )
        for step in outcome.steps
    )
    return Applied(noun=plan.noun, plan=outcome.digest, steps=steps)
