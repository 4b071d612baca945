"""Days on which a careless program would call a bad backup good, or work on somebody else's server."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from dbops import Workspace
from dbops.errors import UsageError
from dbops.model.backup import Verdict
from dbops.model.recovery import Verification
from dbops.operations import backup, verify
from dbops.secrets import Secrets
from dbops.spi import Runtime
from dbops.testing.servers import ThrowawayServer
from dbops_postgresql.backup.basebackup import slot

LOGIN = "backup login"
FORBIDDING = """
CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no changes here''; END';
CREATE EVENT TRIGGER "forbid ""all"" this" ON ddl_command_start EXECUTE FUNCTION forbid();
"""
Make = Callable[..., ThrowawayServer]
Workspaces = Callable[..., Workspace]


def told(proof: Verification) -> str:
    return "\n".join(f"{check.verdict.value} {check.id}: {check.summary}" for check in proof.checks)


def small(make: Make, **settings: str) -> ThrowawayServer:
    server = make(**settings)
    server.login(LOGIN, "SUPERUSER")
    server.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)")
    return server


@pytest.mark.postgres(since=15, before=16)
def test_the_operator_s_own_variables_never_lead_a_proof_to_another_server(
    private_postgres: Make, workspace: Workspaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = small(private_postgres)
    ws = workspace(server)
    made = backup.run(ws, "shop", method="dump")
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    monkeypatch.setenv("PGHOST", "production.invalid")
    monkeypatch.setenv("PGPORT", str(server.port))
    monkeypatch.setenv("PGDATABASE", "production")
    monkeypatch.setenv("PGCHANNELBINDING", "require")
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "standby")
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
    proof = verify.verify(ws, made.backup.id, level="full")
    assert proof.verdict is Verdict.VERIFIED, told(proof)


@pytest.mark.postgres(since=15, before=16)
def test_a_database_that_cannot_be_dumped_is_refused_or_named(private_postgres: Make, workspace: Workspaces) -> None:
    server = small(private_postgres)
    server.sql("CREATE DATABASE closed")
    server.sql("ALTER DATABASE closed ALLOW_CONNECTIONS false")
    ws = workspace(server)
    with pytest.raises(UsageError, match="closed accepts no connections"):
        backup.run(ws, "shop", method="dump", databases=("closed",))
    made = backup.run(ws, "shop", method="dump")
    assert any("closed" in note and "no connections" in note for note in made.notes)


@pytest.mark.postgres(since=15, before=16)
def test_locks_event_triggers_and_read_only_databases_prevent_no_proof(
    private_postgres: Make, workspace: Workspaces
) -> None:
    server = small(private_postgres, max_prepared_transactions="5")
    server.sql("CREATE DATABASE archive")
    server.sql("CREATE TABLE a (x int PRIMARY KEY)", database="archive")
    server.sql("ALTER DATABASE archive SET default_transaction_read_only = on")
    # One session for all: a prepared transaction outlives it, with its locks.
    server.sql("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; PREPARE TRANSACTION 'left ''behind'")
    server.sql(FORBIDDING, database="template1")
    ws = workspace(server)
    for method in ("basebackup", "dump"):
        made = backup.run(ws, "shop", method=method)
        proof = verify.verify(ws, made.backup.id, level="full")
        assert proof.verdict is Verdict.VERIFIED, told(proof)
        if method == "basebackup":
            # pg_dump would wait for its lock.
            server.sql("ROLLBACK PREPARED 'left ''behind'")


@pytest.mark.postgres(since=15, before=16)
def test_a_dump_of_a_standby_says_what_it_lacks(private_postgres: Make, workspace: Workspaces) -> None:
    server = small(private_postgres)
    server.sql("CREATE UNLOGGED TABLE u (a int); INSERT INTO u VALUES (1)")
    server.stop()
    (server.datadir / "standby.signal").touch()
    server.start()
    ws = workspace(server)
    copied, dumped = (backup.run(ws, "shop", method=method) for method in ("basebackup", "dump"))
    for made in (copied, dumped):
        proof = verify.verify(ws, made.backup.id, level="full")
        assert proof.verdict is Verdict.VERIFIED, told(proof)
    assert "unlogged tables come back empty: a standby has nothing of them" in dumped.notes


@pytest.mark.postgres(since=15, before=16)
def test_a_base_backup_of_a_busy_server_carries_all_its_log(
    private_postgres: Make, workspace: Workspaces, tmp_path: Path
) -> None:
    server = small(private_postgres, max_wal_size="64MB", min_wal_size="32MB", checkpoint_timeout="30s")
    bench = server.bindir / "pgbench"
    if not bench.is_file():
        pytest.skip("there is no pgbench")
    environment = {**os.environ, "PGPASSWORD": server.password}
    where = ["--host=127.0.0.1", f"--port={server.port}", "--username=postgres"]
    fill = [str(bench), "-i", "-s", "10", "-q", *where, "postgres"]
    subprocess.run(fill, env=environment, check=True, capture_output=True)
    ws = workspace(server)
    with subprocess.Popen(
        [bench, "-n", "-c", "4", "-T", "120", *where, "postgres"], env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as load:  # fmt: skip
        try:
            made = backup.run(ws, "shop", method="basebackup")
        finally:
            load.kill()
    proof = verify.verify(ws, made.backup.id, level="full")
    assert proof.verdict is Verdict.VERIFIED, told(proof)


def test_a_slot_outlives_the_server_s_patience_with_idle_sessions(private_postgres: Make) -> None:
    server = private_postgres(idle_session_timeout="500ms")
    runtime = cast(Runtime, SimpleNamespace(secret=Secrets().resolve))
    with slot({"name": "dbops_kept", "major": server.major}, server.endpoint(), runtime):
        time.sleep(1.5)
        assert server.sql("SELECT slot_name, active FROM pg_replication_slots") == [("dbops_kept", True)]
