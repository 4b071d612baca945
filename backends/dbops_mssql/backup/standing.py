"""A database that a restore left open for more of the log, RESTORING or readable in standby: what is in it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from dbops.errors import InputError
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Reader, Runtime
from dbops_mssql.backup.link import connected
from dbops_mssql.backup.sequence import After
from dbops_mssql.quoting import literal
from dbops_mssql.statement import text

__all__ = ["open_database", "standing"]

# Any: rows have the types that the driver gives them.
Row = Mapping[str, Any]
NEW = "Leave --continue out and restore into a new database."


def standing(reader: Reader, database: str) -> str:
    """The last set in it as JSON of :class:`~dbops_mssql.backup.sequence.After`, from the instance's own msdb.

    :raises InputError: no such database, one that was recovered, or one whose restore msdb does not remember.
    """
    return _after(reader.dicts(text("restore_standing"), {"name": database}), database)


def _after(rows: Sequence[Row], database: str) -> str:
    if not rows:
        raise InputError(f"there is no database {database} to go on with", hint=NEW)
    row = rows[0]
    if row["state_desc"] != "RESTORING" and not row["is_in_standby"]:
        raise InputError(
            f"the database {database} is {row['state_desc']}: it was recovered, and takes no more of the log", hint=NEW
        )
    if not row["uuid"]:
        raise InputError(f"msdb of that instance does not say which backup is in the database {database}", hint=NEW)
    found = After(uuid=str(row["uuid"]).strip().upper(), stopped=row["stop_at"])
    return msgspec.json.encode(found).decode()


@contextmanager
def open_database(
    arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime
) -> Generator[tuple[Mapping[str, Value], Endpoint | None]]:
    """One that is as it was when the plan was made. What fails leaves it as the server does: open for another try.

    :raises InputError: it is not.
    """
    name = str(arguments["database"])
    with connected(endpoint, runtime) as link:
        rows = link.dicts(text("restore_standing").replace("%(name)s", literal(name)))
    if _after(rows, name) != arguments["after"]:
        raise InputError(f"more was restored into {name} since the plan was made", hint="Make the plan again.")
    yield {"database": name}, None
