"""What a spec's grants and denials come to, object by object; what is granted and denied at once is refused."""

from __future__ import annotations

from collections.abc import Iterator

from dbops.access.match import is_pattern, places
from dbops.access.naming import spell
from dbops.access.settling import NOTHING, Wish
from dbops.access.simulate import Simulation
from dbops.errors import InputError
from dbops.model.access import PUBLIC
from dbops.model.change import ObjectName
from dbops.model.users import Wanted, WantedGrant

__all__ = ["Wishes", "wishes"]

Wishes = dict[int, dict[int, Wish]]
"""By the position of the object, then of the grantee."""


def wishes(working: Simulation, wanted: Wanted) -> Wishes:
    """:raises InputError: with ``file:line``: no such object; granted and denied at once; denied to its owner."""
    reading = _Reading(working)
    for grant in wanted.grants:
        if grant.future != "only":
            reading.add(grant)
    if working.rules.covering is not None:
        _leave_to_tables(working, reading.found)
    return reading.found


class _Reading:
    def __init__(self, working: Simulation) -> None:
        self._working = working
        self.found: Wishes = {}
        self._said: dict[tuple[int, int, bool], list[tuple[int, str]]] = {}

    def add(self, grant: WantedGrant) -> None:
        """One entry of the spec."""
        number = PUBLIC if grant.principal == "PUBLIC" else self._working.numbers[grant.principal]
        for place in _meant(self._working, grant):
            one, kind = self._working.objects[place], self._working.kind(place)
            if "absent" in one.flags:
                _check_absent(self._working, grant, place, number)
            if one.owner == number and self._working.rules.covering is not None:
                self._check_owner(grant, place)
                continue  # where rights cover, an owner has all of them, and none can be granted to him
            bits = kind.bits(tuple(one for one in grant.actions if one in kind.actions))
            self._check_once(grant, place, number, bits)
            mine = Wish(denied=bits) if grant.deny else Wish(bits, bits if grant.grantable else 0)
            at = self.found.setdefault(place, {})
            at[number] = at.get(number, NOTHING).and_also(mine)

    def _check_owner(self, grant: WantedGrant, place: int) -> None:
        if grant.deny and not is_pattern(grant.path):
            one = self._working.objects[place]
            raise InputError(
                f"{grant.where}: {grant.principal} owns {spell(self._working.rules, one.kind, one.path)}, and a denial "
                "does not bind an owner",
                hint="Leave it out, or give the object to somebody else.",
            )

    def _check_once(self, grant: WantedGrant, place: int, number: int, bits: int) -> None:
        for other, where in self._said.get((place, number, not grant.deny), ()):
            both = self._working.kind(place).names(bits & other)
            if both:
                one = self._working.objects[place]
                was, will = ("denied", "granted") if not grant.deny else ("granted", "denied")
                raise InputError(
                    f"{grant.where}: {both[0]} on {spell(self._working.rules, one.kind, one.path)} is {will} to "
                    f"{grant.principal} here and {was} in {where}",
                    hint="Remove one of them: a denial wins over every grant, and stands in its place.",
                )
        self._said.setdefault((place, number, grant.deny), []).append((bits, grant.where))


def _leave_to_tables(working: Simulation, found: Wishes) -> None:
    """What is the same for a column as for its table is the table's to say: there is no row for it."""
    for place, mine in found.items():
        one, kind = working.objects[place], working.kind(place)
        for number, wish in mine.items() if one.kind == "column" else ():
            table, above = working.kind(one.parent), found.get(one.parent, {}).get(number, NOTHING)
            same = Wish(*(kind.shared(table, bits) for bits in above))
            more = wish.grantable & ~same.grantable  # may be passed on, as the table's may not
            mine[number] = Wish((wish.actions & ~same.actions) | more, more, wish.denied & ~same.denied)


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
