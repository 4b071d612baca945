"""A connection that the doors need and a session does not give: patient, and kept while other programs do the work."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from dbops.errors import DbopsError, NotPermitted, ReadFailed, Unreachable
from dbops.model.server import Endpoint
from dbops.spi import Runtime
from dbops_mysql.session import fault, session

if TYPE_CHECKING:
    from pymysql import Connection

__all__ = ["connect", "rows", "understood"]

CONNECT_S = 15.0
REFUSED = ("no_permission", "auth_failed")
LOST = ("connect_failed", "too_many_connections", "unknown_database")
DRIVER_OPTIONS = ("unix_socket", "read_default_file", "read_default_group")
# Nobody waits for an answer here by the clock: copying and dumping take as long as they take.
PATIENT = (
    "SET SESSION wait_timeout = 2147483, net_read_timeout = 3600, net_write_timeout = 3600",
    "SET SESSION TRANSACTION READ ONLY",
)


# Any, here and below: PyMySQL gives rows of any types.
@contextmanager
def connect(endpoint: Endpoint, runtime: Runtime, *, read_only: bool = True) -> Generator[Connection[Any]]:
    """An autocommit connection; nothing that it runs can write while it is ``read_only``."""
    import pymysql

    where = str(endpoint)
    with understood(where):
        connection = pymysql.connect(**_login(endpoint, runtime), autocommit=True)
    try:
        with understood(where):
            preamble = session(endpoint, read_only=False, timeout_s=CONNECT_S).preamble
            for statement in (*preamble, *PATIENT[: None if read_only else 1]):
                connection.query(statement)
        yield connection
    finally:
        with suppress(Exception):  # the server is gone, and the error that told so is on its way
            connection.close()


def rows(connection: Connection[Any], statement: str) -> list[dict[str, Any]]:
    """Each row of the answer by its columns' names in small letters."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        names = [str(column[0]).lower() for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@contextmanager
def understood(where: str) -> Generator[None]:
    """PyMySQL's exceptions as ours."""
    import pymysql

    try:
        yield
    except (pymysql.MySQLError, OSError) as error:
        raise _error(where, error) from None


def _error(where: str, error: Exception) -> DbopsError:
    said = error.args[1] if len(error.args) > 1 and isinstance(error.args[0], int) else error
    reason, message = fault(error), f"{where}: {' '.join(str(said).split())}"
    if reason in REFUSED:
        return NotPermitted(message, reason=reason, hint="`dbops grants … --for backup` prints what the login needs.")
    if reason in LOST:
        return Unreachable(message, reason=reason)
    return ReadFailed(message, reason=reason)


def _login(endpoint: Endpoint, runtime: Runtime) -> dict[str, Any]:
    made = session(endpoint, read_only=False, timeout_s=CONNECT_S)
    given = {
        "user": endpoint.user,
        "password": runtime.secret(endpoint.password) if endpoint.password else None,
        "host": None if "unix_socket" in made.connect else endpoint.host,
        "port": endpoint.port,
        "database": endpoint.database or None,
        **{name: value for name, value in made.query.items() if name in DRIVER_OPTIONS},
        **made.connect,
    }
    return {name: value for name, value in given.items() if value is not None}
