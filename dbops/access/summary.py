"""A snapshot in numbers, and everybody who can log in: for whoever reads a report and not the whole matrix."""

from __future__ import annotations

from collections.abc import Sequence

from dbops.access.closure import each
from dbops.access.effective import Effective
from dbops.model.access import PUBLIC, Principal, SecuredObject
from dbops.model.finding import Missing
from dbops.model.report import AccessSummary, Person

__all__ = ["summary"]

EVERYTHING = Missing("bypass", "an attribute gives it everything")


def summary(effective: Effective) -> AccessSummary:
    """Principals that come with the engine are left out of the numbers; columns do not count as objects."""
    snapshot = effective.snapshot
    own = [number for number, one in enumerate(snapshot.principals) if number != PUBLIC and _own(one)]
    objects = [one for one in snapshot.objects if one.kind != "column"]
    reached = _reached(effective, objects)
    others = {row.group for row in snapshot.memberships if row.implicit and row.database}  # whom an account is there
    able = [number for number in own if effective.able >> number & 1 and number not in others]
    roles = _roles(effective)
    return AccessSummary(
        principals=len(own),
        memberships=len({(row.member, row.group) for row in snapshot.memberships if row.member in set(own)}),
        objects=len(objects),
        grants=sum(len(snapshot.grants(one)) for one in snapshot.objects),
        people=tuple(_person(effective, number, reached, roles.get(number, ())) for number in able),
    )


def _own(one: Principal) -> bool:
    return not one.system and one.kind != "unknown"


def _reached(effective: Effective, objects: list[SecuredObject]) -> list[int]:
    """For each principal, how many objects it can do something with, nominally."""
    found = [0] * len(effective.snapshot.principals)
    for one in objects:
        anything = 0
        for action in effective.snapshot.kind(one).actions:
            anything |= effective.nominal(one, action)
        for number in each(anything):
            found[number] += 1
    return found


def _roles(effective: Effective) -> dict[int, list[str]]:
    """Whose privileges each principal has at once, in the order of the snapshot."""
    found: dict[int, list[str]] = {}
    closure, people = effective.inherits(), effective.snapshot.principals
    for group in sorted({row.group for row in effective.snapshot.memberships if row.group != PUBLIC}):
        for number in each(closure.holders(group)):
            if number != group:
                found.setdefault(number, []).append(people[group].name)
    return found


def _person(effective: Effective, number: int, reached: list[int], roles: Sequence[str]) -> Person:
    snapshot = effective.snapshot
    one = snapshot.principals[number]
    return Person(
        name=one.name,
        attributes=tuple(word for word in one.attributes if word not in (snapshot.rules.login, "INHERIT")),
        roles=tuple(roles),
        objects=EVERYTHING if effective.bypass >> number & 1 else reached[number],
        valid_until=one.valid_until,
    )
