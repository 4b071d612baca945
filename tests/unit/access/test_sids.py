"""Accounts that databases know by an identifier: chosen when one is made, never changed, and with it come its users."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from dbops.access.diff import diff
from dbops.access.export import export, with_passwords
from dbops.errors import InputError
from dbops.model.access import AccessSnapshot, Principal
from dbops.model.change import AlterPrincipal, Change, CreatePrincipal
from dbops.model.finding import Missing
from dbops.model.users import Wanted, WantedPrincipal

Make = Callable[..., AccessSnapshot]
ONE, OTHER = "0x" + "1A" * 16, "0x" + "2B" * 16


def principal(name: str, sid: str, *words: str, database: str = "", password: str | Missing = "stored") -> Principal:
    return Principal(
        name=name,
        kind="user",
        attributes=words,
        settings=(f"sid={sid}", "default_database=app") if sid else (),
        database=database,
        user=name.partition(".")[2] if database else "",
        password=password,
    )


def world(make: Make, *people: Principal) -> AccessSnapshot:
    found = make(people={})
    rules = msgspec.structs.replace(found.rules, orphaned="ORPHANED", decided=("LOGIN", "ORPHANED"), assumed=())
    return msgspec.structs.replace(found, principals=(*found.principals, *people), rules=rules)


def wanted(*people: WantedPrincipal) -> Wanted:
    return Wanted(managed=("*",), databases=("app",), principals=people, grants=(), owners=())


def want(name: str, sid: str = "", *, state: str = "present", login: bool = True) -> WantedPrincipal:
    words = ("LOGIN",) if login else ()
    one = WantedPrincipal(
        name=name, state="present", attributes=words, member_of=(), kind="user", sid=sid, where="spec:4"
    )
    return msgspec.structs.replace(one, state=state)


def changes(before: AccessSnapshot, *people: WantedPrincipal) -> tuple[Change, ...]:
    return diff(before, wanted(*people)).changes


def test_an_account_is_made_with_its_sid(make: Make) -> None:
    made = CreatePrincipal(name="al", attributes=("LOGIN",), kind="user", sid=ONE)
    assert changes(world(make), want("al", ONE)) == (made,)
    assert changes(world(make, principal("al", ONE, "LOGIN")), want("al", ONE)) == ()


def test_users_of_databases_come_with_it(make: Make) -> None:
    """Those of another one are joined to it by name."""
    before = world(
        make,
        principal("app.al", ONE, "ORPHANED", database="app"),
        principal("crm.al", OTHER, "ORPHANED", database="crm"),
    )
    people = want("al", ONE), want("app.al", login=False), want("crm.al", login=False)
    made = CreatePrincipal(name="al", attributes=("LOGIN",), kind="user", sid=ONE)
    assert changes(before, *people) == (made, AlterPrincipal(name="crm.al", loses=("ORPHANED",)))
    both = tuple(AlterPrincipal(name=name, loses=("ORPHANED",)) for name in ("app.al", "crm.al"))
    assert changes(before, want("al"), *people[1:]) == (msgspec.structs.replace(made, sid=""), *both)


def test_a_sid_is_never_changed(make: Make) -> None:
    before = world(make, principal("al", OTHER, "LOGIN"))
    with pytest.raises(InputError, match=f"spec:4: al has the SID {OTHER}, not {ONE}, and a SID cannot") as caught:
        changes(before, want("al", ONE))
    assert "state: absent" in caught.value.hint
    assert changes(before, want("al", ONE, state="absent"))
    assert changes(before, want("al")) == ()


def test_one_that_is_not_shown_is_not_compared(make: Make) -> None:
    assert changes(world(make, principal("al", "", "LOGIN")), want("al", ONE)) == ()


def test_a_sid_is_one_accounts(make: Make) -> None:
    """Users of databases have that of theirs, and so may one who is gone."""
    before = world(make, principal("app.al", ONE, database="app"), principal("bo", ONE, "LOGIN"))
    with pytest.raises(InputError, match=f"spec:4: bo has the SID {ONE} already"):
        changes(before, want("al", ONE))
    gone = tuple(msgspec.structs.replace(one, kind="unknown") if one.name == "bo" else one for one in before.principals)
    assert changes(msgspec.structs.replace(before, principals=gone), want("al", ONE))


def test_an_exported_spec_names_the_sid_of_who_has_a_password(make: Make) -> None:
    hidden = Missing("no_permission")
    before = world(
        make,
        principal("al", ONE, "LOGIN"),
        principal("bo", OTHER, "LOGIN", password=hidden),
        principal("win", ONE, "LOGIN", password="none"),
        principal("app.al", ONE, database="app"),
    )
    names = [one.name for one in before.principals if one.kind == "user"]
    users = export(before, names, ["app"], {"al": "file:kept/al"})["users"]
    assert users["al"] == {"password": {"hashed": "file:kept/al"}, "sid": ONE}
    assert users["bo"] == {"sid": OTHER}
    assert (users["win"], users["app.al"]) == ({}, {})
    assert [one.name for one in with_passwords(before, names)] == ["al", "bo"]
    plain = msgspec.structs.replace(before, rules=msgspec.structs.replace(before.rules, orphaned=""))
    assert export(plain, ["al"], ["app"])["users"]["al"] == {}
