"""``dbops doctor``: what would fail at 3 a.m."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dbops.cli import options
from dbops.cli.output import emit

if TYPE_CHECKING:
    from dbops.operations.workspace import Workspace

__all__ = ["doctor"]


@click.command()
@options.some_targets
@options.jobs
@options.timeout
@options.formats("text", "json")
@options.output
@options.workspace
def doctor(
    ws: Workspace, *, targets: tuple[str, ...], jobs: int, timeout: float | None, format_: str, output: str | None
) -> int:
    """What would fail at 3 a.m., with a fix for each: client tools, rights, repository, clock, disk, jobs.

    Every configured TARGET is examined when none is named. Exit code 1 with a problem, 76 with only unknowns.
    """
    from dbops.jobs import agenda
    from dbops.operations import doctor as operation
    from dbops.operations.targets import chosen
    from dbops.report import doctor as render

    found = operation.examine(ws, chosen(ws, targets), jobs=jobs, timeout_s=timeout, also=agenda.examine(ws))
    status = "problem" if found.problems else "unknown" if found.unknown else "ok"
    texts = {"text": render.text}
    emit(found, schema="dbops.doctor/1", format=format_, output=output, status=status, renderers=texts)
    return found.code
