"""Changes applied in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dbops.access.delta import compare, deltas
from dbops.access.simulate import simulate
from dbops.model.access import AccessSnapshot, Grant, Membership
from dbops.model.change import (
    AddDefault,
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    ObjectName,
    RemoveDefault,
    RemoveGrant,
    RemoveMembership,
    SetOwner,
    SetPassword,
)
from dbops.plan import SecretRef

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Make = Callable[..., AccessSnapshot]
TABLE = ObjectName("table", ("app", "s", "t"))
PEOPLE = ("owner", "a", "b", "c")

who = st.sampled_from(PEOPLE)
yes_no = st.booleans()
actions = st.lists(st.sampled_from(("SELECT", "INSERT", "UPDATE")), min_size=1, max_size=3, unique=True).map(tuple)
pairs = st.tuples(who, who).filter(lambda pair: pair[0] < pair[1])


def default(kind: type[AddDefault | RemoveDefault]) -> st.SearchStrategy[Change]:
    return st.builds(
        kind,
        creator=who,
        database=st.just("app"),
        schema=st.sampled_from(("", "s")),
        kind=st.just("table"),
        principal=who | st.just("PUBLIC"),
        actions=actions,
        grantable=yes_no,
    )


changes: st.SearchStrategy[list[Change]] = st.lists(
    st.one_of(
        st.builds(
            AddGrant, principal=who | st.just("PUBLIC"), object=st.just(TABLE), actions=actions, grantable=yes_no
        ),
        st.builds(
            RemoveGrant, principal=who | st.just("public"), object=st.just(TABLE), actions=actions, option_only=yes_no
        ),
        pairs.map(lambda pair: AddMembership(member=pair[0], group=pair[1])),
        pairs.map(lambda pair: RemoveMembership(member=pair[0], group=pair[1])),
        st.builds(AlterPrincipal, name=who, gains=st.sampled_from(((), ("LOGIN",))), set_limit=yes_no),
        who.map(lambda name: SetOwner(object=TABLE, owner=name, old="")),
        default(AddDefault),
        default(RemoveDefault),
    ),
    max_size=6,
)


def world(make: Make) -> AccessSnapshot:
    return make(people={"a": ("LOGIN",), "b": (), "c": ()}, grants=(("b", "SELECT", "t"), ("c", "SELECT", "c")))


def one_default(kind: type[AddDefault | RemoveDefault], schema: str) -> Change:
    return kind(creator="b", database="app", schema=schema, kind="table", principal="a", actions=("SELECT",))


COMES_BACK = [
    one_default(AddDefault, ""),
    one_default(AddDefault, "s"),
    one_default(RemoveDefault, ""),
    one_default(AddDefault, ""),
]
"""A default that goes leaves no place behind: when it comes back, it comes after those that stayed."""


@given(changes, st.integers(0, 6))
@example(COMES_BACK, 3)
def test_stopping_half_way_makes_no_difference(make: Make, every: list[Change], half: int) -> None:
    before = world(make)
    at_once = simulate(before, every)
    assert simulate(simulate(before, every[:half]), every[half:]) == at_once
    assert simulate(at_once, ()) == at_once


@given(changes)
def test_applied_again_nothing_changes_that_was_added(make: Make, every: list[Change]) -> None:
    adding = [one for one in every if isinstance(one, AddGrant | AddMembership | AddDefault | AlterPrincipal)]
    once = simulate(world(make), adding)
    assert compare(once, simulate(once, adding), NOW).equal


@given(who, actions, yes_no)
def test_a_revoke_takes_a_grant_back(make: Make, name: str, some: tuple[str, ...], grantable: bool) -> None:
    before = make(people={"a": (), "b": (), "c": ()})
    given_ = simulate(before, [AddGrant(principal=name, object=TABLE, actions=some, grantable=grantable)])
    assert given_ != before
    assert simulate(given_, [RemoveGrant(principal=name, object=TABLE, actions=some)]) == simulate(before, ())


def test_a_password_changes_nobodys_access(make: Make) -> None:
    before = world(make)
    assert simulate(before, [SetPassword(name="a", password=SecretRef("env:X"))]) == simulate(before, ())


def test_a_drop_keeps_the_place_and_ends_the_memberships(make: Make) -> None:
    before = make(people={"a": ("LOGIN",), "b": (), "c": ()}, members=(("a", "b"), ("b", "c"), ("a", "c")))
    after = simulate(before, [DropPrincipal(name="b")])
    assert [one.name for one in after.principals] == [one.name for one in before.principals]
    assert [(one.member, one.group) for one in after.memberships] == [(2, 4)]
    found = compare(before, after, NOW)
    assert found.principals == ("- b ()",)
    assert len(found.memberships) == 2


def test_a_name_that_was_dropped_may_be_created_again(make: Make) -> None:
    found = simulate(world(make), [DropPrincipal(name="a"), CreatePrincipal(name="a", attributes=())])
    assert [one.kind for one in found.principals if one.name == "a"] == ["unknown", "role"]
    [delta] = deltas(world(make), found, NOW)
    assert (delta.principal, delta.loses) == ("a", ("LOGIN",))


@pytest.mark.parametrize(
    "change",
    [
        AddGrant(principal="nobody", object=TABLE, actions=("SELECT",)),
        AddGrant(principal="a", object=ObjectName("table", ("app", "s", "nothing")), actions=("SELECT",)),
        AddGrant(principal="a", object=ObjectName("column", ("app", "s", "nothing", "c")), actions=("SELECT",)),
        AlterPrincipal(name="nobody"),
        DropPrincipal(name="nobody"),
        AddMembership(member="a", group="nobody"),
        SetOwner(object=TABLE, owner="nobody", old="owner"),
    ],
)
def test_what_is_not_there_is_an_error(make: Make, change: Change) -> None:
    with pytest.raises(KeyError):
        simulate(world(make), [change])


def test_a_column_without_rights_comes_into_being(make: Make) -> None:
    fresh = ObjectName("column", ("app", "s", "t", "d"))
    after = simulate(world(make), [AddGrant(principal="a", object=fresh, actions=("SELECT",))])
    assert (after.objects[-1].path, after.objects[-1].follows) == (fresh.path, 2)
    [delta] = deltas(world(make), after, NOW)
    assert (delta.principal, delta.gains) == ("a", ("SELECT on column:app.s.t.d",))


def test_a_revoke_from_the_table_also_takes_the_columns(make: Make) -> None:
    before = make(people={"a": ()}, grants=(("a", "SELECT", "c"), ("a", "UPDATE", "c")))
    after = simulate(before, [RemoveGrant(principal="a", object=TABLE, actions=("SELECT", "INSERT"))])
    assert [after.rules.kinds["column"].names(one.actions) for one in after.grants(after.objects[3])] == [("UPDATE",)]
    column = ObjectName("column", ("app", "s", "t", "c"))
    assert simulate(before, [RemoveGrant(principal="a", object=column, actions=("SELECT",))]) == after


def test_a_denial_stays_when_the_grant_goes(make: Make) -> None:
    before = make(people={"a": ()}, grants=(("a", "SELECT", "t"),), denied=(("a", "INSERT", "t"),))
    after = simulate(before, [RemoveGrant(principal="a", object=TABLE, actions=("SELECT",))])
    assert after.grants(after.objects[2]) == (Grant(2, 1, 0, 0, 2),)


def test_the_new_owner_of_a_database_takes_the_implicit_place(make: Make) -> None:
    rows = (Membership(member=1, group=3, database="app", implicit=True), Membership(member=1, group=3))
    before = msgspec.structs.replace(make(people={"a": (), "b": ()}), memberships=rows)
    after = simulate(before, [SetOwner(object=ObjectName("database", ("app",)), owner="a", old="owner")])
    assert [(one.member, one.implicit) for one in after.memberships] == [(2, True), (1, False)]


def test_what_the_old_owner_held_and_gave_becomes_the_new_ones(make: Make) -> None:
    before = make(
        people={"a": (), "b": ()}, grants=(("owner", "SELECT", "t"), ("a", "INSERT", "t"), ("b", "SELECT", "t"))
    )
    after = simulate(before, [SetOwner(object=TABLE, owner="a", old="owner")])
    assert after.grants(after.objects[2]) == (Grant(2, 2, 3), Grant(3, 2, 1))


def test_where_inheriting_is_an_attribute_it_holds_for_every_membership(make: Make) -> None:
    found = make(people={"a": ("INHERIT",), "b": (), "c": ()}, members=(("a", "b"), ("a", "c"), ("b", "c")))
    lose = [AlterPrincipal(name="a", loses=("INHERIT",))]
    assert [one.inherit for one in simulate(found, lose).memberships] == [True, True, True]
    older = msgspec.structs.replace(found, rules=msgspec.structs.replace(found.rules, membership_options=False))
    assert [one.inherit for one in simulate(older, lose).memberships] == [False, False, True]
    regain = AlterPrincipal(name="a", gains=("INHERIT",))
    assert [one.inherit for one in simulate(older, [*lose, regain]).memberships] == [True, True, True]


def test_a_membership_goes_under_one_grantor_or_under_all(make: Make) -> None:
    rows = tuple(Membership(member=2, group=3, grantor=grantor) for grantor in (1, 4))
    before = msgspec.structs.replace(make(people={"a": (), "b": (), "c": ()}), memberships=rows)
    one = simulate(before, [RemoveMembership(member="a", group="b", grantor="c")])
    assert [row.grantor for row in one.memberships] == [1]
    assert simulate(before, [RemoveMembership(member="a", group="b")]).memberships == ()
