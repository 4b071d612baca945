"""Connections for statements that run for hours and speak meanwhile: BACKUP, RESTORE, DBCC.

They cannot run in a transaction, and what they have to say comes as messages between and after result sets: whoever
does not read all of them cuts the statement short, or takes an error that comes late for success.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from dbops.errors import DbopsError, NotPermitted, ToolFailed, Unreachable
from dbops.model.server import Endpoint
from dbops.spi import Runtime
from dbops_mssql.session import fault, session
from dbops_mssql.statement import text

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["Link", "connected", "watched"]

CONNECT_TIMEOUT_S = 15.0
EVERY_S = 2.0
REFUSED = ("no_permission", "auth_failed")
LOST = ("connect_failed", "too_many_connections", "unknown_database")
# What speaks about the place where a restore runs, and not about the backup: devices and paths that cannot be opened,
# no room, a name or file in use, a certificate that is not there, a version that is too old.
# The words are those of sys.messages: the driver mssql-python tells no number.
ELSEWHERE = {
    3201: "Cannot open backup device",
    3634: "The operating system returned the error",
    5133: "Directory lookup for the file",
    5120: "Unable to open the physical file",
    5123: "CREATE FILE encountered operating system error",
    5149: "MODIFY FILE encountered operating system error",
    5170: "Cannot create file",
    1834: "It is being used by",
    1823: "A database snapshot cannot be created",
    3101: "Exclusive access could not be obtained",
    3154: "holds a backup of a database other than the existing",
    3159: "The tail of the log for the database",
    3169: "The database was backed up on a server running",
    3224: "Cannot create worker thread",
    3257: "There is insufficient free space",
    33111: "Cannot find server certificate",
}
# pyodbc hands over a message with its source in front and its number and the call of ODBC behind; on Windows all
# messages in one text, elsewhere the first error alone. mssql-python has words of its own in front of the first.
NUMBER = re.compile(r"\((\d{2,5})\)")
CALL = re.compile(r"\(SQL\w+\)")
BETWEEN = re.compile(r"; (?=\[[0-9A-Z]{5}\] ?\[)")
DRIVER = re.compile(r"^(?:Driver Error: [^;]*; DDBC Error: )?(?:(?:\[[^\]]*\]\s*)*?\[SQL Server\]|(?:\[[^\]]*\]\s*)*)")


class Link:
    """One session in autocommit."""

    # Any: the cursor and the errors of whichever driver is installed.
    def __init__(self, connection: Any, errors: type[BaseException], where: str) -> None:
        self._connection, self._errors, self._where = connection, errors, where

    def run(self, sql: str) -> tuple[str, ...]:
        """Carry out one statement, to the end of its last result set. Gives what it said.

        :raises ToolFailed: with the cause, which is the first error; 3013 behind it only says that it was for nothing.
        """
        cursor = self._connection.cursor()
        said: list[str] = []
        try:
            cursor.execute(sql)
            said += _messages(cursor)
            while cursor.nextset():
                said += _messages(cursor)
        except self._errors as error:
            said += _messages(cursor)
            raise failed(self._where, error, said) from None
        finally:
            with suppress(self._errors):
                cursor.close()
        return tuple(said)

    # Any: the values of a row have the types that the driver gives them.
    def dicts(self, sql: str) -> list[dict[str, Any]]:
        """The rows of one question, which may hold any sign."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except self._errors as error:
            raise failed(self._where, error, _messages(cursor)) from None
        finally:
            with suppress(self._errors):
                cursor.close()


# Any: a DBAPI cursor; not every driver keeps what the server said.
def _messages(cursor: Any) -> list[str]:
    kept: list[Any] = list(getattr(cursor, "messages", None) or [])
    return [said for one in kept if (said := plain(str(one[1])))]


def plain(said: str) -> str:
    """Without what the driver puts before and after the server's words."""
    words = CALL.sub("", DRIVER.sub("", said))
    return " ".join(words.split())


def failed(where: str, error: BaseException, said: list[str]) -> DbopsError:
    """The server's words, in their order and each once."""
    raw = " ".join(str(one) for one in error.args[1:]) or str(error)
    words = list(dict.fromkeys([*said, *(plain(one) for one in BETWEEN.split(raw))]))
    message = f"{where}: {'; '.join(words)}"
    reason = fault(error)
    if reason in REFUSED:
        return NotPermitted(message, reason=reason, hint="`dbops grants mssql --for backup` prints what is needed.")
    if reason in LOST:
        return Unreachable(message, reason=reason)
    return ToolFailed(message, reason="environment" if _elsewhere(words) else "")


def _elsewhere(words: Sequence[str]) -> bool:
    said = " ".join(words)
    numbers = {int(one) for one in NUMBER.findall(said)}
    return bool(numbers & ELSEWHERE.keys()) or any(each in said for each in ELSEWHERE.values())


@contextmanager
def connected(endpoint: Endpoint, runtime: Runtime) -> Generator[Link]:
    """A session on ``master``, without a time limit for its statements.

    :raises Unreachable, NotPermitted: no connection.
    """
    there = endpoint.at("master")
    engine = _engine(there, runtime)
    errors: type[BaseException] = engine.dialect.loaded_dbapi.Error
    try:
        connection = _open(engine, errors, str(there))
        try:
            link = Link(connection, errors, str(there))
            for statement in session(there, read_only=False, timeout_s=CONNECT_TIMEOUT_S).preamble:
                link.run(statement)
            yield link
        finally:
            with suppress(errors):
                connection.close()
    finally:
        engine.dispose()


# Any: the connection of whichever driver is installed.
def _open(engine: Engine, errors: type[BaseException], where: str) -> Any:
    from sqlalchemy.exc import DBAPIError

    try:
        return engine.raw_connection()
    except (errors, DBAPIError) as error:
        raise failed(where, getattr(error, "orig", None) or error, []) from None


def _engine(endpoint: Endpoint, runtime: Runtime) -> Engine:
    from sqlalchemy import URL, create_engine
    from sqlalchemy.pool import NullPool

    how = session(endpoint, read_only=False, timeout_s=CONNECT_TIMEOUT_S)
    password = runtime.secret(endpoint.password) if endpoint.password else None
    url = URL.create(how.drivername, query=dict(how.query))
    if how.login is None:
        url = url.set(username=endpoint.user, password=password, host=endpoint.host, port=endpoint.port)
        url = url.set(database=endpoint.database)
    login = how.login(password) if how.login else {}
    return create_engine(
        url,
        connect_args={**how.connect, **login},
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
    )


@contextmanager
def watched(link: Link, endpoint: Endpoint, runtime: Runtime, what: str, expected: int) -> Generator[None]:
    """While the statement of ``link`` runs, tell how far it is: asked over a second connection, as long as it is
    permitted to ask. Nothing depends on it."""
    done = threading.Event()
    session_id = int(link.dicts("SELECT @@SPID AS spid")[0]["spid"])
    watcher = threading.Thread(
        target=_watch, args=(session_id, endpoint, runtime, what, expected, done), name="progress", daemon=True
    )
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join(EVERY_S)


def _watch(  # noqa: PLR0917  the arguments of a thread
    session_id: int, endpoint: Endpoint, runtime: Runtime, what: str, expected: int, done: threading.Event
) -> None:
    if done.wait(EVERY_S):
        return
    with suppress(DbopsError), runtime.reader(endpoint.at("master")) as reader:
        while True:
            percent = reader.scalar(text("backup_progress"), {"session": session_id})
            runtime.progress(what, int(expected * float(percent or 0) / 100), expected)
            if done.wait(EVERY_S):
                return
