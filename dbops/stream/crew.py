"""Threads that work on one stream, and what lies between them.

Each stage has a thread and hands blocks to the next through a bounded channel. The first failure of any of them is
the failure of the stream: later ones are only its echo (an encryptor that cannot write, a reader that was stopped).
The threads are daemons: one that hangs in somebody else's system call never keeps the process alive.
"""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

__all__ = ["BLOCK", "BlockReader", "Channel", "Crew", "Stopped"]

BLOCK = 1 << 20
"""Bytes asked of a source at once."""

DEPTH = 4 * BLOCK
"""Bytes that may wait between two stages."""


class Stopped(Exception):
    """The stream was stopped by a failure elsewhere, which the crew keeps."""


class Channel:
    """Blocks on their way between two threads, bounded in bytes rather than in number: a pipe gives small ones."""

    def __init__(self, depth: int = DEPTH) -> None:
        self._blocks: deque[bytes] = deque()
        self._depth = depth
        self._waiting = 0
        self._ended = False
        self._stopped = False
        self._changed = threading.Condition()

    def put(self, block: bytes) -> None:
        """Hand over a block; waits while the channel is full. :raises Stopped:"""
        with self._changed:
            while self._waiting >= self._depth and not self._stopped:
                self._changed.wait()
            if self._stopped:
                raise Stopped
            self._blocks.append(block)
            self._waiting += len(block)
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing follows."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def get(self) -> bytes:
        """The next block, ``b""`` at the end and ever after. :raises Stopped:"""
        with self._changed:
            while not self._blocks and not self._ended and not self._stopped:
                self._changed.wait()
            if self._stopped:
                raise Stopped
            if not self._blocks:
                return b""
            block = self._blocks.popleft()
            self._waiting -= len(block)
            self._changed.notify_all()
            return block

    def stop(self) -> None:
        """Both ends get Stopped from now on; what was on its way is dropped."""
        with self._changed:
            self._stopped = True
            self._blocks.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[bytes]:
        while block := self.get():
            yield block


class BlockReader:
    """A channel read like a file, for libraries that pull: at most ``n`` bytes, ``b""`` at the end."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._rest = io.BytesIO()

    def read(self, n: int = -1, /) -> bytes:
        data = self._rest.read(n)
        if data or n == 0:
            return data
        block = self._channel.get()
        if n < 0 or len(block) <= n:
            return block
        self._rest = io.BytesIO(block)  # shares the block's memory as long as nobody writes
        return self._rest.read(n)


class Crew:
    """The threads of one stream."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._channels: list[Channel] = []
        self._busy = 0
        self._settled = threading.Event()
        self._failure: BaseException | None = None

    @property
    def failure(self) -> BaseException | None:
        """The first thing that went wrong."""
        return self._failure

    def stage(self, role: str, work: Callable[[Channel], None]) -> Channel:
        """Start ``work`` in a thread; it puts blocks into the channel given, which ends when it returns."""
        channel = Channel()
        with self._lock:
            self._channels.append(channel)
            if self._failure is not None:
                channel.stop()

        def produce() -> None:
            work(channel)
            channel.end()

        self.start(role, produce)
        return channel

    def start(self, role: str, work: Callable[[], None]) -> None:
        """Start ``work`` in a thread."""
        thread = threading.Thread(target=self._run, args=(work,), name=f"{self._name}-{role}", daemon=True)
        with self._lock:
            self._busy += 1
            self._threads.append(thread)
            if self._failure is None:
                self._settled.clear()
        thread.start()

    def fail(self, error: BaseException) -> None:
        """Stop everybody. Only the first error counts."""
        with self._lock:
            if self._failure is None:
                self._failure = error
            channels = list(self._channels)
            self._settled.set()
        for channel in channels:
            channel.stop()

    def settled(self, timeout: float) -> bool:
        """Whether, within ``timeout`` seconds, everybody finished or somebody failed."""
        return self._settled.wait(timeout)

    def join(self, grace: float) -> bool:
        """Whether every thread ended within ``grace`` seconds; one that did not is left behind as a daemon."""
        deadline = time.monotonic() + grace
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - every error belongs to the stream's caller, none to the thread
            self.fail(error)
        finally:
            with self._lock:
                self._busy -= 1
                if self._busy == 0:
                    self._settled.set()
