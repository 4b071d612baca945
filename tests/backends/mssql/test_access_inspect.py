"""What a reading of a server becomes: principals, whom logins are in databases, owners, code, and what is not shown."""

from __future__ import annotations

import msgspec
import pytest

from dbops.access.evaluator import evaluator
from dbops.access.explain import explain
from dbops.access.matrix import access_of, holders
from dbops.access.naming import find, find_principal
from dbops.access.summary import summary
from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot, Principal
from dbops.model.finding import Missing
from tests.backends.mssql.access_rows import NOW, Database, Rows, may, sid_of


def shop(rows: Rows, name: str = "shop", **facts: object) -> Database:
    one: Database = rows.database(name, **facts)
    return one.thing("dbo.orders")


def called(found: AccessSnapshot, name: str) -> Principal:
    return found.principals[find_principal(found, name)]


def test_a_name_means_the_login_before_a_user_and_a_user_by_its_database() -> None:
    rows = Rows().login("alice").login("a.b")
    shop(rows).user("alice").user("a.b").user("x.y", login="alice")
    shop(rows, "log").user("bob", login="alice")
    found = rows.snapshot()
    assert called(found, "alice").database == ""
    assert called(found, "shop.alice").database == "shop"
    assert called(found, "bob").name == "log.bob"
    assert called(found, "a.b").name == "[a.b]"
    assert called(found, "[a.b]").database == ""
    assert called(found, "shop.[a.b]").database == "shop"
    assert called(found, "x.y").name == "shop.[x.y]"
    with pytest.raises(UsageError, match="there is no principal 'nobody'"):
        find_principal(found, "nobody")
    with pytest.raises(UsageError, match="guest could be several principals") as raised:
        find_principal(found, "guest")
    assert raised.value.hint == "Write one of: shop.guest; log.guest."


def test_a_login_is_the_user_with_its_sid_whatever_he_is_called() -> None:
    rows = Rows().login("alice")
    shop(rows).user("seller", login="alice").member("seller", "db_datareader")
    effective = rows.effective()
    assert may(effective, "alice", "SELECT", "table:shop.dbo.orders", usable=True)
    assert [one.name for one in summary(effective).people] == ["alice"]
    report = access_of(effective, find_principal(effective.snapshot, "alice"))
    assert {"shop.seller", "shop.db_datareader", "shop.public"} <= set(report.inherits)


def test_owners_and_sysadmins_are_dbo_and_nothing_is_denied_to_them() -> None:
    rows = Rows().login("owner").login("boss").member("boss", "sysadmin").login("other")
    shop(rows, owner=sid_of("owner")).user("other")
    effective = rows.effective("DENY SELECT ON SCHEMA::dbo TO public")
    assert may(effective, "owner", "SELECT", "table:shop.dbo.orders", usable=True)
    assert may(effective, "boss", "SELECT", "table:shop.dbo.orders", usable=True)
    assert not may(effective, "other", "SELECT", "table:shop.dbo.orders")
    why = explain(effective, find_principal(effective.snapshot, "owner"), "SELECT", effective.snapshot.objects[-1])
    assert [hop.via for hop in why.paths[0]] == ["its user in database:shop", "owns database:shop"]
    assert why.changes == ()


def test_an_object_without_an_owner_has_that_of_its_schema_and_ownership_outlives_denials() -> None:
    rows = Rows().login("una")
    one = rows.database("shop").user("una").role("crew").schema("hers", "una").thing("hers.t").schema("theirs", "crew")
    one.thing("theirs.t").member("una", "crew")
    effective = rows.effective("DENY SELECT ON DATABASE::shop TO una")
    assert may(effective, "una", "SELECT", "table:shop.hers.t")
    assert not may(effective, "una", "SELECT", "table:shop.theirs.t")  # a member of the owner is not the owner
    assert may(rows.effective(), "una", "CONTROL", "table:shop.theirs.t")


