"""``dbops audit``: who may do what, why, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dbops.cli import options
from dbops.cli.output import emit, write

if TYPE_CHECKING:
    from dbops.operations.workspace import Workspace

__all__ = ["audit"]

SEVERITIES = ("info", "low", "medium", "high", "critical")
CAN = click.option("--can", "action", required=True, metavar="ACTION", help="Such as SELECT, EXECUTE, CREATE.")
ON = click.option("--on", "object_", required=True, metavar="OBJECT", help="Such as table:app.sales.orders.")


@click.group()
def audit() -> None:
    """Who may do what, why, and what is wrong with it."""


@audit.command()
@options.targets
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="high", show_default=True, help="Exit 1 from here on."
)
@click.option("--self-check", type=click.IntRange(0, 100_000), default=0, metavar="N", help="Compare N answers.")
@options.jobs
@options.formats("text", "json", "sarif", "junit")
@options.output
@options.workspace
def run(
    ws: Workspace,
    *,
    targets: tuple[str, ...],
    fail_on: str,
    self_check: int,
    jobs: int,
    format_: str,
    output: str | None,
) -> int:
    """Look for what is wrong with the rights of every TARGET. Nothing is changed; each finding has its remedy."""
    from dbops.model.finding import Severity
    from dbops.operations import access as operation
    from dbops.report import audit as render

    chosen = ws.config.select(targets, ws.secrets.literal)
    found = operation.audit_all(ws, chosen, fail_on=Severity(fail_on), self_check=self_check, jobs=jobs)
    texts = {"text": render.run, "sarif": render.sarif, "junit": render.junit}
    target = chosen[0] if len(chosen) == 1 else None
    emit(found, schema="dbops.audit.run/1", format=format_, output=output, target=target, renderers=texts)
    return found.code


@audit.command()
@options.target
@click.option("--who", "principal", required=True, metavar="P", help="A role, a login, or PUBLIC.")
@CAN
@ON
@click.option("--what-if", default="", metavar="SQL", help="Suppose that these GRANTs and REVOKEs were done.")
@options.formats("text", "json")
@options.output
@options.workspace
def explain(
    ws: Workspace,
    *,
    target: str,
    principal: str,
    action: str,
    object_: str,
    what_if: str,
    format_: str,
    output: str | None,
) -> int:
    """Why, by every path, or why not; and the least revoke. Exit code 1: it may not."""
    from dbops.operations import access as operation
    from dbops.report import audit as render

    wanted = ws.target(target)
    found = operation.explain(ws, wanted, principal=principal, action=action, object_=object_, what_if=what_if)
    status = "usable" if found.usable else "allowed" if found.allowed else "denied"
    texts = {"text": render.explanation}
    emit(
        found,
        schema="dbops.audit.explain/1",
        format=format_,
        output=output,
        target=wanted,
        status=status,
        renderers=texts,
    )
    return 0 if found.allowed else 1


@audit.command()
@options.target
@CAN
@ON
@options.formats("text", "json")
@options.output
@options.workspace
def who(ws: Workspace, *, target: str, action: str, object_: str, format_: str, output: str | None) -> None:
    """Everybody who may do something with an object."""
    from dbops.operations import access as operation
    from dbops.report import audit as render

    wanted = ws.target(target)
    found = operation.who(ws, wanted, action=action, object_=object_)
    texts = {"text": render.holders}
    emit(
        found, schema="dbops.audit.who/1", format=format_, output=output, target=wanted, status="done", renderers=texts
    )


@audit.command()
@options.target
@click.option("--who", "principal", required=True, metavar="P", help="A role or a login.")
@options.formats("text", "json")
@options.output
@options.workspace
def access(ws: Workspace, *, target: str, principal: str, format_: str, output: str | None) -> None:
    """Everything that one principal may do, nominal and usable."""
    from dbops.operations import access as operation
    from dbops.report import audit as render

    wanted = ws.target(target)
    found = operation.access(ws, wanted, principal=principal)
    texts = {"text": render.access}
    emit(
        found,
        schema="dbops.audit.access/1",
        format=format_,
        output=output,
        target=wanted,
        status="done",
        renderers=texts,
    )


@audit.command()
@options.target
@click.option("--who", "principals", multiple=True, metavar="P", help="Only this principal; repeatable.")
@click.option("--kind", "kinds", multiple=True, metavar="K", help="Only this kind of object; repeatable.")
@options.formats("csv", "json")
@options.output
@options.workspace
def matrix(
    ws: Workspace,
    *,
    target: str,
    principals: tuple[str, ...],
    kinds: tuple[str, ...],
    format_: str,
    output: str | None,
) -> None:
    """One row for each principal, object and action that it has: principal,object,action,nominal,usable."""
    from dbops.cli.output import stream
    from dbops.operations import access as operation
    from dbops.report import audit as render

    wanted = ws.target(target)
    rows = operation.matrix(ws, wanted, principals=principals, kinds=kinds)
    if format_ == "csv":
        stream(render.csv_rows(rows), output)
    else:
        document = {"rows": [dict(zip(render.COLUMNS, row, strict=True)) for row in rows]}
        emit(document, schema="dbops.audit.matrix/1", format="json", output=output, target=wanted, status="done")


@audit.command()
@options.target
@options.output
@options.workspace
def snapshot(ws: Workspace, *, target: str, output: str | None) -> None:
    """The whole state of access as a file for 'dbops audit diff'."""
    import msgspec

    from dbops.operations import access as operation

    found = operation.snapshot(ws, target)
    write(msgspec.json.encode(found, order="deterministic").decode() + "\n", output)


@audit.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@options.formats("text", "json")
@options.output
@options.workspace
def diff(ws: Workspace, *, first: str, second: str, format_: str, output: str | None) -> int:
    """What differs between A (before) and B (now), each a file or a target. Exit code 1: something does."""
    from dbops.operations import access as operation
    from dbops.report import audit as render

    found = operation.compare(ws, first, second)
    status = "equal" if found.equal else "different"
    texts = {"text": render.comparison}
    emit(found, schema="dbops.audit.diff/1", format=format_, output=output, status=status, renderers=texts)
    return 0 if found.equal else 1


@audit.command()
@click.argument("engine", required=False)
@options.formats("text", "json")
@options.output
def rules(engine: str | None, format_: str, output: str | None) -> None:
    """What an audit looks for, on ENGINE or on all."""
    from dbops.operations import access as operation
    from dbops.report import audit as render

    found = operation.rules(engine)
    texts = {"text": render.rules}
    emit(found, schema="dbops.audit.rules/1", format=format_, output=output, status="done", renderers=texts)
