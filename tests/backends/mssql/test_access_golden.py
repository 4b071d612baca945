"""Examples of the documentation, each named after its page, judged as the page says."""

from __future__ import annotations

import pytest

from dbops.access.explain import explain
from dbops.access.naming import find, find_principal
from dbops.model.audit import Explanation
from tests.backends.mssql.access_rows import Database, Rows, builtin, may

ADDRESS = "table:AdventureWorks2012.Person.Address"
EMPLOYEE = "view:AdventureWorks2012.HumanResources.vEmployee"


def works(rows: Rows) -> Database:
    """As much of AdventureWorks2012 as the examples name."""
    one: Database = rows.database("AdventureWorks2012")
    for name in ("RosaQdM", "MelanieK", "CarmineEs", "Sarah", "WilJo", "Wanida"):
        rows.login(name)
        one.user(name)
    one.role("Recruiting11", "A").role("AuditMonitor", "A").role("newrole")
    one.schema("Person").schema("HumanResources")
    one.thing("Person.Address").thing("HumanResources.vEmployee", "V").thing("dbo.uspGetBillOfMaterials", "P")
    one.thing("HumanResources.uspUpdateEmployeeHireInfo", "P")
    return one


def told(rows: Rows, who: str, action: str, what: str, sql: str = "") -> Explanation:
    effective = rows.effective(sql)
    found = effective.snapshot
    return explain(effective, find_principal(found, who), action, found.objects[find(found, what)])


# -- grant-object-permissions-transact-sql, deny-object-permissions-transact-sql --------------------------------------


def test_grant_object_permissions_a_select_on_a_table() -> None:
    rows = Rows()
    works(rows)
    effective = rows.effective("GRANT SELECT ON OBJECT::Person.Address TO RosaQdM;")
    assert may(effective, "RosaQdM", "SELECT", ADDRESS, usable=True)
    assert not may(effective, "RosaQdM", "UPDATE", ADDRESS)
    assert not may(effective, "MelanieK", "SELECT", ADDRESS)


def test_deny_object_permissions_a_after_the_grant() -> None:
    rows = Rows()
    works(rows)
    sql = "GRANT SELECT ON Person.Address TO RosaQdM; DENY SELECT ON OBJECT::Person.Address TO RosaQdM;"
    assert not may(rows.effective(sql), "RosaQdM", "SELECT", ADDRESS)
    assert [one.kind for one in told(rows, "RosaQdM", "SELECT", ADDRESS, sql).blocked_by] == ["deny", "no_grant"]


def test_grant_object_permissions_b_execute_to_an_application_role() -> None:
    rows = Rows()
    works(rows)
    procedure = "procedure:AdventureWorks2012.HumanResources.uspUpdateEmployeeHireInfo"
    grant = "USE AdventureWorks2012; GRANT EXECUTE ON OBJECT::HumanResources.uspUpdateEmployeeHireInfo TO Recruiting11;"
    assert may(rows.effective(grant), "AdventureWorks2012.Recruiting11", "EXECUTE", procedure)
    deny = "DENY EXECUTE ON OBJECT::HumanResources.uspUpdateEmployeeHireInfo TO Recruiting11;"
    assert not may(rows.effective(grant + deny), "AdventureWorks2012.Recruiting11", "EXECUTE", procedure)


def test_grant_object_permissions_c_references_on_a_column_of_a_view() -> None:
    rows = Rows()
    works(rows)
    grant = "GRANT REFERENCES (BusinessEntityID) ON OBJECT::HumanResources.vEmployee TO Wanida WITH GRANT OPTION;"
    effective = rows.effective(grant)
    column = "column:AdventureWorks2012.HumanResources.vEmployee.BusinessEntityID"
    assert may(effective, "Wanida", "REFERENCES", column)
    assert not may(effective, "Wanida", "REFERENCES", EMPLOYEE)
    deny = "DENY REFERENCES (BusinessEntityID) ON OBJECT::HumanResources.vEmployee TO Wanida CASCADE;"
    assert not may(rows.effective(grant + deny), "Wanida", "REFERENCES", column)


def test_grant_object_permissions_f_execute_to_a_role() -> None:
    rows = Rows()
    works(rows).member("MelanieK", "newrole")
    effective = rows.effective("GRANT EXECUTE ON dbo.uspGetBillOfMaterials TO newrole;")
    procedure = "procedure:AdventureWorks2012.dbo.uspGetBillOfMaterials"
    assert may(effective, "MelanieK", "EXECUTE", procedure)
    assert not may(effective, "RosaQdM", "EXECUTE", procedure)