def test_users_of_every_kind_are_told_apart() -> None:
    rows = Rows().login("alice").login("DOM\\staff", "G")
    one = shop(rows).user("alice").user("lost", login=None).user("DOM\\bob", "U", login=None)
    one.user("robot", login=None, authentication=0).user("inner", login=None, authentication=2)
    found = rows.snapshot()
    assert called(found, "shop.alice").attributes == ("SQL",)
    assert called(found, "shop.lost").attributes == ("SQL", "ORPHANED")
    assert called(found, "shop.DOM\\bob").attributes == ("WINDOWS", "BY GROUP")
    assert called(found, "shop.robot").attributes == ("SQL", "WITHOUT LOGIN")
    assert called(found, "shop.inner").attributes == ("SQL", "CONTAINED", "LOGIN")
    effective = rows.effective("GRANT SELECT ON dbo.orders TO inner; GRANT SELECT ON dbo.orders TO robot")
    assert may(effective, "inner", "SELECT", "table:shop.dbo.orders", usable=True)
    assert may(effective, "robot", "SELECT", "table:shop.dbo.orders")
    assert not may(effective, "robot", "SELECT", "table:shop.dbo.orders", usable=True)


def test_windows_users_log_in_by_a_contained_database_itself() -> None:
    rows = Rows()
    shop(rows, containment=1).user("DOM\\bob", "U", login=None)
    assert called(rows.snapshot(), "shop.DOM\\bob").attributes == ("WINDOWS", "CONTAINED", "LOGIN")


def test_members_of_a_group_of_windows_have_what_it_has_as_far_as_they_are_known() -> None:
    rows = Rows().login("DOM\\staff", "G").login("DOM\\ann", "U").login("DOM\\dark", "G")
    shop(rows).user("DOM\\staff", "G").member("DOM\\staff", "db_datareader")
    rows.groups = {"DOM\\staff": [("dom\\ANN", "user    "), ("DOM\\ben", "user"), ("DOM\\inner", "group   ")]}
    effective = rows.effective()
    assert may(effective, "DOM\\ann", "SELECT", "table:shop.dbo.orders", usable=True)
    assert may(effective, "DOM\\ben", "SELECT", "table:shop.dbo.orders")
    assert "BY GROUP" in called(effective.snapshot, "DOM\\ben").attributes
    for group in ("DOM\\staff", "DOM\\dark"):  # one has a group inside, the other could not be asked about
        assert "MEMBERS UNKNOWN" in called(effective.snapshot, group).attributes
    one = effective.snapshot.objects[find(effective.snapshot, "table:shop.dbo.orders")]
    why = explain(effective, find_principal(effective.snapshot, "DOM\\ann"), "SELECT", one)
    assert [hop.via for hop in why.paths[0][:2]] == ["a group of Windows", "its user in database:shop"]


def test_a_disabled_login_and_one_without_connect_sql_hold_and_cannot_use() -> None:
    rows = Rows().login("off", disabled=True).login("shut")
    shop(rows).user("off").user("shut").member("off", "db_datareader").member("shut", "db_datareader")
    effective = rows.effective("USE master; DENY CONNECT SQL TO shut")
    found = effective.snapshot
    one = found.objects[find(found, "table:shop.dbo.orders")]
    kinds = {}
    for who in ("off", "shut"):
        assert may(effective, who, "SELECT", "table:shop.dbo.orders")
        told = explain(effective, find_principal(found, who), "SELECT", one)
        kinds[who] = [block.kind for block in told.blocked_by]
    assert kinds == {"off": ["disabled"], "shut": ["no_connect"]}


def test_who_is_no_user_gets_nowhere_and_is_told_so() -> None:
    rows = Rows().login("viewer")
    shop(rows)
    effective = rows.effective("USE master; GRANT VIEW ANY DEFINITION TO viewer")
    assert may(effective, "viewer", "VIEW DEFINITION", "table:shop.dbo.orders")
    assert not may(effective, "viewer", "VIEW DEFINITION", "table:shop.dbo.orders", usable=True)
    found = effective.snapshot
    one = found.objects[find(found, "table:shop.dbo.orders")]
    [block] = explain(effective, find_principal(found, "viewer"), "VIEW DEFINITION", one).blocked_by
    assert (block.kind, block.summary) == ("gate", "viewer lacks CONNECT on database:shop")


