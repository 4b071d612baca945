"""What stands behind views and routines: whose rights they are checked with, and whether these are enough."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from dbops.access.effective import READ, THROUGH_VIEWS
from dbops.access.ground import Ground
from dbops.model.access import PUBLIC, SecuredObject

__all__ = ["Behind"]

Held = Callable[[SecuredObject, str], int]


class Behind:
    """Sets of sessions. :param held: who holds an action on an object."""

    def __init__(self, ground: Ground, held: Held) -> None:
        self._snapshot, self._matching, self._sessions = ground.snapshot, ground.matching, ground.sessions
        self._actives, self._matches, self._held = ground.actives, ground.matches, held

    def of(self, one: SecuredObject, action: str) -> int:
        """Those for whom an action on a view or routine is allowed on what it stands on."""
        if self._snapshot.kind(one).family == "routine":
            return self._routine(one, action)
        if one.kind == "column" and one.parent >= 0:
            return self._view(self._snapshot.objects[one.parent], action, one.path[-1:], self._actives.everybody, ())
        return self._view(one, action, (), self._actives.everybody, ())

    # -- routines ---------------------------------------------------------------------------------------------------

    def _routine(self, one: SecuredObject, action: str) -> int:
        """A routine with the rights of its definer needs that he exists, may run it, and gets into its database.

        What its body does is not looked at.
        """
        if action != "EXECUTE":
            return self._actives.everybody
        runs = self._held(one, action) & self._entering(one)
        if one.runs_as < 0 or "invoker" in one.flags:
            return runs
        number = self._sessions.definer(one.runs_as)
        if self._sessions.all[number].account >= 0 and runs >> number & 1:
            return self._actives.everybody
        return self._actives.of(one.runs_as) & runs  # who calls a routine of his own goes on as he is

    def _entering(self, one: SecuredObject) -> int:
        """Who gets into the database of a routine: with any right on it or on anything in it."""
        if self._matching.public_enters or PUBLIC not in {grant.grantee for grant in self._snapshot.grants(one)}:
            return self._actives.everybody
        found = 0
        for other in self._snapshot.objects:
            if other.database == one.database and other.kind == "database":
                for action in self._snapshot.kind(other).actions:
                    found |= self._held(other, action)
            elif other.database == one.database and other.kind not in ("event", "trigger"):
                for principal in {grant.grantee for grant in self._snapshot.grants(other)}:
                    found |= self._matches.of(principal, anonymous=False) | self._actives.granted(principal)
        return found

    # -- views ------------------------------------------------------------------------------------------------------

    def _view(
        self, one: SecuredObject, action: str, columns: tuple[str, ...], asking: int, seen: tuple[int, ...]
    ) -> int:
        """Those of ``asking`` who get through a view to what it reads. A view inside of one with a definer is checked
        as him, whatever it says itself, unless it has a definer of its own."""
        if one.kind != "view" or action not in THROUGH_VIEWS:
            return asking
        if one.runs_as < 0 or "invoker" in one.flags:
            return self._reading(one, action, columns, asking, seen)
        number = self._sessions.definer(one.runs_as)
        if self._sessions.all[number].account < 0:
            return 0
        return asking if self._reading(one, action, columns, 1 << number, seen) else 0

    def _reading(
        self, one: SecuredObject, action: str, columns: tuple[str, ...], asking: int, seen: tuple[int, ...]
    ) -> int:
        for reads in one.reads:
            if reads.object not in seen:
                named = reads.columns if action == READ or not columns else columns
                below = self._snapshot.objects[reads.object]
                if below.kind != "view" or action not in self._matching.inner_unchecked:
                    asking &= self._sees(reads.object, action, named)
                asking = self._view(below, action, named, asking, (*seen, reads.object))
        return asking

    def _sees(self, table: int, action: str, columns: tuple[str, ...]) -> int:
        one = self._snapshot.objects[table]
        found = self._held(one, action) if action in self._snapshot.kind(one).actions else 0
        if not columns or action == "DELETE":
            return found
        by_columns = self._actives.everybody
        for column in columns:
            row = self._columns.get((table, column))
            by_columns &= found if row is None else self._held(row, action)
        return found | by_columns

    @cached_property
    def _columns(self) -> dict[tuple[int, str], SecuredObject]:
        return {(one.parent, one.path[-1]): one for one in self._snapshot.objects if one.kind == "column"}
