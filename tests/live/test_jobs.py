"""A nightly backup, a weekly proof, checks and pruning on a real server, unattended, under the login of the grants."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbops import registry
from dbops.testing.servers import ThrowawayServer

pytestmark = pytest.mark.postgres(newest=True)
JOBS = ("health", "audit", "backup")
DBOPS = (sys.executable, "-m", "dbops")

TOML = """
[defaults]
repository = "main"
[repositories.main]
url = "file://{directory}/repository"

[targets.shop]
url = "{url}"
password = "{password}"
[targets.shop.objective]
keep = {{ last = 1 }}
[targets.shop.verify]
into = "/tmp"
tools = "{tools}"

[jobs.nightly]
do = "backup"
targets = "all"
at = "* * * * *"
method = "dump"
[jobs.proof]
do = "verify"
targets = "shop"
at = "30 4 * * sun"
[jobs.checks]
do = "health"
targets = "shop"
at = "*/15 * * * *"
[jobs.audits]
do = "audit"
targets = "shop"
at = "0 6 * * *"
fail_on = "critical"
[jobs.prune]
do = "prune"
targets = "shop"
at = "45 5 * * *"
"""
Job = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def server(private_postgres: Callable[..., ThrowawayServer]) -> ThrowawayServer:
    started = private_postgres()
    started.sql("CREATE TABLE orders AS SELECT n, md5(n::text) AS text FROM generate_series(1, 20000) AS n")
    started.login("nightwatch")
    started.sql(registry.backend("postgresql").grants(JOBS, "nightwatch"))
    return started


@pytest.fixture
def config(server: ThrowawayServer, tmp_path: Path) -> Path:
    endpoint = server.endpoint("nightwatch")
    path = tmp_path / "dbops.toml"
    path.write_text(TOML.format(directory=tmp_path, url=endpoint, password=endpoint.password, tools=server.bindir))
    return path


@pytest.fixture
def environment(config: Path, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "DBOPS_STATE": str(tmp_path / "state"), "DBOPS_CONFIG": str(config)}


@pytest.fixture
def job(environment: dict[str, str]) -> Job:
    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        argv = [*DBOPS, "job", "run", *arguments, "--format", "json"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, timeout=180)
        assert done.stderr == "", done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        assert document["schema"] == "dbops.job.run/1"
        return done.returncode, document

    return run


def only(document: dict[str, Any]) -> dict[str, Any]:
    (target,) = document["jobs"][0]["targets"]
    found: dict[str, Any] = target
    return found


def test_backup_proof_and_prune_unattended(job: Job, environment: dict[str, str]) -> None:
    code, document = job("nightly")
    assert code == 0, document
    first = only(document)["facts"]["backup"]
    code, document = job("proof")
    assert (code, only(document)["status"], only(document)["facts"]["backup"]) == (0, "verified", first), document
    code, document = job("nightly")
    second = only(document)["facts"]["backup"]
    code, document = job("prune")
    # The last one that was proven is never deleted, whatever retention says.
    assert (code, only(document)["facts"]["deleted"]) == (0, [])
    assert job("proof")[0] == 0
    code, document = job("prune")
    assert (code, only(document)["status"], only(document)["facts"]["deleted"]) == (0, "done", [first])
    listed = subprocess.run(
        [*DBOPS, "backup", "list", "--format", "json"], capture_output=True, text=True, check=True, env=environment
    )
    assert [one["id"] for one in json.loads(listed.stdout)["backups"]] == [second]


def test_checks_and_audits_give_their_own_codes(job: Job) -> None:
    code, document = job("checks")
    target = only(document)
    assert code == target["code"] == 1  # there is no backup of this server
    assert {"backup.age", "backup.proof"} <= set(target["facts"]["not_ok"])
    code, document = job("audits")
    assert (code, only(document)["status"]) == (0, "ok"), document


def test_the_line_for_cron_makes_the_backup_that_is_due(environment: dict[str, str], config: Path) -> None:
    exported = subprocess.run(
        [*DBOPS, "job", "export", "cron"], capture_output=True, text=True, check=True, env=environment
    )
    (line,) = [line for line in exported.stdout.splitlines() if not line.startswith("#")]
    command = line.split(maxsplit=5)[5].replace("\\%", "%")
    bare = {name: environment[name] for name in ("DBOPS_STATE", "HOME")}
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, check=False, env=bare, timeout=180
    )
    jobs = {one["name"]: one for one in json.loads(done.stdout)["jobs"]}
    assert jobs["nightly"]["status"] == "done", done.stdout + done.stderr
    assert jobs["nightly"]["scheduled_for"].endswith(":00+00:00")


def test_a_server_that_is_down_is_69_for_its_target_alone(job: Job, server: ThrowawayServer) -> None:
    server.stop()
    code, document = job("nightly")
    assert code == 69
    assert only(document)["error"]["class"] == "Unreachable"
    assert document["jobs"][0]["status"] == "failed"


def test_terminated_in_the_middle_and_started_again(
    job: Job, server: ThrowawayServer, environment: dict[str, str]
) -> None:
    server.sql("INSERT INTO orders SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 400000) AS n")
    argv = [*DBOPS, "job", "run", "nightly", "--format", "json"]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    repository = Path(environment["DBOPS_CONFIG"]).parent / "repository"
    end = time.monotonic() + 60
    while not list(repository.rglob("vol-*")) and child.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    child.send_signal(signal.SIGTERM)
    out, said = child.communicate(timeout=120)
    assert child.returncode == 130, out + said
    assert json.loads(out)["error"]["class"] == "Interrupted"
    end = time.monotonic() + 60
    while server.sql("SELECT 1 FROM pg_stat_activity WHERE usename = 'nightwatch'"):
        assert time.monotonic() < end, "a session of it is still there"
        time.sleep(0.05)  # one ends a moment after who had it
    code, document = job("nightly")
    assert code == 0, document