def test_chains_of_ownership_end_where_owners_differ_and_go_on_where_databases_let_them() -> None:
    rows = Rows().login("ann")
    for name in ("shop", "log"):
        one = rows.database(name, chaining=name == "shop").user("ann").role("crew").schema("its", "crew")
        one.thing("dbo.t").thing("its.t")
    one = rows.databases["shop"]
    one.thing("dbo.near", "V").thing("dbo.broken", "V").thing("dbo.far", "V")
    one.reading("dbo.near", "dbo.t").reading("dbo.broken", "its.t").reading("dbo.far", "log.dbo.t")
    sql = "GRANT SELECT ON dbo.near TO ann; GRANT SELECT ON dbo.broken TO ann; GRANT SELECT ON dbo.far TO ann"
    effective = rows.effective(sql, "shop")
    usable = {
        name: may(effective, "ann", "SELECT", f"view:shop.dbo.{name}", usable=True)
        for name in ("near", "broken", "far")
    }
    assert usable == {"near": True, "broken": False, "far": False}
    rows.settings["cross db ownership chaining"] = 1
    assert may(rows.effective(sql, "shop"), "ann", "SELECT", "view:shop.dbo.far", usable=True)
    rows.settings.clear()
    rows.databases["log"].chaining = True
    effective = rows.effective(sql, "shop")
    assert may(effective, "ann", "SELECT", "view:shop.dbo.far", usable=True)
    found = effective.snapshot
    ann = find_principal(found, "ann")
    near = explain(effective, ann, "SELECT", found.objects[find(found, "view:shop.dbo.near")])
    assert near.limits == (
        "view:shop.dbo.near leads to table:shop.dbo.t in a chain of ownership (shop.dbo): no right is asked for there",
    )
    [block] = explain(effective, ann, "SELECT", found.objects[find(found, "view:shop.dbo.broken")]).blocked_by
    assert block.kind == "view"
    assert "broken from view:shop.dbo.broken to table:shop.its.t, where ann lacks SELECT" in block.summary


def test_row_level_security_limits_everybody() -> None:
    rows = Rows().login("ann").login("boss").member("boss", "sysadmin")
    one = shop(rows).user("ann").member("ann", "db_datareader")
    one.policies.append((one.object_id("dbo.orders"),))
    effective = rows.effective()
    found = effective.snapshot
    orders = found.objects[find(found, "table:shop.dbo.orders")]
    assert all(one.limited for one in holders(effective, orders, "SELECT").holders)
    [limit] = explain(effective, find_principal(found, "boss"), "SELECT", orders).limits
    assert limit.startswith("row-level security")


def test_impersonation_is_a_way_to_become_somebody() -> None:
    rows = Rows().login("ann")
    one = shop(rows).user("ann").user("robot", login=None, authentication=0)
    one.role("crew")
    sql = (
        "GRANT SELECT ON dbo.orders TO robot; GRANT IMPERSONATE ON USER::robot TO ann; GRANT ALTER ON ROLE::crew TO ann"
    )
    effective = rows.effective(sql)
    found = effective.snapshot
    told = explain(
        effective, find_principal(found, "ann"), "SELECT", found.objects[find(found, "table:shop.dbo.orders")]
    )
    [block] = [block for block in told.blocked_by if block.kind == "not_become"]
    assert block.fix == "EXECUTE AS USER = N'robot'"
    report = access_of(effective, find_principal(found, "ann"))
    assert "shop.robot" in report.becomes
    assert "shop.crew" not in report.administers  # said of memberships that there are
    assert effective.administers(find_principal(found, "shop.crew")) >> find_principal(found, "ann") & 1


def test_what_is_hidden_is_said() -> None:
    rows = Rows()
    rows.visible = False
    shop(rows).user("lost", login=None)
    shop(rows, "half", visible=False)
    shop(rows, "closed", state=6)
    shop(rows, "barred", access=False)
    found = rows.snapshot()
    assert {name: why.reason for name, why in found.databases_missing.items()} == {
        "half": "hidden_rows",
        "closed": "not_reachable",
        "barred": "no_permission",
    }
    assert found.kinds_missing.keys() == {"login", "server_role"}
    assert called(found, "shop.lost").attributes == ("SQL", "LOGIN NOT SHOWN")
    assert "closed" in found.objects[find(found, "database:closed")].flags


def test_a_database_that_fails_halfway_leaves_nothing_behind() -> None:
    rows = Rows().login("ann")
    shop(rows).user("ann")
    shop(rows, "broken", refuses=("objects",)).user("ann").user("zoe", login=None)
    found = rows.snapshot()
    assert found.databases_missing == {"broken": Missing("no_permission", "no right to ask objects")}
    assert not [one for one in found.principals if one.database == "broken"]
    assert not [one for one in found.objects if one.path[:1] == ("broken",) and one.kind != "database"]
    assert all(row.member < len(found.principals) and row.group < len(found.principals) for row in found.memberships)
    assert may(rows.effective(), "ann", "CONNECT", "database:shop")


