"""Users that live in their database alone: with a password there, of Entra, of Windows, without a login."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dbops import yaml
from dbops.errors import DbopsError, InputError, UsageError
from dbops.operations import users
from dbops.operations.workspace import Workspace
from dbops.plan import SecretRef
from dbops.testing.mssql import MssqlDatabase, PrivateMssql
from tests.live.mssql.people import FIRST, PERSON, SECOND, sales, signed_in


@pytest.fixture
def shop(private_mssql: PrivateMssql) -> MssqlDatabase:
    """A contained database of an instance that lets its users in."""
    server = private_mssql(contained=True)
    server.sql("CREATE DATABASE [shop] CONTAINMENT = PARTIAL")
    return sales(server)


def spec(people: dict[str, Any]) -> str:
    return yaml.dump(
        {
            "dbops": "users/1",
            "manage": {"principals": ["app_*", "u_*", "CORP\\*", "*@corp.example"], "databases": ["shop"]},
            "roles": {"app_read": {"grants": [{"object": "schema:shop.sales", "can": ["read"]}]}},
            "users": people,
        }
    )


def planned(ws: Workspace, text: str, shop: MssqlDatabase) -> list[str]:
    answer, _ = users.plan(ws, text, shop.url())
    assert bool(answer.changes) == bool(answer.steps)
    return [step.sql for step in answer.steps]


def test_one_apply_is_enough(shop: MssqlDatabase, ws: Workspace) -> None:
    shop.server.instance.windows["corp\\ann"] = "U"
    wanted = spec(
        {
            "u_al": {**PERSON, "settings": {"default_schema": "sales", "default_language": "french"}},
            "shop.u_job": {"attributes": ["without_login"], "member_of": ["app_read"]},
            "shop.eve@corp.example": {"attributes": ["contained"], "member_of": ["app_read"]},
            "shop.u_app": {"attributes": ["contained", "entra"]},
            "shop.[CORP\\ann]": {"attributes": ["contained"], "member_of": ["app_read"]},
        }
    )
    said = planned(ws, wanted, shop)
    assert (
        "USE [shop]; CREATE USER [u_al] WITH PASSWORD = '***' /* env:FIRST */, DEFAULT_SCHEMA = [sales], "
        "DEFAULT_LANGUAGE = [Français]"
    ) in said
    assert "USE [shop]; CREATE USER [eve@corp.example] FROM EXTERNAL PROVIDER" in said
    assert "USE [shop]; CREATE USER [u_app] FROM EXTERNAL PROVIDER" in said
    assert "USE [shop]; CREATE USER [CORP\\ann]" in said
    assert not [one for one in said if "LOGIN" in one.replace("WITHOUT LOGIN", "")]
    users.apply(ws, wanted, shop.url())
    assert planned(ws, wanted, shop) == []
    assert signed_in(shop, "u_al", FIRST)
    shown = "SELECT default_schema_name, default_language_name FROM sys.database_principals WHERE name = 'u_al'"
    assert shop.sql(shown) == [("sales", "Français")]


def test_who_is_there_and_in_no_spec_is_not_taken_for_another(shop: MssqlDatabase, ws: Workspace) -> None:
    """A user of a login would be another one: neither is he made so in silence, nor is that planned for ever."""
    shop.sql(f"CREATE USER [u_al] WITH PASSWORD = '{FIRST}'", "CREATE USER [u_job] WITHOUT LOGIN")
    for name, sort in (("u_al", "contained"), ("u_job", "without login")):
        with pytest.raises(InputError, match=f"'shop.{name}' is there as {sort} and shall be another") as caught:
            planned(ws, spec({f"shop.{name}": {}}), shop)
        assert f"attributes: [{sort}]" in caught.value.hint
        said = planned(ws, spec({f"shop.{name}": {"attributes": [sort]}}), shop)
        assert not [one for one in said if "USER" in one]
    shop.server.login("u_bob")
    shop.sql("CREATE USER [u_bob] FOR LOGIN [u_bob]")
    with pytest.raises(InputError, match=r"'shop\.u_bob' is there as another sort of account and shall be contained"):
        planned(ws, spec({"shop.u_bob": {"attributes": ["contained"]}}), shop)


def test_settings_are_altered_and_taken_back(shop: MssqlDatabase, ws: Workspace) -> None:
    users.apply(ws, spec({"shop.u_al": PERSON}), shop.url())
    more = spec({"shop.u_al": {**PERSON, "settings": {"default_schema": "sales", "default_language": "german"}}})
    answer, _ = users.plan(ws, more, shop.url())
    [step] = answer.steps
    assert step.summary == "alter shop.u_al: default schema sales, default language Deutsch"
    assert step.sql == "USE [shop]; ALTER USER [u_al] WITH DEFAULT_SCHEMA = [sales], DEFAULT_LANGUAGE = [Deutsch]"
    assert step.undo == "USE [shop]; ALTER USER [u_al] WITH DEFAULT_SCHEMA = [dbo], DEFAULT_LANGUAGE = NONE"
    users.apply(ws, more, shop.url())
    assert planned(ws, more, shop) == []
    # What is no longer said is left as it is; the value that everybody has is said by its name.
    assert planned(ws, spec({"shop.u_al": PERSON}), shop) == []
    back = spec({"shop.u_al": {**PERSON, "settings": {"default_schema": "dbo", "default_language": "none"}}})
    users.apply(ws, back, shop.url())
    assert planned(ws, back, shop) == []
    assert shop.sql("SELECT default_schema_name, default_language_name FROM sys.database_principals WHERE name='u_al'")


def test_export_plans_to_nothing(shop: MssqlDatabase, ws: Workspace) -> None:
    shop.server.instance.windows["corp\\ann"] = "U"
    shop.server.login("u_bob")
    shop.sql(
        f"CREATE USER [u_al] WITH PASSWORD = '{FIRST}', DEFAULT_SCHEMA = sales, DEFAULT_LANGUAGE = [Deutsch]",
        "CREATE USER [u_job] WITHOUT LOGIN",
        "CREATE USER [CORP\\ann]",
        "CREATE USER [Shop Keepers] FROM EXTERNAL PROVIDER",
        "CREATE USER [u_bob] FOR LOGIN [u_bob] WITH DEFAULT_SCHEMA = sales",
        "GRANT SELECT ON SCHEMA::sales TO [Shop Keepers]",
        "ALTER ROLE db_datareader ADD MEMBER [u_al]",
    )
    exported = users.export(ws, shop.url(), databases=["shop"])
    people = yaml.load(exported, "exported").value["users"]
    assert people["shop.u_al"]["attributes"] == ["contained"]
    assert people["shop.u_al"]["settings"] == {"default_schema": "sales", "default_language": "Deutsch"}
    assert people["shop.u_job"]["attributes"][0] == "without login"
    assert people["shop.Shop Keepers"]["attributes"] == ["entra", "contained"]
    assert people["shop.u_bob"]["settings"] == {"default_schema": "sales"}
    answer, _ = users.plan(ws, exported, shop.url())
    assert (answer.changes, answer.steps) == (0, ())


def test_rotate(shop: MssqlDatabase, ws: Workspace, tmp_path: Path) -> None:
    users.apply(ws, spec({"u_al": PERSON, "shop.eve@corp.example": {"attributes": ["contained"]}}), shop.url())
    plan = users.rotate(ws, shop.url(), "shop.u_al", SecretRef("env:SECOND"))
    assert SECOND not in str(plan)
    users.carry_out(ws, plan).raise_for_status()
    assert signed_in(shop, "u_al", SECOND)
    assert not signed_in(shop, "u_al", FIRST)
    made_up = tmp_path / "al"
    plan = users.rotate(ws, shop.url(), "shop.u_al", SecretRef(f"file:{made_up}"), generate=True)
    users.carry_out(ws, plan).raise_for_status()
    assert signed_in(shop, "u_al", made_up.read_text(encoding="utf-8").strip())
    with pytest.raises(UsageError, match="has no password of its own"):
        users.rotate(ws, shop.url(), "shop.[eve@corp.example]", SecretRef("env:SECOND"))


def test_a_password_that_is_too_weak_is_not_repeated(
    shop: MssqlDatabase, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRST", "weak")
    with pytest.raises(DbopsError, match="not complex enough") as caught:
        users.apply(ws, spec({"u_al": PERSON}), shop.url())
    assert "'weak'" not in str(caught.value)
    assert shop.sql("SELECT name FROM sys.database_principals WHERE name LIKE 'app%'") == []


def test_offboard(shop: MssqlDatabase, ws: Workspace) -> None:
    users.apply(ws, spec({"u_al": PERSON, "u_heir": PERSON}), shop.url())
    shop.sql(
        "ALTER AUTHORIZATION ON SCHEMA::sales TO [u_al]",
        "CREATE ROLE [app_more] AUTHORIZATION [u_al]",
        "ALTER ROLE db_owner ADD MEMBER [u_al]",
    )
    shop.server.login("u_al")  # a login of the same name is another one, and its sessions stay
    with pytest.raises(UsageError, match=r"'shop\.u_al' owns"):
        users.offboard(ws, shop.url(), "shop.u_al")
    plan = users.offboard(ws, shop.url(), "shop.u_al", heir="shop.u_heir")
    its_own = shop.server.instance.login("u_al", FIRST, "shop")
    another = shop.server.instance.session("u_al")
    users.carry_out(ws, plan).raise_for_status()
    assert its_own.killed
    assert not another.killed
    owner = "SELECT USER_NAME(principal_id) FROM sys.schemas WHERE name = 'sales'"
    assert shop.sql(owner) == [("u_heir",)]
    role = "SELECT USER_NAME(owning_principal_id) FROM sys.database_principals WHERE name = 'app_more'"
    assert shop.sql(role) == [("u_heir",)]
    assert shop.sql("SELECT name FROM sys.database_principals WHERE name = 'u_al'") == []


def test_a_farewell_that_fails_can_be_taken_back(shop: MssqlDatabase, ws: Workspace) -> None:
    users.apply(ws, spec({"u_al": PERSON}), shop.url())
    shop.server.instance.faults.refuse(r"DROP USER", "ALTER ANY USER")
    plan = users.offboard(ws, shop.url(), "shop.u_al")
    [out] = [step for step in users.result(plan).steps if "DENY" in step.sql]
    assert out.sql == "USE [shop]; DENY CONNECT TO [u_al]"
    with pytest.raises(DbopsError, match="permission was denied"):
        users.carry_out(ws, plan).raise_for_status()
    assert not signed_in(shop, "u_al", FIRST)
    shop.server.sql(out.undo)
    assert signed_in(shop, "u_al", FIRST)


def test_absent(shop: MssqlDatabase, ws: Workspace) -> None:
    users.apply(ws, spec({"u_al": PERSON}), shop.url())
    gone = spec({"u_al": {"attributes": ["contained"], "state": "absent"}})
    assert planned(ws, gone, shop)[-1] == "USE [shop]; DROP USER [u_al]"
    users.apply(ws, gone, shop.url())
    assert planned(ws, gone, shop) == []


def test_a_database_that_is_not_contained(private_mssql: PrivateMssql, ws: Workspace) -> None:
    server = private_mssql(contained=True)
    server.create_database("shop")
    shop = MssqlDatabase(server, "shop")
    shop.sql("CREATE SCHEMA sales")
    with pytest.raises(InputError, match=r"^spec:\d+: u_al shall be a contained user, and the database shop") as caught:
        planned(ws, spec({"u_al": PERSON}), shop)
    assert "ALTER DATABASE [shop] SET CONTAINMENT = PARTIAL" in caught.value.hint
    assert "12824" in caught.value.hint


def test_a_server_that_lets_no_contained_user_in(shop: MssqlDatabase, ws: Workspace) -> None:
    shop.server.sql("EXEC sp_configure 'contained database authentication', 0", "RECONFIGURE")
    with pytest.raises(InputError, match=r"^spec:\d+: u_al .* the server lets none in") as caught:
        planned(ws, spec({"u_al": PERSON}), shop)
    assert "sp_configure 'contained database authentication', 1" in caught.value.hint


def test_one_that_is_not_there_needs_a_password(shop: MssqlDatabase, ws: Workspace) -> None:
    nameless = spec({"u_al": {"attributes": ["contained"]}})
    with pytest.raises(InputError, match=r"^spec:\d+: shop.u_al is not there and cannot be made: .* with a password"):
        planned(ws, nameless, shop)
    shop.sql(f"CREATE USER [u_al] WITH PASSWORD = '{FIRST}'", "CREATE ROLE app_read")
    assert planned(ws, nameless, shop) == ["USE [shop]; GRANT SELECT ON SCHEMA::[sales] TO [app_read]"]
