"""Sessions with servers: SQLAlchemy connections behind the two faces that the rest of dbops sees.

A :class:`SqlReader` asks and cannot write. A :class:`SqlWriter` is made by :mod:`dbops.execute` alone. Both live on one
connection that is closed, never returned to a pool with our settings on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from dbops.errors import DbopsError, Unreachable, UsageError
from dbops.faults import translated, understood
from dbops.model.server import Endpoint, Session
from dbops.plan import SecretRef
from dbops.spi import Backend, Reader

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["Resolve", "SqlReader", "SqlWriter", "connect", "from_engine", "preload", "writer"]

T = TypeVar("T")
Resolve = Callable[[SecretRef], str]


def preload(backend: Backend, endpoint: Endpoint) -> None:
    """Import what connecting needs, so that a clock started afterwards measures the server alone.

    :raises ConfigError: the driver is not there.
    """
    from sqlalchemy.engine import make_url

    with translated(backend, str(endpoint)):
        driver = backend.session(endpoint, read_only=True, timeout_s=1).drivername
        make_url(f"{driver}://").get_dialect().import_dbapi()


@contextmanager
def connect(backend: Backend, endpoint: Endpoint, *, resolve: Resolve, timeout_s: float = 5.0) -> Generator[SqlReader]:
    """A reader of one database.

    :param timeout_s: bound for connecting and for each question.
    :raises Unreachable: no connection (reasons ``connect_failed``, ``too_many_connections``, ``unknown_database``).
    :raises NotPermitted: the login was refused (reason ``auth_failed``).
    """
    session = backend.session(endpoint, read_only=True, timeout_s=timeout_s)
    with _connection(backend, endpoint, session, resolve) as connection:

        def sibling(name: str) -> AbstractContextManager[Reader]:
            return connect(backend, endpoint.at(name), resolve=resolve, timeout_s=timeout_s)

        yield SqlReader(connection, backend, session, str(endpoint), sibling)


@contextmanager
def writer(backend: Backend, endpoint: Endpoint, *, resolve: Resolve, timeout_s: float = 60.0) -> Generator[SqlWriter]:
    """A session that may write; for :mod:`dbops.execute`."""
    session = backend.session(endpoint, read_only=False, timeout_s=timeout_s)
    with _connection(backend, endpoint, session, resolve) as connection:
        yield SqlWriter(connection, backend, session, str(endpoint))


@contextmanager
def from_engine(backend: Backend, engine: Engine, *, timeout_s: float = 5.0) -> Generator[SqlReader]:
    """A reader over an Engine that a library user owns: inspection of its one database.

    The connection is taken out of the pool for good, so that no setting of ours is left on one that the owner uses.
    :raises UsageError: an ``AsyncEngine``; or, later, asking for another database.
    """
    if type(engine).__name__ == "AsyncEngine":
        raise UsageError("an AsyncEngine was handed in", hint="Hand in its .sync_engine, or an endpoint.")
    url = engine.url
    endpoint = Endpoint(engine=backend.name, host=url.host, port=url.port, user=url.username, database=url.database)
    where = str(endpoint)
    session = backend.session(endpoint, read_only=True, timeout_s=timeout_s)
    with translated(backend, where):
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        connection.detach()
        _prepare(connection, session, backend, where)
        yield SqlReader(connection, backend, session, where, _no_sibling)
    finally:
        connection.close()


def _no_sibling(name: str) -> AbstractContextManager[Reader]:
    raise UsageError(
        f"the database {name} cannot be opened from an Engine that was handed in",
        hint="Hand in an endpoint (host, port, user, a reference to the password) instead.",
    )


@contextmanager
def _connection(backend: Backend, endpoint: Endpoint, session: Session, resolve: Resolve) -> Generator[Connection]:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    password = resolve(endpoint.password) if endpoint.password else None
    connect_args = dict(session.connect)
    if password is not None and session.password_encoding:
        connect_args["password"] = password.encode(session.password_encoding)
        password = None
    where = str(endpoint)
    with translated(backend, where, session, connecting=True):
        engine = create_engine(
            _url(endpoint, session, password),
            connect_args={**connect_args, **(session.login(password) if session.login else {})},
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
        )
        # What SQLAlchemy would ask a server that it has not met is for its own SQL, of which there is none here.
        engine.dialect.initialize = _ask_nothing  # type: ignore[method-assign]
        connection = engine.connect()
    try:
        _prepare(connection, session, backend, where)
        yield connection
    finally:
        connection.close()
        engine.dispose()


def _ask_nothing(connection: object) -> None:
    pass


# Any: sqlalchemy.URL, which must not be imported to describe it.
def _url(endpoint: Endpoint, session: Session, password: str | None) -> Any:
    from sqlalchemy import URL

    if session.login is not None:
        return URL.create(session.drivername, query=dict(session.query))
    return URL.create(
        session.drivername,
        username=endpoint.user,
        password=password,
        # A directory with a socket does not fit into the host part of a URL: the backend puts it into `connect`.
        host=None if endpoint.host and endpoint.host.startswith(("/", "@")) else endpoint.host,
        port=endpoint.port,
        database=endpoint.database,
        query=dict(session.query),
    )


def _prepare(connection: Connection, session: Session, backend: Backend, where: str) -> None:
    with translated(backend, where, session, connecting=True):
        for name, value in session.attributes.items():
            setattr(connection.connection.dbapi_connection, name, value)
        for statement in session.preamble:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


_PLACE = re.compile(r"%(?:\((\w+)\)s|%)")


def _bound(sql: str, parameters: Mapping[str, object], style: str) -> tuple[str, Any]:
    """SQL with ``%(name)s`` in the words of a driver that numbers or counts its parameters.

    The second value has the type that the driver takes (Any): names to values, or values in order.
    """
    if style != "qmark":
        return sql, dict(parameters)
    names = [name for name in _PLACE.findall(sql) if name]
    plain = _PLACE.sub(lambda found: "?" if found[1] else "%", sql)
    return plain, tuple(parameters[name] for name in names)


class _OnConnection:
    def __init__(self, connection: Connection, backend: Backend, session: Session, where: str) -> None:
        self._connection = connection
        self._backend = backend
        self._session = session
        self._where = where
        self._broken = False

    # Any: rows have the types that the driver gives them.
    def _ask(self, sql: str, parameters: Mapping[str, object] | None) -> tuple[list[str], list[tuple[Any, ...]]]:
        arguments = _bound(sql, parameters, self._connection.dialect.paramstyle) if parameters else (sql,)
        if self._broken:
            raise Unreachable(f"{self._where}: the connection broke", reason="connect_failed")
        # The driver's own cursor: SQLAlchemy's result ends with the first of several that a statement gives.
        dbapi = self._connection.dialect.loaded_dbapi
        with translated(self._backend, self._where, self._session):
            try:
                cursor = self._connection.connection.cursor()
                cursor.execute(*arguments)
                answer = _answer(cursor)
                cursor.close()
            except dbapi.Error as error:
                found = understood(self._backend, error, self._where, self._session)
                if found.reason == "connect_failed":
                    self._break()
                raise found from None
        return answer

    def _break(self) -> None:
        """Ask nothing more over it: SQLAlchemy would connect again, without our settings."""
        self._broken = True
        self._connection.invalidate()

    def _roll_back(self) -> None:
        """A broken connection ends its transaction by itself; the error that broke it is the one to see."""
        try:
            self._ask(self._session.rollback, None)
        except DbopsError:
            self._break()

    def tuples(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Each row as it came."""
        return self._ask(sql, parameters)[1]

    def scalar(self, sql: str, parameters: Mapping[str, object] | None = None) -> Any:
        """The first column of the first row, or None when there is no row."""
        rows = self._ask(sql, parameters)[1]
        return rows[0][0] if rows else None