def test_code_whose_dependencies_are_not_shown_is_flagged() -> None:
    rows = Rows()
    rows.database("shop", refuses=("reads",)).thing("dbo.v", "V").thing("dbo.t")
    found = rows.snapshot()
    assert "unread" in found.objects[find(found, "view:shop.dbo.v")].flags
    assert "unread" not in found.objects[find(found, "table:shop.dbo.t")].flags


def test_one_pass_for_each_database_whatever_is_in_it() -> None:
    rows = Rows()
    for number in range(20):
        rows.login(f"login{number}")
    for number in range(30):
        one = shop(rows, f"shop{number}")
        for at in range(20):
            one.user(f"login{at}").thing(f"dbo.t{at}")
    rows.snapshot()
    assert len(rows.asked) <= 12 + 14 * 30


def test_a_snapshot_is_judged_without_its_server() -> None:
    rows = Rows().login("ann").login("bob")
    shop(rows, trustworthy=True).user("ann").member("ann", "db_denydatareader").user("bob").member("bob", "db_owner")
    found = rows.snapshot("GRANT CONTROL ON SCHEMA::dbo TO ann")
    again = msgspec.json.decode(msgspec.json.encode(found), type=AccessSnapshot)
    assert again == found
    first, second = evaluator(found, NOW), evaluator(again, NOW)
    for one in found.objects:
        for action in found.rules.kinds[one.kind].actions:
            assert first.usable(one, action) == second.usable(one, action)


@pytest.mark.parametrize("major", [13, 14, 15, 16, 17])
def test_each_version_has_the_permissions_that_it_describes(major: int) -> None:
    rows = Rows(major).login("ann")
    shop(rows)
    known = rows.snapshot().rules.kinds["server"].actions
    assert ("CREATE LOGIN" in known) == (major >= 16)
    assert "CONNECT ANY DATABASE" in known


def test_names_are_taken_as_they_are() -> None:
    rows = Rows().login("it's ]me[")
    one = rows.database("a.b]c").user("it's ]me[").schema("o'x").thing("o'x.weird ]na'me")
    one.member("it's ]me[", "db_datareader")
    effective = rows.effective()
    assert may(effective, "it's ]me[", "SELECT", "table:[a.b]]c].[o'x].[weird ]]na'me]", usable=True)


def test_columns_with_rights_of_their_own_are_there() -> None:
    rows = Rows().login("ann")
    one = shop(rows).user("ann")
    number = one.object_id("dbo.orders")
    one.columns.append((number, 2, "total"))
    one.permissions.append((1, number, 2, one.id("ann"), 1, "SELECT", "D"))
    one.member("ann", "db_datareader")
    effective = rows.effective()
    assert may(effective, "ann", "SELECT", "table:shop.dbo.orders")
    assert not may(effective, "ann", "SELECT", "column:shop.dbo.orders.total")


def test_extended_procedures_and_other_securables_are_there() -> None:
    rows = Rows().login("ann")
    master = rows.database("master").user("ann")
    master.extended.append((-100, "sys", "xp_cmdshell", master.id("ann"), 1, "EXECUTE", "G"))
    one = shop(rows).user("ann")
    one.securables.append((25, 256, "signer", 1))
    one.types.append((6, 300, "money_like", 1, None))
    effective = rows.effective(
        "GRANT CONTROL ON CERTIFICATE::signer TO ann; GRANT EXECUTE ON TYPE::money_like TO ann", "shop"
    )
    assert may(effective, "ann", "EXECUTE", "procedure:master.sys.xp_cmdshell")
    assert may(effective, "ann", "REFERENCES", "certificate:shop.signer")
    assert may(effective, "ann", "EXECUTE", "type:shop.dbo.money_like")


def test_azure_sql_database_is_one_database_without_a_server() -> None:
    rows = Rows().login("not asked for")
    rows.edition = "Azure SQL Database"
    shop(rows).user("ann", login=None).user("ben@x.y", "E", login=None).user("robot", login=None, authentication=0)
    shop(rows, "other")
    effective = rows.effective("GRANT SELECT ON dbo.orders TO ann; GRANT SELECT ON dbo.orders TO robot", "shop")
    found = effective.snapshot
    assert found.databases_missing["other"].detail == "Azure SQL Database: a database is asked in its own session"
    assert found.kinds_missing.keys() == {"login", "server_role"}
    assert set(rows.asked).isdisjoint({"principals", "members", "permissions", "endpoints", "settings"})
    assert may(effective, "shop.ann", "SELECT", "table:shop.dbo.orders", usable=True)
    assert called(found, "shop.[ben@x.y]").attributes == ("ENTRA", "CONTAINED", "LOGIN")
    assert not may(effective, "shop.robot", "SELECT", "table:shop.dbo.orders", usable=True)


