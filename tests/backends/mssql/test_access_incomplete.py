"""Snapshots in which something is not there: no right comes of what is missing."""

from __future__ import annotations

import msgspec
import pytest

from dbops.access.covered import Covered
from dbops.access.escalation import escalations
from dbops.access.explain import explain
from dbops.access.naming import find, find_principal
from dbops.model.access import AccessSnapshot, Implied
from tests.backends.mssql.access_rows import NOW, Database, Rows, may

TABLE = "table:shop.dbo.t"


def shop(rows: Rows) -> Database:
    one: Database = rows.login("ann").database("shop")
    return one.user("ann").thing("dbo.t")


def changed(found: AccessSnapshot, what: str, **fields: object) -> AccessSnapshot:
    """The snapshot with another fact about one object."""
    at = find(found, what)
    objects = list(found.objects)
    objects[at] = msgspec.structs.replace(objects[at], **fields)
    return msgspec.structs.replace(found, objects=tuple(objects))


def without_server(found: AccessSnapshot) -> AccessSnapshot:
    """What is in databases alone."""
    assert found.objects[0].kind == "server"
    inside = [one for one in found.objects[1:] if not one.reads]
    objects = tuple(msgspec.structs.replace(one, parent=max(one.parent - 1, -1)) for one in inside)
    return msgspec.structs.replace(found, objects=objects)


def test_rules_without_covering_are_not_judged_by_it() -> None:
    found = Rows().snapshot()
    rules = msgspec.structs.replace(found.rules, covering=None)
    with pytest.raises(TypeError, match="say nothing about covering"):
        Covered(msgspec.structs.replace(found, rules=rules), NOW)


def test_an_action_that_a_kind_does_not_have_is_an_error() -> None:
    rows = Rows()
    shop(rows)
    effective = rows.effective()
    with pytest.raises(KeyError, match="FLY"):
        effective.nominal(effective.snapshot.objects[find(effective.snapshot, TABLE)], "FLY")


def test_an_object_is_a_principal_only_where_it_is_an_account_or_role() -> None:
    rows = Rows()
    shop(rows)
    effective = rows.effective()
    found = effective.snapshot
    user = found.objects[find(found, "user:shop.ann")]
    assert effective.principal_of(user) == find_principal(found, "shop.ann")
    for other in (TABLE, "server", "database:shop"):
        assert effective.principal_of(found.objects[find(found, other)]) == -1


def test_without_the_server_what_was_said_in_the_database_still_counts() -> None:
    rows = Rows()
    shop(rows).user("robot", login=None, authentication=0)
    whole = rows.snapshot("GRANT SELECT ON dbo.t TO ann; USE master; GRANT CONTROL SERVER TO ann")
    effective = Covered(without_server(whole), NOW)
    assert may(effective, "ann", "SELECT", TABLE, usable=True)
    assert not may(effective, "ann", "UPDATE", TABLE)
    assert not may(effective, "shop.robot", "SELECT", TABLE)
    assert "strong" in {one.kind for one in escalations(Covered(whole, NOW))}
    assert "strong" not in {one.kind for one in escalations(effective)}


def test_an_object_with_nothing_around_it_has_no_gate_to_be_shut() -> None:
    rows = Rows()
    shop(rows)
    effective = Covered(changed(rows.snapshot(), TABLE, parent=-1), NOW)
    found = effective.snapshot
    why = explain(effective, find_principal(found, "ann"), "SELECT", found.objects[find(found, TABLE)])
    assert [block.kind for block in why.blocked_by] == ["no_grant"]


def test_a_membership_that_passes_nothing_on_gives_nothing() -> None:
    rows = Rows()
    shop(rows).member("ann", "db_datareader")
    found = rows.snapshot()
    assert may(Covered(found, NOW), "ann", "SELECT", TABLE)
    group = find_principal(found, "shop.db_datareader")
    memberships = tuple(
        msgspec.structs.replace(row, inherit=False) if row.group == group else row for row in found.memberships
    )
    assert not may(Covered(msgspec.structs.replace(found, memberships=memberships), NOW), "ann", "SELECT", TABLE)


def test_where_an_owner_is_not_known_a_chain_is_taken_for_broken() -> None:
    rows = Rows()
    shop(rows).thing("dbo.v", "V").reading("dbo.v", "dbo.t")
    found = rows.snapshot("GRANT SELECT ON dbo.v TO ann")
    assert may(Covered(found, NOW), "ann", "SELECT", "view:shop.dbo.v", usable=True)
    for what in (TABLE, "view:shop.dbo.v"):
        effective = Covered(changed(found, what, owner=-1), NOW)
        assert not may(effective, "ann", "SELECT", "view:shop.dbo.v", usable=True)


def test_nobody_is_the_guest_of_a_database_that_is_not_there() -> None:
    rows = Rows().login("passer")
    shop(rows)
    found = rows.snapshot("USE master; GRANT CONNECT ANY DATABASE TO passer")
    passer = 1 << find_principal(found, "passer")
    assert Covered(found, NOW).contexts.guests("shop") & passer
    alone = msgspec.structs.replace(found, objects=found.objects[:1])
    assert Covered(alone, NOW).contexts.guests("shop") == 0


def test_where_there_is_no_guest_nobody_is_invited() -> None:
    rows = Rows().login("passer")
    shop(rows)
    found = rows.snapshot("GRANT CONNECT TO guest; GRANT SELECT ON dbo.t TO guest", "shop")
    assert may(Covered(found, NOW), "passer", "SELECT", TABLE, usable=True)
    guest = find_principal(found, "shop.guest")
    principals = list(found.principals)
    principals[guest] = msgspec.structs.replace(principals[guest], name="shop.visitor", user="visitor")
    assert not may(
        Covered(msgspec.structs.replace(found, principals=tuple(principals)), NOW), "passer", "SELECT", TABLE
    )


def test_an_action_that_is_covered_on_two_ways_is_covered_once() -> None:
    rows = Rows()
    shop(rows)
    found = rows.snapshot("GRANT SELECT ON dbo.t TO ann; DENY CONTROL ON dbo.t TO ann")
    before = Covered(found, NOW)
    kind = found.rules.kinds["table"]
    more = msgspec.structs.replace(
        kind, implied=(*kind.implied, Implied("SELECT", "table", "ALTER"), Implied("SELECT", "table", "CONTROL"))
    )
    rules = msgspec.structs.replace(found.rules, kinds={**found.rules.kinds, "table": more})
    effective = Covered(msgspec.structs.replace(found, rules=rules), NOW)
    same, _ = effective.covers(more, "SELECT")
    assert sorted(same) == sorted({*before.covers(kind, "SELECT")[0], "ALTER"})
    assert not may(effective, "ann", "SELECT", TABLE)
