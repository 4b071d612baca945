"""Grants on objects that are there: what a spec wants against the access lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dbops.access.diff_people import Subjects
from dbops.access.match import is_pattern, places
from dbops.access.naming import spell
from dbops.access.simulate import Simulation
from dbops.errors import InputError
from dbops.model.access import PUBLIC, Grant
from dbops.model.change import AddGrant, ObjectName, RemoveGrant
from dbops.model.users import Wanted, WantedGrant

__all__ = ["grant_changes", "numbers_of"]


class Wish(NamedTuple):
    """Bits that somebody shall have on an object, and those among them to be passed on."""

    actions: int = 0
    grantable: int = 0


Wishes = dict[int, dict[int, Wish]]
NOTHING = Wish()


def grant_changes(
    working: Simulation, wanted: Wanted, subjects: Subjects
) -> tuple[list[AddGrant], list[RemoveGrant], list[AddGrant]]:
    """What to grant, what to revoke, and what to grant after revoking; all of it applied to ``working``.

    The third part is there because revoking from a table also revokes from its columns.
    """
    numbers = numbers_of(working, subjects)
    wishes = _wishes(working, wanted)
    touched = sorted(wishes.keys() | _touched(working, wanted, numbers))
    others = _held_on_columns(working, touched, numbers)
    gained: list[AddGrant] = []
    lost: list[RemoveGrant] = []
    again: list[AddGrant] = []
    for place in [one for one in touched if working.objects[one].kind != "column"]:
        more, less = _settle(working, place, wishes.get(place, {}), numbers)
        gained += more
        lost += less
    stripped = {(change.object.path, change.principal) for change in lost}
    for place in [one for one in touched if working.objects[one].kind == "column"]:
        more, less = _settle(working, place, wishes.get(place, {}), numbers)
        for change in more:
            late = (change.object.path[:-1], change.principal) in stripped
            (again if late else gained).append(change)
        lost += less
    again += _restored(working, others)
    # What somebody else granted is taken back in his name, while he still gets through to the object.
    lost.sort(key=lambda change: not change.grantor)
    return gained, lost, again


Held = dict[tuple[int, int], Wish]
"""What somebody has on an object, whoever granted it; by object and grantee."""


def _held_on_columns(working: Simulation, touched: Sequence[int], numbers: frozenset[int]) -> Held:
    """What others than the spec's subjects have on columns of the tables that are touched."""
    tables = {place for place in touched if working.kind(place).family == "table"}
    found: Held = {}
    for place, one in enumerate(working.objects):
        if one.kind == "column" and one.parent in tables:
            for grant in working.entries(place).values():
                if grant.grantee not in numbers:
                    old = found.get((place, grant.grantee), NOTHING)
                    found[place, grant.grantee] = Wish(old.actions | grant.actions, old.grantable | grant.grantable)
    return found


def _restored(working: Simulation, held: Held) -> list[AddGrant]:
    """What they lost because somebody's grant on the table went, given back by the owner."""
    found: list[AddGrant] = []
    for (place, grantee), wish in held.items():
        now = [grant for grant in working.entries(place).values() if grant.grantee == grantee]
        actions, grantable = wish
        for grant in now:
            actions, grantable = actions & ~grant.actions, grantable & ~grant.grantable
        found += _granting(working, place, grantee, Wish(actions, grantable))
    working.apply_all(found)
    return found


def _granting(working: Simulation, place: int, grantee: int, need: Wish) -> list[AddGrant]:
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
        )
        for bits, grantable, option_only in (
            (need.actions & ~need.grantable, False, False),
            (need.grantable & ~old.actions, True, False),
            (need.grantable & old.actions, True, True),
        )
        if bits
    ]


def numbers_of(working: Simulation, subjects: Subjects) -> frozenset[int]:
    """The positions of those whose access is exactly what the spec says."""
    return frozenset(
        PUBLIC if name == "PUBLIC" else working.numbers[name] for name in subjects if _there(working, name)
    )


def _there(working: Simulation, name: str) -> bool:
    return name == "PUBLIC" or name in working.numbers


def _wishes(working: Simulation, wanted: Wanted) -> Wishes:
    found: Wishes = {}
    for grant in wanted.grants:
        if grant.future == "only":
            continue
        number = PUBLIC if grant.principal == "PUBLIC" else working.numbers[grant.principal]
        for place in _meant(working, grant):
            if "absent" in working.objects[place].flags:
                _check_absent(working, grant, place, number)
            bits = working.kind(place).bits(tuple(one for one in grant.actions if one in working.kind(place).actions))
            old = found.setdefault(place, {}).get(number, NOTHING)
            found[place][number] = Wish(old.actions | bits, old.grantable | (bits if grant.grantable else 0))
    return found


def _check_absent(working: Simulation, grant: WantedGrant, place: int, number: int) -> None:
    """What is not there can keep the rights that somebody has on it; new ones would be refused by the server."""
    bits = working.kind(place).bits(grant.actions)
    if not any(one.grantee == number and not bits & ~one.actions for one in working.entries(place).values()):
        raise _not_there(working, grant)


def _not_there(working: Simulation, grant: WantedGrant) -> InputError:
    return InputError(f"{grant.where}: there is no object {spell(working.rules, grant.kind, grant.path)}")


