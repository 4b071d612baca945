"""What tables hold, as a few numbers that are equal exactly when the rows are: computed inside the server.

The text of each row is hashed with SHA-256, and the first 64 bits of each are summed without a limit: equal for equal
rows in any order, and equal rows count each time. Columns that are computed when they are read are no part of it, nor
are indexes and definitions. Sequences stand outside of snapshots: a restored one must stand where the recorded one
stood, or before it.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from dbops.backup.fingerprints import FAILED, Fingerprint, compare, read
from dbops.errors import DbopsError
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.readable import Chunks
from dbops.spi import Member, Runtime
from dbops_mysql.backup.artifacts import fingerprints_of
from dbops_mysql.backup.link import Link, ask, connected, understood
from dbops_mysql.backup.moment import held
from dbops_mysql.backup.row import Column, expression
from dbops_mysql.quoting import identifier, literal
from dbops_mysql.session import fault
from dbops_mysql.statement import text

__all__ = ["compare_call", "fingerprints", "measure"]

# Engines whose content is elsewhere, is that of other tables, or is thrown away at once.
EMPTY = frozenset({"MRG_MYISAM", "MRG_MyISAM", "BLACKHOLE", "FEDERATED", "CONNECT", "SPIDER", "SPHINX", "S3"})
PERIOD = (Column(name="row_start", type="timestamp"), Column(name="row_end", type="timestamp"))
TOO_LONG = 1301
CHANGED = (1412,)
GONE = (1146, 1051)


def fingerprints(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Iterator[Member]:
    """A stream for each database of one share of a moment, in the snapshot that its dump was made in; a JSON object on
    each line. Arguments: ``moment``, ``share``, ``budget_s`` for all of the share, ``history``."""
    share = held(arguments)
    if share.link is None:
        return
    wanted = Wanted(end=time.monotonic() + float(str(arguments["budget_s"])), history=bool(arguments["history"]))
    for name in share.names:
        lines = _lines(share.link, name, wanted, endpoint)
        yield Member(fingerprints_of(name), Lines(lines, share.link, partial(connected, endpoint, runtime)))


class Lines(Chunks):
    """What a session computes; cancelling ends it, at the server too: it would go on reading a large table for hours.

    :param another: makes another connection of the same login.
    """

    def __init__(
        self, source: Iterator[bytes], link: Link, another: Callable[[], AbstractContextManager[Link]]
    ) -> None:
        super().__init__(source)
        self._link, self._another = link, another

    def cancel(self) -> None:
        """End the session, and let whoever waits for its answer go on."""
        with suppress(DbopsError), self._another() as other:
            number = int(self._link.thread_id())  # type: ignore[no-untyped-call]  # types-pymysql does not say
            ask(other, f"KILL {number}")
        # Any: PyMySQL has no public way to its socket.
        connection: Any = self._link
        with suppress(OSError, AttributeError):
            connection._sock.shutdown(socket.SHUT_RDWR)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """How tables are read.

    :param end: when to stop, by the monotonic clock: what is left then is named as skipped.
    :param history: of versioned tables, with when each row was true.
    :param settled: nobody writes to this server, so that tables without transactions can be read too.
    """

    end: float | None = None
    history: bool = True
    settled: bool = False


def _lines(link: Link, database: str, wanted: Wanted, endpoint: Endpoint) -> Iterator[bytes]:
    with understood(str(endpoint.at(database))):
        for one in measure(link, database, wanted):
            yield msgspec.json.encode(one) + b"\n"


def measure(link: Link, database: str, wanted: Wanted) -> Iterator[Fingerprint]:
    """Each table of ``database``, the smallest first; ``link`` is in a transaction."""
    columns = _columns(link, database)
    ask(link, "SAVEPOINT dbops")
    for name, kind, loose, engine in _ask_of(link, "fingerprint_tables", database):
        one = Fingerprint(str(name), "sequence" if kind == "SEQUENCE" else "table")
        if kind == "SEQUENCE":
            yield _sequence(link, database, one)
            continue
        if engine in EMPTY:
            yield _skipped(one, "foreign_table")
        elif loose and not wanted.settled:
            yield _skipped(one, "without_transactions")
        elif wanted.end is not None and time.monotonic() > wanted.end:
            yield _skipped(one, "budget")
        else:
            versioned = kind == "SYSTEM VERSIONED"
            yield _table(link, database, one, columns.get(str(name), []), history=wanted.history if versioned else None)
            # Lets go of the table, which somebody may want to alter.
            ask(link, "ROLLBACK TO SAVEPOINT dbops")


def compare_call(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Mapping[str, Value]:
    """The restored ``database`` against the ``recorded`` file; the output is a
    :class:`~dbops.backup.fingerprints.Comparison` as JSON. Arguments also: ``budget_s``, ``history``."""
    database = str(arguments["database"])
    recorded = read(Path(str(arguments["recorded"])).read_bytes(), f"the fingerprints of {database}")
    end = time.monotonic() + float(str(arguments["budget_s"]))
    wanted = Wanted(end=end, history=bool(arguments["history"]), settled=True)
    with connected(endpoint, runtime) as link:
        ask(link, "START TRANSACTION READ ONLY")
        found = tuple(measure(link, database, wanted))
    return {"comparison": msgspec.json.encode(compare(recorded, found)).decode()}


def _table(link: Link, database: str, one: Fingerprint, columns: list[Column], *, history: bool | None) -> Fingerprint:
    """:param history: None for a table that keeps none."""
    import pymysql

    place = f"{identifier(database)}.{identifier(one.name)}{' FOR SYSTEM_TIME ALL' if history else ''}"
    words = {":row": expression(_counted(columns, history=history)), ":table": place}
    try:
        rows, total = ask(link, _filled("fingerprint_table", words))[0]
        # A row whose text is longer than max_allowed_packet has none, and would count for nothing.
        if any(number == TOO_LONG for _, number, _ in ask(link, "SHOW WARNINGS")):
            return _skipped(one, "too_large")
    except pymysql.err.Error as error:
        return _skipped(one, _why(error))
    return msgspec.structs.replace(one, rows=rows, hash=str(total))


def _counted(columns: list[Column], *, history: bool | None) -> list[Column]:
    """When a row was true comes back with its history alone; where no column says it, two hidden ones do."""
    if history is None:
        return columns
    if not history:
        return [one for one in columns if not one.period]
    return columns if any(one.period for one in columns) else [*columns, *PERIOD]


def _why(error: Exception) -> str:
    number, reason = error.args[0] if error.args else 0, fault(error)
    if reason == "connect_failed":
        raise error
    if number in CHANGED + GONE:
        return "rewritten"
    return {"no_permission": "no_permission", "lock_timeout": "locked"}.get(reason, FAILED)


def _sequence(link: Link, database: str, one: Fingerprint) -> Fingerprint:
    import pymysql

    words = {":table": f"{identifier(database)}.{identifier(one.name)}"}
    try:
        value, step, cycle = ask(link, _filled("fingerprint_sequence", words))[0]
    except pymysql.err.Error as error:
        return _skipped(one, _why(error))
    return msgspec.structs.replace(one, value=int(value), step=0 if cycle else int(step))


def _columns(link: Link, database: str) -> dict[str, list[Column]]:
    found: dict[str, list[Column]] = {}
    for row in _ask_of(link, "fingerprint_columns", database):
        table, name, kind, nullable, charset, collation, octets, period = row
        one = Column(
            name=str(name),
            type=str(kind),
            nullable=nullable == "YES",
            charset=str(charset),
            collation=str(collation),
            octets=int(octets),
            period=bool(period),
        )
        found.setdefault(str(table), []).append(one)
    return found


# Any: the values of a row have the types that the driver gives them.
def _ask_of(link: Link, name: str, database: str) -> list[tuple[Any, ...]]:
    return ask(link, _filled(name, {":database": literal(database)}))


def _filled(name: str, words: Mapping[str, str]) -> str:
    """In one go: a name may look like a word."""
    return re.sub(r":(row|table|database)\b", lambda found: words[found[0]], text(name))


def _skipped(one: Fingerprint, reason: str) -> Fingerprint:
    return msgspec.structs.replace(one, skipped=reason)
