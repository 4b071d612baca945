"""Rights that are lent: by signatures to code, by stored passwords on linked servers, by chains across databases."""

from __future__ import annotations

import pytest

from dbops.access.audit import judge
from dbops.access.explain import explain
from dbops.access.naming import find, find_principal
from dbops.model.audit import Block
from dbops.model.finding import Finding, Severity
from dbops_mssql.access.rules import RULES
from tests.backends.mssql.access_rows import Database, Rows, may, sid_of

T1 = "table:testDB.dbo.T1"
PROCEDURE = "procedure:testDB.dbo.procSelectT1ForAlice"


def signed(*, alice: str = "EXECUTE") -> Rows:
    """Example C of add-signature-transact-sql, without its countersignature: the table is another user's."""
    rows = Rows().login("Alice")
    one: Database = rows.database("testDB")
    one.user("Alice").user("TestUser", login=None, authentication=0).user("ucsSelectT1", "C", login="csSelectT")
    one.schema("other", "TestUser").thing("dbo.T1", owner="TestUser").thing("dbo.procSelectT1ForAlice", "P")
    one.key("csSelectT").sign("dbo.procSelectT1ForAlice", "csSelectT")
    one.permissions.append((1, one.object_id("dbo.T1"), 0, one.id("ucsSelectT1"), 1, "SELECT", "G"))
    if alice:
        one.permissions.append((1, one.object_id("dbo.procSelectT1ForAlice"), 0, one.id("Alice"), 1, alice, "G"))
    return rows


def blocks(rows: Rows, who: str, action: str, what: str, sql: str = "") -> list[Block]:
    effective = rows.effective(sql)
    found = effective.snapshot
    return list(explain(effective, find_principal(found, who), action, found.objects[find(found, what)]).blocked_by)


def findings(rows: Rows, rule: str) -> list[Finding]:
    found, unknown = judge(RULES, rows.effective())
    assert unknown == ()
    return [one for one in found if one.id == f"ms.access.{rule}"]


# -- signatures -------------------------------------------------------------------------------------------------------


def test_add_signature_c_alice_reaches_the_table_by_the_signed_procedure_alone() -> None:
    assert not may(signed().effective(), "Alice", "SELECT", T1)
    found = blocks(signed(), "Alice", "SELECT", T1)
    assert [one.kind for one in found] == ["no_grant", "signed"]
    assert found[-1].summary == (
        f"all the same Alice may do it by what {PROCEDURE} does (EXECUTE): it is signed with a key of which "
        "testDB.ucsSelectT1 was made, who may"
    )


def test_a_signature_is_no_way_for_those_who_may_not_run_the_code() -> None:
    assert [one.kind for one in blocks(signed(alice=""), "Alice", "SELECT", T1)] == ["no_grant"]


def test_a_denial_fails_the_check_in_signed_code_too() -> None:
    found = blocks(signed(), "Alice", "SELECT", T1, "USE testDB; DENY SELECT ON dbo.T1 TO Alice")
    assert [one.kind for one in found] == ["deny", "no_grant"]


def test_a_signature_gives_what_the_account_of_its_key_has_and_no_more() -> None:
    assert [one.kind for one in blocks(signed(), "Alice", "UPDATE", T1)] == ["no_grant"]


def test_a_login_of_a_key_lends_rights_on_the_server() -> None:
    rows = signed().login("csSelectT", "C")
    rows.permissions.append((100, 0, rows.id("csSelectT"), 1, "VIEW SERVER STATE", "G"))
    found = blocks(rows, "Alice", "VIEW SERVER STATE", "server")
    assert [one.kind for one in found] == ["no_grant", "signed"]
    assert "a key of which csSelectT was made" in found[-1].summary


def test_a_module_that_two_keys_signed_has_the_rights_of_both_and_each_once() -> None:
    rows = signed()
    one = rows.databases["testDB"].user("second", "K", login="key2").key("key2", 26)
    one.sign("dbo.procSelectT1ForAlice", "key2").sign("dbo.procSelectT1ForAlice", "csSelectT")
    one.signatures += [(one.object_id("dbo.procSelectT1ForAlice"), None), (99, sid_of("key2"))]
    found = rows.snapshot()
    signers = found.objects[find(found, PROCEDURE)].signers
    assert [found.principals[number].name for number in signers] == ["testDB.ucsSelectT1", "testDB.second"]


