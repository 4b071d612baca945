"""``dbops grants``: the SQL that makes a least-privileged login."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dbops.cli import options
from dbops.cli.output import write

if TYPE_CHECKING:
    from dbops.model.server import Version

__all__ = ["grants"]


def _version(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Version | None:
    if value is None:
        return None
    parts = value.split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise click.BadParameter(f"{value!r} is not a version such as 15 or 8.4")
    return tuple(map(int, parts))


@click.command()
@click.argument("engine")
@click.option("--for", "jobs", required=True, metavar="JOB,…", help="health, audit, backup, users: what it is to do.")
@click.option("--login", default="dbops", show_default=True, help="The name of the login.")
@click.option("--server-version", callback=_version, metavar="VERSION", help="The server's version, such as 15 or 8.4.")
@options.output
def grants(engine: str, jobs: str, login: str, server_version: Version | None, output: str | None) -> None:
    """Print the SQL of the login for these jobs on ENGINE, with what each right is for; nothing is connected to."""
    from dbops import registry

    wanted = [job.strip() for job in jobs.split(",") if job.strip()]
    write(registry.backend(engine).grants(wanted, login, server_version), output)
