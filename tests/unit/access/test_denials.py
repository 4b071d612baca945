"""Denials of a spec: what is denied, what no longer is, and how it goes with grants and with a table's columns."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.access.diff import diff
from dbops.access.export import export
from dbops.access.reverse import reverse
from dbops.access.simulate import simulate
from dbops.errors import InputError
from dbops.model.access import AccessSnapshot, Grant
from dbops.model.change import AddGrant, ObjectName, RemoveGrant
from dbops.model.judging import Covering
from dbops.model.users import Wanted, WantedGrant, WantedPrincipal

Make = Callable[..., AccessSnapshot]
OWNER, A, B, C = 1, 2, 3, 4
SELECT, INSERT, UPDATE = 1, 2, 4
TABLE, COLUMN = 2, 3
ON_TABLE, ON_COLUMN = ObjectName("table", ("app", "s", "t")), ObjectName("column", ("app", "s", "t", "c"))
COVERING = Covering(
    unbound="sysadmin", owner="dbo", guest="guest", everybody="PUBLIC", enters="CONNECT", connects="CONNECT"
)


def world(make: Make, table: tuple[Grant, ...] = (), column: tuple[Grant, ...] = ()) -> AccessSnapshot:
    """``app.s.t`` with a column ``c``, on an engine with denials; on the column SELECT is bit 1 and UPDATE bit 2."""
    found = make(people={"a": (), "b": (), "c": ()})
    lists = tuple({TABLE: table, COLUMN: column}.get(number, ()) for number in range(len(found.objects)))
    return msgspec.structs.replace(found, acls=lists, rules=msgspec.structs.replace(found.rules, covering=COVERING))


def wanted(*grants: WantedGrant, people: tuple[str, ...] = ("a",)) -> Wanted:
    named = tuple(WantedPrincipal(name=name, state="present", attributes=(), member_of=()) for name in people)
    return Wanted(managed=("*",), databases=("app",), principals=named, grants=grants, owners=())


def say(
    *actions: str,
    deny: bool = False,
    columns: tuple[str, ...] = (),
    who: str = "a",
    path: tuple[str, ...] = ON_TABLE.path,
    where: str = "spec:5",
    grantable: bool = False,
) -> WantedGrant:
    return WantedGrant(
        principal=who, kind="table", path=path, actions=actions, columns=columns, deny=deny, where=where,
        grantable=grantable,
    )  # fmt: skip


def add(
    *actions: str, who: str = "a", on: ObjectName = ON_TABLE, deny: bool = False, against: bool = False
) -> AddGrant:
    return AddGrant(principal=who, object=on, actions=actions, deny=deny, against=against)


def remove(
    *actions: str,
    who: str = "a",
    on: ObjectName = ON_TABLE,
    deny: bool = False,
    grantor: str = "",
    passed: bool = False,
) -> RemoveGrant:
    return RemoveGrant(principal=who, object=on, actions=actions, deny=deny, grantor=grantor, grantable=passed)


def settled(before: AccessSnapshot, spec: Wanted, *expected: AddGrant | RemoveGrant) -> None:
    """These changes are planned, after them nothing is, and undone from the last they leave what was."""
    changes = diff(before, spec).changes
    assert changes == expected
    after = simulate(before, changes)
    assert diff(after, spec).changes == ()
    back = [undo for change in reversed(changes) if (undo := reverse(change)) is not None]
    assert said(simulate(after, back)) == said(before)


def said(snapshot: AccessSnapshot) -> set[tuple[tuple[str, ...], int, int, int, int]]:
    return {
        (one.path, grant.grantee, grant.actions, grant.grantable, grant.denied)
        for one in snapshot.objects
        for grant in snapshot.grants(one)
    }


# For each action on the table and then on its column: nothing, granted, denied.
states = st.fixed_dictionaries(
    {
        (who, columns, action): st.sampled_from(("", "", "grant", "deny"))
        for who in ("a", "b")
        for columns, actions in (((), ("SELECT", "INSERT", "UPDATE")), (("c",), ("SELECT", "UPDATE")))
        for action in actions
    }
)


def sentences(drawn: dict[tuple[str, tuple[str, ...], str], str]) -> list[WantedGrant]:
    return [
        say(action, who=who, columns=columns, deny=state == "deny")
        for (who, columns, action), state in drawn.items()
        if state
    ]


@given(states, states)
def test_from_any_state_to_any_other_and_back(
    make: Make, was: dict[tuple[str, tuple[str, ...], str], str], will: dict[tuple[str, tuple[str, ...], str], str]
) -> None:
    """Only ``a`` is the spec's: one run is enough, ``b`` is not touched, and undone it is as it was."""
    people = ("a", "b")
    before = simulate(world(make), diff(world(make), wanted(*sentences(was), people=people)).changes)
    spec = wanted(*(one for one in sentences(will) if one.principal == "a"))
    changes = diff(before, spec).changes
    after = simulate(before, changes)
    assert diff(after, spec).changes == ()
    assert {row for row in said(after) if row[1] == B} == {row for row in said(before) if row[1] == B}
    back = [undo for change in reversed(changes) if (undo := reverse(change)) is not None]
    assert said(simulate(after, back)) == said(before)


