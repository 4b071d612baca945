"""The entry point: a group that imports a command only when it is used, and the one place where errors become codes."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NamedTuple, NoReturn

import click
from click.shell_completion import shell_complete

from dbops import __version__
from dbops.cli import failure
from dbops.errors import OutputError

__all__ = ["COMMANDS", "Entry", "LazyGroup", "cli", "main", "run"]

COMPLETION = "_DBOPS_COMPLETE"
EPILOG = (
    "TARGET is a name from dbops.toml or a URL such as postgresql://user@host/database. "
    "Try it without a server of your own: dbops demo. "
    'Completion of words in bash (zsh and fish likewise): eval "$(_DBOPS_COMPLETE=bash_source dbops)"'
)


class Entry(NamedTuple):
    """Where a command lives, and what the list of commands says about it without importing it."""

    module: str
    attribute: str
    help: str


COMMANDS: dict[str, Entry] = {
    "demo": Entry("dbops.cli.demo", "demo", "The whole job on an embedded PostgreSQL, with a report."),
    "init": Entry("dbops.cli.init", "init", "Write a commented dbops.toml."),
    "doctor": Entry("dbops.cli.doctor", "doctor", "What would fail at 3 a.m., and how to fix it."),
    "targets": Entry("dbops.cli.targets", "targets", "List and test the configured servers."),
    "grants": Entry("dbops.cli.grants", "grants", "The SQL that makes a least-privileged login."),
    "health": Entry("dbops.cli.health", "health", "Is it well: checks, thresholds, remedies."),
    "audit": Entry("dbops.cli.audit", "audit", "Who may do what, why, and what is wrong with it."),
    "users": Entry("dbops.cli.users", "users", "Roles and rights from a spec: export, plan, apply."),
    "backup": Entry("dbops.cli.backup", "backup", "Plan, make, list, verify and prune backups."),
    "restore": Entry("dbops.cli.restore", "restore", "Bring a server back to an exact point, somewhere new."),
    "plan": Entry("dbops.cli.plan", "plan", "Look at a saved plan."),
    "apply": Entry("dbops.cli.plan", "apply", "Carry out a saved plan, after planning again gave the same steps."),
    "job": Entry("dbops.cli.job", "job", "Run the configured jobs, unattended."),
    "report": Entry("dbops.cli.report", "report", "One HTML page about servers: health, access, backups, proofs."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called; its help comes from the table alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """In the table's order, which follows the work: try, set up, look, change, protect, automate."""
        return [name for name, entry in COMMANDS.items() if importlib.util.find_spec(entry.module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None or importlib.util.find_spec(entry.module) is None:
            return None
        found = getattr(importlib.import_module(entry.module), entry.attribute)
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was named; for one that is not there, the nearest that is."""
        if args and self.get_command(ctx, args[0]) is None:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            raise click.UsageError(
                f"there is no command {args[0]!r}" + (f"; is {near[0]!r} meant?" if near else ""), ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any of them."""
        rows = [(name, COMMANDS[name].help) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="dbops")
def cli() -> None:
    """Database operations: access, backup and health, inspected, decided, planned and carried out."""


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code; nothing but the output streams is touched.

    A command's own return value is its exit code, None meaning 0.
    """
    try:
        code = _invoke(list(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_is_gone()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the one place that answers for every error
        return _report(error, arguments)
    return code if isinstance(code, int) else 0


def _invoke(arguments: list[str]) -> object:
    # Not cli.main(): it would turn Ctrl-C and a closed pipe into exit code 1, which here is an answer.
    instruction = os.environ.get(COMPLETION)
    if instruction:
        return shell_complete(cli, {}, "dbops", COMPLETION, instruction)
    try:
        with cli.make_context("dbops", arguments) as context:
            return cli.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code


def _report(error: BaseException, arguments: Sequence[str]) -> int:
    try:
        return failure.report(error, arguments)
    except BrokenPipeError:
        return _reader_is_gone()


def _terminated(_number: int, _frame: FrameType | None) -> None:
    # A service manager's stop takes the same way out as Ctrl-C, so that what is held open is closed.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt("terminated")


def _reader_is_gone() -> int:
    # The interpreter flushes standard output once more while ending, and would complain on standard error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OutputError.code
