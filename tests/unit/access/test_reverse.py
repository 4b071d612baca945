"""Changes taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest

from dbops.access.delta import compare
from dbops.access.reverse import reverse
from dbops.access.simulate import simulate
from dbops.model.access import AccessSnapshot, Membership
from dbops.model.change import (
    AddDefault,
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DiscardPassword,
    DropPrincipal,
    MemberOptions,
    ObjectName,
    RemoveDefault,
    RemoveGrant,
    RemoveMembership,
    SetInherited,
    SetOwner,
    SetPassword,
    Setting,
)
from dbops.plan import SecretRef

Make = Callable[..., AccessSnapshot]
TABLE = ObjectName("table", ("app", "s", "t"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOON, LATER = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
# Each with everything said that undoing needs, and none with what cannot be had back.
CHANGES: list[Change] = [
    CreatePrincipal(name="z", attributes=("LOGIN",), kind="user"),
    DropPrincipal(name="z", attributes=("LOGIN",), kind="user"),
    AlterPrincipal(
        name="a",
        gains=("LOGIN",),
        loses=("CREATEDB",),
        set_limit=True,
        connection_limit=3,
        old_limit=7,
        set_until=True,
        valid_until=LATER,
        old_until=SOON,
        settings=(Setting("default_schema", "s"),),
        old_settings=(Setting("default_schema", "dbo"),),
    ),
    AddMembership(member="a", group="c", grantor="owner", inherit=False, set=False, admin=True),
    AddMembership(
        member="a", group="b", grantor="owner", inherit=True, admin=True, old=MemberOptions(inherit=False, set=False)
    ),
    RemoveMembership(member="a", group="c", grantor="owner", inherit=False, set=False, admin=True),
    SetInherited(member="a", groups=("c",), old=("b",)),
    AddGrant(principal="a", object=TABLE, actions=("UPDATE", "INSERT"), grantable=True, grantor="owner"),
    RemoveGrant(principal="a", object=TABLE, actions=("UPDATE", "INSERT"), grantable=True, grantor="owner"),
    SetOwner(object=TABLE, owner="a", old="owner"),
    AddDefault(
        creator="b", database="app", schema="s", kind="table", principal="a", actions=("SELECT",), grantable=True
    ),
    RemoveDefault(
        creator="b", database="app", schema="s", kind="table", principal="a", actions=("SELECT",), grantable=True
    ),
]
PASSWORDS: list[Change] = [SetPassword(name="a", password=SecretRef("env:X")), DiscardPassword(name="a")]


def test_the_samples_are_all_changes_there_are() -> None:
    assert {type(one) for one in [*CHANGES, *PASSWORDS]} == set(get_args(Change))


@pytest.mark.parametrize("change", PASSWORDS)
def test_a_password_does_not_come_back(change: Change) -> None:
    assert reverse(change) is None


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_taken_back_twice_is_done(change: Change) -> None:
    back = reverse(change)
    assert back is not None
    assert back != change
    assert reverse(back) == change


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_is_left_of_what_was_done_and_taken_back(make: Make, change: Change) -> None:
    back = reverse(change)
    assert back is not None
    before = world(make)
    was_there = isinstance(change, AddMembership) and change.old is not None
    if was_there or isinstance(change, DropPrincipal | RemoveMembership | RemoveGrant | RemoveDefault):
        before = simulate(before, [back])
    after = simulate(before, [change])
    assert not compare(before, after, NOW).equal
    assert compare(before, simulate(after, [back]), NOW).equal


def world(make: Make) -> AccessSnapshot:
    """``a`` begins with what ``b`` has and not with what ``c`` has, may create databases, has a limit and an end."""
    made = make(people={"a": ("CREATEDB",), "b": (), "c": ()})
    people = (
        msgspec.structs.replace(one, connection_limit=7, valid_until=SOON) if one.name == "a" else one
        for one in made.principals
    )
    rows = (Membership(member=2, group=3), Membership(member=2, group=4, inherit=False, defining=False))
    return msgspec.structs.replace(made, principals=tuple(people), memberships=rows)
