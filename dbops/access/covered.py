"""Effective access where rights cover what is inside of what they were granted on, and can be denied.

The steps are those that SQL Server documents: members of one role, and the owner of a database or of the thing itself,
are not asked; else everything that was granted or denied to anybody in the security context, on the thing or on what
contains it, directly or by an action that covers the wanted one, is put together, and a denial wins. A right that was
granted on a column stands against a denial on its table, and against no other.
https://learn.microsoft.com/sql/relational-databases/security/permissions-database-engine (the check algorithm)
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property

from dbops.access.closure import Closure, each
from dbops.access.contexts import Contexts
from dbops.access.effective import THROUGH_VIEWS, Effective
from dbops.model.access import PUBLIC, AccessSnapshot, Covering, Grant, Kind, SecuredObject

__all__ = ["Covered"]

Pair = tuple[int, int]
Said = tuple[int, bool, Grant | None]
NOBODY: Pair = (0, 0)


class Covered(Effective):
    """Answers for everybody at once: who is allowed something and who is denied it, as sets of principals."""

    def __init__(self, snapshot: AccessSnapshot, now: datetime) -> None:
        covering = snapshot.rules.covering
        if covering is None:
            raise TypeError("the rules of this snapshot say nothing about covering")
        self.covering: Covering = covering
        self.contexts = Contexts(snapshot, covering, self._reaching, self._invited)
        self._rights: dict[tuple[int, str], Pair] = {}
        self._on: dict[tuple[str, str, int, int, str], Pair] = {}
        self._containing: dict[tuple[int, str, str], Pair] = {}
        self._exempt: dict[tuple[str, int], int] = {}
        self._covers: dict[tuple[str, str], tuple[tuple[str, ...], tuple[tuple[str, str], ...]]] = {}
        self._lists: dict[tuple[str, int, bool], tuple[list[int], list[int]]] = {}
        self._fixed: dict[tuple[str, str], list[tuple[str, bool]]] = {}
        for rule in covering.fixed:
            for action in rule.actions:
                self._fixed.setdefault((rule.kind, action), []).append((rule.role, True))
            for action in rule.denied:
                self._fixed.setdefault((rule.kind, action), []).append((rule.role, False))
        super().__init__(snapshot, now)
        self.bypass = self.contexts.unbound & self.everybody

    # -- principals -------------------------------------------------------------------------------------------------

    def inherits(self, database: str = "") -> Closure:  # noqa: ARG002
        """Who has whose rights: in whose security context a principal is."""
        return self.contexts

    def becomes(self, database: str = "") -> Closure:
        """Who can execute as whom: accounts and users that can be impersonated."""
        found = Closure(self.snapshot, lambda _: False, database)
        for one in self.snapshot.objects:
            action = self.covering.accounts.get(one.kind, "")
            number = self.principal_of(one) if action else -1
            if number >= 0:
                found.members[number] |= set(each(self.nominal(one, action) & ~(1 << number)))
        return found

    def administers(self, group: int, database: str = "") -> int:  # noqa: ARG002
        """Who can let others into a role: who may alter it, and where each member can, the members."""
        found = self.bypass
        for row in self.snapshot.memberships:
            if row.admin and row.group == group:
                found |= self.contexts.holders(row.member)
        for one in self.snapshot.objects:
            if one.kind in self.covering.accounts and self.principal_of(one) == group:
                found |= self._held(one, self.covering.alters)
        return found

    def principal_of(self, one: SecuredObject) -> int:
        """The principal that an object stands for; -1 for other objects."""
        if one.kind not in self.covering.accounts or not one.path:
            return -1
        *database, name = one.path
        return self.contexts.named("".join(database), name)

    def _able(self) -> int:
        """Accounts that log in, and the users that they are in databases."""
        server = next((one for one in self.snapshot.objects if one.kind == "server"), None)
        found = super()._able()
        if server is not None:
            found &= self._held(server, self.covering.connects) | ~self.contexts.on_server
        for account in list(each(found & self.contexts.on_server)):
            for user in self.contexts.users(account):
                found |= 1 << user
        return found

    # -- nominal ----------------------------------------------------------------------------------------------------

    def nominal(self, one: SecuredObject, action: str) -> int:
        """Everybody who holds ``action`` on an object.

        :raises KeyError: the snapshot's rules know no such action for this kind.
        """
        if action not in self.snapshot.kind(one).actions:
            raise KeyError(action)
        return self._held(one, action) & ((1 << len(self.snapshot.principals)) - 2)

    def _held(self, one: SecuredObject, action: str) -> int:
        allowed, denied = self.rights(one, action)
        return (allowed & ~denied) | self.exempt(one)

    def exempt(self, one: SecuredObject) -> int:
        """Who is not asked: the unbound, those who own the database, and the owner of the thing itself."""
        database = one.database if self.snapshot.kind(one).contained else ""
        known = self._exempt.get((database, one.owner))
        if known is None:
            known = self.contexts.owning(database) if database else self.contexts.unbound
            known |= self.contexts.being(one.owner) if one.owner >= 0 else 0
            self._exempt[database, one.owner] = known
        return known

    def rights(self, one: SecuredObject, action: str) -> Pair:
        """Who is allowed and who is denied an action, by all that was said on an object and on what contains it."""
        if one.kind == "column" and one.parent >= 0:
            return self._on_column(one, action)
        return self._put_together(one, action, guests=True)

    def _on_column(self, one: SecuredObject, action: str) -> Pair:
        table = self.snapshot.objects[one.parent]
        allowed, denied = self._said(one, action, guests=True)
        there, barred = self._on_whole(one, table, action)
        more, less = self._above(table, action, guests=True)
        return allowed | there | more, denied | (barred & ~allowed) | less

    def _on_whole(self, column: SecuredObject, table: SecuredObject, action: str) -> Pair:
        if not self._apart(column, action):
            return self._here(table, action, guests=True)
        allowed = denied = 0
        kind = self.snapshot.kind(table)
        for covering in (word for word in self.covers(kind, action)[0] if word in kind.actions):
            for principal, gives, _ in self.counting(column, table, covering):
                holders = self._holders(principal, guests=True)
                allowed, denied = (allowed | holders, denied) if gives else (allowed, denied | holders)
        return allowed, denied

    def _apart(self, column: SecuredObject, action: str) -> set[int]:
        actions = self.snapshot.kind(column).actions
        bit = 1 << actions.index(action) if action in actions else 0
        return {grant.grantee for grant in self.snapshot.grants(column) if grant.apart & bit}

    def counting(self, one: SecuredObject, place: SecuredObject, action: str) -> Iterator[Said]:
        """What :meth:`said` tells of a place, as far as it counts for an object there: a column that was revoked apart
        from its table has nothing of what was said to the same grantee on that."""
        on_table = one.kind == "column" and one.parent >= 0 and place == self.snapshot.objects[one.parent]
        apart = self._apart(one, action) if on_table else ()
        for found in self.said(place, action):
            if found[2] is None or found[0] not in apart:
                yield found

    def _put_together(self, one: SecuredObject, action: str, *, guests: bool) -> Pair:
        allowed, denied = self._here(one, action, guests=guests)
        more, less = self._above(one, action, guests=guests)
        return allowed | more, denied | less

    def covers(self, kind: Kind, action: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        """The actions that cover one: those on a thing of the same kind, and those on what contains it, by kind."""
        known = self._covers.get((kind.name, action))
        if known is None:
            known = self._covers[kind.name, action] = _walk(kind, action)
        return known

    def places(self, one: SecuredObject, action: str) -> Iterator[tuple[SecuredObject, str]]:
        """Everywhere that something said decides about an action on an object, and what has to be said there."""
        seen, waiting = set[tuple[str, tuple[str, ...], str]](), [(one, action)]
        while waiting:
            at, word = waiting.pop(0)
            key = at.kind, at.path, word
            if key in seen:
                continue
            seen.add(key)
            kind = self.snapshot.kind(at)
            if word in kind.actions:
                yield at, word
            same, above = self.covers(kind, word)
            waiting += [(at, other) for other in same[1:]]
            for by_kind, covering in above:
                found = self.ancestor(at, by_kind)
                waiting += [(found, covering)] if found is not None else []

    def said(self, one: SecuredObject, action: str) -> Iterator[Said]:
        """Whom an action on an object itself is allowed (else denied), by a row, by owning it, or by a fixed role.

        The row is None where it follows from something else.
        """
        kind = self.snapshot.kind(one)
        bit = 1 << kind.actions.index(action)
        for grant in self.snapshot.grants(one):
            if grant.actions & bit:
                yield grant.grantee, True, grant
            if grant.denied & bit:
                yield grant.grantee, False, grant
        if action in kind.owner_actions and one.owner >= 0:
            yield one.owner, True, None
        for role, gives in self._fixed.get((kind.name, action), ()):
            at = self.contexts.named(one.database if kind.contained else "", role)
            if at >= 0:
                yield at, gives, None

    def _here(self, one: SecuredObject, action: str, *, guests: bool) -> Pair:
        """What was said on an object itself; the same for all of a kind, a database, an owner and an access list."""
        key = one.kind, one.database, one.owner, one.acl, action
        known = self._on.get(key) if guests else None
        if known is not None:
            return known
        allowed = denied = 0
        for covering in self.covers(self.snapshot.kind(one), action)[0]:
            more, less = self._said(one, covering, guests=guests)
            allowed, denied = allowed | more, denied | less
        if guests:
            self._on[key] = allowed, denied
        return allowed, denied

    def _above(self, one: SecuredObject, action: str, *, guests: bool) -> Pair:
        """What was said on all that contains an object; the same for all objects of a kind in one place."""
        known = self._containing.get((one.parent, one.kind, action)) if guests else None
        if known is not None:
            return known
        allowed = denied = 0
        for by_kind, covering in self.covers(self.snapshot.kind(one), action)[1]:
            more, less = self._from(one.parent, by_kind, covering, guests)
            allowed, denied = allowed | more, denied | less
        if guests:
            self._containing[one.parent, one.kind, action] = allowed, denied
        return allowed, denied

    def _from(self, parent: int, kind: str, action: str, guests: bool) -> Pair:
        while parent >= 0 and self.snapshot.objects[parent].kind != kind:
            parent = self.snapshot.objects[parent].parent
        if parent < 0:
            return NOBODY
        if not guests:
            return self._put_together(self.snapshot.objects[parent], action, guests=False)
        known = self._rights.get((parent, action))
        if known is None:
            known = self._rights[parent, action] = self._put_together(
                self.snapshot.objects[parent], action, guests=True
            )
        return known

    # -- what was said ----------------------------------------------------------------------------------------------

    def _said(self, one: SecuredObject, action: str, *, guests: bool) -> Pair:
        kind = self.snapshot.kind(one)
        if action not in kind.actions:
            return NOBODY
        allowed, denied = self._listed(one, kind, guests=guests)
        number = kind.actions.index(action)
        found, barred = allowed[number], denied[number]
        if action in kind.owner_actions and one.owner >= 0:
            found |= self._holders(one.owner, guests)
        for role, gives in self._fixed.get((kind.name, action), ()):
            at = self.contexts.named(one.database if kind.contained else "", role)
            holders = self._holders(at, guests) if at >= 0 else 0
            found, barred = (found | holders, barred) if gives else (found, barred | holders)
        return found, barred

    def _listed(self, one: SecuredObject, kind: Kind, *, guests: bool) -> tuple[list[int], list[int]]:
        known = self._lists.get((kind.name, one.acl, guests))
        if known is None:
            allowed, denied = [0] * len(kind.actions), [0] * len(kind.actions)
            for grant in self.snapshot.grants(one):
                holders = self._holders(grant.grantee, guests)
                for number in each(grant.actions):
                    allowed[number] |= holders
                for number in each(grant.denied):
                    denied[number] |= holders
            known = self._lists[kind.name, one.acl, guests] = allowed, denied
        return known

    def _holders(self, principal: int, guests: bool) -> int:
        if guests or principal == PUBLIC:
            return self.contexts.holders(principal)
        return self.contexts.without_guests(principal)

    # -- databases --------------------------------------------------------------------------------------------------

    @cached_property
    def databases(self) -> dict[str, SecuredObject]:
        """By name."""
        return {one.path[0]: one for one in self.snapshot.objects if one.kind == "database"}

    def _reaching(self, database: str) -> int:
        one = self.databases.get(database)
        if one is None:
            return 0
        allowed, denied = self._above(one, self.covering.enters, guests=True)
        return allowed & ~denied & self.contexts.on_server

    def _invited(self, database: str) -> bool:
        one, guest = self.databases.get(database), self.contexts.named(database, self.covering.guest)
        if one is None or guest < 0:
            return False
        allowed, denied = self._put_together(one, self.covering.enters, guests=False)
        return bool((allowed & ~denied) >> guest & 1)

    # -- usable -----------------------------------------------------------------------------------------------------

    def behind(self, one: SecuredObject, action: str) -> int:
        """For whom a view is allowed what it stands on: all of it that the chain of ownership does not reach."""
        if action not in THROUGH_VIEWS:
            return self.everybody
        view = self.snapshot.objects[one.parent] if one.kind == "column" and one.parent >= 0 else one
        return self._through_chain(view, action, frozenset())

    def _through_chain(self, one: SecuredObject, action: str, seen: frozenset[int]) -> int:
        found = self.everybody
        for reads in one.reads:
            if reads.object in seen:
                continue
            below = self.snapshot.objects[reads.object]
            if action in self.snapshot.kind(below).actions:
                if not self.chained(one, below):
                    found &= self.nominal(below, action)
                if below.database != one.database:
                    found &= self.through(below)
            found &= self._through_chain(below, action, seen | {reads.object})
        return found

    def chained(self, one: SecuredObject, below: SecuredObject) -> bool:
        """Whether the server does not ask for rights on what a view or routine stands on: both have one owner.

        In another database both databases have to let chains pass, and the owners are to be one account.
        """
        if one.owner < 0 or below.owner < 0:
            return False
        if one.database == below.database:
            return one.owner == below.owner
        ends = [self.databases.get(name) for name in (one.database, below.database)]
        let = all(end is not None and "chaining" in end.flags for end in ends)
        return let and self.contexts.account(one.owner) == self.contexts.account(below.owner)


def _walk(kind: Kind, action: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    same, above, waiting = [action], list[tuple[str, str]](), [action]
    while waiting:
        at = waiting.pop()
        for implied in kind.implied:
            if implied.action != at:
                continue
            if implied.by_kind != kind.name:
                above.append((implied.by_kind, implied.by_action))
            elif implied.by_action not in same:
                same.append(implied.by_action)
                waiting.append(implied.by_action)
    return tuple(same), tuple(dict.fromkeys(above))
