"""The words of statements, one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dbops.errors import UsageError

__all__ = ["Words", "tokens"]

_TOKEN = re.compile(
    r"""\s+|--\s[^\n]*|\#[^\n]*|`(?:[^`]|``)*`|'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|[\w$\u0080-\U0010ffff]+"""
    r"""|[().,;*@]""",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)|''|\"\"", re.DOTALL)


def tokens(sql: str, forms: str) -> Iterator[list[str]]:
    """The words of each statement, without blanks and comments.

    :raises UsageError: a letter that belongs to no word.
    """
    found: list[str] = []
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        if match is None:
            raise UsageError(f"this part of the SQL is not understood: {sql[at : at + 30]!r}", hint=forms)
        at = match.end()
        text = match[0]
        if text == ";":
            if found:
                yield found
            found = []
        elif not text.isspace() and not text.startswith(("-- ", "--\n", "#")):
            found.append(text)
    if found:
        yield found


class Words:
    """The words of one statement."""

    def __init__(self, words: Sequence[str], forms: str) -> None:
        self._tokens = list(words)
        self._forms = forms
        self._at = 0

    def peek(self) -> str:
        """The next one in upper case, one in quotes as it is; empty at the end."""
        if self._at >= len(self._tokens):
            return ""
        word = self._tokens[self._at]
        return word if word[0] in "`'\"" else word.upper()

    def next(self) -> str:
        """The next one, as it was written.

        :raises UsageError: there is none.
        """
        if self._at >= len(self._tokens):
            raise self.refused()
        self._at += 1
        return self._tokens[self._at - 1]

    def name(self) -> str:
        """A name, its quotes taken off.

        :raises UsageError: something else stands there.
        """
        word = self.next()
        if word in "().,;*@":
            raise self.refused()
        return _unquoted(word)

    def accept(self, *words: str) -> bool:
        """Pass over these words, if they come next."""
        seen = [token.upper() for token in self._tokens[self._at : self._at + len(words)]]
        if seen != list(words):
            return False
        self._at += len(words)
        return True

    def refused(self) -> UsageError:
        """What to raise about the whole statement."""
        return UsageError(f"not understood: {' '.join(self._tokens)}", hint=self._forms)


def _unquoted(token: str) -> str:
    if token[0] == "`":
        return token[1:-1].replace("``", "`")
    if token[0] in "'\"":
        return _ESCAPED.sub(lambda found: found[1] or found[0][0], token[1:-1])
    return token
