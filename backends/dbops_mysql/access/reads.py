"""What a view reads, from its query as the server stores it: every name whole and in backticks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from dbops.model.access import Reads, SecuredObject

__all__ = ["Bodies", "names_in"]

_NAME = r"`(?:[^`]|``)*`"
_CHAIN = re.compile(rf"'(?:[^'\\]|\\.|'')*'|({_NAME}(?:\.{_NAME})*)(\s*\()?", re.DOTALL)
_PART = re.compile(_NAME)
_ALIAS = re.compile(rf"\s+({_NAME})|\s+as\s+({_NAME})", re.IGNORECASE)
_BEFORE = re.compile(r"(?:\bfrom|\bjoin|,|\()\s*\(*\s*\Z", re.IGNORECASE)

Path = tuple[str, str]


def names_in(body: str) -> dict[Path, set[str]]:
    """Tables and the columns of them that a stored query names.

    A name of two parts after FROM, JOIN or a comma is a table, and what follows it is its alias; a name of three parts,
    or of two with an alias in front, is a column.
    """
    chains = [(found, _parts(found[1])) for found in _CHAIN.finditer(body) if found[1] and not found[2]]
    tables: dict[Path, set[str]] = {}
    aliases: dict[str, Path] = {}
    for found, parts in chains:
        if len(parts) == 2 and _BEFORE.search(body, 0, found.start()) and not _is_alias(parts[0], aliases):
            path = (parts[0], parts[1])
            tables.setdefault(path, set())
            alias = _ALIAS.match(body, found.end())
            aliases[_parts(alias[1] or alias[2])[0] if alias else parts[1]] = path
    for _, parts in chains:
        if len(parts) == 3 and (parts[0], parts[1]) in tables:
            tables[parts[0], parts[1]].add(parts[2])
        elif len(parts) == 2 and parts[0] in aliases:
            tables[aliases[parts[0]]].add(parts[1])
    return tables


def _is_alias(name: str, aliases: Mapping[str, Path]) -> bool:
    return name in aliases


def _parts(chain: str) -> list[str]:
    return [part[1:-1].replace("``", "`") for part in _PART.findall(chain)]


class Bodies:
    """Looks up what queries of views name."""

    def __init__(self, places: Mapping[tuple[str, tuple[str, ...]], int], objects: Sequence[SecuredObject]) -> None:
        self._places = places
        self._objects = objects

    def reads(self, body: str) -> tuple[Reads, ...]:
        """What is there of it; a table that is gone is not read, the view cannot be used then."""
        found: list[Reads] = []
        for path, columns in names_in(body).items():
            place = self._place(path)
            if place is not None:
                found.append(Reads(place, tuple(sorted(columns))))
        return tuple(found)

    def _place(self, path: Path) -> int | None:
        kinds: Iterable[str] = ("table", "view", "sequence")
        return next((self._places[kind, path] for kind in kinds if (kind, path) in self._places), None)
