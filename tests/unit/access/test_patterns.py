"""Patterns in rows of rights, as the servers compare and order them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.access.patterns import plain, row_name, row_text, specificity, wild_match, wildcard

NAMES = st.text(st.sampled_from("ab_%\\ä"), max_size=8)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("ab", ["ab"], ["a", "abb", "AB"]),
        ("a%", ["a", "ab", "a%"], ["ba", "A"]),
        ("a_b", ["a_b", "axb"], ["ab", "axxb"]),
        (r"a\_b", ["a_b"], ["axb", r"a\_b"]),
        (r"a\b", ["ab"], [r"a\b"]),
        ("%", ["", "a"], []),
        ("a\\", ["a\\"], ["a"]),
        ("%b%", ["b", "abc"], ["a"]),
    ],
)
def test_what_fits(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes if not wild_match(pattern, text)] == []
    assert [text for text in no if wild_match(pattern, text)] == []


def test_one_letter_is_one_byte() -> None:
    """Seen on MySQL 9.7 and MariaDB 10.11: ``a_b`` does not reach ``aéb``, ``a__b`` does."""
    assert not wild_match("a_b", "aéb")
    assert wild_match("a__b", "aéb")
    assert wild_match("a%b", "aéb")


def test_names_may_be_folded() -> None:
    assert wild_match("AB", "ab", fold=True)


@given(NAMES)
def test_a_name_and_the_row_that_means_it(name: str) -> None:
    text = row_text(name, wildcards=True)
    assert not wildcard(text)
    assert plain(text) == name
    assert row_name(text, wildcards=True) == name
    assert wild_match(text, name)
    assert row_text(name, wildcards=False) == name == row_name(name, wildcards=False)


@given(NAMES, NAMES)
def test_a_row_of_one_name_means_no_other(text: str, other: str) -> None:
    name = row_name(text, wildcards=True)
    if name is not None:
        assert wild_match(text, other) == (name == other)


def test_a_row_that_is_written_in_another_way_is_a_pattern() -> None:
    assert row_name(r"a\b", wildcards=True) is None
    assert row_name("a_b", wildcards=True) is None


# From the first to be tried to the last: seen on servers, with what they then gave and denied.
@pytest.mark.parametrize(
    ("order", "texts"),
    [
        ("prefix", ["axb", "ax_", "a_b", "%b", "%"]),
        ("prefix", ["abc", "ab%", "a%b", "_bc", "%", ""]),
        ("fewest", ["axb", "a_b", "ax_", "___", "%xb", "a%", "%"]),
        ("fewest", ["abc", "a%c", "%b", "%"]),
    ],
)
def test_what_is_more_specific(order: str, texts: list[str]) -> None:
    ranks = [specificity(text, order, 64) for text in texts]
    assert all(first >= second for first, second in pairwise(ranks)), ranks


@pytest.mark.parametrize(("first", "second"), [("a_b", "a%"), ("a%", "a%b"), ("%b", "_xb"), ("%%", "%b")])
def test_what_mysql_does_not_tell_apart(first: str, second: str) -> None:
    assert specificity(first, "prefix", 64) == specificity(second, "prefix", 64)


@pytest.mark.parametrize(
    ("more", "less"), [("a_b", "ax_"), ("a%b", "a%"), ("%c", "%b%"), ("___", "%b"), ("a_b", "a__")]
)
def test_what_mariadb_counts(more: str, less: str) -> None:
    assert specificity(more, "fewest", 64) > specificity(less, "fewest", 64)


def test_two_wildcards_in_a_row_are_one() -> None:
    assert specificity("%%", "fewest", 64) == specificity("%", "fewest", 64)
    assert specificity("%a%", "fewest", 64) != specificity("%a", "fewest", 64)


def test_a_backslash_takes_a_wildcard_away() -> None:
    assert specificity(r"a\_b", "prefix", 64) == specificity("axb", "prefix", 64)
    assert specificity(r"a\_b", "fewest", 64) == specificity("axb", "fewest", 64)
    assert specificity("a\\", "prefix", 64) == 128