def test_what_is_missing_is_denied_and_what_is_too_much_is_not(make: Make) -> None:
    before = world(make, (Grant(A, OWNER, 0, 0, SELECT | INSERT),))
    spec = wanted(say("SELECT", "UPDATE", deny=True))
    settled(before, spec, remove("INSERT", deny=True), add("UPDATE", deny=True))


def test_one_takes_the_place_of_the_other(make: Make) -> None:
    """The first goes by itself, so that undoing brings it back."""
    spec = wanted(say("SELECT", deny=True), say("INSERT"))
    before = world(make, (Grant(A, OWNER, SELECT, 0, INSERT),))
    settled(before, spec, remove("INSERT", deny=True), add("INSERT"), remove("SELECT"), add("SELECT", deny=True))


def test_what_somebody_else_denied_is_taken_back_in_his_name(make: Make) -> None:
    before = world(make, (Grant(A, B, 0, 0, SELECT),))
    settled(before, wanted(), remove("SELECT", deny=True, grantor="b"))


def test_denials_of_others_are_left_alone(make: Make) -> None:
    settled(world(make, (Grant(B, OWNER, 0, 0, SELECT),)), wanted())


def test_where_denials_are_exceptions_from_a_grant_they_are_not_touched(make: Make) -> None:
    before = world(make, (Grant(A, OWNER, 0, 0, SELECT),))
    plain = msgspec.structs.replace(before, rules=msgspec.structs.replace(before.rules, covering=None))
    assert diff(plain, wanted()).changes == ()
    assert export(plain, ["a"], ["app"])["roles"] == {"a": {"attributes": ["noinherit"]}}


def test_a_denial_on_the_table_comes_before_a_grant_on_its_column(make: Make) -> None:
    """A later one would take the grant away."""
    spec = wanted(say("SELECT", columns=("c",)), say("SELECT", deny=True))
    settled(world(make), spec, add("SELECT", deny=True), add("SELECT", on=ON_COLUMN, against=True))


def test_what_a_column_is_said_against_its_table_is_undone_by_saying_what_the_table_says(make: Make) -> None:
    """A REVOKE would leave a row by which the column is parted from the denial of its table."""
    spec = wanted(say("SELECT", "UPDATE", columns=("c",)), say("SELECT", deny=True))
    before = world(make, (Grant(A, OWNER, 0, 0, 1),))
    found = diff(before, spec).changes
    assert found == (add("SELECT", on=ON_COLUMN, against=True), add("UPDATE", on=ON_COLUMN))
    assert [reverse(one) for one in found] == [
        add("SELECT", on=ON_COLUMN, deny=True, against=True),
        remove("UPDATE", on=ON_COLUMN),
    ]
    assert [reverse(back) for back in map(reverse, found) if back is not None] == list(found)


def test_what_a_table_would_sweep_away_is_taken_before_and_said_again(make: Make) -> None:
    spec = wanted(say("SELECT", columns=("c",)), say("SELECT", deny=True))
    before = world(make, (), (Grant(A, OWNER, 1, 0, 2),))
    settled(
        before,
        spec,
        remove("SELECT", on=ON_COLUMN),
        remove("UPDATE", on=ON_COLUMN, deny=True),
        add("SELECT", deny=True),
        add("SELECT", on=ON_COLUMN, against=True),
    )


def test_a_grant_on_the_table_ends_a_denial_on_its_column(make: Make) -> None:
    before = world(make, (), (Grant(A, OWNER, 0, 0, 1), Grant(B, OWNER, 0, 0, 1)))
    settled(before, wanted(say("SELECT")), remove("SELECT", on=ON_COLUMN, deny=True), add("SELECT"))


def test_a_column_that_was_apart_from_its_table_is_put_back_to_it(make: Make) -> None:
    """A REVOKE alone would leave it without what its table gives."""
    denied = world(make, (Grant(A, OWNER, SELECT),), (Grant(A, OWNER, 0, 0, 1),))
    settled(denied, wanted(say("SELECT")), remove("SELECT", on=ON_COLUMN, deny=True), add("SELECT", on=ON_COLUMN))
    granted = world(make, (Grant(A, OWNER, 0, 0, SELECT),), (Grant(A, OWNER, 3),))
    settled(
        granted,
        wanted(say("SELECT", deny=True)),
        remove("SELECT", "UPDATE", on=ON_COLUMN),
        add("SELECT", on=ON_COLUMN, deny=True),
    )


def test_what_is_the_same_for_a_column_as_for_its_table_is_the_tables_to_say(make: Make) -> None:
    spec = wanted(
        say("SELECT"), say("SELECT", columns=("c",)), say("UPDATE", deny=True), say("UPDATE", deny=True, columns=("c",))
    )
    settled(world(make), spec, add("SELECT"), add("UPDATE", deny=True))


