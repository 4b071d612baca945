"""Why somebody may do something where rows are matched by pattern; what stands in the way; the least revoke.

What a revoke changes is tried out: without one row another one may count in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from dbops.access.blocks_matched import Blocks
from dbops.access.matched import Matched
from dbops.access.naming import label
from dbops.access.reasons import Reasons, Source
from dbops.access.simulate import simulate
from dbops.access.undecided import undecided
from dbops.model.access import PUBLIC, AccessSnapshot, Membership, SecuredObject
from dbops.model.audit import Explanation, Hop
from dbops.model.change import Change, ObjectName, RemoveGrant, RemoveMembership

__all__ = ["explain"]

PATHS = 100
TRIED = 60
"""How many revokes are tried alone, and out of how many the needless ones are taken."""


def explain(effective: Matched, who: int, action: str, one: SecuredObject) -> Explanation:
    """Everything about one question but the SQL, which a backend renders."""
    ways = _Ways(effective, who, action, one)
    allowed = bool(effective.held(one, action) >> who & 1)
    usable = bool(effective.usable(one, action) >> who & 1)
    found = list(islice(ways.paths(), PATHS + 1)) if allowed else []
    return Explanation(
        principal=effective.snapshot.principals[who].name,
        action=action,
        object=ways.label,
        allowed=allowed,
        usable=usable,
        paths=tuple(found[:PATHS]),
        more_paths=len(found) > PATHS,
        blocked_by=() if usable else tuple(Blocks(ways.reasons, one).all(allowed=allowed)),
        limits=_limits(effective, who, action, one),
        changes=_least(effective, who, action, one) if allowed else (),
    )


def _limits(effective: Matched, who: int, action: str, one: SecuredObject) -> tuple[str, ...]:
    found: list[str] = []
    if undecided(effective, one, action) >> who & 1:
        found.append(
            "two rows are equally specific and differ: which one counts depends on the order in which they were granted"
        )
    view = effective.ancestor(one, "table")
    if view is not None and "unread" in view.flags:
        found.append(f"the query of {label(effective.snapshot, view)} is not shown to this login: not followed")
    return tuple(found)


class _Ways:
    """The ways from a session to an action on an object."""

    def __init__(self, effective: Matched, who: int, action: str, one: SecuredObject) -> None:
        self.reasons = Reasons(effective, who, action)
        self._effective, self._snapshot = effective, effective.snapshot
        self._who, self._action, self._object = who, action, one
        self.label = label(self._snapshot, one)
        self._account = effective.sessions.all[who].account
        self._groups: dict[int, list[Membership]] = {}
        for row in self._snapshot.memberships:
            self._groups.setdefault(row.member, []).append(row)

    def _name(self, number: int) -> str:
        return self._snapshot.principals[number].name

    def paths(self) -> Iterator[tuple[Hop, ...]]:
        """All simple ways."""
        for source in self.reasons.sources(self._object):
            yield from self._to(source)
        rule = next((one for one in self._effective.matching.reserved if one.database == self._object.database), None)
        if rule is not None and self._action in rule.everybody:
            via = f"everybody has {self._action} in {rule.database}"
            yield (Hop(kind="predefined", from_=self._name(self._who), to=self.label, via=via),)

    def _to(self, source: Source) -> Iterator[tuple[Hop, ...]]:
        here = self._snapshot.objects[source.object]
        via = f"{source.action} on {label(self._snapshot, here)}"
        grant = Hop(kind="grant", from_=self._name(source.principal), to=self.label, via=via)
        for trail in self._reaching(source.principal):
            yield (*self._as_account(), *trail, grant)

    def _as_account(self) -> tuple[Hop, ...]:
        if self._account in (self._who, -1):
            return ()
        origin = self._effective.sessions.all[self._who].origin
        via = f"whom the server takes for it, coming from {origin}"
        return (Hop(kind="account", from_=self._name(self._who), to=self._name(self._account), via=via),)

    def _reaching(self, principal: int) -> Iterator[tuple[Hop, ...]]:
        if principal == self._account:
            yield ()
            return
        found = False
        for trail in self.by_role(self._account, principal, first=True):
            found = True
            yield trail
        if self._who != PUBLIC and not found:
            for trail in [()] if principal == PUBLIC else self.by_role(PUBLIC, principal, first=True):
                found = True
                yield (Hop(kind="public", from_=self._name(self._account), to="PUBLIC"), *trail)
        if not found:
            yield (self._match(principal),)

    def by_role(self, start: int, goal: int, *, first: bool) -> Iterator[tuple[Hop, ...]]:
        """Memberships from one principal to another; the first one is to be active."""
        yield from self._walk(start, goal, (), {start}, first=first)

    def _walk(
        self, at: int, goal: int, trail: tuple[Hop, ...], seen: set[int], *, first: bool
    ) -> Iterator[tuple[Hop, ...]]:
        for row in self._groups.get(at, ()):
            counts = row.inherit if first else not row.implicit
            if not counts or row.group in seen or goal not in self._effective.actives.leads(row.group):
                continue
            hops = (*trail, self._member(row))
            if row.group == goal:
                yield hops
            else:
                yield from self._walk(row.group, goal, hops, seen | {row.group}, first=False)

    def _member(self, row: Membership) -> Hop:
        kind, via = ("implicit", "a role of everybody") if row.implicit else ("member", "")
        return Hop(kind=kind, from_=self._name(row.member), to=self._name(row.group), via=via)

    def _match(self, principal: int) -> Hop:
        """Rows of another account of the same user, or of nobody."""
        origin = self._effective.sessions.all[self._who].origin
        via = f"rows of {self._name(principal)} are for sessions from {origin}"
        return Hop(kind="match", from_=self._name(self._account), to=self._name(principal), via=via)


# -- the least revoke --------------------------------------------------------------------------------------------------


def _least(effective: Matched, who: int, action: str, one: SecuredObject) -> tuple[Change, ...]:
    """Revokes without which it is not held any more, none of them to spare; one alone where one is enough."""
    tried = _Tried(effective, who, action, one)
    candidates = tried.candidates(effective)
    for change in candidates[:TRIED]:
        if not tried.held((change,)):
            return (change,)
    together = tried.together(candidates)
    return tried.pruned(together) if together else ()


class _Tried:
    """What would be held after some revokes."""

    def __init__(self, effective: Matched, who: int, action: str, one: SecuredObject) -> None:
        self._effective, self._who, self._action = effective, who, action
        self._name = ObjectName(one.kind, one.path)

    def after(self, changes: Sequence[Change]) -> Matched:
        snapshot = simulate(self._effective.snapshot, changes)
        return Matched(snapshot, self._effective.now, self._effective.sessions)

    def held(self, changes: Sequence[Change]) -> bool:
        later = self.after(changes)
        return bool(later.held(_named(later.snapshot, self._name), self._action) >> self._who & 1)

    def candidates(self, effective: Matched) -> list[Change]:
        """Grants that count, then memberships by which they do; the nearest to the object first."""
        reasons = Reasons(effective, self._who, self._action)
        sources = list(reasons.sources(_named(effective.snapshot, self._name)))
        grants: list[Change] = [_revoking(effective, source) for source in sources]
        leaving = [change for source in sources for change in self._leaving(effective, source)]
        return list(dict.fromkeys([*grants, *leaving]))

    def _leaving(self, effective: Matched, source: Source) -> Iterator[Change]:
        account, people = effective.sessions.all[self._who].account, effective.snapshot.principals
        for row in effective.snapshot.memberships:
            leads = row.inherit and not row.implicit and source.principal in effective.actives.leads(row.group)
            if row.member == account and leads:
                yield RemoveMembership(
                    member=people[row.member].name,
                    group=people[row.group].name,
                    inherit=row.inherit,
                    set=row.set,
                    admin=row.admin,
                )

    def together(self, candidates: Sequence[Change]) -> tuple[Change, ...]:
        """All that gives it, and what comes to count in its place, until nothing does."""
        found: list[Change] = []
        while True:
            grants = [change for change in candidates if isinstance(change, RemoveGrant) and change not in found]
            if not grants:
                return ()
            found += grants
            later = self.after(found)
            if not later.held(_named(later.snapshot, self._name), self._action) >> self._who & 1:
                return tuple(found)
            candidates = self.candidates(later)

    def pruned(self, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        """Without those that are not needed."""
        kept = list(changes)
        for change in changes if len(changes) <= TRIED else ():
            rest = [one for one in kept if one != change]
            if rest and not self.held(rest):
                kept = rest
        return tuple(kept)


def _named(snapshot: AccessSnapshot, name: ObjectName) -> SecuredObject:
    return next(one for one in snapshot.objects if (one.kind, one.path) == (name.kind, name.path))


def _revoking(effective: Matched, source: Source) -> RemoveGrant:
    one = effective.snapshot.objects[source.object]
    return RemoveGrant(
        principal=effective.snapshot.principals[source.principal].name,
        object=ObjectName(one.kind, one.path),
        actions=(source.action,),
    )
