"""``dbops backup``: plan, make, list, verify and prune backups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dbops.cli import options
from dbops.cli.output import confirm, emit, save
from dbops.cli.rendered import rendered
from dbops.errors import CouldNotTell

if TYPE_CHECKING:
    from dbops.config import Target
    from dbops.model.backup import Objective, VerifyLevel
    from dbops.operations.workspace import Workspace

__all__ = ["backup"]

REPOSITORY = click.option("--repo", "repository", metavar="R", help="The repository, instead of the configured one.")
DATABASES = click.option("--database", "databases", metavar="DB", multiple=True, help="Only this database; repeatable.")
METHOD = click.option("--method", metavar="M", help="The method, instead of the one the backend prefers.")
BACKUP = click.argument("backup_id", metavar="ID")
REASON = click.option("--reason", default="", help="Why, for whoever looks later.")


@click.group()
def backup() -> None:
    """Plan, make, list, verify and prune backups."""


@backup.command()
@options.target
@click.option("--rpo", metavar="D", help="How much may be lost, such as 15m.")
@click.option("--rto", metavar="D", help="How long recovery may take, such as 2h.")
@click.option("--keep", metavar="K", help="What to keep, such as 7d,4w,12m.")
@DATABASES
@REPOSITORY
@options.formats("text", "json")
@options.output
@options.workspace
def plan(
    ws: Workspace,
    /,
    *,
    target: str,
    rpo: str | None,
    rto: str | None,
    keep: str | None,
    databases: tuple[str, ...],
    repository: str | None,
    format_: str,
    output: str | None,
) -> int:
    """Can the objective of TARGET be met, and how? Exit code 0: yes, 1: no, 76: a fact is missing."""
    from dbops.operations import backup as operations
    from dbops.report import backup as render

    wanted = ws.target(target)
    objective = _objective(wanted, rpo, rto, keep)
    found = operations.plan(ws, wanted, objective=objective, databases=databases, repository=repository)
    emit(
        found,
        schema="dbops.backup.plan/1",
        format=format_,
        output=output,
        target=wanted,
        status=found.verdict.value,
        renderers={"text": render.plan_text},
    )
    return {"feasible": 0, "infeasible": 1, "unknown": CouldNotTell.code}[found.verdict.value]


@backup.command()
@options.target
@METHOD
@REPOSITORY
@DATABASES
@options.formats("text", "json")
@options.output
@options.workspace
def run(
    ws: Workspace,
    /,
    *,
    target: str,
    method: str | None,
    repository: str | None,
    databases: tuple[str, ...],
    format_: str,
    output: str | None,
) -> None:
    """Make one backup of TARGET. It shows nowhere before its manifest is written, at the very end."""
    from dbops.operations import backup as operations
    from dbops.report import backup as render

    wanted = ws.target(target)
    made = operations.run(ws, wanted, method=method, repository=repository, databases=databases)
    emit(
        render.made_document(made),
        schema="dbops.backup.run/1",
        format=format_,
        output=output,
        target=wanted,
        status="done",
        renderers=rendered(render.made_text(made)),
    )


@backup.command("list")
@click.argument("target", metavar="[TARGET]", required=False)
@REPOSITORY
@options.formats("text", "json")
@options.output
@options.workspace
def list_(ws: Workspace, target: str | None, repository: str | None, format_: str, output: str | None) -> None:
    """Every backup of TARGET, or all of a repository, oldest first."""
    from dbops.operations import catalogue
    from dbops.report import backup as render

    wanted = ws.target(target) if target else None
    found = catalogue.backups(ws, wanted, repository=repository)
    emit(
        render.list_document(found),
        schema="dbops.backup.list/1",
        format=format_,
        output=output,
        target=wanted,
        status="ok",
        renderers=rendered(render.list_text(found)),
    )


@backup.command()
@BACKUP
@REPOSITORY
@options.formats("text", "json")
@options.output
@options.workspace
def show(ws: Workspace, backup_id: str, repository: str | None, format_: str, output: str | None) -> None:
    """Everything about one backup: its streams, its manifest, what happened to it."""
    from dbops.operations import catalogue
    from dbops.report import backup as render

    found = catalogue.show(ws, backup_id, repository=repository)
    emit(
        render.show_document(found),
        schema="dbops.backup.show/1",
        format=format_,
        output=output,
        target=found.backup.target,
        status="ok",
        renderers=rendered(render.show_text(found)),
    )


@backup.command()
@click.argument("what", metavar="TARGET|ID")
@click.option("--to", "point", default="latest", show_default=True, metavar="TIME", help="The point to bring back.")
@click.option(
    "--level",
    type=click.Choice(["checksum", "restore", "full"]),
    default="full",
    show_default=True,
    help="Read every stored byte; also bring it up in a scratch server; also look at its content.",
)
@METHOD
@REPOSITORY
@options.formats("text", "json")
@options.output
@options.workspace
def verify(
    ws: Workspace,
    /,
    *,
    what: str,
    point: str,
    level: VerifyLevel,
    method: str | None,
    repository: str | None,
    format_: str,
    output: str | None,
) -> int:
    """Prove a backup by restoring it. Exit code 0: verified, 1: FAILED, 76: could not verify, which is no pass."""
    from dbops.operations import verify as operations
    from dbops.operations.shelf import until
    from dbops.report import verify as render

    found = operations.verify(ws, what, until=until(point), level=level, method=method, repository=repository)
    emit(
        found,
        schema="dbops.backup.verify/1",
        format=format_,
        output=output,
        target=ws.config.targets.get(found.source, found.source),
        status=found.verdict.value,
        renderers={"text": render.text},
    )
    return operations.CODES[found.verdict]


@backup.command()
@options.target
@click.option("--since", metavar="TIME", help="Where the window begins; 30 days ago or at the first backup.")
@DATABASES
@REPOSITORY
@options.formats("text", "json")
@options.output
@options.workspace
def coverage(
    ws: Workspace,
    /,
    *,
    target: str,
    since: str | None,
    databases: tuple[str, ...],
    repository: str | None,
    format_: str,
    output: str | None,
) -> int:
    """For every instant of the window: what a failure would have cost. Exit code 1: more than the objective allows."""
    from dbops.durations import instant
    from dbops.operations import catalogue
    from dbops.report import backup as render

    wanted = ws.target(target)
    begins = instant(since, "--since") if since else None
    found = catalogue.coverage(ws, wanted, since=begins, databases=databases, repository=repository)
    emit(
        found,
        schema="dbops.backup.coverage/1",
        format=format_,
        output=output,
        target=wanted,
        status=found.verdict,
        renderers={"text": render.coverage_text},
    )
    return {"covered": 0, "gaps": 1, "unknown": CouldNotTell.code}[found.verdict]


@backup.command()
@options.target
@click.option("--keep", metavar="K", help="What to keep, such as 7d,4w,12m, instead of what is configured.")
@REPOSITORY
@click.option("--output", "-o", metavar="PLAN", help="Save the plan for 'dbops apply' and delete nothing now.")
@options.yes
@options.formats("text", "json")
@options.workspace
def prune(
    ws: Workspace,
    /,
    *,
    target: str,
    keep: str | None,
    repository: str | None,
    output: str | None,
    yes: bool,
    format_: str,
) -> None:
    """Delete the backups of TARGET that its retention no longer asks for."""
    from dbops.durations import keep as parse
    from dbops.operations import plans
    from dbops.operations import prune as operations
    from dbops.report import backup as render

    wanted = ws.target(target)
    rule = parse(keep, "--keep") if keep else None
    answer, made = operations.plan(ws, wanted, keep=rule, repository=repository)
    outcome = None
    if output is not None:
        save(made, output)
    elif made.steps:
        confirm(made, yes=yes, question="Delete these backups?")
        outcome = plans.apply(ws, made)
    found = operations.result(answer, outcome)
    emit(
        render.prune_document(found),
        schema="dbops.backup.prune/1",
        format=format_,
        target=wanted,
        status=found.status,
        renderers=rendered(render.prune_text(found)),
    )


@backup.command()
@BACKUP
@REASON
@REPOSITORY
@options.formats("text", "json")
@options.workspace
def pin(ws: Workspace, backup_id: str, reason: str, repository: str | None, format_: str) -> None:
    """Keep a backup, whatever retention says."""
    from dbops.operations import catalogue

    found = catalogue.pin(ws, backup_id, reason=reason, repository=repository)
    renderers = rendered(f"{backup_id} is pinned: retention does not touch it.\n")
    emit(found, schema="dbops.backup.pin/1", format=format_, status="done", renderers=renderers)


@backup.command()
@BACKUP
@REASON
@REPOSITORY
@options.formats("text", "json")
@options.workspace
def unpin(ws: Workspace, backup_id: str, reason: str, repository: str | None, format_: str) -> None:
    """Leave a backup to retention again."""
    from dbops.operations import catalogue

    found = catalogue.unpin(ws, backup_id, reason=reason, repository=repository)
    renderers = rendered(f"{backup_id} is left to retention again.\n")
    emit(found, schema="dbops.backup.unpin/1", format=format_, status="done", renderers=renderers)


def _objective(target: Target, rpo: str | None, rto: str | None, keep: str | None) -> Objective:
    """The configured objective with what the command line says instead."""
    from dbops.durations import duration
    from dbops.durations import keep as parse
    from dbops.model.backup import Objective

    configured = target.objective
    return Objective(
        rpo_s=duration(rpo, "--rpo") if rpo else configured.rpo_s,
        rto_s=duration(rto, "--rto") if rto else configured.rto_s,
        keep=parse(keep, "--keep") if keep else configured.keep,
    )
