"""Asking a server many questions within a deadline: bulk first, databases side by side, and never a wait for one.

Whoever asks is a daemon thread; whoever waits takes what is there at the deadline. What is not there by then is a
Missing with the reason ``timeout``. A connection that hangs is left to its own bounds and holds up nobody.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from dbops.errors import DbopsError, Unreachable
from dbops.model.finding import Missing
from dbops.model.health import Answer, HealthFacts, Question
from dbops.model.server import Server, within
from dbops.operations.workspace import Opened
from dbops.spi import Backend, Reader

__all__ = ["Asked", "Door", "ask"]

DATABASES = "databases"
LANES = 4
Door = Callable[[], AbstractContextManager[Opened]]


class Asked(msgspec.Struct, frozen=True):
    """:param latency_s: of connecting and the first questions.
    :param gone: what broke the first connection while it was in use, if anything did."""

    backend: Backend
    server: Server
    latency_s: float
    facts: HealthFacts
    gone: Missing | None


class _Database(msgspec.Struct, frozen=True):
    name: str
    missing: str | None


def ask(door: Door, wanted: Callable[[Opened], Sequence[Question]], *, timeout_s: float, lanes: int = LANES) -> Asked:
    """Ask all questions that fit the server's version.

    :param wanted: the questions, once it is known what the server is.
    :param lanes: databases side by side, beside the first connection.
    :raises DbopsError: no session at all within ``timeout_s``.
    """
    board = _Board(timeout_s)
    threading.Thread(target=_ask, args=(board, door, wanted, lanes), daemon=True, name="dbops-ask").start()
    board.done.wait(timeout_s)
    return board.asked()


class _Board:
    """What is known so far. Read once, by the thread that waited, while others may still be writing."""

    def __init__(self, timeout_s: float) -> None:
        self.done = threading.Event()
        self._lock = threading.Lock()
        self._late = Missing("timeout", f"no answer within {timeout_s:g} s")
        self._opened: tuple[Backend, Server, float] | None = None
        self._questions: Sequence[Question] = ()
        self._server: dict[str, Answer | Missing] = {}
        self._databases: dict[str, dict[str, Answer | Missing]] = {}
        self._unlisted: Missing | None = self._late
        self._failure: BaseException | None = None
        self.gone: Missing | None = None

    def opened(self, opened: Opened, latency_s: float, questions: Sequence[Question]) -> None:
        with self._lock:
            self._opened = (opened.backend, opened.server, latency_s)
            self._questions = questions

    def listed(self, found: Sequence[_Database] | Missing) -> None:
        """Which databases there are: each of their questions is open from now on, or already hopeless."""
        with self._lock:
            if isinstance(found, Missing):
                self._unlisted = found
                return
            self._unlisted = None
            for one in found:
                why = Missing(one.missing, f"this login cannot ask in {one.name}") if one.missing else self._late
                self._databases[one.name] = dict.fromkeys(_names(self._questions, "database"), why)

    def answer(self, question: str, answer: Answer | Missing, database: str | None = None) -> None:
        with self._lock:
            (self._server if database is None else self._databases[database])[question] = answer

    def fail(self, error: BaseException) -> None:
        with self._lock:
            self._failure = self._failure or error

    def asked(self) -> Asked:
        with self._lock:
            if self._failure is not None and (self._opened is None or not isinstance(self._failure, DbopsError)):
                raise self._failure
            if self._opened is None:
                raise Unreachable(self._late.detail, reason="timeout")
            backend, server, latency_s = self._opened
            facts = HealthFacts(
                server={**dict.fromkeys(_names(self._questions, "server"), self._late), **self._server},
                databases={name: dict(answers) for name, answers in self._databases.items()},
                databases_missing=self._unlisted if _names(self._questions, "database") else None,
            )
            return Asked(backend, server, latency_s, facts, self.gone)


def _ask(board: _Board, door: Door, wanted: Callable[[Opened], Sequence[Question]], lanes: int) -> None:
    try:
        started = time.monotonic()
        with door() as opened:
            questions = wanted(opened)
            board.opened(opened, time.monotonic() - started, questions)
            _first_connection(board, opened, questions, lanes)
    except BaseException as error:  # noqa: BLE001  # handed to the thread that waits, which raises it
        board.fail(error)
    finally:
        board.done.set()


def _first_connection(board: _Board, opened: Opened, questions: Sequence[Question], lanes: int) -> None:
    fitting = [one for one in questions if within(opened.server.version, one.since, one.until)]
    local = [one for one in fitting if one.scope == "database"]
    bulk = [one for one in fitting if one.scope == "server"]
    names = _list_databases(board, opened.reader, [one for one in bulk if one.name == DATABASES])
    own = opened.server.database
    crew = _Lanes(board, opened.reader, local, [name for name in names if name != own], lanes)
    board.gone = _all(opened.reader, [one for one in bulk if one.name != DATABASES], board.answer)
    if own in names:
        _all(opened.reader, local, lambda name, answer: board.answer(name, answer, own), board.gone)
    crew.join()


def _list_databases(board: _Board, reader: Reader, questions: Sequence[Question]) -> list[str]:
    for question in questions:
        answer = _answer(reader, question)
        board.answer(question.name, answer)
        if isinstance(answer, Missing):
            board.listed(answer)
            return []
        found = [msgspec.convert(row, _Database) for row in answer.rows]
        board.listed(found)
        return [one.name for one in found if not one.missing]
    return []


class _Lanes:
    """A few threads, each with one database at a time."""

    def __init__(
        self, board: _Board, reader: Reader, questions: Sequence[Question], names: Sequence[str], lanes: int
    ) -> None:
        self._board, self._reader, self._questions = board, reader, questions
        self._names: queue.SimpleQueue[str] = queue.SimpleQueue()
        for name in names if questions else ():
            self._names.put(name)
        count = min(lanes, self._names.qsize())
        self._threads = [threading.Thread(target=self._work, daemon=True, name="dbops-lane") for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            try:
                name = self._names.get_nowait()
            except queue.Empty:
                return
            try:
                self._one(name)
            except BaseException as error:  # noqa: BLE001  # a bug: raised by the thread that waits
                self._board.fail(error)

    def _one(self, name: str) -> None:
        def put(question: str, answer: Answer | Missing) -> None:
            self._board.answer(question, answer, name)

        try:
            with self._reader.database(name) as reader:
                _all(reader, self._questions, put)
        except DbopsError as error:
            for question in self._questions:
                put(question.name, _missing(error))


def _all(
    reader: Reader,
    questions: Sequence[Question],
    put: Callable[[str, Answer | Missing], None],
    gone: Missing | None = None,
) -> Missing | None:
    """Ask one after the other; once the connection is gone the rest is not tried. Gives what broke it."""
    for question in questions:
        try:
            put(question.name, gone or Answer(rows=_rows(reader, question)))
        except Unreachable as error:
            gone = _missing(error)
            put(question.name, gone)
        except DbopsError as error:
            put(question.name, _missing(error))
    return gone


def _answer(reader: Reader, question: Question) -> Answer | Missing:
    try:
        return Answer(rows=_rows(reader, question))
    except DbopsError as error:
        return _missing(error)


# Any: the values have the types that the driver gives them; questions ask for such as JSON has.
def _rows(reader: Reader, question: Question) -> tuple[dict[str, Any], ...]:
    if not question.page:
        return tuple(reader.dicts(question.sql))
    found: list[dict[str, Any]] = []
    after: object = 0
    while True:
        page = reader.dicts(question.sql, {"after": after, "page": question.page})
        found += page
        if len(page) < question.page:
            return tuple(found)
        after = page[-1][question.page_by]


def _missing(error: DbopsError) -> Missing:
    return Missing(error.reason or "query_failed", error.message)


def _names(questions: Sequence[Question], scope: str) -> list[str]:
    return [question.name for question in questions if question.scope == scope]
