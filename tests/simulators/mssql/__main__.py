"""The simulator as a program: ``python -m tests.simulators.mssql --script FILE`` from the root of the checkout.

It prints a URL, and then obeys what is typed; it ends at Ctrl-C, and not at the end of its input.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from tests.simulators.mssql import certificate, media
from tests.simulators.mssql.answers import Failed
from tests.simulators.mssql.instance import Instance
from tests.simulators.mssql.lent import PASSWORD
from tests.simulators.mssql.server import HOST, Server
from tests.simulators.mssql.spoken import WORDS, Running, obey, script
from tests.simulators.mssql.tds.conversation import Manners


@click.command(epilog="\b\nWhat may be typed, one a line:\n" + WORDS)
@click.option("--port", default=0, help="Of this machine; a free one when left out.")
@click.option("--version", default="16.0.4135.4", show_default=True, help="13 is 2016, 17 is 2025.")
@click.option("--edition", default="Developer Edition (64-bit)", show_default=True)
@click.option("--engine-edition", default=3, show_default=True, help="5 Azure SQL Database, 8 Managed Instance.")
@click.option("--collation", default="SQL_Latin1_General_CP1_CI_AS", show_default=True)
@click.option("--contained", is_flag=True, help="With users that have passwords of their own.")
@click.option("--script", "scripts", multiple=True, help="T-SQL to prepare it with; a line GO ends a batch.")
@click.option("--proof-port", type=int, help="A second, empty instance that sees the backups of the first one.")
def main(
    port: int,
    version: str,
    edition: str,
    engine_edition: int,
    collation: str,
    *,
    contained: bool,
    scripts: tuple[str, ...],
    proof_port: int | None,
) -> None:
    """A simulated SQL Server for trying dbops by hand. It is no server: see docs/how-to/sql-server.md."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dbops-mssql-")))
        kind = {"version": version, "edition": edition, "engine_edition": engine_edition, "collation": collation}

        def start(name: str, at: int) -> Running:
            instance = Instance(name=name, sa_password=PASSWORD, contained=contained, **kind)  # type: ignore[arg-type]
            major, minor, build, *_ = (int(part) for part in version.split("."))
            manners = Manners(name=name, version=(major, minor, build))
            server = stack.enter_context(Server(instance, certificate.make(directory, "localhost"), manners, port=at))
            click.echo(f"{name}: mssql://sa:{PASSWORD}@{HOST}:{server.port}/?TrustServerCertificate=yes")
            return Running(instance, server)

        running = start("MSSQLSIM", port)
        if proof_port is not None:
            media.share(running.instance, start("PROOF", proof_port).instance)
        for file in scripts:
            _prepare(running, file)
        for line in sys.stdin:
            if line.strip():
                click.echo(obey(line, running))
        signal.pause()


def _prepare(running: Running, file: str) -> None:
    try:
        click.echo(script(running, file), nl=False)
    except OSError as wrong:
        raise click.ClickException(str(wrong)) from None
    except Failed as wrong:
        raise click.ClickException(f"{file}: {wrong.messages[-1].number}: {wrong.messages[-1].text}") from None


if __name__ == "__main__":
    main()
