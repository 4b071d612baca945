"""The doors' own connections, and the option file by which client programs find the same server."""

from __future__ import annotations

import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from dbops.errors import NotPermitted, ReadFailed, Unreachable
from dbops.model.server import Endpoint
from dbops.plan import SecretRef
from dbops.secrets import Secrets
from dbops.spi import Runtime
from dbops.testing.servers import Database, ThrowawayServer
from dbops_mysql.backup.link import connect, rows, understood
from dbops_mysql.installation import Family
from dbops_mysql.login import option_file

HOSTILE = "p\"a's#s\\w\n ord "
QUOTED = "'p\"a''s#s\\\\w\\n ord '"


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    lent = SimpleNamespace(secret=Secrets().resolve, workdir=lambda: tmp_path)
    return cast(Runtime, lent)


def linked(endpoint: Endpoint, runtime: Runtime, **more: bool) -> AbstractContextManager[Any]:  # Any: of PyMySQL
    return connect(endpoint, runtime, **more)


def test_it_is_patient_and_cannot_write(mysql_database: Database, runtime: Runtime) -> None:
    endpoint = mysql_database.endpoint()
    with linked(endpoint, runtime) as connection:
        (row,) = rows(connection, "SELECT @@wait_timeout AS patience, @@time_zone AS zone")
        assert row == {"patience": 2147483, "zone": "+00:00"}
        with pytest.raises(Exception, match="READ ONLY"):
            rows(connection, "CREATE TABLE t (a int)")
    with linked(endpoint, runtime, read_only=False) as connection:
        rows(connection, "CREATE TABLE t (a int)")
    assert mysql_database.sql("SHOW TABLES") == [("t",)]


def test_errors_are_understood(mysql_database: Database, runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong")
    endpoint = mysql_database.endpoint()
    wrong = msgspec.structs.replace(endpoint, password=SecretRef(f"file:{tmp_path / 'wrong'}"))
    with pytest.raises(NotPermitted, match="Access denied") as refused, linked(wrong, runtime):
        pass
    assert refused.value.reason == "auth_failed"
    gone = msgspec.structs.replace(endpoint, port=1)
    with pytest.raises(Unreachable, match="connect"), linked(gone, runtime):
        pass
    nowhere = endpoint.at("no_such_database")
    with pytest.raises(Unreachable, match="no_such_database"), linked(nowhere, runtime):
        pass
    with linked(endpoint, runtime) as connection, pytest.raises(ReadFailed, match="no_such_table"), understood("here"):
        rows(connection, "SELECT 1 FROM no_such_table")


def test_programs_find_the_same_server_whatever_the_password_is(
    mysql: ThrowawayServer, mysql_database: Database, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{mysql_database.name}_u"
    mysql.sql(f"CREATE USER {name}@localhost IDENTIFIED BY {QUOTED}")
    monkeypatch.setenv("HOSTILE", HOSTILE)
    endpoint = msgspec.structs.replace(
        mysql_database.endpoint(), user=name, database=None, password=SecretRef("env:HOSTILE")
    )
    family: Family = "mariadb" if endpoint.engine == "mariadb" else "mysql"
    path = option_file(endpoint, runtime, family)
    program = str(Path(mysql.bindir) / family)
    argv = [program, f"--defaults-file={path}", "--skip-column-names", "--batch", "--execute=SELECT CURRENT_USER()"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"{name}@localhost", done.stderr
