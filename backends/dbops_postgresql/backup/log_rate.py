"""How much WAL a server writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from dbops.errors import DbopsError
from dbops.model.finding import Missing
from dbops.model.server import Server
from dbops.spi import Reader
from dbops_postgresql.statement import text

__all__ = ["begin"]

WAL_STATISTICS_SINCE = 14
SAMPLE_S = 0.5
YOUNG_S = 600.0
Measured = tuple[float | Missing, float]


def begin(reader: Reader, server: Server) -> Callable[[], Measured]:
    """Bytes per second, and how long was looked at: the server's own statistics when they are old enough to be an
    average, else a sample, from this call until that of what is returned."""
    try:
        known = _history(reader, server)
        if known is not None:
            return lambda: known
        first = reader.dicts(text("backup_wal_position"))[0]
    except DbopsError as error:
        failed = _not_measured(error)
        return lambda: failed
    began = time.monotonic()
    return lambda: _sample(reader, first, began)


def _history(reader: Reader, server: Server) -> Measured | None:
    if server.major < WAL_STATISTICS_SINCE or server.role != "primary":
        return None
    history = reader.dicts(text("backup_wal_history"))[0]
    if history["seconds"] is None or history["seconds"] < YOUNG_S:
        return None
    return history["bytes"] / history["seconds"], history["seconds"]


# Any: rows have the types that the driver gives them.
def _sample(reader: Reader, first: Mapping[str, Any], began: float) -> Measured:
    time.sleep(max(0.0, began + SAMPLE_S - time.monotonic()))
    try:
        second = reader.dicts(text("backup_wal_position"))[0]
    except DbopsError as error:
        return _not_measured(error)
    seconds = second["at"] - first["at"]
    return max(0, second["bytes"] - first["bytes"]) / seconds, seconds


def _not_measured(error: DbopsError) -> Measured:
    return Missing(error.reason or "query_failed", error.message), 0.0
