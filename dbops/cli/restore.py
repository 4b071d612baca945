"""``dbops restore``: bring a backup back, somewhere new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dbops.cli import options
from dbops.cli.output import confirm, emit, save
from dbops.cli.rendered import rendered
from dbops.errors import CouldNotTell

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbops.config import Target
    from dbops.model.recovery import Reachability
    from dbops.operations.restore import Wish
    from dbops.operations.workspace import Workspace

__all__ = ["restore"]


@click.group()
def restore() -> None:
    """Bring a server back to an exact point, somewhere new: nothing that exists is ever overwritten."""


def _target(ws: Workspace, word: str) -> Target:
    from dbops.errors import UsageError
    from dbops.operations.shelf import is_backup_id

    if is_backup_id(word):
        raise UsageError(f"{word} is a backup; TARGET is the server", hint=f"dbops restore run TARGET --to {word} ...")
    return ws.target(word)


# Any: click passes parameters by name.
def _wish(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what to bring back."""
    for option in (
        click.option(
            "--media",
            metavar="PLACE",
            multiple=True,
            help="Read backups here, as --into sees it; SQL Server; repeatable.",
        ),
        click.option(
            "--server-time-zone",
            "zone",
            default="",
            metavar="ZONE",
            help="Where the server's clock was, for --to TIME, if backups do not say it: Europe/Berlin, +02:00.",
        ),
        click.option("--standby", is_flag=True, help="Readable, and open for more of the log; SQL Server."),
        click.option(
            "--continue", "onto", is_flag=True, help="Go on with --into, which --standby or a failure left open."
        ),
        click.option("--repo", "repository", metavar="R", help="The repository, instead of the configured one."),
        click.option("--incarnation", default="", metavar="I", help="Which server, when several had this name."),
        click.option("--database", "databases", metavar="DB", multiple=True, help="Only this database; repeatable."),
        click.option("--method", default="", metavar="M", help="Only backups made by this method."),
        click.option(
            "--to", "point", default="latest", show_default=True, metavar="POINT", help="latest, TIME, LSN, GTID or ID."
        ),
    ):
        command = option(command)
    return command


@restore.command()
@options.target
@_wish
@options.into(required=False)
@click.option("--output", "-o", metavar="PLAN", help="Save the plan for 'dbops apply'; needs --into.")
@options.formats("text", "json")
@options.workspace
def plan(
    ws: Workspace,
    /,
    *,
    target: str,
    into: str | None,
    output: str | None,
    format_: str,
    repository: str | None,
    **words: Any,
) -> int:
    """Can this point be brought back, and from what? Exit code 0: yes, 1: no, 76: not known."""
    from dbops.errors import UsageError
    from dbops.operations import restore as operations
    from dbops.report import restore as render

    if output is not None and into is None:
        raise UsageError("a plan that can be saved says where to", hint="Add --into DIR or --into URL.")
    wanted = _target(ws, target)
    answer, made = operations.plan(ws, wanted, wish=_wished(**words), into=into, repository=repository)
    if made is not None and output is not None:
        save(made, output)
    emit(
        render.plan_document(answer),
        schema="dbops.restore.plan/1",
        format=format_,
        target=wanted,
        status=answer.verdict.value,
        renderers=rendered(render.plan_text(answer)),
    )
    return _code(answer.verdict)


@restore.command()
@options.target
@_wish
@options.into(required=True)
@options.yes
@options.formats("text", "json")
@options.output
@options.workspace
def run(
    ws: Workspace,
    /,
    *,
    target: str,
    into: str,
    yes: bool,
    format_: str,
    output: str | None,
    repository: str | None,
    **words: Any,
) -> int:
    """Bring it back into --into. Exit code 1: this point cannot be reached; nothing was done."""
    from dbops.operations import plans
    from dbops.operations import restore as operations
    from dbops.report import restore as render

    wanted = _target(ws, target)
    answer, made = operations.plan(ws, wanted, wish=_wished(**words), into=into, repository=repository)
    if made is None:
        emit(
            render.plan_document(answer),
            schema="dbops.restore.plan/1",
            format=format_,
            output=output,
            target=wanted,
            status=answer.verdict.value,
            renderers=rendered(render.plan_text(answer)),
        )
        return _code(answer.verdict)
    confirm(made, yes=yes, question="Restore?")
    found = operations.result(answer, made, plans.apply(ws, made))
    emit(
        found,
        schema="dbops.restore.run/1",
        format=format_,
        output=output,
        target=wanted,
        status="done",
        renderers={"text": render.restored_text},
    )
    return 0


# Any: click passes parameters by name.
def _wished(*, point: str, zone: str, **words: Any) -> Wish:
    from dbops.operations.restore import Wish
    from dbops.operations.shelf import until

    return Wish(until=until(point, zone), **words)


def _code(verdict: Reachability) -> int:
    return {"reachable": 0, "unreachable": 1, "unknown": CouldNotTell.code}[verdict.value]
