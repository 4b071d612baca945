"""Accounts and memberships: what a spec wants against what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from dbops.access.match import managed
from dbops.access.naming import spell
from dbops.access.simulate import Simulation
from dbops.errors import InputError
from dbops.model.access import Membership, Principal
from dbops.model.change import (
    AddMembership,
    AlterPrincipal,
    CreatePrincipal,
    DropPrincipal,
    MemberOptions,
    RemoveMembership,
    SetInherited,
)
from dbops.model.users import SpecMember, Wanted, WantedPrincipal

__all__ = ["Subjects", "check", "create", "drop", "inherited", "lessen", "memberships", "spread", "strengthen"]

Subjects = frozenset[str]
"""The names whose grants, memberships and defaults are exactly what the spec says."""


def spread(working: Simulation, wanted: Wanted) -> Wanted:
    """What is said of a user whatever the host, said of each of his accounts instead."""
    accounts = {
        one.name: found for one in wanted.principals if one.every_host and (found := _accounts(working, one, wanted))
    }
    if not accounts:
        return wanted
    principals = [other for one in wanted.principals for other in accounts.get(one.name, [one])]
    names = {name: [one.name for one in found] for name, found in accounts.items()}
    grants = [
        msgspec.structs.replace(grant, principal=name)
        for grant in wanted.grants
        for name in names.get(grant.principal, [grant.principal])
    ]
    return msgspec.structs.replace(wanted, principals=tuple(principals), grants=tuple(grants))


def _accounts(working: Simulation, one: WantedPrincipal, wanted: Wanted) -> list[WantedPrincipal]:
    """Those that are there and that the spec does not name themselves."""
    named = {other.name for other in wanted.principals if not other.every_host}
    return [
        msgspec.structs.replace(one, name=account.name, host=account.host, every_host=False)
        for account in working.principals
        if account.kind == "user" and account.user == one.user and account.name not in named
    ]


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
        if other.database or other.kind == "unknown":
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
            hashed=one.hashed,
            sid=one.sid,
            kind=one.kind,
            user=one.user,
            host=one.host,
        )
        for one in wanted.principals
        if one.state != "absent" and not _there(working, one.name)
    ]


def _there(working: Simulation, name: str) -> bool:
    return name in working.numbers and working.principals[working.numbers[name]].kind != "unknown"


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
        has, decided = working.principals[working.numbers[one.name]].attributes, working.rules.decided
        loses = tuple(word for word in has if word not in one.attributes and (not decided or word in decided))
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
    staying = [one for one in wanted.principals if one.state != "absent"]
    wishes = {(one.name, member.role): member for one in staying for member in one.member_of}
    listed = {one.name for one in wanted.principals if working.rules.inherit_list and one.kind == "user"}
    added = [
        change
        for pair, wish in wishes.items()
        for change in _joined(working, pair, wish, rows.get(pair, []), listed=pair[0] in listed)
    ]
    # Who goes leaves its groups before: they may gain something until it is gone.
    leaving = subjects | {one.name for one in wanted.principals if one.state == "absent"}
    removed = [
        _left(working, row)
        for pair, found in rows.items()
        if pair[0] in leaving and pair not in wishes
        for row in found
    ]
    return added, removed


def _joined(
    working: Simulation, pair: tuple[str, str], wish: SpecMember, rows: list[Membership], *, listed: bool
) -> list[AddMembership]:
    """:param listed: which groups count at once is said elsewhere, in one list."""
    options = {"inherit": bool(wish.inherit), "set": bool(wish.set), "admin": wish.admin}
    if listed:
        options["inherit"] = any(row.inherit for row in rows)
    each = working.rules.membership_options and not working.rules.inherit_list
    compared = options if each else {"admin": wish.admin}
    lacking = [name for name, value in compared.items() if value and not any(getattr(row, name) for row in rows)]
    found = [_joining(pair, options, old=_had(rows))] if lacking or not rows else []
    for row in rows:
        excess = {name for name, value in compared.items() if getattr(row, name) and not value}
        if excess:
            left = {name: bool(getattr(row, name)) and name not in excess for name in options}
            found.append(_joining(pair, left, _grantor(working, row), old=_had([row])))
    return found


def _joining(
    pair: tuple[str, str], options: Mapping[str, bool], grantor: str = "", *, old: MemberOptions | None
) -> AddMembership:
    return AddMembership(
        member=pair[0],
        group=pair[1],
        inherit=options["inherit"],
        set=options["set"],
        admin=options["admin"],
        grantor=grantor,
        old=old,
    )


def _had(rows: Sequence[Membership]) -> MemberOptions | None:
    """All together: with several grantors, undoing must not take what one of them gave."""
    if not rows:
        return None
    inherit, become, admin = (any(getattr(row, name) for row in rows) for name in ("inherit", "set", "admin"))
    return MemberOptions(inherit=inherit, set=become, admin=admin)


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


def inherited(working: Simulation, wanted: Wanted, joined: Sequence[AddMembership]) -> list[SetInherited]:
    """Where the groups of an account that count at once are one list: those lists that are not as they shall be.

    Whoever lost the right to let others in may have had to leave and come back, which takes a group off the list.
    """
    if not working.rules.inherit_list:
        return []
    again = {change.member for change in joined if change.less_admin}
    found: list[SetInherited] = []
    for one in wanted.principals:
        if one.state == "absent" or one.kind == "role":
            continue
        number = working.numbers[one.name]
        old = [row.group for row in working.memberships if row.member == number and row.inherit and not row.implicit]
        have = {working.principals[group].name for group in old}
        wish = {member.role for member in one.member_of if member.inherit}
        if have != wish or (wish and one.name in again):
            found.append(SetInherited(member=one.name, groups=tuple(sorted(wish)), old=tuple(sorted(have))))
    return found


def drop(working: Simulation, wanted: Wanted) -> list[DropPrincipal]:
    """Those that shall be absent and are there.

    :raises InputError: one still owns something, something runs as one, or it has rights where the spec does not reach.
    """
    found: list[DropPrincipal] = []
    for one in wanted.principals:
        if one.state == "absent" and _there(working, one.name):
            number = working.numbers[one.name]
            rest = _remains(working, number)
            if rest:
                raise InputError(
                    f"{one.where}: {one.name!r} cannot be dropped yet: {'; '.join(rest[:3])}",
                    hint=f"dbops users offboard TARGET {one.name} --reassign-to ROLE hands over and cleans up.",
                )
            old = working.principals[number]
            found.append(
                DropPrincipal(name=one.name, attributes=old.attributes, kind="user" if old.kind == "user" else "role")
            )
    return found


def _remains(working: Simulation, number: int) -> list[str]:
    found = [
        f"it owns {spell(working.rules, one.kind, one.path)}"
        for one in working.objects
        if one.owner == number and one.kind != "column"
    ]
    found += [
        f"{spell(working.rules, one.kind, one.path)} runs with its rights"
        for one in working.objects
        if one.runs_as == number and "invoker" not in one.flags
    ]
    for place, one in enumerate(working.objects if not working.rules.drop_takes_rights else ()):
        if any(grant.grantee == number for grant in working.entries(place).values()):
            found.append(f"it has rights on {spell(working.rules, one.kind, one.path)}")
    for (creator, database, _, kind), entries in working.defaults().items():
        if entries and (creator == number or any(grant.grantee == number for grant in entries.values())):
            found.append(f"default privileges for each new {kind} in {database} name it")
    return found
