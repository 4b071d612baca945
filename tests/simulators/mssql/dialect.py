"""How sqlglot reads T-SQL here: every function stays as it was written, for the model to know it or to refuse it.

The dialect of sqlglot would take ``LENGTH`` or ``NOW`` for T-SQL and translate them; a server answers error 195.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.tsql import TSQL
from sqlglot.errors import ErrorLevel, ParseError, TokenError
from sqlglot.parsers.tsql import TSQLParser

from tests.simulators.mssql.answers import failed

_OWN_PARSERS = ("CAST", "TRY_CAST", "CONVERT", "TRY_CONVERT")


_FOREIGN = {"LIMIT", "ILIKE", "RLIKE", "REGEXP", "GLOB", "QUALIFY", "::", "DIV", "FINAL", "ASOF", "ANTI", "SEMI"}
"""Words and signs of other dialects: to a server they are names, or nothing that it can read."""


class Reads(TSQL):
    class Tokenizer(TSQL.Tokenizer):
        KEYWORDS: ClassVar[dict[str, Any]] = {
            word: kind for word, kind in TSQL.Tokenizer.KEYWORDS.items() if word not in _FOREIGN
        }

    class Parser(TSQLParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}  # Any: as sqlglot declares it
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {name: TSQLParser.FUNCTION_PARSERS[name] for name in _OWN_PARSERS}
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}


@lru_cache(maxsize=512)
def parsed(sql: str) -> exp.Expr:
    """The tree of one query. It is kept: whoever changes a tree changes a copy."""
    try:
        found = sqlglot.parse(sql, dialect=Reads, error_level=ErrorLevel.RAISE)
    except (ParseError, TokenError) as wrong:
        near = wrong.errors[0].get("highlight") if isinstance(wrong, ParseError) and wrong.errors else ""
        raise failed(102, f"Incorrect syntax near '{near}'.", severity=15) from wrong
    if len(found) != 1 or found[0] is None or isinstance(found[0], exp.Command):
        raise failed(102, f"Incorrect syntax near '{sql.strip().partition(' ')[0]}'.", severity=15)
    return found[0]
