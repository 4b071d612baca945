"""What execution asks of the users column: the lock, and passwords that nobody chose."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dbops.errors import CouldNotTell, Locked, NotPermitted, ReadFailed
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.secrets import make_up, write_private
from dbops.spi import Reader, Runtime
from dbops_mssql.access.people import split_name
from dbops_mssql.reach import MASTER
from dbops_mssql.statement import text

__all__ = ["end_sessions", "generate_password", "keep_hash", "users_lock"]

GONE_WITHIN_S = 30.0


@contextmanager
def users_lock(
    arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime
) -> Generator[tuple[Mapping[str, Value], Endpoint | None]]:
    """Keep other runs away from this server's logins and users until the session ends.

    A lock of applications is one database's: every run must take it in the same one, ``database``.

    :raises Locked: another run holds it.
    """
    with runtime.reader(endpoint.at(str(arguments["database"]))) as reader:
        if int(reader.scalar(text("users_lock"))) < 0:
            raise Locked(f"{endpoint}: another run of dbops users is at work", hint="Try again when it is done.")
        yield {}, None


def end_sessions(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Mapping[str, Value]:
    """End the sessions of a login, or of a user that only the database ``of`` knows, who is kept out by now, and wait
    until they are gone.

    :raises CouldNotTell: some are still there.
    """
    whose = {"login": str(arguments["login"]), "of": str(arguments["of"])}
    ended: set[int] = set()
    deadline = time.monotonic() + GONE_WITHIN_S
    with runtime.reader(endpoint.at(str(arguments["database"]))) as reader:
        while found := [int(row[0]) for row in reader.tuples(text("users_sessions"), whose)]:
            for number in set(found) - ended:
                _end(reader, number)
            ended.update(found)
            if time.monotonic() > deadline:
                raise CouldNotTell(
                    f"{len(found)} session(s) do not end", hint=f"They are being rolled back: {found}. Try again later."
                )
            time.sleep(0.1)
    return {"ended": len(ended)}


def _end(reader: Reader, number: int) -> None:
    """KILL takes no parameter. One that went meanwhile is gone as well."""
    try:
        reader.tuples(f"KILL {number}")
    except NotPermitted:
        raise
    except ReadFailed:
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


def keep_hash(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Mapping[str, Value]:
    """Write what is stored of a login's password into a new private file.

    :raises NotPermitted: it is not shown to the login in use. :raises DestinationExists: the file is there.
    """
    login = split_name(str(arguments["account"]))[1]
    with runtime.reader(endpoint.at(MASTER)) as reader:
        found = reader.scalar(text("users_hash"), {"login": login})
    if found is None:
        raise NotPermitted(
            f"{endpoint}: what is stored of the password of {login} is not shown to this login",
            hint="It needs CONTROL SERVER, or from SQL Server 2022 VIEW ANY CRYPTOGRAPHICALLY SECURED DEFINITION.",
        )
    write_private(Path(str(arguments["path"])), str(found))
    return {}
