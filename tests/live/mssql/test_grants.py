"""Each login that `dbops grants` describes; and nobody gets in before it has a password."""

from __future__ import annotations

import pytest

from dbops.errors import NotPermitted
from dbops.testing.mssql import MssqlDatabase, PrivateMssql
from dbops_mssql import backend
from dbops_mssql.grants import JOBS

HOSTILE = ("]; DROP DATABASE x; --", ":login", 'it\'s a 50% "name"', "Grüße.ω")


@pytest.mark.parametrize("name", HOSTILE)
def test_the_text_can_be_run_again_and_with_any_name(mssql_database: MssqlDatabase, name: str) -> None:
    server = mssql_database.server
    for _ in range(2):
        server.sql(backend.grants(JOBS, name))
    assert name in server.logins()
    server.sql("USE [msdb]; DROP USER [" + name.replace("]", "]]") + "]")


def test_a_new_login_is_shut_until_it_has_a_password(mssql_database: MssqlDatabase) -> None:
    server = mssql_database.server
    text = backend.grants(["audit"], "fresh")
    server.sql(text)
    for password in ("", "0", "\0" * 8):
        server.remember("fresh", password)
        with pytest.raises(NotPermitted):
            server.sql("SELECT 1", user="fresh")
    [told] = [line for line in text.splitlines() if "ALTER LOGIN" in line]
    server.sql(told.removeprefix("--").strip().replace("…", "a-Long_one.7"))
    server.remember("fresh", "a-Long_one.7")
    assert server.sql("SELECT SUSER_SNAME()", user="fresh") == [("fresh",)]
    server.sql(text)
    assert server.sql("SELECT SUSER_SNAME()", user="fresh") == [("fresh",)], "to run it again takes nothing away"


@pytest.mark.parametrize("version", ["13.0.7000.253", "16.0.4135.4"])
def test_a_login_for_health_sees_all_that_the_checks_ask(private_mssql: PrivateMssql, version: str) -> None:
    server = private_mssql(version=version)
    server.create_database("shop")
    server.sql(backend.grants(["health"], "watch", tuple(map(int, version.split(".")))))
    server.sql("ALTER LOGIN [watch] WITH PASSWORD = N'a-Long_one.7'")
    server.remember("watch", "a-Long_one.7")
    for question in (
        "SELECT COUNT(*) FROM msdb.dbo.backupset",
        "SELECT COUNT(*) FROM msdb.dbo.suspect_pages",
        "SELECT COUNT(*) FROM sys.dm_os_performance_counters",
        "SELECT COUNT(*) FROM sys.dm_exec_connections",
        "SELECT COUNT(*) FROM shop.sys.database_files",
    ):
        server.sql(question, user="watch")
    assert server.sql("SELECT IS_SRVROLEMEMBER(N'sysadmin')", user="watch") == [(0,)]
