"""Many targets side by side, each within its own time; one that hangs or fails never holds up or hides the others."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from dbops.durations import format_duration
from dbops.errors import DbopsError, Unreachable

__all__ = ["Answer", "side_by_side"]

T = TypeVar("T")
R = TypeVar("R")
STOP_S = 10.0


class Answer(Generic[T, R]):
    """What became of one target: a result or an error, and how long it took."""

    def __init__(self, item: T, seconds: float, result: R | None, error: BaseException | None) -> None:
        self.item = item
        self.seconds = seconds
        self.error = error
        self._result = result

    @property
    def result(self) -> R:
        """The result.

        :raises BaseException: what went wrong instead.
        """
        if self.error is not None:
            raise self.error
        return self._result  # type: ignore[return-value]  # without an error there is one, which may be None itself


class _Flight(Generic[T]):
    def __init__(self, at: int, item: T, thread: threading.Thread, deadline: float | None) -> None:
        self.at, self.item, self.thread, self.deadline = at, item, thread, deadline
        self.began = time.monotonic()


def side_by_side(
    items: Sequence[T],
    work: Callable[[T], R],
    *,
    limit: int = 8,
    timeout_s: float | None = None,
    stop: Callable[[], None] = lambda: None,
) -> tuple[Answer[T, R], ...]:
    """Run ``work`` on every item, at most ``limit`` at once; the answers come in the order of the items.

    :param timeout_s: for each item, counted from its own start. One that is late is given up: its answer is an
        :class:`~dbops.errors.Unreachable` with reason ``timeout``, its thread is left to itself, its place is free.
    :param stop: called when this is interrupted, to ask what runs to end; it is then waited for, up to 10 s.
    """
    fleet: _Fleet[T, R] = _Fleet(work, timeout_s)
    try:
        return fleet.run(items, limit)
    except BaseException:
        stop()
        fleet.join(STOP_S)
        raise


class _Fleet(Generic[T, R]):
    def __init__(self, work: Callable[[T], R], timeout_s: float | None) -> None:
        self._work, self._timeout_s = work, timeout_s
        self._landed: queue.SimpleQueue[tuple[int, R | None, BaseException | None]] = queue.SimpleQueue()
        self._flying: dict[int, _Flight[T]] = {}

    def run(self, items: Sequence[T], limit: int) -> tuple[Answer[T, R], ...]:
        waiting = deque(enumerate(items))
        answers: dict[int, Answer[T, R]] = {}
        while waiting or self._flying:
            while waiting and len(self._flying) < limit:
                self._launch(*waiting.popleft())
            answers.update(self._next())
        return tuple(answers[at] for at in range(len(items)))

    def join(self, within_s: float) -> None:
        end = time.monotonic() + within_s
        for flight in self._flying.values():
            flight.thread.join(max(0.0, end - time.monotonic()))

    def _launch(self, at: int, item: T) -> None:
        # Daemon: a thread that is stuck in a socket must not keep the process from ending.
        thread = threading.Thread(target=self._fly, args=(at, item), name=f"target-{at}", daemon=True)
        deadline = None if self._timeout_s is None else time.monotonic() + self._timeout_s
        self._flying[at] = _Flight(at, item, thread, deadline)
        thread.start()

    def _fly(self, at: int, item: T) -> None:
        try:
            self._landed.put((at, self._work(item), None))
        except BaseException as error:  # noqa: BLE001  kept for whoever asks for the result
            self._landed.put((at, None, error))

    def _next(self) -> Iterator[tuple[int, Answer[T, R]]]:
        """The answers that are there after waiting for the next landing or deadline."""
        deadlines = [flight.deadline for flight in self._flying.values() if flight.deadline is not None]
        patience = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        try:
            at, result, error = self._landed.get(timeout=patience)
        except queue.Empty:
            yield from self._give_up()
            return
        flight = self._flying.pop(at, None)
        if flight is not None:  # it may come after it was given up
            yield at, Answer(flight.item, time.monotonic() - flight.began, result, error)

    def _give_up(self) -> Iterator[tuple[int, Answer[T, R]]]:
        now = time.monotonic()
        late = [flight for flight in self._flying.values() if flight.deadline is not None and flight.deadline <= now]
        for flight in late:
            del self._flying[flight.at]
            yield flight.at, Answer(flight.item, now - flight.began, None, _too_late(self._timeout_s or 0.0))


def _too_late(timeout_s: float) -> DbopsError:
    return Unreachable(
        f"no answer within {format_duration(timeout_s)}", hint="Give it longer with --timeout.", reason="timeout"
    )