# -- permissions-database-engine: "Special considerations for column level permissions", the algorithm ----------------

CUSTOMER, NAME = "table:Shop.dbo.Customer", "column:Shop.dbo.Customer.CustomerName"


def shop(rows: Rows) -> Database:
    one: Database = rows.login("UserJoe").database("Shop")
    return one.user("UserJoe").thing("dbo.Customer").role("crew").member("UserJoe", "crew")


def test_permissions_database_engine_a_column_grant_overrides_a_denial_on_the_table() -> None:
    rows = Rows()
    shop(rows)
    sql = "DENY SELECT ON OBJECT::Customer TO UserJoe; GRANT SELECT ON OBJECT::Customer(CustomerName) TO UserJoe;"
    effective = rows.effective(sql)
    assert may(effective, "UserJoe", "SELECT", NAME, usable=True)
    assert not may(effective, "UserJoe", "SELECT", CUSTOMER)


@pytest.mark.parametrize("place", ["SCHEMA::dbo", "DATABASE::Shop"])
def test_permissions_database_engine_a_column_grant_overrides_a_denial_at_the_object_level_only(place: str) -> None:
    """ "A GRANT of a column-level permission overrides a DENY at the object level": no other level is said."""
    rows = Rows()
    shop(rows)
    sql = f"DENY SELECT ON {place} TO UserJoe; GRANT SELECT ON OBJECT::Customer(CustomerName) TO UserJoe;"
    assert not may(rows.effective(sql), "UserJoe", "SELECT", NAME)


@pytest.mark.parametrize(("state", "other"), [("G", "the table grants"), ("D", "the table denies")])
def test_sys_database_permissions_a_column_that_was_revoked_is_apart_from_its_table(state: str, other: str) -> None:
    """ "Column-level permissions override object-level permissions on the same entity", a row of state R too. What is
    said to others, and on what contains the table, counts for the column all the same."""
    rows = Rows()
    one = shop(rows)
    who, crew = one.id("UserJoe"), one.id("crew")
    one.columns.append((one.object_id("dbo.Customer"), 1, "CustomerName"))
    table = 1, one.object_id("dbo.Customer")
    one.permissions += [(*table, 0, who, 1, "SELECT", state), (*table, 1, who, 1, "SELECT", "R")]
    effective = rows.effective("")
    assert may(effective, "UserJoe", "SELECT", CUSTOMER) == (state == "G"), other
    assert not may(effective, "UserJoe", "SELECT", NAME)
    why = told(rows, "UserJoe", "SELECT", NAME, "")
    assert not why.paths
    assert [block.kind for block in why.blocked_by][:1] == ["no_grant"]
    one.permissions.append((*table, 0, crew, 1, "SELECT", "G"))
    assert may(rows.effective(""), "UserJoe", "SELECT", NAME)
    assert [path[-1].from_ for path in told(rows, "UserJoe", "SELECT", NAME, "").paths] == ["Shop.crew"]


def test_permissions_database_engine_a_later_denial_on_the_table_removes_the_column_grant() -> None:
    rows = Rows()
    shop(rows)
    sql = "GRANT SELECT ON OBJECT::Customer(CustomerName) TO UserJoe; DENY SELECT ON OBJECT::Customer TO UserJoe;"
    assert not may(rows.effective(sql), "UserJoe", "SELECT", NAME)


def test_permissions_database_engine_control_on_the_schema_is_select_on_the_table() -> None:
    rows = Rows()
    shop(rows)
    assert may(rows.effective("GRANT CONTROL ON SCHEMA::dbo TO UserJoe"), "UserJoe", "SELECT", CUSTOMER)
    sql = "GRANT CONTROL ON SCHEMA::dbo TO UserJoe; DENY CONTROL ON OBJECT::dbo.Customer TO crew;"
    assert not may(rows.effective(sql), "UserJoe", "SELECT", CUSTOMER)


# -- grant-schema-permissions-transact-sql ----------------------------------------------------------------------------


