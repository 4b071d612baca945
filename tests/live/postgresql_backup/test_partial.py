"""Where a restore goes: nothing is overwritten, nothing half-made is left, and every refusal says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbops.claim import claimed
from dbops.errors import DestinationExists, Locked, OutputError, ToolFailed
from dbops.host import LocalHost
from dbops.model.finding import Missing
from dbops.partial import partial_directory, refuse_full, refuse_taken


class Full(LocalHost):
    """A machine with this much room."""

    def __init__(self, free: int | Missing) -> None:
        super().__init__()
        self._free = free

    def free_bytes(self, path: Path) -> int | Missing:
        return self._free


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    refuse_taken(tmp_path / "new", tmp_path / "other")
    with pytest.raises(DestinationExists, match="link is there already") as caught:
        refuse_taken(tmp_path / "new", tmp_path / "link")
    assert caught.value.hint == "Restore into a directory that is not there yet."


def test_too_little_room_is_said_before_anything_is_copied(tmp_path: Path) -> None:
    refuse_full(tmp_path / "new", 1024, Full(1024))
    refuse_full(tmp_path / "new", 1024, Full(Missing("no_permission")))
    with pytest.raises(OutputError, match="has 1,023 bytes free, and the copy needs 1,024") as caught:
        refuse_full(tmp_path / "new", 1024, Full(1023))
    assert (caught.value.reason, caught.value.hint) == ("no_space", "Restore to another place.")


def test_a_failure_removes_it_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed) as caught, partial_directory(tmp_path / "new"):
        raise ToolFailed("it broke", hint="Mend it.")
    assert caught.value.hint == "Mend it. What had been restored was removed."
    assert not list(tmp_path.iterdir())


def test_only_what_was_moved_out_stays(tmp_path: Path) -> None:
    with partial_directory(tmp_path / "deep" / "new") as root:
        assert root == tmp_path / "deep" / "new.dbops-partial"
        (root / "data").mkdir()
        (root / "rest").write_text("")
        (root / "data").rename(tmp_path / "deep" / "new")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["new"]


def test_another_run_keeps_its_place(tmp_path: Path) -> None:
    (tmp_path / "new.dbops-partial").mkdir()
    with (
        claimed(tmp_path / "new.dbops-partial"),
        pytest.raises(Locked, match="in use by another run"),
        partial_directory(tmp_path / "new"),
    ):
        pass
    assert (tmp_path / "new.dbops-partial").exists()


def test_what_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match=r"new\.dbops-partial cannot be made"),
        partial_directory(tmp_path / "file" / "new"),
    ):
        pass
