"""Grants on objects: what is given, what goes, and what others keep."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.access.diff import diff
from dbops.access.reverse import reverse
from dbops.access.simulate import Simulation, simulate
from dbops.errors import InputError
from dbops.model.access import AccessSnapshot, Grant
from dbops.model.change import AddGrant, Change, ObjectName, RemoveGrant
from dbops.model.users import Wanted, WantedGrant, WantedPrincipal

Make = Callable[..., AccessSnapshot]
OWNER, A, B, C, D = 1, 2, 3, 4, 5
NAMES = ("PUBLIC", "owner", "a", "b", "c", "d")
TABLE, COLUMN = 2, 3
SELECT, INSERT, UPDATE = 1, 2, 4
ON_TABLE, ON_COLUMN = ObjectName("table", ("app", "s", "t")), ObjectName("column", ("app", "s", "t", "c"))


def world(make: Make, table: tuple[Grant, ...] = (), column: tuple[Grant, ...] = ()) -> AccessSnapshot:
    """``app.s.t`` with a column ``c``; there SELECT is bit 1 and UPDATE bit 2."""
    found = make(people={"a": (), "b": (), "c": (), "d": ()})
    lists = tuple({TABLE: table, COLUMN: column}.get(number, ()) for number in range(len(found.objects)))
    return msgspec.structs.replace(found, acls=lists)


def wanted(*grants: WantedGrant, people: tuple[str, ...] = ("a",)) -> Wanted:
    """A spec of some that leaves all others alone."""
    named = tuple(WantedPrincipal(name=name, state="present", attributes=(), member_of=()) for name in people)
    return Wanted(managed=("*",), databases=("app",), principals=named, grants=grants, owners=())


def wish(name: str, *actions: str, columns: tuple[str, ...] = (), grantable: bool = False) -> WantedGrant:
    return WantedGrant(
        principal=name,
        kind="table",
        path=ON_TABLE.path,
        actions=actions,
        columns=columns,
        grantable=grantable,
        where="spec:5",
    )


def add(
    name: str, *actions: str, on: ObjectName = ON_TABLE, grantable: bool = False, option_only: bool = False
) -> AddGrant:
    return AddGrant(principal=name, object=on, actions=actions, grantable=grantable, option_only=option_only)


def remove(
    name: str,
    *actions: str,
    on: ObjectName = ON_TABLE,
    grantor: str = "",
    grantable: bool = False,
    option_only: bool = False,
) -> RemoveGrant:
    return RemoveGrant(
        principal=name, object=on, actions=actions, grantor=grantor, grantable=grantable, option_only=option_only
    )


def test_what_is_missing_is_given_and_what_is_too_much_is_taken(make: Make) -> None:
    before = world(make, (Grant(A, OWNER, SELECT | INSERT),))
    assert diff(before, wanted(wish("a", "SELECT", "UPDATE"))).changes == (add("a", "UPDATE"), remove("a", "INSERT"))


def test_the_right_to_pass_on_is_given_and_taken_by_itself(make: Make) -> None:
    before = world(make, (Grant(A, OWNER, SELECT | INSERT, INSERT),))
    assert diff(before, wanted(wish("a", "INSERT"), wish("a", "SELECT", grantable=True))).changes == (
        add("a", "SELECT", grantable=True, option_only=True),
        remove("a", "INSERT", grantable=True, option_only=True),
    )


def test_what_could_be_passed_on_is_taken_by_itself(make: Make) -> None:
    """So that whoever undoes it gives no more than there was."""
    before = world(make, (Grant(A, OWNER, SELECT | INSERT, INSERT),))
    assert diff(before, wanted()).changes == (remove("a", "SELECT"), remove("a", "INSERT", grantable=True))


def test_who_has_it_from_one_who_may_no_longer_pass_it_on_gets_it_from_the_owner_before(make: Make) -> None:
    """``b`` is nobody of the spec: he keeps what he has, and his grants go before the one that they rest on."""
    before = world(make, (Grant(A, OWNER, SELECT, SELECT), Grant(B, A, SELECT, SELECT), Grant(C, B, SELECT)))
    assert diff(before, wanted()).changes == (
        add("b", "SELECT", grantable=True),
        remove("b", "SELECT", grantor="a", grantable=True),
        remove("a", "SELECT", grantable=True),
    )


def test_who_has_it_from_the_owner_as_well_need_not_get_it_again(make: Make) -> None:
    taken = remove("b", "SELECT", grantor="a"), remove("a", "SELECT", grantable=True)
    before = world(make, (Grant(A, OWNER, SELECT, SELECT), Grant(B, A, SELECT), Grant(B, OWNER, SELECT | INSERT)))
    assert diff(before, wanted()).changes == taken
    more = world(make, (Grant(A, OWNER, SELECT, SELECT), Grant(B, A, SELECT, SELECT), Grant(B, OWNER, SELECT)))
    assert diff(more, wanted()).changes == (
        add("b", "SELECT", grantable=True, option_only=True),
        msgspec.structs.replace(taken[0], grantable=True),
        taken[1],
    )


def test_a_part_that_goes_with_the_whole_comes_back(make: Make) -> None:
    """A REVOKE from a table is one from its columns: of those of the spec, and of others whose grant went."""
    before = world(
        make,
        (Grant(A, OWNER, SELECT, SELECT), Grant(B, A, SELECT)),
        (Grant(A, OWNER, 1), Grant(B, A, 1)),
    )
    assert diff(before, wanted(wish("a", "SELECT", columns=("c",)))).changes == (
        add("b", "SELECT"),
        remove("b", "SELECT", grantor="a"),
        remove("a", "SELECT", grantable=True),
        add("a", "SELECT", on=ON_COLUMN),
        add("b", "SELECT", on=ON_COLUMN),
    )


def test_what_somebody_else_gave_too_need_not_be_given_back(make: Make) -> None:
    before = world(make, (Grant(A, OWNER, SELECT, SELECT), Grant(B, A, SELECT)), (Grant(B, A, 1), Grant(B, OWNER, 1)))
    assert diff(before, wanted()).changes == (
        add("b", "SELECT"),
        remove("b", "SELECT", grantor="a"),
        remove("a", "SELECT", grantable=True),
    )


def test_who_may_pass_on_a_table_may_pass_on_a_column_of_it(make: Make) -> None:
    """PostgreSQL looks at both lists (``ExecGrant_Attribute``), so such a grant is left where it is."""
    before = world(make, (Grant(A, OWNER, SELECT | UPDATE, SELECT),), (Grant(B, A, 1), Grant(C, A, 2)))
    kept = add("c", "UPDATE", on=ON_COLUMN), remove("c", "UPDATE", on=ON_COLUMN, grantor="a")
    assert diff(before, wanted(wish("b", "SELECT", columns=("c",)), people=("b",))).changes == kept
    assert diff(before, wanted(people=("b",))).changes == (
        kept[0],
        remove("b", "SELECT", on=ON_COLUMN, grantor="a"),
        kept[1],
    )


def test_only_databases_of_the_spec_are_touched_and_what_is_in_none(make: Make) -> None:
    found = make(people={"a": ()}, grants=(("a", "SELECT", "t"), ("a", "OPEN", "v")))
    elsewhere = msgspec.structs.replace(wanted(), databases=("other",))
    assert diff(found, elsewhere).changes == (remove("a", "OPEN", on=ObjectName("vault", ("v",))),)


def test_a_wish_for_a_column_alone_says_what_is_on_it(make: Make) -> None:
    before = world(make, (), (Grant(A, OWNER, 3),))
    assert diff(before, wanted(wish("a", "UPDATE", columns=("c", "d")))).changes == (
        add("a", "UPDATE", on=ObjectName("column", (*ON_TABLE.path, "d"))),
        remove("a", "SELECT", on=ON_COLUMN),
    )


def test_who_owns_an_object_keeps_what_he_has_and_gets_what_he_lacks(make: Make) -> None:
    before = world(make, (Grant(OWNER, OWNER, SELECT),))
    spec = wanted(wish("owner", "SELECT", "INSERT"), people=("owner",))
    assert diff(before, spec).changes == (add("owner", "INSERT"),)
    assert diff(before, wanted(people=("owner",))).changes == ()


def gone(make: Make) -> AccessSnapshot:
    """The table was dropped; the rows about it were not."""
    found = world(make, (Grant(A, OWNER, SELECT | INSERT),))
    objects = list(found.objects)
    objects[TABLE] = msgspec.structs.replace(objects[TABLE], flags=("absent",))
    return msgspec.structs.replace(found, objects=tuple(objects))


def test_on_what_is_not_there_rights_are_kept_or_taken(make: Make) -> None:
    assert diff(gone(make), wanted(wish("a", "SELECT", "INSERT"))).changes == ()
    assert diff(gone(make), wanted(wish("a", "SELECT"))).changes == (remove("a", "INSERT"),)
    assert diff(gone(make), wanted()).changes == (remove("a", "SELECT", "INSERT"),)


@pytest.mark.parametrize("asked", [wish("a", "SELECT", "UPDATE"), wish("b", "SELECT")])
def test_on_what_is_not_there_nothing_is_given(make: Make, asked: WantedGrant) -> None:
    with pytest.raises(InputError, match=r"spec:5: there is no object table:app\.s\.t$"):
        diff(gone(make), wanted(asked, people=("a", "b")))


def test_a_name_that_is_nowhere_is_an_error_and_a_pattern_is_not(make: Make) -> None:
    away = msgspec.structs.replace(wish("a", "SELECT"), path=("app", "s", "nothing"))
    with pytest.raises(InputError, match=r"spec:5: there is no object table:app\.s\.nothing$"):
        diff(world(make), wanted(away))
    assert diff(world(make), wanted(msgspec.structs.replace(away, path=("app", "no*", "*")))).changes == ()


some = st.integers(0, 7)


@st.composite
def lists(draw: st.DrawFn) -> tuple[Grant, ...]:
    """Any access list that a server can have: each grant is by somebody who may pass it on, the owner first of all."""
    found: dict[tuple[int, int], Grant] = {}
    options = {OWNER: 7}
    for giver, taker in draw(st.lists(st.tuples(st.integers(OWNER, D), st.integers(A, D)), max_size=7, unique=True)):
        actions = draw(some) & options.get(giver, 0)
        # In a circle somebody would hold what he passes on from himself, which servers refuse.
        if actions and giver < taker:
            grantable = actions & draw(some)
            found[taker, giver] = Grant(taker, giver, actions, grantable)
            options[taker] = options.get(taker, 0) | grantable
    return tuple(found.values())


@st.composite
def specs(draw: st.DrawFn) -> Wanted:
    people = draw(st.lists(st.sampled_from(NAMES[A:]), min_size=1, unique=True))
    grants: list[WantedGrant] = []
    for name in people:
        actions = [one for number, one in enumerate(("SELECT", "INSERT", "UPDATE")) if draw(some) >> number & 1]
        grants += [wish(name, one, grantable=draw(st.booleans())) for one in actions]
        grants += [wish(name, "SELECT", columns=("c",))] if draw(st.booleans()) else []
    return wanted(*grants, people=tuple(people))


def held(snapshot: AccessSnapshot, place: int) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for one in snapshot.grants(snapshot.objects[place]):
        old = found.get(one.grantee, (0, 0))
        found[one.grantee] = old[0] | one.actions, old[1] | one.grantable
    return found


@st.composite
def both(draw: st.DrawFn) -> tuple[tuple[Grant, ...], tuple[Grant, ...]]:
    """The list of the table and that of its column: SELECT by the owner and by whoever may pass it on."""
    table = draw(lists())
    givers = st.sampled_from([OWNER, *(one.grantee for one in table if one.grantable & SELECT)])
    pairs = draw(st.lists(st.tuples(st.integers(A, D), givers).filter(lambda one: one[0] != one[1]), unique=True))
    return table, tuple(Grant(taker, giver, 1) for taker, giver in pairs)


def as_it_is(snapshot: AccessSnapshot, *people: int) -> Wanted:
    """A spec that wants what is there."""
    kind, grants = snapshot.rules.kinds["table"], list[WantedGrant]()
    for who, (actions, grantable) in held(snapshot, TABLE).items():
        if who in people:
            grants += [wish(NAMES[who], *kind.names(actions)), wish(NAMES[who], *kind.names(grantable), grantable=True)]
    grants += [wish(NAMES[who], "SELECT", columns=("c",)) for who in held(snapshot, COLUMN) if who in people]
    return wanted(*grants, people=tuple(NAMES[one] for one in people))


@given(both(), st.lists(st.integers(A, D), min_size=1, unique=True))
def test_who_has_what_he_shall_have_is_left_alone(
    make: Make, access: tuple[tuple[Grant, ...], tuple[Grant, ...]], people: list[int]
) -> None:
    before = world(make, *access)
    assert diff(before, as_it_is(before, *people)).changes == ()


@given(both(), specs())
def test_the_spec_is_what_its_people_have_and_others_keep_theirs(
    make: Make, access: tuple[tuple[Grant, ...], tuple[Grant, ...]], spec: Wanted
) -> None:
    before = world(make, *access)
    after = simulate(before, diff(before, spec).changes)
    named = {NAMES.index(one.name) for one in spec.principals}
    expected = {who: bits for who, bits in held(before, TABLE).items() if who not in named}
    columns = {who: bits for who, bits in held(before, COLUMN).items() if who not in named}
    for one in spec.grants:
        who, found = NAMES.index(one.principal), columns if one.columns else expected
        kind = before.rules.kinds["column" if one.columns else "table"]
        old = found.get(who, (0, 0))
        found[who] = old[0] | kind.bits(one.actions), old[1] | (kind.bits(one.actions) if one.grantable else 0)
    assert held(after, TABLE) == expected
    assert held(after, COLUMN) == columns
    assert diff(after, spec).changes == ()


@given(lists(), specs())
def test_at_no_time_is_there_a_grant_that_its_grantor_may_not_make(
    make: Make, table: tuple[Grant, ...], spec: Wanted
) -> None:
    """A server refuses to take what another grant rests on."""
    working = Simulation(world(make, table))
    every: list[Change] = list(diff(working.snapshot(), spec).changes)
    for change in every:
        working.apply(change)
        now = held(working.snapshot(), TABLE)
        for one in working.entries(TABLE).values():
            assert one.grantor == OWNER or not one.actions & ~now.get(one.grantor, (0, 0))[1]


@given(lists(), specs())
def test_undone_backwards_everything_is_as_it_was(make: Make, table: tuple[Grant, ...], spec: Wanted) -> None:
    before = world(make, table)
    changes = diff(before, spec).changes
    undone = [back for one in reversed(changes) if (back := reverse(one)) is not None]
    assert len(undone) == len(changes)
    assert held(simulate(before, [*changes, *undone]), TABLE) == held(before, TABLE)


def test_what_rests_on_a_grant_of_somebody_else_goes_before_it(make: Make) -> None:
    """A server refuses to take a grant by which another one was made."""
    chain = world(make, (Grant(A, OWNER, INSERT, INSERT), Grant(B, A, INSERT, INSERT), Grant(C, B, INSERT)))
    assert diff(chain, wanted(people=("b",))).changes == (
        add("c", "INSERT"),
        remove("c", "INSERT", grantor="b"),
        remove("b", "INSERT", grantor="a", grantable=True),
    )
