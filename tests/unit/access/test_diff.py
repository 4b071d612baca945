"""What a spec changes, and above all what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from dbops.access.delta import compare
from dbops.access.diff import diff
from dbops.access.reverse import reverse
from dbops.access.simulate import simulate
from dbops.errors import InputError
from dbops.model.access import AccessSnapshot, DefaultGrant, Grant, Membership
from dbops.model.change import AddDefault, AddGrant, AddMembership, DropPrincipal, RemoveDefault, RemoveMembership
from dbops.model.users import SpecMember, Wanted, WantedGrant, WantedPrincipal

Make = Callable[..., AccessSnapshot]
A, B, C = 2, 3, 4


def world(make: Make, *defaults: DefaultGrant) -> AccessSnapshot:
    return msgspec.structs.replace(make(people={"a": (), "b": (), "c": ()}), defaults=defaults)


def default(creator: int, grantee: int, database: str = "app") -> DefaultGrant:
    grants = (Grant(grantee, creator, 1),)
    return DefaultGrant(creator=creator, database=database, schema="", kind="table", grants=grants)


def wanted(*people: WantedPrincipal, grants: tuple[WantedGrant, ...] = ()) -> Wanted:
    return Wanted(managed=("*",), databases=("app",), principals=people, grants=grants, owners=())


def person(name: str, *groups: str) -> WantedPrincipal:
    members = tuple(SpecMember(role=group, where=f"spec:{name}") for group in groups)
    return WantedPrincipal(name=name, state="present", attributes=(), member_of=members)


PRESENT = person("a")
ABSENT = WantedPrincipal(name="a", state="absent", attributes=(), member_of=(), where="spec:7")


def test_defaults_of_other_databases_and_of_others_are_left_alone(make: Make) -> None:
    elsewhere, others = default(B, A, "other"), default(B, C)
    assert diff(world(make, elsewhere, others), wanted(PRESENT)).changes == ()
    [removed] = diff(world(make, elsewhere, others, default(C, A)), wanted(PRESENT)).changes
    assert isinstance(removed, RemoveDefault)
    assert (removed.creator, removed.database, removed.principal) == ("c", "app", "a")


@pytest.mark.parametrize(("creator", "grantee", "named"), [(A, B, True), (B, A, True), (B, C, False)])
def test_an_account_goes_when_no_default_names_it(make: Make, creator: int, grantee: int, named: bool) -> None:
    found = world(make, default(creator, grantee, "other"))
    if not named:
        assert diff(found, wanted(ABSENT)).changes == (DropPrincipal(name="a"),)
        return
    with pytest.raises(InputError, match="spec:7: 'a' cannot be dropped yet: default privileges") as raised:
        diff(found, wanted(ABSENT))
    assert "dbops users offboard" in raised.value.hint


def test_two_wishes_for_the_same_new_objects_are_one_default(make: Make) -> None:
    def wish(action: str, grantable: bool) -> WantedGrant:
        return WantedGrant(
            principal="a",
            kind="table",
            path=("app", "s", "*"),
            actions=(action,),
            future="only",
            grantable=grantable,
        )

    found = diff(world(make), wanted(PRESENT, grants=(wish("SELECT", False), wish("INSERT", True)))).changes
    assert [(one.creator, one.actions, one.grantable) for one in found if isinstance(one, AddDefault)] == [
        ("owner", ("SELECT",), False),
        ("owner", ("INSERT",), True),
    ]
    assert not [one for one in found if isinstance(one, AddGrant)]


def test_a_default_is_parted_as_undoing_needs_it(make: Make) -> None:
    """Of SELECT and INSERT, which could be passed on, one goes; of SELECT the right to pass it on comes."""
    both = DefaultGrant(creator=B, database="app", schema="s", kind="table", grants=(Grant(A, B, 3, 2),))
    gone = diff(world(make, both), wanted(PRESENT)).changes
    assert [(one.actions, one.grantable) for one in gone if isinstance(one, RemoveDefault)] == [
        (("SELECT",), False),
        (("INSERT",), True),
    ]
    wish = WantedGrant(
        principal="a", kind="table", path=("app", "s", "*"), actions=("SELECT", "UPDATE"), future="only",
        grantable=True, creators=("b",),
    )  # fmt: skip
    changes = diff(world(make, both), wanted(PRESENT, grants=(wish,))).changes
    assert [(one.actions, one.option_only) for one in changes if isinstance(one, AddDefault)] == [
        (("UPDATE",), False),
        (("SELECT",), True),
    ]
    before = world(make, both)
    undone = [back for one in reversed(changes) if (back := reverse(one)) is not None]
    assert compare(before, simulate(before, [*changes, *undone]), before.taken_at).equal


def test_memberships_of_the_server_close_a_circle_too(make: Make) -> None:
    """Those of whoever the spec does not name; what it names is as the spec says, whatever the server has."""
    rows = (Membership(member=B, group=C), Membership(member=C, group=A))
    found = msgspec.structs.replace(world(make), memberships=rows)
    with pytest.raises(InputError, match="a circle of memberships: a → b → c → a") as raised:
        diff(found, wanted(person("a", "b")))
    assert raised.value.message.startswith("on the server:")
    changes = diff(found, wanted(person("a", "b"), person("c"))).changes
    assert {
        (type(one), one.member, one.group) for one in changes if isinstance(one, AddMembership | RemoveMembership)
    } == {
        (AddMembership, "a", "b"),
        (RemoveMembership, "c", "a"),
    }


def test_two_ways_to_one_group_are_no_circle(make: Make) -> None:
    changes = diff(world(make), wanted(person("a", "b", "c"), person("b", "d"), person("c", "d"), person("d"))).changes
    assert len([one for one in changes if isinstance(one, AddMembership)]) == 4


def test_a_membership_follows_from_the_database_and_is_left_alone(make: Make) -> None:
    row = Membership(member=A, group=B, database="app", implicit=True)
    found = msgspec.structs.replace(world(make), memberships=(row,))
    assert diff(found, wanted(PRESENT)).changes == ()
    assert diff(found, wanted(person("b", "a"))).changes != ()


@pytest.mark.parametrize(("principal", "added"), [("a", ["a"]), ("PUBLIC", [])])
def test_what_everybody_gets_anyway_is_spared_for_the_public_alone(
    make: Make, principal: str, added: list[str]
) -> None:
    found = world(make)
    table = msgspec.structs.replace(found.rules.kinds["table"], public_actions=("SELECT",))
    rules = msgspec.structs.replace(found.rules, kinds={**found.rules.kinds, "table": table})
    wish = WantedGrant(
        principal=principal,
        kind="table",
        path=("app", "*", "*"),
        actions=("SELECT",),
        future="only",
        creators=("b",),
    )
    spec = msgspec.structs.replace(wanted(grants=(wish,)), managed=("*", "PUBLIC"))
    changes = diff(msgspec.structs.replace(found, rules=rules), spec).changes
    assert [one.principal for one in changes if isinstance(one, AddDefault)] == added


def test_whoever_is_managed_and_not_in_the_spec_is_mentioned(make: Make) -> None:
    spec = msgspec.structs.replace(wanted(PRESENT), managed=("a", "b"))
    assert diff(world(make), spec).notes == ("b: managed and not in the spec, left alone (state: absent removes it)",)
