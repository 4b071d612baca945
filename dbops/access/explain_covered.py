"""Why somebody may do something where rights are covered and denied; the least revoke."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from dbops.access.blocks_covered import Blocks
from dbops.access.covered import Covered
from dbops.access.cut import Edge, minimal_cut
from dbops.access.naming import label
from dbops.access.simulate import simulate
from dbops.model.access import PUBLIC, Grant, Membership, SecuredObject
from dbops.model.audit import Explanation, Hop
from dbops.model.change import Change, ObjectName, RemoveGrant, RemoveMembership

__all__ = ["explain"]

PATHS = 100
ROUNDS = 20
"""How often another way may open before it is given up."""
GOAL = -1


def explain(effective: Covered, who: int, action: str, one: SecuredObject) -> Explanation:
    """Everything about one question but the SQL, which a backend renders."""
    ways = _Ways(effective, who, action, one)
    allowed = ways.allowed()
    usable = bool(effective.usable(one, action) >> who & 1)
    found = list(islice(ways.paths(), PATHS + 1)) if allowed else []
    blocks = Blocks(effective, who, action, one)
    return Explanation(
        principal=effective.snapshot.principals[who].name,
        action=action,
        object=ways.label,
        allowed=allowed,
        usable=usable,
        paths=tuple(found[:PATHS]),
        more_paths=len(found) > PATHS,
        blocked_by=() if usable else tuple(blocks.all(allowed=allowed)),
        limits=tuple(blocks.limits()) if usable else (),
        changes=_least(effective, who, action, one) if allowed else (),
    )


def _least(effective: Covered, who: int, action: str, one: SecuredObject) -> tuple[Change, ...]:
    """The fewest grants and memberships without which nothing of it is left; none when no revoke can do that.

    Who leaves a role also leaves what is denied to it behind, so that another way may open: it is tried out.
    """
    found, now = list[Change](), effective
    for _ in range(ROUNDS):
        place = next(other for other in now.snapshot.objects if (other.kind, other.path) == (one.kind, one.path))
        ways = _Ways(now, who, action, place)
        if not ways.allowed():
            return tuple(found)
        more = ways.cut()
        if not more:
            break
        found += more
        now = Covered(simulate(effective.snapshot, found), effective.now)
    return ()


class _Ways:
    """The ways from a principal to an action on an object: for whom it stands, then what was said to one of those."""

    def __init__(self, effective: Covered, who: int, action: str, one: SecuredObject) -> None:
        self._effective, self._snapshot = effective, effective.snapshot
        self._who, self._action, self._object = who, action, one
        self._contexts = effective.contexts
        self.label = label(self._snapshot, one)
        self._database = one.database if self._snapshot.kind(one).contained else ""
        self._rows: dict[int, list[Membership]] = {}
        for row in self._snapshot.memberships:
            if row.inherit and self._snapshot.principals[row.group].database in ("", self._database):
                self._rows.setdefault(row.member, []).append(row)
        self._ends: dict[int, list[tuple[Hop, Change | None]]] = {}
        self._collect()

    def allowed(self) -> bool:
        """Whether it is held; what everybody of the server holds was said to the public by name."""
        if self._who != PUBLIC:
            return bool(self._effective.nominal(self._object, self._action) >> self._who & 1)
        allowed, denied = self._effective.rights(self._object, self._action)
        return bool((allowed & ~denied) & 1)

    def paths(self) -> Iterator[tuple[Hop, ...]]:
        """All simple ways."""
        yield from self._walk(self._who, (), {self._who})

    def _walk(self, at: int, trail: tuple[Hop, ...], seen: set[int]) -> Iterator[tuple[Hop, ...]]:
        for hop, _ in self._ends.get(at, ()):
            yield (*trail, hop)
        for hop, group, _ in self._up(at):
            if group not in seen and self._leads(group):
                yield from self._walk(group, (*trail, hop), seen | {group})

    def _leads(self, group: int) -> bool:
        return any(self._contexts.holders(end) >> group & 1 for end in self._ends)

    def _up(self, at: int) -> Iterator[tuple[Hop, int, Change | None]]:
        """For whom somebody stands at once."""
        for row in self._rows.get(at, ()):
            yield self._member(row), row.group, self._leaving(row)
        database = self._snapshot.principals[at].database
        for where in dict.fromkeys(("", self._database)):
            everybody = PUBLIC if not where else self._contexts.named(where, self._effective.covering.everybody)
            if everybody not in (-1, at) and at == self._who and self._contexts.holders(everybody) >> at & 1:
                yield Hop(kind="public", from_=self._name(at), to=self._name(everybody)), everybody, None
        guest = self._contexts.named(self._database, self._effective.covering.guest) if self._database else -1
        if guest >= 0 and not database and self._contexts.guests(self._database) >> at & 1:
            via = f"the guest of database:{self._database}, being no user there"
            yield Hop(kind="implicit", from_=self._name(at), to=self._name(guest), via=via), guest, None

    def _member(self, row: Membership) -> Hop:
        kind = "implicit" if row.implicit else "member"
        via = (
            "" if not row.implicit else f"its user in database:{row.database}" if row.database else "a group of Windows"
        )
        return Hop(kind=kind, from_=self._name(row.member), to=self._name(row.group), via=via)

    def _leaving(self, row: Membership) -> Change | None:
        if row.implicit:
            return None
        return RemoveMembership(member=self._name(row.member), group=self._name(row.group), admin=row.admin)

    def cut(self) -> tuple[Change, ...]:
        """The fewest grants and memberships that all ways lead over; none when one leads over nothing of the kind."""
        edges = list[Edge[Change]]()
        seen, waiting = {self._who}, [self._who]
        while waiting:
            at = waiting.pop()
            edges += [Edge(at, GOAL, change) for _, change in self._ends.get(at, ())]
            for _, group, change in self._up(at):
                edges.append(Edge(at, group, change))
                if group not in seen:
                    seen.add(group)
                    waiting.append(group)
        cut = minimal_cut(edges, self._who, GOAL)
        return () if cut is None else tuple(cut)

    # -- where ways end -----------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        self._exempt()
        allowed, denied = self._effective.rights(self._object, self._action)
        if self._who != PUBLIC and not (allowed & ~denied) >> self._who & 1:
            return  # only those who are not asked have it in spite of a denial
        for place, action in self._effective.places(self._object, self._action):
            for principal, gives, row in self._effective.counting(self._object, place, action):
                if gives:
                    self._given(place, action, principal, row)

    def _exempt(self) -> None:
        covering = self._effective.covering
        unbound = self._contexts.named("", covering.unbound)
        if unbound >= 0:
            self._end(unbound, "bypass", f"nothing is denied to {covering.unbound}", None)
        owner = self._contexts.named(self._database, covering.owner) if self._database else -1
        if owner >= 0:
            self._end(owner, "bypass", f"owns database:{self._database}", None)
        mine = self._object.owner
        if mine >= 0 and mine != owner and self._contexts.being(mine) >> self._who & 1:
            self._end(mine, "owner", self.label, None)

    def _given(self, place: SecuredObject, action: str, principal: int, row: Grant | None) -> None:
        where = label(self._snapshot, place)
        via = f"{action} on {where}"
        if row is not None:
            self._end(principal, "grant", via, self._revoked(place, action, row), self._name(row.grantor))
        elif place.owner == principal:
            if not any(hop.kind == "owner" and hop.via == where for hop, _ in self._ends.get(principal, ())):
                self._end(principal, "owner", where, None)
        else:
            self._end(principal, "predefined", via, None)

    def _revoked(self, place: SecuredObject, action: str, row: Grant) -> RemoveGrant:
        bit = 1 << self._snapshot.kind(place).actions.index(action)
        return RemoveGrant(
            principal=self._name(row.grantee),
            object=ObjectName(place.kind, place.path),
            actions=(action,),
            grantable=bool(row.grantable & bit),
            grantor="" if self._by_owner(place, row.grantor) else self._name(row.grantor),
        )

    def _by_owner(self, place: SecuredObject, grantor: int) -> bool:
        """Who revokes is taken for the owner: only what somebody else passed on is to be revoked in his name."""
        if grantor < 0 or grantor == place.owner:
            return True
        one = self._snapshot.principals[grantor]
        where = place.database if self._snapshot.kind(place).contained else ""
        owner = self._contexts.named(where, self._effective.covering.owner) if where else -1
        return grantor == owner or (not where and (one.system or bool(self._contexts.unbound >> grantor & 1)))

    def _end(self, who: int, kind: str, via: str, change: Change | None, grantor: str = "") -> None:
        hop = Hop(kind=kind, from_=self._name(who), to=self.label, via=via, grantor=grantor)
        self._ends.setdefault(who, []).append((hop, change))

    def _name(self, number: int) -> str:
        return self._snapshot.principals[number].name if number >= 0 else ""
