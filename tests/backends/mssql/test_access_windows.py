"""Members of Windows groups who have no login of their own, and what is said where nobody knows who is in a group."""

from __future__ import annotations

import pytest

from dbops.access.explain import explain
from dbops.access.matrix import access_of, holders
from dbops.access.naming import find, find_principal
from dbops.errors import UsageError
from dbops.model.audit import Explanation
from dbops.report import audit as render
from tests.backends.mssql.access_rows import Database, Rows, may

ORDERS = "table:shop.dbo.orders"
STAFF, DARK = "DOM\\staff", "DOM\\dark"


def shop() -> Rows:
    """staff may read; the server knows that zoe is in it, and in it the group inner with max."""
    rows = Rows().login(STAFF, "G").login("DOM\\ann", "U").login("sql")
    one: Database = rows.database("shop")
    one.thing("dbo.orders").user(STAFF, "G").member(STAFF, "db_datareader").user("DOM\\ann", "U").user("sql")
    rows.groups = {
        STAFF: [("DOM\\zoe", "user    "), ("DOM\\inner", "group   ")],
        "DOM\\inner": [("DOM\\max", "user    "), ("dom\\STAFF", "group   ")],
    }
    return rows


def told(rows: Rows, who: str, action: str = "SELECT", sql: str = "") -> Explanation:
    effective = rows.effective(sql)
    found = effective.snapshot
    return explain(effective, find_principal(found, who), action, found.objects[find(found, ORDERS)])


@pytest.mark.parametrize("who", ["DOM\\zoe", "DOM\\max"])
def test_a_member_without_a_login_has_what_the_group_has(who: str) -> None:
    rows = shop()
    effective = rows.effective()
    found = effective.snapshot
    assert may(effective, who, "SELECT", ORDERS, usable=True)
    assert not may(effective, who, "UPDATE", ORDERS)
    why = told(rows, who)
    assert [hop.via for hop in why.paths[0]] == [
        "a group of Windows",
        "its user in database:shop",
        "",
        "SELECT on database:shop",
    ]
    assert why.blocked_by == ()
    one = found.objects[find(found, ORDERS)]
    [held] = [one for one in holders(effective, one, "SELECT").holders if one.principal == who]
    assert (held.login, held.usable) == (True, True)
    report = access_of(effective, find_principal(found, who))
    assert {STAFF, "shop.DOM\\staff", "shop.db_datareader"} <= set(report.inherits)
    assert report.attributes == ("WINDOWS", "LOGIN", "BY GROUP")


def test_groups_that_are_in_each_other_are_asked_once_and_all_members_are_known() -> None:
    effective = shop().effective()
    staff = effective.snapshot.principals[find_principal(effective.snapshot, STAFF)]
    assert "MEMBERS UNKNOWN" not in staff.attributes
    assert holders(effective, effective.snapshot.objects[-1], "SELECT").members_unknown == ()


def test_a_denial_to_the_group_is_one_to_its_members() -> None:
    why = told(shop(), "DOM\\zoe", sql="USE shop; DENY SELECT ON dbo.orders TO [DOM\\staff]")
    assert [block.kind for block in why.blocked_by] == ["deny"]
    assert why.blocked_by[0].summary.endswith("is denied to shop.DOM\\staff, for whom DOM\\zoe stands")


# -- where it is not known --------------------------------------------------------------------------------------------


def dark(members: list[tuple[str, str]] | None = None) -> Rows:
    """Another group that may read, of which the server tells this (None: it refuses)."""
    rows = shop().login(DARK, "G")
    rows.databases["shop"].user(DARK, "G").member(DARK, "db_datareader")
    if members is not None:
        rows.groups[DARK] = members
    return rows


@pytest.mark.parametrize("members", [None, [], [("DOM\\eva", "user"), ("DOM\\deep", "group")]])
def test_no_answer_an_empty_one_and_one_with_a_group_that_is_not_told_are_no_knowledge(
    members: list[tuple[str, str]] | None,
) -> None:
    rows = dark(members)
    effective = rows.effective()
    found = effective.snapshot
    who = holders(effective, found.objects[find(found, ORDERS)], "SELECT")
    assert who.members_unknown == (DARK,)
    assert "not known: who is in DOM\\dark, and may it too\n" in render.holders(who)
    why = told(rows, "DOM\\ann")
    assert [block.kind for block in why.blocked_by] == ["no_grant", "unknown_group"]
    assert why.blocked_by[1].summary == "whether DOM\\ann is in DOM\\dark, which may, is not known: ask the directory"
    assert [block.kind for block in told(rows, "sql").blocked_by] == ["no_grant"]  # no account of Windows
    assert [block.kind for block in told(rows, "shop.DOM\\ann").blocked_by] == ["no_grant"]  # a user by himself


def test_who_is_known_to_be_in_a_group_is_not_asked_about_again() -> None:
    rows = dark([("DOM\\ann", "user"), ("DOM\\deep", "group")])
    assert told(rows, "DOM\\ann").allowed
    denied = told(rows, "DOM\\ann", sql="USE shop; DENY SELECT ON dbo.orders TO [DOM\\dark]")
    assert [block.kind for block in denied.blocked_by] == ["deny"]


def test_what_is_denied_to_such_a_group_narrows_every_yes() -> None:
    sql = "USE shop; DENY SELECT ON dbo.orders TO [DOM\\dark]"
    assert told(dark(), "DOM\\zoe", sql=sql).limits == (
        "whether DOM\\zoe is in DOM\\dark, to which it is denied, is not known",
    )
    rows = dark().member("DOM\\ann", "sysadmin")
    assert told(rows, "DOM\\ann", sql=sql).limits == ()  # to whom nothing is denied


def test_somebody_whom_nobody_knows_may_be_in_such_a_group() -> None:
    with pytest.raises(UsageError) as raised:
        find_principal(dark().snapshot(), "DOM\\nobody at all")
    assert raised.value.hint.endswith(
        "Not everybody is known who is in DOM\\dark: who comes in by such a group may do what it may."
    )
    rows = Rows()
    for number in range(5):
        rows.login(f"DOM\\g{number}", "G")
    with pytest.raises(UsageError) as raised:
        find_principal(rows.snapshot(), "zz")
    assert "DOM\\g0, DOM\\g1, DOM\\g2 and 2 more" in raised.value.hint


def test_groups_of_entra_are_asked_of_nobody() -> None:
    rows = Rows().login("crew@example.com", "X")
    rows.groups = {"crew@example.com": [("zoe", "user")]}
    found = rows.snapshot()
    assert "MEMBERS UNKNOWN" in found.principals[find_principal(found, "crew@example.com")].attributes
    assert not [one for one in found.principals if one.name == "zoe"]
