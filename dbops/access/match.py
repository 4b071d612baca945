"""Which principals and objects a spec is about: patterns in which ``*`` stands for any letters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from dbops.access.simulate import Simulation
from dbops.model.access import Principal, SecuredObject

__all__ = ["fits", "is_pattern", "managed", "places"]

_UNTOUCHED = {"system", "extension"}


@cache
def _compiled(pattern: str) -> Callable[[str], bool]:
    expression = re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)
    return lambda text: expression.fullmatch(text) is not None


def fits(pattern: str, text: str) -> bool:
    """Whether a name fits a pattern."""
    return pattern == text or ("*" in pattern and _compiled(pattern)(text))


def is_pattern(path: Sequence[str]) -> bool:
    """Whether a path may mean several objects."""
    return any("*" in part for part in path)


def managed(patterns: Sequence[str], one: Principal) -> bool:
    """Whether a spec owns a principal. The public and the engine's own are only owned when they are named."""
    if one.kind == "unknown":
        return False
    if one.system:
        return one.name in patterns
    return any(fits(pattern, one.name) or bool(one.user and fits(pattern, one.user)) for pattern in patterns)


def places(working: Simulation, kind: str, path: Sequence[str]) -> list[int]:
    """The objects that a kind and path mean. A pattern passes over what came with the engine or an extension."""
    if not is_pattern(path):
        return _exact(working, kind, tuple(path))
    return [at for at, one in enumerate(working.objects) if _meant(working, one, kind, path)]


def _exact(working: Simulation, kind: str, path: tuple[str, ...]) -> list[int]:
    names = [kind, *(one.name for one in working.rules.kinds.values() if one.family == kind and one.name != kind)]
    return [working.places[name, path] for name in names if (name, path) in working.places][:1]


def _meant(working: Simulation, one: SecuredObject, kind: str, path: Sequence[str]) -> bool:
    if one.kind != kind and working.rules.kinds[one.kind].family != kind:
        return False
    if len(one.path) != len(path) or _UNTOUCHED.intersection(one.flags):
        return False
    return all(fits(pattern, part) for pattern, part in zip(path, one.path, strict=True))
