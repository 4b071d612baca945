"""Plain values, as TOML and YAML give them, into frozen structs; what is wrong is named with its full path.

Unknown keys are looked for first, at every depth: msgspec would name the key, but neither its path nor its neighbour.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast, get_args

import msgspec

from dbops.errors import ConfigError

__all__ = ["Plain", "known", "nearest", "struct", "table"]

Plain = Mapping[str, object]
T = TypeVar("T", bound=msgspec.Struct)


def nearest(word: str, known: Iterable[str]) -> str:
    """``Did you mean …?``, or what there is, or nothing."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"There is: {', '.join(names)}." if names else ""


def table(value: object, path: str, where: str) -> Plain:
    """A table of tables.

    :raises ConfigError: something else.
    """
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: {where} must be a table of tables, such as [{where}.main]")
    return cast(Plain, value)


def known(value: Plain, names: Iterable[str], path: str, where: str) -> None:
    """:raises ConfigError: a key that is none of ``names``."""
    allowed = list(names)
    for key in value:
        if key not in allowed:
            full = f"{where}.{key}" if where else key
            raise ConfigError(f"{path}: unknown key {full}", hint=nearest(key, allowed))


def struct(value: object, into: type[T], path: str, where: str) -> T:
    """``value`` as ``into``; the field ``name`` is the reader's to fill.

    :raises ConfigError: an unknown key, a missing one, or a value of another type.
    """
    _known_below(value, into, path, where)
    try:
        return msgspec.convert(value, into)
    except msgspec.ValidationError as error:
        text, _, at = str(error).partition(" - at `$")
        raise ConfigError(f"{path}: {where}{at.rstrip('`')}: {text}") from None


def _known_below(value: object, into: type[msgspec.Struct], path: str, where: str) -> None:
    if not isinstance(value, dict):
        return
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(into)}
    plain = cast(Plain, value)
    known(plain, [name for name in fields if name != "name"], path, where)
    for key, inner in plain.items():
        kind = _struct_within(fields[key])
        if kind is not None and isinstance(inner, list):
            for number, item in enumerate(cast(list[object], inner)):
                _known_below(item, kind, path, f"{where}.{key}[{number}]")
        elif kind is not None:
            _known_below(inner, kind, path, f"{where}.{key}")


# Any: a type annotation has no type of its own.
def _struct_within(annotation: Any) -> type[msgspec.Struct] | None:
    """The struct in ``X``, ``X | None`` or ``tuple[X, ...]``."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, msgspec.Struct):
            return candidate
    return None
