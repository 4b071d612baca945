"""Results leave here: to standard output or, whole or not at all, into a file. Questions go to standard error."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from dbops.errors import OutputError, UsageError

if TYPE_CHECKING:
    from dbops.config import Target
    from dbops.plan import Plan

__all__ = ["coloured", "confirm", "describe", "emit", "make_directory", "save", "stream", "write"]

T = TypeVar("T")
Renderer = Callable[[T], str]
_PASSING = '"ref": "literal:'  # a secret that lives as long as this process


def emit(
    result: T,
    *,
    schema: str,
    format: str = "text",
    output: str | None = None,
    target: Target | str | None = None,
    status: str | None = None,
    renderers: Mapping[str, Renderer[T]] | None = None,
    now: datetime | None = None,
) -> None:
    """Print a result, or write it to ``output``.

    :param schema: of the JSON document, such as ``dbops.health.check/1``.
    :param renderers: for every other format, a pure function from the result to text.
    :raises OutputError: ``output`` cannot be written.
    """
    if format == "json":
        from dbops.report import json

        at = now or datetime.now(UTC)
        text = json.document(result, schema=schema, generated_at=at, status=status, target=describe(target))
    else:
        text = (renderers or {})[format](result)
    write(text, output)


def write(text: str, output: str | None = None) -> None:
    """To standard output, or atomically into the file ``output`` (``-`` is standard output).

    :raises OutputError: it cannot be written; nothing half-written is left.
    """
    if output is None or output == "-":
        _say(text, nl=not text.endswith("\n"))
        return
    _into(Path(output), [text])


def stream(pieces: Iterable[str], output: str | None = None) -> None:
    """The same for a text that is too long to stand in memory as a whole."""
    if output is not None and output != "-":
        _into(Path(output), pieces)
        return
    for piece in pieces:
        _say(piece, nl=False)


def _say(text: str, *, nl: bool) -> None:
    try:
        click.echo(text, nl=nl, color=coloured())
    except BrokenPipeError:
        raise
    except OSError as error:
        # What did not go out is tried again while the interpreter ends, and would change the exit code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(
            f"standard output cannot be written: {error.strerror}",
            hint="Nothing of what was done is undone by this; name a file with -o.",
        ) from None


def _into(path: Path, pieces: Iterable[str]) -> None:
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe takes what is written: renaming would put a file in its place, /dev/null for all users.
            with path.open("wb") as device:
                device.writelines(piece.encode() for piece in pieces)
        else:
            _replace(path.resolve(), pieces)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}", hint="Choose another file with -o, or leave -o out."
        ) from None


def make_directory(name: str) -> None:
    """A directory for several results, made when it is not there.

    :raises OutputError: it cannot be made.
    """
    try:
        Path(name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{name} cannot be made: {error.strerror}", hint="Choose another directory.") from None


def save(plan: Plan, path: str) -> None:
    """Write a plan into a file, for ``dbops apply``.

    :raises UsageError: ``path`` is standard output, where the answer goes.
    :raises OutputError: it cannot be written.
    """
    from dbops.plan import dump_plan

    if path == "-":
        raise UsageError("a plan is saved in a file", hint="Name one; standard output shows the answer.")
    text = dump_plan(plan).decode()
    write(text, path)
    if _PASSING in text:
        click.echo(
            "warning: the plan keeps no password that a URL on the command line carried, so 'dbops apply' cannot log "
            "in: plan it for a target in dbops.toml, or leave the password to ~/.pgpass and its like.",
            err=True,
        )


def confirm(plan: Plan, *, yes: bool, question: str = "Carry this out?") -> None:
    """Show a plan and ask for approval.

    :raises UsageError: declined; or nobody can be asked and ``--yes`` is missing.
    """
    from dbops.plan import render_text

    click.echo(render_text(plan), err=True, nl=False)
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "nothing was done: there is no terminal to ask on",
            hint="Give --yes to carry the plan out unattended, or save it with -o and use 'dbops apply'.",
        )
    if not click.confirm(question, default=False, err=True):
        raise UsageError("nothing was done: declined")


def describe(target: Target | str | None) -> dict[str, object] | None:
    """A target as the envelope names it: name, engine, address without a password; null when there is none."""
    if target is None or isinstance(target, str):
        return None if target is None else {"name": target, "engine": None, "address": None}
    return {"name": target.name, "engine": target.endpoint.engine, "address": str(target.endpoint)}


def coloured() -> bool:
    """Whether standard output may be coloured: a terminal, and no NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _replace(path: Path, pieces: Iterable[str]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(piece.encode() for piece in pieces)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; a result gets what the umask allows, as a redirection would give it.
        mask = os.umask(0)
        os.umask(mask)
        draft.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~mask)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