def test_grant_schema_permissions_a_insert_to_guest() -> None:
    rows = Rows()
    works(rows)
    rows.login("passer")
    grant = "GRANT INSERT ON SCHEMA :: HumanResources TO guest;"
    assert not may(rows.effective(grant), "passer", "INSERT", EMPLOYEE)  # guest does not come in
    effective = rows.effective(grant + "GRANT CONNECT TO guest;")
    assert may(effective, "passer", "INSERT", EMPLOYEE, usable=True)
    assert not may(effective, "RosaQdM", "INSERT", EMPLOYEE)  # she is a user of her own


def test_grant_schema_permissions_b_select_with_grant_option() -> None:
    rows = Rows()
    works(rows)
    effective = rows.effective("GRANT SELECT ON SCHEMA :: Person TO WilJo WITH GRANT OPTION;")
    assert may(effective, "WilJo", "SELECT", ADDRESS)


@pytest.mark.parametrize("way", ["procedure", "view"])
def test_grant_schema_permissions_remarks_a_denied_table_reached_by_ownership_chaining(way: str) -> None:
    """U1 may alter the schema S1, whose owner also owns S2.T1, which is denied to him."""
    rows = Rows()
    one: Database = rows.login("U1").database("D")
    one.user("U1").schema("S1").schema("S2").thing("S2.T1")
    one.thing("S1.mine", "P" if way == "procedure" else "V").reading("S1.mine", "S2.T1")
    action = "EXECUTE" if way == "procedure" else "SELECT"
    sql = f"GRANT {action}, ALTER ON SCHEMA::S1 TO U1; DENY SELECT ON OBJECT::S2.T1 TO U1;"
    assert not may(rows.effective(sql), "U1", "SELECT", "table:D.S2.T1")
    assert may(rows.effective(sql), "U1", action, f"{way}:D.S1.mine", usable=True)
    why = told(rows, "U1", "SELECT", "table:D.S2.T1", sql)
    assert [one.kind for one in why.blocked_by] == ["deny", "no_grant", "chain"]
    assert f"{way}:D.S1.mine ({action})" in why.blocked_by[-1].summary


# -- grant-database-permissions-transact-sql --------------------------------------------------------------------------


def test_grant_database_permissions() -> None:
    rows = Rows()
    works(rows)
    database = "database:AdventureWorks2012"
    sql = (
        "USE AdventureWorks2012;\nGRANT CREATE TABLE TO MelanieK;\nGO\nGRANT SHOWPLAN TO AuditMonitor;\nGO\n"
        "GRANT CREATE VIEW TO CarmineEs WITH GRANT OPTION;\nGO\n"
        "GRANT CONTROL ON DATABASE::AdventureWorks2012 TO Sarah;\nGO\n"
    )
    effective = rows.effective(sql)
    assert may(effective, "MelanieK", "CREATE TABLE", database)
    assert may(effective, "AdventureWorks2012.AuditMonitor", "SHOWPLAN", database)
    assert may(effective, "CarmineEs", "CREATE VIEW", database)
    for action in effective.snapshot.rules.kinds["database"].actions:
        assert may(effective, "Sarah", action, database), action
    for action in effective.snapshot.rules.kinds["table"].actions:
        assert may(effective, "Sarah", action, ADDRESS), action
    assert may(effective, "Sarah", "IMPERSONATE", "user:AdventureWorks2012.MelanieK")


# -- grant-server-permissions-transact-sql ----------------------------------------------------------------------------


def test_grant_server_permissions_a_control_server_is_not_sysadmin() -> None:
    rows = Rows()
    works(rows)
    rows.login("TerryEminhizer")
    grant = "USE master; GRANT CONTROL SERVER TO TerryEminhizer;"
    effective = rows.effective(grant)
    assert may(effective, "TerryEminhizer", "SELECT", ADDRESS, usable=True)
    assert may(effective, "TerryEminhizer", "IMPERSONATE", "login:sa")
    assert not effective.bypass >> find_principal(effective.snapshot, "TerryEminhizer") & 1
    denied = rows.effective(grant + "USE AdventureWorks2012; DENY SELECT ON Person.Address TO public;")
    assert not may(denied, "TerryEminhizer", "SELECT", ADDRESS)
    assert may(denied, "sa", "SELECT", ADDRESS)
    held = rows.effective(grant + "DENY IMPERSONATE ANY LOGIN TO TerryEminhizer;")
    assert not may(held, "TerryEminhizer", "IMPERSONATE", "login:sa")


