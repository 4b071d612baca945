"""The state directory, and what lies where."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import Locked
from dbops.state import State, check_journal, default_directory
from dbops.state.journal import entries

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)


def state(directory: Path) -> State:
    return State(directory, clock=lambda: NOW)


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_directory({"DBOPS_STATE": "/srv/state", "HOME": "/home/a"}) == Path("/srv/state")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_directory({"HOME": "/root"}) == Path("/var/lib/dbops/state")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert default_directory({"HOME": "/home/a"}) == Path("/home/a/.local/state/dbops")
    assert default_directory({"HOME": "/home/a", "XDG_STATE_HOME": "/x"}) == Path("/x/dbops")
    monkeypatch.setenv("DBOPS_STATE", "/from/the/process")
    assert default_directory() == Path("/from/the/process")


def test_each_target_has_a_journal_and_each_run_a_name(tmp_path: Path) -> None:
    here = state(tmp_path)
    here.journal("shop").append("run", {})
    here.journal("shop").append("run", {})
    here.journal("other", run="mine").append("run", {})
    assert check_journal(here.journal_path("shop")) == 2
    assert len({entry.run for entry in entries(here.journal_path("shop"))}) == 2
    assert next(entries(here.journal_path("other"))).run == "mine"


@given(st.text(), st.text())
def test_names_never_leave_the_directory_and_never_meet(one: str, two: str) -> None:
    here = state(Path("/state"))
    for name in (one, two):
        path = here.journal_path(name)
        assert path.parent == Path("/state/journal")
        assert path.name not in ("", ".", "..")
    assert (here.journal_path(one) == here.journal_path(two)) == (one == two)


def test_a_lock_by_name(tmp_path: Path) -> None:
    here = state(tmp_path)
    with here.lock("shop/../x", "backup"), here.lock("shop", "backup"):
        assert sorted(path.name for path in (tmp_path / "locks").iterdir()) == ["shop%2f..%2fx.lock", "shop.lock"]
        with pytest.raises(Locked), here.lock("shop", "again"):
            pass


def test_history_lies_beside(tmp_path: Path) -> None:
    assert state(tmp_path / "new").history.runs() == ()
    assert (tmp_path / "new" / "history.sqlite").exists()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
