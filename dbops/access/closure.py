"""Sets of principals as the bits of one integer, and the closure of memberships.

A set of a thousand principals is 125 bytes, and joining or intersecting two is one machine operation: who may do
something is answered for everybody at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dbops.model.access import AccessSnapshot, Membership

__all__ = ["Closure", "each", "everybody", "with_attribute"]


def each(bits: int) -> Iterator[int]:
    """The positions of the set bits, ascending."""
    text = bin(bits)[:1:-1]
    at = text.find("1")
    while at >= 0:
        yield at
        at = text.find("1", at + 1)


def everybody(snapshot: AccessSnapshot) -> int:
    """All principals but the public, as a set."""
    return (1 << len(snapshot.principals)) - 2


def with_attribute(snapshot: AccessSnapshot, wanted: Iterable[str]) -> int:
    """The principals that have one of these attributes."""
    words = set(wanted)
    found = 0
    for number, principal in enumerate(snapshot.principals):
        if words.intersection(principal.attributes):
            found |= 1 << number
    return found


class Closure:
    """Who stands, over any number of memberships of one sort, for whom.

    :param follow: which memberships count (those that inherit, those that allow SET ROLE …).
    :param database: memberships of this database count beside those that hold everywhere.
    """

    def __init__(self, snapshot: AccessSnapshot, follow: Callable[[Membership], bool], database: str = "") -> None:
        self.members: list[set[int]] = [set() for _ in snapshot.principals]
        for one in snapshot.memberships:
            if follow(one) and one.database in ("", database):
                self.members[one.group].add(one.member)
        self._below: dict[int, int] = {}

    def holders(self, group: int) -> int:
        """``group`` itself and everybody who stands for it."""
        found = self._below.get(group)
        if found is None:
            found = self._below[group] = self._walk(group)
        return found

    def _walk(self, group: int) -> int:
        seen, waiting = 1 << group, [group]
        while waiting:
            for member in self.members[waiting.pop()]:
                known = self._below.get(member)
                if known is not None:
                    seen |= known
                elif not seen >> member & 1:
                    seen |= 1 << member
                    waiting.append(member)
        return seen
