"""Work in daemon threads: a few targets at a time, and answers that are waited for no longer than until a deadline.

No pool of ``concurrent.futures``: its threads are joined when the interpreter ends, and one that hangs would keep it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Later", "side_by_side"]

T = TypeVar("T")
R = TypeVar("R")


class Later(Generic[R]):
    """The result of a call that was started in a thread of its own."""

    def __init__(self, call: Callable[[], R], name: str = "dbops-later") -> None:
        self._done: queue.SimpleQueue[tuple[R | None, BaseException | None]] = queue.SimpleQueue()
        threading.Thread(target=self._run, args=(call,), daemon=True, name=name).start()

    def result(self, timeout_s: float | None = None) -> R:
        """What the call gave or raised; to be asked for once.

        :raises TimeoutError: not there yet; the thread is left to itself.
        """
        try:
            value, error = self._done.get(timeout=None if timeout_s is None else max(0.0, timeout_s))
        except queue.Empty:
            raise TimeoutError from None
        if error is not None:
            raise error
        return value  # type: ignore[return-value]  # without an error there is a value, which may itself be None

    def _run(self, call: Callable[[], R]) -> None:
        try:
            self._done.put((call(), None))
        except BaseException as error:  # noqa: BLE001  # raised again by whoever asks for the result
            self._done.put((None, error))


def side_by_side(work: Callable[[T], R], items: Sequence[T], lanes: int) -> list[R]:
    """``work`` of each item, in the order of ``items``, ``lanes`` at a time.

    ``work`` must be bounded in time by itself. When it raises, that is raised here, after the others have ended.
    """
    left: queue.SimpleQueue[tuple[int, T]] = queue.SimpleQueue()
    for pair in enumerate(items):
        left.put(pair)
    found: dict[int, R] = {}

    def lane() -> None:
        while True:
            try:
                number, item = left.get_nowait()
            except queue.Empty:
                return
            found[number] = work(item)

    started = [Later(lane, f"dbops-lane-{number}") for number in range(max(1, min(lanes, len(items))))]
    errors = [error for one in started if (error := _error(one)) is not None]
    if errors:
        raise errors[0]
    return [found[number] for number in range(len(items))]


def _error(lane: Later[None]) -> BaseException | None:
    try:
        lane.result()
    except Exception as error:  # noqa: BLE001  # raised by the caller once every lane has ended
        return error
    return None
