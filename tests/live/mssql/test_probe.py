"""What dbops finds out about a server before anything else."""

from __future__ import annotations

import pytest

from dbops.errors import Unsupported
from dbops.model.server import Server
from dbops.secrets import Secrets
from dbops.session import connect
from dbops.testing.mssql import MssqlDatabase, MssqlServer, PrivateMssql
from dbops_mssql import backend
from dbops_mssql.probe import DATABASE, MANAGED_INSTANCE, RDS


def probed(server: MssqlServer, user: str = "", database: str | None = None) -> Server:
    with connect(backend, server.endpoint(user, database), resolve=Secrets().resolve) as reader:
        return backend.probe(reader)


def test_a_server_says_what_it_is(mssql: MssqlServer, mssql_database: MssqlDatabase) -> None:
    found = probed(mssql, database=mssql_database.name)
    assert found.version >= (13,)
    assert found.version_text.endswith(f"({'.'.join(map(str, found.version))})")
    assert (found.engine, found.role, found.database) == ("mssql", "primary", mssql_database.name)
    assert found.superuser
    assert found.user == mssql.administrator
    assert found.identity == probed(mssql).identity
    assert found.settings["collation"]
    assert "64-bit" not in found.edition


def test_a_login_without_any_right_can_ask(mssql: MssqlServer, mssql_database: MssqlDatabase) -> None:
    mssql.login("plain]login")
    found = probed(mssql, "plain]login")
    assert (found.user, found.superuser) == ("plain]login", False)


@pytest.mark.parametrize(
    ("version", "text"),
    [("13.0.7000.253", "2016"), ("14.0.3465.1", "2017"), ("15.0.4382.1", "2019"), ("17.0.1000.7", "2025")],
)
def test_every_release_has_its_name(private_mssql: PrivateMssql, version: str, text: str) -> None:
    found = probed(private_mssql(version=version))
    assert found.version_text == f"{text} ({version})"
    assert found.version == tuple(map(int, version.split(".")))


@pytest.mark.parametrize(("engine_edition", "edition"), [(5, DATABASE), (8, MANAGED_INSTANCE)])
def test_services_of_azure_are_told_by_what_they_are_and_not_by_their_number(
    private_mssql: PrivateMssql, engine_edition: int, edition: str
) -> None:
    found = probed(private_mssql(version="12.0.2000.8", edition="SQL Azure", engine_edition=engine_edition))
    assert (found.edition, found.version_text) == (edition, "12.0.2000.8")
    assert found.version >= (16,)


def test_one_that_is_too_old_is_refused(private_mssql: PrivateMssql) -> None:
    with pytest.raises(Unsupported, match=r"SQL Server 12\.0\.6024\.0 is older than 2016"):
        probed(private_mssql(version="12.0.6024.0"))


def test_what_is_no_sql_server_is_refused_by_name(private_mssql: PrivateMssql) -> None:
    with pytest.raises(Unsupported, match="Azure Synapse speaks T-SQL"):
        probed(private_mssql(engine_edition=6))


def test_a_collation_that_tells_case_apart_is_no_trouble(private_mssql: PrivateMssql) -> None:
    found = probed(private_mssql(collation="Latin1_General_100_BIN2"))
    assert found.settings["collation"] == "Latin1_General_100_BIN2"


def test_amazon_s_service_is_told_by_its_database(private_mssql: PrivateMssql) -> None:
    server = private_mssql()
    server.create_database("rdsadmin")
    assert probed(server).settings["managed_by"] == RDS
