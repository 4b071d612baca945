"""What execution asks of the access column: the lock, and passwords that nobody chose."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dbops.errors import DbopsError, Locked
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.secrets import make_up
from dbops.spi import Reader, Runtime
from dbops_postgresql.statement import text

__all__ = ["generate_password", "users_lock"]

# Advisory locks are per database: every run must take it in the same one, whatever its URL says.
MAINTENANCE = ("postgres", "template1")


@contextmanager
def users_lock(
    arguments: Mapping[str, object],  # noqa: ARG001 - a door's signature
    endpoint: Endpoint,
    runtime: Runtime,
) -> Generator[tuple[Mapping[str, Value], Endpoint | None]]:
    """Keep other runs away from this server's users until the session ends.

    :raises Locked: another run holds it; with what is known about its session.
    """
    with _maintenance(endpoint, runtime) as reader:
        if not reader.scalar(text("access_lock")):
            holder = reader.scalar(text("access_lock_holder")) or "a session that cannot be seen"
            raise Locked(
                f"{endpoint}: another run of dbops users is at work: {holder}", hint="Try again when it is done."
            )
        yield {}, None


@contextmanager
def _maintenance(endpoint: Endpoint, runtime: Runtime) -> Generator[Reader]:
    for name in MAINTENANCE:
        opened = runtime.reader(endpoint.at(name))
        try:
            reader = opened.__enter__()
        except DbopsError as error:
            if error.reason != "unknown_database" or name == MAINTENANCE[-1]:
                raise
            continue
        try:
            yield reader
        finally:
            opened.__exit__(None, None, None)
        return


def generate_password(
    arguments: Mapping[str, object],
    endpoint: Endpoint,  # noqa: ARG001 - a door's signature
    runtime: Runtime,  # noqa: ARG001
) -> Mapping[str, Value]:
    """Write a password that nobody chose into a new private file.

    :raises DestinationExists: the file is there.
    """
    make_up(Path(str(arguments["path"])), again=arguments.get("again") is True)
    return {}
