"""Calls of procedures: which one, with which values ([MS-TDS] 2.2.6.6), and the statement behind a prepared one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.simulators.mssql.tds import parameters
from tests.simulators.mssql.tds.bytes import Malformed, Source

BY_NUMBER = {
    10: "sp_executesql",
    11: "sp_prepare",
    12: "sp_execute",
    13: "sp_prepexec",
    15: "sp_unprepare",
}
NUMBERED = 0xFFFF
SEPARATORS = (0x80, 0xFE, 0xFF)
_DECLARED = re.compile(r"@[\w@#$]+")


class Value(NamedTuple):
    name: str
    output: bool
    value: object


class Call(NamedTuple):
    procedure: str
    values: tuple[Value, ...]

    def named(self, name: str) -> object:
        """A parameter by its name; None when it was not given."""
        return next((one.value for one in self.values if one.name.lower() == name), None)


def after_headers(source: Source) -> Source:
    """Past ALL_HEADERS, which stand before batches, calls and requests about transactions."""
    source.take(source.number(4) - 4)
    return source


def parse(payload: bytes) -> Iterator[Call]:
    """One call after the other."""
    source = after_headers(Source(payload))
    while source.left:
        length = source.number(2)
        name = _numbered(source.number(2)) if length == NUMBERED else source.take(2 * length).decode("utf-16-le")
        source.take(2)
        yield Call(name.lower().rpartition(".")[2], tuple(_values(source)))
        if source.left:
            source.take(1)


def _numbered(number: int) -> str:
    if number not in BY_NUMBER:
        raise Malformed(f"the simulator knows no procedure {number}: cursors on the server are none of its features")
    return BY_NUMBER[number]


def _values(source: Source) -> Iterator[Value]:
    while source.left and source.peek() not in SEPARATORS:
        name = source.text(1)
        output = bool(source.number(1) & 1)
        yield Value(name, output, parameters.read(source))


class Statement(NamedTuple):
    """A text and what its parameters are called.

    :param declared: ``@P1 nvarchar(5),@P2 int``."""

    text: str
    declared: str

    def values(self, given: tuple[Value, ...]) -> dict[str, object]:
        """By name, those without one in their order."""
        names = _DECLARED.findall(_without_types(self.declared))
        found = dict(zip(names, (one.value for one in given if not one.name), strict=False))
        found.update({one.name: one.value for one in given if one.name})
        return found


def _without_types(declared: str) -> str:
    return re.sub(r"\([^)]*\)", "", declared)


@dataclass
class Prepared:
    """Statements that a session has prepared, by their handles."""

    _statements: dict[int, Statement] = field(default_factory=dict)
    _last: int = 0

    def keep(self, statement: Statement) -> int:
        self._last += 1
        self._statements[self._last] = statement
        return self._last

    def get(self, handle: int) -> Statement | None:
        return self._statements.get(handle)

    def forget(self, handle: int) -> bool:
        return self._statements.pop(handle, None) is not None
