"""A spec in the words of SQL Server, and changes as T-SQL; nothing here asks a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
import sqlglot

from dbops.access.spec import read
from dbops.capabilities import Capability, supported
from dbops.errors import InputError, UsageError
from dbops.model.change import (
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    ObjectName,
    RemoveGrant,
    SetOwner,
    SetPassword,
)
from dbops.model.server import Server
from dbops.model.users import Wanted
from dbops.plan import Hold, Risk, Seal, SecretRef, Sql, walk
from dbops_mssql import backend
from dbops_mssql.probe import DATABASE, MANAGED_INSTANCE
from dbops_mssql.users.builtin import shipped
from dbops_mssql.users.passwords import HASH

SERVER = Server(
    engine="mssql", version=(16, 0, 4135, 4), version_text="2022", role="primary", incarnation="own", user="admin"
)
OLD = msgspec.structs.replace(SERVER, version=(15, 0, 4430, 1))
SECRET = SecretRef("env:WORD")
SID = "0x14585E90117152449347750164BA00A7"


def wanted(server: Server = SERVER, *, databases: tuple[str, ...] = ("shop",), **sections: Mapping[str, Any]) -> Wanted:
    document = {"dbops": "users/1", "manage": {"principals": ["*"], "databases": list(databases)}, **sections}
    desired = read(document, lambda path: f"spec:{'.'.join(map(str, path))}", "mssql")
    return backend.access.normalise(desired, server)


def names(found: Wanted) -> dict[str, tuple[str, ...]]:
    return {one.name: tuple(member.role for member in one.member_of) for one in found.principals}


# Words


def test_a_user_is_a_login_and_a_user_where_he_gets_something() -> None:
    found = wanted(
        databases=("shop", "crm"),
        roles={"app": {}},
        users={
            "alice": {"member_of": ["app", "sysadmin"]},
            "bob": {"grants": [{"object": "table:crm.dbo.t", "can": ["select"]}]},
            "carl": {},
        },
    )
    assert names(found) == {
        "shop.app": (), "crm.app": (), "alice": ("sysadmin",), "shop.alice": ("shop.app",), "crm.alice": ("crm.app",),
        "bob": (), "crm.bob": (), "carl": (),
    }  # fmt: skip
    assert ("crm.bob", ("SELECT",)) in [(one.principal, one.actions) for one in found.grants]
    enter = {one.principal: one.actions for one in found.grants if one.actions[0].startswith("CONNECT")}
    assert enter["carl"] == ("CONNECT SQL",)
    assert enter["crm.bob"] == ("CONNECT",)


def test_names_of_one_database_and_roles_of_the_server() -> None:
    found = wanted(
        databases=("shop", "crm"),
        roles={"crm.reader": {}, "ops": {"attributes": ["server"]}},
        users={"shop.eve": {"attributes": ["without_login"]}, "al": {"member_of": ["crm.reader", "ops"]}},
    )
    assert names(found) == {"crm.reader": (), "ops": (), "shop.eve": (), "al": ("ops",), "crm.al": ("crm.reader",)}
    assert next(one for one in found.principals if one.name == "shop.eve").attributes == ("WITHOUT LOGIN",)


def test_who_somebody_is_by_his_name() -> None:
    found = wanted(users={"CORP\\ann": {}, "eve@corp.example": {}, "sam": {"password": "env:WORD"}})
    kinds = {one.name: one.attributes for one in found.principals}
    assert kinds == {
        "CORP\\ann": ("WINDOWS", "LOGIN"), "[eve@corp.example]": ("ENTRA", "LOGIN"), "sam": ("SQL", "LOGIN"),
    }  # fmt: skip


def test_what_is_denied_has_the_words_of_what_is_granted() -> None:
    found = wanted(
        users={
            "al": {
                "denies": [
                    {"object": "schema:shop.sales", "can": ["write"]},
                    {"object": "table:shop.sales.orders", "can": ["read"], "columns": ["email"]},
                    {"object": "server", "can": ["connect_sql"]},
                ]
            }
        }
    )
    said = {(one.principal, one.kind, one.actions, one.columns) for one in found.grants if one.deny}
    assert said == {
        ("shop.al", "schema", ("DELETE", "INSERT", "UPDATE"), ()),
        ("shop.al", "table", ("SELECT",), ("email",)),
        ("al", "server", ("CONNECT SQL",), ()),
    }
    # Who is not to come in is not let in by being made; where he is not denied it, he is.
    assert [(one.principal, one.actions) for one in found.grants if not one.deny] == [("shop.al", ("CONNECT",))]


def test_who_shall_be_absent_leaves_every_database_first() -> None:
    found = wanted(users={"alice": {"state": "absent"}})
    assert [(one.name, one.every_host, one.state) for one in found.principals] == [
        ("shop.alice", True, "absent"),
        ("alice", False, "absent"),
    ]
    assert found.grants == ()


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"users": {"a": {"hosts": ["10.%"]}}}, "'hosts' has no meaning on SQL Server"),
        ({"users": {"a": {"valid_until": "2030-01-01"}}}, "'valid_until' has no meaning on SQL Server"),
        ({"users": {"a": {"connection_limit": 5}}}, "'connection_limit' has no meaning on SQL Server"),
        ({"users": {"a": {"attributes": ["createdb"]}}}, "unknown attribute 'createdb'"),
        ({"users": {"a": {"attributes": ["server"]}}}, "'server' is said of a role"),
        ({"roles": {"r": {"password": "env:X"}}}, "'password' has no meaning for a role"),
        ({"roles": {"r": {"state": "locked"}}}, "'state: locked' has no meaning for a role"),
        ({"users": {"shop.a": {"password": "env:X"}}}, "shop.a is a user of a database"),
        ({"users": {"sa": {}}}, "'sa' is the server's own"),
        ({"users": {"a": {"sid": "0x1234"}}}, "'0x1234' is not the SID of a login"),
        ({"users": {"a": {"sid": "14585E90117152449347750164BA00A7"}}}, "is not the SID of a login"),
        ({"users": {"a": {"sid": f"0x{'0g' * 16}"}}}, "is not the SID of a login"),
        ({"users": {"CORP\\a": {"sid": SID}}}, "has no SID here: Windows and Entra keep those of theirs"),
        ({"users": {"CORP\\a": {"password": {"hashed": "env:X"}}}}, "has no password here"),
        ({"users": {"shop.a": {"sid": SID}}}, "its login has the password and the SID"),
        ({"roles": {"r": {"sid": SID}}}, "'sid' has no meaning for a role"),
        ({"users": {"a": {"sid": SID}, "b": {"sid": SID.lower()}}}, "is also said in spec:users.a"),
        ({"roles": {"Public": {}}}, "'Public' is the server's own"),
        ({"users": {"x" * 129: {}}}, "a name has 1 to 128 characters"),
        ({"users": {"crm.a": {}}}, "the database 'crm' is not among manage.databases"),
        ({"users": {"[a": {}}}, "a quote is not closed"),
        ({"users": {"CORP\\a": {"password": "env:X"}}}, "has no password here"),
        ({"users": {"a": {"member_of": [{"role": "r", "admin": True}]}}}, "who is in a role has what it has"),
        (
            {"users": {"a": {"grants": [{"object": "table:shop.dbo.*", "can": ["read"], "future": True}]}}},
            "'future' has no meaning on SQL Server",
        ),
        ({"users": {"a": {"grants": [{"object": "table:shop.dbo.t", "can": ["fly"]}]}}}, "'fly' has no meaning"),
        ({"users": {"a": {"denies": [{"object": "table:shop.dbo.t", "can": ["fly"]}]}}}, "'fly' has no meaning"),
        ({"users": {"a": {"grants": [{"object": "tabel:shop.dbo.t", "can": ["read"]}]}}}, "does not begin with a kind"),
        ({"users": {"a": {"grants": [{"object": "table:shop.t", "can": ["read"]}]}}}, "is not the name of a table"),
        ({"users": {"a": {"grants": [{"object": "column:shop.s.t.c", "can": ["read"]}]}}}, "not the name of a column"),
        ({"users": {"a": {"grants": [{"object": "table:crm.dbo.t", "can": ["read"]}]}}}, "database 'crm' is not among"),
        (
            {"users": {"a": {"grants": [{"object": "schema:shop.s", "can": ["read"], "columns": ["c"]}]}}},
            "a schema has no columns",
        ),
        (
            {"roles": {"r": {"grants": [{"object": "server", "can": ["view_server_state"]}]}}},
            "'r' is a role of databases, and server is the server's",
        ),
        (
            {
                "roles": {
                    "r": {"attributes": ["server"], "grants": [{"object": "database:shop", "can": ["connect"]}]}
                }
            },
            "'r' is a role of the server, and database:shop is in a database",
        ),
        ({"users": {"a": {"owns": ["table:shop.dbo.t"]}}}, "a table is owned by the owner of its schema"),
        ({"users": {"a": {"member_of": ["r"]}, "shop.a": {}}, "roles": {"r": {}}}, "shop.a is also said in"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_refused_with_its_place(sections: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        wanted(**sections)
    assert said in caught.value.message
    assert caught.value.message.startswith("spec:")


def test_a_name_with_its_database_is_for_that_one_alone() -> None:
    grant = {"object": "table:crm.dbo.t", "can": ["select"]}
    with pytest.raises(InputError, match=r"shop.a is of shop, and table:crm.dbo.t is not in it"):
        wanted(databases=("shop", "crm"), users={"shop.a": {"grants": [grant]}})


def test_a_role_of_no_database() -> None:
    with pytest.raises(InputError, match="the role 'r' is of no database"):
        wanted(databases=(), roles={"r": {}})


def test_logins_of_entra_came_with_2022() -> None:
    users: dict[str, Any] = {"eve@corp": {}}
    with pytest.raises(InputError, match="need SQL Server 2022"):
        wanted(OLD, users=users)
    assert wanted(msgspec.structs.replace(OLD, edition=MANAGED_INSTANCE), users=users).principals


def test_permissions_are_those_of_the_release() -> None:
    assert "VIEW SERVER PERFORMANCE STATE" in shipped(16).kinds["server"].actions
    assert "VIEW SERVER PERFORMANCE STATE" not in shipped(15).kinds["server"].actions
    assert shipped(13).kinds["table"].words


# Statements


HOSTILE = "a]b';--"
TABLE = ObjectName("table", ("shop", "dbo", HOSTILE))


@pytest.mark.parametrize(
    ("change", "sql"),
    [
        (
            CreatePrincipal(name="al", kind="user", attributes=("SQL", "LOGIN"), password=SECRET),
            ["USE [master]; CREATE LOGIN [al] WITH PASSWORD = '***' /* env:WORD */"],
        ),
        (
            CreatePrincipal(name="al", kind="user", attributes=("SQL",), password=SECRET),
            [
                "USE [master]; CREATE LOGIN [al] WITH PASSWORD = '***' /* env:WORD */",
                "USE [master]; ALTER LOGIN [al] DISABLE",
            ],
        ),
        (
            CreatePrincipal(name="al", kind="user", attributes=("SQL", "LOGIN"), password=SECRET, sid=SID),
            [f"USE [master]; CREATE LOGIN [al] WITH PASSWORD = '***' /* env:WORD */, SID = {SID}"],
        ),
        (
            CreatePrincipal(name="CORP\\al", kind="user", attributes=("WINDOWS", "LOGIN")),
            ["USE [master]; CREATE LOGIN [CORP\\al] FROM WINDOWS"],
        ),
        (
            CreatePrincipal(name="[al@corp.example]", kind="user", attributes=("ENTRA", "LOGIN")),
            ["USE [master]; CREATE LOGIN [al@corp.example] FROM EXTERNAL PROVIDER"],
        ),
        (
            CreatePrincipal(name="shop.[a]]b';--]", kind="user", attributes=()),
            ["USE [shop]; CREATE USER [a]]b';--] FOR LOGIN [a]]b';--]"],
        ),
        (
            CreatePrincipal(name="shop.al", kind="user", attributes=("WITHOUT LOGIN",)),
            ["USE [shop]; CREATE USER [al] WITHOUT LOGIN"],
        ),
        (CreatePrincipal(name="shop.app", attributes=()), ["USE [shop]; CREATE ROLE [app]"]),
        (CreatePrincipal(name="ops", attributes=()), ["USE [master]; CREATE SERVER ROLE [ops]"]),
        (AlterPrincipal(name="al", gains=("LOGIN",)), ["USE [master]; ALTER LOGIN [al] ENABLE"]),
        (AlterPrincipal(name="al", loses=("LOGIN",)), ["USE [master]; ALTER LOGIN [al] DISABLE"]),
        (
            AlterPrincipal(name="shop.al", loses=("ORPHANED",)),
            ["USE [shop]; ALTER USER [al] WITH LOGIN = [al]"],
        ),
        (
            SetPassword(name="al", password=SECRET, stored="stored"),
            ["USE [master]; ALTER LOGIN [al] WITH PASSWORD = '***' /* env:WORD */"],
        ),
        (DropPrincipal(name="al", kind="user"), ["USE [master]; DROP LOGIN [al]"]),
        (DropPrincipal(name="shop.al", kind="user"), ["USE [shop]; DROP USER [al]"]),
        (DropPrincipal(name="shop.app"), ["USE [shop]; DROP ROLE [app]"]),
        (DropPrincipal(name="ops"), ["USE [master]; DROP SERVER ROLE [ops]"]),
        (
            AddMembership(member="shop.al", group="shop.app"),
            ["USE [shop]; ALTER ROLE [app] ADD MEMBER [al]"],
        ),
        (
            AddGrant(principal="shop.al", object=TABLE, actions=("SELECT",), grantable=True),
            ["USE [shop]; GRANT SELECT ON OBJECT::[dbo].[a]]b';--] TO [al] WITH GRANT OPTION"],
        ),
        (
            RemoveGrant(principal="shop.al", object=TABLE, actions=("SELECT",)),
            ["USE [shop]; REVOKE SELECT ON OBJECT::[dbo].[a]]b';--] FROM [al]"],
        ),
        (
            RemoveGrant(principal="al", object=ObjectName("server", ()), actions=("CONNECT SQL",), deny=True),
            ["USE [master]; REVOKE CONNECT SQL FROM [al]"],
        ),
        (
            SetOwner(object=ObjectName("schema", ("shop", "s")), owner="shop.al", old="shop.dbo"),
            ["USE [shop]; ALTER AUTHORIZATION ON SCHEMA::[s] TO [al]"],
        ),
    ],
)
def test_changes_as_statements(change: Change, sql: list[str]) -> None:
    steps = backend.access.compile([change], SERVER)
    assert [step.text for step in walk(steps) if isinstance(step, Sql)] == sql
    for text in sql:
        assert all(sqlglot.parse(text, dialect="tsql"))


def test_a_login_without_a_password_is_made_with_one_that_nobody_has() -> None:
    made = CreatePrincipal(name="al", kind="user", attributes=("SQL", "LOGIN"))
    [step] = [one for one in walk(backend.access.compile([made], SERVER)) if isinstance(one, Sql)]
    assert "WITH PASSWORD = 0x0200" in step.text
    assert "HASHED, CHECK_POLICY = OFF" in step.text
    assert step.summary.endswith("with a password that nobody has and without a policy: dbops users rotate sets one")


def test_a_denial_as_a_statement() -> None:
    """sqlglot knows no DENY."""
    denied = AddGrant(principal="shop.al", object=TABLE, actions=("SELECT",), deny=True)
    [step] = [one for one in walk(backend.access.compile([denied], SERVER)) if isinstance(one, Sql)]
    assert step.text == "USE [shop]; DENY SELECT ON OBJECT::[dbo].[a]]b';--] TO [al] CASCADE"
    assert step.undo == "USE [shop]; REVOKE SELECT ON OBJECT::[dbo].[a]]b';--] FROM [al]"


def test_an_end_to_a_denial_says_that_it_widens_access() -> None:
    ended = RemoveGrant(principal="shop.al", object=TABLE, actions=("SELECT",), deny=True)
    [step] = [one for one in walk(backend.access.compile([ended], SERVER)) if isinstance(one, Sql)]
    assert step.summary.startswith("no longer deny SELECT on table:shop.dbo.")
    assert step.summary.endswith(" to shop.al, which widens access")
    assert step.undo == "USE [shop]; DENY SELECT ON OBJECT::[dbo].[a]]b';--] TO [al] CASCADE"


def test_a_login_as_another_server_has_it() -> None:
    made = CreatePrincipal(name="al", kind="user", attributes=("SQL", "LOGIN"), password=SECRET, hashed=True, sid=SID)
    [step] = [one for one in walk(backend.access.compile([made], SERVER)) if isinstance(one, Sql)]
    assert step.text == f"USE [master]; CREATE LOGIN [al] WITH PASSWORD = '***' /* env:WORD */ HASHED, SID = {SID}"
    assert step.summary == f"create account al with the SID {SID}"
    bare = msgspec.structs.replace(made, password=None, hashed=False)
    [step] = [one for one in walk(backend.access.compile([bare], SERVER)) if isinstance(one, Sql)]
    assert step.text.endswith(f" HASHED, CHECK_POLICY = OFF, SID = {SID}")


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (f"0x0200{'aB' * 68}", True),
        (f"0x0100{'00' * 24}", True),
        (f"0x0100{'00' * 44}", True),
        (f"0x0300{'00' * 60}", True),
        (f"0x0200{'aB' * 67}", False),
        (f"0x0200{'aB' * 69}", False),
        (f"0x0400{'00' * 255}", False),
        (f"0200{'aB' * 68}", False),
        (f"0x0200{'aB' * 67}aG", False),
        (f"0x0200{'aB' * 68}\n", False),
        ("0x HASHED; DROP LOGIN [sa] --", False),
        ("secret-in-clear", False),
        ("", False),
    ],
)
def test_a_hash_is_one_or_is_refused_without_repeating_it(text: str, *, good: bool) -> None:
    class Lending:
        def secret(self, _ref: SecretRef) -> str:
            return text

    lending: Any = Lending()
    seal = backend.doors.seal
    assert seal is not None
    sealed = Seal(seal=HASH, secret=SECRET, name="al")
    if good:
        assert seal(sealed, lending) == text
        return
    with pytest.raises(InputError, match="the hash of al from env:WORD is not one of SQL Server") as caught:
        seal(sealed, lending)
    assert not text or text not in f"{caught.value.message} {caught.value.hint}"


def test_all_is_one_transaction_under_one_lock() -> None:
    changes: list[Change] = [
        CreatePrincipal(name="al", kind="user", attributes=("WINDOWS", "LOGIN")),
        CreatePrincipal(name="shop.al", kind="user", attributes=()),
        DropPrincipal(name="crm.old", kind="user"),
    ]
    [hold] = backend.access.compile(changes, SERVER)
    assert isinstance(hold, Hold)
    assert hold.risk is Risk.DESTRUCTIVE
    places = {(step.database, step.transaction) for step in hold.steps if isinstance(step, Sql)}
    assert places == {("master", "users")}
    undone = [step.undo for step in hold.steps if isinstance(step, Sql)]
    assert undone[:2] == ["USE [master]; DROP LOGIN [al]", "USE [shop]; DROP USER [al]"]
    assert "with the SID that it had" in undone[2]
    assert backend.access.compile([], SERVER) == ()


def test_passwords_of_who_has_none() -> None:
    for change in (
        SetPassword(name="shop.al", password=SECRET, stored="none"),
        SetPassword(name="CORP\\al", password=SECRET, stored="none"),
    ):
        with pytest.raises(UsageError, match="has no password of its own"):
            backend.access.compile([change], SERVER)


def test_users_are_planned_everywhere() -> None:
    for edition in (DATABASE, MANAGED_INSTANCE):
        for capability in (Capability.USERS_APPLY, Capability.USERS_ROTATE, Capability.USERS_TRANSACTIONAL):
            assert supported(backend.support(capability, msgspec.structs.replace(SERVER, edition=edition)))
