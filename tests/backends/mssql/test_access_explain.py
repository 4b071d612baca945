"""What is said of an access: through which code somebody comes there all the same, where chains break, what ends it."""

from __future__ import annotations

import pytest

from dbops.access import explain_covered
from dbops.access.explain import explain
from dbops.access.naming import find, find_principal
from dbops.model.access import PUBLIC
from dbops.model.audit import Explanation
from dbops.model.change import RemoveGrant, RemoveMembership
from tests.backends.mssql.access_rows import Database, Rows, may, sid_of


def shop(rows: Rows) -> Database:
    """``dbo.t``, and ``its.t`` of another owner."""
    one: Database = rows.login("ann").database("shop")
    return one.user("ann").role("crew").schema("its", "crew").thing("dbo.t").thing("its.t")


def told(rows: Rows, who: str, action: str, what: str, sql: str = "") -> Explanation:
    effective = rows.effective(sql, "shop")
    found = effective.snapshot
    return explain(effective, find_principal(found, who), action, found.objects[find(found, what)])


def test_only_code_that_may_be_used_is_told_as_a_way() -> None:
    rows = Rows()
    one = shop(rows).thing("dbo.get", "P").thing("dbo.barred", "P")
    one.reading("dbo.get", "dbo.t").reading("dbo.barred", "dbo.t")
    blocked = told(rows, "ann", "SELECT", "table:shop.dbo.t", "GRANT EXECUTE ON dbo.get TO ann").blocked_by
    assert [block.kind for block in blocked] == ["no_grant", "chain"]
    assert "through procedure:shop.dbo.get (EXECUTE)" in blocked[-1].summary


def test_a_chain_is_looked_for_in_all_that_code_stands_on() -> None:
    rows = Rows()
    one = shop(rows).thing("dbo.other").thing("dbo.v", "V").thing("dbo.near", "P").thing("dbo.elsewhere", "P")
    one.reading("dbo.v", "dbo.other").reading("dbo.near", "dbo.v", "dbo.t").reading("dbo.elsewhere", "dbo.v")
    sql = "GRANT EXECUTE ON SCHEMA::dbo TO ann"
    ways = [block for block in told(rows, "ann", "SELECT", "table:shop.dbo.t", sql).blocked_by if block.kind == "chain"]
    assert ["dbo.near" in block.summary for block in ways] == [True]
    ways = [
        block for block in told(rows, "ann", "SELECT", "table:shop.dbo.other", sql).blocked_by if block.kind == "chain"
    ]
    assert [block.summary.split(" (")[0].rpartition(".")[2] for block in ways] == ["near", "elsewhere"]


def test_procedures_that_call_each_other_are_followed_once() -> None:
    rows = Rows()
    one = shop(rows).thing("dbo.ping", "P").thing("dbo.pong", "P")
    one.reading("dbo.ping", "dbo.pong").reading("dbo.pong", "dbo.ping")
    limits = told(rows, "ann", "EXECUTE", "procedure:shop.dbo.ping", "GRANT EXECUTE ON dbo.ping TO ann").limits
    assert [limit.partition(" in ")[0] for limit in limits] == [
        "procedure:shop.dbo.ping leads to procedure:shop.dbo.pong",
        "procedure:shop.dbo.pong leads to procedure:shop.dbo.ping",
    ]


def test_a_broken_chain_is_told_to_those_too_who_have_the_right_behind_it() -> None:
    rows = Rows()
    shop(rows).thing("dbo.v", "V").reading("dbo.v", "its.t")
    why = told(rows, "ann", "SELECT", "view:shop.dbo.v", "GRANT SELECT ON dbo.v TO ann; GRANT SELECT ON its.t TO ann")
    assert why.usable
    [limit] = why.limits
    assert limit.startswith(
        "the chain of ownership is broken from view:shop.dbo.v to table:shop.its.t: rights of one's"
    )


def test_the_break_is_found_behind_views_that_stand_on_each_other() -> None:
    rows = Rows()
    one = shop(rows).thing("dbo.a", "V").thing("dbo.b", "V")
    one.reading("dbo.a", "dbo.b").reading("dbo.b", "dbo.a", "its.t")
    why = told(rows, "ann", "SELECT", "view:shop.dbo.a", "GRANT SELECT ON dbo.a TO ann")
    assert (why.allowed, why.usable) == (True, False)
    [block] = why.blocked_by
    assert "broken from view:shop.dbo.b to table:shop.its.t, where ann lacks SELECT" in block.summary
    assert block.fix == "grant SELECT on table:shop.its.t to ann"


