"""Accounts that are a user at a host, roles that are on one list, and engines that drop an account with its rights."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from dbops import yaml
from dbops.access.diff import Difference, diff
from dbops.access.export import export, names_to_export
from dbops.access.simulate import simulate
from dbops.errors import InputError
from dbops.model.access import AccessSnapshot, Grant, Kind, Membership, Principal, Rules, SecuredObject
from dbops.model.change import (
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    MemberOptions,
    ObjectName,
    RemoveGrant,
    RemoveMembership,
    SetInherited,
)
from dbops.model.users import SpecMember, Wanted, WantedGrant, WantedPrincipal

SERVER = Kind(
    name="server",
    actions=("SELECT", "PASS ON", "HELP", "STOP"),
    depth=0,
    contained=False,
    option="PASS ON",
    own_options=("HELP", "STOP"),
)
PATTERN = Kind(name="pattern", actions=("SELECT", "PASS ON"), contained=False, option="PASS ON", latent=True)
RULES = Rules(
    kinds={"server": SERVER, "pattern": PATTERN},
    login="LOGIN",
    inherit_list=True,
    any_host="%",
    decided=("LOGIN", "REQUIRE SSL"),
    drop_takes_rights=True,
)
HERE, THERE, READ, WRITE = 1, 2, 3, 4


def person(user: str, host: str, *words: str) -> Principal:
    return Principal(name=f"'{user}'@'{host}'", kind="user", attributes=words or ("LOGIN",), user=user, host=host)


def role(name: str) -> Principal:
    return Principal(name=f"'{name}'@'%'", kind="role", user=name, host="%")


def world(*grants: Grant, members: tuple[Membership, ...] = (), people: tuple[Principal, ...] = ()) -> AccessSnapshot:
    """``a`` with two accounts, two roles, and the server itself."""
    usual = (person("a", "here"), person("a", "there"), role("read"), role("write"))
    return AccessSnapshot(
        engine="test",
        version=(1,),
        incarnation="1",
        taken_at=datetime(2026, 1, 1, tzinfo=UTC),
        rules=RULES,
        principals=(Principal(name="PUBLIC", kind="public"), *(people or usual)),
        memberships=members,
        objects=(SecuredObject("server", (), -1, 0),),
        acls=(grants,),
    )


def account(user: str, host: str, **more: object) -> WantedPrincipal:
    plain = WantedPrincipal(
        name=f"'{user}'@'{host}'",
        state="present",
        attributes=("LOGIN",),
        member_of=(),
        kind="user",
        user=user,
        host=host,
        where="spec:9",
    )
    return msgspec.structs.replace(plain, **more)


def wanted(*principals: WantedPrincipal, grants: tuple[WantedGrant, ...] = ()) -> Wanted:
    return Wanted(managed=("a", "b", "read"), databases=(), principals=principals, grants=grants, owners=())


def changes(snapshot: AccessSnapshot, wish: Wanted) -> tuple[Change, ...]:
    found: Difference = diff(snapshot, wish)
    assert diff(simulate(snapshot, found.changes), wish).changes == ()
    return found.changes


def test_what_is_said_of_a_user_is_said_of_each_of_his_accounts() -> None:
    locked = account("a", "%", state="locked", attributes=(), every_host=True)
    assert changes(world(), wanted(locked)) == (
        AlterPrincipal(name="'a'@'here'", loses=("LOGIN",)),
        AlterPrincipal(name="'a'@'there'", loses=("LOGIN",)),
    )
    gone = account("a", "%", state="absent", every_host=True)
    assert [type(one) for one in changes(world(), wanted(gone))] == [DropPrincipal, DropPrincipal]


def test_his_grants_too_and_an_account_that_the_spec_names_itself_is_left_out() -> None:
    grant = WantedGrant(principal="'a'@'%'", kind="server", path=(), actions=("SELECT",))
    locked = account("a", "%", state="locked", attributes=(), every_host=True)
    found = changes(world(), wanted(locked, account("a", "here"), grants=(grant,)))
    given = AddGrant(principal="'a'@'there'", object=ObjectName("server", ()), actions=("SELECT",))
    assert found == (given, AlterPrincipal(name="'a'@'there'", loses=("LOGIN",)))


def test_a_user_without_accounts_is_made_where_the_engine_says() -> None:
    [made] = changes(world(), wanted(account("b", "%", state="locked", attributes=(), every_host=True)))
    assert made == CreatePrincipal(name="'b'@'%'", attributes=(), kind="user", user="b", host="%")
    assert changes(world(), wanted(account("b", "%", state="absent", every_host=True))) == ()


def test_an_account_is_managed_by_its_user_or_by_its_whole_name() -> None:
    one = msgspec.structs.replace(wanted(account("a", "here")), managed=("'a'@'here'",))
    assert changes(world(), one) == ()
    with pytest.raises(InputError, match=r"is not among manage\.principals"):
        diff(world(), msgspec.structs.replace(one, managed=("'a'@'there'",)))


def test_an_account_that_goes_takes_its_rights_along() -> None:
    snapshot = world(Grant(HERE, -1, 1))
    gone = wanted(account("a", "here", state="absent"))
    assert changes(snapshot, gone) == (DropPrincipal(name="'a'@'here'", attributes=("LOGIN",), kind="user"),)
    assert simulate(snapshot, changes(snapshot, gone)).acls == ((),)


def test_attributes_that_are_facts_are_nobody_s_to_decide() -> None:
    snapshot = world(people=(person("a", "here", "LOGIN", "EXPIRED", "REQUIRE SSL"),))
    assert changes(snapshot, wanted(account("a", "here"))) == (
        AlterPrincipal(name="'a'@'here'", loses=("REQUIRE SSL",)),
    )
    assert export(snapshot, ["'a'@'here'"], [])["users"] == {"a": {"attributes": ["require ssl"], "hosts": ["here"]}}


# -- roles on a list --------------------------------------------------------------------------------------------------


def member(group: str, *, inherit: bool = True, admin: bool = False) -> SpecMember:
    return SpecMember(role=f"'{group}'@'%'", inherit=inherit, set=True, admin=admin)


def test_the_list_is_said_as_a_whole_and_before_anything_is_taken() -> None:
    snapshot = world(Grant(HERE, -1, 1), members=(Membership(member=HERE, group=READ),))
    found = changes(snapshot, wanted(account("a", "here", member_of=(member("write"),))))
    assert found == (
        AddMembership(member="'a'@'here'", group="'write'@'%'", inherit=False),
        SetInherited(member="'a'@'here'", groups=("'write'@'%'",), old=("'read'@'%'",)),
        RemoveGrant(principal="'a'@'here'", object=ObjectName("server", ()), actions=("SELECT",)),
        RemoveMembership(member="'a'@'here'", group="'read'@'%'"),
    )


def test_a_role_that_is_not_to_count_at_once_stays_granted() -> None:
    snapshot = world(members=(Membership(member=HERE, group=READ),))
    wish = wanted(account("a", "here", member_of=(member("read", inherit=False),)))
    assert changes(snapshot, wish) == (SetInherited(member="'a'@'here'", groups=(), old=("'read'@'%'",)),)


def test_who_may_no_longer_let_others_in_gets_his_list_again() -> None:
    snapshot = world(members=(Membership(member=HERE, group=READ, admin=True),))
    found = changes(snapshot, wanted(account("a", "here", member_of=(member("read"),))))
    assert found == (
        AddMembership(member="'a'@'here'", group="'read'@'%'", inherit=True, old=MemberOptions(admin=True)),
        SetInherited(member="'a'@'here'", groups=("'read'@'%'",), old=("'read'@'%'",)),
    )


def test_a_role_in_a_role_counts_whenever_that_does() -> None:
    wish = account("read", "%", kind="role", attributes=(), member_of=(member("write"),))
    assert changes(world(), wanted(wish)) == (AddMembership(member="'read'@'%'", group="'write'@'%'", inherit=True),)


# -- rights that lie about names, and rights to pass on ---------------------------------------------------------------


def test_a_right_on_what_is_not_there_yet_makes_it_known() -> None:
    grant = WantedGrant(principal="'a'@'here'", kind="pattern", path=("shop%",), actions=("SELECT",))
    assert changes(world(), wanted(account("a", "here"), grants=(grant,))) == (
        AddGrant(principal="'a'@'here'", object=ObjectName("pattern", ("shop%",)), actions=("SELECT",)),
    )


def test_an_option_for_all_of_a_level_and_options_of_single_actions() -> None:
    every = SERVER.bits(("SELECT", "PASS ON", "HELP", "STOP"))
    found = export(world(Grant(HERE, -1, every, SERVER.bits(("STOP",)))), ["'a'@'here'"], [])
    assert found["users"]["a"]["grants"] == [
        {"object": "server", "can": ["help"]},
        {"object": "server", "can": ["stop", "select"], "grantable": True},
    ]
    alone = export(world(Grant(HERE, -1, SERVER.bits(("PASS ON",)))), ["'a'@'here'"], [])
    assert alone["users"]["a"]["grants"] == [{"object": "server", "can": ["pass on"]}]


def test_who_has_everything_is_in_no_spec_that_nobody_asked_for() -> None:
    every = SERVER.bits(("SELECT", "PASS ON"))
    snapshot = world(Grant(HERE, -1, every), Grant(THERE, -1, SERVER.bits(("SELECT", "HELP"))))
    assert names_to_export(snapshot, ()) == ("'a'@'there'", "'read'@'%'", "'write'@'%'")
    assert names_to_export(snapshot, ["a"]) == ("'a'@'here'", "'a'@'there'")


# -- as a spec --------------------------------------------------------------------------------------------------------


def test_accounts_that_are_alike_are_one_entry() -> None:
    names = ["'a'@'here'", "'a'@'there'", "'read'@'%'"]
    members = (Membership(member=HERE, group=READ), Membership(member=THERE, group=READ))
    found = export(world(members=members), names, [])
    assert found["manage"]["principals"] == ["a", "read"]
    assert (found["roles"], found["users"]) == (
        {"read": {}},
        {"a": {"member_of": ["read"], "hosts": ["here", "there"]}},
    )
    other = export(world(members=members[:1]), names, [])
    assert other["users"] == {"'a'@'here'": {"member_of": ["read"]}, "'a'@'there'": {}}
    assert yaml.load(yaml.dump(other), "x").value == other


def test_one_account_of_several_is_managed_by_its_whole_name() -> None:
    assert export(world(), ["'a'@'there'"], [])["manage"]["principals"] == ["'a'@'there'"]
    people = (
        person("a", "%", "LOCKED"),
        role("read"),
        msgspec.structs.replace(role("x"), name="'x'@'here'", host="here"),
    )
    found = export(world(people=people), [one.name for one in people], [])
    assert found["users"] == {"a": {"state": "locked"}}
    assert found["roles"] == {"read": {}, "'x'@'here'": {}}