def test_whom_entra_knows_is_his_own_or_a_logins() -> None:
    rows = Rows()
    rows.edition = "Azure SQL Database"
    one = shop(rows)
    for name, sid in (("eve@x.y", b"i" * 16), ("bob@x.y", b"i" * 16 + b"\xaa\xde")):
        one.users.append((len(one.users) + 20, name, "E", sid, 1, False, 4))
    found = rows.snapshot(database="shop")
    assert called(found, "shop.[eve@x.y]").attributes == ("ENTRA", "CONTAINED", "LOGIN")
    assert called(found, "shop.[bob@x.y]").attributes == ("ENTRA", "LOGIN NOT SHOWN", "LOGIN")


def test_master_of_azure_sql_database_has_the_logins() -> None:
    rows = Rows().login("ann").member("ann", "##MS_LoginManager##")
    rows.edition = "Azure SQL Database"
    shop(rows, "master").user("ann")
    shop(rows)
    found = rows.snapshot(database="master")
    assert called(found, "ann").attributes[:2] == ("SQL", "LOGIN")
    assert set(found.databases_missing) == {"shop"}
    assert set(rows.asked).isdisjoint({"permissions", "endpoints", "settings", "linked"})


def test_what_lets_contained_users_in() -> None:
    rows = Rows()
    shop(rows).containment = 1
    shop(rows, "other")

    def contained() -> set[str]:
        found = rows.snapshot(database="shop")
        return {one.kind if one.kind == "server" else one.path[0] for one in found.objects if "contained" in one.flags}

    assert contained() == {"shop"}
    rows.settings = {"contained database authentication": 1}
    assert contained() == {"server", "shop"}
    rows.edition = "Azure SQL Database"
    assert contained() == {"server", "shop", "other"}


def test_code_that_runs_as_somebody_else_leads_to_what_he_may() -> None:
    rows = Rows().login("ann")
    one = rows.database("shop").user("ann").user("robot", login=None, authentication=0).role("crew")
    one.schema("its", "crew").thing("its.t").thing("dbo.as_robot", "P").thing("dbo.as_caller", "P")
    one.reading("dbo.as_robot", "its.t").reading("dbo.as_caller", "its.t")
    one.modules.append((one.object_id("dbo.as_robot"), one.id("robot")))
    sql = "GRANT EXECUTE ON SCHEMA::dbo TO ann; GRANT SELECT ON its.t TO robot"
    effective = rows.effective(sql)
    found = effective.snapshot
    told = explain(effective, find_principal(found, "ann"), "SELECT", found.objects[find(found, "table:shop.its.t")])
    [block] = [block for block in told.blocked_by if block.kind in ("chain", "execute_as")]
    assert block.summary == (
        "all the same ann reaches it through procedure:shop.dbo.as_robot (EXECUTE): it runs as shop.robot, who may"
    )
    effective = rows.effective("GRANT EXECUTE ON SCHEMA::dbo TO ann")
    found = effective.snapshot
    told = explain(effective, find_principal(found, "ann"), "SELECT", found.objects[find(found, "table:shop.its.t")])
    assert [block.kind for block in told.blocked_by] == ["no_grant"]


def test_what_covers_what_is_what_the_server_says_and_no_table_of_ours() -> None:
    """A release that nobody has seen: a new permission, and one that something else covers than before."""
    rows = Rows().login("ann")
    one = shop(rows).user("ann")
    known = [row for row in rows.builtin if row[:2] != ("OBJECT", "SELECT")]
    rows.builtin = [
        *known,
        ("OBJECT", "SELECT", "ALTER", "", ""),
        ("DATABASE", "GLANCE", "ALTER", "SERVER", "SHUTDOWN"),
    ]
    rows.permissions.append((100, 0, rows.id("ann"), 1, "SHUTDOWN", "G"))
    one.permissions.append((1, one.object_id("dbo.orders"), 0, one.id("ann"), 1, "ALTER", "G"))
    effective = rows.effective()
    assert may(effective, "ann", "GLANCE", "database:shop")
    assert may(effective, "ann", "SELECT", "table:shop.dbo.orders")
    one.permissions[-1] = (3, 1, 0, one.id("ann"), 1, "SELECT", "G")
    assert not may(rows.effective(), "ann", "SELECT", "table:shop.dbo.orders")  # no schema covers it there
