"""What would fail at three in the morning, on a server that is well and on ones that are not."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dbops.config import BackupConfig, Config, JobConfig, RepositoryConfig, Target, VerifyConfig
from dbops.errors import Unsupported
from dbops.host import LocalHost
from dbops.model.doctor import Configured, Examined, Standing
from dbops.model.finding import Missing
from dbops.model.health import Status
from dbops.operations import backup, doctor, health
from dbops.operations.workspace import Workspace
from dbops.secrets import Secrets
from dbops.session import connect
from dbops.state import State
from dbops.testing.mssql import MssqlServer, PrivateMssql
from dbops_mssql import backend


def examined(server: MssqlServer, user: str = "") -> Examined:
    endpoint = server.endpoint(user)
    with connect(backend, endpoint, resolve=Secrets().resolve) as reader:
        return backend.examine(reader, backend.probe(reader), LocalHost(), Configured(endpoint=endpoint))


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


@pytest.mark.parametrize("job", ["", "backup", "verify"])
def test_what_no_job_needs_is_no_problem(private_mssql: PrivateMssql, tmp_path: Path, job: str) -> None:
    target = Target(name="s", endpoint=private_mssql().endpoint())
    jobs = {job: JobConfig(do=job, targets="s", at="15 2 * * *", name=job)} if job else {}
    ws = Workspace(Config(targets={"s": target}, jobs=jobs), state=State(tmp_path, clock=lambda: datetime.now(UTC)))
    said = [one for one in doctor.examine(ws, [target]).symptoms if one.subject == "s"]
    made = {one.standing for one in said if one.area == "settings" and one.summary.startswith("backups by")}
    assert made == {Standing.PROBLEM if job == "backup" else Standing.OK}
    [proof] = [one for one in said if "can be proven" in one.summary]
    assert proof.standing == (Standing.PROBLEM if job == "verify" else Standing.OK)
    assert not any(one.area == "disk" for one in said)


def test_the_instance_of_restore_tests_is_asked(private_mssql: PrivateMssql, tmp_path: Path) -> None:
    server, proof = private_mssql(), private_mssql(name="PROOF", version="17.0.1000.7").endpoint()
    ws = Workspace(Config(), state=State(tmp_path, clock=lambda: datetime.now(UTC)))
    into = f"mssql://sa@127.0.0.1:{proof.port}/?TrustServerCertificate=yes"
    good = VerifyConfig(into=into, password=str(proof.password))
    (tmp_path / "wrong").write_text("not-this-one")
    bad = VerifyConfig(into=into, password=f"file:{tmp_path / 'wrong'}")
    told: dict[str, list[str]] = {}
    for name, verify in (("good", good), ("bad", bad)):
        target = Target(name=name, endpoint=server.endpoint(), verify=verify)
        found = doctor.examine(ws, [target]).symptoms
        told[name] = [one.summary for one in found if one.summary.startswith("restore tests")]
    assert told["good"] == [
        f"restore tests go to mssql://sa@127.0.0.1:{proof.port}/: SQL Server 2025 (17.0.1000.7) answers"
    ]
    assert told["bad"][0].startswith("restore tests will fail: mssql://sa@127.0.0.1:")


def test_azure_sql_database_is_asked_about_the_database(private_mssql: PrivateMssql) -> None:
    server = private_mssql(version="12.0.2000.8", engine_edition=5)
    found = examined(server)
    assert not any("msdb" in one.summary or "enter" in one.summary for one in found.symptoms)
    assert any("the service makes its backups" in one.summary for one in found.symptoms)


def test_a_service_that_makes_its_backups_lacks_none_of_ours(private_mssql: PrivateMssql, tmp_path: Path) -> None:
    server = private_mssql(version="12.0.2000.8", engine_edition=5)
    repositories = {"main": RepositoryConfig(url=f"file://{tmp_path}/repository", name="main")}
    target = Target(name="s", endpoint=server.endpoint())
    config = Config(targets={"s": target}, repositories=repositories, default_repository="main")
    ws = Workspace(config, state=State(tmp_path / "state", clock=lambda: datetime.now(UTC)))
    checks = {one.id: one for one in health.check(ws, ["s"], only=["backup.*"]).checks}
    assert {one.status for one in checks.values()} == {Status.SKIPPED}
    assert checks["backup.age"].summary == "there is no BACKUP statement: the service makes its backups"
    for ask in (backup.plan, backup.run):
        with pytest.raises(Unsupported, match="the service makes its backups"):
            ask(ws, "s")


def test_a_managed_instance_does_not_write_to_disks(private_mssql: PrivateMssql, tmp_path: Path) -> None:
    server = private_mssql(version="12.0.2000.8", engine_edition=8)
    target = Target(name="s", endpoint=server.endpoint(), backup=BackupConfig(to=("D:\\b",), owns_chain=True))
    jobs = {"b": JobConfig(do="backup", targets="s", at="15 2 * * *", name="b")}
    ws = Workspace(Config(targets={"s": target}, jobs=jobs), state=State(tmp_path, clock=lambda: datetime.now(UTC)))
    said = {one.summary: one.standing for one in doctor.examine(ws, [target]).symptoms}
    wrong = "backups by full will fail: Managed Instance writes backups to URLs alone: set backup.to to one"
    assert said[wrong] is Standing.PROBLEM


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
