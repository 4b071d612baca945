"""Statements about rights as a person or a server writes them, word by word; how words look is data of an engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from dbops.errors import UsageError

__all__ = ["Item", "Lexicon", "Tokens", "statements", "supposed", "words"]

T = TypeVar("T")


class Lexicon(msgspec.Struct, frozen=True, kw_only=True):
    """How an engine writes.

    :param word: one word, quoted or not, one sign, or what stands between words.
    :param between: what of these stands between words: blanks and comments.
    :param quotes: what a quoted word begins with.
    :param signs: words that are no names.
    :param read: a name as the server reads it, its quotes taken off.
    :param forms: the statements that are understood, for whoever wrote another.
    """

    word: re.Pattern[str]
    between: re.Pattern[str]
    quotes: str
    signs: frozenset[str]
    read: Callable[[str], str]
    forms: str


class Item(NamedTuple):
    """One of the things that are granted, with the columns in brackets after it."""

    words: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def text(self) -> str:
        """A privilege has no quotes, and may be written in small letters."""
        return " ".join(self.words).upper()


def words(sql: str, lexicon: Lexicon) -> Iterator[str]:
    """Every word and sign.

    :raises UsageError: a letter that belongs to none.
    """
    at = 0
    while at < len(sql):
        match = lexicon.word.match(sql, at)
        if match is None:
            raise UsageError(f"this part of the SQL is not understood: {sql[at : at + 30]!r}", hint=lexicon.forms)
        at = match.end()
        if not lexicon.between.match(match[0]):
            yield match[0]


def statements(sql: str, lexicon: Lexicon) -> Iterator[Tokens]:
    """The words of each statement; a semicolon ends one.

    :raises UsageError: a letter that belongs to no word.
    """
    found: list[str] = []
    for word in (*words(sql, lexicon), ";"):
        if word != ";":
            found.append(word)
        elif found:
            yield Tokens(found, lexicon)
            found = []


def supposed(sql: str, lexicon: Lexicon) -> list[Tokens]:
    """The statements of a "what if".

    :raises UsageError: there is none, or a letter belongs to no word.
    """
    found = list(statements(sql, lexicon))
    if not found:
        raise UsageError("there is no statement to suppose", hint=lexicon.forms)
    return found


class Tokens:
    """The words of one statement, and how far it has been read."""

    def __init__(self, found: Sequence[str], lexicon: Lexicon) -> None:
        self._tokens, self._lexicon = tuple(found), lexicon
        self._at = 0

    def peek(self) -> str:
        """The next word in upper case, one in quotes as it is; empty at the end."""
        if self._at == len(self._tokens):
            return ""
        word = self._tokens[self._at]
        return word if word[0] in self._lexicon.quotes else word.upper()

    def next(self) -> str:
        """The next word, as it was written.

        :raises UsageError: there is none.
        """
        if self._at == len(self._tokens):
            raise self.refused()
        self._at += 1
        return self._tokens[self._at - 1]

    def name(self) -> str:
        """A name, as the server reads it.

        :raises UsageError: something else stands there.
        """
        word = self.next()
        if word in self._lexicon.signs:
            raise self.refused()
        return self._lexicon.read(word)

    def accept(self, *expected: str) -> bool:
        """Pass over these words, if they come next."""
        end = self._at + len(expected)
        if tuple(word.upper() for word in self._tokens[self._at : end]) != expected:
            return False
        self._at = end
        return True

    def listed(self, read: Callable[[], T]) -> list[T]:
        """One or more of a kind, with commas between them."""
        found = [read()]
        while self.accept(","):
            found.append(read())
        return found

    def columns(self) -> tuple[str, ...]:
        """Names in brackets, if they come next.

        :raises UsageError: the brackets hold something else.
        """
        if not self.accept("("):
            return ()
        found = self.listed(self.name)
        if not self.accept(")"):
            raise self.refused()
        return tuple(found)

    def items(self) -> list[Item]:
        """What is granted or revoked: privileges or roles.

        :raises UsageError: there is nothing, or nothing after it.
        """
        return self.listed(self._item)

    def _item(self) -> Item:
        found: list[str] = []
        while self.peek() not in (",", "ON", "TO", "FROM", "("):
            found.append(self.next())
        if not found:
            raise self.refused()
        return Item(tuple(found), self.columns())

    def end(self) -> None:
        """:raises UsageError: there is more."""
        if self.peek():
            raise self.refused()

    def refused(self) -> UsageError:
        """What to raise about the whole statement."""
        return UsageError(f"not understood: {' '.join(self._tokens)}", hint=self._lexicon.forms)
