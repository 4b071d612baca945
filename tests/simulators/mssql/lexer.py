"""T-SQL as tokens: enough to find where a statement ends and to read the statements that are no queries.

Comments nest in T-SQL, ``]`` is doubled inside brackets, and ``"x"`` is a name because QUOTED_IDENTIFIER is on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from tests.simulators.mssql.answers import failed


class Kind(Enum):
    WORD = "word"
    NAME = "name"
    STRING = "string"
    NUMBER = "number"
    BINARY = "binary"
    VARIABLE = "variable"
    SYMBOL = "symbol"


class Token(NamedTuple):
    """``value`` is the name or string without its quotes; ``start`` and ``end`` are offsets into the batch."""

    kind: Kind
    value: str
    start: int
    end: int
    line: int

    def is_word(self, *words: str) -> bool:
        return self.kind is Kind.WORD and self.value.upper() in words

    def is_symbol(self, *symbols: str) -> bool:
        return self.kind is Kind.SYMBOL and self.value in symbols


PATTERN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
      | (?P<comment>/\*)
      | (?P<string>N?'(?:[^']|'')*')
      | (?P<name>\[(?:[^\]]|\]\])*\]|"(?:[^"]|"")*")
      | (?P<binary>0[xX][0-9a-fA-F]*)
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<variable>@@?[\w$#@]+)
      | (?P<word>[^\W\d][\w$#@]*|\#\#?[\w$#@]+)
      | (?P<symbol>::|<>|!=|<=|>=|!<|!>|\+=|-=|\*=|/=|%=|&=|\|=|\^=|[-+*/%&|^~=<>(),.;:{}])""",
    re.VERBOSE,
)


def tokens(sql: str) -> list[Token]:
    """Raises ``Failed`` with the numbers of the server: 105 unclosed quotes, 113 unclosed comment, 102 the rest."""
    return list(_tokens(sql))


def _tokens(sql: str) -> Iterator[Token]:
    at = 0
    while at < len(sql):
        found = PATTERN.match(sql, at)
        if found is None:
            raise _unreadable(sql, at)
        kind = str(found.lastgroup)
        end = _comment_end(sql, at) if kind == "comment" else found.end()
        if kind not in {"space", "comment"}:
            yield Token(Kind(kind), _value(kind, found.group()), at, end, sql.count("\n", 0, at) + 1)
        at = end


def _value(kind: str, text: str) -> str:
    match kind:
        case "string":
            return text[text.index("'") + 1 : -1].replace("''", "'")
        case "name":
            closing = text[-1]
            return text[1:-1].replace(closing * 2, closing)
        case _:
            return text


def _comment_end(sql: str, start: int) -> int:
    depth = 0
    for mark in re.finditer(r"/\*|\*/", sql[start:]):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return start + mark.end()
    raise failed(113, "Missing end comment mark '*/'.", severity=15)


def _unreadable(sql: str, at: int) -> Exception:
    rest = sql[at:]
    if rest[0] in "'[\"" or rest[:2].upper() == "N'":
        text = rest.lstrip("Nn")[1:]
        return failed(105, f"Unclosed quotation mark after the character string '{text}'.", severity=15)
    return failed(102, f"Incorrect syntax near '{rest[0]}'.", severity=15)


