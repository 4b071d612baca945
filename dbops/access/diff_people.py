"""Accounts and memberships: what a spec wants against what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dbops.access.match import fits
from dbops.access.naming import spell
from dbops.access.simulate import Simulation
from dbops.errors import InputError
from dbops.model.access import Membership
from dbops.model.change import (
    AddMembership,
    AlterPrincipal,
    CreatePrincipal,
    DropPrincipal,
    RemoveMembership,
)
from dbops.model.users import SpecMember, Wanted

__all__ = ["Subjects", "check", "create", "drop", "lessen", "memberships", "strengthen"]

Subjects = frozenset[str]
"""The names whose grants, memberships and defaults are exactly what the spec says."""


def check(working: Simulation, wanted: Wanted) -> Subjects:
    """Every name is managed, exists or will, and nobody is a member of himself.

    :raises InputError: with ``file:line``.
    """
    absent = {one.name for one in wanted.principals if one.state == "absent"}
    coming = {one.name for one in wanted.principals} - absent
    for one in wanted.principals:
        _check_managed(one.name, one.where, wanted)
        for member in one.member_of:
            _check_group(member, absent, coming, working)
    for grant in wanted.grants:
        _check_managed(grant.principal, grant.where, wanted)
        for creator in grant.creators:
            if creator not in coming and (creator in absent or creator not in working.numbers):
                raise InputError(f"{grant.where}: there is no role {creator!r} to create anything")
    _check_cycles(working, wanted)
    return frozenset({*(one.name for one in wanted.principals), *(one.principal for one in wanted.grants)})


def _check_managed(name: str, where: str, wanted: Wanted) -> None:
    owned = name in wanted.managed if name == "PUBLIC" else any(fits(pattern, name) for pattern in wanted.managed)
    if not owned:
        raise InputError(
            f"{where}: {name!r} is not among manage.principals", hint="Add the name or a pattern there, or remove this."
        )


def _check_group(member: SpecMember, absent: set[str], coming: set[str], working: Simulation) -> None:
    if member.role in absent:
        raise InputError(f"{member.where}: the role {member.role!r} shall be absent")
    if member.role not in coming and member.role not in working.numbers:
        near = _near(member.role, [*coming, *working.numbers])
        raise InputError(f"{member.where}: there is no role {member.role!r}, here or on the server", hint=near)


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


def create(working: Simulation, wanted: Wanted) -> list[CreatePrincipal]:
    """Those that are not there yet. One that is to be locked is made locked."""
    return [
        CreatePrincipal(
            name=one.name,
            attributes=one.attributes,
            connection_limit=one.connection_limit if isinstance(one.connection_limit, int) else None,
            valid_until=None if isinstance(one.valid_until, str) else one.valid_until,
            password=one.password,
            generate=one.generate,
        )
        for one in wanted.principals
        if one.state != "absent" and one.name not in working.numbers
    ]


def strengthen(working: Simulation, wanted: Wanted) -> list[AlterPrincipal]:
    """Attributes given, limits and ends set."""
    found: list[AlterPrincipal] = []
    for one in wanted.principals:
        if one.state == "absent":
            continue
        old = working.principals[working.numbers[one.name]]
        limit = None if one.connection_limit == "unlimited" else one.connection_limit
        until = None if one.valid_until == "never" else one.valid_until
        change = AlterPrincipal(
            name=one.name,
            gains=tuple(word for word in one.attributes if word not in old.attributes),
            set_limit=limit not in ("keep", old.connection_limit),
            connection_limit=None if isinstance(limit, str) else limit,
            old_limit=old.connection_limit,
            set_until=until not in ("keep", old.valid_until),
            valid_until=None if isinstance(until, str) else until,
            old_until=old.valid_until,
        )
        if change.gains or change.set_limit or change.set_until:
            found.append(change)
    return found


def lessen(working: Simulation, wanted: Wanted) -> list[AlterPrincipal]:
    """Attributes taken away."""
    found: list[AlterPrincipal] = []
    for one in wanted.principals:
        if one.state == "absent":
            continue
        has = working.principals[working.numbers[one.name]].attributes
        loses = tuple(word for word in has if word not in one.attributes)
        if loses:
            found.append(AlterPrincipal(name=one.name, loses=loses))
    return found


def memberships(
    working: Simulation, wanted: Wanted, subjects: Subjects
) -> tuple[list[AddMembership], list[RemoveMembership]]:
    """Groups joined and options changed; groups left. Every group of a named member is the spec's to say."""
    rows: dict[tuple[str, str], list[Membership]] = {}
    for row in working.memberships:
        if not row.implicit:
            pair = working.principals[row.member].name, working.principals[row.group].name
            rows.setdefault(pair, []).append(row)
    wishes = {(one.name, member.role): member for one in wanted.principals for member in one.member_of}
    added = [change for pair, wish in wishes.items() for change in _joined(working, pair, wish, rows.get(pair, []))]
    removed = [
        _left(working, row)
        for pair, found in rows.items()
        if pair[0] in subjects and pair not in wishes
        for row in found
    ]
    return added, removed


