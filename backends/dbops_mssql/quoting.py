"""Names and texts as they stand in T-SQL. Never doubled for a driver's placeholders: statements are run without any."""

from __future__ import annotations

import re

__all__ = ["NAME_CHARACTERS", "identifier", "literal", "named", "valid_name"]

NAME_CHARACTERS = 128
"""Of ``sysname``, counted in UTF-16 as the server does."""

_PLAIN = re.compile(r"[^\W\d][\w@$#-]*")


def identifier(name: str) -> str:
    """In brackets, which mean the same whatever ``QUOTED_IDENTIFIER`` says."""
    return "[" + name.replace("]", "]]") + "]"


def literal(text: str) -> str:
    """A Unicode constant: without its ``N``, letters outside the database's code page would become question marks.

    A backslash at the end of a line joins it with the next one in a constant of T-SQL, so each half stands alone.
    """
    parts = re.split(r"(?<=\\)(?=\r?\n)", text)
    quoted = ["N'" + part.replace("'", "''") + "'" for part in parts]
    return quoted[0] if len(quoted) == 1 else f"({' + '.join(quoted)})"


def named(kind: str, *parts: str) -> str:
    """``table:shop.dbo.orders`` as people write it: a part is quoted only where it would be unclear."""
    return f"{kind}:{'.'.join(part if _PLAIN.fullmatch(part) else identifier(part) for part in parts)}"


def valid_name(name: str) -> bool:
    """Whether it can be that of an object, a login or a user."""
    return 0 < len(name.encode("utf-16-le")) // 2 <= NAME_CHARACTERS and "\0" not in name
