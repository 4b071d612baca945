"""One object's access list, made as a spec wants it: what is given, denied and taken, and what others keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dbops.access.simulate import Simulation
from dbops.model.access import Grant
from dbops.model.change import AddGrant, ObjectName, RemoveGrant

__all__ = ["NOTHING", "Settled", "Wish", "granting", "settle"]


class Wish(NamedTuple):
    """Bits that somebody shall have on an object, those among them to be passed on, and those that are forbidden."""

    actions: int = 0
    grantable: int = 0
    denied: int = 0

    def and_also(self, other: Wish) -> Wish:
        """Both."""
        return Wish(self.actions | other.actions, self.grantable | other.grantable, self.denied | other.denied)

    def without(self, other: Wish) -> Wish:
        """What is missing when the other is there."""
        return Wish(self.actions & ~other.actions, self.grantable & ~other.grantable, self.denied & ~other.denied)


NOTHING = Wish()


class Settled(NamedTuple):
    """The changes, in the order of their parts: a denial goes before what takes its place is granted, and comes when
    the grant that it takes the place of is gone.

    :param cleared: what is said of columns and would be swept away by what changes on their table.
    """

    cleared: list[RemoveGrant]
    freed: list[RemoveGrant]
    gained: list[AddGrant]
    lost: list[RemoveGrant]
    denied: list[AddGrant]

    @property
    def all(self) -> list[AddGrant | RemoveGrant]:
        """In their order."""
        return [*self.cleared, *self.freed, *self.gained, *self.lost, *self.denied]


def settle(working: Simulation, place: int, wishes: Mapping[int, Wish], numbers: frozenset[int]) -> Settled:
    """What must change on one object, applied to ``working``.

    :param wishes: by the position of who shall have them. :param numbers: those who shall have nothing else.
    """
    settling = _Settling(working, place, wishes, numbers)
    found = Settled([], settling.freed(), settling.gained(), settling.lost(), settling.denied())
    found.cleared.extend(_cleared(working, place, found.all))
    working.apply_all(found.all)
    return found


def _cleared(working: Simulation, place: int, changes: Sequence[AddGrant | RemoveGrant]) -> Iterator[RemoveGrant]:
    """Where rights can be denied, what is said of a table ends what was said to the same of its columns: a GRANT, a
    DENY and a REVOKE alike. Said beforehand, a reader sees it, and whoever undoes all of it has it back."""
    if working.rules.covering is None or working.kind(place).family != "table":
        return
    swept: dict[int, set[str]] = {}
    for change in changes:
        swept.setdefault(working.numbers[change.principal], set()).update(change.actions)
    for column in working.columns(place):
        kind, done = working.kind(column), set[tuple[int, int]]()
        for number, words in swept.items():
            bits = kind.bits(tuple(word for word in words if word in kind.actions))
            yield from _clear(working, column, number, bits, done)


def _clear(
    working: Simulation, place: int, number: int, bits: int, done: set[tuple[int, int]]
) -> Iterator[RemoveGrant]:
    """Before somebody's grant goes what others have by it, which would go with it."""
    entries, owner = working.entries(place), working.objects[place].owner
    for pair, grant in [(pair, grant) for pair, grant in entries.items() if pair[0] == number and pair not in done]:
        passed, taken, barred = grant.grantable & bits, grant.actions & bits, grant.denied & bits
        done |= {pair} if taken or barred else set()
        for other in sorted({one for one, by in entries if by == number != owner and one != number and passed}):
            yield from _clear(working, place, other, passed, done)
        for part in (taken & ~passed, passed):
            yield from removals(working, place, grant, part)
        yield from removals(working, place, grant, barred, deny=True)


def removals(
    working: Simulation, place: int, grant: Grant, bits: int, *, deny: bool = False, option_only: bool = False
) -> Iterator[RemoveGrant]:
    """A part of a grant, or of what is denied in it, taken away in the name of whom it is from; nothing for no bits."""
    one = working.objects[place]
    if bits:
        yield RemoveGrant(
            principal=working.principals[grant.grantee].name,
            object=ObjectName(one.kind, one.path),
            actions=working.kind(place).names(bits),
            option_only=option_only,
            grantable=not deny and bool(bits & grant.grantable),
            grantor="" if grant.grantor == one.owner else working.principals[grant.grantor].name,
            deny=deny,
        )


def granting(working: Simulation, place: int, grantee: int, need: Wish) -> list[AddGrant]:
    """Grants by the owner; what may be passed on is told apart, and what he had granted before without that."""
    one = working.objects[place]
    old = working.entries(place).get((grantee, one.owner), Grant(grantee, one.owner, 0))
    return [
        AddGrant(
            principal=working.principals[grantee].name,
            object=ObjectName(one.kind, one.path),
            actions=working.kind(place).names(bits),
            grantable=grantable,
            option_only=option_only,
            deny=deny,
        )
        for bits, grantable, option_only, deny in (
            (need.actions & ~need.grantable, False, False, False),
            (need.grantable & ~old.actions, True, False, False),
            (need.grantable & old.actions, True, True, False),
            (need.denied, False, False, True),
        )
        if bits
    ]


