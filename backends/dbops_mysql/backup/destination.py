"""Where a restore of a dump goes: a database that is not there before, on a running server of the same family.

A database cannot be renamed here, so it is filled under its own name. A table in it says so until it is whole; a
failure drops it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import cast

import msgspec

from dbops.errors import DbopsError, DestinationExists, Locked, OutputError, UsageError
from dbops.model.server import Endpoint, Version
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_mysql import tools
from dbops_mysql.backup.client import outputs
from dbops_mysql.backup.link import Link, ask, connected
from dbops_mysql.installation import LABELS, Family
from dbops_mysql.probe import version_of
from dbops_mysql.quoting import identifier, literal
from dbops_mysql.statement import text

__all__ = ["MARK", "new_database"]

Held = tuple[Mapping[str, Value], Endpoint | None]
MARK = "dbops: this restore has not ended"
SPARE_BYTES = 4096


@contextmanager
def new_database(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """A database to be filled. Outputs: ``client``, ``options`` (see :mod:`dbops_mysql.backup.client`), ``views`` (a
    path for the file of its views), ``database``.

    Arguments: ``database``, ``create`` (the statement), ``family``, ``dumped_by`` (the version of the program),
    ``largest`` (bytes of the longest statement), ``tools``.
    :raises DestinationExists: there is a database of this name.
    :raises Locked: another run restores it.
    :raises UsageError: the server is of the other family.
    :raises OutputError: the server takes no statement as long as those of the dump.
    """
    name, family = str(arguments["database"]), cast(Family, arguments["family"])
    server = msgspec.structs.replace(endpoint, database=None)
    with connected(server, runtime) as link:
        version = _check_server(link, family, int(str(arguments["largest"])), endpoint)
        found = tools.find(runtime.host, family, "client", max(version, _dumped_by(arguments)), str(arguments["tools"]))
        client = tools.required(family, "client", found)
        _refuse(link, name, endpoint)
        ask(link, str(arguments["create"]))
        try:
            ask(link, f"CREATE TABLE {identifier(name)}.{identifier(MARK)} (a INT PRIMARY KEY)")
            directory = runtime.workdir()
            yield (
                {
                    **outputs(server, runtime, family, client.path),
                    "views": str(directory / "views.sql"),
                    "database": name,
                },
                endpoint,
            )
            ask(link, f"DROP TABLE {identifier(name)}.{identifier(MARK)}")
        except BaseException as error:
            _drop(server, runtime, name)
            if isinstance(error, DbopsError):
                error.hint = " ".join(filter(None, (error.hint, "The new database was dropped again.")))
            raise


def _drop(server: Endpoint, runtime: Runtime, name: str) -> None:
    """By a connection of its own: the other one may be what broke."""
    with connected(server, runtime) as link:
        ask(link, f"DROP DATABASE IF EXISTS {identifier(name)}")


def _check_server(link: Link, family: Family, largest: int, endpoint: Endpoint) -> Version:
    banner, packet, _ = ask(link, text("restore_server"))[0]
    there: Family = "mariadb" if "mariadb" in str(banner).lower() else "mysql"
    if there != family:
        raise UsageError(
            f"{endpoint} is {LABELS[there]} {banner}, and this dump is of {LABELS[family]}",
            hint=f"Restore it into a {LABELS[family]} server.",
        )
    if largest + SPARE_BYTES > int(packet):
        wanted = -(-(largest + SPARE_BYTES) // (1 << 20)) << 20
        raise OutputError(
            f"{endpoint} takes statements of at most {int(packet):,} bytes (max_allowed_packet), and the longest of "
            f"this dump has {largest:,}",
            hint=f"SET GLOBAL max_allowed_packet = {wanted}; 1 GiB is the most there is.",
            reason="setting",
        )
    return version_of(str(banner))


def _refuse(link: Link, name: str, endpoint: Endpoint) -> None:
    word = f"dbops.restore.{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    if ask(link, f"SELECT GET_LOCK({literal(word)}, 0)") != [(1,)]:
        raise Locked(f"{endpoint}: another run restores the database {name!r}", hint="Wait until it has ended.")
    found = ask(link, text("restore_database").replace(":database", literal(name)).replace(":mark", literal(MARK)))
    if found and found[0][0]:
        # Nobody else restores it: the lock is ours.
        raise DestinationExists(
            f"{endpoint}: the database {name!r} is what a restore left that was killed",
            hint=f"Nothing of use is in it: DROP DATABASE {identifier(name)}, then restore again.",
        )
    if found:
        raise DestinationExists(
            f"{endpoint}: there is a database {name!r} already", hint="Restore into a database that is not there yet."
        )


def _dumped_by(arguments: Mapping[str, object]) -> Version:
    return tuple(int(part) for part in str(arguments["dumped_by"]).split(".") if part)
