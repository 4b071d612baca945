"""The answers of an engine as the tokens of one response: each statement's end says whether more follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.simulators.mssql.answers import Answer, Done, Message, Rows, Used
from tests.simulators.mssql.tds import tokens
from tests.simulators.mssql.tds.tokens import Change, Status

Send = Callable[[bytes], None]


class Response:
    """Writes tokens as they come about.

    :param send: takes pieces of the message. :param server: the name in messages.
    :param inside: the tokens belong to a procedure: its statements end with DONEINPROC.
    """

    def __init__(self, send: Send, server: str, database: str, *, inside: bool = False) -> None:
        self._send = send
        self._server = server
        self._database = database
        self._end = tokens.DONEINPROC if inside else tokens.DONE
        self._waiting: tuple[Status, int] | None = None
        self.failed = False

    @property
    def database(self) -> str:
        return self._database

    def write(self, answers: Iterable[Answer]) -> None:
        """:raises ValueError: a value does not fit into its column."""
        for one in answers:
            self._more()
            match one:
                case Rows():
                    self._send(tokens.columns(one.columns))
                    for row in tokens.rows(one.columns, one.rows):
                        self._send(row)
                case Message():
                    self.say(one)
                case Used():
                    self._use(one.database)
                case Done():
                    self._waiting = self._status(one)

    def say(self, message: Message) -> None:
        self._send(tokens.message(message, self._server))
        self.failed = self.failed or message.severity > 10

    def finish(self, status: Status = Status.FINAL) -> None:
        """The last DONE of a batch."""
        ended, count = self._waiting or (Status.ERROR if self.failed else Status.FINAL, 0)
        self._send(tokens.done(ended | status, count, self._end))
        self._waiting = None

    def finish_inside(self) -> None:
        """Of a procedure, whose own end follows."""
        self._more()

    def _more(self) -> None:
        if self._waiting is not None:
            status, count = self._waiting
            self._send(tokens.done(status | Status.MORE, count, self._end))
            self._waiting, self.failed = None, False

    def _status(self, one: Done) -> tuple[Status, int]:
        status = Status.ERROR if self.failed else Status.FINAL
        return (status | Status.COUNT, one.count) if one.count is not None else (status, 0)

    def _use(self, database: str) -> None:
        self._send(tokens.environment(Change.DATABASE, database, self._database))
        self._database = database
