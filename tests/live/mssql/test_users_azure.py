"""Users in Azure SQL Database: of the database that the URL names, and where that is ``master``, logins."""

from __future__ import annotations

from typing import Any

import pytest

from dbops import yaml
from dbops.errors import DbopsError, InputError, UsageError
from dbops.operations import users
from dbops.operations.workspace import Workspace
from dbops.plan import SecretRef
from dbops.testing.mssql import MssqlDatabase, MssqlServer, PrivateMssql
from tests.live.mssql.people import FIRST, PERSON, SECOND, sales, signed_in


@pytest.fixture
def azure(private_mssql: PrivateMssql) -> MssqlServer:
    """A logical server with two databases."""
    server = private_mssql(version="12.0.2000.8", edition="SQL Azure", engine_edition=5)
    server.sql("CREATE DATABASE [shop]")
    server.sql("CREATE DATABASE [crm]")
    return server


@pytest.fixture
def shop(azure: MssqlServer) -> MssqlDatabase:
    return sales(azure)


def spec(people: dict[str, Any], *, databases: list[str] | None = None, roles: bool = True) -> str:
    role = {"app_read": {"grants": [{"object": "schema:shop.sales", "can": ["read"]}]}}
    return yaml.dump(
        {
            "dbops": "users/1",
            "manage": {"principals": ["app_*", "u_*", "*@corp.example"], "databases": databases or ["shop"]},
            **({"roles": role} if roles else {}),
            "users": people,
        }
    )


def in_master(people: dict[str, Any]) -> str:
    return spec(people, databases=["master"], roles=False)


def planned(ws: Workspace, text: str, url: str) -> list[str]:
    answer, _ = users.plan(ws, text, url)
    assert bool(answer.changes) == bool(answer.steps)
    return [step.sql for step in answer.steps]


def test_contained_users_and_users_of_logins(shop: MssqlDatabase, ws: Workspace) -> None:
    shop.server.login("u_bob")
    wanted = spec(
        {
            "u_al": {**PERSON, "settings": {"default_schema": "sales"}},
            "shop.u_bob": {"member_of": ["app_read"]},
            "shop.u_job": {"attributes": ["without_login"]},
            "eve@corp.example": {"attributes": ["contained"], "member_of": ["app_read", "db_datareader"]},
        }
    )
    said = planned(ws, wanted, shop.url())
    assert "CREATE USER [u_al] WITH PASSWORD = '***' /* env:FIRST */, DEFAULT_SCHEMA = [sales]" in said
    assert "CREATE USER [u_bob] FOR LOGIN [u_bob]" in said
    assert "CREATE USER [eve@corp.example] FROM EXTERNAL PROVIDER" in said
    assert not [one for one in said if one.startswith("USE")]
    users.apply(ws, wanted, shop.url())
    assert planned(ws, wanted, shop.url()) == []
    assert signed_in(shop, "u_al", FIRST)
    exported = users.export(ws, shop.url(), principals=["app_*", "u_*", "*@corp.example"])
    answer, _ = users.plan(ws, exported, shop.url())
    assert (answer.changes, answer.steps) == (0, ())


def test_one_transaction(shop: MssqlDatabase, ws: Workspace) -> None:
    shop.server.instance.faults.refuse(r"GRANT SELECT ON SCHEMA", "CONTROL")
    with pytest.raises(DbopsError, match="permission was denied"):
        users.apply(ws, spec({"u_al": PERSON}), shop.url())
    assert shop.sql("SELECT name FROM sys.database_principals WHERE name LIKE 'u%' OR name LIKE 'app%'") == []


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ({"u_al": {}}, "'u_al' would be a login, and in Azure SQL Database logins are in master"),
        ({"shop.CORP\\ann": {"attributes": ["contained"]}}, "is of Windows, which Azure SQL Database knows nothing of"),
        (
            {"u_al": {**PERSON, "grants": [{"object": "server", "can": ["view_server_state"]}]}},
            "nothing can be granted on server in Azure SQL Database",
        ),
        ({"u_al": {**PERSON, "owns": ["database:shop"]}}, "a login owns a database, and in Azure SQL Database logins"),
        (
            {"u_al": {**PERSON, "settings": {"default_language": "french"}}},
            "'default_language' cannot be altered in Azure SQL Database",
        ),
        ({"u_al": {**PERSON, "member_of": ["##MS_LoginManager##"]}}, "is a role of the server, and u_al is of datab"),
    ],
)
def test_what_cannot_be_there_is_refused_with_its_line(
    shop: MssqlDatabase, ws: Workspace, people: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=r"^spec:\d+: ") as caught:
        planned(ws, spec(people), shop.url())
    assert said in caught.value.message


def test_another_database_is_another_target(shop: MssqlDatabase, ws: Workspace) -> None:
    with pytest.raises(InputError, match="the database crm cannot be read: Azure SQL Database: a database is asked in"):
        planned(ws, spec({"u_al": PERSON}, databases=["shop", "crm"]), shop.url())


