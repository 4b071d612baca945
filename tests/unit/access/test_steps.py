"""Steps and words that every engine shares."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dbops.access.steps import locked, passwords_to_have, passwords_to_make_up
from dbops.access.telling import summary
from dbops.model.access import Rules
from dbops.model.change import (
    AddDefault,
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DiscardPassword,
    DropPrincipal,
    ObjectName,
    RemoveDefault,
    RemoveGrant,
    RemoveMembership,
    SetInherited,
    SetOwner,
    SetPassword,
)
from dbops.plan import Call, Hold, Opening, Risk, Seal, SecretRef, Sql

PLACE = SecretRef("file:/run/alice")


def made(name: str, place: SecretRef = PLACE) -> CreatePrincipal:
    return CreatePrincipal(name=name, attributes=("LOGIN",), password=place, generate=True, kind="user")


def test_a_lock_is_as_risky_as_the_worst_that_it_holds() -> None:
    steps = tuple(
        Sql(id=risk.value, summary="change", risk=risk, statement=("SELECT 1",))
        for risk in (Risk.READ, Risk.DESTRUCTIVE, Risk.WRITE)
    )
    [found] = locked(steps)
    assert isinstance(found, Hold)
    assert (found.risk, found.opening, found.steps) == (Risk.DESTRUCTIVE, Opening(what="users_lock"), steps)
    assert locked(()) == ()


def test_a_password_is_made_up_once_for_all_accounts_that_get_it() -> None:
    steps = list(passwords_to_make_up([made("a"), made("b"), made("c", SecretRef("file:/run/c"))]))
    assert [one.summary for one in steps] == [
        "make up a password for a, b in /run/alice",
        "make up a password for c in /run/c",
    ]
    assert [one.id for one in steps] == ["g001", "g002"]
    assert all(isinstance(one, Call) and one.arguments["again"] is True for one in steps)


def test_a_new_password_is_never_one_that_is_there() -> None:
    [step] = passwords_to_make_up([made("a"), SetPassword(name="b", password=PLACE, generate=True)])
    assert isinstance(step, Call)
    assert step.arguments == {"path": "/run/alice", "again": False}
    assert list(passwords_to_make_up([SetPassword(name="b", password=PLACE)])) == []


def test_changes_in_words() -> None:
    plain, listed = Rules(kinds={}), Rules(kinds={}, inherit_list=True)
    assert summary(made("a"), plain) == "create account a"
    assert summary(SetPassword(name="a", password=PLACE), plain) == "set a new password for a"
    kept = SetPassword(name="a", password=PLACE, keep_old=True)
    assert summary(kept, plain) == "set a new password for a, the old one goes on working"
    assert summary(DiscardPassword(name="a"), plain) == "end the old password of a"
    joined = AddMembership(member="a", group="g", inherit=False)
    assert summary(joined, plain) == "let a into g without inherit"
    assert summary(joined, listed) == "let a into g"
    assert summary(SetInherited(member="a", groups=("g", "h")), listed) == "let a begin with g, h"
    assert summary(SetInherited(member="a", groups=()), listed) == "let a begin with no role"


TABLE = ObjectName("table", ("app", "my.t"))
SOON = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (CreatePrincipal(name="a", attributes=("LOGIN",)), "create login a"),
        (CreatePrincipal(name="a", attributes=("CREATEDB",)), "create role a"),
        (DropPrincipal(name="a"), "drop a"),
        (AlterPrincipal(name="a", gains=("LOGIN", "TLS"), loses=("CREATEDB",)), "alter a: +LOGIN, +TLS, -CREATEDB"),
        (AlterPrincipal(name="a", set_limit=True, connection_limit=3), "alter a: connection limit 3"),
        (AlterPrincipal(name="a", set_limit=True, connection_limit=0), "alter a: connection limit 0"),
        (AlterPrincipal(name="a", set_limit=True, old_limit=3), "alter a: connection limit unlimited"),
        (AlterPrincipal(name="a", set_until=True, valid_until=SOON), "alter a: valid until 2027-01-01T00:00:00+00:00"),
        (AlterPrincipal(name="a", set_until=True, old_until=SOON), "alter a: valid for ever"),
        (AddMembership(member="a", group="g"), "let a into g"),
        (
            AddMembership(member="a", group="g", inherit=False, set=False, admin=True),
            "let a into g without inherit, without set, with admin",
        ),
        (RemoveMembership(member="a", group="g"), "take a out of g"),
        (SetOwner(object=TABLE, owner="a", old="b"), 'make a the owner of table:app."my.t" (was b)'),
        (
            AddGrant(principal="a", object=TABLE, actions=("SELECT", "INSERT"), grantable=True),
            'grant SELECT, INSERT on table:app."my.t" to a to pass on',
        ),
        (AddGrant(principal="a", object=TABLE, actions=("SELECT",)), 'grant SELECT on table:app."my.t" to a'),
        (RemoveGrant(principal="a", object=TABLE, actions=("SELECT",)), 'revoke SELECT on table:app."my.t" from a'),
        (
            RemoveGrant(principal="a", object=TABLE, actions=("SELECT",), option_only=True, grantor="b"),
            'revoke the right to pass on SELECT on table:app."my.t" from a (granted by b)',
        ),
        (
            AddDefault(
                creator="b", database="app", schema="s", kind="table", principal="a", actions=("SELECT", "INSERT")
            ),
            "grant SELECT, INSERT on each new table that b creates in app.s to a",
        ),
        (
            RemoveDefault(creator="b", database="app", schema="", kind="table", principal="a", actions=("SELECT",)),
            "no longer grant SELECT on each new table that b creates in app to a",
        ),
    ],
)
def test_a_change_in_one_line(change: Change, said: str) -> None:
    assert summary(change, Rules(kinds={})) == said


def test_a_password_must_be_there_before_the_first_step_unless_a_step_makes_it_up() -> None:
    [making] = passwords_to_make_up([made("a")])
    steps = tuple(
        Sql(
            id=f"s{number}",
            summary="",
            risk=Risk.WRITE,
            statement=("CREATE USER a ", Seal(seal="x", secret=secret, name="a")),
        )
        for number, secret in enumerate((PLACE, SecretRef("env:A"), SecretRef("file:/run/c"), SecretRef("env:A")))
    )
    held = Hold(id="h", summary="", risk=Risk.WRITE, opening=Opening(what="lock"), steps=(making, *steps))
    assert passwords_to_have((held,)) == (SecretRef("env:A"), SecretRef("file:/run/c"))
    assert passwords_to_have(steps) == (PLACE, SecretRef("env:A"), SecretRef("file:/run/c"))
