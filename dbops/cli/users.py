"""``dbops users``: roles and rights from a spec."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbops.cli import options
from dbops.cli.output import confirm, emit, save, write

if TYPE_CHECKING:
    from dbops.config import Target
    from dbops.operations.workspace import Workspace
    from dbops.plan import Plan

__all__ = ["users"]

SPEC = click.argument("spec", metavar="SPEC", type=click.Path(dir_okay=False))


@click.group()
def users() -> None:
    """Roles and rights from a spec: only what it manages is touched."""


@users.command()
@options.target
@click.option("--principal", "principals", multiple=True, metavar="PATTERN", help="Only these; repeatable.")
@click.option("--database", "databases", multiple=True, metavar="DB", help="Instead of the target's own; repeatable.")
@click.option(
    "--hashes",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep what is stored of passwords there, in private files that the spec refers to (SQL Server).",
)
@options.output
@options.workspace
def export(
    ws: Workspace,
    *,
    target: str,
    principals: tuple[str, ...],
    databases: tuple[str, ...],
    hashes: Path | None,
    output: str | None,
) -> None:
    """A spec that plans to nothing against the same server."""
    from dbops.operations import users as operation

    write(operation.export(ws, target, principals=principals, databases=databases, hashes=hashes), output)


@users.command()
@SPEC
@options.target
@click.option("--output", "-o", metavar="PLAN", help="Save the plan for 'dbops apply'.")
@options.formats("text", "json")
@options.workspace
def plan(ws: Workspace, *, spec: str, target: str, output: str | None, format_: str) -> int:
    """Steps, SQL, and who gains or loses what. Exit code 1: the server differs from the spec."""
    from dbops.operations import users as operation
    from dbops.report import users as render

    wanted = ws.target(target)
    answer, made = operation.plan(ws, _read(spec), wanted, origin=spec)
    if output is not None:
        save(made, output)
    texts = {"text": render.text}
    emit(answer, schema="dbops.users.plan/1", format=format_, target=wanted, renderers=texts)
    return 1 if answer.steps else 0


@users.command()
@SPEC
@options.target
@options.yes
@options.formats("text", "json")
@options.output
@options.workspace
def apply(ws: Workspace, *, spec: str, target: str, yes: bool, format_: str, output: str | None) -> None:
    """Make the server as the spec says, after showing the plan."""
    from dbops.operations import users as operation

    wanted = ws.target(target)
    _, made = operation.plan(ws, _read(spec), wanted, origin=spec)
    _carry_out(ws, made, wanted, yes=yes, format_=format_, output=output, schema="dbops.users.apply/1")


@users.command()
@options.target
@click.argument("name")
@click.option("--password", metavar="REF", help="Where the new password is: env:NAME, file:PATH, cmd:…")
@click.option("--generate", metavar="file:PATH", help="Make one up and write it there.")
@click.option("--keep-old", is_flag=True, help="The old password goes on working beside it, until --discard-old.")
@click.option("--discard-old", is_flag=True, help="End the old password that --keep-old kept; sets no new one.")
@options.yes
@options.formats("text", "json")
@options.output
@options.workspace
def rotate(
    ws: Workspace,
    *,
    target: str,
    name: str,
    password: str | None,
    generate: str | None,
    keep_old: bool,
    discard_old: bool,
    yes: bool,
    format_: str,
    output: str | None,
) -> None:
    """Give NAME a new password. Only its verifier reaches the server."""
    from dbops.errors import UsageError
    from dbops.operations import users as operation
    from dbops.plan import SecretRef

    given = [one for one in (password, generate) if one is not None]
    if len(given) != (0 if discard_old else 1) or (keep_old and discard_old):
        raise UsageError(
            "say where the new password is or goes: --password REF or --generate file:PATH",
            hint="--discard-old stands alone: it ends the old password that --keep-old kept.",
        )
    wanted = ws.target(target)
    if discard_old:
        made = operation.discard(ws, wanted, name)
    else:
        reference = SecretRef.parse(given[0], "--generate" if password is None else "--password")
        made = operation.rotate(ws, wanted, name, reference, generate=generate is not None, keep_old=keep_old)
    _carry_out(ws, made, wanted, yes=yes, format_=format_, output=output, schema="dbops.users.rotate/1")


@users.command()
@options.target
@click.argument("name")
@click.option("--reassign-to", "heir", default="", metavar="ROLE", help="Who gets what NAME owns.")
@options.yes
@options.formats("text", "json")
@options.output
@options.workspace
def offboard(ws: Workspace, *, target: str, name: str, heir: str, yes: bool, format_: str, output: str | None) -> None:
    """Lock NAME out, end its sessions, hand over what it owns in every database, and drop it."""
    from dbops.operations import users as operation

    wanted = ws.target(target)
    made = operation.offboard(ws, wanted, name, heir=heir)
    _carry_out(ws, made, wanted, yes=yes, format_=format_, output=output, schema="dbops.users.offboard/1")


def _carry_out(
    ws: Workspace, made: Plan, target: Target, *, yes: bool, format_: str, output: str | None, schema: str
) -> None:
    from dbops.model.users import UsersPlan
    from dbops.operations import plans
    from dbops.operations.users import result
    from dbops.report import users as render

    found: UsersPlan = result(made)
    if made.steps:
        confirm(made, yes=yes)
        plans.apply(ws, made).raise_for_status()
    status = "done" if made.steps else "in_sync"
    emit(
        found,
        schema=schema,
        format=format_,
        output=output,
        target=target,
        status=status,
        renderers={"text": render.text},
    )


def _read(path: str) -> str:
    from dbops.errors import InputError

    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
