"""An engine that says what a test tells it: for what the wire, and not the instance behind it, is about."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping

from tests.simulators.mssql.answers import Answer, Column, Done, Message, Refused, Rows

Says = Iterable[Answer] | Callable[["ScriptedSession"], Iterable[Answer]]
USER, PASSWORD, TOKEN = "scripted", "it's {a} secret;", "a.token"
CANCELLED_S = 30


def rows(*values: tuple[object, ...], **columns: str) -> list[Answer]:
    """A result, with its end; ``columns`` are types by name."""
    return [Rows(tuple(Column(name, type_) for name, type_ in columns.items()), list(values)), Done(len(values))]


# What SQLAlchemy asks of every SQL Server that it sees for the first time.
_FIRST: Mapping[str, list[Answer]] = {
    r"SERVERPROPERTY\('ProductVersion'\)": rows(("16.0.4135.4",), v="varchar(128)"),
    r"sys\.system_views": rows(("dm_exec_sessions",), name="sysname"),
    r"transaction_isolation_level": rows(("READ COMMITTED",), TRANSACTION_ISOLATION_LEVEL="varchar(16)"),
    r"schema_name\(\)": rows(("dbo",), v="sysname"),
    r"test max support": rows(("test max support",), v="nvarchar(max)"),
    r"fn_listextendedproperty": rows(v="int"),
    r"^SET |^BEGIN TRAN|^COMMIT|ROLLBACK": [Done()],
}


class Scripted:
    """:param says: answers to batches that a regular expression is found in, the first that fits.

    ``heard`` are the batches with their parameters, ``logins`` who came with which application."""

    def __init__(self, says: Mapping[str, Says] | None = None) -> None:
        self.says: dict[str, Says] = dict(says or {})
        self.heard: list[tuple[str, dict[str, object]]] = []
        self.logins: list[tuple[str, str, str]] = []
        self.refuses: Message | None = None

    def login(
        self, user: str, password: str, database: str = "", *, application: str = "", host: str = ""
    ) -> ScriptedSession:
        if self.refuses is not None:
            raise Refused(self.refuses)
        if (user, password) != (USER, PASSWORD):
            raise Refused(Message(18456, 1, 14, f"Login failed for user '{user}'."))
        return self._session(user, database, application)

    def login_by_token(
        self, token: str, database: str = "", *, application: str = "", host: str = ""
    ) -> ScriptedSession:
        if token != TOKEN:
            raise Refused(Message(18456, 1, 14, "Login failed for user '<token-identified principal>'."))
        return self._session("<token-identified principal>", database, application)

    def _session(self, user: str, database: str, application: str) -> ScriptedSession:
        self.logins.append((user, database, application))
        return ScriptedSession(self, database or "master")


class ScriptedSession:
    spid = 51

    def __init__(self, engine: Scripted, database: str) -> None:
        self.database = database
        self.cancelled = threading.Event()
        self._engine = engine

    def run(self, sql: str, parameters: Mapping[str, object] | None = None) -> Iterator[Answer]:
        self._engine.heard.append((sql, dict(parameters or {})))
        self.cancelled.clear()
        for pattern, said in [*self._engine.says.items(), *_FIRST.items()]:
            if re.search(pattern, sql):
                yield from said(self) if callable(said) else said
                return
        yield Message(50000, 1, 16, f"nobody told what to say to: {sql}")

    def cancel(self) -> None:
        self.cancelled.set()

    def close(self) -> None:
        pass


def hang(session: ScriptedSession) -> Iterator[Answer]:
    """Says nothing until it is told to stop."""
    session.cancelled.wait(CANCELLED_S)
    yield from ()