def test_a_function_in_a_view_is_not_asked_for_select() -> None:
    rows = Rows()
    shop(rows).thing("dbo.f", "FN").thing("dbo.v", "V").reading("dbo.v", "dbo.f", "dbo.t")
    assert may(rows.effective("GRANT SELECT ON dbo.v TO ann", "shop"), "ann", "SELECT", "view:shop.dbo.v", usable=True)


@pytest.mark.parametrize("same", [False, True])
def test_a_chain_into_another_database_needs_owners_that_are_one_account(same: bool) -> None:
    """Users without a login are nobody outside of their database, whatever they are called."""
    rows = Rows().login("ann").login("una")
    for name in ("shop", "log"):
        one = rows.database(name, chaining=True).user("ann")
        one.user("una", login="una" if same else None, authentication=1 if same else 0).schema("its", "una")
        one.thing("its.t")
    rows.databases["shop"].thing("its.far", "V").reading("its.far", "log.its.t")
    effective = rows.effective("GRANT SELECT ON its.far TO ann", "shop")
    assert may(effective, "ann", "SELECT", "view:shop.its.far", usable=True) == same


def test_a_database_that_is_not_open_lets_nobody_in() -> None:
    rows = Rows().login("boss").member("boss", "sysadmin")
    shop(rows)
    rows.database("closed", state=6)
    why = told(rows, "boss", "CONNECT", "database:closed")
    assert (why.allowed, why.usable) == (True, False)
    assert [(block.kind, block.summary) for block in why.blocked_by] == [
        ("closed", "database:closed takes no connections")
    ]


def test_what_everybody_has_is_what_was_granted_to_the_public_by_name() -> None:
    rows = Rows()
    shop(rows)
    effective = rows.effective("", "shop")
    server = effective.snapshot.objects[find(effective.snapshot, "server")]
    why = explain(effective, PUBLIC, "VIEW ANY DATABASE", server)
    assert why.allowed
    assert [[(hop.kind, hop.via) for hop in path] for path in why.paths] == [[("grant", "VIEW ANY DATABASE on server")]]
    [change] = why.changes
    assert isinstance(change, RemoveGrant)
    assert change.principal == effective.snapshot.principals[PUBLIC].name
    assert not explain(effective, PUBLIC, "CONTROL SERVER", server).allowed
    denied = rows.effective("USE master; DENY VIEW ANY DATABASE TO public", "shop")
    assert not explain(denied, PUBLIC, "VIEW ANY DATABASE", server).allowed


def test_no_revoke_is_proposed_that_was_not_tried_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each round it is asked again whether anything is left; without an answer nothing is proposed."""
    rows = Rows()
    shop(rows)
    rows.member("ann", "sysadmin")
    sql = "GRANT SELECT ON dbo.t TO ann"
    changes = told(rows, "ann", "SELECT", "table:shop.dbo.t", sql).changes
    assert {type(change) for change in changes} == {RemoveGrant, RemoveMembership}
    monkeypatch.setattr(explain_covered, "ROUNDS", 1)
    why = told(rows, "ann", "SELECT", "table:shop.dbo.t", sql)
    assert why.allowed
    assert why.changes == ()


def test_a_role_that_a_version_does_not_have_gives_nothing() -> None:
    for major, expected in ((15, False), (16, True)):
        effective = Rows(major).effective()
        server = effective.snapshot.objects[find(effective.snapshot, "server")]
        names = {effective.snapshot.principals[who].name for who, _, _ in effective.said(server, "VIEW ANY DEFINITION")}
        assert ("##MS_DefinitionReader##" in names) == expected


def test_in_azure_sql_database_the_ways_end_in_the_database() -> None:
    rows = Rows()
    rows.edition = "Azure SQL Database"
    one = rows.database("shop", owner=sid_of("far away")).user("ann", login=None).thing("dbo.t")
    one.member("ann", "db_datareader")
    why = told(rows, "shop.ann", "SELECT", "table:shop.dbo.t")
    assert [[hop.kind for hop in path] for path in why.paths] == [["member", "predefined"]]
    [change] = why.changes
    assert isinstance(change, RemoveMembership)
