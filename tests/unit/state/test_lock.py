"""Single flight on one host."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import pytest

from dbops.errors import Locked, OutputError
from dbops.state import lock


def test_the_second_is_told_who_is_at_work(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "shop.lock"
    with lock(path, "backup of shop"), pytest.raises(Locked) as caught, lock(path, "prune of shop"):
        pytest.fail("two hold the lock")
    said = caught.value.message
    pattern = rf"prune of shop: process {os.getpid()} on \S+ \(backup of shop, since \S+\) is at work"
    assert re.fullmatch(pattern, said)
    assert caught.value.code == 75
    assert "try again" in caught.value.hint


def test_a_lock_is_free_again_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "shop.lock"
    for purpose in ("one", "two"):
        with lock(path, purpose):
            assert purpose in path.read_text()
    assert path.read_text() == ""


def test_a_failure_inside_frees_it(tmp_path: Path) -> None:
    path = tmp_path / "shop.lock"
    with pytest.raises(KeyboardInterrupt), lock(path, "one"):
        raise KeyboardInterrupt
    with lock(path, "two"):
        pass


def test_other_names_are_other_locks(tmp_path: Path) -> None:
    with lock(tmp_path / "a", "one"), lock(tmp_path / "b", "two"):
        pass


def test_threads_exclude_each_other_too(tmp_path: Path) -> None:
    path, refused = tmp_path / "shop.lock", threading.Event()

    def second() -> None:
        with pytest.raises(Locked), lock(path, "two"):
            pass
        refused.set()

    with lock(path, "one"):
        worker = threading.Thread(target=second)
        worker.start()
        worker.join()
    assert refused.is_set()


def test_a_holder_that_has_not_written_its_name_yet(tmp_path: Path) -> None:
    path = tmp_path / "shop.lock"
    with lock(path, "one"):
        path.write_text("")
        with pytest.raises(Locked, match="two: another run is at work"), lock(path, "two"):
            pass


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match=r"the lock .*shop\.lock cannot be made"),
        lock(tmp_path / "file/shop.lock", "x"),
    ):
        pass