def test_rotate(shop: MssqlDatabase, ws: Workspace) -> None:
    users.apply(ws, spec({"u_al": PERSON, "shop.u_job": {"attributes": ["without_login"]}}), shop.url())
    plan = users.rotate(ws, shop.url(), "shop.u_al", SecretRef("env:SECOND"))
    assert [step.sql for step in users.result(plan).steps] == [
        "ALTER USER [u_al] WITH PASSWORD = '***' /* env:SECOND */"
    ]
    users.carry_out(ws, plan).raise_for_status()
    assert signed_in(shop, "u_al", SECOND)
    with pytest.raises(UsageError, match=r"shop\.u_job has no password of its own"):
        users.rotate(ws, shop.url(), "shop.u_job", SecretRef("env:SECOND"))


def test_offboard(shop: MssqlDatabase, ws: Workspace) -> None:
    shop.server.login("u_bob")
    users.apply(ws, spec({"u_al": PERSON, "u_heir": PERSON, "shop.u_bob": {}}), shop.url())
    shop.sql("ALTER AUTHORIZATION ON SCHEMA::sales TO [u_al]")
    with pytest.raises(UsageError, match=r"'shop\.u_al' owns"):
        users.offboard(ws, shop.url(), "shop.u_al")
    session = shop.server.instance.login("u_al", FIRST, "shop")
    for name in ("shop.u_al", "shop.u_bob"):
        plan = users.offboard(ws, shop.url(), name, heir="shop.u_heir")
        users.carry_out(ws, plan).raise_for_status()
    assert session.killed
    assert shop.sql("SELECT USER_NAME(principal_id) FROM sys.schemas WHERE name = 'sales'") == [("u_heir",)]
    assert shop.sql("SELECT name FROM sys.database_principals WHERE name IN ('u_al', 'u_bob')") == []


def test_logins_and_who_may_make_databases_in_master(shop: MssqlDatabase, ws: Workspace) -> None:
    url = shop.server.url(database="master")
    wanted = in_master(
        {
            "u_bob": {"password": "env:FIRST", "member_of": ["dbmanager", "##MS_DefinitionReader##"]},
            "u_out": {"password": "env:FIRST", "state": "locked"},
            "eve@corp.example": {},
        }
    )
    said = planned(ws, wanted, url)
    assert said == [
        "CREATE LOGIN [u_bob] WITH PASSWORD = '***' /* env:FIRST */",
        "CREATE USER [u_bob] FOR LOGIN [u_bob]",
        "CREATE LOGIN [u_out] WITH PASSWORD = '***' /* env:FIRST */",
        "ALTER LOGIN [u_out] DISABLE",
        "CREATE LOGIN [eve@corp.example] FROM EXTERNAL PROVIDER",
        "ALTER SERVER ROLE [##MS_DefinitionReader##] ADD MEMBER [u_bob]",
        "ALTER ROLE [dbmanager] ADD MEMBER [u_bob]",
    ]
    users.apply(ws, wanted, url)
    assert planned(ws, wanted, url) == []
    exported = users.export(ws, url, principals=["u_*", "*@corp.example"])
    answer, _ = users.plan(ws, exported, url)
    assert (answer.changes, answer.steps) == (0, ())
    users.carry_out(ws, users.rotate(ws, url, "u_bob", SecretRef("env:SECOND"))).raise_for_status()
    shop.sql("CREATE USER [u_bob] FOR LOGIN [u_bob]", "GRANT SELECT ON SCHEMA::sales TO [u_bob]")
    assert signed_in(shop, "u_bob", SECOND)
    users.carry_out(ws, users.offboard(ws, url, "u_bob")).raise_for_status()
    assert shop.server.sql("SELECT name FROM sys.sql_logins WHERE name = 'u_bob'") == []
    assert shop.server.sql("SELECT name FROM sys.database_principals WHERE name = 'u_bob'", database="master") == []
    gone = in_master({"u_out": {"state": "absent"}})
    assert planned(ws, gone, url) == ["DROP LOGIN [u_out]"]


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ({"u_al": {}}, "u_al is not there and cannot be made: a login is made with a password here"),
        (
            {"u_al": {"password": "env:FIRST", "grants": [{"object": "database:master", "can": ["view_definition"]}]}},
            "nothing can be granted in master of Azure SQL Database",
        ),
        ({"CORP\\ann": {}}, "is of Windows, which Azure SQL Database knows nothing of"),
        ({"u_al": {"password": "env:FIRST", "member_of": ["sysadmin"]}}, "there is no role 'sysadmin'"),
    ],
)
def test_what_cannot_be_in_master(azure: MssqlServer, ws: Workspace, people: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=r"^spec:\d+: ") as caught:
        planned(ws, in_master(people), azure.url(database="master"))
    assert said in caught.value.message


def test_roles_of_the_server_are_the_services_own(azure: MssqlServer, ws: Workspace) -> None:
    wanted = yaml.dump(
        {
            "dbops": "users/1",
            "manage": {"principals": ["app_*"], "databases": ["master"]},
            "roles": {"app_ops": {"attributes": ["server"]}},
        }
    )
    with pytest.raises(InputError, match="the roles of the server are the service's own in Azure SQL Database"):
        planned(ws, wanted, azure.url(database="master"))
