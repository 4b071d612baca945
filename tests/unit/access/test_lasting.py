"""What an account is from the day it is made, what it takes to make it, its settings, and what making it gives."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from dbops.access.diff import diff
from dbops.access.export import export
from dbops.access.reverse import reverse
from dbops.access.simulate import simulate
from dbops.access.telling import summary
from dbops.errors import InputError
from dbops.model.access import AccessSnapshot, Grant, Kind, Principal, SecuredObject
from dbops.model.change import AddGrant, AlterPrincipal, Change, CreatePrincipal, ObjectName, RemoveGrant, Setting
from dbops.model.judging import Covering
from dbops.model.users import Requirement, Wanted, WantedGrant, WantedPrincipal

Make = Callable[..., AccessSnapshot]
COVERING = Covering(
    unbound="sysadmin",
    owner="dbo",
    guest="guest",
    everybody="PUBLIC",
    enters="CONNECT",
    connects="CONNECT SQL",
    nobody="WITHOUT LOGIN",
)
SERVER = Kind(name="server", actions=("CONNECT SQL",), depth=0, contained=False)
DATABASE, ON_SERVER, OWNER = 0, 5, 1
CONNECT = 2


def person(name: str, *words: str, settings: tuple[str, ...] = (), database: str = "app") -> Principal:
    user = name.partition(".")[2] if database else ""
    return Principal(name=name, kind="user", attributes=words, settings=settings, database=database, user=user)


def world(
    make: Make,
    *people: Principal,
    grants: tuple[Grant, ...] = (),
    on_server: tuple[Grant, ...] = (),
    flags: tuple[str, ...] = (),
) -> AccessSnapshot:
    """The people are numbers 2 and more; a database ``app`` and a server that they are let into."""
    found = make(people={})
    rules = msgspec.structs.replace(
        found.rules,
        kinds={**found.rules.kinds, "server": SERVER},
        covering=COVERING,
        assumed=(),
        decided=("LOGIN", "CONTAINED", "WITHOUT LOGIN"),
        lasting=("CONTAINED", "WITHOUT LOGIN"),
        settings={"default_schema": "dbo", "language": ""},
    )
    objects = (*found.objects, SecuredObject("server", (), -1, ON_SERVER))
    objects = (msgspec.structs.replace(objects[DATABASE], flags=flags), *objects[1:])
    lists = (grants, *found.acls[1:], on_server)
    return msgspec.structs.replace(
        found, principals=(*found.principals, *people), rules=rules, objects=objects, acls=lists
    )


def want(name: str, *words: str, database: str = "app", lacking: str = "", **settings: str) -> WantedPrincipal:
    return WantedPrincipal(
        name=name,
        state="present",
        attributes=words,
        member_of=(),
        kind="user",
        where="spec:4",
        user=name.partition(".")[2] if database else "",
        database=database,
        lacking=lacking,
        settings=tuple(Setting(one, value) for one, value in settings.items()),
    )


def enters(name: str) -> WantedGrant:
    return WantedGrant(principal=name, kind="database", path=("app",), actions=("CONNECT",), where="spec:4")


def wanted(
    *people: WantedPrincipal, grants: tuple[WantedGrant, ...] = (), requirements: tuple[Requirement, ...] = ()
) -> Wanted:
    return Wanted(
        managed=("*",), databases=("app",), principals=people, grants=grants, owners=(), requirements=requirements
    )


def changes(before: AccessSnapshot, wish: Wanted) -> tuple[Change, ...]:
    return diff(before, wish).changes


# Attributes that last


@pytest.mark.parametrize(
    ("has", "shall", "said", "hint"),
    [
        (("CONTAINED",), (), "'app.al' is there as contained and shall be another", "attributes: [contained]"),
        ((), ("CONTAINED",), "is there as another sort of account and shall be contained", "offboard TARGET app.al"),
        (("WITHOUT LOGIN",), ("CONTAINED",), "as without login and shall be contained", "attributes: [without login]"),
    ],
)
def test_nobody_becomes_what_he_was_not_made_as(
    make: Make, has: tuple[str, ...], shall: tuple[str, ...], said: str, hint: str
) -> None:
    with pytest.raises(InputError, match=r"^spec:4: ") as caught:
        changes(world(make, person("app.al", *has)), wanted(want("app.al", *shall)))
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_who_is_as_he_shall_be_or_shall_go_is_no_contradiction(make: Make) -> None:
    there = person("app.al", "CONTAINED", "FACT")
    assert changes(world(make, there), wanted(want("app.al", "CONTAINED"))) == ()
    gone = msgspec.structs.replace(want("app.al"), state="absent")
    assert [type(one).__name__ for one in changes(world(make, there), wanted(gone))] == ["DropPrincipal"]


def test_what_lasts_is_exported(make: Make) -> None:
    granted = (Grant(2, OWNER, CONNECT),)
    found = export(world(make, person("app.al", "LOGIN", "CONTAINED", "FACT"), grants=granted), ["app.al"], ["app"])
    assert found["users"]["app.al"]["attributes"] == ["contained"]


# What it takes


def test_who_lacks_something_can_be_there_and_cannot_be_made(make: Make) -> None:
    lacking = want("app.al", "CONTAINED", lacking="say a password")
    assert changes(world(make, person("app.al", "CONTAINED")), wanted(lacking)) == ()
    with pytest.raises(InputError, match=r"^spec:4: app\.al is not there and cannot be made: say a password"):
        changes(world(make), wanted(lacking))


def test_what_a_spec_requires_of_the_server(make: Make) -> None:
    need = Requirement(
        kind="database", path=("app",), flag="contained", otherwise="it is not", hint="make it so", where="spec:4"
    )
    wish = wanted(requirements=(need,))
    assert changes(world(make, flags=("contained",)), wish) == ()
    elsewhere = wanted(requirements=(msgspec.structs.replace(need, path=("other",)),))
    for before, asked in ((world(make), wish), (world(make, flags=("contained",)), elsewhere)):
        with pytest.raises(InputError, match=r"^spec:4: it is not") as caught:
            changes(before, asked)
        assert caught.value.hint == "make it so"


# Settings


def test_a_setting_is_set_where_it_is_another_and_left_where_nothing_is_said(make: Make) -> None:
    before = world(make, person("app.al", settings=("sid=0x01", "default_schema=s", "exists")))
    assert changes(before, wanted(want("app.al"))) == ()
    assert changes(before, wanted(want("app.al", default_schema="s", language=""))) == ()
    [change] = changes(before, wanted(want("app.al", default_schema="dbo", language="Deutsch")))
    assert change == AlterPrincipal(
        name="app.al",
        settings=(Setting("default_schema", "dbo"), Setting("language", "Deutsch")),
        old_settings=(Setting("default_schema", "s"), Setting("language", "")),
    )
    assert summary(change, before.rules) == "alter app.al: default schema dbo, language Deutsch"
    after = simulate(before, [change])
    assert changes(after, wanted(want("app.al", default_schema="dbo", language="Deutsch"))) == ()
    assert after.principals[2].settings == ("sid=0x01", "exists", "default_schema=dbo", "language=Deutsch")
    back = reverse(change)
    assert back is not None
    assert summary(back, before.rules) == "alter app.al: default schema s, language as usual"
    assert set(simulate(after, [back]).principals[2].settings) == set(before.principals[2].settings)


def test_one_that_is_made_has_the_usual_settings_but_those_said(make: Make) -> None:
    [made, *_] = changes(world(make), wanted(want("app.al", default_schema="s")))
    assert isinstance(made, CreatePrincipal)
    assert made.settings == (Setting("default_schema", "s"),)
    assert simulate(world(make), [made]).principals[2].settings == ("default_schema=s",)
    usual = simulate(world(make), [msgspec.structs.replace(made, settings=())])
    assert usual.principals[2].settings == ("default_schema=dbo",)


def test_settings_are_exported_where_they_are_not_as_usual(make: Make) -> None:
    granted = (Grant(2, OWNER, CONNECT), Grant(3, OWNER, CONNECT))
    people = (
        person("app.al", settings=("sid=0x01", "default_schema=s")),
        person("app.bo", settings=("default_schema=dbo", "other=x")),
    )
    found = export(world(make, *people, grants=granted), ["app.al", "app.bo"], ["app"])["users"]
    assert found["app.al"]["settings"] == {"default_schema": "s"}
    assert "settings" not in found["app.bo"]


# Being let in


def test_making_somebody_lets_him_in(make: Make) -> None:
    wish = wanted(want("app.al"), grants=(enters("app.al"),))
    assert [type(one).__name__ for one in changes(world(make), wish)] == ["CreatePrincipal"]
    assert changes(simulate(world(make), changes(world(make), wish)), wish) == ()
    kept_out = changes(world(make), wanted(want("app.al")))
    entrance = ObjectName("database", ("app",))
    assert kept_out[1:] == (RemoveGrant(principal="app.al", object=entrance, actions=("CONNECT",)),)


def test_nobody_is_let_in_as_who_nobody_logs_in_as(make: Make) -> None:
    wish = wanted(want("app.al", "WITHOUT LOGIN"), grants=(enters("app.al"),))
    made, let_in = changes(world(make), wish)
    assert isinstance(made, CreatePrincipal)
    assert let_in == AddGrant(principal="app.al", object=ObjectName("database", ("app",)), actions=("CONNECT",))


def test_an_account_is_let_in_where_a_server_shows_grants(make: Make) -> None:
    made = CreatePrincipal(name="al", kind="user", attributes=())
    granted = simulate(world(make, on_server=(Grant(OWNER, -1, 1),)), [made])
    assert granted.grants(granted.objects[ON_SERVER]) == (Grant(OWNER, -1, 1), Grant(2, -1, 1))
    service = simulate(world(make), [made])
    assert service.grants(service.objects[ON_SERVER]) == ()
    elsewhere = simulate(world(make), [msgspec.structs.replace(made, name="x.al", database="x")])
    assert elsewhere.grants(elsewhere.objects[DATABASE]) == ()


def test_who_is_not_let_in_is_exported_so(make: Make) -> None:
    people = (person("app.al"), person("app.bo"), person("cy", "LOGIN", database=""))
    before = world(make, *people, grants=(Grant(2, OWNER, CONNECT),), on_server=(Grant(OWNER, -1, 1),))
    found = export(before, ["app.al", "app.bo", "cy"], ["app"])["users"]
    assert "attributes" not in found["app.al"]
    assert found["app.bo"]["attributes"] == ["no connect"]
    assert found["cy"]["attributes"] == ["no connect"]
    # Nothing is said of a database that is not the spec's, nor of a server that shows no grants, nor of roles.
    assert export(before, ["app.bo"], [])["users"] == {"app.bo": {}}
    assert export(world(make, *people), ["app.al", "cy"], ["app"])["users"] == {"app.al": {}, "cy": {}}
    role = msgspec.structs.replace(people[1], kind="role")
    assert export(world(make, people[0], role), ["app.bo"], ["app"])["roles"] == {"app.bo": {}}
