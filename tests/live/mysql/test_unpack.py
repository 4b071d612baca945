"""Servers unpacked beside the system, as a contributor meets them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dbops.testing.servers import Installation

UNPACK = Path(__file__).parents[3] / ".ci" / "unpack"

pytestmark = pytest.mark.skipif(not UNPACK.exists(), reason="the tests of a wheel have no checkout")


def unpack(*names: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **variables}
    return subprocess.run([str(UNPACK), *names], env=env, capture_output=True, text=True, check=False, timeout=60)


def test_what_is_there_is_only_named(tmp_path: Path) -> None:
    for name in ("mysql-1", "mariadb-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "whole").touch()
    done = unpack(DBOPS_SERVERS_CACHE=str(tmp_path))
    assert done.stdout.split() == [f"{tmp_path}/mysql-1/bin", f"{tmp_path}/mariadb-1/bin"]
    assert (done.returncode, done.stderr) == (0, "")


def test_a_name_that_it_does_not_know() -> None:
    done = unpack("oracle")
    assert (done.returncode, done.stderr) == (1, "unpack: there is mysql and mariadb, not oracle\n")


def test_a_machine_that_is_no_debian(tmp_path: Path) -> None:
    for name in ("bash", "id", "env"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = unpack(PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(
        "unpack: needs apt and dpkg; elsewhere, name directories with servers in DBOPS_SERVERS"
    )


def test_a_machine_without_a_mirror_of_debian_keeps_no_half_of_it(tmp_path: Path) -> None:
    silent = tmp_path / "bin" / "apt-get"
    silent.parent.mkdir()
    silent.write_text("#!/bin/sh\necho http://ppa.example/ubuntu main\n")
    silent.chmod(0o755)
    cache = tmp_path / "cache"
    done = unpack("mysql", DBOPS_SERVERS_CACHE=str(cache), PATH=f"{silent.parent}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert done.stderr.startswith("unpack: the sources of apt name no mirror of Debian")
    assert list(cache.iterdir()) == []


@pytest.mark.mysql(newest=True)
def test_options_that_must_be_first_stay_first_and_the_callers_win(mysql_installation: Installation) -> None:
    if mysql_installation.origin != "DBOPS_SERVERS":
        pytest.skip("installed by the system")
    name = "mysqldump" if (mysql_installation.bindir / "mysqldump").exists() else "mariadb-dump"
    tool = mysql_installation.bindir / name
    argv = [str(tool), "--no-defaults", "--plugin-dir=/given", "--help"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout
    assert ["plugin-dir", "/given"] in [line.split() for line in said.splitlines()]
    own = subprocess.run([str(tool), "--no-defaults", "--help"], capture_output=True, text=True, check=True, timeout=30)
    [charsets] = [line.split()[1] for line in own.stdout.splitlines() if line.startswith("character-sets-dir ")]
    assert Path(charsets).is_relative_to(mysql_installation.bindir.parent)
    assert (Path(charsets) / "Index.xml").exists()
