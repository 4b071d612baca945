"""What is held on a server meanwhile: a snapshot that other sessions import by its name, a lock that is a word."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress

from dbops.errors import Locked
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_postgresql.backup.link import MAINTENANCE, connect, understood
from dbops_postgresql.statement import statement

__all__ = ["lock", "snapshot"]

Held = tuple[Mapping[str, Value], Endpoint | None]


@contextmanager
def snapshot(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """A read-only transaction of ``database``, whose ``snapshot`` others import; ``taken_at`` is the server's time.

    The snapshot holds back vacuum for as long as it is open.
    """
    database = str(arguments["database"])
    with connect(endpoint, runtime, database) as connection:
        with understood(f"{endpoint.at(database)}"):
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            row = connection.execute(statement("backup_snapshot")).fetchone()
        name, taken_at = row or ("", "")
        yield {"snapshot": name, "taken_at": taken_at}, None
        # Who imported the snapshot has a copy of it: losing this connection now loses nothing.
        import psycopg

        with suppress(psycopg.Error):
            connection.execute("ROLLBACK")


@contextmanager
def lock(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """An advisory lock named by ``word``, always in the maintenance database: such locks are per database.

    :raises Locked: another session has it.
    """
    word = str(arguments["word"])
    database = str(arguments.get("database") or MAINTENANCE)
    with connect(endpoint, runtime, database) as connection:
        with understood(f"{endpoint.at(database)}"):
            row = connection.execute(statement("backup_lock"), {"key": lock_key(word)}).fetchone()
        if row is None or not row[0]:
            raise Locked(
                f"{endpoint}: another run holds the lock {word!r}",
                hint="Wait until it has ended; pg_stat_activity shows it as application dbops.",
                reason="locked",
            )
        yield {}, None


def lock_key(word: str) -> int:
    """The word as the 64 bits that PostgreSQL takes, the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"dbops:{word}".encode()).digest()[:8], "big", signed=True)
