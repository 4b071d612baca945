"""Names and texts in statements, whatever is in them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from dbops_mysql.quoting import account, identifier, literal, pattern, split_account

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(texts)
def test_an_identifier_ends_where_it_should(name: str) -> None:
    quoted = identifier(name)
    assert re.fullmatch(r"`(?:[^`]|``)*`", quoted, re.DOTALL)
    assert quoted[1:-1].replace("``", "`") == name


@given(texts)
def test_a_text_means_the_same_with_and_without_backslash_escapes(text: str) -> None:
    quoted = literal(text)
    assert "\\" not in quoted
    if quoted.startswith("_utf8mb4 0x"):
        assert bytes.fromhex(quoted.removeprefix("_utf8mb4 0x")).decode() == text
    else:
        assert quoted[1:-1].replace("''", "'") == text


@given(texts)
def test_a_database_is_no_pattern(name: str) -> None:
    inside = pattern(name, literal_wildcards=False)[1:-1].replace("``", "`")
    assert re.sub(r"\\(.)", r"\1", inside, flags=re.DOTALL) == name
    assert not re.search(r"(?<!\\)(?:\\\\)*[%_]", inside)
    assert pattern(name, literal_wildcards=True) == identifier(name)


@given(texts, texts)
def test_an_account_is_read_as_it_is_written(user: str, host: str) -> None:
    def quoted(part: str) -> str:
        return "'" + part.replace("\\", "\\\\").replace("'", "''") + "'"

    assert split_account(f"{quoted(user)}@{quoted(host)}") == (user, host)
    assert account(user, host) == f"{identifier(user)}@{identifier(host)}"


def test_a_role_of_mariadb_is_no_account() -> None:
    for name in ("app_read", "alice@10.%", "'alice'", "'a'@'b' "):
        assert split_account(name) is None
