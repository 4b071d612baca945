"""A whole health check, as a process, beside psql asking the same questions and check_postgres asking fewer."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dbops.model.server import Server
from dbops.testing.servers import Database
from dbops_postgresql.health import PostgreSQLHealth

# One process for each, as a monitoring system runs them; it has no counterpart for the other checks.
ACTIONS = ("connection", "backends", "txn_idle", "txn_wraparound", "sequence", "prepared_txns", "locks")


# Any: the fixture's own types live in a conftest, which cannot be imported.
@pytest.mark.postgres(newest=True)
def test_health(database: Database, race: Callable[..., Any], dbops: list[str], tmp_path: Path) -> None:
    for chunk in range(10):
        names = [f"t{chunk}_{number}" for number in range(30)]
        database.sql("; ".join(f"CREATE TABLE {name} (id serial PRIMARY KEY, n int)" for name in names))
    url = database.url()
    psql = [str(database.server.bindir / "psql"), "-XqAt", "-d", url]
    if shutil.which(psql[0]) is None:
        psql[0] = "psql"
    commands = {
        "psql, the same questions": [*psql, "-f", str(_questions(tmp_path / "questions.sql"))],
        "dbops health check": [*dbops, "health", "check", url],
    }
    if shutil.which("check_postgres"):
        commands[f"check_postgres, {len(ACTIONS)} actions"] = ["sh", "-c", _check_postgres(url)]
    race("health check of a server with 300 tables and sequences", commands, rounds=7)


def _questions(path: Path) -> Path:
    """Every question as psql can ask it, one transaction each, in one session and one database."""
    server = Server(engine="postgresql", version=(15,), version_text="15", role="primary", incarnation="any")
    questions = PostgreSQLHealth().questions(server)
    texts = [one.sql.replace("%(after)s", "0").replace("%(page)s", "1000") for one in questions]
    path.write_text(";\n".join(["SET search_path = pg_catalog", *texts]) + ";\n", encoding="utf-8")
    return path


def _check_postgres(url: str) -> str:
    parts = urlsplit(url)
    where = f"-H {parts.hostname} -p {parts.port} -u {parts.username} -db {parts.path.lstrip('/')}"
    limits = {"txn_idle": "-w 5min", "locks": "-w 1000", "archive_ready": "-w 10 -c 100"}
    each = "; ".join(f"check_postgres --action={name} {where} {limits.get(name, '')} || true" for name in ACTIONS)
    return f"export PGPASSWORD={shlex.quote(parts.password or '')}; {each}"
