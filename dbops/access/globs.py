"""Patterns of a spec, in which ``*`` stands for any letters."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

__all__ = ["fits"]


@cache
def _compiled(pattern: str) -> Callable[[str], bool]:
    expression = re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)
    return lambda text: expression.fullmatch(text) is not None


def fits(pattern: str, text: str) -> bool:
    """Whether a name fits a pattern."""
    return pattern == text or ("*" in pattern and _compiled(pattern)(text))
