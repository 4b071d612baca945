"""Names and texts as they stand in SQL. Never doubled for a driver's placeholders: statements are run without any."""

from __future__ import annotations

import re

__all__ = ["identifier", "literal", "named"]

_PLAIN = re.compile(r"[^\W\d][\w$-]*")


def identifier(name: str) -> str:
    """Always quoted, so that no keyword, capital or dot needs a thought."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text constant that means the same whatever ``standard_conforming_strings`` says."""
    quoted = "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    return f" E{quoted}" if "\\" in text else quoted


def named(kind: str, *parts: str) -> str:
    """``table:app.sales.orders`` as people write it: a part is quoted only where it would be unclear."""
    return f"{kind}:{'.'.join(part if _PLAIN.fullmatch(part) else identifier(part) for part in parts)}"