class _Settling:
    """An object's access list as it is, split into what stays and what goes."""

    def __init__(self, working: Simulation, place: int, wishes: Mapping[int, Wish], numbers: frozenset[int]) -> None:
        self._working = working
        self._place = place
        self._owner = working.objects[place].owner
        self._numbers = numbers - {self._owner}
        # What an owner has on his own objects is never taken from him; what he lacks of a wish he gets.
        self._needs = dict(wishes)
        self._goes: list[tuple[Grant, int, int]] = []
        self._ends: list[tuple[Grant, int]] = []
        entries = list(working.entries(place).values())
        options, self._losing = self._options(entries, wishes), self._taken_along(entries, wishes)
        staying = [(grant, self._split(grant, wishes.get(grant.grantee, NOTHING), options)) for grant in entries]
        for grant, stays in staying:
            self._needs[grant.grantee] = self._needs.get(grant.grantee, NOTHING).without(stays)

    def _options(self, entries: Sequence[Grant], wishes: Mapping[int, Wish]) -> dict[int, int]:
        """What everybody may pass on in the end."""
        found = self._by_table()
        for grant in entries:
            mine = wishes.get(grant.grantee, NOTHING) if grant.grantee in self._numbers else grant
            found[grant.grantee] = found.get(grant.grantee, 0) | mine.grantable
        return found

    def _taken_along(self, entries: Sequence[Grant], wishes: Mapping[int, Wish]) -> dict[int, int]:
        """Of which rights to pass on somebody loses a row. Where rights can be denied, what he said by it goes along
        (CASCADE), even if he can pass them on by another row too."""
        found: dict[int, int] = {}
        for grant in entries if self._working.rules.covering is not None else ():
            if grant.grantee in self._numbers:
                lost = grant.grantable & ~wishes.get(grant.grantee, NOTHING).grantable
                found[grant.grantee] = found.get(grant.grantee, 0) | lost
        growing = bool(found)
        while growing:
            growing = False
            for grant in entries:
                more = grant.grantable & found.get(grant.grantor, 0) & ~found.get(grant.grantee, 0)
                if more and grant.grantor != self._owner:
                    found[grant.grantee] = found.get(grant.grantee, 0) | more
                    growing = True
        return found

    def _by_table(self) -> dict[int, int]:
        """Who may pass on a right on a table may do so for a single column. A table is settled before its columns."""
        one, found = self._working.objects[self._place], dict[int, int]()
        if one.kind == "column":
            table, column = self._working.kind(one.parent), self._working.kind(self._place)
            for grant in self._working.entries(one.parent).values():
                found[grant.grantee] = found.get(grant.grantee, 0) | column.shared(table, grant.grantable)
        return found

    def _split(self, grant: Grant, wish: Wish, options: Mapping[int, int]) -> Wish:
        """What stays of a grant; the rest goes. An owner may always pass on what he has."""
        # A grant goes with its grantor's right to make it. Who shall keep the access gets it from the owner first.
        rests = ~options.get(grant.grantor, 0) if self._rests(grant) else 0
        rests |= self._losing.get(grant.grantor, 0) if grant.grantor != self._owner else 0
        orphaned = grant.actions & rests
        excess, option = orphaned, 0
        if grant.grantee in self._numbers:
            excess |= grant.actions & ~wish.actions
            option = grant.grantable & ~wish.grantable & ~excess
        elif orphaned:
            old = self._needs.get(grant.grantee, NOTHING)
            self._needs[grant.grantee] = old.and_also(Wish(orphaned, orphaned & grant.grantable))
        if excess or option:
            self._goes.append((grant, excess, option))
        stays = grant.actions & ~excess
        kept = stays if grant.grantee == self._owner else grant.grantable & stays & ~option
        return Wish(stays, kept, self._still_denied(grant, wish, rests))

    def _still_denied(self, grant: Grant, wish: Wish, rests: int) -> int:
        """What else is denied goes, where denials are rows like grants; what rests on an option that goes is then said
        by the owner."""
        if self._working.rules.covering is None:
            return 0
        ends = grant.denied & rests
        if grant.grantee in self._numbers:
            ends |= grant.denied & ~wish.denied
        elif ends:
            old = self._needs.get(grant.grantee, NOTHING)
            self._needs[grant.grantee] = old.and_also(Wish(denied=ends))
        if ends:
            self._ends.append((grant, ends))
        return grant.denied & ~ends

    def _rests(self, grant: Grant) -> bool:
        """On an option of its grantor. Where more than owning and options let somebody grant, only those lose the right
        to whom the spec leaves less."""
        if grant.grantor == self._owner:
            return False
        return not self._working.rules.covering or grant.grantor in self._numbers

    def freed(self) -> list[RemoveGrant]:
        """What is no longer denied."""
        return [
            change
            for grant, bits in self._ends
            for change in removals(self._working, self._place, grant, bits, deny=True)
        ]

    def gained(self) -> list[AddGrant]:
        """What is missing."""
        return [
            change
            for number, need in sorted(self._needs.items())
            for change in granting(self._working, self._place, number, need._replace(denied=0))
        ]

    def denied(self) -> list[AddGrant]:
        """What is to be denied from now on."""
        return [
            change
            for number, need in sorted(self._needs.items())
            for change in granting(self._working, self._place, number, Wish(denied=need.denied))
        ]

    def lost(self) -> list[RemoveGrant]:
        """What is too much; what rests on a grant goes before it."""
        found: list[RemoveGrant] = []
        for grant, excess, option in self._leaves_first():
            parts = (excess & ~grant.grantable, False), (excess & grant.grantable, False), (option, True)
            for bits, option_only in parts:
                found += removals(self._working, self._place, grant, bits, option_only=option_only)
        return found

    def _leaves_first(self) -> list[tuple[Grant, int, int]]:
        by: dict[int, list[tuple[Grant, int, int]]] = {}
        for one in self._goes:
            by.setdefault(one[0].grantor, []).append(one)
        begun, found = set[tuple[int, int]](), list[tuple[Grant, int, int]]()

        def after_what_rests_on(one: tuple[Grant, int, int]) -> None:
            pair = one[0].grantee, one[0].grantor
            if pair not in begun:
                begun.add(pair)
                for other in by.get(one[0].grantee, ()):
                    after_what_rests_on(other)
                found.append(one)

        for one in self._goes:
            after_what_rests_on(one)
        return found
