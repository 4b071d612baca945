"""A stream of a backup during whose reading something happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dbops.spi import Doors, Member, Readable

__all__ = ["meddling"]


class Meddled:
    """Something happens once its first bytes are there."""

    def __init__(self, stream: Readable, meddle: Callable[[], None]) -> None:
        self._stream, self._meddle = stream, [meddle]

    def read(self, n: int, /) -> bytes:
        block = self._stream.read(n)
        while self._meddle:
            self._meddle.pop()()
        return block

    def cancel(self) -> None:
        self._stream.cancel()  # type: ignore[attr-defined]  # of a program's output

    def close(self) -> None:
        self._stream.close()


def meddling(monkeypatch: pytest.MonkeyPatch, doors: Doors, word: str, meddle: Callable[[], None]) -> None:
    """While a stream of the door ``word`` is stored, do this."""
    door = doors.streams[word]

    def opened(*given: Any) -> Iterator[Member]:  # Any: as a door is called
        for member in door(*given):
            yield Member(member.name, Meddled(member.stream, meddle), member.facts)

    monkeypatch.setitem(doors.streams, word, opened)
