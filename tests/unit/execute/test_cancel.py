"""A run that is stopped does not wait for bytes that do not come."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from dbops.errors import Interrupted, ToolFailed
from dbops.execute import StepStatus
from dbops.plan import FromServer, Risk, Together, ToNowhere, Transfer, Value
from dbops.spi import Member

Rig = Any  # the fixture of conftest.py, which is no module that could be imported


class Silent:
    """A stream that gives nothing until it is cancelled, as the pipe of a program that waits for a lock."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self.waiting = threading.Event()

    def read(self, n: int, /) -> bytes:
        self.waiting.set()
        assert self._cancelled.wait(60), "nobody ended it"
        raise ToolFailed("the program was killed by SIGKILL")

    def cancel(self) -> None:
        self._cancelled.set()

    def close(self) -> None:
        pass


def copying(step_id: str) -> Transfer:
    source = FromServer(stream="silent")
    return Transfer(id=step_id, summary=f"copy {step_id}", risk=Risk.READ, source=source, sink=ToNowhere())


@pytest.fixture
def silent(rig: Rig) -> Silent:
    stream = Silent()

    def members(_arguments: Mapping[str, object]) -> Iterator[Member]:
        yield Member("it", stream)

    rig.backend.streams["silent"] = members
    return stream


def test_a_neighbour_that_fails_ends_a_read_that_waits(rig: Rig, silent: Silent) -> None:
    def bad(_arguments: Mapping[str, object], _runtime: object) -> Mapping[str, Value]:
        assert silent.waiting.wait(60)
        raise ToolFailed("the true cause")

    rig.backend.calls["bad"] = bad
    both = Together(id="all", summary="both", risk=Risk.READ, steps=(copying("x"), rig.call("bad")), limit=2)
    outcome = rig.run(both)
    assert outcome.error.message == "the true cause"
    assert outcome.step("x").status is StepStatus.FAILED
    assert "stopped" in outcome.step("x").error, "that it was ended is the cause, not how the program died of it"


def test_a_stop_from_outside_ends_a_read_that_waits(rig: Rig, silent: Silent) -> None:
    def halt() -> None:
        assert silent.waiting.wait(60)
        rig.context.halt()

    threading.Thread(target=halt, daemon=True).start()
    outcome = rig.run(copying("x"))
    assert isinstance(outcome.error, Interrupted)


def test_a_stream_that_comes_after_the_stop_is_not_read(rig: Rig, silent: Silent) -> None:
    rig.context.halt()
    assert isinstance(rig.run(copying("x")).error, Interrupted)
    assert not silent.waiting.is_set()
