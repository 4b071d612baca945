"""One function for each kind of step that does something itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dbops import process
from dbops.errors import CouldNotTell, DbopsError, DestinationExists, OutputError, UsageError
from dbops.execute.context import Context
from dbops.execute.transfer import transfer
from dbops.plan import Call, Command, Fragment, Seal, Sql, Step, Transfer, Value, Wait, WriteFile
from dbops.session import writer

__all__ = ["act", "sql"]

# The engine's word for two sessions that changed one catalogue row: the whole transaction may be tried again.
_AGAIN = {"concurrent_update", "deadlock", "serialization_failure"}
_TRIES = 4


def act(step: Step, context: Context) -> None:
    """Carry out one step that is not a container."""
    if isinstance(step, Sql):
        sql([step], context)
    elif isinstance(step, Command):
        command(step, context)
    elif isinstance(step, WriteFile):
        write_file(step, context)
    elif isinstance(step, Transfer):
        transfer(step, context)
    elif isinstance(step, Call):
        call(step, context)
    elif isinstance(step, Wait):
        wait(step, context)
    else:
        raise TypeError(f"{type(step).__name__} is a container")


def sql(steps: Sequence[Sql], context: Context) -> None:
    """Statements for one database, in one transaction when there is a label."""
    for attempt in range(1, _TRIES + 1):
        try:
            return _sql_once(steps, context)
        except DbopsError as error:
            repeatable = steps[0].transaction is not None or all(step.idempotent for step in steps)
            if error.reason not in _AGAIN or not repeatable or attempt == _TRIES:
                raise
            time.sleep(0.1 * 2**attempt)
    return None


def _sql_once(steps: Sequence[Sql], context: Context) -> None:
    first = steps[0]
    endpoint = context.endpoint(first.endpoint)
    if first.database is not None:
        endpoint = endpoint.at(first.database)
    with writer(context.backend, endpoint, resolve=context.secret) as session:
        if first.transaction is None:
            for step in steps:
                session.run(_statement(step.statement, context))
        else:
            with session.transaction():
                for step in steps:
                    _in_transaction(step, context, session.run)


def _in_transaction(step: Sql, context: Context, run: Callable[[str], None]) -> None:
    try:
        run(_statement(step.statement, context))
    except DbopsError as error:
        # Which of many statements it was is what the reader needs first.
        error.message = f"{step.summary}: {error.message}"
        raise


def _statement(parts: Sequence[Fragment], context: Context) -> str:
    return "".join(
        context.backend.seal(part, context) if isinstance(part, Seal) else str(context.value(part)) for part in parts
    )


def command(step: Command, context: Context) -> None:
    """A program; its exit code and standard output become the step's outputs."""
    argv = [str(context.value(word)) for word in step.argv]
    done = process.run(argv, env=environment(step.env, context), timeout=step.deadline_s).check(step.ok)
    context.note(step.id, {"returncode": done.returncode, "stdout": done.stdout[-65536:]})


def environment(env: Mapping[str, Value], context: Context) -> dict[str, str]:
    """A child's variables, the secrets among them resolved."""
    return {name: str(context.value(value)) for name, value in env.items()}


def write_file(step: WriteFile, context: Context) -> None:
    """A text file, by a temporary name beside it; an appended one is opened in place."""
    path = Path(str(context.value(step.path)))
    content = _statement(step.content, context)
    try:
        if step.append:
            with path.open("a", encoding="utf-8") as file:
                file.write(content)
            return
        temporary = path.with_name(f".{path.name}.dbops")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, step.mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        temporary.replace(path)
    except FileExistsError:
        raise DestinationExists(f"{path} is there already") from None
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


def call(step: Call, context: Context) -> None:
    """An operation of the backend or of another provider."""
    arguments = context.values(step.arguments)
    if step.provider == "backend":
        endpoint = context.endpoint(step.endpoint)
        context.note(step.id, context.backend.call(step.operation, arguments, endpoint, context))
        return
    provider = context.providers.get(step.provider)
    if provider is None:
        raise UsageError(f"step {step.id}: there is no provider {step.provider!r} in this run")
    context.note(step.id, provider(step.operation, arguments))


def wait(step: Wait, context: Context) -> None:
    """Ask until yes."""
    probe, began = step.probe, time.monotonic()
    endpoint = context.endpoint(probe.endpoint)
    while not context.backend.probe_until(probe, context.values(probe.arguments), endpoint, context):
        context.go_on()
        if time.monotonic() - began > step.deadline_s:
            raise CouldNotTell(f"{step.summary}: not so after {step.deadline_s:g} s", reason="timeout")
        time.sleep(step.every_s)
