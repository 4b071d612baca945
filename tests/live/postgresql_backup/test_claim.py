"""Directories of runs that were killed at any moment: what is left over goes, what is somebody's own stays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dbops import claim
from dbops.errors import Locked


def test_a_run_killed_before_its_mark_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    for left in ((), (".owner",)):
        place = tmp_path / "copy.dbops-partial"
        place.mkdir()
        for name in left:
            (place / name).touch()
        claim.take_over(place)
        assert not place.exists()


def test_what_is_owned_stays_and_is_named(tmp_path: Path) -> None:
    place = tmp_path / "copy.dbops-partial"
    place.mkdir()
    with claim.claimed(place), pytest.raises(Locked, match=r"copy\.dbops-partial is in use by another run"):
        claim.take_over(place)
    assert place.exists()


def test_what_nobody_marked_and_holds_something_is_somebodys_own(tmp_path: Path) -> None:
    place = tmp_path / "copy.dbops-partial"
    place.mkdir()
    (place / "letter").write_text("mine")
    with pytest.raises(Locked, match="in use by another run"):
        claim.take_over(place)
    assert (place / "letter").read_text() == "mine"


def test_the_mark_goes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "copy.dbops-partial"
    (place / "data").mkdir(parents=True)
    (place / "owner").touch()

    def killed(path: Path, **_: object) -> None:
        raise KeyboardInterrupt(path)

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        claim.remove(place)
    assert (place / "owner").exists()