def test_grant_server_permissions_b_and_c() -> None:
    rows = (
        Rows().login("JanethEsteves").login("dev").role("ITDevAdmin").role("ITDevelopers").member("dev", "ITDevelopers")
    )
    works(rows)
    sql = (
        "USE master; GRANT ALTER ANY EVENT NOTIFICATION TO JanethEsteves WITH GRANT OPTION;\nGO\n"
        "GRANT ALTER ANY DATABASE TO ITDevAdmin WITH GRANT OPTION ;\n"
        "GRANT ALTER ANY DATABASE TO ITDevelopers AS ITDevAdmin ;"
    )
    effective = rows.effective(sql)
    assert may(effective, "JanethEsteves", "CREATE TRACE EVENT NOTIFICATION", "server")
    assert may(effective, "dev", "ALTER", "database:AdventureWorks2012")
    assert may(effective, "dev", "CREATE ANY DATABASE", "server")
    why = told(rows, "dev", "ALTER ANY DATABASE", "server", sql)
    assert why.paths[0][-1].grantor == "ITDevAdmin"


def test_grant_server_permissions_remarks_connect_any_database_and_select_all_user_securables() -> None:
    rows = Rows().login("auditor")
    works(rows)
    connect = "GRANT CONNECT ANY DATABASE TO auditor;"
    assert may(rows.effective(connect), "auditor", "CONNECT", "database:AdventureWorks2012", usable=True)
    assert not may(rows.effective(connect), "auditor", "SELECT", ADDRESS)
    both = rows.effective(connect + "GRANT SELECT ALL USER SECURABLES TO auditor;")
    assert may(both, "auditor", "SELECT", ADDRESS, usable=True)
    sql = (
        "DENY SELECT ALL USER SECURABLES TO RosaQdM; USE AdventureWorks2012; GRANT SELECT ON Person.Address TO RosaQdM;"
    )
    assert not may(rows.effective(sql), "RosaQdM", "SELECT", ADDRESS)


# -- server-level-roles -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "on_server", "on_database"),
    [
        ("##MS_DatabaseConnector##", "CONNECT ANY DATABASE", "CONNECT"),
        ("##MS_LoginManager##", "CREATE LOGIN, ALTER ANY LOGIN", ""),
        ("##MS_DatabaseManager##", "CREATE ANY DATABASE, ALTER ANY DATABASE", "ALTER"),
        (
            "##MS_ServerStateManager##",
            "ALTER SERVER STATE, VIEW SERVER STATE, VIEW SERVER PERFORMANCE STATE, VIEW SERVER SECURITY STATE",
            "VIEW DATABASE STATE, VIEW DATABASE PERFORMANCE STATE, VIEW DATABASE SECURITY STATE",
        ),
        (
            "##MS_ServerStateReader##",
            "VIEW SERVER STATE, VIEW SERVER PERFORMANCE STATE, VIEW SERVER SECURITY STATE",
            "VIEW DATABASE STATE, VIEW DATABASE PERFORMANCE STATE, VIEW DATABASE SECURITY STATE",
        ),
        ("##MS_ServerPerformanceStateReader##", "VIEW SERVER PERFORMANCE STATE", "VIEW DATABASE PERFORMANCE STATE"),
        ("##MS_ServerSecurityStateReader##", "VIEW SERVER SECURITY STATE", "VIEW DATABASE SECURITY STATE"),
        (
            "##MS_DefinitionReader##",
            "VIEW ANY DATABASE, VIEW ANY DEFINITION, VIEW ANY PERFORMANCE DEFINITION, VIEW ANY SECURITY DEFINITION",
            "VIEW DEFINITION, VIEW PERFORMANCE DEFINITION, VIEW SECURITY DEFINITION",
        ),
        ("##MS_PerformanceDefinitionReader##", "VIEW ANY PERFORMANCE DEFINITION", "VIEW PERFORMANCE DEFINITION"),
        ("##MS_SecurityDefinitionReader##", "VIEW ANY SECURITY DEFINITION", "VIEW SECURITY DEFINITION"),
    ],
)
def test_server_level_roles_permissions_of_2022(role: str, on_server: str, on_database: str) -> None:
    rows = Rows().login("member").member("member", role)
    works(rows)
    effective = rows.effective()
    for action in on_server.split(", "):
        assert may(effective, "member", action, "server"), action
    for action in filter(None, on_database.split(", ")):
        assert may(effective, "member", action, "database:AdventureWorks2012"), action
    enters = role == "##MS_DatabaseConnector##"
    assert may(effective, "member", "CONNECT", "database:AdventureWorks2012") == enters
    assert not may(effective, "member", "SELECT", ADDRESS)


