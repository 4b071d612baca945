"""The modelled Azure SQL Database: what is not there is an error, and logins are a matter of master."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulators.mssql.answers import Failed, Refused
from tests.simulators.mssql.instance import Instance


@pytest.fixture(scope="module")
def prepared() -> Instance:
    instance = Instance(version="12.0.2000.8", edition="SQL Azure", engine_edition=5)
    instance.execute("CREATE DATABASE shop")
    instance.execute("CREATE LOGIN bob WITH PASSWORD = N'Secret-1234'")
    return instance


@pytest.fixture
def azure(prepared: Instance) -> Iterator[Instance]:
    kept = prepared.keep()
    yield prepared
    prepared.put_back(kept)


def number(instance: Instance, sql: str, database: str) -> int:
    with pytest.raises(Failed) as caught:
        instance.execute(sql, database=database)
    return caught.value.messages[-1].number


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE LOGIN al WITH PASSWORD = N'Secret-1234'", 5001),
        ("ALTER LOGIN bob DISABLE", 5001),
        ("DROP LOGIN bob", 5001),
        ("ALTER SERVER ROLE [##MS_LoginManager##] ADD MEMBER bob", 5001),
        ("CREATE DATABASE crm", 5001),
        ("USE master", 40508),
        ("SELECT name FROM master.sys.databases", 40515),
        ("SELECT name FROM sys.server_principals", 208),
        ("SELECT name FROM sys.sql_logins", 208),
        ("EXEC xp_logininfo 'x'", 2812),
    ],
)
def test_what_is_elsewhere(azure: Instance, sql: str, expected: int) -> None:
    assert number(azure, sql, "shop") == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE LOGIN al WITH PASSWORD = N'Secret-1234', CHECK_POLICY = OFF", 40517),
        ("CREATE LOGIN al WITH PASSWORD = N'Secret-1234' MUST_CHANGE", 40517),
        (f"CREATE LOGIN al WITH PASSWORD = 0x0200{'00' * 68} HASHED", 40517),
        ("ALTER LOGIN bob WITH DEFAULT_DATABASE = shop", 40517),
        ("CREATE SERVER ROLE ops", 40510),
        ("BACKUP DATABASE shop TO DISK = 'x'", 40510),
        ("RECONFIGURE", 40510),
        ("EXEC sp_configure 'xp_cmdshell', 1", 2812),
        ("GRANT VIEW SERVER STATE TO bob", 40521),
        ("SELECT class FROM sys.server_permissions", 208),
    ],
)
def test_what_is_nowhere(azure: Instance, sql: str, expected: int) -> None:
    assert number(azure, sql, "master") == expected


def test_what_master_shows(azure: Instance) -> None:
    roles = "SELECT name FROM sys.server_principals WHERE type = 'R' AND is_fixed_role = 1"
    assert {str(name)[:5] for (name,) in azure.execute(roles)} == {"##MS_"}
    assert ("bob",) in azure.execute("SELECT name FROM sys.sql_logins")
    assert azure.execute("SELECT name FROM sys.databases ORDER BY name") == [("master",), ("shop",)]
    special = "SELECT name FROM sys.database_principals WHERE name IN ('dbmanager', 'loginmanager') ORDER BY name"
    assert azure.execute(special) == [("dbmanager",), ("loginmanager",)]
    assert azure.execute(special, database="shop") == []


def test_contained_users_need_no_preparation(azure: Instance) -> None:
    azure.execute("CREATE USER al WITH PASSWORD = N'Secret-1234'", database="shop")
    session = azure.login("al", "Secret-1234", "shop")
    seen = "SELECT authenticating_database_id FROM sys.dm_exec_sessions WHERE original_login_name = 'al'"
    assert azure.execute(seen, database="shop") == [(session.current.database_id,)]
    with pytest.raises(Refused):
        azure.login("al", "Secret-1234", "master")


def test_the_name_of_a_contained_user_goes_before_that_of_a_login(azure: Instance) -> None:
    azure.execute("CREATE USER bob WITH PASSWORD = N'Another-1234'", database="shop")
    assert azure.login("bob", "Another-1234", "shop").identity.login is None
    with pytest.raises(Refused):
        azure.login("bob", "Secret-1234", "shop")
    assert azure.login("bob", "Secret-1234", "master").identity.login is not None


def test_options_of_who_the_database_lets_in(azure: Instance) -> None:
    azure.execute("CREATE USER bob FOR LOGIN bob", database="shop")
    assert number(azure, "ALTER USER bob WITH PASSWORD = N'Secret-1234'", "shop") == 33234
    assert number(azure, "ALTER USER bob WITH DEFAULT_LANGUAGE = French", "shop") == 33234
    azure.execute("CREATE USER al WITH PASSWORD = N'Secret-1234', DEFAULT_LANGUAGE = French", database="shop")
    assert number(azure, "ALTER USER al WITH PASSWORD = N'weak'", "shop") == 15118
    azure.execute("ALTER USER al WITH DEFAULT_LANGUAGE = NONE", database="shop")
    shown = "SELECT default_language_name FROM sys.database_principals WHERE name = 'al'"
    assert azure.execute(shown, database="shop") == [(None,)]
