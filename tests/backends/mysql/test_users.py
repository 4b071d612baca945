"""Provisioning without a server: what a spec means, how it is said, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dbops import yaml
from dbops.access.spec import read
from dbops.errors import InputError, UsageError
from dbops.model.access import AccessSnapshot, Principal, SecuredObject
from dbops.model.change import AddGrant, AddMembership, AlterPrincipal, ObjectName, RemoveGrant, SetPassword
from dbops.model.server import Server
from dbops.model.users import Wanted
from dbops.plan import Hold, SecretRef, Sql, Step
from dbops_mysql import mariadb, mysql, passwords
from dbops_mysql.access.compile import compile_changes
from dbops_mysql.access.dialect import mysql as dialect
from dbops_mysql.access.dialect import plain_rules
from dbops_mysql.access.sql import MySQLStatements

SERVER = Server(engine="mysql", version=(9, 7, 4), version_text="9.7.4", role="primary", incarnation="1")
MARIADB = Server(engine="mariadb", version=(10, 11, 19), version_text="10.11.19", role="primary", incarnation="1")
WHO = "'a'@'%'"


def wanted(body: str, server: Server = SERVER) -> Wanted:
    document = yaml.load(f"dbops: users/1\nmanage: {{principals: ['*'], databases: [shop]}}\n{body}\n", "spec")
    desired = read(document.value, document.where, server.engine, "spec")
    return (mysql if server.engine == "mysql" else mariadb).access.normalise(desired, server)


def test_one_account_for_each_host() -> None:
    found = wanted("users: {a: {hosts: ['10.%', LOCALHOST]}, b: {state: locked}}").principals
    assert [(one.name, one.every_host) for one in found] == [
        ("'a'@'10.%'", False),
        ("'a'@'localhost'", False),
        ("'b'@'%'", True),
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("users: {a@b: {}}", "can be read in two ways"),
        ("users: {a: {valid_until: 2030-01-01}}", "'valid_until' has no meaning on MySQL"),
        ("users: {a: {settings: {x: y}}}", "'settings' has no meaning on MySQL"),
        ("users: {a: {connection_limit: 0}}", "0 would be without a limit"),
        ("users: {a: {owns: ['table:shop.t']}}", "nothing is owned on MySQL"),
        ("users: {a: {attributes: [super]}}", "unknown attribute 'SUPER'"),
        ("users: {mysql.sys: {}}", "is the server's own"),
        ("roles: {r: {password: env:X}}", "'password' has no meaning for a role"),
        ("users: {a: {sid: '0xab'}}", "'sid' has no meaning on MySQL"),
        ("users: {a: {password: {hashed: env:X}}}", "'password: hashed' has no meaning on MySQL"),
        ("roles: {r: {denies: [{object: 'table:shop.t', can: [select]}]}}", "MySQL has no DENY"),
        ("roles: {PUBLIC: {}}", "MySQL grants nothing to everybody"),
        (
            "users: {a: {grants: [{object: 'table:shop.*', can: [read], future: only}]}}",
            "'future: only' has no meaning",
        ),
        ("users: {a: {grants: [{object: 'schema:shop', can: [read]}]}}", "does not begin with a kind of object"),
        ("users: {a: {grants: [{object: 'table:other.t', can: [read]}]}}", "is not among manage.databases"),
    ],
)
def test_what_has_no_meaning_is_refused_with_its_line(body: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        wanted(body)
    assert raised.value.message.startswith("spec:3: ")
    assert message in raised.value.message


def test_mariadb_begins_with_one_role() -> None:
    with pytest.raises(InputError, match="MariaDB has one default role"):
        wanted("users: {a: {member_of: [r, s]}}", MARIADB)
    [one] = wanted("users: {a: {member_of: [r, {role: s, inherit: false}]}}", MARIADB).principals
    assert [(member.role, member.inherit) for member in one.member_of] == [("r", True), ("s", False)]


def test_future_objects_are_those_of_the_database() -> None:
    found = wanted("users: {a: {grants: [{object: 'table:shop.*', can: [read], future: true, grantable: true}]}}")
    [grant] = found.grants
    assert (grant.kind, grant.path, grant.actions) == ("database", ("shop",), ("SELECT", "SHOW VIEW", "GRANT OPTION"))
    assert len(found.notes) == 2


def sql(change: AddGrant | RemoveGrant | AddMembership | AlterPrincipal | SetPassword) -> str:
    return MySQLStatements(SERVER).text(change)


def steps_of(hold: Step) -> tuple[Step, ...]:
    assert isinstance(hold, Hold)
    return hold.steps


def test_statements() -> None:
    whole, shop = ObjectName("server", ()), ObjectName("database", ("my_db",))
    both = AddGrant(principal=WHO, object=whole, actions=("SELECT", "GRANT OPTION", "BACKUP_ADMIN"))
    assert sql(both) == ("GRANT SELECT ON *.* TO `a`@`%` WITH GRANT OPTION;\nGRANT BACKUP_ADMIN ON *.* TO `a`@`%`")
    assert sql(AddGrant(principal=WHO, object=shop, actions=("SELECT",))) == "GRANT SELECT ON `my\\_db`.* TO `a`@`%`"
    alone = AddGrant(principal=WHO, object=shop, actions=("GRANT OPTION",))
    assert sql(alone) == "GRANT USAGE ON `my\\_db`.* TO `a`@`%` WITH GRANT OPTION"
    less = RemoveGrant(principal=WHO, object=whole, actions=("BACKUP_ADMIN",), option_only=True)
    assert sql(less).splitlines()[1] == "GRANT BACKUP_ADMIN ON *.* TO `a`@`%`"


def test_rows_for_databases_are_granted_from_the_most_specific_on_and_revoked_the_other_way() -> None:
    names = [ObjectName("pattern", ("s%",)), ObjectName("database", ("shop",)), ObjectName("pattern", ("sh%",))]
    given = [AddGrant(principal=WHO, object=name, actions=("SELECT",)) for name in names]
    taken = [RemoveGrant(principal=WHO, object=name, actions=("SELECT",)) for name in names]
    [hold] = compile_changes([*given, *taken], MySQLStatements(SERVER))
    told = [step.summary.split(" on ")[1].split(" ")[0] for step in steps_of(hold)]
    assert told == ["database:shop", "pattern:`sh%`", "pattern:`s%`", "pattern:`s%`", "pattern:`sh%`", "database:shop"]


def test_one_condition_takes_the_place_of_another() -> None:
    changes = [AlterPrincipal(name=WHO, gains=("REQUIRE X509",)), AlterPrincipal(name=WHO, loses=("REQUIRE SSL",))]
    [hold] = compile_changes(changes, MySQLStatements(SERVER))
    [step] = steps_of(hold)
    assert isinstance(step, Sql)
    assert step.text == "ALTER USER `a`@`%` REQUIRE X509"


def test_hashes() -> None:
    """tests/live compares them with those of the servers."""
    assert len(passwords.caching_sha2("secret", 5000, "x" * 20)) == 70
    assert passwords.caching_sha2("secret", 10000, "x" * 20).startswith("$A$00A$")
    assert passwords.native("secret") == "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7"


SNAPSHOT = AccessSnapshot(
    engine="mysql",
    version=(9, 7),
    incarnation="1",
    taken_at=datetime(2026, 1, 1, tzinfo=UTC),
    rules=plain_rules(dialect, (9, 7)),
    principals=(
        Principal(name="PUBLIC", kind="public"),
        Principal(name=WHO, kind="user", user="a", host="%"),
        Principal(name="'r'@'%'", kind="role", user="r", host="%"),
    ),
    memberships=(),
    objects=(
        SecuredObject("server", (), -1, 0),
        SecuredObject("database", ("shop",), -1, 0, 0),
        SecuredObject("table", ("shop", "t"), -1, 0, 1),
    ),
    acls=((),),
    database="shop",
)


def test_what_is_supposed() -> None:
    table = ObjectName("table", ("shop", "t"))
    assert mysql.access.parse("GRANT SELECT, UPDATE (x) ON t TO 'a'@'%' WITH GRANT OPTION; REVOKE r FROM a", SNAPSHOT)[
        :2
    ] == (
        AddGrant(principal=WHO, object=ObjectName("column", ("shop", "t", "x")), actions=("UPDATE",)),
        AddGrant(principal=WHO, object=table, actions=("SELECT", "GRANT OPTION")),
    )
    [pattern] = mysql.access.parse("REVOKE IF EXISTS SELECT ON `sh%`.* FROM a@'%' IGNORE UNKNOWN USER", SNAPSHOT)
    assert pattern == RemoveGrant(principal=WHO, object=ObjectName("pattern", ("sh%",)), actions=("SELECT",))
    assert mysql.access.parse("GRANT r TO a", SNAPSHOT) == (AddMembership(member=WHO, group="'r'@'%'", inherit=False),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no statement to suppose"),
        ("-- GRANT r TO a", "there is no statement to suppose"),
        ("DROP USER a", "not understood: DROP USER a"),
        ("GRANT r", "not understood: GRANT r"),
        ("GRANT r r TO a", "not understood: GRANT r r TO a"),
        ("GRANT r (x) TO a", "not understood: GRANT r ( x ) TO a"),
        ("GRANT SELECT (x ON t TO a", "not understood: GRANT SELECT ( x ON t TO a"),
        ("GRANT SELECT ON t TO a IDENTIFIED BY 'x'", "not understood: GRANT SELECT ON t TO a IDENTIFIED BY 'x'"),
        ("GRANT FLY ON t TO a", "FLY is no privilege of a table"),
        ("GRANT SELECT ON no.t TO a", "there is no object table:no.t"),
        ("GRANT SELECT ON t TO nobody", "there is no principal"),
        ("GRANT SELECT ON t TO a ^", "this part of the SQL is not understood: '^'"),
    ],
)
def test_what_is_not_understood_whole_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        mysql.access.parse(text, SNAPSHOT)
    assert caught.value.message.startswith(says)


@pytest.mark.parametrize("comment", ["-- why\n", "--\n", "--\twhy\n", "# why\n"])
def test_a_comment_ends_with_its_line(comment: str) -> None:
    assert mysql.access.parse(f"{comment}GRANT r TO a", SNAPSHOT) == mysql.access.parse("GRANT r TO a", SNAPSHOT)


def test_nothing_to_take_away_is_no_change() -> None:
    assert mysql.access.parse("REVOKE ALL PRIVILEGES, GRANT OPTION FROM a", SNAPSHOT) == ()


def test_who_logs_in_otherwise_gets_no_password() -> None:
    with pytest.raises(UsageError, match="logs in by auth_socket"):
        sql(SetPassword(name=WHO, password=SecretRef("env:X"), stored="auth_socket"))