def test_server_level_roles_a_denied_connect_overrules_the_connector() -> None:
    rows = Rows().login("member").member("member", "##MS_DatabaseConnector##")
    works(rows).user("member")
    effective = rows.effective("DENY CONNECT TO member")
    assert not may(effective, "member", "CONNECT", "database:AdventureWorks2012")


def test_determining_effective_permissions_sysadmin_is_not_bound_by_denials() -> None:
    rows = Rows().login("boss").member("boss", "sysadmin")
    works(rows).user("boss")
    effective = rows.effective("DENY SELECT ON Person.Address TO boss")
    assert may(effective, "boss", "SELECT", ADDRESS)
    assert not may(effective, "AdventureWorks2012.boss", "SELECT", ADDRESS)  # as the user alone


def test_permissions_of_fixed_database_roles() -> None:
    rows = Rows()
    one = works(rows)
    one.member("RosaQdM", "db_datareader").member("Sarah", "db_owner").member("WilJo", "db_datareader")
    one.member("WilJo", "db_denydatareader").member("Wanida", "db_ddladmin")
    effective = rows.effective()
    assert may(effective, "RosaQdM", "SELECT", ADDRESS)
    assert not may(effective, "RosaQdM", "UPDATE", ADDRESS)
    assert may(effective, "Sarah", "CONTROL", ADDRESS)
    assert not may(effective, "WilJo", "SELECT", ADDRESS)
    assert may(effective, "Wanida", "ALTER", ADDRESS)
    assert not may(effective, "Wanida", "SELECT", ADDRESS)
    assert not may(rows.effective("DENY SELECT ON Person.Address TO Sarah"), "Sarah", "SELECT", ADDRESS)


# -- covering-implied-permissions: dbo.ImplyingPermissions, its script as a function over the same rows ---------------


def implying(class_: str, permission: str) -> set[tuple[str, str]]:
    found, waiting = {(class_, permission)}, [(class_, permission)]
    while waiting:
        at = waiting.pop()
        for row in builtin():
            if (row[0], row[1]) == at:
                more = {(row[0], row[2])} if row[2] else set()
                more |= {(row[3], row[4])} if row[4] else set()
                waiting += more - found
                found |= more
    return found


def test_covering_implied_permissions_alter_on_a_schema() -> None:
    """The page's own call, ``ImplyingPermissions('schema', 'alter')``: everything up to CONTROL SERVER."""
    expected = implying("SCHEMA", "ALTER")
    assert expected == {
        ("SCHEMA", "ALTER"), ("SCHEMA", "CONTROL"), ("DATABASE", "ALTER ANY SCHEMA"), ("DATABASE", "ALTER"),
        ("DATABASE", "CONTROL"), ("SERVER", "ALTER ANY DATABASE"), ("SERVER", "CONTROL SERVER"),
    }  # fmt: skip
    rows = Rows()
    works(rows)
    effective = rows.effective()
    one = effective.snapshot.objects[find(effective.snapshot, "schema:AdventureWorks2012.Person")]
    found = {(place.kind.upper(), action) for place, action in effective.places(one, "ALTER")}
    assert found == expected


def test_every_permission_of_the_server_is_covered_as_its_own_list_says() -> None:
    rows = Rows()
    one = works(rows)
    one.types.append((6, 5, "money_like", 1, None))
    effective = rows.effective()
    kinds = {"server": "SERVER", "login": "LOGIN", "database": "DATABASE", "schema": "SCHEMA", "user": "USER",
             "role": "ROLE", "table": "OBJECT", "procedure": "OBJECT", "type": "TYPE",
             "endpoint": "ENDPOINT"}  # fmt: skip
    beside = {"CONNECT ANY DATABASE", "SELECT ALL USER SECURABLES", "IMPERSONATE ANY LOGIN"}
    asked = 0
    for kind, class_ in kinds.items():
        place = next(thing for thing in effective.snapshot.objects if thing.kind == kind)
        for action in effective.snapshot.kind(place).actions:
            found = {(kinds[at.kind], word) for at, word in effective.places(place, action) if word not in beside}
            there = {row for row in implying(class_, action) if row[1] not in beside and row[1] != "RECEIVE"}
            assert found | {(class_, action)} == there | {(class_, action)}, (kind, action)
            asked += 1
    assert asked > 150
