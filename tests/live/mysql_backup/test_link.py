"""The doors' own connections, and the option file by which client programs find the same server."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from dbops.errors import NotPermitted, ReadFailed, Unreachable
from dbops.plan import SecretRef
from dbops.secrets import Secrets
from dbops.spi import Runtime
from dbops.testing.servers import Database, ThrowawayServer
from dbops_mysql.backup.link import ask, connected
from dbops_mysql.installation import Family
from dbops_mysql.login import option_file

HOSTILE = "p\"a's#s\\w\n ord "
QUOTED = "'p\"a''s#s\\\\w\\n ord '"


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    lent = SimpleNamespace(secret=Secrets().resolve, workdir=lambda: tmp_path)
    return cast(Runtime, lent)


def test_it_is_patient(mysql_database: Database, runtime: Runtime) -> None:
    with connected(mysql_database.endpoint(), runtime) as link:
        assert ask(link, "SELECT @@wait_timeout, @@time_zone, '50%'") == [(2147483, "+00:00", "50%")]


def test_errors_are_understood(mysql_database: Database, runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong")
    endpoint = mysql_database.endpoint()
    wrong = msgspec.structs.replace(endpoint, password=SecretRef(f"file:{tmp_path / 'wrong'}"))
    with pytest.raises(NotPermitted, match="Access denied") as refused, connected(wrong, runtime):
        pass
    assert refused.value.reason == "auth_failed"
    gone = msgspec.structs.replace(endpoint, port=1)
    with pytest.raises(Unreachable, match="connect"), connected(gone, runtime):
        pass
    nowhere = endpoint.at("no_such_database")
    with pytest.raises(Unreachable, match="no_such_database"), connected(nowhere, runtime):
        pass
    with pytest.raises(ReadFailed, match="no_such_table"), connected(endpoint, runtime) as link:
        ask(link, "SELECT 1 FROM no_such_table")


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
