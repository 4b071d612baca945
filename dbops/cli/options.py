"""Options and arguments that commands share, so that one word means one thing everywhere."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from dbops.errors import UsageError

if TYPE_CHECKING:
    from dbops.operations.workspace import Workspace

__all__ = [
    "Duration",
    "formats",
    "into",
    "jobs",
    "output",
    "some_targets",
    "target",
    "targets",
    "timeout",
    "workspace",
    "yes",
]

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])  # Any: click passes parameters by name


class Duration(click.ParamType[float]):
    """Seconds, written ``30s``, ``15m``, ``2h`` or as a bare number of seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds; fails with the forms that are understood."""
        from dbops.durations import duration

        if isinstance(value, int | float):
            return float(value)
        text = str(value)
        try:
            seconds = float(text) if text.replace(".", "", 1).isdigit() else float(duration(text, "--timeout"))
        except UsageError as error:
            self.fail(f"{error.message}. {error.hint}", param, ctx)
        if seconds <= 0:
            self.fail("nothing answers in no time. Write it as 30s, 15m or 2h.", param, ctx)
        return seconds


def formats(*names: str) -> Callable[[F], F]:
    """``--format``; ``text`` is the default, the first of ``names`` when it is not among them."""
    default = "text" if "text" in names else names[0]
    return click.option(
        "--format", "-f", "format_", type=click.Choice(names), default=default, show_default=True, help="How to print."
    )


def output(command: F) -> F:
    """``-o FILE``."""
    return click.option(
        "--output", "-o", metavar="FILE", type=click.Path(dir_okay=False), help="Write there, atomically."
    )(command)


def yes(command: F) -> F:
    """``--yes``."""
    return click.option("--yes", "-y", is_flag=True, help="Carry the plan out without asking.")(command)


def timeout(command: F) -> F:
    """``--timeout``, for each target."""
    return click.option(
        "--timeout", type=Duration(), default=None, metavar="DURATION", help="Give up on a target after this long."
    )(command)


def jobs(command: F) -> F:
    """``--jobs``: how many targets side by side."""
    return click.option(
        "--jobs", "-j", type=click.IntRange(1, 256), default=8, show_default=True, help="Targets side by side."
    )(command)


def target(command: F) -> F:
    """One TARGET."""
    return click.argument("target", metavar="TARGET", callback=_warn)(command)


def targets(command: F) -> F:
    """One TARGET or several."""
    return click.argument("targets", metavar="TARGET...", nargs=-1, required=True, callback=_warn)(command)


def some_targets(command: F) -> F:
    """No TARGET, one, or several."""
    return click.argument("targets", metavar="[TARGET]...", nargs=-1, callback=_warn)(command)


def into(*, required: bool) -> Callable[[F], F]:
    """``--into``: where a restore goes."""
    text = "A directory or a database that is not there yet."
    return click.option("--into", metavar="DIR|URL", required=required, callback=_warn, help=text)


def workspace(command: Callable[Concatenate[Workspace, P], R]) -> Callable[P, R]:
    """``--config``, and the workspace as the command's first argument; its progress is shown on a terminal."""

    @click.option("--config", "config_path", metavar="FILE", help="The configuration to use.")
    @functools.wraps(command)
    def with_workspace(*args: P.args, **kwargs: P.kwargs) -> R:
        from dbops.cli.progress import shown
        from dbops.operations.workspace import Workspace

        path = kwargs.pop("config_path", None)
        with shown() as progress:
            ws = Workspace.load(str(path) if path else None)
            ws.progress = progress
            return command(ws, *args, **kwargs)

    return with_workspace


# Any: one word or several, as the argument is declared.
def _warn(_ctx: click.Context, _param: click.Parameter, value: Any) -> Any:
    words = (value,) if isinstance(value, str) else value or ()
    if any(_carries_password(word) for word in words):
        click.echo(
            "warning: a password in a URL shows in the shell's history and in the list of processes. Better: a target "
            'in dbops.toml with password = "env:NAME" (or file:, cmd:, keyring:), ~/.pgpass or ~/.my.cnf.',
            err=True,
        )
    return value


def _carries_password(word: str) -> bool:
    head, found, rest = word.partition("://")
    if not found or "/" in head:
        return False
    userinfo, at, _ = rest.partition("@")
    return (bool(at) and ":" in userinfo.partition("/")[0]) or "password=" in rest
