"""What somebody gains and loses between two readings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from dbops.access.delta import compare, deltas
from dbops.access.simulate import simulate
from dbops.model.access import AccessSnapshot, DefaultGrant, Grant, Kind, Principal
from dbops.model.change import AddGrant, ObjectName, RemoveGrant
from dbops.model.users import Delta

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Make = Callable[..., AccessSnapshot]


def without(snapshot: AccessSnapshot, last: str) -> AccessSnapshot:
    """The same, and nothing of the last object in it."""
    assert snapshot.objects[-1].path[-1] == last
    return msgspec.structs.replace(snapshot, objects=snapshot.objects[:-1])


def test_who_comes_gains_and_who_goes_loses(make: Make) -> None:
    both = make(people={"a": ("LOGIN",), "b": ()}, grants=(("a", "SELECT", "t"), ("b", "OPEN", "v")))
    one = make(people={"b": ()}, grants=(("b", "OPEN", "v"),))
    lost = Delta(principal="a", loses=("LOGIN", "SELECT on column:app.s.t.c", "SELECT on table:app.s.t"))
    assert deltas(both, one, NOW) == (lost,)
    assert deltas(one, both, NOW) == (Delta(principal="a", gains=lost.loses),)


def test_a_column_without_rights_of_its_own_has_those_of_its_table(make: Make) -> None:
    grants = (("b", "SELECT", "t"),)
    people: dict[str, tuple[str, ...]] = {"a": (), "b": (), "boss": ("SUPERUSER",)}
    whole = make(people=people, grants=grants)
    bare = msgspec.structs.replace(whole, objects=(*whole.objects[:3], whole.objects[4]))
    column = ObjectName("column", ("app", "s", "t", "c"))
    given = simulate(bare, [AddGrant(principal="a", object=column, actions=("SELECT",))])
    gained = Delta(principal="a", gains=("SELECT on column:app.s.t.c",))
    assert deltas(bare, given, NOW) == (gained,)
    taken = simulate(given, [RemoveGrant(principal="a", object=column, actions=("SELECT",))])
    assert compare(bare, taken, NOW).equal
    assert deltas(given, bare, NOW) == (Delta(principal="a", loses=gained.gains),)


def test_an_object_that_came_is_gained_by_whoever_may_use_it(make: Make) -> None:
    after = make(people={"a": ()}, grants=(("a", "OPEN", "v"),))
    found = compare(without(after, "v"), after, NOW)
    assert found.objects == ("+ vault:v",)
    assert found.owners == ()
    assert found.deltas == (
        Delta(principal="a", gains=("OPEN on vault:v",)),
        Delta(principal="owner", gains=("OPEN on vault:v",)),
    )
    assert not found.equal
    gone = compare(after, without(after, "v"), NOW)
    assert (gone.objects, gone.owners) == (("- vault:v",), ())


def test_an_action_that_a_newer_version_knows_is_gained(make: Make) -> None:
    old = make(people={"a": ()}, grants=(("a", "OPEN", "v"),))
    vault = Kind(name="vault", actions=("OPEN", "CLOSE"), contained=False, owner_actions=("OPEN", "CLOSE"))
    kinds = {**old.rules.kinds, "vault": vault}
    new = msgspec.structs.replace(old, rules=msgspec.structs.replace(old.rules, kinds=kinds))
    assert deltas(old, new, NOW) == (Delta(principal="owner", gains=("CLOSE on vault:v",)),)


def test_a_kind_that_only_one_version_knows(make: Make) -> None:
    new = make(people={"a": ()}, grants=(("a", "OPEN", "v"),))
    kinds = {name: kind for name, kind in new.rules.kinds.items() if name != "vault"}
    old = msgspec.structs.replace(without(new, "v"), rules=msgspec.structs.replace(new.rules, kinds=kinds))
    assert [one.principal for one in deltas(old, new, NOW)] == ["a", "owner"]
    assert [one.loses for one in deltas(new, old, NOW)] == [("OPEN on vault:v",)] * 2


def test_differences_are_said_by_name(make: Make) -> None:
    before = make(people={"a": ("LOGIN",), "b": ()}, members=(("a", "b"),))
    default = DefaultGrant(creator=3, database="app", schema="s", kind="table", grants=(Grant(2, 3, 1),))
    after = msgspec.structs.replace(
        make(
            people={"b": (), "a": ("LOGIN",)},
            members=(("a", "b"),),
            options={("a", "b"): {"inherit": False, "set": False, "database": "app"}},
            owner="b",
            until={"a": NOW + timedelta(1)},
        ),
        defaults=(default, msgspec.structs.replace(default, schema="")),
    )
    found = compare(before, after, NOW)
    assert found.principals == ("- a (LOGIN)", "+ a (LOGIN, valid until 2026-01-02T00:00:00+00:00)")
    assert found.memberships == ("- a in b (inherit, set)", "+ a in b in app (no options)")
    assert found.owners[:2] == ("+ database:app owned by b", "- database:app owned by owner")
    assert found.defaults == (
        "+ b gets SELECT on each new table of a in app",
        "+ b gets SELECT on each new table of a in app.s",
    )


def test_a_limit_differs_and_a_place_does_not(make: Make) -> None:
    before = make(people={"a": (), "b": ()}, grants=(("a", "SELECT", "t"),))
    assert compare(before, make(people={"b": (), "a": ()}, grants=(("a", "SELECT", "t"),)), NOW).equal
    limited = tuple(
        msgspec.structs.replace(one, connection_limit=3) if one.name == "a" else one for one in before.principals
    )
    found = compare(before, msgspec.structs.replace(before, principals=limited), NOW)
    assert found.principals == ("- a ()", "+ a (connection limit 3)")
    assert not found.deltas


def test_a_number_without_a_name_is_no_principal(make: Make) -> None:
    before = make(people={"a": ()})
    ghost = Principal(name="16384", kind="unknown")
    after = msgspec.structs.replace(before, principals=(*before.principals, ghost))
    assert compare(before, after, NOW).equal
