"""Connections that the doors need and a session does not give: a transaction kept open, the replication protocol, and
what a client program needs to find the same server. A password goes to libpq or into a child's environment only.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from dbops.errors import DbopsError, NotPermitted, ReadFailed, Unreachable
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_postgresql.session import APPLICATION, fault, named

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGconn

__all__ = ["client_environment", "client_outputs", "connect", "conninfo", "replication", "understood"]

CONNECT_TIMEOUT_S = 15
MAINTENANCE = "postgres"
REFUSED = ("no_permission", "auth_failed")
LOST = ("connect_failed", "too_many_connections", "unknown_database")
# A password among the options of a URL would end up in argv: it belongs into the endpoint's reference.
SECRET_OPTIONS = ("password", "sslpassword", "passfile")
# The session keeps a snapshot or a slot for hours while other sessions do the work.
UNBOUNDED = (
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
)
PATIENT = "idle_session_timeout"
SINCE: Mapping[int, str] = {14: f"SET {PATIENT} = 0", 17: "SET transaction_timeout = 0"}


def conninfo(endpoint: Endpoint, database: str | None = None) -> str:
    """How libpq finds the server, without the password; what the endpoint leaves out stays out."""
    from psycopg.conninfo import make_conninfo

    return make_conninfo("", **_parameters(endpoint, database))


def client_environment(endpoint: Endpoint, runtime: Runtime) -> dict[str, str]:
    """Variables for a client program: the password, and messages in English, which we read."""
    secret = {"PGPASSWORD": runtime.secret(endpoint.password)} if endpoint.password else {}
    return {"LC_ALL": "C", **secret}


def client_outputs(endpoint: Endpoint) -> dict[str, Value]:
    """What a later step's program needs to find this server: ``conninfo`` without the database, which is ``database``
    (the variable PGDATABASE), and ``password`` as a reference, empty when there is none."""
    reference: Value = endpoint.password if endpoint.password is not None else ""
    server = conninfo(msgspec.structs.replace(endpoint, database=None))
    return {"conninfo": server, "database": endpoint.database or "", "password": reference}


@contextmanager
def connect(endpoint: Endpoint, runtime: Runtime, database: str | None = None) -> Generator[Connection[Any]]:
    """An autocommit connection without time limits; errors are translated as a session's are."""
    import psycopg

    where = str(endpoint.at(database) if database else endpoint)
    with understood(where):
        connection = psycopg.connect(**_login(endpoint, runtime, database), autocommit=True, prepare_threshold=None)
    try:
        with understood(where):
            connection.execute("; ".join((*UNBOUNDED, *_since(connection.info.server_version // 10000))).encode())
        yield connection
    finally:
        connection.close()


@contextmanager
def replication(endpoint: Endpoint, runtime: Runtime) -> Generator[PGconn]:
    """A connection that speaks the replication protocol (physical). It may be idle for hours, holding a slot."""
    from psycopg.pq import ConnStatus

    login = {**_login(endpoint, runtime, None), "replication": "true"}
    # This protocol knows no SET, and a server before 14 not the setting.
    patient = {**login, "options": f"{login.get('options', '')} -c {PATIENT}=0".strip()}
    connection = _started(patient)
    if connection.status != ConnStatus.OK and PATIENT in connection.get_error_message("utf-8"):
        connection.finish()
        connection = _started(login)
    try:
        if connection.status != ConnStatus.OK:
            said = " ".join(connection.get_error_message("utf-8").split())
            raise _error(f"{endpoint} (replication): {said}", fault(OSError(said)))
        yield connection
    finally:
        connection.finish()


def _started(login: Mapping[str, Any]) -> PGconn:
    from psycopg.conninfo import make_conninfo
    from psycopg.pq import PGconn

    return PGconn.connect(make_conninfo("", **login).encode())


@contextmanager
def understood(where: str) -> Generator[None]:
    """psycopg's exceptions as ours."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise _error(f"{where}: {' '.join(str(error).split())}", fault(error)) from None


def _error(message: str, reason: str) -> DbopsError:
    if reason in REFUSED:
        return NotPermitted(
            message,
            reason=reason,
            hint="`dbops grants postgresql --for backup` prints what the login needs; replication also needs a line "
            "in pg_hba.conf.",
        )
    return Unreachable(message, reason=reason) if reason in LOST else ReadFailed(message, reason=reason)


def _since(major: int) -> list[str]:
    return [statement for since, statement in SINCE.items() if major >= since]


def _login(endpoint: Endpoint, runtime: Runtime, database: str | None) -> dict[str, Any]:
    secret = {"password": runtime.secret(endpoint.password)} if endpoint.password else {}
    return {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        **_parameters(endpoint, database),
        **secret,
    }


def _parameters(endpoint: Endpoint, database: str | None) -> dict[str, Any]:
    options = {name: value for name, value in endpoint.options.items() if name not in SECRET_OPTIONS}
    ours = {
        "host": endpoint.host,
        "port": endpoint.port,
        "user": endpoint.user,
        "dbname": database or endpoint.database,
        "application_name": APPLICATION,
    }
    return {**named(endpoint), **{name: value for name, value in ours.items() if value is not None}, **options}
