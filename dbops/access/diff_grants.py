"""Grants and denials on objects that are there: what a spec wants against the access lists."""

from __future__ import annotations

from collections.abc import Sequence

from dbops.access.diff_checks import Subjects
from dbops.access.settling import NOTHING, Settled, Wish, granting, settle
from dbops.access.simulate import Simulation
from dbops.access.wishes import wishes
from dbops.model.access import PUBLIC
from dbops.model.change import AddGrant, RemoveGrant
from dbops.model.users import Wanted

__all__ = ["grant_changes", "numbers_of"]

Changes = list[AddGrant | RemoveGrant]


def grant_changes(working: Simulation, wanted: Wanted, subjects: Subjects) -> tuple[Changes, Changes, Changes]:
    """What to grant, what to revoke, and what comes after revoking; all of it applied to ``working``.

    Before a grant goes the denial that it takes the place of. In the third part are denials, and grants on columns:
    revoking from a table also revokes from its columns, and where rights can be denied, so do granting and denying.
    """
    numbers = numbers_of(working, subjects)
    wished = wishes(working, wanted)
    touched = sorted(wished.keys() | _touched(working, wanted, numbers))
    others = _held_on_columns(working, touched, numbers)
    parts = _Parts(working)
    for place in [one for one in touched if working.objects[one].kind != "column"]:
        parts.table(settle(working, place, wished.get(place, {}), numbers))
    for place in [one for one in touched if working.objects[one].kind == "column"]:
        found = settle(working, place, wished.get(place, {}), numbers)
        parts.column(found, _as_on_the_table(working, place, found))
    parts.again += _restored(working, others)
    # What somebody else granted is taken back in his name, while he still gets through to the object.
    parts.lost.sort(key=lambda change: not change.grantor)
    return [*parts.cleared, *parts.freed, *parts.gained], [*parts.lost], [*parts.denied, *parts.again]


class _Parts:
    """All changes in the parts of the order in which they are made."""

    def __init__(self, working: Simulation) -> None:
        self._covering = working.rules.covering is not None
        self._swept: set[tuple[tuple[str, ...], str]] = set()
        self.cleared: list[RemoveGrant] = []
        self.freed: list[RemoveGrant] = []
        self.gained: list[AddGrant] = []
        self.lost: list[RemoveGrant] = []
        self.denied: list[AddGrant] = []
        self.again: list[AddGrant] = []

    def table(self, found: Settled) -> None:
        """Of anything but a column."""
        self.cleared += found.cleared
        self.freed += found.freed
        self.gained += found.gained
        self.lost += found.lost
        self.denied += found.denied
        sweeping = found.all if self._covering else found.lost
        self._swept |= {(change.object.path, change.principal) for change in sweeping}

    def column(self, found: Settled, again: Sequence[AddGrant]) -> None:
        """Of a column: what its table's changes would sweep away comes after them."""
        self.freed += found.freed
        self.lost += found.lost
        for change in found.gained:
            late = (change.object.path[:-1], change.principal) in self._swept
            (self.again if late else self.gained).append(change)
        self.denied += found.denied
        self.again += again


def _as_on_the_table(working: Simulation, place: int, found: Settled) -> list[AddGrant]:
    """A REVOKE on a column leaves it apart from a table on which the same is granted or denied: said again as the table
    has it, it is the table's to say (the state ``R`` of ``sys.database_permissions``)."""
    parent, kind, again = working.objects[place].parent, working.kind(place), list[AddGrant]()
    if working.rules.covering is None:
        return again
    taken: dict[int, int] = {}
    for change in (*found.freed, *found.lost):
        number = working.numbers[change.principal]
        taken[number] = taken.get(number, 0) | kind.bits(change.actions)
    for number, bits in taken.items():
        here, above = _of(working, place, number), _of(working, parent, number)
        left = bits & ~(here.actions | here.denied)
        again += granting(
            working, place, number, Wish(*(left & kind.shared(working.kind(parent), one) for one in above))
        )
    working.apply_all(again)
    return again


def _of(working: Simulation, place: int, number: int) -> Wish:
    found = NOTHING
    for grant in working.entries(place).values():
        if grant.grantee == number:
            found = found.and_also(Wish(grant.actions, grant.grantable, grant.denied))
    return found


Held = dict[tuple[int, int], Wish]
"""What somebody has on an object, whoever granted it; by object and grantee."""


def _held_on_columns(working: Simulation, touched: Sequence[int], numbers: frozenset[int]) -> Held:
    """What others than the spec's subjects have on columns of the tables that are touched."""
    tables = {place for place in touched if working.kind(place).family == "table"}
    return {
        (place, number): _of(working, place, number)
        for place, one in enumerate(working.objects)
        if one.kind == "column" and one.parent in tables
        for number, _ in list(working.entries(place))
        if number not in numbers
    }


def _restored(working: Simulation, held: Held) -> list[AddGrant]:
    """What they lost because somebody's grant on the table went, given back by the owner."""
    found: list[AddGrant] = []
    for (place, grantee), wish in held.items():
        found += granting(working, place, grantee, wish.without(_of(working, place, grantee)))
    working.apply_all(found)
    return found


def numbers_of(working: Simulation, subjects: Subjects) -> frozenset[int]:
    """The positions of those whose access is exactly what the spec says."""
    return frozenset(
        PUBLIC if name == "PUBLIC" else working.numbers[name] for name in subjects if _there(working, name)
    )


def _there(working: Simulation, name: str) -> bool:
    return name == "PUBLIC" or name in working.numbers


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
