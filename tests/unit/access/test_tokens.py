"""Statements word by word, in the writing of an engine that is nobody's."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.access.tokens import Item, Lexicon, Tokens, statements, supposed, words
from dbops.errors import UsageError

LEXICON = Lexicon(
    word=re.compile(r"\s+|--[^\n]*|<[^>]*>|\w+|::|[().,;]"),
    between=re.compile(r"\s|--"),
    quotes="<",
    signs=frozenset((*"().,;", "::")),
    read=lambda word: word[1:-1] if word.startswith("<") else word.lower(),
    forms="GRANT or REVOKE",
)


def read(sql: str) -> Tokens:
    [found] = statements(sql, LEXICON)
    return found


def test_blanks_and_comments_stand_between_words() -> None:
    assert list(words("a --b\n <--c>::d", LEXICON)) == ["a", "<--c>", "::", "d"]


def test_a_letter_that_belongs_to_no_word_is_shown_with_what_follows() -> None:
    with pytest.raises(UsageError) as caught:
        list(words("GRANT $ELECT", LEXICON))
    assert caught.value.message == "this part of the SQL is not understood: '$ELECT'"
    assert caught.value.hint == "GRANT or REVOKE"


def test_a_semicolon_ends_a_statement_and_not_a_name() -> None:
    found = [one.refused().message for one in statements(";; a <b;c>; ; d", LEXICON)]
    assert found == ["not understood: a <b;c>", "not understood: d"]


def test_nothing_is_not_supposed() -> None:
    assert len(supposed("a; b", LEXICON)) == 2
    with pytest.raises(UsageError) as caught:
        supposed(" ;-- nothing", LEXICON)
    assert (caught.value.message, caught.value.hint) == ("there is no statement to suppose", "GRANT or REVOKE")


def test_words_are_read_one_after_the_other() -> None:
    found = read("to <To> Name x")
    assert found.peek() == "TO"
    assert not found.accept("TO", "TO")
    assert found.accept("TO")
    assert found.peek() == "<To>"
    assert (found.name(), found.name(), found.next()) == ("To", "name", "x")
    assert found.peek() == ""
    found.end()


def test_what_is_granted_has_columns_in_brackets() -> None:
    found = read("select (a, <B>), reader of all, update on t")
    assert found.items() == [
        Item(("select",), ("a", "B")),
        Item(("reader", "of", "all"), ()),
        Item(("update",), ()),
    ]
    assert found.accept("ON")
    assert Item(("all", "privileges"), ()).text == "ALL PRIVILEGES"


@pytest.mark.parametrize(
    "sql", ["a", "a, ", "a (b", "a (b c) ON", "a ()", "a (::) ON", ", ON", "ON", "a (b) ON x more"]
)
def test_what_is_not_read_whole_is_shown_whole(sql: str) -> None:
    found = read(sql)
    with pytest.raises(UsageError) as caught:
        _read_whole(found)
    assert caught.value.message == f"not understood: {' '.join(words(sql, LEXICON))}"
    assert caught.value.hint == "GRANT or REVOKE"


def _read_whole(found: Tokens) -> None:
    found.items()
    assert found.accept("ON")
    found.name()
    found.end()


@given(st.lists(st.from_regex(r"[a-z]{1,5}|<[a-z;, ]*>", fullmatch=True), min_size=1))
def test_names_are_read_as_they_were_listed(names: list[str]) -> None:
    found = read(",".join(names))
    assert found.listed(found.name) == [LEXICON.read(name) for name in names]
    found.end()
