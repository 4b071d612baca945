"""``dbops demo``: the whole job in one minute, on a server that dbops starts itself."""

from __future__ import annotations

import click

__all__ = ["demo"]


@click.command()
@click.option("--dir", "directory", metavar="DIR", type=click.Path(file_okay=False), help="Where; a new or empty one.")
@click.option("--keep", is_flag=True, help="Leave the server's files, the repository and dbops.toml there as well.")
@click.option("--engine", default="postgresql", metavar="ENGINE", help="mariadb or mysql, where a server is installed.")
def demo(directory: str | None, keep: bool, engine: str) -> int:
    """Start an embedded PostgreSQL (or, by --engine, an installed MariaDB or MySQL), fill it with a small shop, and do
    the whole job on it: health, audit, users, backups, restore tests, a report.

    The report stays where the last lines say; everything else is removed unless --keep is given.
    """
    from dbops.cli.progress import shown
    from dbops.demo import stage
    from dbops.demo.tour import tour

    def say(text: str, end: bool) -> None:
        click.echo(text, nl=end)

    with stage.directory(directory, keep=keep, engine=engine) as scene, shown() as progress:
        return tour(scene, say, progress)
