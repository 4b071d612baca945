r"""Patterns in rows of rights: ``%`` is any letters, ``_`` is one letter, ``\`` takes its meaning off the next letter.

The servers compare bytes: ``_`` is one byte of UTF-8, and upper and lower case differ unless names are folded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

__all__ = ["filled", "plain", "row_name", "row_text", "specificity", "wild_match", "wildcard"]

Token = tuple[str, str]
LETTER, ONE, MANY = "letter", "_", "%"


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == "\\" and at + 1 < len(text):
            at += 1
            yield LETTER, text[at]
        elif letter in (ONE, MANY):
            yield letter, letter
        else:
            yield LETTER, letter
        at += 1


def wildcard(text: str) -> bool:
    """Whether a pattern means more than one text."""
    return any(token != LETTER for token, _ in _tokens(text))


@lru_cache(maxsize=65536)
def _compiled(text: str, fold: bool) -> re.Pattern[bytes]:
    words = {ONE: b".", MANY: b".*"}
    parts = [words.get(token) or re.escape(letter.encode()) for token, letter in _tokens(text)]
    return re.compile(b"".join(parts) + rb"\Z", re.DOTALL | (re.IGNORECASE if fold else 0))


def wild_match(pattern: str, text: str, *, fold: bool = False) -> bool:
    """Whether a text fits a pattern."""
    return _compiled(pattern, fold).match(text.encode()) is not None


def plain(text: str) -> str:
    """A pattern without wildcards as the text that it means."""
    return "".join(letter for _, letter in _tokens(text))


def filled(text: str, one: str, many: str, last: str) -> str:
    """A text that fits a pattern: these letters in the place of its wildcards, ``last`` in that of the last ``%``."""
    found = list(_tokens(text))
    end = max((at for at, (token, _) in enumerate(found) if token == MANY), default=-1)
    words = [
        {ONE: one, MANY: last if at == end else many}.get(token, letter) for at, (token, letter) in enumerate(found)
    ]
    return "".join(words)


def row_name(text: str, *, wildcards: bool) -> str | None:
    """The one database that a row is about, None when it is about whatever fits its pattern."""
    if not wildcards:
        return text
    name = plain(text)
    return name if row_text(name, wildcards=True) == text else None


def row_text(name: str, *, wildcards: bool) -> str:
    """How a row has the name of one database."""
    return re.sub(r"([\\_%])", r"\\\1", name) if wildcards else name


def specificity(text: str, order: str, longest: int) -> int:
    """The larger, the more specific is a pattern.

    ``prefix`` is MySQL's ``get_sort``: the place of the first wildcard. ``fewest`` is MariaDB's ``get_magic_sort``: how
    many texts of at most ``longest`` letters fit (MDEV-14732).
    """
    return _prefix(text) if order == "prefix" else _fewest(text, longest)


def _prefix(text: str) -> int:
    at = 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        elif text[at] in (ONE, MANY):
            alone = at == 0 and text == MANY
            return min(at + (1 if alone else 2), 127)
        at += 1
    return 128 if text else 0


def _fewest(text: str, longest: int) -> int:
    letters = ones = manys = prefix = 0
    before = ""
    for token, _ in _tokens(text):
        if token == LETTER:
            letters += 1
        elif not (token == MANY and before == MANY):
            prefix = prefix if ones or manys else letters
            ones += token == ONE
            manys += token == MANY
        before = token
    ones, manys = min(ones, 31), min(manys, 31)
    spare = longest - letters - ones if manys else 0
    size = longest + 1
    small = min(size, 32)
    if spare > ones:
        magic = (((spare * 2 + 1) * size + manys) * small + ones) * size + prefix
    else:
        magic = ((ones * 2 * size + spare) * small + manys) * size + prefix
    return -magic
