"""How much a server writes to its binary log, and where that stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from dbops.errors import DbopsError
from dbops.model.finding import Missing
from dbops.model.server import Server, Version
from dbops.spi import Reader
from dbops_mysql.statement import text

__all__ = ["begin", "status_statement"]

SAMPLE_S = 0.5
SHOWN_AS_BINARY_LOG_SINCE: Mapping[str, Version | None] = {"mysql": (8, 2), "mariadb": None}
Measured = tuple[float | Missing, float]


def status_statement(family: str, version: Version) -> str:
    """How this version is asked where its binary log stands."""
    since = SHOWN_AS_BINARY_LOG_SINCE[family]
    return text("backup_log_status" if since is None or version < since else "backup_log_status_82")


def begin(reader: Reader, server: Server, settings: Mapping[str, str]) -> Callable[[], Measured]:
    """Bytes per second, and how long was looked at: a sample, from this call until that of what is returned."""
    if settings.get("log_bin") != "ON":
        off = Missing("log_off", "the server writes no binary log (log_bin = OFF)"), 0.0
        return lambda: off
    try:
        first = _position(reader, server)
    except DbopsError as error:
        failed = _not_measured(error)
        return lambda: failed
    began = time.monotonic()
    return lambda: _sample(reader, server, first, began)


def _position(reader: Reader, server: Server) -> tuple[str, int]:
    row = reader.tuples(status_statement(server.engine, server.version))[0]
    return str(row[0]), int(row[1])


def _sample(reader: Reader, server: Server, first: tuple[str, int], began: float) -> Measured:
    time.sleep(max(0.0, began + SAMPLE_S - time.monotonic()))
    try:
        seconds = time.monotonic() - began
        second = _position(reader, server)
        written = second[1] - first[1] if second[0] == first[0] else _over_files(reader, first, second)
    except DbopsError as error:
        return _not_measured(error)
    return max(0, written) / seconds, seconds


def _over_files(reader: Reader, first: tuple[str, int], second: tuple[str, int]) -> int:
    """A new file was begun meanwhile: what was added to the first one, whole ones between, and the newest so far."""
    sizes = {str(row[0]): int(row[1]) for row in reader.tuples(text("backup_log_files"))}
    between = sum(size for name, size in sizes.items() if first[0] < name < second[0])
    return sizes.get(first[0], first[1]) - first[1] + between + second[1]


def _not_measured(error: DbopsError) -> Measured:
    return Missing(error.reason or "query_failed", error.message), 0.0
