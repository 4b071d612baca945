"""A whole health check of MySQL and MariaDB, as a process, beside their own client asking the same questions, and
mysqltuner, which asks others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbops import registry
from dbops.model.server import Server, within
from dbops.testing.lend import Private
from dbops.testing.mysql import Series

TABLES = 300


# Any: the fixture's own types live in a conftest, which cannot be imported.
@pytest.mark.mysql(before="11.0", newest=True)
def test_health(
    private_mysql: Private, mysql_series: Series, race: Callable[..., Any], dbops: list[str], tmp_path: Path
) -> None:
    # mysqltuner divides by the size of a chunk, which newer MariaDB sets to 0 where it is not given.
    server = private_mysql(innodb_buffer_pool_chunk_size="2097152")
    server.create_database("shop")
    tables = "; ".join(f"CREATE TABLE t{number} (id int AUTO_INCREMENT PRIMARY KEY, n int)" for number in range(TABLES))
    server.sql(tables, database="shop")
    options = tmp_path / "client.cnf"
    options.touch(mode=0o600)
    options.write_text(
        f"[client]\nuser=root\npassword={server.password}\nhost=127.0.0.1\nport={server.port}\n", encoding="utf-8"
    )
    name = "mysql" if mysql_series.family == "mysql" else "mariadb"
    client, admin = server.bindir / name, server.bindir / f"{name}admin"
    if mysql_series.family == "mariadb":
        admin = server.bindir / "mariadb-admin"
    asked = _questions(tmp_path, mysql_series)
    commands = {
        f"{name}, the same questions": [str(client), f"--defaults-file={options}", "-B", "-e", f"source {asked}"],
        "dbops health check": [*dbops, "health", "check", server.url()],
    }
    if shutil.which("mysqltuner"):
        commands["mysqltuner"] = [
            "mysqltuner", "--defaults-file", str(options), "--mysqlcmd", str(client), "--mysqladmin", str(admin),
            "--nocolor", "--skippassword",
        ]  # fmt: skip
    race(f"health check of {mysql_series.label} with {TABLES} tables", commands, rounds=7, env={**os.environ})


def _questions(folder: Path, series: Series) -> Path:
    """Every question as the client can ask it."""
    version = ".".join(map(str, series.version))
    server = Server(
        engine=series.family, version=series.version, version_text=version, role="primary", incarnation="any"
    )
    questions = registry.backend(series.family).health.questions(server)
    texts = [one.sql for one in questions if within(series.version, one.since, one.until)]
    path = folder / "questions.sql"
    path.write_text(";\n".join(texts) + ";\n", encoding="utf-8")
    return path
