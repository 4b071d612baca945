"""Accounts and memberships: what a spec wants against what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from dbops.access.diff_checks import Subjects, is_there
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
    Setting,
)
from dbops.model.users import SpecMember, Wanted, WantedPrincipal

__all__ = ["create", "drop", "inherited", "lessen", "memberships", "spread", "strengthen"]


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


def create(working: Simulation, wanted: Wanted) -> list[CreatePrincipal]:
    """Those that are not there yet. One that is to be locked is made locked.

    :raises InputError: one lacks what it takes to make it.
    """
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
            database=one.database,
            settings=one.settings,
        )
        for one in wanted.principals
        if one.state != "absent" and not is_there(working, one.name) and _can_be_made(one)
    ]


def _can_be_made(one: WantedPrincipal) -> bool:
    if one.lacking:
        raise InputError(f"{one.where}: {one.name} is not there and cannot be made: {one.lacking}")
    return True


def strengthen(working: Simulation, wanted: Wanted) -> list[AlterPrincipal]:
    """Attributes given, limits, ends and settings set."""
    found: list[AlterPrincipal] = []
    for one in wanted.principals:
        if one.state == "absent":
            continue
        old = working.principals[working.numbers[one.name]]
        limit = None if one.connection_limit == "unlimited" else one.connection_limit
        until = None if one.valid_until == "never" else one.valid_until
        settings = _unlike(one, old, working.rules.settings)
        change = AlterPrincipal(
            name=one.name,
            gains=tuple(word for word in one.attributes if word not in old.attributes),
            set_limit=limit not in ("keep", old.connection_limit),
            connection_limit=None if isinstance(limit, str) else limit,
            old_limit=old.connection_limit,
            set_until=until not in ("keep", old.valid_until),
            valid_until=None if isinstance(until, str) else until,
            old_until=old.valid_until,
            settings=tuple(new for new, _ in settings),
            old_settings=tuple(before for _, before in settings),
        )
        if change.gains or change.set_limit or change.set_until or settings:
            found.append(change)
    return found


def _unlike(one: WantedPrincipal, old: Principal, usual: Mapping[str, str]) -> list[tuple[Setting, Setting]]:
    """Settings that have another value: as wanted, and as they are."""
    has = dict(usual)
    for setting in old.settings:
        name, _, value = setting.partition("=")
        has[name] = value
    return [
        (new, Setting(new.name, has.get(new.name, ""))) for new in one.settings if has.get(new.name, "") != new.value
    ]


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
        if one.state == "absent" and is_there(working, one.name):
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
