"""What a change of owners takes from others, where an engine drops all rights on what gets another owner."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from dbops.access.settling import NOTHING, Wish, granting
from dbops.access.simulate import Simulation
from dbops.model.change import AddGrant, SetOwner

__all__ = ["hand_over"]


def hand_over(working: Simulation, changes: Iterable[SetOwner], without: Collection[int]) -> list[SetOwner | AddGrant]:
    """The changes, and after them what is to be granted and denied again by the new owners; applied to ``working``.

    :param without: positions of those whose rights are decided elsewhere.
    """
    owners = list(changes)
    places = list(dict.fromkeys(place for change in owners for place in _with(working, working.place(change.object))))
    held = {place: _held(working, place) for place in places if working.rules.covering is not None}
    working.apply_all(owners)
    again: list[AddGrant] = []
    for place, had in sorted(held.items()):  # a table before its columns
        left, owner = _held(working, place), working.objects[place].owner
        for number, wish in had.items():
            if number not in without and number != owner:
                more = granting(working, place, number, wish.without(left.get(number, NOTHING)))
                working.apply_all(more)
                again += more
    return [*owners, *again]


def _with(working: Simulation, place: int) -> Iterator[int]:
    """An object, and what has its owner."""
    yield place
    for at, one in enumerate(working.objects):
        if one.follows == place:
            yield from _with(working, at)


def _held(working: Simulation, place: int) -> dict[int, Wish]:
    found: dict[int, Wish] = {}
    for grant in working.entries(place).values():
        more = Wish(grant.actions, grant.grantable, grant.denied)
        found[grant.grantee] = found.get(grant.grantee, NOTHING).and_also(more)
    return found
