"""What a modelled instance of SQL Server says to a batch, before anybody writes it to a wire.

The order of answers is the order of tokens in TDS: a statement that gives rows answers ``Rows`` and then ``Done`` with
their number, one that changes something answers ``Done``, ``PRINT`` a ``Message`` of severity 0. A ``Message`` of a
severity above 10 is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


class Column(NamedTuple):
    """``type`` is T-SQL: ``nvarchar(128)``, ``sysname``, ``numeric(25,0)``, ``varbinary(max)``, ``datetime2(3)`` …"""

    name: str
    type: str
    nullable: bool = True


class Rows(NamedTuple):
    """Values are ``str``, ``int``, ``Decimal``, ``float``, ``bool``, ``bytes``, ``datetime``, ``UUID`` or None."""

    columns: tuple[Column, ...]
    rows: list[tuple[object, ...]]


class Message(NamedTuple):
    """Severities above 10 are errors; the text is that of ``sys.messages`` with its arguments filled in."""

    number: int
    state: int
    severity: int
    text: str
    procedure: str = ""
    line: int = 1

    @property
    def is_error(self) -> bool:
        return self.severity > 10


@dataclass(frozen=True, slots=True)
class Done:
    """The end of one statement; ``count`` is None where the server counts no rows."""

    count: int | None = None


class Used(NamedTuple):
    """The session's database is another one now."""

    database: str


Answer: TypeAlias = Rows | Message | Done | Used


class Drop(Exception):
    """A fault that was asked for: the connection is to be cut now, without another word."""


class Refused(Exception):
    """A login that the server does not let in; the messages are sent before the connection is closed."""

    def __init__(self, *messages: Message) -> None:
        super().__init__(messages[-1].text)
        self.messages = messages


class Failed(Exception):
    """A statement failed: the messages in the order in which they are sent, the last one usually the plain reason."""

    def __init__(self, *messages: Message) -> None:
        super().__init__(messages[-1].text)
        self.messages = messages


def error(number: int, text: str, *, severity: int = 16, state: int = 1) -> Message:
    return Message(number, state, severity, text)


def failed(number: int, text: str, *, severity: int = 16, state: int = 1) -> Failed:
    return Failed(error(number, text, severity=severity, state=state))


def unknown(what: str) -> Failed:
    """What the model does not cover is an error of its own number, never an empty answer."""
    return failed(50000, f"the simulator does not know {what}")
