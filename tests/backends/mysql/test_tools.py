"""Client programs: whose they are is what they say, and an older one than the server is not used."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import ToolFailed
from dbops.model.finding import Missing
from dbops.model.server import Tool
from dbops.spi import Host
from dbops_mysql import tools
from dbops_mysql.installation import Family
from dbops_mysql.tools import choose, family_of, find, required, version_of

MYSQL = "mysqldump  Ver 9.7.4-2 for Linux on x86_64 ((Debian))"
OLD_MYSQL = "mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)"
MARIADB = "mysqldump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)"
NEW_MARIADB = "/usr/bin/mariadb-dump from 11.8.9-MariaDB, client 10.20 for debian-linux-gnu (x86_64)"
COPY = "mariadb-backup based on MariaDB server 10.11.19-MariaDB debian-linux-gnu (x86_64)"
XTRABACKUP = "xtrabackup version 8.4.0-4 based on MySQL server 8.4.0 Linux (x86_64) (revision id: 3b5d1f3d)"


@pytest.mark.parametrize(
    ("banner", "family", "version"),
    [
        (MYSQL, "mysql", (9, 7, 4)),
        (OLD_MYSQL, "mysql", (5, 7, 44)),
        (MARIADB, "mariadb", (10, 11, 19)),
        (NEW_MARIADB, "mariadb", (11, 8, 9)),
        (COPY, "mariadb", (10, 11, 19)),
        (XTRABACKUP, "mysql", (8, 4, 0)),
        ("mysqldump: command not found", "mysql", ()),
    ],
)
def test_what_a_program_says_of_itself(banner: str, family: str, version: tuple[int, ...]) -> None:
    assert family_of(Tool(name="x", path="/x", version=(), banner=banner)) == family
    assert version_of(banner) == version


class Machine:
    """Has these programs: ``{path or name: banner}``."""

    cpus = 1

    def __init__(self, **there: str) -> None:
        self.there = there

    def tool(self, name: str) -> Tool | Missing:
        if Path(name).name not in self.there or (name != Path(name).name and "/usr/bin" not in name):
            return Missing("tool_missing", f"no {name}")
        return Tool(name=name, path=f"/usr/bin/{Path(name).name}", version=(), banner=self.there[Path(name).name])


def look(machine: Machine, family: Family, *server: int) -> Tool | Missing:
    return find(cast(Host, machine), family, "dump", server)


def test_a_program_of_the_other_family_is_not_used_whatever_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "FOLDERS", ("/usr/bin",))
    tools.places.cache_clear()
    debian = Machine(**{"mysqldump": MARIADB, "mariadb-dump": MARIADB})
    found = look(debian, "mariadb", 10, 11, 4)
    assert isinstance(found, Tool)
    assert (found.name, found.version) == ("mariadb-dump", (10, 11, 19))
    assert look(debian, "mysql", 8, 0, 30) == Missing(
        "tool_missing", "mysqldump of MySQL 8.0 or newer was not found on this machine"
    )
    assert isinstance(look(Machine(mysqldump=MARIADB), "mariadb", 10, 11, 4), Tool)
    assert look(Machine(mysqldump=OLD_MYSQL), "mysql", 8, 0, 30) == Missing(
        "tool_too_old", "/usr/bin/mysqldump is of 5.7.44, the server is MySQL 8.0.30: MySQL 8.0 or newer is needed"
    )
    tools.places.cache_clear()


SERIES = st.tuples(st.integers(8, 9), st.integers(0, 7), st.integers(0, 40))


@given(st.lists(SERIES), SERIES, st.booleans())
def test_a_chosen_program_is_never_of_an_older_series(
    versions: list[tuple[int, int, int]], server: tuple[int, int, int], same: bool
) -> None:
    every = [Tool(name="mysqldump", path=f"/{at}", version=version) for at, version in enumerate(versions)]
    chosen = choose("mysql", "dump", every, server, same_series=same)
    own = [one for one in versions if one[:2] == server[:2]]
    newer = [one for one in versions if one[:2] > server[:2]]
    if own:
        assert isinstance(chosen, Tool)
        assert chosen.version == max(own)
    elif newer and not same:
        assert isinstance(chosen, Tool)
        assert chosen.version == min(newer)
    else:
        assert isinstance(chosen, Missing)
        assert "9.7" not in chosen.detail or server[:2] == (9, 7) or (9, 7) in [one[:2] for one in versions]


def test_a_missing_program_is_refused_with_what_to_install() -> None:
    with pytest.raises(ToolFailed, match="mariadb-dump was not looked for") as failed:
        required("mariadb", "dump", None)
    assert "mariadb-client" in failed.value.hint
    assert failed.value.reason == "tool_missing"
    with pytest.raises(ToolFailed, match="too old") as failed:
        required("mysql", "dump", Missing("tool_too_old", "it is too old"))
    assert failed.value.reason == "tool_too_old"


def test_named_directories_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBOPS_SERVERS", "/opt/x/sbin:/opt/y/bin")
    tools.places.cache_clear()
    assert tools.places("/given/sbin")[:5] == ("/given/sbin", "/opt/x/sbin", "/opt/y/bin", "/given/bin", "/opt/x/bin")
    tools.places.cache_clear()
