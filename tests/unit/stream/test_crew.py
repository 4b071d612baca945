"""Threads, channels, and the law that the first failure is the stream's failure."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from dbops.stream.crew import BlockReader, Channel, Crew, Stopped


def wait_for(gate: threading.Event) -> None:
    gate.wait(120)


def test_a_full_channel_makes_the_producer_wait() -> None:
    channel = Channel(depth=10)
    put: list[int] = []

    def produce() -> None:
        for number in range(5):
            channel.put(b"12345678")
            put.append(number)

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    end = time.monotonic() + 60
    while len(put) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(put) == 2, "8 bytes leave room for one more block, 16 do not"
    for _ in range(5):
        assert channel.get() == b"12345678"
    thread.join(60)
    assert len(put) == 5


def test_the_end_stays_the_end() -> None:
    channel = Channel()
    channel.put(b"a")
    channel.end()
    assert [channel.get(), channel.get(), channel.get()] == [b"a", b"", b""]


@pytest.mark.parametrize("side", ["put", "get"])
def test_stopping_wakes_whoever_waits(side: str) -> None:
    channel = Channel(depth=1)
    woken = threading.Event()

    def wait() -> None:
        try:
            while True:
                channel.get() if side == "get" else channel.put(b"x")
        except Stopped:
            woken.set()

    threading.Thread(target=wait, daemon=True).start()
    time.sleep(0.02)
    channel.stop()
    assert woken.wait(60)


def test_a_channel_reads_like_a_file() -> None:
    channel = Channel()
    for block in (b"abc", b"defgh"):
        channel.put(block)
    channel.end()
    reader = BlockReader(channel)
    assert [reader.read(2), reader.read(2), reader.read(0), reader.read(4), reader.read(-1), reader.read(1)] == [
        b"ab",
        b"c",
        b"",
        b"defg",
        b"h",
        b"",
    ]


def test_the_first_failure_is_the_one_that_counts() -> None:
    crew = Crew("test")
    first = ValueError("first")

    def fail_first(out: Channel) -> None:
        raise first

    def echo(source: Channel) -> None:
        try:
            source.get()
        except Stopped:
            raise RuntimeError("an echo") from None

    channel = crew.stage("one", fail_first)
    crew.start("two", lambda: echo(channel))
    assert crew.settled(60)
    assert crew.join(60)
    assert crew.failure is first


def test_a_stage_that_ends_early_does_not_settle_the_crew() -> None:
    crew = Crew("test")
    gate = threading.Event()
    crew.start("quick", lambda: None)
    assert crew.join(60)
    crew.start("slow", partial(wait_for, gate))
    assert not crew.settled(0.02)
    gate.set()
    assert crew.settled(60)
    assert crew.failure is None


def test_a_crew_that_failed_stops_stages_that_come_later() -> None:
    crew = Crew("test")
    crew.fail(ValueError("over"))
    channel = crew.stage("late", lambda out: out.put(b"x"))
    with pytest.raises(Stopped):
        channel.get()


def test_threads_never_keep_the_process_alive() -> None:
    crew = Crew("daemon-test")
    gate = threading.Event()
    crew.start("stuck", partial(wait_for, gate))
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("daemon-test")]
    assert ours
    assert all(thread.daemon for thread in ours)
    assert not crew.join(0.01), "a stuck thread is left behind, not waited for"
    gate.set()
