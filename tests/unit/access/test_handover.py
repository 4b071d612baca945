"""Another owner, on an engine that drops all rights on what gets one."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from dbops.access.diff import diff
from dbops.access.handover import hand_over
from dbops.access.simulate import Simulation, simulate
from dbops.model.access import AccessSnapshot, Grant
from dbops.model.change import AddGrant, ObjectName, SetOwner
from dbops.model.judging import Covering
from dbops.model.users import Wanted, WantedGrant, WantedOwner, WantedPrincipal

Make = Callable[..., AccessSnapshot]
OWNER, A, B, C = 1, 2, 3, 4
DATABASE, SCHEMA, TABLE, COLUMN = range(4)
SELECT, INSERT = 1, 2
USAGE = 2
ON_SCHEMA = ObjectName("schema", ("app", "s"))
ON_TABLE, ON_COLUMN = ObjectName("table", ("app", "s", "t")), ObjectName("column", ("app", "s", "t", "c"))
COVERING = Covering(
    unbound="sysadmin", owner="dbo", guest="guest", everybody="PUBLIC", enters="CONNECT", connects="CONNECT"
)
TO_A = SetOwner(object=ON_SCHEMA, owner="a", old="owner")


def world(make: Make, lists: dict[int, tuple[Grant, ...]], *, covering: bool = True) -> AccessSnapshot:
    """The table has the owner of its schema, and the column that of its table."""
    found = make(people={"a": (), "b": (), "c": ()})
    objects = [
        msgspec.structs.replace(one, follows={TABLE: SCHEMA, COLUMN: TABLE}.get(at, -1))
        for at, one in enumerate(found.objects)
    ]
    return msgspec.structs.replace(
        found,
        acls=tuple(lists.get(at, ()) for at in range(len(objects))),
        objects=tuple(objects),
        rules=msgspec.structs.replace(found.rules, covering=COVERING if covering else None),
    )


def add(who: str, *actions: str, on: ObjectName, deny: bool = False, grantable: bool = False) -> AddGrant:
    return AddGrant(principal=who, object=on, actions=actions, deny=deny, grantable=grantable)


def test_what_others_have_and_are_denied_is_said_again_by_the_new_owner(make: Make) -> None:
    """The new owner needs nothing, and whoever is decided elsewhere is left to that."""
    before = world(
        make,
        {
            SCHEMA: (Grant(A, OWNER, USAGE), Grant(B, OWNER, USAGE), Grant(C, OWNER, USAGE)),
            TABLE: (Grant(B, OWNER, SELECT, SELECT, INSERT), Grant(B, C, INSERT)),
            COLUMN: (Grant(B, OWNER, 0, 0, 1),),
        },
    )
    working = Simulation(before)
    assert hand_over(working, [TO_A], {C}) == [
        TO_A,
        add("b", "USAGE", on=ON_SCHEMA),
        add("b", "INSERT", on=ON_TABLE),
        add("b", "SELECT", on=ON_TABLE, grantable=True),
        add("b", "INSERT", on=ON_TABLE, deny=True),
        add("b", "SELECT", on=ON_COLUMN, deny=True),
    ]
    after = working.snapshot()
    assert {one.grantor for place in (SCHEMA, TABLE, COLUMN) for one in after.grants(after.objects[place])} == {A}
    assert [after.objects[place].owner for place in (DATABASE, SCHEMA, TABLE, COLUMN)] == [OWNER, A, A, A]


def test_a_database_keeps_what_was_said_of_it(make: Make) -> None:
    rows = (Grant(A, OWNER, 1), Grant(B, OWNER, 0, 0, 1))
    change = SetOwner(object=ObjectName("database", ("app",)), owner="a", old="owner")
    working = Simulation(world(make, {DATABASE: rows}))
    assert hand_over(working, [change], ()) == [change]
    assert tuple(working.entries(DATABASE).values()) == rows


def test_elsewhere_rights_go_on(make: Make) -> None:
    working = Simulation(world(make, {SCHEMA: (Grant(B, OWNER, USAGE),)}, covering=False))
    assert hand_over(working, [TO_A], ()) == [TO_A]
    assert list(working.entries(SCHEMA).values()) == [Grant(B, A, USAGE)]


def test_a_spec_that_changes_an_owner_says_all_that_stays_in_one_run(make: Make) -> None:
    before = world(
        make, {SCHEMA: (Grant(B, OWNER, USAGE),), TABLE: (Grant(B, OWNER, SELECT), Grant(C, OWNER, SELECT | INSERT))}
    )
    spec = Wanted(
        managed=("a", "c"),
        databases=("app",),
        principals=tuple(
            WantedPrincipal(name=name, state="present", attributes=(), member_of=()) for name in ("a", "c")
        ),
        grants=(WantedGrant(principal="c", kind="table", path=ON_TABLE.path, actions=("SELECT",)),),
        owners=(WantedOwner(principal="a", kind="schema", path=ON_SCHEMA.path),),
    )
    changes = diff(before, spec).changes
    assert changes == (
        TO_A,
        add("b", "USAGE", on=ON_SCHEMA),
        add("b", "SELECT", on=ON_TABLE),
        add("c", "SELECT", on=ON_TABLE),
    )
    assert diff(simulate(before, changes), spec).changes == ()
