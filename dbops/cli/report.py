"""``dbops report``: one HTML page about servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dbops.cli import options
from dbops.cli.output import emit
from dbops.errors import UsageError

if TYPE_CHECKING:
    from dbops.operations.workspace import Workspace

__all__ = ["report"]


@click.command()
@options.some_targets
@click.option("--all", "every", is_flag=True, help="Every configured target.")
@options.jobs
@options.timeout
@options.formats("html", "json")
@options.output
@options.workspace
def report(
    ws: Workspace,
    /,
    *,
    targets: tuple[str, ...],
    every: bool,
    jobs: int,
    timeout: float | None,
    format_: str,
    output: str | None,
) -> None:
    """One page about every TARGET: health, audit, access, backups with their proofs, and how long things took.

    It is one file without scripts that loads nothing, so it can be sent and kept.
    """
    from dbops.operations.report import gather
    from dbops.operations.targets import chosen
    from dbops.report.html import page

    if bool(targets) == every:
        raise UsageError("give one TARGET or several, or --all", hint="dbops targets list shows what is configured.")
    found = gather(ws, chosen(ws, targets), jobs=jobs, timeout_s=timeout)
    emit(found, schema="dbops.report/1", format=format_, output=output, status="ok", renderers={"html": page})
