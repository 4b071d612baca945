"""``dbops job``: run the configured jobs, look at them, hand them to a scheduler."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbops.cli import options
from dbops.cli.output import emit, make_directory, write
from dbops.errors import UsageError

if TYPE_CHECKING:
    from dbops.operations.workspace import Workspace

__all__ = ["job"]


@click.group()
def job() -> None:
    """Run the configured jobs, unattended."""


@job.command("run")
@click.argument("name", required=False)
@click.option("--due", is_flag=True, help="Run whatever is due; a missed occurrence is caught up with once.")
@options.formats("text", "json")
@options.output
@options.workspace
def run(ws: Workspace, *, name: str | None, due: bool, format_: str, output: str | None) -> int:
    """Run the job NAME now, or whatever is due. The exit code is the worst of the targets' codes."""
    from dbops.jobs.run import run_due, run_named
    from dbops.jobs.work import WORKS
    from dbops.report import job as render

    if (name is None) != due:
        raise UsageError("give either the NAME of a job or --due", hint="dbops job list shows the jobs.")
    runs = run_named(ws, name, WORKS) if name is not None else run_due(ws, WORKS)
    status = "failed" if runs.code else "done"
    emit(runs, schema="dbops.job.run/1", format=format_, output=output, status=status, renderers={"text": render.runs})
    return runs.code


@job.command("list")
@options.formats("text", "json")
@options.output
@options.workspace
def list_(ws: Workspace, format_: str, output: str | None) -> None:
    """The configured jobs, when each is due next, and how it went the last time."""
    from dbops.jobs import agenda
    from dbops.report import job as render

    listed = agenda.listed(ws)
    emit(
        listed,
        schema="dbops.job.list/1",
        format=format_,
        output=output,
        status="ok",
        renderers={"text": render.listing},
    )


@job.command()
@click.argument("name", required=False)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many runs.")
@options.formats("text", "json")
@options.output
@options.workspace
def history(ws: Workspace, *, name: str | None, limit: int, format_: str, output: str | None) -> None:
    """Past runs, the newest first."""
    from dbops.jobs.run import past
    from dbops.report import job as render

    found = past(ws, name=name, limit=limit)
    emit(
        found,
        schema="dbops.job.history/1",
        format=format_,
        output=output,
        status="ok",
        renderers={"text": render.history},
    )


@job.command()
@click.argument("scheduler", type=click.Choice(["systemd", "cron"]))
@click.option("--out", type=click.Path(file_okay=False), help="Write the files into this directory.")
@options.workspace
def export(ws: Workspace, scheduler: str, out: str | None) -> None:
    """Units for systemd (one timer for each job), or the one line that cron needs. Nothing is installed."""
    from dbops.jobs.export import cron_line, systemd_units

    path = str(Path(ws.config.path).resolve()) if ws.config.path else ""
    if scheduler == "cron":
        files = {"dbops.cron": cron_line(_program(), path)}
    else:
        files = systemd_units(tuple(ws.config.jobs.values()), _program(), path)
    if out is None:
        write("\n".join(files.values()))
        return
    make_directory(out)
    for name, text in files.items():
        write(text, str(Path(out) / name))
        click.echo(str(Path(out) / name), err=True)


def _program() -> tuple[str, ...]:
    """How a scheduler calls this very installation."""
    script = Path(sys.argv[0])
    found = shutil.which("dbops", path=str(Path(sys.executable).parent))
    if script.name == "dbops" and script.exists():
        return (str(script.absolute()),)
    return (found,) if found else (sys.executable, "-m", "dbops")
