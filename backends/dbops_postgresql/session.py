"""How sessions with PostgreSQL are set up, and what the driver's exceptions mean.

Everything is SET after connecting: poolers refuse start-up options. What the endpoint leaves out stays out, so that
libpq finds it in ``PG*`` variables, service files and ``~/.pgpass`` as for any other client.
"""

from __future__ import annotations

import math
import re

from dbops.model.server import Endpoint, Session

__all__ = ["APPLICATION", "LOCK_TIMEOUT_MS", "fault", "named", "session"]

APPLICATION = "dbops"
LOCK_TIMEOUT_MS = 100
IDLE_READER_S = 10
IDLE_WRITER_S = 60

# Names are qualified by us, so a hostile function or operator in a schema of the user's path is never picked up;
# and the text of times, intervals and bytes must not depend on how a role was altered.
_PINNED = (
    "SET search_path = pg_catalog",
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'postgres'",
    "SET bytea_output = 'hex'",
    "SET extra_float_digits = 1",
)


def session(endpoint: Endpoint, *, read_only: bool, timeout_s: float) -> Session:
    """How to connect, without the password.

    A reader waits at most ``timeout_s`` for an answer and 0.1 s for a lock, so it never queues others behind itself. A
    writer waits ``timeout_s`` for a lock; what it runs then takes as long as it takes (building an index has no bound
    that could be guessed).
    """
    return Session(
        drivername="postgresql+psycopg",
        connect=_connect(endpoint, timeout_s),
        preamble=("; ".join((*_bounds(read_only, timeout_s), *_PINNED)),),
        query=dict(endpoint.options),
    )


def named(endpoint: Endpoint) -> dict[str, str]:
    """What makes libpq go to the named host: PGHOSTADDR, and the address in a service file, would win over it."""
    return {"hostaddr": ""} if endpoint.host and "hostaddr" not in endpoint.options else {}


def _connect(endpoint: Endpoint, timeout_s: float) -> dict[str, object]:
    ours: dict[str, object] = {
        # libpq counts whole seconds and takes 1 as 2.
        "connect_timeout": max(2, math.ceil(timeout_s)),
        "application_name": APPLICATION,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        # A half-open connection would otherwise hold a reader for the kernel's quarter of an hour.
        "tcp_user_timeout": int(max(2.0, timeout_s) * 1000) + 5000,
    }
    connect = {name: value for name, value in ours.items() if name not in endpoint.options}
    # Prepared statements do not survive a pooler that shares server connections by transaction.
    connect["prepare_threshold"] = None
    connect.update(named(endpoint))
    if endpoint.host and endpoint.host.startswith(("/", "@")):
        connect["host"] = endpoint.host
    return connect


def _bounds(read_only: bool, timeout_s: float) -> tuple[str, ...]:
    timeout_ms = max(1, round(timeout_s * 1000))
    if read_only:
        return (
            "SET default_transaction_read_only = on",
            f"SET statement_timeout = {timeout_ms}",
            f"SET lock_timeout = {min(LOCK_TIMEOUT_MS, timeout_ms)}",
            f"SET idle_in_transaction_session_timeout = {IDLE_READER_S * 1000}",
        )
    return (
        "SET default_transaction_read_only = off",
        "SET statement_timeout = 0",
        f"SET lock_timeout = {timeout_ms}",
        f"SET idle_in_transaction_session_timeout = {IDLE_WRITER_S * 1000}",
    )


# https://www.postgresql.org/docs/current/errcodes-appendix.html
_BY_STATE = {
    "42501": "no_permission",
    "57014": "timeout",
    "55P03": "lock_timeout",
    "25P03": "timeout",
    "53300": "too_many_connections",
    "28P01": "auth_failed",
    "28000": "auth_failed",
    "40001": "serialization_failure",
    "40P01": "deadlock",
    "3D000": "unknown_database",
    "42P01": "not_supported_version",
    "42703": "not_supported_version",
    "42883": "not_supported_version",
    "57P01": "connect_failed",
    "57P02": "connect_failed",
    "57P03": "connect_failed",
    "57P05": "connect_failed",
}
# libpq gives no SQLSTATE for a connection that was refused, only words; a server that speaks another language is
# understood as the last line says, which is never a pass.
_BY_WORDS = tuple(
    (re.compile(words, re.IGNORECASE), reason)
    for words, reason in (
        (r"too many (clients|connections)|connection slots are reserved", "too_many_connections"),
        (r"permission denied for database", "no_permission"),
        (r"(authentication|login) failed|no password supplied|no pg_hba\.conf entry", "auth_failed"),
        (r"role \".*\" (does not exist|is not permitted to log in)|password retrieval|SASL|SCRAM", "auth_failed"),
        (r"database \".*\" does not exist|not currently accepting connections", "unknown_database"),
        (r"", "connect_failed"),
    )
)


def fault(error: BaseException) -> str:
    """The machine reason behind an exception of psycopg.

    A relation, column or function that is not there reads as ``not_supported_version``: our questions name only what
    the catalogue of some version has.
    """
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        if state.startswith("08"):
            return "connect_failed"
        # The server has no SQLSTATE of its own for this one: two sessions changed the same catalogue row.
        if "tuple concurrently" in str(error):
            return "concurrent_update"
        return _BY_STATE.get(state, "query_failed")
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, OSError) or type(error).__name__ in ("OperationalError", "ConnectionTimeout"):
        return next(reason for words, reason in _BY_WORDS if words.search(str(error)))
    return "query_failed"
