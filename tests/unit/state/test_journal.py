"""The journal: whatever is changed in it afterwards is found."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbops.errors import InputError, OutputError
from dbops.state import FileJournal, check_journal
from dbops.state.journal import entries

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)


def journal(path: Path, run: str = "r1") -> FileJournal:
    return FileJournal(path, "shop", run, lambda: NOW)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journal") / "deeper" / "shop.jsonl"
    for number in range(6):
        journal(path).append("step", {"id": f"s{number}", "summary": "grant", "nested": {"a": [1, None, True]}})
    return path


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Callable[[list[bytes]], Path]:
    """The journal with other lines, as somebody might leave it."""

    def write(lines: list[bytes]) -> Path:
        path = tmp_path / "shop.jsonl"
        path.write_bytes(b"".join(lines))
        shutil.copy(whole.with_suffix(".head"), path.with_suffix(".head"))
        return path

    return write


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_entries_come_back_in_order(whole: Path) -> None:
    found = list(entries(whole))
    assert [entry.seq for entry in found] == [1, 2, 3, 4, 5, 6]
    assert found[0].facts == {"id": "s0", "summary": "grant", "nested": {"a": [1, None, True]}}
    assert {(entry.target, entry.run, entry.kind, entry.at) for entry in found} == {("shop", "r1", "step", NOW)}
    assert check_journal(whole) == 6


def test_the_directory_is_its_owner_s_alone(whole: Path) -> None:
    assert whole.parent.stat().st_mode & 0o777 == 0o700


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_byte_is_found(whole: Path, copy: Callable[[list[bytes]], Path], data: st.DataObject) -> None:
    text = bytearray(whole.read_bytes())
    position = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[position]))
    text[position] = other
    with pytest.raises(InputError):
        check_journal(copy([bytes(text)]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(6)))
def test_any_other_order_is_found(whole: Path, copy: Callable[[list[bytes]], Path], order: list[int]) -> None:
    lines = lines_of(whole)
    path = copy([lines[number] for number in order])
    if order == sorted(order):
        assert check_journal(path) == 6
    else:
        with pytest.raises(InputError, match="the chain is broken at line"):
            check_journal(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(0, 5), min_size=1))
def test_any_line_cut_out_is_found(whole: Path, copy: Callable[[list[bytes]], Path], cut: set[int]) -> None:
    kept = [line for number, line in enumerate(lines_of(whole)) if number not in cut]
    with pytest.raises(InputError, match="the chain is broken"):
        check_journal(copy(kept))


@pytest.mark.parametrize("number", range(6))
def test_any_line_doubled_is_found(whole: Path, copy: Callable[[list[bytes]], Path], number: int) -> None:
    lines = lines_of(whole)
    with pytest.raises(InputError, match=f"the chain is broken at line {number + 2}"):
        check_journal(copy([*lines[: number + 1], *lines[number:]]))


def test_an_added_line_that_follows_is_taken_for_a_crash_before_the_head_was_written(
    whole: Path, copy: Callable[[list[bytes]], Path]
) -> None:
    path = copy(lines_of(whole))
    head = path.with_suffix(".head").read_bytes()
    journal(path).append("end", {})
    path.with_suffix(".head").write_bytes(head)
    assert check_journal(path) == 7


def test_the_message_says_what_is_missing(whole: Path, copy: Callable[[list[bytes]], Path]) -> None:
    path = copy(lines_of(whole)[:4])
    with pytest.raises(InputError) as caught:
        check_journal(path)
    assert caught.value.message == f"{path}: the chain is broken: it ends at line 4, and line 6 was written"


def test_a_changed_last_line_is_named(whole: Path, copy: Callable[[list[bytes]], Path]) -> None:
    lines = lines_of(whole)
    path = copy([*lines[:5], lines[5].replace(b"grant", b"grand")])
    with pytest.raises(InputError, match="the chain is broken at line 6: it was changed"):
        check_journal(path)


@pytest.mark.parametrize("head", [None, b"", b"six abc\n", b"\xff"])
def test_without_its_head_the_end_cannot_be_checked(
    whole: Path, copy: Callable[[list[bytes]], Path], head: bytes | None
) -> None:
    path = copy(lines_of(whole))
    if head is None:
        path.with_suffix(".head").unlink()
    else:
        path.with_suffix(".head").write_bytes(head)
    with pytest.raises(InputError, match=r"its end cannot be checked: .*shop\.head is gone or unreadable"):
        check_journal(path)


def test_a_line_that_is_no_entry_is_named(whole: Path, copy: Callable[[list[bytes]], Path]) -> None:
    path = copy([*lines_of(whole)[:2], b"{}\n"])
    for read in (check_journal, lambda one: list(entries(one))):
        with pytest.raises(InputError, match=r"shop\.jsonl: line 3 is not a journal entry"):
            read(path)


def test_a_journal_that_is_not_there(tmp_path: Path) -> None:
    for read in (check_journal, lambda one: list(entries(one))):
        with pytest.raises(InputError, match=r"none\.jsonl: cannot be read: No such file"):
            read(tmp_path / "none.jsonl")


@pytest.mark.parametrize("torn", [b'{"seq":7,"at"', b'\xff{"seq"'])
def test_half_a_line_stays_as_evidence_and_the_next_entry_stands_on_its_own(
    whole: Path, copy: Callable[[list[bytes]], Path], torn: bytes
) -> None:
    path = copy([*lines_of(whole), torn])
    journal(path, "r2").append("run", {"after": "the crash"})
    assert lines_of(path)[6] == torn + b"\n"
    assert msgspec.json.decode(lines_of(path)[7])["facts"] == {"after": "the crash"}
    with pytest.raises(InputError, match="line 7 is not a journal entry"):
        check_journal(path)


def test_entries_larger_than_the_reading_window(tmp_path: Path) -> None:
    path = tmp_path / "shop.jsonl"
    for size in (10, 5_000, 100_000, 3):
        journal(path).append("result", {"error": "x" * size})
    assert check_journal(path) == 4


def test_threads_keep_the_chain(tmp_path: Path) -> None:
    path = tmp_path / "shop.jsonl"

    def write(run: str) -> None:
        for number in range(20):
            journal(path, run).append("step", {"id": str(number)})

    workers = [threading.Thread(target=write, args=(f"r{number}",)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert check_journal(path) == 80
    for run in ("r0", "r1", "r2", "r3"):
        assert [entry.facts["id"] for entry in entries(path) if entry.run == run] == [str(n) for n in range(20)]


def test_a_full_disk_is_said_and_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "shop.jsonl"
    journal(path).append("run", {})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError) as caught:
        journal(path).append("step", {})
    assert caught.value.message == f"the journal {path} cannot be written: No space left on device"
    assert "DBOPS_STATE" in caught.value.hint
    assert caught.value.code == 73
    monkeypatch.undo()
    journal(path).append("end", {})
    assert check_journal(path) == 2


def test_a_journal_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        journal(tmp_path / "file" / "shop.jsonl").append("run", {})
