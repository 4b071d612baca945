"""The machine where dbops runs: programs and their versions, room."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops import process
from dbops.errors import ToolFailed
from dbops.host import LocalHost, parse_version
from dbops.model.finding import Missing
from dbops.model.server import Tool
from dbops.process import Completed


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", (15, 18)),
        ("pg_dump (PostgreSQL) 17beta1", (17,)),
        ("pg_restore (PostgreSQL) 19devel", (19,)),
        ("mariadb-dump from 10.11.14-MariaDB, client 10.19", (10, 11, 14)),
        ("pgBackRest 2.45", (2, 45)),
        ("no number at all", ()),
        ("", ()),
    ],
)
def test_versions_as_programs_print_them(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4))
def test_a_version_reads_back(parts: list[int]) -> None:
    assert parse_version(f"tool {'.'.join(map(str, parts))}") == tuple(parts)


class Programs:
    """Executable files that are never run: what each would print for ``--version`` is kept here."""

    def __init__(self) -> None:
        self.prints: dict[str, str | ToolFailed] = {}
        self.asked: list[str] = []

    def install(self, directory: Path, prints: str | ToolFailed) -> str:
        directory.mkdir()
        path = directory / "pg_dump"
        path.touch(0o755)
        self.prints[str(path)] = prints
        return str(path)

    def run(self, argv: list[str], *, timeout: float) -> Completed:
        assert argv[1:] == ["--version"]
        self.asked.append(argv[0])
        printed = self.prints[argv[0]]
        if isinstance(printed, ToolFailed):
            raise printed
        return Completed(argv=tuple(argv), returncode=0, stdout=printed, stderr="")


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Programs:
    found = Programs()
    monkeypatch.setattr(process, "run", found.run)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return found


def test_the_newest_program_is_taken(programs: Programs, tmp_path: Path) -> None:
    programs.install(tmp_path / "a", "pg_dump 15.3")
    newest = programs.install(tmp_path / "b", "pg_dump 18.1")
    programs.install(tmp_path / "path", "pg_dump 17.2")
    found = LocalHost().tool("pg_dump", [str(tmp_path / "a"), str(tmp_path / "b")], (15,))
    assert found == Tool(name="pg_dump", path=newest, version=(18, 1), banner="pg_dump 18.1")
    assert len(programs.asked) == 3


def test_of_two_alike_the_one_in_front_is_taken(programs: Programs, tmp_path: Path) -> None:
    first = programs.install(tmp_path / "a", "pg_dump 15.3")
    programs.install(tmp_path / "b", "pg_dump 15.3")
    found = LocalHost().tool("pg_dump", [str(tmp_path / "a"), str(tmp_path / "b")])
    assert isinstance(found, Tool)
    assert found.path == first


def test_a_program_is_asked_once(programs: Programs, tmp_path: Path) -> None:
    path = programs.install(tmp_path / "a", "15.3")
    host = LocalHost()
    for _ in range(3):
        host.tool("pg_dump", [str(tmp_path / "a")])
    assert programs.asked == [path]


@pytest.mark.usefixtures("programs")
def test_a_missing_program_names_where_it_was_looked_for() -> None:
    here, there = "pg_dump is neither on PATH nor in any known place", "pg_dump is neither on PATH nor in /nowhere"
    assert LocalHost().tool("pg_dump") == Missing("tool_missing", here)
    assert LocalHost().tool("pg_dump", ["/nowhere"]) == Missing("tool_missing", there)


def test_an_old_program_is_named_with_both_versions(programs: Programs, tmp_path: Path) -> None:
    path = programs.install(tmp_path / "a", "pg_dump 13.9")
    assert LocalHost().tool("pg_dump", [str(tmp_path / "a")], (15,)) == Missing(
        "tool_too_old", f"{path} is version 13.9; 15 or newer is needed"
    )


@pytest.mark.parametrize("printed", ["I will not say", "", ToolFailed("it was killed")])
def test_a_program_that_does_not_tell_its_version(
    programs: Programs, tmp_path: Path, printed: str | ToolFailed
) -> None:
    path = programs.install(tmp_path / "a", printed)
    assert LocalHost().tool("pg_dump", [str(tmp_path / "a")], (15,)) == Missing(
        "tool_too_old", f"{path} does not tell its version; 15 or newer is needed"
    )
    banner = "" if isinstance(printed, ToolFailed) else printed
    assert LocalHost().tool("pg_dump", [str(tmp_path / "a")]) == Tool(
        name="pg_dump", path=path, version=(), banner=banner
    )


def test_room_below_a_path_that_is_not_there_yet(tmp_path: Path) -> None:
    free = LocalHost().free_bytes(tmp_path / "not" / "yet")
    assert isinstance(free, int)
    assert abs(free - shutil.disk_usage(tmp_path).free) < 1 << 30


def test_room_that_cannot_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    assert LocalHost().free_bytes(tmp_path) == Missing("not_reachable", f"{tmp_path}: Permission denied")


def test_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert LocalHost().cpus == 1
