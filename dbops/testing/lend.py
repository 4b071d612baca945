"""How a fixture lends servers to tests: shared by a session, or made for one test."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from dbops.testing.servers import Installation, ThrowawayServer

__all__ = ["Private", "lent", "new_name", "private"]

_numbers = itertools.count(1)


class Private(Protocol):
    """Starts a new server for one test, to be stopped, killed and damaged freely."""

    def __call__(self, **settings: str) -> ThrowawayServer: ...


@contextmanager
def lent(
    engine: str, installation: Installation, settings: Mapping[str, str] | None = None
) -> Generator[ThrowawayServer]:
    """A server that is ready, destroyed afterwards."""
    from dbops.testing import servers

    _end_on_sigterm()
    server = servers.start(engine, installation, settings)
    try:
        yield server
    finally:
        server.destroy()


@contextmanager
def private(engine: str, installation: Installation) -> Generator[Private]:
    """A function that starts servers, all destroyed afterwards."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(lent(engine, installation, settings))


def new_name() -> str:
    """Of a database that no other test has."""
    return f"t{os.getpid()}_{next(_numbers)}"


def _end_on_sigterm() -> None:
    # By default SIGTERM ends the interpreter without its exit handlers, and the servers would stay.
    with suppress(ValueError):
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _exit)


def _exit(number: int, _frame: FrameType | None) -> None:
    pytest.exit("ended by SIGTERM", returncode=128 + number)
