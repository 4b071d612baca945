"""A progress line on standard error: for a terminal only, and only for what takes longer than two seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

__all__ = ["Board", "shown"]

PATIENCE_S = 2.0


class Board:
    """Takes reports of bytes moved, from any thread; draws nothing before its patience has ended."""

    def __init__(self, *, visible: bool, patience_s: float = PATIENCE_S) -> None:
        self._visible = visible
        self._start = time.monotonic() + patience_s
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __call__(self, what: str, done: int, expected: int | None) -> None:
        """``what`` stands at ``done`` of ``expected`` bytes."""
        if not self._visible or time.monotonic() < self._start:
            return
        with self._lock:
            bars = self._bars or self._begin()
            if what not in self._tasks:
                self._tasks[what] = bars.add_task(what, total=expected)
            bars.update(self._tasks[what], completed=done, total=expected)

    def close(self) -> None:
        """Take the lines away."""
        with self._lock:
            if self._bars is not None:
                self._bars.stop()
                self._bars = None
                self._tasks.clear()

    def _begin(self) -> Bars:
        from rich import progress
        from rich.console import Console

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.DownloadColumn(binary_units=True),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
        )
        self._bars = progress.Progress(*columns, console=Console(stderr=True), transient=True)
        self._bars.start()
        return self._bars


@contextmanager
def shown() -> Generator[Board]:
    """A board that is visible when standard error is a terminal."""
    board = Board(visible=sys.stderr.isatty())
    try:
        yield board
    finally:
        board.close()
