"""Each rule finds its defect in a small server, and nothing in one without it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dbops.access.audit import judge
from dbops.model.audit import Unknown
from dbops.model.finding import Finding, Severity
from dbops_mssql.access.rules import RULES
from tests.backends.mssql.access_rows import Database, Rows, sid_of


def audit(rows: Rows, sql: str = "") -> tuple[dict[str, list[Finding]], dict[str, Unknown]]:
    findings, unknown = judge(RULES, rows.effective(sql))
    found: dict[str, list[Finding]] = {}
    for one in findings:
        found.setdefault(one.id.removeprefix("ms.access."), []).append(one)
    return found, {one.id.removeprefix("ms.access."): one for one in unknown}


def one_of(rows: Rows, rule: str, sql: str = "") -> Finding:
    [found] = audit(rows, sql)[0].get(rule, [])
    return found


def clean() -> Rows:
    """A server of somebody careful."""
    rows = Rows().login("DOM\\dba", "U").login("app")
    rows.database("master").permissions.append((0, 0, 0, 2, 1, "CONNECT", "G"))
    rows.database("msdb", trustworthy=True).permissions.append((0, 0, 0, 2, 1, "CONNECT", "G"))
    one: Database = rows.database("shop")
    one.user("app").role("reader").member("app", "reader").thing("dbo.orders")
    one.permissions += [
        (0, 0, 0, 0, 1, "VIEW ANY COLUMN MASTER KEY DEFINITION", "G"),
        (3, 1, 0, one.id("reader"), 1, "SELECT", "G"),
    ]
    return rows


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    found, unknown = audit(clean())
    assert found == {}
    assert unknown == {}


def test_rules_have_an_identity_and_their_benchmarks_a_version() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) >= 12
    assert all(rule.id.startswith("ms.access.") and rule.title and rule.why for rule in RULES)
    items = {(one.benchmark.split()[0], one.version, one.item) for rule in RULES for one in rule.benchmarks}
    assert {item for name, _, item in items if name == "CIS"} == {
        "2.13",
        "2.3",
        "2.9",
        "3.2",
        "3.3",
        "3.8",
        "3.9",
        "4.3",
    }
    assert ("Microsoft", "2022-11-29", "VA1102") in items
    assert all(version for _, version, _ in items)


# What learn.microsoft.com/azure/defender-for-cloud/sql-azure-vulnerability-assessment-rules (2022-11-29) is about, in
# short; those that it lists as removed are not there.
ABOUT = {
    "VA1017": "xp_cmdshell", "VA1042": "ownership chaining", "VA1043": "GUEST", "VA1046": "CHECK_POLICY",
    "VA1052": "BUILTIN", "VA1053": "sa renamed or disabled", "VA1054": "PUBLIC on objects", "VA1058": "sa disabled",
    "VA1095": "PUBLIC", "VA1102": "Trustworthy", "VA1244": "Orphaned users", "VA1246": "Application roles",
    "VA1248": "user-defined roles in fixed roles", "VA1280": "server permissions of public",
    "VA2108": "members of high impact database roles", "VA2110": "registry",
    "VA2114": "members of high impact server roles",
}  # fmt: skip
OF_RULES = {
    "application_role": "VA1246", "builtin_group": "VA1052", "chaining": "VA1042", "command_shell": "VA1017 VA2110",
    "guest": "VA1043", "msdb_owner": "VA2108", "nested_role": "VA1248", "orphaned": "VA1244",
    "password_policy": "VA1046", "public_objects": "VA1054 VA1095", "public_server": "VA1280", "sa": "VA1053 VA1058",
    "securityadmin": "VA2114", "sysadmin": "VA2114", "trustworthy": "VA1102",
}  # fmt: skip


def test_rules_name_the_rules_of_microsoft_that_are_about_the_same() -> None:
    named = {
        rule.id.removeprefix("ms.access."): " ".join(
            sorted(one.item for one in rule.benchmarks if one.item.startswith("VA"))
        )
        for rule in RULES
    }
    assert {rule: items for rule, items in named.items() if items} == OF_RULES
    assert {item for items in OF_RULES.values() for item in items.split()} <= ABOUT.keys()


def test_members_of_sysadmin_however_nested() -> None:
    rows = clean().role("ops").member("ops", "sysadmin").member("app", "ops")
    found = one_of(rows, "sysadmin")
    assert (found.principal, found.severity) == ("app", Severity.HIGH)
    assert found.remedy.sql == "USE [master];\nALTER SERVER ROLE [ops] DROP MEMBER [app];"


def test_sa_that_is_enabled_also_under_another_name() -> None:
    rows = clean()
    rows.logins[0] = (1, "sa", "S", b"\x01", False, False, None, "master", True, False, "stored")
    rows.permissions.append((100, 0, 1, 1, "CONNECT SQL", "G"))
    found = one_of(rows, "sa")
    assert (found.severity, found.remedy.sql) == (Severity.HIGH, "ALTER LOGIN [sa] DISABLE;")
    rows.logins[0] = (1, "boss", "S", b"\x01", False, False, None, "master", True, False, "stored")
    assert one_of(rows, "sa").severity is Severity.LOW


@pytest.mark.parametrize(("password", "says"), [("blank", "no password"), ("name", "its own name as password")])
def test_passwords_that_everybody_tries(password: str, says: str) -> None:
    found = one_of(clean().login("old", password=password), "weak_password")
    assert found.severity is Severity.CRITICAL
    assert says in found.summary


def test_passwords_that_are_not_shown_are_not_taken_for_good() -> None:
    rows = Rows().login("app", password="unknown")
    rows.logins[0] = (*rows.logins[0][:-1], "unknown")
    found, unknown = audit(rows)
    assert "weak_password" not in found
    assert unknown["weak_password"].reason == "no_permission"


def test_logins_without_a_policy() -> None:
    found = one_of(clean().login("old", policy=False), "password_policy")
    assert (found.principal, found.severity) == ("old", Severity.LOW)
    rows = clean().login("old", policy=False).member("old", "sysadmin")
    assert one_of(rows, "password_policy").severity is Severity.MEDIUM
    assert "password_policy" not in audit(clean().login("off", policy=False, disabled=True))[0]


def test_groups_of_the_machine() -> None:
    rows = clean().login("BUILTIN\\Administrators", "G").member("BUILTIN\\Administrators", "sysadmin")
    found = one_of(rows, "builtin_group")
    assert (found.severity, found.remedy.sql) == (Severity.HIGH, "DROP LOGIN [BUILTIN\\Administrators];")


def test_groups_of_which_nothing_is_known() -> None:
    found = one_of(clean().login("DOM\\staff", "G"), "group_members")
    assert (found.severity, found.principal) == (Severity.INFO, "DOM\\staff")
    rows = clean().login("DOM\\staff", "G")
    rows.groups["DOM\\staff"] = [("DOM\\ann", "user")]
    assert "group_members" not in audit(rows)[0]


def test_control_server_is_found_and_what_it_leads_to() -> None:
    found = one_of(clean(), "control_server", "GRANT CONTROL SERVER TO app")
    assert found.remedy.sql == "USE [master];\nREVOKE CONTROL SERVER FROM [app];"
    assert "control_server" not in audit(clean(), "GRANT CONTROL SERVER TO app; DENY CONTROL SERVER TO app")[0]


def test_securityadmin_is_as_good_as_sysadmin() -> None:
    found = one_of(clean().member("app", "securityadmin"), "securityadmin")
    assert "treated as sysadmin" in found.summary
    assert found.remedy.sql == "USE [master];\nALTER SERVER ROLE [securityadmin] DROP MEMBER [app];"


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("GRANT IMPERSONATE ANY LOGIN TO app", "app has IMPERSONATE ANY LOGIN"),
        ("GRANT IMPERSONATE ON LOGIN::sa TO app", "app can impersonate sa"),
        ("GRANT CONTROL ON LOGIN::sa TO app", "app can impersonate sa"),
    ],
)
def test_who_can_be_an_administrator(sql: str, says: str) -> None:
    assert says in one_of(clean(), "impersonate", sql).summary


def test_being_anybody_else_is_no_escalation() -> None:
    assert "impersonate" not in audit(clean(), "GRANT IMPERSONATE ON LOGIN::[DOM\\dba] TO app")[0]


def test_what_every_login_has() -> None:
    found = one_of(clean(), "public_server", "GRANT VIEW SERVER STATE TO public")
    assert found.remedy.sql == "USE [master];\nREVOKE VIEW SERVER STATE FROM public;"
    assert one_of(clean(), "public_server", "GRANT CONTROL SERVER TO public").severity is Severity.HIGH


def test_who_runs_commands_of_the_machine() -> None:
    rows = clean()
    master = rows.databases["master"].user("app")
    master.extended += [
        (-1, "sys", "xp_cmdshell", master.id("app"), 1, "EXECUTE", "G"),
        (-2, "sys", "xp_regread", 0, 1, "EXECUTE", "G"),  # comes so with the server
    ]
    found = one_of(rows, "command_shell")
    assert found.summary.startswith("master.app may run xp_cmdshell (and with it 1 login(s))")
    assert found.remedy.sql == "USE [master];\nREVOKE EXECUTE ON OBJECT::[sys].[xp_cmdshell] FROM [app];"
    master.extended[0] = (-3, "sys", "xp_regwrite", master.id("app"), 1, "EXECUTE", "G")
    assert one_of(rows, "command_shell").severity is Severity.MEDIUM


def test_guests_outside_of_the_databases_that_need_them() -> None:
    found = one_of(clean(), "guest", "USE shop; GRANT CONNECT TO guest")
    assert (found.object, found.remedy.sql) == ("database:shop", "USE [shop];\nREVOKE CONNECT FROM guest;")
    assert "1 login(s)" in found.summary


def test_trustworthy_databases_and_who_becomes_an_administrator_by_them() -> None:
    rows = clean().login("dev")
    rows.databases["shop"].trustworthy = True
    rows.databases["shop"].user("dev").member("dev", "db_owner")
    found = one_of(rows, "trustworthy")
    assert found.severity is Severity.HIGH
    assert "owned by sa, an administrator" in found.summary
    assert "dev" in found.summary.split(";")[1]
    rows.databases["shop"].owner = sid_of("app")
    rows.databases["shop"].users[1] = (1, "dbo", "S", sid_of("app"), None, False, 1)
    assert one_of(rows, "trustworthy").severity is Severity.MEDIUM


def test_chains_across_databases() -> None:
    rows = clean()
    rows.databases["shop"].chaining = True
    assert one_of(rows, "chaining").object == "database:shop"
    rows.databases["shop"].chaining = False
    rows.settings["cross db ownership chaining"] = 1
    assert one_of(rows, "chaining").object == "server"


def test_orphaned_users_and_those_that_only_a_group_lets_in() -> None:
    rows = clean()
    one = rows.databases["shop"].user("lost", login=None).user("DOM\\ben", "U", login=None)
    one.schema("left", "lost")
    found = one_of(rows, "orphaned")
    assert found.principal == "shop.lost"
    assert "it owns schema:shop.left" in found.summary
    rows.visible = False
    unknown = audit(rows)[1]
    assert unknown["orphaned"].reason == "hidden_rows"


@pytest.mark.parametrize(
    ("sql", "severity"),
    [
        ("GRANT SELECT ON dbo.orders TO public", Severity.MEDIUM),
        ("GRANT SELECT ON dbo.orders (id) TO public", Severity.MEDIUM),
        ("GRANT DELETE ON SCHEMA::dbo TO public", Severity.HIGH),
        ("GRANT CONTROL TO public", Severity.HIGH),
    ],
)
def test_what_every_user_has(sql: str, severity: Severity) -> None:
    assert one_of(clean(), "public_objects", f"USE shop; {sql}").severity is severity


@pytest.mark.parametrize("role", ["db_owner", "db_ssisadmin"])
def test_strong_roles_of_msdb(role: str) -> None:
    rows = clean()
    msdb = rows.databases["msdb"].user("app")
    if role != "db_owner":
        msdb.role(role)
    msdb.member("app", role)
    found = one_of(rows, "msdb_owner")
    assert found.principal == "app"
    assert found.remedy.sql == f"USE [msdb];\nALTER ROLE [{role}] DROP MEMBER [app];"


def test_application_roles() -> None:
    rows = clean()
    rows.databases["shop"].role("till", "A")
    assert one_of(rows, "application_role").remedy.sql == "USE [shop];\nDROP APPLICATION ROLE [till];"


def test_roles_in_fixed_roles() -> None:
    rows = clean()
    rows.databases["shop"].member("reader", "db_owner")
    found = one_of(rows, "nested_role")
    assert (found.principal, found.object) == ("shop.reader", "role:shop.db_owner")


@pytest.mark.parametrize(
    "broken",
    [
        lambda rows: rows.login("old", policy=False, password="blank").member("old", "sysadmin"),
        lambda rows: rows.login("BUILTIN\\Users", "G").member("app", "securityadmin"),
    ],
)
def test_two_audits_of_one_server_say_the_same(broken: Callable[[Rows], Rows]) -> None:
    first, second = audit(broken(clean()))[0], audit(broken(clean()))[0]
    assert first == second
    assert first
