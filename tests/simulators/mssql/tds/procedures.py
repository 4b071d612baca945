"""The procedures by which drivers run statements with parameters, and ask what types there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from tests.simulators.mssql.answers import Answer, Done, Message
from tests.simulators.mssql.tds import calls, driver_questions, tokens
from tests.simulators.mssql.tds.calls import Call, Prepared, Statement
from tests.simulators.mssql.tds.response import Response, Send
from tests.simulators.mssql.tds.tokens import DONEPROC, Status

UNKNOWN = -1


class Runs(Protocol):
    """The engine's side of a login, as far as calls need it."""

    @property
    def database(self) -> str: ...
    def run(self, sql: str, parameters: Mapping[str, object] = ...) -> Iterable[Answer]: ...


class Procedures:
    """Of one session, which keeps its prepared statements."""

    def __init__(self, session: Runs, server: str) -> None:
        self._session = session
        self._server = server
        self._prepared = Prepared()
        self._known: dict[str, Callable[[Call, Response, Send], None]] = {
            "sp_executesql": self._execute_sql,
            "sp_prepexec": self._prepare_and_execute,
            "sp_prepare": self._prepare,
            "sp_execute": self._execute,
            "sp_unprepare": self._unprepare,
            "sp_datatype_info_100": self._types,
            "sp_describe_undeclared_parameters": self._undeclared,
            "sp_reset_connection": lambda _call, _response, _send: None,
        }

    def answer(self, payload: bytes, send: Send) -> None:
        """:raises ValueError: a value does not fit into its column."""
        waiting = list(calls.parse(payload))
        for number, call in enumerate(waiting, start=1):
            response = Response(send, self._server, self._session.database, inside=True)
            known = self._known.get(call.procedure)
            if known is None:
                response.say(Message(2812, 62, 16, f"Could not find stored procedure '{call.procedure}'."))
            else:
                known(call, response, send)
            response.finish_inside()
            send(tokens.return_status(1 if response.failed else 0))
            more = Status.MORE if number < len(waiting) else Status.FINAL
            send(tokens.done(more | (Status.ERROR if response.failed else Status.FINAL), 0, DONEPROC))

    def _execute_sql(self, call: Call, response: Response, _send: Send) -> None:
        text, declared, given = str(call.values[0].value), "", call.values[1:]
        if given:
            declared, given = str(given[0].value or ""), given[1:]
        self._run(Statement(text, declared), given, response)

    def _prepare_and_execute(self, call: Call, response: Response, send: Send) -> None:
        _, declared, text, *given = call.values
        statement = Statement(str(text.value), str(declared.value or ""))
        send(tokens.return_value(0, call.values[0].name, "int", self._prepared.keep(statement)))
        self._run(statement, tuple(given), response)

    def _prepare(self, call: Call, _response: Response, send: Send) -> None:
        _, declared, text, *_ = call.values
        handle = self._prepared.keep(Statement(str(text.value), str(declared.value or "")))
        send(tokens.return_value(0, call.values[0].name, "int", handle))

    def _execute(self, call: Call, response: Response, _send: Send) -> None:
        statement = self._prepared.get(_handle(call))
        if statement is None:
            response.say(Message(8179, 4, 16, f"Could not find prepared statement with handle {_handle(call)}."))
            return
        self._run(statement, call.values[1:], response)

    def _unprepare(self, call: Call, response: Response, _send: Send) -> None:
        if not self._prepared.forget(_handle(call)):
            response.say(Message(8179, 8, 16, f"Could not find prepared statement with handle {_handle(call)}."))

    def _types(self, call: Call, response: Response, _send: Send) -> None:
        wanted = call.values[0].value if call.values else 0
        rows = driver_questions.types(int(str(wanted or 0)))
        response.write([rows, Done(len(rows.rows))])

    def _undeclared(self, call: Call, response: Response, _send: Send) -> None:
        text = str(call.values[0].value)
        rows = driver_questions.undeclared(text)
        response.write([rows, Done(len(rows.rows))])

    def _run(self, statement: Statement, given: tuple[calls.Value, ...], response: Response) -> None:
        response.write(self._session.run(statement.text, statement.values(given)))


def _handle(call: Call) -> int:
    value = call.values[0].value if call.values else None
    return value if isinstance(value, int) else UNKNOWN
