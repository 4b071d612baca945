"""Why, and why not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from dbops.access.effective import Effective
from dbops.access.explain import explain
from dbops.model.access import PUBLIC, AccessSnapshot, Grant, Membership, Reads, SecuredObject
from dbops.model.audit import Explanation
from dbops.model.change import AlterPrincipal, RemoveGrant, RemoveMembership

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Make = Callable[..., AccessSnapshot]
GATED = (("a", "SELECT", "t"), ("a", "USAGE", "s"), ("a", "CONNECT", "app"))


def asked(snapshot: AccessSnapshot, who: str = "a", action: str = "SELECT", last: str = "t") -> Explanation:
    number = next(at for at, one in enumerate(snapshot.principals) if one.name == who)
    one = next(one for one in snapshot.objects if one.path[-1] == last)
    return explain(Effective(snapshot, NOW), number, action, one)


def blocks(found: Explanation) -> list[str]:
    return [block.kind for block in found.blocked_by]


def kinds(found: Explanation) -> set[tuple[str, ...]]:
    return {tuple(hop.kind for hop in path) for path in found.paths}


def test_every_way_has_its_kind(make: Make) -> None:
    found = make(
        people={"a": ("SUPERUSER",), "reader": ()},
        members=(("a", "reader"),),
        grants=(("a", "SELECT", "t"), ("PUBLIC", "SELECT", "t"), ("reader", "SELECT", "c")),
    )
    assert kinds(asked(found)) == {("bypass",), ("grant",), ("public", "grant"), ("member", "predefined")}
    assert ("member", "grant") in kinds(asked(found, last="c"))
    changes = asked(found).changes
    assert {type(one) for one in changes} == {AlterPrincipal, RemoveGrant, RemoveMembership}


def test_owning_is_a_way_where_it_gives_something_and_no_revoke_ends_it(make: Make) -> None:
    found = asked(make(people={}), who="owner", action="OPEN", last="v")
    assert kinds(found) == {("owner",)}
    assert found.changes == ()


def test_a_membership_that_follows_from_owning_the_database_cannot_be_revoked(make: Make) -> None:
    row = Membership(member=2, group=3, database="app", implicit=True)
    found = asked(msgspec.structs.replace(make(people={"a": (), "reader": ()}), memberships=(row,)))
    assert kinds(found) == {("implicit", "predefined")}
    assert found.paths[0][0].via == "owner of database:app"
    assert found.changes == ()


def test_a_membership_of_another_database_is_no_way(make: Make) -> None:
    row = Membership(member=2, group=3, database="other", implicit=True)
    found = msgspec.structs.replace(make(people={"a": (), "b": ()}, grants=(("b", "SELECT", "t"),)), memberships=(row,))
    assert not asked(found).allowed
    granted = make(people={"a": (), "b": ()}, grants=(("a", "SELECT", "t"), ("b", "SELECT", "t")))
    assert kinds(asked(msgspec.structs.replace(granted, memberships=(row,)))) == {("grant",)}


def test_the_public_itself_may_be_asked_about(make: Make) -> None:
    assert asked(make(people={}, grants=(("PUBLIC", "SELECT", "t"),)), who="PUBLIC").allowed
    assert not asked(make(people={}), who="PUBLIC").allowed
    assert PUBLIC == 0


def test_many_ways_are_cut_short(make: Make) -> None:
    layers = [[f"l{layer}{side}" for side in range(3)] for layer in range(5)]
    people: dict[str, tuple[str, ...]] = {"a": (), **{name: () for layer in layers for name in layer}}
    members = [("a", name) for name in layers[0]]
    for upper, lower in zip(layers[1:], layers, strict=False):
        members += [(below, above) for below in lower for above in upper]
    grants = tuple((name, "SELECT", "t") for name in layers[-1])
    found = asked(make(people=people, members=tuple(members), grants=grants))
    assert (len(found.paths), found.more_paths) == (100, True)
    assert len(found.changes) == 3


def test_a_circle_and_a_group_that_has_nothing_are_no_ways(make: Make) -> None:
    found = make(
        people={"a": (), "b": (), "c": (), "idle": ()},
        members=(("a", "b"), ("b", "c"), ("c", "a"), ("b", "idle")),
        grants=(("c", "SELECT", "t"), ("idle", "INSERT", "t")),
    )
    [path] = asked(found).paths
    assert [(hop.from_, hop.to) for hop in path] == [("a", "b"), ("b", "c"), ("c", "table:app.s.t")]


def test_what_is_granted_nowhere(make: Make) -> None:
    found = asked(make(people={"a": ("LOGIN",)}))
    assert not found.allowed
    assert blocks(found) == ["no_grant", "gate", "gate"]
    assert "neither to a, nor to a role that it inherits from, nor to PUBLIC" in found.blocked_by[0].summary
    assert found.blocked_by[1].fix == "grant USAGE on schema:app.s"


def test_an_owner_can_regain(make: Make) -> None:
    assert "owner_without_grant" in blocks(asked(make(people={}), who="owner"))


def test_becoming_is_not_inheriting(make: Make) -> None:
    options = {("a", "b"): {"inherit": False}}
    found = make(
        people={"a": (), "b": (), "c": ()},
        members=(("a", "b"),),
        options=options,
        grants=(("b", "SELECT", "t"), ("c", "SELECT", "t")),
    )
    [block] = [block for block in asked(found).blocked_by if block.kind == "not_inherited"]
    assert block.fix == "SET ROLE b"


@pytest.mark.parametrize(
    ("attributes", "until", "limit", "kind"),
    [
        ((), None, None, "no_login"),
        (("LOGIN",), NOW - timedelta(1), None, "expired"),
        (("LOGIN",), None, 0, "connection_limit"),
    ],
)
def test_an_account_can_be_in_the_way(
    make: Make, attributes: tuple[str, ...], until: datetime | None, limit: int | None, kind: str
) -> None:
    found = make(people={"a": attributes, "b": ("LOGIN",)}, grants=GATED)
    people = tuple(
        msgspec.structs.replace(one, valid_until=until, connection_limit=limit) if one.name == "a" else one
        for one in found.principals
    )
    answer = asked(msgspec.structs.replace(found, principals=people))
    assert (answer.allowed, answer.usable) == (True, False)
    assert blocks(answer) == [kind]


def test_a_closed_database_is_in_the_way(make: Make) -> None:
    found = make(people={"a": ("LOGIN",)}, grants=GATED)
    closed = (msgspec.structs.replace(found.objects[0], flags=("closed",)), *found.objects[1:])
    assert blocks(asked(msgspec.structs.replace(found, objects=closed))) == ["closed"]


def test_what_was_not_read_is_neither_a_way_nor_in_the_way(make: Make) -> None:
    found = make(people={"a": ("LOGIN",)}, grants=(("a", "SELECT", "t"),))
    assert "USAGE" in asked(found, last="c").blocked_by[0].summary
    assert asked(found, last="c").allowed
    objects = tuple(msgspec.structs.replace(one, parent=-1) if one.kind == "column" else one for one in found.objects)
    assert blocks(asked(msgspec.structs.replace(found, objects=objects), last="c")) == ["no_grant"]


@pytest.mark.parametrize(("flags", "who"), [((), "b"), (("invoker",), "a")])
def test_a_view_names_the_one_who_lacks(make: Make, flags: tuple[str, ...], who: str) -> None:
    found = make(people={"a": ("LOGIN",), "b": ()}, grants=(("a", "USAGE", "s"), ("a", "CONNECT", "app")))
    view = SecuredObject("table", ("app", "s", "w"), 3, len(found.acls), 1, flags, (Reads(2),))
    acls = (*found.acls, (Grant(2, 3, 1),))
    answer = asked(msgspec.structs.replace(found, objects=(*found.objects, view), acls=acls), last="w")
    assert blocks(answer) == ["view"]
    assert answer.blocked_by[0].summary.startswith(f"{who}, as whom the view is checked, lacks SELECT")


def test_rows_may_be_limited(make: Make) -> None:
    def limits(*flags: str) -> str:
        return "".join(asked(make(people={"a": ("LOGIN",)}, grants=GATED, flags=flags)).limits)

    assert limits() == ""
    assert "no row can be seen" in limits("rls")
    assert "only the rows that its policies allow" in limits("rls", "policies")


def test_the_servers_own_tables_are_nobodys_to_change(make: Make) -> None:
    grants = (*GATED, ("a", "UPDATE", "t"))
    found = make(people={"a": ("LOGIN",), "boss": ("SUPERUSER",)}, grants=grants, flags=("catalog", "system"))
    kind = msgspec.structs.replace(found.rules.kinds["table"], admin_only=("UPDATE",))
    rules = msgspec.structs.replace(found.rules, kinds={**found.rules.kinds, "table": kind})
    found = msgspec.structs.replace(found, rules=rules)
    answer = asked(found, action="UPDATE")
    assert not answer.allowed
    assert "system" in blocks(answer)
    assert kinds(asked(found, action="UPDATE", who="boss")) == {("bypass",)}
    assert kinds(asked(found, action="SELECT")) == {("grant",)}
    assert "system" not in blocks(asked(found, action="INSERT"))
