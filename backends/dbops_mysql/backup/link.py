"""Connections that the doors need and a session does not give: a lock, a transaction kept open for hours."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from dbops.errors import DbopsError, NotPermitted, ReadFailed, Unreachable
from dbops.model.server import Endpoint
from dbops.spi import Runtime
from dbops_mysql.session import fault, session

if TYPE_CHECKING:
    from pymysql import Connection

__all__ = ["CONNECT_TIMEOUT_S", "Link", "ask", "connect", "connected", "failed", "quietly_close", "understood"]

CONNECT_TIMEOUT_S = 15
REFUSED = ("no_permission", "auth_failed")
LOST = ("connect_failed", "too_many_connections", "unknown_database")
NUMBERS = ("port", "connect_timeout")
# It waits for hours while other sessions do the work, and is read as fast as a repository takes it.
PATIENT = "SET SESSION wait_timeout = 2147483, net_write_timeout = 86400, net_read_timeout = 86400"
if TYPE_CHECKING:
    Link = Connection[Any]
else:
    Link = Any


def connect(endpoint: Endpoint, runtime: Runtime) -> Link:
    """A connection in autocommit, set up like a session, without time limits; whoever asks for it closes it.

    :raises Unreachable, NotPermitted: no connection.
    """
    import pymysql

    how = session(endpoint, read_only=False, timeout_s=CONNECT_TIMEOUT_S)
    # Any: arguments of any type, by the driver's own names.
    arguments: dict[str, Any] = {**_number(how.query), **how.connect}
    named: dict[str, object] = {"user": endpoint.user, "port": endpoint.port, "database": endpoint.database}
    if endpoint.host and not endpoint.host.startswith("/"):
        named["host"] = endpoint.host
    if endpoint.password:
        named["password"] = runtime.secret(endpoint.password).encode(how.password_encoding)
    arguments |= {name: value for name, value in named.items() if value is not None}
    with understood(str(endpoint)):
        link = pymysql.connect(**arguments, autocommit=True)
        try:
            for statement in (*how.preamble, PATIENT):
                ask(link, statement)
        except BaseException:
            link.close()
            raise
        return link


@contextmanager
def connected(endpoint: Endpoint, runtime: Runtime) -> Generator[Link]:
    """The same for a while; errors inside are translated as a session's are."""
    link = connect(endpoint, runtime)
    try:
        with understood(str(endpoint)):
            yield link
    finally:
        quietly_close(link)


def quietly_close(link: Link) -> None:
    """Close it; one that is broken is closed already."""
    import pymysql

    with suppress(pymysql.Error):
        link.close()


# Any: the values of a row have the types that the driver gives them.
def ask(link: Link, statement: str) -> list[tuple[Any, ...]]:
    """The rows of one statement, which may hold any sign: nothing in it is a placeholder."""
    with link.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@contextmanager
def understood(where: str) -> Generator[None]:
    """PyMySQL's exceptions as ours."""
    import pymysql

    try:
        yield
    except (pymysql.Error, OSError) as error:
        raise failed(where, error) from None


def failed(where: str, error: BaseException) -> DbopsError:
    """The error that a session would have raised."""
    reason = fault(error)
    words = error.args[1] if len(error.args) > 1 else error
    message = f"{where}: {' '.join(str(words).split())}"
    if reason in REFUSED:
        return NotPermitted(message, reason=reason, hint="`dbops grants ENGINE --for backup` prints what is needed.")
    return Unreachable(message, reason=reason) if reason in LOST else ReadFailed(message, reason=reason)


def _number(query: Mapping[str, str]) -> dict[str, Any]:
    return {name: int(value) if name in NUMBERS else value for name, value in query.items()}
