"""Passwords of servers of our own; the files are real."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dbops.passwords import Passwords
from dbops.secrets import Secrets


def test_each_is_in_a_file_that_only_we_can_read(tmp_path: Path) -> None:
    kept = Passwords(tmp_path)
    made = [kept.new("alice"), kept.new("Alice"), kept.new("../o'brien")]
    assert len(set(made)) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["password-1-alice", "password-2-Alice", "password-3"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert [kept.of(name) for name in ("alice", "Alice", "../o'brien")] == made


def test_dbops_reads_the_same(tmp_path: Path) -> None:
    kept = Passwords(tmp_path)
    kept.keep("bob", "old")
    before = kept.reference("bob")
    kept.keep("bob", " new ")
    assert kept.reference("bob") == before
    assert Secrets({}).resolve(before) == kept.of("bob") == " new "


def test_nobody_else_has_one(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Passwords(tmp_path).of("alice")