def test_a_column_that_may_be_passed_on_is_not_the_same_as_its_table(make: Make) -> None:
    spec = wanted(say("SELECT"), say("SELECT", columns=("c",), grantable=True))
    more = AddGrant(principal="a", object=ON_COLUMN, actions=("SELECT",), grantable=True)
    settled(world(make), spec, add("SELECT"), more)


def test_what_was_passed_on_goes_before_what_it_rests_on_and_comes_back(make: Make) -> None:
    """``b`` and ``c`` have a column from ``a``, in a circle, and nothing of theirs is the spec's."""
    rows = (Grant(A, OWNER, 1, 1), Grant(B, A, 1, 1), Grant(C, B, 1), Grant(A, B, 1))
    spec = wanted(say("SELECT", deny=True), say("SELECT", columns=("c",), grantable=True))
    before = world(make, (), rows)
    changes = diff(before, spec).changes
    assert changes[:4] == (
        remove("SELECT", on=ON_COLUMN, grantor="b"),
        remove("SELECT", who="c", on=ON_COLUMN, grantor="b"),
        remove("SELECT", who="b", on=ON_COLUMN, grantor="a", passed=True),
        remove("SELECT", on=ON_COLUMN, passed=True),
    )
    assert diff(simulate(before, changes), spec).changes == ()
    after = {
        who: (actions, option) for path, who, actions, option, _ in said(simulate(before, changes)) if len(path) == 4
    }
    assert after == {A: (1, 1), B: (1, 1), C: (1, 0)}


def test_what_others_have_and_are_denied_by_one_who_may_no_longer_say_so_they_get_from_the_owner(make: Make) -> None:
    """All of a chain goes with its first link, whoever the others are; what ``c`` has from the owner is his."""
    rows = (
        Grant(A, OWNER, SELECT, SELECT),
        Grant(B, A, SELECT, SELECT),
        Grant(C, B, INSERT, 0, SELECT),
        Grant(C, OWNER, UPDATE),
    )
    before = world(make, rows)
    changes = diff(before, wanted(say("SELECT"))).changes
    assert changes == (
        remove("SELECT", who="c", deny=True, grantor="b"),
        AddGrant(principal="b", object=ON_TABLE, actions=("SELECT",), grantable=True),
        remove("SELECT", who="b", grantor="a", passed=True),
        RemoveGrant(principal="a", object=ON_TABLE, actions=("SELECT",), grantable=True, option_only=True),
        add("SELECT", who="c", deny=True),
    )
    assert diff(simulate(before, changes), wanted(say("SELECT"))).changes == ()
    # Who is the spec's loses what he is denied so, and has it said by the owner where it is to stay.
    both = wanted(say("SELECT"), say("SELECT", deny=True, who="c"), people=("a", "c"))
    assert remove("SELECT", who="c", deny=True, grantor="b") in diff(before, both).changes
    assert add("SELECT", who="c", deny=True) in diff(before, both).changes


def test_granted_and_denied_at_once_is_refused_with_both_lines(make: Make) -> None:
    both = say("SELECT", where="spec:7"), say("SELECT", "INSERT", deny=True, where="spec:9")
    with pytest.raises(InputError) as caught:
        diff(world(make), wanted(*both))
    assert caught.value.message == ("spec:9: SELECT on table:app.s.t is denied to a here and granted in spec:7")
    with pytest.raises(InputError, match=r"spec:7: SELECT on table:app.s.t is granted to a here and denied in spec:9"):
        diff(world(make), wanted(*reversed(both)))
    pattern = say("SELECT", where="spec:7", path=("app", "s", "*"))
    with pytest.raises(InputError, match=r"spec:9: SELECT on table:app.s.t is denied to a here and granted in spec:7"):
        diff(world(make), wanted(pattern, both[1]))
    assert diff(world(make), wanted(both[0], say("SELECT", deny=True, who="b"), people=("a", "b"))).changes


def test_a_denial_does_not_bind_an_owner(make: Make) -> None:
    own = say("SELECT", deny=True, who="owner")
    with pytest.raises(InputError, match=r"spec:5: owner owns table:app.s.t, and a denial does not bind an owner"):
        diff(world(make), wanted(own, people=("owner",)))
    pattern = say("SELECT", deny=True, who="owner", path=("app", "s", "*"))
    assert diff(world(make), wanted(pattern, people=("owner",))).changes == ()
    # He has it all, and the server grants him none of it.
    assert diff(world(make), wanted(say("SELECT", who="owner"), people=("owner",))).changes == ()


def test_an_exported_spec_names_what_is_denied(make: Make) -> None:
    before = world(make, (Grant(A, OWNER, INSERT, 0, SELECT),), (Grant(A, OWNER, 1, 0, 2),))
    assert export(before, ["a"], ["app"])["roles"]["a"] == {
        "attributes": ["noinherit"],
        "grants": [
            {"object": "table:app.s.t", "can": ["insert"]},
            {"object": "table:app.s.t", "can": ["select"], "columns": ["c"]},
        ],
        "denies": [
            {"object": "table:app.s.t", "can": ["select"]},
            {"object": "table:app.s.t", "can": ["update"], "columns": ["c"]},
        ],
    }
