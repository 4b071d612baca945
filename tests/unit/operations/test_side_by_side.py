"""Work in daemon threads: order, errors, deadlines."""

from __future__ import annotations

import threading
import time

import pytest

from dbops.operations.side_by_side import Later, side_by_side


def test_results_are_in_the_order_of_the_items() -> None:
    def work(item: int) -> int:
        time.sleep(0.02 * (3 - item))
        return item * 10

    assert side_by_side(work, [0, 1, 2], 3) == [0, 10, 20]
    assert side_by_side(work, [], 3) == []


def test_no_more_than_so_many_at_a_time() -> None:
    lock, running, most = threading.Lock(), 0, 0

    def work(_item: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    side_by_side(work, list(range(8)), 2)
    assert most == 2


def test_an_error_is_raised_after_the_others_have_ended() -> None:
    done: list[int] = []

    def work(item: int) -> None:
        if item == 0:
            raise KeyError(item)
        time.sleep(0.02)
        done.append(item)

    with pytest.raises(KeyError):
        side_by_side(work, [0, 1, 2], 3)
    assert sorted(done) == [1, 2]


def test_a_result_that_is_late_is_not_waited_for() -> None:
    go = threading.Event()
    later = Later(go.wait)
    with pytest.raises(TimeoutError):
        later.result(0.01)
    go.set()
    assert later.result(60) is True


def test_a_result_may_be_none_and_an_error_is_raised() -> None:
    assert Later(lambda: None).result(60) is None
    with pytest.raises(ZeroDivisionError):
        Later(lambda: 1 / 0).result(60)
