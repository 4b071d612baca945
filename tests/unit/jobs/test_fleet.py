"""Targets side by side."""

from __future__ import annotations

import os
import signal
import threading
import time
from itertools import permutations

import pytest

from dbops.errors import Unreachable, worst_code
from dbops.jobs.fleet import side_by_side


def test_answers_keep_the_order_of_the_items() -> None:
    def work(n: int) -> int:
        time.sleep(n / 100)
        return n * 10

    answers = side_by_side((3, 1, 2), work, limit=3)
    assert [(one.item, one.result) for one in answers] == [(3, 30), (1, 10), (2, 20)]
    assert all(one.error is None and one.seconds > 0 for one in answers)


def test_nothing_to_do_is_no_answer() -> None:
    assert side_by_side((), str) == ()


def test_one_that_fails_does_not_hide_the_others() -> None:
    def work(n: int) -> int:
        if n == 1:
            raise Unreachable("db1: connection refused")
        return n

    first, second = side_by_side((1, 2), work, limit=1)
    assert second.result == 2
    with pytest.raises(Unreachable, match="db1: connection refused"):
        _ = first.result


def test_one_that_hangs_is_given_up_and_frees_its_place() -> None:
    release = threading.Event()

    def work(n: int) -> int:
        if n == 0:
            release.wait(60)
        return n

    answers = side_by_side((0, 1, 2), work, limit=1, timeout_s=1)
    assert not release.is_set()
    assert [one.error is None for one in answers] == [False, True, True]
    error = answers[0].error
    assert isinstance(error, Unreachable)
    assert error.reason == "timeout"
    assert error.message == "no answer within 1.0s"
    assert "--timeout" in error.hint
    release.set()


def test_an_answer_that_comes_too_late_is_dropped() -> None:
    given_up, answered = threading.Event(), threading.Event()

    def work(n: int) -> int:
        if n == 0:
            assert given_up.wait(60)
            answered.set()
            return n
        given_up.set()  # only reached once the first one's place is free
        assert answered.wait(60)
        return n

    late, other = side_by_side((0, 1), work, limit=1, timeout_s=1)
    assert isinstance(late.error, Unreachable)
    assert other.result == 1


def test_no_more_than_the_limit_at_once() -> None:
    now, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1

    side_by_side(tuple(range(9)), work, limit=3)
    assert most == 3


def test_an_interruption_asks_the_others_to_stop_and_waits_for_them() -> None:
    stopped, closed = threading.Event(), threading.Event()

    def work(_: int) -> None:
        assert stopped.wait(60)
        closed.set()

    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        side_by_side((1,), work, stop=stopped.set)
    assert closed.is_set()


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ((), 0),
        ((0, 0), 0),
        ((0, 1, 78), 1),
        ((76, 78, 0), 76),
        ((69, 77, 0), 77),
        ((2, 0), 2),
        ((2, 65), 65),
        ((1, 76, 130), 1),
    ],
)
def test_the_worst_code_wins_whatever_the_order(codes: tuple[int, ...], code: int) -> None:
    assert {worst_code(order) for order in permutations(codes)} == {code}
