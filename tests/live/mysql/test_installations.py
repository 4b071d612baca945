"""Finding MySQL and MariaDB programs, and making data directories with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dbops import process
from dbops.errors import ToolFailed
from dbops.own_server import temporary_directory
from dbops.testing.mysql import Series
from dbops.testing.servers import Installation as AnyInstallation
from dbops_mysql import server
from dbops_mysql.installation import Installation, installations, reachable, server_user

AS_ROOT = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root runs servers as somebody else")
MYSQL = "/opt/x/bin/mysqld  Ver 8.4.7-7 for Linux on x86_64 (Percona Server (GPL), Release 7)"
MARIADB = "mariadbd  Ver 10.6.22-MariaDB-0ubuntu0.22.04.1 for debian-linux-gnu on x86_64 (Ubuntu 22.04)"


def program(place: Path, words: str, *, code: int = 0) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\necho '{words}'\nexit {code}\n")
    place.chmod(0o755)
    return place


def test_newest_first_and_each_once() -> None:
    for family in ("mysql", "mariadb"):
        found = installations(family=family)
        assert {one.family for one in found} <= {family}
        assert [one.version for one in found] == sorted((one.version for one in found), reverse=True)
        assert len({one.server.resolve() for one in found}) == len(found)


@pytest.mark.parametrize(
    ("words", "family", "version", "label"),
    [
        (MYSQL, "mysql", (8, 4, 7), "MySQL 8.4.7 (given)"),
        (MARIADB, "mariadb", (10, 6, 22), "MariaDB 10.6.22 (given)"),
    ],
)
def test_a_server_is_what_it_says_it_is_whatever_its_name(
    tmp_path: Path, words: str, family: str, version: tuple[int, ...], label: str
) -> None:
    program(tmp_path / "mysqld", words)
    first = installations([tmp_path])[0]
    assert (first.family, first.version, first.label, first.server) == (family, version, label, tmp_path / "mysqld")
    assert (first.major, first.series) == (version[0], version[:2])


def test_client_tools_may_lie_beside_the_servers_directory(tmp_path: Path) -> None:
    program(tmp_path / "sbin" / "mariadbd", MARIADB)
    program(tmp_path / "sbin" / "mysqld", MARIADB)
    dump = program(tmp_path / "bin" / "mariadb-dump", "")
    [first, *others] = installations([tmp_path / "sbin"])
    assert first.server.name == "mariadbd"
    assert not [one for one in others if one.origin == "given"]
    assert (first.bindir, first.tool("mariadb-dump")) == (dump.parent, dump)
    assert first.tool("mariadbd") == first.server
    assert first.tool("mariadb-backup") == tmp_path / "bin" / "mariadb-backup"


@pytest.mark.parametrize("words", ["mysqld  Ver 5.7.44 for Linux", "mariadbd  Ver 10.5.1-MariaDB", "usage", ""])
def test_what_is_too_old_or_no_server_is_left_out(tmp_path: Path, words: str) -> None:
    program(tmp_path / "mysqld", words)
    assert not [one for one in installations([tmp_path]) if one.origin == "given"]


def test_directories_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "one" / "mysqld", MYSQL)
    program(tmp_path / "two" / "mysqld", MARIADB)
    (tmp_path / "three").mkdir()
    places = [tmp_path / name for name in ("one", "two", "three", "absent")]
    monkeypatch.setenv("DBOPS_SERVERS", os.pathsep.join(["", *map(str, places)]))
    named = [one for one in installations() if one.origin == "DBOPS_SERVERS"]
    assert {one.server.parent.name for one in named} == {"one", "two"}


def test_the_one_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "mysqld", MYSQL)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert [one.origin for one in installations(family="mysql") if one.bindir == tmp_path] == ["PATH"]


@AS_ROOT
def test_a_server_out_of_reach_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    one = Installation(
        family="mysql",
        version=(9, 7),
        server=program(tmp_path / "mysqld", MYSQL),
        bindir=tmp_path,
        origin="given",
    )
    assert reachable(one, None) is one
    with pytest.raises(
        ToolFailed, match=r"the user nobody cannot run .*/mysqld, and it refuses to run as root"
    ) as error:
        reachable(one, "nobody")
    assert "chmod o+x" in error.value.hint


def test_a_machine_without_the_users_that_could_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("pwd.getpwall", list)
    with pytest.raises(ToolFailed, match="refuses to run as root, and this machine has no user mysql or nobody"):
        server_user()


@pytest.mark.mysql(newest=True)
def test_files_that_are_there_are_left_alone(tmp_path: Path, mysql_installation: AnyInstallation) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(ToolFailed, match=r"no data directory can be made in .*: it is not empty"):
        server.initialise(own(mysql_installation), tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["precious"]


@pytest.mark.mysql(newest=True)
def test_a_data_directory_that_cannot_be_made_has_the_programs_own_words(
    tmp_path: Path, mysql_installation: AnyInstallation, mysql_series: Series
) -> None:
    program = {"mysql": "mysqld", "mariadb": "mariadb-install-db"}[mysql_series.family]
    with pytest.raises(ToolFailed, match=rf"{program} exited with \d+: (?s:.*)unknown variable 'nosuch=1'"):
        server.initialise(own(mysql_installation), tmp_path / "data", settings={"nosuch": "1"})


@pytest.mark.mysql(newest=True)
def test_temporary_tables_of_other_servers_are_left_alone(
    mysql_installation: AnyInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that starts removes those that lie in its temporary directory, whosesoever they are."""
    from tempfile import TemporaryDirectory

    user = server_user()
    with TemporaryDirectory(prefix="dbops-test-", dir=temporary_directory(user)) as name:
        place = Path(name)
        place.chmod(0o777)
        theirs = [place / f"#sql-temptable-1-2-3.{kind}" for kind in ("MAI", "MAD", "frm")]
        for one in theirs:
            one.touch()
            one.chmod(0o666)
        monkeypatch.setenv("TMPDIR", name)
        server.initialise(own(mysql_installation), place / "data", user=user)
        assert all(one.exists() for one in theirs)


