"""``dbops init``: a commented dbops.toml to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from dbops.cli.output import write
from dbops.errors import DestinationExists

__all__ = ["init"]


@click.command()
@click.argument("path", type=click.Path(dir_okay=False), default="dbops.toml", required=False)
def init(path: str) -> None:
    """Write a commented dbops.toml (or PATH), never over one that is there."""
    if Path(path).exists():
        raise DestinationExists(f"{path} is there already, and nothing was written", hint="Name another file.")
    write(files("dbops.cli").joinpath("dbops.toml").read_text(encoding="utf-8"), path)
    click.echo(f"{path} is written. Next: fill in a target, then dbops doctor.", err=True)