def test_code_with_the_rights_of_an_administrator() -> None:
    rows = signed().login("csSelectT", "C").member("csSelectT", "sysadmin").login("boss").member("boss", "sysadmin")
    [found] = findings(rows, "signed_module")
    assert (found.principal, found.object, found.severity) == ("csSelectT", PROCEDURE, Severity.MEDIUM)
    assert found.summary.endswith("while anybody runs it, and 1 login(s) may who are none")
    assert findings(signed(), "signed_module") == []
    way = next(one for one in blocks(rows, "Alice", "CONTROL SERVER", "server") if one.kind == "signed")
    assert "csSelectT" in way.summary


@pytest.mark.parametrize(("kind", "word"), [(25, "CERTIFICATE"), (26, "ASYMMETRIC KEY")])
def test_who_controls_a_key_of_an_administrator_can_become_one(kind: int, word: str) -> None:
    rows = signed().login("k.1", "C").member("k.1", "sysadmin").login("dev").login("reader")
    rows.databases["testDB"].key("k.1", kind).user("dev").member("dev", "db_owner").user("reader")
    [found] = findings(rows, "signing_key")
    name = f"{word.lower().replace(' ', '_')}:testDB.[k.1]"
    assert (found.principal, found.object, found.severity) == ("dev", name, Severity.HIGH)
    assert found.remedy.sql == f"USE [testDB];\nALTER {word} [k.1] REMOVE PRIVATE KEY;"
    [way] = [one for one in blocks(rows, "dev", "CONTROL SERVER", "server") if one.kind == "escalation"]
    assert way.summary == (
        f"dev can still come to it: code that is signed with {name} has the rights of [k.1], and who controls it can "
        "sign his own"
    )


def test_nothing_is_signed_with_a_key_without_its_private_part() -> None:
    rows = signed().login("cert", "C").member("cert", "sysadmin").login("dev")
    rows.databases["testDB"].key("cert", private="NA").user("dev").member("dev", "db_owner")
    assert findings(rows, "signing_key") == []
    found = rows.snapshot()
    assert found.objects[find(found, "certificate:testDB.cert")].flags == ("keyless",)


def test_signatures_of_a_database_that_could_not_be_read_are_forgotten() -> None:
    rows = signed()
    rows.databases["testDB"].refuses = ("keys",)
    found = rows.snapshot()
    assert "testDB" in found.databases_missing
    assert not any(one.signers for one in found.objects)


# -- EXECUTE AS in a database that the server trusts ------------------------------------------------------------------


def acting(*, trustworthy: bool = True, runs_as: str = "dbo") -> Rows:
    rows = Rows().login("ann").login("app").login("boss").member("boss", "sysadmin")
    rows.database("log").thing("dbo.entries")
    one: Database = rows.database("shop", trustworthy=trustworthy, owner=sid_of("boss"))
    one.user("ann").user("app").user("robot", login=None, authentication=0).thing("dbo.clean", "P")
    one.modules.append((one.object_id("dbo.clean"), one.id(runs_as)))
    one.permissions.append((1, one.object_id("dbo.clean"), 0, one.id("ann"), 1, "EXECUTE", "G"))
    return rows


@pytest.mark.parametrize(("action", "what"), [("SHUTDOWN", "server"), ("SELECT", "table:log.dbo.entries")])
def test_code_of_a_trusted_database_is_a_way_out_of_it(action: str, what: str) -> None:
    [found] = [one for one in blocks(acting(), "ann", action, what) if one.kind == "execute_as"]
    assert found.summary == (
        "all the same ann may do it by what procedure:shop.dbo.clean does (EXECUTE): it acts as boss, who may, and "
        "database:shop is trustworthy"
    )
    for rows in (acting(trustworthy=False), acting(runs_as="robot"), acting(runs_as="app")):
        assert not [one for one in blocks(rows, "ann", action, what) if one.kind == "execute_as"]
    assert not [one for one in blocks(acting(), "app", action, what) if one.kind == "execute_as"]


