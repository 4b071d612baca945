"""Which principals and objects a spec is about: patterns in which ``*`` stands for any letters."""

from __future__ import annotations

from collections.abc import Sequence

from dbops.access.accounts import is_account, named
from dbops.access.globs import fits
from dbops.access.simulate import Simulation
from dbops.model.access import Principal, SecuredObject

__all__ = ["is_pattern", "managed", "places"]

_UNTOUCHED = {"system", "extension", "absent"}


def is_pattern(path: Sequence[str]) -> bool:
    """Whether a path may mean several objects."""
    return any("*" in part for part in path)


def managed(patterns: Sequence[str], one: Principal) -> bool:
    """Whether a spec owns a principal. The public and the engine's own are only owned when they are named."""
    if one.kind == "unknown":
        return False
    if one.system:
        return one.name in patterns or (is_account(one) and one.user in patterns)
    return any(fits(pattern, one.name) or (is_account(one) and named(pattern, one)) for pattern in patterns)


def places(working: Simulation, kind: str, path: Sequence[str]) -> list[int]:
    """The objects that a kind and path mean. A pattern passes over what came with the engine or an extension."""
    if not is_pattern(path):
        return _exact(working, kind, tuple(path))
    return [at for at, one in enumerate(working.objects) if _meant(working, one, kind, path)]


def _exact(working: Simulation, kind: str, path: tuple[str, ...]) -> list[int]:
    names = [kind, *(one.name for one in working.rules.kinds.values() if one.family == kind and one.name != kind)]
    found = [working.places[name, path] for name in names if (name, path) in working.places]
    # What is only the name of a family means all that is called so: a procedure, and a function beside it.
    return found[:1] if kind in working.rules.kinds else found


def _meant(working: Simulation, one: SecuredObject, kind: str, path: Sequence[str]) -> bool:
    if one.kind != kind and working.rules.kinds[one.kind].family != kind:
        return False
    if len(one.path) != len(path) or _UNTOUCHED.intersection(one.flags):
        return False
    return all(fits(pattern, part) for pattern, part in zip(path, one.path, strict=True))
