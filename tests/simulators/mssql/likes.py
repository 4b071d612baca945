"""What DuckDB lacks: LIKE with sets of characters, texts as UTF-16, bytes as numbers."""

from __future__ import annotations

import re
from functools import lru_cache


def like(text: str | None, pattern: str | None, escape: str, exact: bool) -> bool | None:
    if text is None or pattern is None:
        return None
    return _compiled(pattern, escape, exact).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str, escape: str, exact: bool) -> re.Pattern[str]:
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        mark = pattern[at]
        end = pattern.find("]", at + 1)
        if escape and mark == escape and at + 1 < len(pattern):
            at += 1
            parts.append(re.escape(pattern[at]))
        elif mark == "%":
            parts.append(".*")
        elif mark == "_":
            parts.append(".")
        elif mark == "[" and end > at:
            parts.append(_set(pattern[at + 1 : end]))
            at = end
        else:
            parts.append(re.escape(mark))
        at += 1
    return re.compile("".join(parts), re.DOTALL if exact else re.DOTALL | re.IGNORECASE)


def _set(inside: str) -> str:
    negative = "^" if inside.startswith("^") else ""
    plain = inside.removeprefix("^")
    return f"[{negative}{''.join(one if one == '-' else re.escape(one) for one in plain)}]"


def utf16(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-16-le")


def whole(value: bytes | None, width: int) -> int | None:
    """The last bytes of a binary as a number of so many, the first bit of which is its sign."""
    if value is None:
        return None
    return int.from_bytes(value[-width:].rjust(width, b"\0"), "big", signed=width > 1)
