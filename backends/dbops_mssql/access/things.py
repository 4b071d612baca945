"""The objects of a snapshot and their access lists, equal lists stored once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from dbops.model.access import Grant, Reads, Rules, SecuredObject
from dbops_mssql.access.kinds import OBJECTS

__all__ = ["Things"]

# The last only stands on columns, where it parts one from what was said on its table:
# https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-database-permissions-transact-sql
GRANT, WITH_OPTION, DENY, REVOKE = "G", "W", "D", "R"
Place = Callable[[int], int]


class Things:
    """The growing list."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.all: list[SecuredObject] = []
        self.lists: list[tuple[Grant, ...]] = []
        self._numbers: dict[tuple[Grant, ...], int] = {}
        self.places: dict[tuple[str, tuple[str, ...]], int] = {}
        self._elsewhere: list[tuple[int, tuple[str, ...]]] = []

    def add(
        self,
        kind: str,
        path: tuple[str, ...],
        owner: int,
        grants: tuple[Grant, ...],
        *,
        parent: int = -1,
        flags: tuple[str, ...] = (),
    ) -> int:
        """One object; gives its position."""
        self.all.append(SecuredObject(kind, path, owner, self._list(grants), parent, flags))
        self.places[kind, path] = len(self.all) - 1
        return len(self.all) - 1

    def _list(self, grants: tuple[Grant, ...]) -> int:
        found = self._numbers.get(grants)
        if found is None:
            found = self._numbers[grants] = len(self.lists)
            self.lists.append(grants)
        return found

    def grant(self, place: int, grants: tuple[Grant, ...]) -> None:
        """The access list of an object that is there already."""
        self.all[place] = msgspec.structs.replace(self.all[place], acl=self._list(grants))

    def change(self, place: int, **facts: object) -> None:
        """Other facts about one."""
        self.all[place] = msgspec.structs.replace(self.all[place], **facts)

    def stands_on(self, place: int, below: int) -> None:
        """One reads another."""
        one = self.all[place]
        if below != place and all(reads.object != below for reads in one.reads):
            self.change(place, reads=(*one.reads, Reads(below)))

    def later(self, place: int, path: tuple[str, ...]) -> None:
        """One reads another of a database that may not have been read yet."""
        self._elsewhere.append((place, path))

    def resolve(self) -> None:
        """Find what is read in other databases, now that all of them were seen."""
        named = {one.path: at for at, one in enumerate(self.all) if one.kind in OBJECTS.values()}
        for place, path in self._elsewhere:
            if path in named and place < len(self.all):
                self.stands_on(place, named[path])

    # Any: rows as the driver gives them.
    def grants(self, kind: str, rows: Iterable[tuple[Any, ...]], place: Place) -> tuple[Grant, ...]:
        """Rows of grantee, grantor, permission and state as an access list, in the order of grantees."""
        actions = self._rules.kinds[kind].actions
        found: dict[tuple[int, int], list[int]] = {}
        for grantee, grantor, permission, state in rows:
            if permission not in actions:
                continue  # a permission that this server does not describe
            bit = 1 << actions.index(permission)
            masks = found.setdefault((place(grantee), place(grantor)), [0, 0, 0, 0])
            masks[0] |= bit if state.strip() in (GRANT, WITH_OPTION) else 0
            masks[1] |= bit if state.strip() == WITH_OPTION else 0
            masks[2] |= bit if state.strip() == DENY else 0
            masks[3] |= bit if state.strip() == REVOKE else 0
        return tuple(Grant(*pair, *masks) for pair, masks in sorted(found.items()) if any(masks))

    def mark(self) -> int:
        """Where the list ends now."""
        return len(self.all)

    def back(self, mark: int) -> None:
        """Take back everything behind a mark."""
        for one in self.all[mark:]:
            self.places.pop((one.kind, one.path), None)
        del self.all[mark:]
        self._elsewhere = [(place, path) for place, path in self._elsewhere if place < mark]
