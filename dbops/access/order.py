"""An order of changes in which every prefix is safe, for engines that cannot make all of them at once.

Somebody may stop in the middle, or be killed. Until the rest is done nobody shall have more than what he had before and
will have after, and, as far as that allows, nobody shall be without what he keeps. None of these engines has denials.

* Accounts are made first, limits and conditions are set, who is to be locked is locked.
* A group gives up what it loses before somebody joins it, and somebody leaves a group before it gains.
* What replaces a right is there before the right is taken; where that cannot be had together with the rule above, the
  gap is chosen and not the excess.
* Who is to be let in is let in when all that is done; accounts go last.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from dbops.access.simulate import simulate
from dbops.model.access import PUBLIC, AccessSnapshot, Membership
from dbops.model.change import (
    AddDefault,
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    RemoveGrant,
    RemoveMembership,
    SetInherited,
    SetOwner,
)

__all__ = ["in_safe_order"]

# What is done for one principal, in the order in which it would be done if nothing else mattered.
GAIN, JOIN, LIST, LOSE, LEAVE = range(5)
Node = tuple[int, int]


def in_safe_order(snapshot: AccessSnapshot, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The same changes; one that both opens and closes an account is parted in two."""
    first: list[Change] = []
    last: list[Change] = []
    gone: list[Change] = []
    middle: list[Change] = []
    for change in _parted(changes, snapshot.rules.login):
        if isinstance(change, DropPrincipal):
            gone.append(change)
        elif isinstance(change, AlterPrincipal):
            (last if _opens(change, snapshot.rules.login) else first).append(change)
        elif isinstance(change, CreatePrincipal | SetOwner):
            first.append(change)
        else:
            middle.append(change)
    return (*first, *_Sorting(snapshot, changes, middle).sorted(), *last, *gone)


def _parted(changes: Iterable[Change], login: str) -> Iterator[Change]:
    """Locking comes before everything else that is taken from an account, letting in after everything that it gets."""
    for change in changes:
        if isinstance(change, AlterPrincipal) and login in (*change.gains, *change.loses):
            alone = AlterPrincipal(
                name=change.name,
                gains=tuple(word for word in change.gains if word == login),
                loses=tuple(word for word in change.loses if word == login),
            )
            rest = msgspec.structs.replace(
                change,
                gains=tuple(word for word in change.gains if word != login),
                loses=tuple(word for word in change.loses if word != login),
            )
            if rest.gains or rest.loses or rest.set_limit or rest.set_until:
                yield rest
            yield alone
        else:
            yield change


def _opens(change: AlterPrincipal, login: str) -> bool:
    """Letting in, or taking away a condition under which somebody may come in."""
    return login in change.gains or (bool(change.loses) and login not in change.loses)


