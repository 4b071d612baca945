"""What a view reads, from its query as the server stores it: every name whole and in backticks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from dbops.model.access import Reads, SecuredObject

__all__ = ["Bodies", "names_in"]

_NAME = r"`(?:[^`]|``)*`"
_TOKEN = re.compile(
    rf"'(?:[^'\\]|\\.|'')*'|(?P<names>{_NAME}(?:\.{_NAME})*)(?P<call>\s*\()?|(?P<word>[a-z_]\w*)|(?P<sign>[(),])",
    re.DOTALL | re.IGNORECASE,
)
_PART = re.compile(_NAME)
_ALIAS = re.compile(rf"(?:\s+partition\s*\([^)]*\))?\s+(?:as\s+)?({_NAME})", re.IGNORECASE)
_JOINS = {"join", "straight_join"}
_BEFORE_JOIN = {"left", "right", "inner", "outer", "cross", "natural", "lateral"}
_AFTER_FROM = {"where", "group", "having", "order", "limit", "window", "union", "intersect", "except"}

Path = tuple[str, str]


def names_in(body: str) -> dict[Path, set[str]]:
    """Tables and the columns of them that a stored query names.

    A name of two parts where a FROM clause has a table is one, and what follows it is its alias; elsewhere a name of
    three parts is a column, and so is one of two with an alias in front, of this SELECT or of one around it.
    """
    return _Query(body).tables()


class _Select:
    """What its names in front of a column stand for; None for what is no table, such as a SELECT in parentheses."""

    def __init__(self, around: _Select | None) -> None:
        self.around = around
        self.aliases: dict[str, Path | None] = {}

    def meant(self, alias: str) -> Path | None:
        """The table, by an alias of this SELECT or of the nearest one around it."""
        at: _Select | None = self
        while at is not None:
            if alias in at.aliases:
                return at.aliases[alias]
            at = at.around
        return None


class _Level:
    """Inside of one pair of parentheses: the SELECT, which part of it, and whether a table comes next."""

    def __init__(self, select: _Select, clause: str = "", table_next: bool = False) -> None:
        self.select, self.clause, self.table_next = select, clause, table_next


class _Query:
    def __init__(self, body: str) -> None:
        self._body = body
        self._levels = [_Level(_Select(None))]
        self._tables: dict[Path, set[str]] = {}
        self._columns: list[tuple[tuple[str, ...], _Select]] = []
        for token in _TOKEN.finditer(body):
            self._read(token)

    def tables(self) -> dict[Path, set[str]]:
        """With the columns of each; what an alias means is said only after they were named."""
        for parts, select in self._columns:
            path = select.meant(parts[0]) if len(parts) == 2 else (parts[0], parts[1])
            if path is not None and path in self._tables:
                self._tables[path].add(parts[-1])
        return self._tables

    def _read(self, token: re.Match[str]) -> None:
        level, sign = self._levels[-1], token["sign"]
        if token["names"]:
            self._names(_parts(token["names"]), level, token.end("names"), call=bool(token["call"]))
        elif token["word"]:
            self._word(token["word"].lower(), level)
        elif sign == "(":
            self._levels.append(_Level(level.select, level.clause if level.table_next else "", level.table_next))
            level.table_next = False
        elif sign == ")" and len(self._levels) > 1:
            self._levels.pop()
        elif sign == ",":
            level.table_next = level.clause == "from"

    def _names(self, parts: tuple[str, ...], level: _Level, end: int, *, call: bool) -> None:
        if call:
            self._levels.append(_Level(level.select))
        elif level.clause == "from" and len(parts) == 1:
            level.select.aliases.setdefault(parts[0], None)
        elif level.clause == "from" and level.table_next:
            path, alias = (parts[0], parts[1]), _ALIAS.match(self._body, end)
            self._tables.setdefault(path, set())
            level.select.aliases[_parts(alias[1])[0] if alias else parts[1]] = path
        elif len(parts) > 1:
            self._columns.append((parts, level.select))
        level.table_next = False

    def _word(self, word: str, level: _Level) -> None:
        if word == "select":
            around = self._levels[-2].select if len(self._levels) > 1 else None
            level.select, level.clause, level.table_next = _Select(around), word, False
        elif word == "from" and level.clause == "select":  # EXTRACT and TRIM have one as well
            level.clause, level.table_next = word, True
        elif level.clause == "from" and word in _JOINS:
            level.table_next = True
        elif level.clause == "from" and word in _AFTER_FROM:
            level.clause = word
        elif word not in _BEFORE_JOIN:  # json_table(…) is no table
            level.table_next = False


def _parts(chain: str) -> tuple[str, ...]:
    return tuple(part[1:-1].replace("``", "`") for part in _PART.findall(chain))


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
