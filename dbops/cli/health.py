"""``dbops health``: is it well."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from dbops.cli import options
from dbops.cli.output import coloured, emit
from dbops.cli.rendered import rendered
from dbops.errors import DbopsError

if TYPE_CHECKING:
    from dbops.model.health import HealthReport
    from dbops.operations.workspace import Workspace

__all__ = ["health"]

COLOURS = {"CRITICAL": "red", "WARNING": "yellow", "UNKNOWN": "magenta", "OK": "green"}


@click.group()
def health() -> None:
    """Is it well: checks, thresholds, remedies."""


@health.command()
@options.targets
@click.option("--only", multiple=True, metavar="ID", help="This check alone; * stands for anything. Repeatable.")
@click.option("--skip", multiple=True, metavar="ID", help="All but this check. Repeatable.")
@options.jobs
@options.timeout
@options.formats("text", "json", "nagios", "prometheus", "junit", "sarif")
@options.output
@options.workspace
def check(
    ws: Workspace,
    *,
    targets: tuple[str, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    jobs: int,
    timeout: float | None,
    format_: str,
    output: str | None,
) -> int:
    """Check every TARGET: a name, a URL, all, or label:key=value.

    What could not be measured is UNKNOWN, never OK, with the reason and the right that is missing.
    """
    from dbops.operations import health as operation
    from dbops.report import health as render
    from dbops.report.nagios import EXIT

    try:
        chosen = ws.config.select(targets, ws.secrets.literal)
        report = operation.check(ws, chosen, only=only, skip=skip, timeout_s=timeout, jobs=jobs)
    except DbopsError as error:
        if format_ != "nagios":
            raise
        return _unknown(error, output)
    texts: dict[str, Callable[[HealthReport], str]] = {
        "text": lambda report: _painted(render.text(report), output),
        "nagios": render.nagios,
        "prometheus": render.prometheus,
        "junit": render.junit,
        "sarif": render.sarif,
    }
    target = chosen[0] if len(chosen) == 1 else None
    emit(report, schema="dbops.health.check/1", format=format_, output=output, target=target, renderers=texts)
    return EXIT[report.status.value] if format_ == "nagios" else report.code


@health.command("list")
@click.argument("engine", required=False)
@options.formats("text", "json")
@options.output
def list_(engine: str | None, format_: str, output: str | None) -> None:
    """The catalogue: every check of ENGINE, or of all of them, with thresholds and what the login needs."""
    from dbops.operations import health as operation
    from dbops.report import health as render
    from dbops.report.documents import ChecksDocument

    found = ChecksDocument(checks=operation.checks(engine))
    texts = rendered(render.catalogue(found.checks))
    emit(found, schema="dbops.health.list/1", format=format_, output=output, status="ok", renderers=texts)


def _unknown(error: DbopsError, output: str | None) -> int:
    """What a Nagios plugin says when it could not even begin; any other code would be taken for a state."""
    from dbops.cli.failure import scrub
    from dbops.cli.output import write
    from dbops.report.nagios import EXIT, line

    write(line("dbops health", "unknown", scrub(f"{error.message} {error.hint}")), output)
    return EXIT["unknown"]


def _painted(text: str, output: str | None) -> str:
    if output is not None or not coloured():
        return text
    return "".join(_painted_line(line) for line in text.splitlines(keepends=True))


def _painted_line(line: str) -> str:
    for word, colour in COLOURS.items():
        if line.startswith(f"  {word:<9} ") or f": {word}  (" in line:
            return line.replace(word, click.style(word, fg=colour), 1)
    return line