class Cursor:
    """A place in a list of tokens, and the questions that a reader of statements asks there."""

    def __init__(self, sql: str, found: list[Token], at: int = 0) -> None:
        self.sql = sql
        self.found = found
        self.at = at

    @property
    def done(self) -> bool:
        return self.at >= len(self.found)

    @property
    def token(self) -> Token | None:
        return None if self.done else self.found[self.at]

    def ahead(self, count: int = 1) -> Token | None:
        return self.found[self.at + count] if self.at + count < len(self.found) else None

    def wrong(self) -> Exception:
        """102 near the token at hand, which is what the server says of most texts that it cannot read."""
        token = self.token or (self.found[-1] if self.found else None)
        near = token.value if token else ""
        if token is not None and token.is_word(*RESERVED):
            return failed(156, f"Incorrect syntax near the keyword '{near}'.", severity=15)
        return failed(102, f"Incorrect syntax near '{near}'.", severity=15)

    def take(self) -> Token:
        token = self.token
        if token is None:
            raise self.wrong()
        self.at += 1
        return token

    def sees(self, *words: str) -> bool:
        """Whether the next tokens are these words or symbols, one after the other."""
        for offset, word in enumerate(words):
            token = self.ahead(offset)
            if token is None or not (token.is_word(word) or token.is_symbol(word)):
                return False
        return True

    def accept(self, *words: str) -> bool:
        if not self.sees(*words):
            return False
        self.at += len(words)
        return True

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.wrong()

    def choose(self, *words: str) -> str:
        """The one of these words that comes next, in capitals."""
        for word in words:
            if self.accept(word):
                return word
        raise self.wrong()

    def name(self) -> str:
        """An identifier: a bare word that is not reserved, or a quoted one."""
        token = self.token
        if token is None or token.kind not in {Kind.WORD, Kind.NAME} or token.is_word(*RESERVED):
            raise self.wrong()
        if len(token.value) > 128:
            raise failed(
                103, f"The identifier that starts with '{token.value[:128]}' is too long. Maximum length is 128."
            )
        self.at += 1
        return token.value

    def dotted(self) -> tuple[str, ...]:
        """``a.b.c`` with empty parts as empty strings: ``shop..orders``."""
        parts = [self.name()]
        while self.accept("."):
            parts.append("" if self.sees(".") else self.name())
        return tuple(parts)

    def string(self) -> str:
        return self._of(Kind.STRING)

    def number(self) -> int:
        negative = self.accept("-")
        value = int(self._of(Kind.NUMBER))
        return -value if negative else value

    def binary(self) -> bytes:
        digits = self._of(Kind.BINARY)[2:]
        return bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)

    def is_kind(self, kind: Kind) -> bool:
        return self.token is not None and self.token.kind is kind

    def _of(self, kind: Kind) -> str:
        token = self.token
        if token is None or token.kind is not kind:
            raise self.wrong()
        self.at += 1
        return token.value


_RESERVED = """ADD ALL ALTER AND ANY AS ASC AUTHORIZATION BACKUP BEGIN BETWEEN BREAK BROWSE BULK BY CASCADE CASE CHECK
    CHECKPOINT CLOSE CLUSTERED COALESCE COLLATE COLUMN COMMIT COMPUTE CONSTRAINT CONTAINS CONTAINSTABLE CONTINUE
    CONVERT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DBCC
    DEALLOCATE DECLARE DEFAULT DELETE DENY DESC DISK DISTINCT DISTRIBUTED DOUBLE DROP DUMP ELSE END ERRLVL ESCAPE
    EXCEPT EXEC EXECUTE EXISTS EXIT EXTERNAL FETCH FILE FILLFACTOR FOR FOREIGN FREETEXT FREETEXTTABLE FROM FULL
    FUNCTION GOTO GRANT GROUP HAVING HOLDLOCK IDENTITY IDENTITY_INSERT IDENTITYCOL IF IN INDEX INNER INSERT
    INTERSECT INTO IS JOIN KEY KILL LEFT LIKE LINENO LOAD MERGE NATIONAL NOCHECK NONCLUSTERED NOT NULL NULLIF OF
    OFF OFFSETS ON OPEN OPENDATASOURCE OPENQUERY OPENROWSET OPENXML OPTION OR ORDER OUTER OVER PERCENT PIVOT PLAN
    PRECISION PRIMARY PRINT PROC PROCEDURE PUBLIC RAISERROR READ READTEXT RECONFIGURE REFERENCES REPLICATION
    RESTORE RESTRICT RETURN REVERT REVOKE RIGHT ROLLBACK ROWCOUNT ROWGUIDCOL RULE SAVE SCHEMA SECURITYAUDIT SELECT
    SEMANTICKEYPHRASETABLE SEMANTICSIMILARITYDETAILSTABLE SEMANTICSIMILARITYTABLE SESSION_USER SET SETUSER
    SHUTDOWN SOME STATISTICS SYSTEM_USER TABLE TABLESAMPLE TEXTSIZE THEN TO TOP TRAN TRANSACTION TRIGGER TRUNCATE
    TRY_CONVERT TSEQUAL UNION UNIQUE UNPIVOT UPDATE UPDATETEXT USE USER VALUES VARYING VIEW WAITFOR WHEN WHERE
    WHILE WITH WITHIN WRITETEXT"""
RESERVED = frozenset(_RESERVED.split())
"""The reserved words of T-SQL, less those that name no error here: a bare name may not be one of them."""
