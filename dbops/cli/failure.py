"""What a failure says: an exit code, words on standard error and, where JSON was asked for, one document."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Mapping, Sequence

import click
from click.exceptions import NoArgsIsHelpError

from dbops.errors import DbopsError, Interrupted, UsageError

__all__ = ["code_of", "explain", "report", "scrub"]

BUG_HINT = "Please report it together with the lines above; they hold no values, only places."
FRAMES = 8
STARS = "***"
_JSON = re.compile(r"(?:^|\0)(?:--format[=\0]|-y*f\0?)json(?:\0|$)")  # flags may share a word: -yf json
_SECRET_NAME = re.compile(r"PASS|SECRET|TOKEN|APIKEY|API_KEY|ACCESS_KEY|CREDENTIAL", re.IGNORECASE)
_SHAPES = (
    (re.compile(r"(://[^:/@\s]*:)[^@\s]+(@)"), rf"\1{STARS}\2"),
    # password = "env:NAME" names a secret and is none: our own hints say it.
    (
        re.compile(r"(\bpassword\s*=\s*)(?!\"env:NAME\")('[^']*'|\"[^\"]*\"|[^\s;,&)]+)", re.IGNORECASE),
        rf"\1{STARS}",
    ),
    (re.compile(r"(\bPASSWORD\s+)('(?:[^']|'')*')", re.IGNORECASE), rf"\1'{STARS}'"),
    (re.compile(r"SCRAM-SHA-256\$\S+"), STARS),
    (re.compile(r"AGE-SECRET-KEY-\w+"), STARS),
)


def report(error: BaseException, arguments: Sequence[str]) -> int:
    """Say what happened and give the exit code."""
    if isinstance(error, NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return UsageError.code
    known = explain(error)
    message = scrub(known.message, arguments)
    hint = scrub(known.hint, arguments)
    if wants_json(arguments):
        _print_json(type(known).__name__, known.code, message, hint)
    if known.code == DbopsError.code:
        click.echo(scrub(short_traceback(error), arguments), err=True)
    click.echo(f"dbops: {message}", err=True)
    if hint:
        click.echo(hint, err=True)
    return known.code


def explain(error: BaseException) -> DbopsError:
    """Any exception as one of ours; one that nobody foresaw is a bug in dbops, code 70."""
    if isinstance(error, DbopsError):
        return error
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "dbops"
        return UsageError(error.format_message(), hint=f"Try '{where} --help'.")
    if isinstance(error, click.ClickException):
        return UsageError(error.format_message())
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return _interrupted(error)
    stopped = _stopped_by(error)
    if stopped is not None:
        return _interrupted(stopped)
    return DbopsError(f"a bug in dbops: {type(error).__name__}: {error}", hint=BUG_HINT)


def code_of(error: BaseException) -> int:
    """The exit code that an exception becomes."""
    return explain(error).code


def scrub(text: str, arguments: Sequence[str] = (), env: Mapping[str, str] | None = None) -> str:
    """``text`` without anything that looks like a secret, or that is one by the name of its variable.

    No message is meant to hold one: this is the net below messages that drivers and programs wrote.
    """
    for pattern, replacement in _SHAPES:
        text = pattern.sub(replacement, text)
    variables = os.environ if env is None else env
    named = [value for name, value in variables.items() if _SECRET_NAME.search(name)]
    given = [found for word in arguments for found in re.findall(r"://[^:/@\s]*:([^@\s]+)@", word)]
    for secret in (*named, *given):
        if len(secret) >= 6:
            text = text.replace(secret, STARS)
    return text


def short_traceback(error: BaseException) -> str:
    """Where it happened: file, line and function of the last frames, without values."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    lines = [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}' for frame in frames]
    return "\n".join(["Traceback (the last calls):", *lines])


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether ``--format json`` was asked for, read by hand: the command line itself may be what is wrong."""
    return _JSON.search("\0".join(arguments)) is not None


def _stopped_by(error: BaseException) -> KeyboardInterrupt | None:
    """The Ctrl-C during whose handling ``error`` came up. One in the middle of an import leaves half a module behind,
    and whoever meets that afterwards fails in a way that nobody foresaw: the interruption is what happened."""
    earlier = error.__context__
    while earlier is not None and not isinstance(earlier, KeyboardInterrupt):
        earlier = earlier.__context__
    return earlier


def _interrupted(error: BaseException) -> DbopsError:
    how = "terminated" if "terminated" in error.args else "interrupted"
    return Interrupted(
        f"{how}; what was open has been closed",
        hint="Nothing half-done counts: an unfinished backup is in no catalogue and the next run clears it away. "
        "Run the same command again to go on.",
    )


def _print_json(name: str, code: int, message: str, hint: str) -> None:
    from dbops.report import json as document

    error = {"class": name, "code": code, "message": message, "hint": hint}
    sys.stdout.write(document.failure(error))
    sys.stdout.flush()