def test_a_socket_has_a_short_path(tmp_path: Path) -> None:
    one = Installation(family="mysql", version=(9, 7), server=tmp_path, bindir=tmp_path, origin="given")
    with pytest.raises(ToolFailed, match=r"at most 107 bytes, and .*/s.sock is longer") as error:
        server.start(one, tmp_path, socket_dir=tmp_path / ("x" * 100), log=tmp_path / "log")
    assert "TMPDIR" in error.value.hint


@pytest.mark.mysql(newest=True)
def test_a_server_without_a_port_on_files_that_are_there(mysql_installation: AnyInstallation) -> None:
    """As a proof runs it: nobody but who can reach the socket."""
    from tempfile import TemporaryDirectory

    from dbops.own_server import hand_over

    user = server_user()
    with TemporaryDirectory(prefix="dbops-test-", dir=temporary_directory(user)) as name:
        place = Path(name)
        hand_over(place, user)
        server.initialise(own(mysql_installation), place / "data", user=user)
        with server.start(
            own(mysql_installation), place / "data", socket_dir=place, log=place / "log", user=user,
            options=["--max-connections=17"],
        ) as running:  # fmt: skip
            running.wait_until_ready()
            assert (running.poll(), running.port) == (None, None)
            said = ask(own(mysql_installation), running, "SELECT @@max_connections, @@skip_networking")
            assert said.split() == ["17", "1"]
            assert Path(f"/proc/{running.pid}/cmdline").read_bytes().count(b"--no-defaults") == 1
        assert running.poll() == 0
        with pytest.raises(ToolFailed, match="is not ready after 0 s"):
            running.wait_until_ready(deadline_s=0)


def ask(one: Installation, running: server.Running, sql: str) -> str:
    client = "mysql" if one.family == "mysql" else "mariadb"
    argv = ["--no-defaults", "--user=root", f"--socket={running.socket}", "--skip-column-names", f"--execute={sql}"]
    return process.run([one.tool(client), *argv], timeout=30).check().stdout


def own(one: AnyInstallation) -> Installation:
    assert isinstance(one, Installation)
    return one
