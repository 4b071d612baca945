"""What execution asks of the access column: the lock, and passwords that nobody chose."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dbops.errors import CouldNotTell, DbopsError, Locked
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.secrets import make_up
from dbops.spi import Reader, Runtime
from dbops_mysql.statement import text

__all__ = ["end_sessions", "generate_password", "users_lock"]

GONE_WITHIN_S = 30.0


@contextmanager
def users_lock(
    arguments: Mapping[str, object],  # noqa: ARG001 - a door's signature
    endpoint: Endpoint,
    runtime: Runtime,
) -> Generator[tuple[Mapping[str, Value], Endpoint | None]]:
    """Keep other runs away from this server's accounts until the session ends.

    The lock is one server's: it is not known to the other members of a cluster.
    :raises Locked: another run holds it.
    """
    with runtime.reader(endpoint) as reader:
        reader.tuples(text("access_lock_session"))
        if not reader.scalar(text("access_lock")):
            holder = reader.scalar(text("access_lock_holder"))
            raise Locked(
                f"{endpoint}: another run of dbops users is at work: session {holder}",
                hint="Try again when it is done.",
            )
        yield {}, None


def end_sessions(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Mapping[str, Value]:
    """End the sessions of an account, which is locked by now, and wait until they are gone.

    :raises CouldNotTell: some are still there.
    """
    account = {"user": str(arguments["user"]), "host": str(arguments["host"])}
    ended: set[int] = set()
    deadline = time.monotonic() + GONE_WITHIN_S
    with runtime.reader(endpoint) as reader:
        while found := [int(row[0]) for row in reader.tuples(text("access_sessions"), account)]:
            for number in found:
                _end(reader, number)
            ended.update(found)
            if time.monotonic() > deadline:
                raise CouldNotTell(f"{len(found)} session(s) do not end", hint=f"SHOW PROCESSLIST: {found}")
            time.sleep(0.1)
    return {"ended": len(ended)}


def _end(reader: Reader, number: int) -> None:
    try:
        reader.tuples(f"KILL {number}")
    except DbopsError as error:
        if error.reason != "no_session":
            raise


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