class _Sorting:
    def __init__(self, snapshot: AccessSnapshot, changes: Sequence[Change], middle: Sequence[Change]) -> None:
        after = simulate(snapshot, changes)
        self._names = {one.name: number for number, one in enumerate(after.principals) if one.kind != "unknown"}
        self._names |= {one.name: number for number, one in enumerate(snapshot.principals)}
        self._before, self._after = _Reach(snapshot.memberships), _Reach(after.memberships)
        self._nodes: dict[Node, list[Change]] = {}
        self._rest: list[Change] = []
        self._must: dict[Node, set[Node]] = defaultdict(set)
        self._may: dict[Node, set[Node]] = defaultdict(set)
        self._place(middle)

    def _place(self, changes: Sequence[Change]) -> None:
        stripped: set[tuple[str, tuple[str, ...]]] = set()
        for change in changes:
            if isinstance(change, RemoveGrant):
                stripped.add((change.principal, change.object.path))
                self._put(LOSE, change.principal, change)
            elif isinstance(change, AddGrant):
                # What goes with the right on the whole comes back at once for the part.
                late = (change.principal, change.object.path[:-1]) in stripped
                self._put(LOSE if late else GAIN, change.principal, change)
            elif isinstance(change, AddMembership):
                self._put(LEAVE if change.less_admin else JOIN, change.member, change)
            elif isinstance(change, RemoveMembership):
                self._put(LEAVE, change.member, change)
            elif isinstance(change, SetInherited):
                self._put(LIST, change.member, change)
            elif isinstance(change, AddDefault):
                self._put(GAIN, change.principal, change)
            else:
                self._rest.append(change)

    def _put(self, phase: int, name: str, change: Change) -> None:
        number = PUBLIC if name.upper() == "PUBLIC" else self._names[name]
        self._nodes.setdefault((phase, number), []).append(change)

    def sorted(self) -> list[Change]:
        """All of them."""
        for number in {number for _, number in self._nodes}:
            self._of_one(number)
            self._of_groups(number)
            self._instead(number)
        for node in list(self._nodes):
            if node[0] in (GAIN, JOIN):
                self._before_that(self._may, node, (LOSE, PUBLIC))
        return [*(change for node in self._ordered() for change in self._nodes[node]), *self._rest]

    def _of_one(self, number: int) -> None:
        """A list of roles names what was granted, and is said again before one of them goes."""
        self._before_that(self._must, (JOIN, number), (LIST, number))
        self._before_that(self._must, (LIST, number), (LEAVE, number))
        for first in (GAIN, JOIN):
            for then in (LIST, LOSE, LEAVE):
                self._before_that(self._may, (first, number), (then, number))
        self._before_that(self._may, (LIST, number), (LOSE, number))

    def _of_groups(self, number: int) -> None:
        """Nobody has through a group what it is about to lose, or what is not meant for him any more."""
        before, after = self._before.of(number), self._after.of(number)
        for group in after - before:
            for phase in (LOSE, LEAVE):
                self._before_that(self._must, (phase, group), (JOIN, number))
                self._before_that(self._must, (phase, group), (LIST, number))
        for group in before - after:
            for phase in (GAIN, JOIN):
                self._before_that(self._must, (LEAVE, number), (phase, group))
                self._before_that(self._must, (LIST, number), (phase, group))

    def _instead(self, number: int) -> None:
        """What he will have through groups is there before he loses, and what he gets before his groups lose."""
        for group in self._after.of(number):
            for first in (GAIN, JOIN):
                for then in (LIST, LOSE, LEAVE):
                    self._before_that(self._may, (first, group), (then, number))
        for group in self._before.of(number):
            for first in (GAIN, JOIN, LIST):
                for then in (LOSE, LEAVE):
                    self._before_that(self._may, (first, number), (then, group))

    def _before_that(self, edges: dict[Node, set[Node]], first: Node, then: Node) -> None:
        if first != then and first in self._nodes and then in self._nodes:
            edges[first].add(then)

    def _ordered(self) -> Iterator[Node]:
        """What waits for nothing comes first; when all wait, what waits only for the lesser rule."""
        must, may = _waiting(self._must), _waiting(self._may)
        left = dict.fromkeys(sorted(self._nodes))
        ready = [node for node in left if not must[node] and not may[node]]
        heapq.heapify(ready)
        while left:
            node = heapq.heappop(ready) if ready else min(left, key=lambda one: (must[one] > 0, one))
            del left[node]
            yield node
            for edges, waiting in ((self._must, must), (self._may, may)):
                for then in edges.get(node, ()):
                    waiting[then] -= 1
                    if then in left and not must[then] and not may[then]:
                        heapq.heappush(ready, then)


def _waiting(edges: dict[Node, set[Node]]) -> dict[Node, int]:
    found: dict[Node, int] = defaultdict(int)
    for targets in edges.values():
        for then in targets:
            found[then] += 1
    return found


class _Reach:
    """The groups that somebody is in, over any number of memberships."""

    def __init__(self, memberships: Iterable[Membership]) -> None:
        self._groups: dict[int, set[int]] = defaultdict(set)
        for row in memberships:
            self._groups[row.member].add(row.group)
        self._known: dict[int, frozenset[int]] = {}

    def of(self, number: int) -> frozenset[int]:
        """All of them."""
        if number not in self._known:
            seen: set[int] = set()
            waiting = [number]
            while waiting:
                more = self._groups.get(waiting.pop(), set()) - seen
                seen |= more
                waiting.extend(more)
            self._known[number] = frozenset(seen)
        return self._known[number]
