"""``dbops grants``: the SQL that makes a least-privileged login."""

from __future__ import annotations

import click

from dbops.cli import options
from dbops.cli.output import write

__all__ = ["grants"]


@click.command()
@click.argument("engine")
@click.option("--for", "jobs", required=True, metavar="JOB,…", help="health, audit, backup, users: what it is to do.")
@click.option("--login", default="dbops", show_default=True, help="The name of the login.")
@click.option("--server-version", type=click.IntRange(1), metavar="MAJOR", help="The server's major version.")
@options.output
def grants(engine: str, jobs: str, login: str, server_version: int | None, output: str | None) -> None:
    """Print the SQL of the login for these jobs on ENGINE, with what each right is for; nothing is connected to."""
    from dbops import registry

    wanted = [job.strip() for job in jobs.split(",") if job.strip()]
    write(registry.backend(engine).grants(wanted, login, server_version), output)