# Any: a cursor of whatever driver, and rows with the types that it gives them.
def _answer(cursor: Any) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The first result that has rows. All are read: a statement may fail behind it, or is cut off where nobody does."""
    keys: list[str] = []
    rows: list[tuple[Any, ...]] = []
    more: Callable[[], object] = getattr(cursor, "nextset", lambda: None)
    while True:
        if cursor.description is not None and not keys:
            keys = [column[0] for column in cursor.description]
            rows = [tuple(row) for row in cursor.fetchall()]
        if not more():
            return keys, rows


class SqlReader(_OnConnection):
    """Implements :class:`dbops.spi.Reader`."""

    def __init__(
        self,
        connection: Connection,
        backend: Backend,
        session: Session,
        where: str,
        sibling: Callable[[str], AbstractContextManager[Reader]],
    ) -> None:
        super().__init__(connection, backend, session, where)
        self._sibling = sibling

    def dicts(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """Each row by column name."""
        keys, rows = self._ask(sql, parameters)
        return [dict(zip(keys, row, strict=True)) for row in rows]

    def rows(self, sql: str, into: type[T], parameters: Mapping[str, object] | None = None) -> list[T]:
        """Each row as a struct whose fields are named like the columns."""
        # list[into] is built at run time, for msgspec alone: a type checker cannot follow it.
        return msgspec.convert(self.dicts(sql, parameters), type=list[into], strict=False)  # type: ignore[valid-type]

    @contextmanager
    def snapshot(self) -> Generator[None]:
        """One read-only transaction in which every question sees the same state."""
        self._ask(self._session.begin, None)
        try:
            yield
        finally:
            self._roll_back()

    def database(self, name: str) -> AbstractContextManager[Reader]:
        """A reader of a sibling database with the same login and settings."""
        return self._sibling(name)


class SqlWriter(_OnConnection):
    """Statements, one at a time or in one transaction."""

    def run(self, sql: str) -> None:
        """Carry out one complete statement."""
        self._ask(sql, None)

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Commit at the end, roll back on any exception."""
        self.run(self._session.begin_writing)
        try:
            yield
        except BaseException:
            self._roll_back()
            raise
        self.run("COMMIT")
