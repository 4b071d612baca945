"""Names and texts in T-SQL, read back as the server reads them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops_mssql.quoting import identifier, literal, named, valid_name

TEXTS = st.text(st.characters(exclude_characters="\0"))


def constant(sql: str) -> str:
    """What a constant says: quotes doubled, and a backslash before a line's end swallowed with it."""
    found = re.fullmatch(r"N'((?:[^']|'')*)'", sql)
    assert found, sql
    return re.sub(r"\\\r?\n", "", found[1].replace("''", "'"))


@given(TEXTS)
def test_name_in_brackets_is_read_back(name: str) -> None:
    sql = identifier(name)
    assert (sql[0], sql[-1]) == ("[", "]")
    assert "]" not in sql[1:-1].replace("]]", "")
    assert sql[1:-1].replace("]]", "]") == name


@given(st.lists(st.sampled_from(["'", "\\", "\n", "\r\n", "a", " + N'", "…"])).map("".join))
def test_text_is_read_back(text: str) -> None:
    sql = literal(text)
    parts = re.findall(r"N'(?:[^']|'')*'", sql)
    assert sql == (parts[0] if len(parts) == 1 else f"({' + '.join(parts)})")
    assert "".join(map(constant, parts)) == text


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        (("shop", "dbo", "orders"), "table:shop.dbo.orders"),
        (("my shop", "dbo", "a.b]"), "table:[my shop].dbo.[a.b]]]"),
        (("1st", "größe", "#tmp"), "table:[1st].größe.[#tmp]"),
    ],
)
def test_object_is_named_as_people_write_it(parts: tuple[str, ...], written: str) -> None:
    assert named("table", *parts) == written


@pytest.mark.parametrize(
    ("name", "valid"),
    [("", False), ("a" * 128, True), ("a" * 129, False), ("𝄞" * 64, True), ("𝄞" * 65, False), ("a\0", False)],
)
def test_name_has_at_most_128_letters_of_utf_16(name: str, valid: bool) -> None:
    assert valid_name(name) is valid
