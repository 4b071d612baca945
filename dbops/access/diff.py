"""What must change so that a server is as a users spec wants it. Only what the spec manages is touched.

Everything is decided against a simulation that each decided change is applied to, so that the consequences of the
first ones (a new owner, a revoke that takes column grants along) are seen by the later ones: one apply is enough.
Adding comes before removing; accounts go last.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from dbops.access.against import against_tables
from dbops.access.diff_checks import check
from dbops.access.diff_defaults import default_changes
from dbops.access.diff_grants import grant_changes, numbers_of
from dbops.access.diff_people import create, drop, inherited, lessen, memberships, spread, strengthen
from dbops.access.handover import hand_over
from dbops.access.match import is_pattern, managed, places
from dbops.access.naming import spell
from dbops.access.simulate import Simulation
from dbops.errors import InputError
from dbops.model.access import AccessSnapshot
from dbops.model.change import Change, ObjectName, SetOwner
from dbops.model.users import Wanted

__all__ = ["Difference", "diff"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The changes in the order in which they are to be made, and what the reader should know."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()


def diff(snapshot: AccessSnapshot, wanted: Wanted) -> Difference:
    """:raises InputError: with ``file:line``: a name that is not on the server, a cycle, an account that still owns."""
    for database in wanted.databases:
        if database in snapshot.databases_missing:
            missing = snapshot.databases_missing[database]
            raise InputError(f"{wanted.origin}: the database {database} cannot be read: {missing.detail}")
    working = Simulation(snapshot)
    _check_requirements(working, wanted)
    wanted = spread(working, wanted)
    subjects = check(working, wanted)
    first = _applied(working, create(working, wanted))
    first += _applied(working, strengthen(working, wanted))
    added, removed = memberships(working, wanted, subjects)
    first += _applied(working, added)
    lists = _applied(working, inherited(working, wanted, added))
    first += hand_over(working, _owners(working, wanted), numbers_of(working, subjects))
    gained, lost, again = grant_changes(working, wanted, subjects)
    _applied(working, removed)
    # Who may create where is known only now, and with it whose new objects a default is for.
    future, no_future = default_changes(working, wanted, subjects)
    last = [*removed, *_applied(working, lessen(working, wanted)), *_applied(working, drop(working, wanted))]
    changes = against_tables(snapshot, (*first, *gained, *future, *lists, *lost, *again, *no_future, *last))
    return Difference(changes=changes, notes=_notes(snapshot, wanted))


def _check_requirements(working: Simulation, wanted: Wanted) -> None:
    for one in wanted.requirements:
        place = working.places.get((one.kind, one.path))
        if place is None or one.flag not in working.objects[place].flags:
            raise InputError(f"{one.where}: {one.otherwise}", hint=one.hint)


def _applied(working: Simulation, changes: Iterable[Change]) -> list[Change]:
    done: list[Change] = []
    for change in changes:
        working.apply(change)
        done.append(change)
    return done


def _owners(working: Simulation, wanted: Wanted) -> list[SetOwner]:
    found: dict[int, tuple[str, str]] = {}
    for rule in wanted.owners:
        matched = places(working, rule.kind, rule.path)
        if is_pattern(rule.path):
            matched = [place for place in matched if working.objects[place].follows < 0]
        if not matched and not is_pattern(rule.path):
            raise InputError(f"{rule.where}: there is no object {spell(working.rules, rule.kind, rule.path)}")
        for place in matched:
            other, where = found.setdefault(place, (rule.principal, rule.where))
            if other != rule.principal:
                name = spell(working.rules, working.objects[place].kind, working.objects[place].path)
                raise InputError(f"{rule.where}: {name} shall also be owned by {other!r} ({where})")
    return [
        SetOwner(
            object=ObjectName(working.objects[place].kind, working.objects[place].path),
            owner=owner,
            old=working.principals[working.objects[place].owner].name,
        )
        for place, (owner, _) in found.items()
        if working.principals[working.objects[place].owner].name != owner
    ]


def _notes(snapshot: AccessSnapshot, wanted: Wanted) -> tuple[str, ...]:
    named = {one.name for one in wanted.principals}
    grantees = {one.principal for one in wanted.grants}
    existing = {one.name for one in snapshot.principals}
    left = [
        one.name for one in snapshot.principals if managed(wanted.managed, one) and one.name not in named | grantees
    ]
    secret = [one.name for one in wanted.principals if one.password is not None and one.name in existing]
    notes = [f"{name}: managed and not in the spec, left alone (state: absent removes it)" for name in sorted(left)]
    return (*wanted.notes, *notes, *(f"{name}: password not compared" for name in sorted(secret)))
