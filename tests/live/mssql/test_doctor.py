"""What would fail at three in the morning, on a server that is well and on ones that are not."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dbops.host import LocalHost
from dbops.model.doctor import Examined, Standing
from dbops.model.finding import Missing
from dbops.secrets import Secrets
from dbops.session import connect
from dbops.testing.mssql import MssqlServer, PrivateMssql
from dbops_mssql import backend


def examined(server: MssqlServer, user: str = "") -> Examined:
    with connect(backend, server.endpoint(user), resolve=Secrets().resolve) as reader:
        return backend.examine(reader, backend.probe(reader), LocalHost(), ())


def problems(found: Examined) -> list[str]:
    return [one.summary for one in found.symptoms if one.standing is not Standing.OK]


def test_an_administrator_finds_nothing_wrong(mssql: MssqlServer) -> None:
    found = examined(mssql)
    assert problems(found) == []
    summaries = " | ".join(one.summary for one in found.symptoms)
    assert "Microsoft's ODBC driver" in summaries
    assert "the connection is encrypted" in summaries
    assert isinstance(found.clock, datetime)
    assert abs(found.clock - datetime.now(UTC)) < timedelta(days=1)
    assert isinstance(found.data_bytes, int)


@pytest.mark.parametrize("version", ["13.0.7000.253", "17.0.1000.7"])
def test_a_login_without_rights_is_told_what_to_run(private_mssql: PrivateMssql, version: str) -> None:
    server = private_mssql(version=version)
    server.create_database("shop")
    server.login("poor")
    found = examined(server, "poor")
    assert problems(found)[:3] == [
        "the login lacks a right, so it is not one that sees sessions, waits and memory",
        "the login lacks a right, so it is not one that sees every principal and permission",
        "the login cannot enter shop",
    ]
    assert [one for one in problems(found)[3:] if "whether backups can be made is not known" not in one] == []
    assert {one.fix for one in found.symptoms if one.standing is Standing.PROBLEM} == {
        "Run what this prints: dbops grants mssql --for health",
        "Run what this prints: dbops grants mssql --for audit",
        "GRANT CONNECT ANY DATABASE opens all of them.",
    }
    assert isinstance(found.data_bytes, Missing)
    server.sql(backend.grants(["health", "audit", "backup"], "poor"))
    assert problems(examined(server, "poor")) == []


def test_azure_sql_database_is_asked_about_the_database(private_mssql: PrivateMssql) -> None:
    server = private_mssql(version="12.0.2000.8", engine_edition=5)
    found = examined(server)
    assert not any("msdb" in one.summary or "enter" in one.summary for one in found.symptoms)
    assert any("the service makes its backups" in one.summary for one in found.symptoms)


PROGRAM = """
import sys
from dbops.cli.main import main
sys.argv = ["dbops", "audit", "snapshot", sys.argv[1]]
main()
"""


def test_a_driver_manager_that_is_missing_is_one_error_that_names_the_package(
    mssql: MssqlServer, tmp_path: Path
) -> None:
    """A file that is no library is found in front of the real one, so that loading it fails as it does without."""
    (tmp_path / "libodbc.so.2").touch()
    env = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, mssql.url()], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 78, done.stdout + done.stderr
    said = " ".join((done.stdout + done.stderr).split())
    assert "pyodbc cannot be loaded: " in said
    assert "libodbc.so.2" in said
    assert "apt-get install libodbc2" in said
    assert "Traceback" not in said