def _joined(
    working: Simulation, pair: tuple[str, str], wish: SpecMember, rows: list[Membership]
) -> list[AddMembership]:
    options = {"inherit": bool(wish.inherit), "set": bool(wish.set), "admin": wish.admin}
    compared = options if working.rules.membership_options else {"admin": wish.admin}
    lacking = [name for name, value in compared.items() if value and not any(getattr(row, name) for row in rows)]
    found = [_joining(pair, options)] if lacking or not rows else []
    for row in rows:
        excess = {name for name, value in compared.items() if getattr(row, name) and not value}
        if excess:
            left = {name: bool(getattr(row, name)) and name not in excess for name in options}
            found.append(_joining(pair, left, _grantor(working, row), less_admin="admin" in excess))
    return found


def _joining(
    pair: tuple[str, str], options: Mapping[str, bool], grantor: str = "", *, less_admin: bool = False
) -> AddMembership:
    return AddMembership(
        member=pair[0],
        group=pair[1],
        inherit=options["inherit"],
        set=options["set"],
        admin=options["admin"],
        grantor=grantor,
        less_admin=less_admin,
    )


def _left(working: Simulation, row: Membership) -> RemoveMembership:
    names = working.principals
    return RemoveMembership(
        member=names[row.member].name,
        group=names[row.group].name,
        grantor=_grantor(working, row),
        inherit=row.inherit,
        set=row.set,
        admin=row.admin,
    )


def _grantor(working: Simulation, row: Membership) -> str:
    """Named only where several can have granted the same membership."""
    return working.principals[row.grantor].name if working.rules.membership_options and row.grantor >= 0 else ""


def drop(working: Simulation, wanted: Wanted) -> list[DropPrincipal]:
    """Those that shall be absent and are there.

    :raises InputError: one still owns something, or has rights where the spec does not reach.
    """
    found: list[DropPrincipal] = []
    for one in wanted.principals:
        if one.state == "absent" and one.name in working.numbers:
            number = working.numbers[one.name]
            rest = _remains(working, number)
            if rest:
                raise InputError(
                    f"{one.where}: {one.name!r} cannot be dropped yet: {'; '.join(rest[:3])}",
                    hint=f"dbops users offboard TARGET {one.name} --reassign-to ROLE hands over and cleans up.",
                )
            found.append(DropPrincipal(name=one.name, attributes=working.principals[number].attributes))
    return found


def _remains(working: Simulation, number: int) -> list[str]:
    found = [
        f"it owns {spell(working.rules, one.kind, one.path)}"
        for one in working.objects
        if one.owner == number and one.kind != "column"
    ]
    for place, one in enumerate(working.objects):
        if any(grant.grantee == number for grant in working.entries(place).values()):
            found.append(f"it has rights on {spell(working.rules, one.kind, one.path)}")
    for (creator, database, _, kind), entries in working.defaults().items():
        if entries and (creator == number or any(grant.grantee == number for grant in entries.values())):
            found.append(f"default privileges for each new {kind} in {database} name it")
    return found
