"""What the laws measure with must itself be right."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.testing.outside import ReachedOutside, nothing_outside
from dbops.testing.shape import HARMLESS, HOSTILE, Quoting, shape, words_in

MYSQL = Quoting(("`", "`"), backslash=True)
MSSQL = Quoting(("[", "]"))


@pytest.mark.parametrize(
    ("sql", "form", "words"),
    [
        ('DROP ROLE "a"', 'DROP ROLE "', ["a"]),
        ('DROP ROLE "a""b; --"', 'DROP ROLE "', ['a"b; --']),
        ("SELECT  'it''s',\n E'a\\'b\\\\'", "SELECT ', '", ["it's", "a'b\\"]),
        ("SELECT 'a\\', 1", "SELECT ', 1", ["a\\"]),
        ("SELECT $$ 'x $$, $t$ \" $t$ -- end", "SELECT ', '", []),
        ("/* ' */ SELECT 1 -- \"", "SELECT 1", []),
        ("DROP ROLE a; DROP TABLE x", "DROP ROLE a; DROP TABLE x", []),
    ],
)
def test_what_is_left_of_standard_sql(sql: str, form: str, words: list[str]) -> None:
    assert shape(sql) == form
    assert words_in(sql) == words


def test_other_engines_quote_otherwise() -> None:
    assert shape("DROP USER `a``b`@'c\\'d'", MYSQL) == "DROP USER \"@'"
    assert words_in("DROP USER `a``b`", MYSQL) == ["a`b"]
    assert shape("DROP USER [a]]b]; SELECT 1", MSSQL) == 'DROP USER "; SELECT 1'
    assert words_in("DROP USER [a]]b]", MSSQL) == ["a]b"]


@given(st.text())
def test_a_name_that_is_quoted_never_changes_the_shape(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    assert shape(f"DROP ROLE {quoted}; SELECT 1") == 'DROP ROLE "; SELECT 1'
    assert words_in(f"DROP ROLE {quoted}; SELECT 1") == [name]


@pytest.mark.parametrize("name", ['we"ird', '"; drop table x; --', "semi; colon", "-- comment"])
def test_a_name_that_is_not_quoted_shows(name: str) -> None:
    assert name in HOSTILE
    assert shape(f"DROP ROLE {name}") != shape(f"DROP ROLE {HARMLESS}")
    assert shape(f"DROP ROLE {name}") != shape(f'DROP ROLE "{HARMLESS}"')


def test_nothing_reaches_outside(tmp_path: Path) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: subprocess.run(["true"], check=False),
        lambda: socket.create_connection(("127.0.0.1", 1)),
        lambda: socket.getaddrinfo("localhost", 1),
        lambda: os.system("true"),
        (tmp_path / "x").mkdir,
    ]
    for attempt in attempts:
        with nothing_outside(), pytest.raises(ReachedOutside, match="reached outside"):
            attempt()
    (tmp_path / "x").mkdir()
