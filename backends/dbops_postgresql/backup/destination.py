"""Where a restore goes: a directory or a database that is not there before, and appears when it is whole.

Until then it has another name. A failure removes it; what a killed run left is removed by the next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from dbops import own_server
from dbops.claim import remove
from dbops.errors import DbopsError, DestinationExists, Locked, NotPermitted, OutputError
from dbops.model.server import Endpoint
from dbops.partial import partial_directory, refuse_full, refuse_taken
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_postgresql import tools
from dbops_postgresql.backup.creation import After
from dbops_postgresql.backup.link import MAINTENANCE, client_outputs, connect, understood
from dbops_postgresql.backup.snapshot import lock_key
from dbops_postgresql.backup.tablespaces import place
from dbops_postgresql.installation import server_user
from dbops_postgresql.quoting import identifier
from dbops_postgresql.statement import statement

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["new_database", "new_directory", "partial_database"]

Held = tuple[Mapping[str, Value], Endpoint | None]
ROLES_FIRST = "If a role is missing: load roles.sql of this backup first, as its RESTORE.md shows."


@contextmanager
def new_directory(arguments: Mapping[str, object], _endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """A data directory to be filled. Outputs: ``data``, ``configuration``, ``t<oid>`` for each tablespace, ``root``.

    Arguments: ``path``, ``tablespaces`` (oids separated by a space), ``need_bytes``. At its end everything is moved to
    its place: the copy to ``path``, tablespaces below ``<path>.tablespaces``.
    :raises DestinationExists: one of them is there.
    :raises OutputError: there is too little room, or it cannot be made.
    """
    path = Path(str(arguments["path"])).absolute()
    beside = path.with_name(f"{path.name}.tablespaces")
    oids = str(arguments.get("tablespaces", "")).split()
    refuse_taken(path, beside)
    refuse_full(path, int(str(arguments.get("need_bytes", 0))), runtime.host)
    with partial_directory(path) as root:
        outputs: dict[str, Value] = {f"t{oid}": str(root / f"t{oid}") for oid in oids}
        yield (
            {
                **outputs,
                "data": str(root / "data"),
                "data/backup_manifest": str(root / "data" / "backup_manifest"),
                "configuration": str(root / "configuration.json"),
                "root": str(root),
            },
            None,
        )
        _publish(root, path, beside, oids)


def _publish(root: Path, path: Path, beside: Path, oids: list[str]) -> None:
    data = root / "data"
    place(data, {oid: beside / oid for oid in oids})
    for one in (data, *(root / f"t{oid}" for oid in oids)):
        own_server.hand_over(one, server_user())
    try:
        if oids:
            beside.mkdir(mode=0o711)
        for oid in oids:
            (root / f"t{oid}").rename(beside / oid)
        data.rename(path)
    except OSError as error:
        remove(beside)
        raise OutputError(f"{path} cannot be made: {error.strerror}") from None


@contextmanager
def new_database(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """A database to be filled under a name of its own, and renamed at the end. Outputs: ``conninfo``, ``password``,
    ``pg_restore``, ``database`` (the name meanwhile).

    Arguments: ``database``, ``create`` (the statement, for the name meanwhile), ``after`` (JSON of
    :class:`~dbops_postgresql.backup.creation.After`), ``dump_version``, ``tools``.
    :raises DestinationExists: there is a database of this name.
    :raises Locked: another run restores it.
    """
    name = str(arguments["database"])
    meanwhile = partial_database(name)
    with connect(endpoint, runtime, MAINTENANCE) as connection, understood(str(endpoint)):
        _refuse(connection, name, endpoint)
        connection.execute(f"DROP DATABASE IF EXISTS {identifier(meanwhile)} WITH (FORCE)".encode())
        connection.execute(str(arguments["create"]).encode())
        there = endpoint.at(meanwhile)
        program = tools.for_restore(
            runtime.host, connection.info.server_version // 10000, str(arguments["dump_version"]),
            str(arguments.get("tools", "")),
        )  # fmt: skip
        try:
            yield {**client_outputs(there), "pg_restore": program.path}, there
            _finish(connection, arguments, meanwhile, name)
        except BaseException as error:
            connection.execute(f"DROP DATABASE IF EXISTS {identifier(meanwhile)} WITH (FORCE)".encode())
            if isinstance(error, DbopsError):
                error.hint = " ".join(filter(None, (error.hint, "The new database was dropped again.", ROLES_FIRST)))
            raise


def partial_database(name: str) -> str:
    """What the database is called until it is whole."""
    return f"dbops_partial_{hashlib.sha256(name.encode()).hexdigest()[:16]}"


# Any: psycopg gives rows of any types.
def _refuse(connection: Connection[Any], name: str, endpoint: Endpoint) -> None:
    found = connection.execute(statement("backup_lock"), {"key": lock_key(f"restore:{name}")}).fetchone()
    if found is None or not found[0]:
        raise Locked(f"{endpoint}: another run restores the database {name!r}", hint="Wait until it has ended.")
    if connection.execute(statement("restore_database"), {"name": name}).fetchone():
        raise DestinationExists(
            f"{endpoint}: there is a database {name!r} already", hint="Restore into a database that is not there yet."
        )
    allowed = connection.execute(statement("restore_right")).fetchone()
    if allowed is not None and not allowed[0]:
        raise NotPermitted(
            f"{endpoint}: the login may not create databases", hint="Restore with a login that has CREATEDB."
        )


def _finish(connection: Connection[Any], arguments: Mapping[str, object], meanwhile: str, name: str) -> None:
    roles = {row[0] for row in connection.execute(statement("restore_roles")).fetchall()}
    for one in msgspec.json.decode(str(arguments.get("after", "[]")), type=list[After]):
        if not one.role or one.role in roles:
            connection.execute(one.statement.encode())
    connection.execute(f"ALTER DATABASE {identifier(meanwhile)} RENAME TO {identifier(name)}".encode())
