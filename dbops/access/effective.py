"""Effective access, nominal and usable kept apart, from one snapshot.

*Nominal* is what the server's own privilege functions answer: grants to the principal, to what it inherits from and
to the public, predefined principals, and attributes that bypass everything. Owning alone gives nothing where an
engine says so. *Usable* also asks whether the account can log in, connect to the database, get through the schema,
and whether the owners of the views on the way can read what the views read.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from dbops.access.closure import Closure, each, everybody, with_attribute
from dbops.model.access import PUBLIC, AccessSnapshot, Kind, SecuredObject

__all__ = ["Effective"]

READ = "SELECT"
THROUGH_VIEWS = ("SELECT", "INSERT", "UPDATE", "DELETE")


class Effective:
    """Answers for everybody at once: each set is an integer whose bit n is principal n of the snapshot.

    :param now: decides which accounts have expired.
    """

    def __init__(self, snapshot: AccessSnapshot, now: datetime) -> None:
        self.snapshot = snapshot
        self.now = now
        self.everybody = everybody(snapshot)
        self.bypass = with_attribute(snapshot, snapshot.rules.bypass)
        self.row_bypass = with_attribute(snapshot, snapshot.rules.row_bypass)
        self.able = self._able()
        self._per_database = {one.database for one in snapshot.memberships if one.database}
        self._inherit: dict[str, Closure] = {}
        self._by_acl: dict[tuple[str, int, str], tuple[list[int], list[int]]] = {}
        self._everywhere = self._predefined()

    # -- principals -------------------------------------------------------------------------------------------------

    def inherits(self, database: str = "") -> Closure:
        """Who has whose privileges at once, in a database."""
        key = database if database in self._per_database else ""
        found = self._inherit.get(key)
        if found is None:
            found = self._inherit[key] = Closure(self.snapshot, lambda one: one.inherit, key)
        return found

    def becomes(self, database: str = "") -> Closure:
        """Who can SET ROLE to whom."""
        return Closure(self.snapshot, lambda one: one.set, database)

    def administers(self, group: int, database: str = "") -> int:
        """Who can let others into a group."""
        closure, found = self.inherits(database), self.bypass
        for one in self.snapshot.memberships:
            if one.admin and one.group == group:
                found |= closure.holders(one.member)
        return found

    def _able(self) -> int:
        """Those whose account by itself lets them log in now."""
        login = self.snapshot.rules.login
        found = 0
        for number, one in enumerate(self.snapshot.principals):
            fits = not login or login in one.attributes
            valid = one.valid_until is None or one.valid_until > self.now
            free = one.connection_limit != 0 or bool(self.bypass >> number & 1)
            if number != PUBLIC and fits and valid and free:
                found |= 1 << number
        return found

    # -- nominal ----------------------------------------------------------------------------------------------------

    def nominal(self, one: SecuredObject, action: str) -> int:
        """Everybody who holds ``action`` on an object; the public itself is not among them.

        :raises KeyError: the snapshot's rules know no such action for this kind.
        """
        kind = self.snapshot.kind(one)
        if action not in kind.actions:
            raise KeyError(action)
        if action in kind.admin_only and "catalog" in one.flags:
            return self.bypass
        allowed, denied = self._reach(one, kind, action)
        return ((allowed & ~denied) | self.bypass) & self.everybody

    def _reach(self, one: SecuredObject, kind: Kind, action: str) -> tuple[int, int]:
        allowed, denied = self._own(one, kind, action)
        for implied in kind.implied:
            if implied.action != action:
                continue
            above = self.ancestor(one, implied.by_kind)
            if above is not None:
                more, less = self._reach(above, self.snapshot.kind(above), implied.by_action)
                allowed, denied = allowed | more, denied | less
        return allowed, denied

    def _own(self, one: SecuredObject, kind: Kind, action: str) -> tuple[int, int]:
        database = one.database if kind.contained else ""
        allowed, denied = self._from_acl(one, kind, database)
        number = kind.actions.index(action)
        found = allowed[number]
        for principal in self._everywhere.get((kind.name, action), ()):
            found |= self.inherits(database).holders(principal)
        if action in kind.owner_actions and one.owner >= 0:
            found |= self.inherits(database).holders(one.owner)
        return found, denied[number]

    def _from_acl(self, one: SecuredObject, kind: Kind, database: str) -> tuple[list[int], list[int]]:
        key = (kind.name, one.acl, database if database in self._per_database else "")
        found = self._by_acl.get(key)
        if found is None:
            found = self._by_acl[key] = self._read_acl(one, kind, database)
        return found

    def _read_acl(self, one: SecuredObject, kind: Kind, database: str) -> tuple[list[int], list[int]]:
        closure = self.inherits(database)
        allowed, denied = [0] * len(kind.actions), [0] * len(kind.actions)
        for grant in self.snapshot.grants(one):
            holders = self.everybody if grant.grantee == PUBLIC else closure.holders(grant.grantee)
            for number in each(grant.actions):
                allowed[number] |= holders
            for number in each(grant.denied):
                denied[number] |= holders
        return allowed, denied

    def _predefined(self) -> dict[tuple[str, str], list[int]]:
        numbers = {one.name: number for number, one in enumerate(self.snapshot.principals)}
        found: dict[tuple[str, str], list[int]] = {}
        for rule in self.snapshot.rules.everywhere:
            if rule.principal in numbers:
                for kind in rule.kinds:
                    for action in rule.actions:
                        found.setdefault((kind, action), []).append(numbers[rule.principal])
        return found

    # -- usable -----------------------------------------------------------------------------------------------------

    def usable(self, one: SecuredObject, action: str) -> int:
        """Everybody who can log in and carry ``action`` out, as themselves.

        Writing through a view is followed to what it reads, column names taken to be the same below.
        """
        return self.nominal(one, action) & self.able & self.through(one) & self.behind(one, action)

    def through(self, one: SecuredObject) -> int:
        """Everybody whom the containing objects let through."""
        found = self.everybody
        for gate in self.snapshot.kind(one).gates:
            above = self.ancestor(one, gate.kind)
            if above is None:
                continue
            found &= 0 if "closed" in above.flags else self.nominal(above, gate.action)
        return found

    def ancestor(self, one: SecuredObject, kind: str) -> SecuredObject | None:
        """The nearest containing object of a kind (or of its family), or the object itself."""
        at: SecuredObject | None = one
        while at is not None:
            if at.kind == kind or self.snapshot.kind(at).family == kind:
                return at
            at = self.snapshot.objects[at.parent] if at.parent >= 0 else None
        return None

    def behind(self, one: SecuredObject, action: str) -> int:
        """As whom an action on a view is allowed on what the view stands on; everybody for what is no view."""
        if action not in THROUGH_VIEWS:
            return self.everybody
        if one.kind == "column" and one.parent >= 0:
            return self._behind(self.snapshot.objects[one.parent], action, one.path[-1:], frozenset())
        return self._behind(one, action, (), frozenset())

    def _behind(self, one: SecuredObject, action: str, columns: tuple[str, ...], seen: frozenset[int]) -> int:
        """A definer view is checked as its owner, whoever asks; an invoker view as the one who asks.

        An invoker view inside a definer view still checks the one who asks.
        https://www.postgresql.org/docs/current/sql-createview.html (security_invoker)
        """
        here = deeper = self.everybody
        for reads in one.reads:
            if reads.object not in seen:
                # Whatever is asked of a view, reading it reads all that its query names.
                named = reads.columns if action == READ or not columns else columns
                below = self.snapshot.objects[reads.object]
                here &= self._allowed(reads.object, action, named)
                deeper &= self._behind(below, action, named, seen | {reads.object})
        if not one.reads or "invoker" in one.flags:
            return here & deeper
        return deeper if here >> one.owner & 1 else 0

    def _allowed(self, table: int, action: str, columns: tuple[str, ...]) -> int:
        found = self.nominal(self.snapshot.objects[table], action)
        return found | self._by_columns(table, columns, action) if columns and action != "DELETE" else found

    def _by_columns(self, table: int, columns: tuple[str, ...], action: str) -> int:
        found = self.everybody
        for column in columns:
            row = self._columns.get((table, column))
            found &= 0 if row is None else self.nominal(row, action)
        return found

    @cached_property
    def _columns(self) -> dict[tuple[int, str], SecuredObject]:
        return {(one.parent, one.path[-1]): one for one in self.snapshot.objects if one.kind == "column"}

    # -- rows -------------------------------------------------------------------------------------------------------

    def row_limited(self, one: SecuredObject) -> int:
        """Everybody for whom row-level security decides which rows of a table they see and change."""
        if "rls" not in one.flags:
            return 0
        exempt = self.row_bypass
        if "rls_forced" not in one.flags and one.owner >= 0:
            exempt |= self.inherits(one.database).holders(one.owner)
        return self.everybody & ~exempt