def _meant(working: Simulation, grant: WantedGrant) -> Iterator[int]:
    matched = places(working, grant.kind, grant.path)
    kind = working.rules.kinds.get(grant.kind)
    if not matched and kind is not None and kind.latent:
        matched = [working.place(ObjectName(grant.kind, grant.path))]
    if not matched and not is_pattern(grant.path):
        raise _not_there(working, grant)
    for place in matched:
        if not grant.columns:
            yield place
        for column in grant.columns:
            yield working.place(ObjectName("column", (*working.objects[place].path, column)))


def _touched(working: Simulation, wanted: Wanted, numbers: frozenset[int]) -> set[int]:
    """The objects in the spec's reach on which one of its subjects has something now."""
    found: set[int] = set()
    for place, one in enumerate(working.objects):
        contained = working.rules.kinds[one.kind].contained
        if contained and one.database not in wanted.databases:
            continue
        if any(grantee in numbers for grantee, _ in working.entries(place)):
            found.add(place)
    return found


def _settle(
    working: Simulation, place: int, wishes: Mapping[int, Wish], numbers: frozenset[int]
) -> tuple[list[AddGrant], list[RemoveGrant]]:
    """One object, made as it is wanted."""
    settling = _Settling(working, place, wishes, numbers)
    gained, lost = settling.gained(), settling.lost()
    working.apply_all([*gained, *lost])
    return gained, lost


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
        entries = list(working.entries(place).values())
        options = self._options(entries, wishes)
        staying = [(grant, self._split(grant, wishes.get(grant.grantee, NOTHING), options)) for grant in entries]
        for grant, stays in staying:
            need = self._needs.get(grant.grantee, NOTHING)
            self._needs[grant.grantee] = Wish(need.actions & ~stays.actions, need.grantable & ~stays.grantable)

    def _options(self, entries: Sequence[Grant], wishes: Mapping[int, Wish]) -> dict[int, int]:
        """What everybody may pass on in the end."""
        found = self._by_table()
        for grant in entries:
            mine = wishes.get(grant.grantee, NOTHING) if grant.grantee in self._numbers else grant
            found[grant.grantee] = found.get(grant.grantee, 0) | mine.grantable
        return found

    def _by_table(self) -> dict[int, int]:
        """Who may pass on a right on a table may do so for a single column. A table is settled before its columns."""
        one, found = self._working.objects[self._place], dict[int, int]()
        if one.kind == "column":
            table, column = self._working.kind(one.parent), self._working.kind(self._place)
            for grant in self._working.entries(one.parent).values():
                words = tuple(word for word in table.names(grant.grantable) if word in column.actions)
                found[grant.grantee] = found.get(grant.grantee, 0) | column.bits(words)
        return found

    def _split(self, grant: Grant, wish: Wish, options: Mapping[int, int]) -> Wish:
        """What stays of a grant; the rest goes. An owner may always pass on what he has."""
        # A grant goes with its grantor's right to make it. Who shall keep the access gets it from the owner first.
        orphaned = grant.actions & ~options.get(grant.grantor, 0) if self._rests(grant) else 0
        excess, option = orphaned, 0
        if grant.grantee in self._numbers:
            excess |= grant.actions & ~wish.actions
            option = grant.grantable & ~wish.grantable & ~excess
        elif orphaned:
            old = self._needs.get(grant.grantee, NOTHING)
            self._needs[grant.grantee] = Wish(old.actions | orphaned, old.grantable | (orphaned & grant.grantable))
        if excess or option:
            self._goes.append((grant, excess, option))
        stays = grant.actions & ~excess
        return Wish(stays, stays if grant.grantee == self._owner else grant.grantable & stays & ~option)

    def _rests(self, grant: Grant) -> bool:
        """On an option of its grantor. Where more than owning and options let somebody grant, only those lose the right
        to whom the spec leaves less."""
        if grant.grantor == self._owner:
            return False
        return not self._working.rules.covering or grant.grantor in self._numbers

    def gained(self) -> list[AddGrant]:
        """What is missing."""
        return [
            change
            for number, need in sorted(self._needs.items())
            for change in _granting(self._working, self._place, number, need)
        ]

    def lost(self) -> list[RemoveGrant]:
        """What is too much; grants of others than the owner first, because his may be what they rest on."""
        found: list[RemoveGrant] = []
        for grant, excess, option in sorted(self._goes, key=lambda one: one[0].grantor == self._owner):
            parts = (excess & ~grant.grantable, False), (excess & grant.grantable, False), (option, True)
            found += [self._removal(grant, bits, option_only) for bits, option_only in parts if bits]
        return found

    def _removal(self, grant: Grant, bits: int, option_only: bool) -> RemoveGrant:
        return RemoveGrant(
            principal=self._name(grant.grantee),
            object=self._object,
            actions=self._actions(bits),
            option_only=option_only,
            grantable=bool(bits & grant.grantable),
            grantor="" if grant.grantor == self._owner else self._name(grant.grantor),
        )

    @property
    def _object(self) -> ObjectName:
        one = self._working.objects[self._place]
        return ObjectName(one.kind, one.path)

    def _actions(self, bits: int) -> tuple[str, ...]:
        return self._working.kind(self._place).names(bits)

    def _name(self, number: int) -> str:
        return self._working.principals[number].name