def test_code_that_acts_as_an_administrator_is_found() -> None:
    [found] = findings(acting(), "execute_as")
    assert (found.principal, found.object) == ("boss", "procedure:shop.dbo.clean")
    assert found.summary.endswith("its database being trustworthy; 1 login(s) may run it who are none")
    assert found.remedy.sql == "ALTER DATABASE [shop] SET TRUSTWORTHY OFF;"
    for rows in (acting(trustworthy=False), acting(runs_as="robot"), acting(runs_as="app")):
        assert findings(rows, "execute_as") == []


# -- linked servers ---------------------------------------------------------------------------------------------------


def test_linked_servers_with_a_stored_password_are_named() -> None:
    rows = Rows().login("ann")
    ann = rows.id("ann")
    rows.linked = [("HR", 0, "sa"), ("HR", ann, "reader"), ("OLD", 0, "app"), ("OLD", ann, "SA")]
    found = {one.summary.partition(":")[0]: one for one in findings(rows, "linked_server")}
    assert {summary: one.severity for summary, one in found.items()} == {
        "every login without a mapping of its own acts on the linked server HR as sa": Severity.HIGH,
        "every login without a mapping of its own acts on the linked server OLD as app": Severity.MEDIUM,
        "ann acts on the linked server HR as reader": Severity.LOW,
        "ann acts on the linked server OLD as SA": Severity.MEDIUM,
    }
    assert {one.remedy.sql for one in found.values()} >= {
        "EXEC sp_droplinkedsrvlogin @rmtsrvname = N'HR', @locallogin = NULL;",
        "EXEC sp_droplinkedsrvlogin @rmtsrvname = N'OLD', @locallogin = N'ann';",
    }
    assert len({one.fingerprint for one in found.values()}) == 4


# -- chains across databases ------------------------------------------------------------------------------------------


def test_the_setting_of_the_server_is_found_once_and_not_in_each_database() -> None:
    rows = Rows()
    rows.database("shop")
    rows.database("log", chaining=True)
    assert [one.object for one in findings(rows, "chaining")] == ["database:log"]
    rows.settings["cross db ownership chaining"] = 1
    [found] = findings(rows, "chaining")
    assert found.object == "server"
    assert found.remedy.sql == "EXEC sp_configure 'cross db ownership chaining', 0;\nRECONFIGURE;"
    assert ("2.3", "1.2.0") in {(one.item, one.version) for one in found.benchmarks}


def test_mappings_of_others_that_are_not_shown_are_not_taken_for_none() -> None:
    rows = Rows()
    rows.links_visible = False
    [unknown] = [one for one in judge(RULES, rows.effective())[1] if one.id == "ms.access.linked_server"]
    assert (unknown.reason, unknown.detail) == (
        "hidden_rows",
        "ALTER ANY LINKED SERVER shows as whom other logins act there",
    )
    rows.linked = [("HR", 0, "sa")]
    assert len(findings(rows, "linked_server")) == 1


# -- what is not read -------------------------------------------------------------------------------------------------


def test_permissions_on_what_is_not_read_are_named() -> None:
    rows = Rows().login("ann")
    one: Database = rows.database("shop").user("ann")
    assert rows.snapshot().kinds_missing == {}
    rows.permissions.append((108, 65536, rows.id("ann"), 1, "ALTER", "G"))
    one.permissions += [(34, 1, 0, one.id("ann"), 1, "REFERENCES", "G"), (77, 1, 0, one.id("ann"), 1, "ALTER", "G")]
    found = rows.snapshot().kinds_missing
    assert {kind: missing.reason for kind, missing in found.items()} == {
        "availability_group": "not_read",
        "external_language": "not_read",
        "class 77": "not_read",
    }
    assert "they are not judged" in found["class 77"].detail
