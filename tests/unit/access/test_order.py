"""Changes in an order in which a run may end anywhere."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from dbops.access.diff import diff
from dbops.access.effective import Effective
from dbops.access.matrix import rows
from dbops.access.order import in_safe_order
from dbops.access.simulate import Simulation
from dbops.model.access import AccessSnapshot, Grant, Kind, Membership, Principal, Rules, SecuredObject
from dbops.model.change import (
    AddDefault,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    ObjectName,
    RemoveDefault,
    RemoveGrant,
    RemoveMembership,
    SetPassword,
)
from dbops.model.users import SpecMember, Wanted, WantedGrant, WantedPrincipal
from dbops.plan import SecretRef

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = (
    Kind(name="table", actions=("READ", "WRITE"), family="table", contained=False),
    Kind(name="column", actions=("READ",), depth=2, contained=False),
)
PEOPLE, ROLES = ("a", "b", "c"), ("q", "r", "s")
NUMBERS = {name: number for number, name in enumerate(("PUBLIC", *PEOPLE, *ROLES))}
Names = dict[str, tuple[str, ...]]


def world(
    grants: dict[str, int], members: Names, *, locked: tuple[str, ...] = (), listed: bool = False, columns: int = 0
) -> AccessSnapshot:
    """One table and one column of it; ``grants`` are bits of READ and WRITE on the table."""
    return AccessSnapshot(
        engine="test",
        version=(1,),
        incarnation="1",
        taken_at=NOW,
        rules=Rules(kinds={one.name: one for one in KINDS}, login="LOGIN", inherit_list=listed, drop_takes_rights=True),
        principals=(
            Principal(name="PUBLIC", kind="public"),
            *(Principal(name=n, kind="user", attributes=() if n in locked else ("LOGIN",)) for n in PEOPLE),
            *(Principal(name=name, kind="role") for name in ROLES),
        ),
        memberships=tuple(
            Membership(member=NUMBERS[name], group=NUMBERS[group])
            for name, groups in members.items()
            for group in groups
        ),
        objects=(SecuredObject("table", ("t",), -1, 0), SecuredObject("column", ("t", "x"), -1, 1, 0)),
        acls=(
            tuple(Grant(NUMBERS[name], -1, bits) for name, bits in grants.items() if bits),
            (Grant(NUMBERS["a"], -1, columns),) if columns else (),
        ),
    )


def wanted(grants: dict[str, int], members: Names, **states: str) -> Wanted:
    kind = KINDS[0]
    return Wanted(
        managed=("*",),
        databases=(),
        principals=tuple(
            WantedPrincipal(
                name=name,
                state=states.get(name, "present"),  # type: ignore[arg-type]  # one of the three words
                attributes=("LOGIN",) if name in PEOPLE and states.get(name) is None else (),
                member_of=tuple(SpecMember(role=group, inherit=True, set=True) for group in members.get(name, ())),
                kind="user" if name in PEOPLE else "role",
            )
            for name in (*PEOPLE, *ROLES)
        ),
        grants=tuple(
            WantedGrant(principal=name, kind="table", path=("t",), actions=kind.names(bits))
            for name, bits in grants.items()
            if bits and states.get(name) != "absent"
        ),
        owners=(),
    )


def ordered(snapshot: AccessSnapshot, wish: Wanted) -> tuple[Change, ...]:
    return in_safe_order(snapshot, diff(snapshot, wish).changes)


def held(snapshot: AccessSnapshot, *, usable: bool = False) -> set[tuple[str, str, str]]:
    return {row[:3] for row in rows(Effective(snapshot, NOW)) if row[4] or not usable}


bits = st.integers(0, 3)
rights = st.fixed_dictionaries(dict.fromkeys((*PEOPLE, *ROLES), bits))
groups = st.fixed_dictionaries(
    {
        **{name: st.lists(st.sampled_from(ROLES), unique=True, max_size=2).map(tuple) for name in PEOPLE},
        "q": st.sampled_from(((), ("r",), ("s",), ("r", "s"))),
        "r": st.sampled_from(((), ("s",))),
    }
)
states = st.fixed_dictionaries({}, optional=dict.fromkeys(PEOPLE, st.sampled_from(("locked", "absent"))))


fewer = settings(max_examples=max(1, settings.default.max_examples // 4) if settings.default else 25)


@fewer
@given(rights, groups, rights, groups, states, st.booleans(), st.sampled_from(((), ("a",), ("a", "b"))))
def test_nobody_ever_has_more_than_before_and_after(  # noqa: PLR0917  hypothesis hands them over
    grants: dict[str, int],
    members: Names,
    later: dict[str, int],
    joined: Names,
    gone: dict[str, str],
    listed: bool,
    locked: tuple[str, ...],
) -> None:
    snapshot = world(grants, members, listed=listed, locked=locked)
    wish = wanted(later, joined, **gone)
    plain, changes = diff(snapshot, wish).changes, ordered(snapshot, wish)
    working = Simulation(snapshot)
    working.apply_all(plain)
    in_the_end = working.snapshot()
    nominal, usable = (held(snapshot, usable=flag) | held(in_the_end, usable=flag) for flag in (False, True))
    working = Simulation(snapshot)
    for change in changes:
        working.apply(change)
        assert held(working.snapshot()) <= nominal
        assert held(working.snapshot(), usable=True) <= usable
    assert held(working.snapshot()) == held(in_the_end)
    assert diff(working.snapshot(), wish).changes == ()


@fewer
@given(rights, groups, rights, st.booleans())
def test_nobody_is_without_what_he_keeps_while_groups_stay_as_they_are(
    grants: dict[str, int], members: Names, later: dict[str, int], listed: bool
) -> None:
    snapshot, wish = world(grants, members, listed=listed), wanted(later, members)
    changes = ordered(snapshot, wish)
    working = Simulation(snapshot)
    working.apply_all(changes)
    kept = held(snapshot) & held(working.snapshot())
    working = Simulation(snapshot)
    for change in changes:
        working.apply(change)
        assert kept <= held(working.snapshot())


def kinds(changes: tuple[Change, ...]) -> list[tuple[str, str]]:
    return [
        (type(one).__name__, getattr(one, "member", "") or getattr(one, "principal", "") or getattr(one, "name", ""))
        for one in changes
    ]


def test_a_right_moves_into_a_role_before_it_is_taken() -> None:
    snapshot = world({"a": 1}, {})
    assert kinds(ordered(snapshot, wanted({"q": 1}, {"a": ("q",)}))) == [
        ("AddGrant", "q"),
        ("AddMembership", "a"),
        ("RemoveGrant", "a"),
    ]


def test_a_role_gives_up_before_somebody_joins_it() -> None:
    snapshot = world({"q": 3}, {"b": ("q",)})
    assert kinds(ordered(snapshot, wanted({"q": 1, "b": 2}, {"a": ("q",), "b": ("q",)}))) == [
        ("AddGrant", "b"),
        ("RemoveGrant", "q"),
        ("AddMembership", "a"),
    ]


def test_somebody_leaves_before_the_role_gains_and_has_what_he_keeps_before_he_leaves() -> None:
    snapshot = world({"q": 1}, {"a": ("q",)}, listed=True)
    assert kinds(ordered(snapshot, wanted({"q": 3, "a": 1}, {}))) == [
        ("AddGrant", "a"),
        ("SetInherited", "a"),
        ("RemoveMembership", "a"),
        ("AddGrant", "q"),
    ]


def test_where_both_cannot_be_had_nobody_has_too_much() -> None:
    """``a`` changes from ``q`` to ``r`` and ``b`` the other way, while both roles exchange their rights."""
    snapshot = world({"q": 1, "r": 2}, {"a": ("q",), "b": ("r",)})
    found = kinds(ordered(snapshot, wanted({"q": 2, "r": 1}, {"a": ("r",), "b": ("q",)})))
    assert found[0][0] == "RemoveGrant"
    assert found[-1][0] == "AddGrant"
    assert sorted({one for one, _ in found}) == ["AddGrant", "AddMembership", "RemoveGrant", "RemoveMembership"]


def test_an_account_is_locked_first_and_let_in_last() -> None:
    snapshot = world({"b": 3, "a": 1}, {}, locked=("b",))
    wish = wanted({"b": 1, "a": 2}, {}, a="locked")
    assert kinds(ordered(snapshot, wish)) == [
        ("AlterPrincipal", "a"),
        ("AddGrant", "a"),
        ("RemoveGrant", "a"),
        ("RemoveGrant", "b"),
        ("AlterPrincipal", "b"),
    ]


def test_what_opens_and_what_closes_is_parted() -> None:
    both = AlterPrincipal(name="a", gains=("LOGIN", "TLS"), set_limit=True, connection_limit=2)
    assert in_safe_order(world({}, {}, locked=("a",)), [both]) == (
        AlterPrincipal(name="a", gains=("TLS",), set_limit=True, connection_limit=2),
        AlterPrincipal(name="a", gains=("LOGIN",)),
    )
    less = AlterPrincipal(name="a", loses=("TLS", "LOGIN"))
    assert in_safe_order(world({}, {}), [less]) == (
        AlterPrincipal(name="a", loses=("LOGIN",)),
        AlterPrincipal(name="a", loses=("TLS",)),
    )


def test_a_part_comes_back_right_after_the_whole_went() -> None:
    snapshot = world({"a": 1}, {}, columns=1)
    on_column = WantedGrant(principal="a", kind="table", path=("t",), actions=("READ",), columns=("x",))
    wish = Wanted(
        managed=("*",),
        databases=(),
        principals=(WantedPrincipal(name="a", state="present", attributes=("LOGIN",), member_of=(), kind="user"),),
        grants=(on_column,),
        owners=(),
    )
    assert kinds(ordered(snapshot, wish)) == [("RemoveGrant", "a"), ("AddGrant", "a")]


def test_accounts_come_first_and_go_last() -> None:
    snapshot = world({"a": 1}, {"b": ("q",)})
    wish = wanted({}, {}, a="absent")
    made = CreatePrincipal(name="z", attributes=())
    changes = in_safe_order(snapshot, [*diff(snapshot, wish).changes, made])
    assert isinstance(changes[0], CreatePrincipal)
    assert isinstance(changes[-1], DropPrincipal)


def test_a_default_counts_as_a_right_and_what_harms_nobody_comes_after_all_rights() -> None:
    """A default for what is made later counts as a right; one that goes, and passwords, hurt nobody at the end."""

    def default(sort: type[AddDefault | RemoveDefault], name: str) -> AddDefault | RemoveDefault:
        return sort(creator="c", database="d", schema="", kind="table", principal=name, actions=("READ",))

    less = RemoveGrant(principal="a", object=ObjectName("table", ("t",)), actions=("READ",))
    password = SetPassword(name="a", password=SecretRef("env:X"))
    gone, come = default(RemoveDefault, "b"), default(AddDefault, "a")
    opened = AlterPrincipal(name="b", gains=("LOGIN",))
    changes = [opened, gone, password, less, come]
    assert in_safe_order(world({"a": 1}, {}, locked=("b",)), changes) == (come, less, gone, password, opened)


def test_a_default_of_a_group_waits_for_whoever_leaves_it() -> None:
    leaving = RemoveMembership(member="a", group="q")
    come = AddDefault(creator="c", database="d", schema="", kind="table", principal="q", actions=("READ",))
    assert in_safe_order(world({}, {"a": ("q",)}), [come, leaving]) == (leaving, come)
