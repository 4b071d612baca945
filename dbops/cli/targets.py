"""``dbops targets``: which servers there are, and whether they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dbops.cli import options
from dbops.cli.output import emit

if TYPE_CHECKING:
    from dbops.operations.workspace import Workspace

__all__ = ["targets"]


@click.group()
def targets() -> None:
    """List and test the configured servers."""


@targets.command("list")
@options.formats("text", "json")
@options.output
@options.workspace
def list_(ws: Workspace, format_: str, output: str | None) -> None:
    """The configured targets; nothing is connected to."""
    from dbops.operations import targets as operation
    from dbops.report import targets as render

    found = operation.listed(ws)
    texts = {"text": render.listing}
    emit(found, schema="dbops.targets.list/1", format=format_, output=output, status="ok", renderers=texts)


@targets.command()
@options.some_targets
@options.jobs
@options.timeout
@options.formats("text", "json")
@options.output
@options.workspace
def test(
    ws: Workspace, *, targets: tuple[str, ...], jobs: int, timeout: float | None, format_: str, output: str | None
) -> int:
    """Log in to every TARGET (all that are configured, when none is named) and ask what it is."""
    from dbops.operations import targets as operation
    from dbops.report import targets as render

    found = operation.reach(ws, operation.chosen(ws, targets), jobs=jobs, timeout_s=timeout)
    status, texts = "failed" if found.code else "ok", {"text": render.tested}
    emit(found, schema="dbops.targets.test/1", format=format_, output=output, status=status, renderers=texts)
    return found.code
