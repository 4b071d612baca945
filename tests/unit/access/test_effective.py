"""Effective access: by example, and against the laws it must keep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.access.closure import Closure, each
from dbops.access.effective import Effective
from dbops.access.explain import explain
from dbops.access.simulate import simulate
from dbops.model.access import PUBLIC, AccessSnapshot, Membership, Reads, SecuredObject
from dbops.model.change import AddGrant, ObjectName

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Make = Callable[..., AccessSnapshot]


def names(snapshot: AccessSnapshot, bits: int) -> set[str]:
    return {snapshot.principals[number].name for number in each(bits)}


def named(snapshot: AccessSnapshot, last: str) -> SecuredObject:
    return next(one for one in snapshot.objects if one.path[-1] == last)


def nominal(snapshot: AccessSnapshot, last: str, action: str) -> set[str]:
    return names(snapshot, Effective(snapshot, NOW).nominal(named(snapshot, last), action))


def usable(snapshot: AccessSnapshot, last: str, action: str) -> set[str]:
    return names(snapshot, Effective(snapshot, NOW).usable(named(snapshot, last), action))


def test_each_gives_the_set_bits() -> None:
    assert list(each(0)) == []
    assert list(each(0b1011001)) == [0, 3, 4, 6]


def test_a_group_member_has_what_the_group_has(make: Make) -> None:
    found = make(people={"a": (), "b": (), "c": ()}, members=(("a", "b"), ("b", "c")), grants=(("c", "SELECT", "t"),))
    assert nominal(found, "t", "SELECT") == {"a", "b", "c"}


def test_inheriting_is_said_of_each_membership(make: Make) -> None:
    found = make(
        people={"a": (), "b": ()},
        members=(("a", "b"),),
        options={("a", "b"): {"inherit": False}},
        grants=(("b", "SELECT", "t"),),
    )
    assert nominal(found, "t", "SELECT") == {"b"}
    effective = Effective(found, NOW)
    assert names(found, effective.becomes().holders(3)) == {"a", "b"}


def test_a_superuser_has_everything_and_an_owner_nothing_by_owning(make: Make) -> None:
    found = make(people={"boss": ("SUPERUSER",)})
    assert nominal(found, "t", "UPDATE") == {"boss"}


def test_owning_counts_where_the_engine_says_so(make: Make) -> None:
    assert nominal(make(people={}), "v", "OPEN") == {"owner"}


def test_the_public_has_it_means_everybody(make: Make) -> None:
    assert nominal(make(people={"a": ()}, grants=(("PUBLIC", "SELECT", "t"),)), "t", "SELECT") == {"owner", "a"}


def test_a_table_grant_reaches_its_columns_and_not_the_other_way(make: Make) -> None:
    found = make(people={"a": (), "b": ()}, grants=(("a", "SELECT", "t"), ("b", "SELECT", "c")))
    assert nominal(found, "c", "SELECT") == {"a", "b"}
    assert nominal(found, "t", "SELECT") == {"a"}


def test_a_predefined_role_and_its_members(make: Make) -> None:
    found = make(people={"reader": (), "a": ()}, members=(("a", "reader"),))
    assert nominal(found, "t", "SELECT") == {"reader", "a"}
    assert nominal(found, "t", "UPDATE") == set()


def test_a_denial_beats_every_grant_but_a_bypass(make: Make) -> None:
    found = make(
        people={"a": (), "b": (), "boss": ("SUPERUSER",)},
        members=(("a", "b"),),
        grants=(("a", "SELECT", "t"), ("b", "SELECT", "t")),
        denied=(("b", "SELECT", "t"), ("boss", "SELECT", "t")),
    )
    assert nominal(found, "t", "SELECT") == {"boss"}


GATED = (("a", "SELECT", "t"), ("a", "USAGE", "s"), ("a", "CONNECT", "app"))


def test_usable_needs_login_connect_and_usage(make: Make) -> None:
    assert usable(make(people={"a": ("LOGIN",)}, grants=GATED), "t", "SELECT") == {"a"}
    assert usable(make(people={"a": ()}, grants=GATED), "t", "SELECT") == set()
    for missing in GATED:
        left = tuple(one for one in GATED if one != missing)
        assert usable(make(people={"a": ("LOGIN",)}, grants=left), "t", "SELECT") == set(), missing


def test_usable_ends_when_the_account_does(make: Make) -> None:
    for until, who in ((NOW + timedelta(1), {"a"}), (NOW, set[str]())):
        assert usable(make(people={"a": ("LOGIN",)}, grants=GATED, until={"a": until}), "t", "SELECT") == who


def test_a_connection_limit_of_zero_holds_for_all_but_superusers(make: Make) -> None:
    found = make(people={"a": ("LOGIN",), "boss": ("LOGIN", "SUPERUSER")}, grants=GATED)
    limited = tuple(msgspec.structs.replace(one, connection_limit=0) for one in found.principals)
    assert usable(msgspec.structs.replace(found, principals=limited), "t", "SELECT") == {"boss"}


def test_a_closed_database_is_closed_to_all(make: Make) -> None:
    found = make(people={"a": ("LOGIN",), "boss": ("LOGIN", "SUPERUSER")}, grants=GATED)
    objects = (msgspec.structs.replace(found.objects[0], flags=("closed",)), *found.objects[1:])
    assert usable(msgspec.structs.replace(found, objects=objects), "t", "SELECT") == set()


def test_row_security_spares_the_owner_unless_forced(make: Make) -> None:
    people: dict[str, tuple[str, ...]] = {"a": (), "b": ("BYPASSRLS",), "boss": ("SUPERUSER",)}
    on = make(people=people, members=(("a", "owner"),), flags=("rls",))
    assert names(on, Effective(on, NOW).row_limited(named(on, "t"))) == set()
    forced = make(people=people, flags=("rls", "rls_forced"))
    assert names(forced, Effective(forced, NOW).row_limited(named(forced, "t"))) == {"owner", "a"}
    off = make(people=people)
    assert Effective(off, NOW).row_limited(named(off, "t")) == 0


def viewed(make: Make, *, flags: tuple[str, ...] = (), grants: tuple[tuple[str, str, str], ...] = ()) -> AccessSnapshot:
    """A view ``w`` over the table, owned by ``b``, which everybody may read."""
    public = (("PUBLIC", "CONNECT", "app"), ("PUBLIC", "USAGE", "s"))
    found = make(people={"a": ("LOGIN",), "b": ("LOGIN",)}, grants=(*public, *grants))
    number = next(at for at, one in enumerate(found.principals) if one.name == "b")
    acl = make(people={"a": (), "b": ()}, grants=(("PUBLIC", "SELECT", "t"), ("PUBLIC", "UPDATE", "t"))).acls[2]
    view = SecuredObject("table", ("app", "s", "w"), number, len(found.acls), 1, flags, (Reads(2, ("c",)),))
    return msgspec.structs.replace(found, objects=(*found.objects, view), acls=(*found.acls, acl))


def test_a_definer_view_is_as_good_as_its_owner(make: Make) -> None:
    assert usable(viewed(make), "w", "SELECT") == set()
    assert usable(viewed(make, grants=(("b", "SELECT", "t"),)), "w", "SELECT") == {"a", "b"}
    assert usable(viewed(make, grants=(("b", "SELECT", "c"),)), "w", "SELECT") == {"a", "b"}
    assert usable(viewed(make, grants=(("b", "UPDATE", "t"),)), "w", "UPDATE") == {"a", "b"}


def test_an_invoker_view_is_as_good_as_the_one_who_asks(make: Make) -> None:
    assert usable(viewed(make, flags=("invoker",), grants=(("a", "SELECT", "t"),)), "w", "SELECT") == {"a"}


def test_the_servers_own_tables_are_changed_by_a_bypass_alone(make: Make) -> None:
    def shielded(*flags: str) -> AccessSnapshot:
        found = make(
            people={"a": (), "boss": ("SUPERUSER",)}, grants=(("a", "SELECT", "t"), ("a", "UPDATE", "t")), flags=flags
        )
        table = msgspec.structs.replace(found.rules.kinds["table"], admin_only=("UPDATE",))
        rules = msgspec.structs.replace(found.rules, kinds={**found.rules.kinds, "table": table})
        return msgspec.structs.replace(found, rules=rules)

    assert nominal(shielded("catalog"), "t", "UPDATE") == {"boss"}
    assert nominal(shielded("catalog"), "t", "SELECT") == {"a", "boss"}
    assert nominal(shielded("system"), "t", "UPDATE") == {"a", "boss"}


def alone(snapshot: AccessSnapshot, last: str) -> AccessSnapshot:
    """The same, what contains an object not read."""
    objects = tuple(
        msgspec.structs.replace(one, parent=-1) if one.path[-1] == last else one for one in snapshot.objects
    )
    return msgspec.structs.replace(snapshot, objects=objects)


def test_a_column_whose_table_was_not_read_has_its_own_grants_alone(make: Make) -> None:
    found = make(people={"a": (), "b": ()}, grants=(("a", "SELECT", "t"), ("b", "SELECT", "c")))
    assert nominal(alone(found, "c"), "c", "SELECT") == {"b"}


def test_a_container_that_was_not_read_keeps_nobody_out(make: Make) -> None:
    found = make(people={"a": ("LOGIN",)}, grants=(("a", "SELECT", "t"),))
    assert usable(found, "t", "SELECT") == set()
    assert usable(alone(found, "t"), "t", "SELECT") == {"a"}


@pytest.mark.parametrize(("granted", "who"), [((("b", "SELECT", "t"),), {"a", "b"}), ((), set[str]())])
def test_views_that_read_each_other_end_at_the_table(
    make: Make, granted: tuple[tuple[str, str, str], ...], who: set[str]
) -> None:
    found = viewed(make, grants=granted)
    view = found.objects[-1]
    first = msgspec.structs.replace(view, reads=(*view.reads, Reads(len(found.objects))))
    second = msgspec.structs.replace(view, path=("app", "s", "x"), reads=(Reads(len(found.objects) - 1),))
    found = msgspec.structs.replace(found, objects=(*found.objects[:-1], first, second))
    assert usable(found, "w", "SELECT") == usable(found, "x", "SELECT") == who


def test_an_unknown_action_is_refused(make: Make) -> None:
    found = make(people={})
    with pytest.raises(KeyError):
        Effective(found, NOW).nominal(named(found, "t"), "FLY")


def test_who_lets_others_in(make: Make) -> None:
    found = make(
        people={"a": (), "b": (), "c": ()}, members=(("a", "b"), ("c", "a")), options={("a", "b"): {"admin": True}}
    )
    assert names(found, Effective(found, NOW).administers(3)) == {"a", "c"}


def test_a_membership_of_one_database_counts_there_alone(make: Make) -> None:
    found = make(people={"a": (), "b": ()}, grants=(("b", "SELECT", "t"),))
    for database, who in (("app", {"a", "b"}), ("other", {"b"})):
        row = Membership(member=2, group=3, database=database, implicit=True)
        assert nominal(msgspec.structs.replace(found, memberships=(row,)), "t", "SELECT") == who


# -- laws -----------------------------------------------------------------------------------------------------------


NAMES = ("owner", "a", "b", "c", "d", "reader")
PLACES = {
    "app": ("CREATE", "CONNECT"),
    "s": ("CREATE", "USAGE"),
    "t": ("SELECT", "INSERT", "UPDATE"),
    "c": ("SELECT", "UPDATE"),
    "v": ("OPEN",),
}


@st.composite
def worlds(draw: st.DrawFn, make: Make) -> AccessSnapshot:
    """Any small world: attributes, memberships with options (no circle), grants to anybody."""
    words = st.sampled_from(((), (), ("LOGIN",), ("LOGIN",), ("BYPASSRLS",), ("LOGIN", "SUPERUSER")))
    people = {name: draw(words) for name in NAMES}
    pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(
        lambda one: NAMES.index(one[0]) < NAMES.index(one[1])
    )
    members = tuple(draw(st.lists(pairs, max_size=7, unique=True)))
    options = {pair: {"inherit": draw(st.booleans()), "set": draw(st.booleans())} for pair in members}
    place = st.sampled_from(sorted(PLACES))
    grant = place.flatmap(
        lambda name: st.tuples(st.sampled_from((*NAMES, "PUBLIC")), st.sampled_from(PLACES[name]), st.just(name))
    )
    grants = tuple(draw(st.lists(grant, max_size=9, unique=True)))
    denied = tuple(draw(st.lists(grant, max_size=1)))
    return make(people=people, members=members, options=options, grants=grants, denied=denied)


def brute(snapshot: AccessSnapshot, who: int, one: SecuredObject, action: str) -> bool:
    """The definition, read aloud, for one principal."""
    if "SUPERUSER" in snapshot.principals[who].attributes:
        return True
    stands_for = {who}
    while True:
        more = {row.group for row in snapshot.memberships if row.inherit and row.member in stands_for} - stands_for
        if not more:
            break
        stands_for |= more
    stands_for.add(PUBLIC)
    chain = [(one, action)]
    if one.kind == "column":
        chain.append((snapshot.objects[one.parent], action))
    allowed = denied = False
    for place, word in chain:
        kind = snapshot.kind(place)
        bit = kind.bits((word,))
        for grant in snapshot.grants(place):
            if grant.grantee in stands_for:
                allowed |= bool(grant.actions & bit)
                denied |= bool(grant.denied & bit)
        allowed |= place.kind == "vault" and place.owner in stands_for
        allowed |= (place.kind, word) == ("table", "SELECT") and any(
            snapshot.principals[it].name == "reader" for it in stands_for
        )
    return allowed and not denied


def everything(snapshot: AccessSnapshot) -> list[tuple[SecuredObject, str]]:
    return [(one, action) for one in snapshot.objects for action in snapshot.kind(one).actions]


@given(st.data())
def test_nominal_is_what_the_definition_says(make: Make, data: st.DataObject) -> None:
    snapshot = data.draw(worlds(make))
    effective = Effective(snapshot, NOW)
    for one, action in everything(snapshot):
        bits = effective.nominal(one, action)
        for who in range(1, len(snapshot.principals)):
            assert bool(bits >> who & 1) is brute(snapshot, who, one, action)


@given(st.data())
def test_a_grant_never_takes_access_away(make: Make, data: st.DataObject) -> None:
    snapshot = data.draw(worlds(make))
    one, action = data.draw(st.sampled_from(everything(snapshot)))
    who = data.draw(st.sampled_from(snapshot.principals)).name
    change = AddGrant(principal=who, object=ObjectName(one.kind, one.path), actions=(action,))
    before, after = Effective(snapshot, NOW), Effective(simulate(snapshot, [change]), NOW)
    for place, (thing, word) in zip(
        [at for at, it in enumerate(snapshot.objects) for _ in snapshot.kind(it).actions],
        everything(snapshot),
        strict=True,
    ):
        later = after.snapshot.objects[place]
        assert before.nominal(thing, word) & ~after.nominal(later, word) == 0
        assert before.usable(thing, word) & ~after.usable(later, word) == 0


@given(st.data())
def test_usable_is_a_part_of_nominal(make: Make, data: st.DataObject) -> None:
    snapshot = data.draw(worlds(make))
    effective = Effective(snapshot, NOW)
    for one, action in everything(snapshot):
        assert effective.usable(one, action) & ~effective.nominal(one, action) == 0


def without_denials(snapshot: AccessSnapshot) -> AccessSnapshot:
    acls = tuple(tuple(msgspec.structs.replace(grant, denied=0) for grant in acl) for acl in snapshot.acls)
    return msgspec.structs.replace(snapshot, acls=acls)


@given(st.data())
def test_the_least_revoke_takes_the_access_away_and_nothing_less_does(make: Make, data: st.DataObject) -> None:
    snapshot = data.draw(worlds(make))
    snapshot = without_denials(snapshot)
    place = data.draw(st.sampled_from(range(len(snapshot.objects))))
    one = snapshot.objects[place]
    action = data.draw(st.sampled_from(snapshot.kind(one).actions))
    who = data.draw(st.sampled_from(range(1, len(snapshot.principals))))
    effective = Effective(snapshot, NOW)
    answer = explain(effective, who, action, one)
    assert answer.allowed is bool(effective.nominal(one, action) >> who & 1)
    assert bool(answer.paths) is answer.allowed
    if not answer.changes:
        return

    def left(changes: list[object]) -> bool:
        after = simulate(snapshot, changes)  # type: ignore[arg-type]  # they are changes
        return bool(Effective(after, NOW).nominal(after.objects[place], action) >> who & 1)

    assert not left(list(answer.changes))
    for number in range(len(answer.changes)):
        assert left([*answer.changes[:number], *answer.changes[number + 1 :]])


@given(st.data())
def test_every_way_is_enough_by_itself(make: Make, data: st.DataObject) -> None:
    """With all other grants and memberships taken away, the one way still gives the access."""
    snapshot = data.draw(worlds(make))
    snapshot = without_denials(snapshot)
    place = data.draw(st.sampled_from(range(len(snapshot.objects))))
    one = snapshot.objects[place]
    action = data.draw(st.sampled_from(snapshot.kind(one).actions))
    who = data.draw(st.sampled_from(range(1, len(snapshot.principals))))
    for path in explain(Effective(snapshot, NOW), who, action, one).paths:
        steps = {(hop.from_, hop.to) for hop in path if hop.kind == "member"}
        rows = tuple(
            row
            for row in snapshot.memberships
            if (snapshot.principals[row.member].name, snapshot.principals[row.group].name) in steps
        )
        last = path[-1]
        acls = tuple(
            tuple(
                grant for grant in acl if last.kind == "grant" and snapshot.principals[grant.grantee].name == last.from_
            )
            for acl in snapshot.acls
        )
        people = tuple(
            one if last.kind == "bypass" else msgspec.structs.replace(one, attributes=()) for one in snapshot.principals
        )
        bare = msgspec.structs.replace(snapshot, memberships=rows, acls=acls, principals=people)
        assert Effective(bare, NOW).nominal(one, action) >> who & 1


@given(st.data())
def test_a_snapshot_survives_its_file(make: Make, data: st.DataObject) -> None:
    snapshot = data.draw(worlds(make))
    assert msgspec.json.decode(msgspec.json.encode(snapshot), type=AccessSnapshot) == snapshot


def test_a_circle_of_memberships_ends(make: Make) -> None:
    found = make(people={"a": (), "b": ()}, members=(("a", "b"), ("b", "a")))
    assert names(found, Closure(found, lambda one: one.inherit).holders(2)) == {"a", "b"}
