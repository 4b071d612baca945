"""How MySQL and MariaDB write words."""

from __future__ import annotations

import re

from dbops.access.tokens import Lexicon

__all__ = ["LEXICON"]

_ESCAPED = re.compile(r"\\(.)|''|\"\"", re.DOTALL)


def _read(word: str) -> str:
    if word[0] == "`":
        return word[1:-1].replace("``", "`")
    if word[0] in "'\"":
        return _ESCAPED.sub(lambda found: found[1] or found[0][0], word[1:-1])
    return word


LEXICON = Lexicon(
    word=re.compile(
        r"""\s+|--(?=\s|\Z)[^\n]*|\#[^\n]*|`(?:[^`]|``)*`|'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|[\w$\u0080-\U0010ffff]+"""
        r"""|[().,;*@]""",
        re.DOTALL,
    ),
    between=re.compile(r"\s|--|#"),
    quotes="`'\"",
    signs=frozenset("().,;*@"),
    read=_read,
    forms=(
        "GRANT or REVOKE of privileges ON one level (*.*, db.*, a table, a routine), of PROXY, or of roles, "
        "TO or FROM accounts; several separated by ;"
    ),
)
