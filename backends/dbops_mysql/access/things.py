"""Objects of a snapshot and the rights on them, put together from the rows of the grant tables."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from dbops.access.patterns import row_name
from dbops.model.access import Grant, Rules, SecuredObject
from dbops_mysql.access.catalogue import Defined, Right
from dbops_mysql.access.people import People
from dbops_mysql.access.reads import Bodies

__all__ = ["WHOLE", "Things"]

Key = tuple[str, tuple[str, ...]]
WHOLE: Key = ("server", ())
TABLES = ("table", "view", "sequence")
UNLISTED = ("information_schema", "performance_schema", "sys")


class Things:
    """The growing list. What a right speaks of and what is not there is added, flagged ``absent``."""

    def __init__(self, rules: Rules, people: People) -> None:
        self.rules = rules
        self.people = people
        self.objects: list[SecuredObject] = []
        self._places: dict[Key, int] = {}
        self._grants: dict[Key, list[Grant]] = {}
        self._routines: dict[Key, Key] = {}
        self.add("server", ())

    def frozen(self) -> tuple[tuple[SecuredObject, ...], tuple[tuple[Grant, ...], ...]]:
        """The objects, and the access lists that they refer to."""
        lists: dict[tuple[Grant, ...], int] = {}
        objects: list[SecuredObject] = []
        for one in self.objects:
            grants = tuple(self._grants.get((one.kind, one.path), ()))
            objects.append(msgspec.structs.replace(one, acl=lists.setdefault(grants, len(lists))))
        return tuple(objects), tuple(lists)

    # -- objects ----------------------------------------------------------------------------------------------------

    def add(self, kind: str, path: tuple[str, ...], parent: int = -1, flags: tuple[str, ...] = ()) -> Key:
        """An object, once."""
        if (kind, path) not in self._places:
            self._places[kind, path] = len(self.objects)
            follows = parent if kind == "column" else -1
            self.objects.append(SecuredObject(kind, path, -1, 0, parent, flags, (), follows))
        return kind, path

    def database(self, name: str, *, system: bool = False, there: bool = False) -> Key:
        """:param there: the server listed it."""
        flags = ("system",) if system else () if there else ("absent",)
        return self.add("database", (name,), self._places[WHOLE], flags)

    def inside(self, kind: str, path: tuple[str, ...], flags: tuple[str, ...] = ()) -> Key:
        """Something in a database."""
        parent = self._places[self.database(path[0])]
        if "system" in self.objects[parent].flags:
            flags = (*flags, "system")
        if self.rules.kinds[kind].family == "routine":
            self._routines[kind, (path[0], path[1].lower())] = kind, path
        return self.add(kind, path, parent, flags)

    def defined(self, one: Defined) -> None:
        """A routine, event or trigger, or the definer of a view."""
        place = self._places[self._table(one.path) if one.kind == "view" else self.inside(one.kind, one.path)]
        runs_as = -1 if one.definer is None else self.people.number(*one.definer)
        flags = (*self.objects[place].flags, *(("invoker",) if one.invoker else ()))
        self.objects[place] = msgspec.structs.replace(self.objects[place], runs_as=runs_as, flags=flags)

    def read(self, views: Iterable[Defined]) -> None:
        """What views read, when everything that they could read is known."""
        bodies = Bodies(self._places, self.objects)
        for one in views:
            place = self._places[self._table(one.path)]
            before = self.objects[place]
            if one.body is None:
                self.objects[place] = msgspec.structs.replace(before, flags=(*before.flags, "unread"))
            else:
                self.objects[place] = msgspec.structs.replace(before, reads=bodies.reads(one.body))

    # -- rights -----------------------------------------------------------------------------------------------------

    def grant(self, key: Key, number: int, actions: int, grantable: int = 0, denied: int = 0) -> None:
        """An entry of an access list; nobody in particular granted it."""
        if actions or denied:
            self._grants.setdefault(key, []).append(Grant(number, -1, actions, grantable, denied))

    def right(self, one: Right) -> None:
        """A row of rights."""
        self.grant(self._about(one), self.people.number(one.user, one.host), one.actions)

    def _about(self, one: Right) -> Key:
        if one.kind == "database":
            return self._row(one.path[0])
        if one.kind == "table":
            return self._table(one.path)
        if one.kind == "column":
            return self.add("column", one.path, self._places[self._table(one.path[:2])])
        return self._routine(one.kind, one.path)

    def _row(self, text: str) -> Key:
        matching = self.rules.matching
        name = row_name(text, wildcards=matching is None or matching.wildcards)
        return self.add("pattern", (text,), self._places[WHOLE]) if name is None else self.database(name)

    def _table(self, path: tuple[str, ...]) -> Key:
        found = next(((kind, path) for kind in TABLES if (kind, path) in self._places), None)
        return found or self.inside("table", path, self._absent(path[0]))

    def _routine(self, kind: str, path: tuple[str, ...]) -> Key:
        """Names of routines are the same in upper and lower case."""
        return self._routines.get((kind, (path[0], path[1].lower()))) or self.inside(kind, path, self._absent(path[0]))

    def _absent(self, database: str) -> tuple[str, ...]:
        """What the server has in its own databases was not listed."""
        return () if database in UNLISTED else ("absent",)
