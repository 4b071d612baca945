"""Whether a spec can be of a server at all: every name is somebody's, and nobody is what he cannot become."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dbops.access.match import managed
from dbops.access.simulate import Simulation
from dbops.errors import InputError
from dbops.model.access import Principal
from dbops.model.users import SpecMember, Wanted, WantedPrincipal

__all__ = ["Subjects", "check", "is_there"]

Subjects = frozenset[str]
"""The names whose grants, memberships and defaults are exactly what the spec says."""


def check(working: Simulation, wanted: Wanted) -> Subjects:
    """Every name is managed, exists or will, and nobody is a member of himself.

    :raises InputError: with ``file:line``.
    """
    absent = {one.name for one in wanted.principals if one.state == "absent"}
    coming = {one.name for one in wanted.principals} - absent
    people = {one.name: Principal(name=one.name, user=one.user, host=one.host) for one in wanted.principals}
    for one in wanted.principals:
        _check_managed(people[one.name], one.where, wanted)
        _check_sid(working, one)
        for member in one.member_of:
            _check_group(member, absent, coming, working)
    for grant in wanted.grants:
        _check_managed(people.get(grant.principal, Principal(name=grant.principal)), grant.where, wanted)
        for creator in grant.creators:
            if creator not in coming and (creator in absent or creator not in working.numbers):
                raise InputError(f"{grant.where}: there is no role {creator!r} to create anything")
    _check_cycles(working, wanted)
    _check_lasting(working, wanted)
    # Who goes and takes his rights along needs none of them taken away before.
    going = absent if working.rules.drop_takes_rights else set[str]()
    return frozenset({*(one.name for one in wanted.principals), *(one.principal for one in wanted.grants)} - going)


def _check_managed(one: Principal, where: str, wanted: Wanted) -> None:
    owned = one.name in wanted.managed if one.name == "PUBLIC" else managed(wanted.managed, one)
    if not owned:
        raise InputError(
            f"{where}: {one.name!r} is not among manage.principals",
            hint="Add the name or a pattern there, or remove this.",
        )


def _check_sid(working: Simulation, one: WantedPrincipal) -> None:
    """It is given when an account is made, and once and for all."""
    if not one.sid or one.state == "absent":
        return
    for other in working.principals:
        if other.kind == "unknown" or (other.name != one.name and (other.database or one.database)):
            continue
        if other.name == one.name and other.sid not in ("", one.sid):
            raise InputError(
                f"{one.where}: {one.name} has the SID {other.sid}, not {one.sid}, and a SID cannot be changed",
                hint="Correct the spec. Or have it dropped (state: absent), once what it owns is handed over, and made "
                "again with this one.",
            )
        if other.name != one.name and other.sid == one.sid:
            raise InputError(
                f"{one.where}: {other.name} has the SID {one.sid} already",
                hint="Every login has its own. Correct the spec, or leave the SID to the server.",
            )


def _check_group(member: SpecMember, absent: set[str], coming: set[str], working: Simulation) -> None:
    if member.role in absent:
        raise InputError(f"{member.where}: the role {member.role!r} shall be absent")
    if member.role not in coming and member.role not in working.numbers:
        near = _near(member.role, [*coming, *working.numbers])
        raise InputError(f"{member.where}: there is no role {member.role!r}, here or on the server", hint=near)


def _check_lasting(working: Simulation, wanted: Wanted) -> None:
    """What it is from the day on which it was made is what it shall be."""
    lasting = working.rules.lasting
    for one in wanted.principals:
        if one.state == "absent" or not is_there(working, one.name):
            continue
        has = [word for word in lasting if word in working.principals[working.numbers[one.name]].attributes]
        if has != [word for word in lasting if word in one.attributes]:
            shall = ", ".join(word.lower() for word in lasting if word in one.attributes)
            is_ = ", ".join(word.lower() for word in has)
            raise InputError(
                f"{one.where}: {one.name!r} is there as {is_ or 'another sort of account'} and shall be "
                f"{shall or 'another'}: nothing alters that",
                hint=f"Say attributes: [{is_}], or let it go first: dbops users offboard TARGET {one.name}.",
            )


def _near(word: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else ""


def _check_cycles(working: Simulation, wanted: Wanted) -> None:
    """Memberships as they would be: those of the spec, and the server's own of everybody else."""
    named = {one.name for one in wanted.principals}
    edges: dict[str, dict[str, str]] = {
        one.name: {member.role: member.where for member in one.member_of} for one in wanted.principals
    }
    for row in working.memberships:
        member = working.principals[row.member].name
        if member not in named and not row.implicit:
            edges.setdefault(member, {})[working.principals[row.group].name] = "on the server"
    done: set[str] = set()
    for name in edges:
        _follow(name, edges, done)


def _follow(name: str, edges: Mapping[str, Mapping[str, str]], done: set[str]) -> None:
    """Depth first without recursion: a chain of a thousand roles is nothing unusual to somebody."""
    stack: list[tuple[str, Iterator[tuple[str, str]]]] = [(name, iter(edges.get(name, {}).items()))]
    trail = [name]
    while stack:
        current, following = stack[-1]
        step = next(following, None)
        if step is None:
            stack.pop()
            done.add(current)
            trail.pop()
            continue
        group, where = step
        if group in trail:
            circle = " → ".join([*trail[trail.index(group) :], group])
            raise InputError(f"{where}: a circle of memberships: {circle}", hint="Remove one of them.")
        if group not in done:
            stack.append((group, iter(edges.get(group, {}).items())))
            trail.append(group)


def is_there(working: Simulation, name: str) -> bool:
    """Neither dropped, nor known by its rights alone."""
    return name in working.numbers and working.principals[working.numbers[name]].kind != "unknown"
