"""One function for each kind of step that does something itself."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from dbops import process
from dbops.errors import CouldNotTell, DbopsError, OutputError, UsageError
from dbops.execute import doors
from dbops.execute.context import Context
from dbops.execute.transfer import transfer
from dbops.plan import Call, Command, Fragment, Seal, Sql, Step, Transfer, Value, Wait, WriteFile
from dbops.session import SqlWriter, writer

__all__ = ["act", "one_by_one", "transaction"]

# The engine's word for two sessions that changed one catalogue row: the whole transaction may be tried again.
_AGAIN = {"concurrent_update", "deadlock", "serialization_failure"}
_TRIES = 8
_LONGEST_S = 3.0


def act(step: Step, context: Context) -> None:
    """Carry out one step that is not a container."""
    if isinstance(step, Sql) and step.transaction is not None:
        transaction([step], context)
    elif isinstance(step, Sql):
        with one_by_one(context) as run:
            run(step)
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


def transaction(steps: Sequence[Sql], context: Context) -> None:
    """Statements for one database, all or none."""

    def once() -> None:
        with _writer(steps[0], context) as session, session.transaction():
            for step in steps:
                _run(step, context, session.run)

    _tried(once, again=True)


@contextmanager
def one_by_one(context: Context) -> Generator[Callable[[Sql], None]]:
    """Runs statements for one database, each by itself, in one session that is opened with the first of them."""
    with ExitStack() as stack:
        session: list[SqlWriter] = []

        def run(step: Sql) -> None:
            if not session:
                session.append(stack.enter_context(_writer(step, context)))
            _tried(lambda: _run(step, context, session[0].run), again=step.idempotent)

        yield run


def _writer(step: Sql, context: Context) -> AbstractContextManager[SqlWriter]:
    endpoint = context.endpoint(step.endpoint)
    if step.database is not None:
        endpoint = endpoint.at(step.database)
    return writer(context.backend, endpoint, resolve=context.secret)


def _tried(action: Callable[[], None], *, again: bool) -> None:
    for attempt in range(1, _TRIES + 1):
        try:
            return action()
        except DbopsError as error:
            if error.reason not in _AGAIN or not again or attempt == _TRIES:
                raise
            # By chance: those who stumbled over one another would else meet again.
            time.sleep(random.uniform(0.05, min(_LONGEST_S, 0.1 * 2**attempt)))  # noqa: S311  # nobody guards a secret with it
    return None


def _run(step: Sql, context: Context, run: Callable[[str], None]) -> None:
    parts = _parts(step.statement, context)
    try:
        run("".join(text for text, _ in parts))
    except DbopsError as error:
        said = error.message
        # Some engines repeat the word that they stumbled over.
        for text in (text for text, sealed in parts if sealed and text.strip("'")):
            said = said.replace(text, "'***'").replace(text.strip("'"), "***")
        # Which of many statements it was is what the reader needs first.
        error.message = f"{step.summary}: {said}"
        raise


def _parts(parts: Sequence[Fragment], context: Context) -> list[tuple[str, bool]]:
    """Texts, and whether each was made of a secret."""
    return [
        (doors.seal(part, context), True) if isinstance(part, Seal) else (str(context.value(part)), False)
        for part in parts
    ]


def command(step: Command, context: Context) -> None:
    """A program; its exit code and standard output become the step's outputs."""
    argv = [str(context.value(word)) for word in step.argv]
    env = environment(step.env, context)
    done = process.run(argv, env=env, timeout=step.deadline_s, watch=context.go_on).check(step.ok)
    context.note(step.id, {"returncode": done.returncode, "stdout": done.stdout[-65536:]})


def environment(env: Mapping[str, Value], context: Context) -> dict[str, str]:
    """A child's variables, the secrets among them resolved."""
    return {name: str(context.value(value)) for name, value in env.items()}


def write_file(step: WriteFile, context: Context) -> None:
    """A text file, by a temporary name beside it; an appended one is opened in place."""
    path = Path(str(context.value(step.path)))
    content = "".join(text for text, _ in _parts(step.content, context))
    try:
        if step.append:
            _write(path, content, step.mode, os.O_APPEND)
            return
        temporary = path.with_name(f".{path.name}.dbops")
        temporary.unlink(missing_ok=True)
        try:
            _write(temporary, content, step.mode, os.O_EXCL)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


def _write(path: Path, content: str, mode: int, how: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content.encode())
        file.flush()
        os.fsync(file.fileno())


def call(step: Call, context: Context) -> None:
    """An operation of the backend or of another provider."""
    if step.provider == "backend":
        context.note(step.id, doors.call(step, context))
        return
    provider = context.providers.get(step.provider)
    if provider is None:
        raise UsageError(f"step {step.id}: there is no provider {step.provider!r} in this run")
    context.note(step.id, provider(step.operation, context.values(step.arguments)))


def wait(step: Wait, context: Context) -> None:
    """Ask until yes."""
    began = time.monotonic()
    while not doors.probe(step.probe, context):
        context.go_on()
        if time.monotonic() - began > step.deadline_s:
            raise CouldNotTell(f"{step.summary}: not so after {step.deadline_s:g} s", reason="timeout")
        context.stop.wait(min(step.every_s, step.deadline_s))
