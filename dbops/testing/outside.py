"""A pure function reaches nothing: no socket, no program, no file that is written."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import NoReturn
from unittest import mock

__all__ = ["ReachedOutside", "nothing_outside"]

_DOORS = (
    "socket.socket.connect",
    "socket.socket.connect_ex",
    "socket.socket.sendto",
    "socket.create_connection",
    "socket.getaddrinfo",
    "subprocess.Popen.__init__",
    "os.system",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.replace",
)
_SHOWN = {bytes, int, list, str, tuple}


class ReachedOutside(AssertionError):
    """What is called pure is not."""


@contextmanager
def nothing_outside() -> Generator[None]:
    """Inside, every way out raises :class:`ReachedOutside`."""
    with ExitStack() as stack:
        for door in _DOORS:
            stack.enter_context(mock.patch(door, _refuse))
        yield


def _refuse(*arguments: object, **_options: object) -> NoReturn:
    # The first may be an object that is only half made, and cannot be shown.
    what = [one for one in arguments if type(one) in _SHOWN]
    raise ReachedOutside(f"a pure function reached outside: {what}")
