"""The whole of access as rows, one for each principal, object and action; made one by one, never all at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dbops.access.closure import each
from dbops.access.effective import Effective
from dbops.access.naming import label
from dbops.access.unseen import unseen
from dbops.model.access import PUBLIC, SecuredObject
from dbops.model.audit import AccessReport, Holder, Holders, Row

__all__ = ["access_of", "holders", "rows"]

LINE = tuple[str, str, str, bool, bool]


def rows(effective: Effective, who: Collection[int] = (), kinds: Collection[str] = ()) -> Iterator[LINE]:
    """``(principal, object, action, nominal, usable)`` wherever nominal is true, object by object.

    :param who: positions of principals, empty for all but those that are gone.
    """
    snapshot = effective.snapshot
    names = [one.name for one in snapshot.principals]
    wanted = sum(1 << number for number in set(who)) if who else effective.everybody & ~_gone(effective)
    for one in snapshot.objects:
        kind = snapshot.kind(one)
        if kinds and one.kind not in kinds and kind.family not in kinds:
            continue
        where = label(snapshot, one)
        for action in kind.actions:
            nominal = effective.nominal(one, action) & wanted
            if nominal:
                usable = effective.usable(one, action)
                for number in each(nominal):
                    yield names[number], where, action, True, bool(usable >> number & 1)


def _gone(effective: Effective) -> int:
    return sum(1 << number for number, one in enumerate(effective.snapshot.principals) if one.kind == "unknown")


def holders(effective: Effective, one: SecuredObject, action: str) -> Holders:
    """Everybody who holds an action on an object."""
    snapshot = effective.snapshot
    nominal, usable = effective.nominal(one, action), effective.usable(one, action)
    table = effective.ancestor(one, "table")
    limited = effective.row_limited(table) if table is not None else 0
    bit = 1 << snapshot.kind(one).actions.index(action)
    found = [
        Holder(
            principal=snapshot.principals[number].name,
            login=snapshot.principals[number].login,
            usable=bool(usable >> number & 1),
            limited=bool(limited >> number & 1),
        )
        for number in each(nominal)
    ]
    public = any(grant.grantee == PUBLIC and grant.actions & bit for grant in snapshot.grants(one))
    unknown = tuple(snapshot.principals[number].name for number in unseen(snapshot) if nominal >> number & 1)
    return Holders(
        action=action, object=label(snapshot, one), public=public, holders=tuple(found), members_unknown=unknown
    )


def access_of(effective: Effective, who: int) -> AccessReport:
    """Everything that one principal may do, and through whom."""
    snapshot = effective.snapshot
    one = snapshot.principals[who]
    found = rows(effective, [who])
    return AccessReport(
        principal=one.name,
        attributes=one.attributes,
        login=bool(effective.able >> who & 1),
        inherits=_groups(effective, who, "inherit"),
        becomes=_groups(effective, who, "set"),
        administers=_administers(effective, who),
        owns=tuple(
            label(snapshot, thing) for thing in snapshot.objects if thing.owner == who and thing.kind != "column"
        ),
        rows=tuple(Row(principal=p, object=o, action=a, nominal=n, usable=u) for p, o, a, n, u in found),
    )


def _groups(effective: Effective, who: int, option: str) -> tuple[str, ...]:
    closure = effective.inherits() if option == "inherit" else effective.becomes()
    people = effective.snapshot.principals
    return tuple(one.name for number, one in enumerate(people) if number != who and closure.holders(number) >> who & 1)


def _administers(effective: Effective, who: int) -> tuple[str, ...]:
    people = effective.snapshot.principals
    groups = {row.group for row in effective.snapshot.memberships if row.admin}
    return tuple(people[group].name for group in sorted(groups) if effective.administers(group) >> who & 1)
