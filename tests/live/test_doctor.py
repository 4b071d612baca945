"""The doctor and ``targets test`` on real servers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbops import registry
from dbops.cli.main import run
from dbops.testing.servers import Database, ThrowawayServer

Capture = pytest.CaptureFixture[str]
JOBS = ("health", "audit", "backup")


def configure(directory: Path, database: Database, login: str) -> Path:
    endpoint = database.endpoint(login)
    path = directory / "dbops.toml"
    path.write_text(
        f"""
[defaults]
repository = "main"
[repositories.main]
url = "file://{directory}/repository"
[targets.shop]
url = "{endpoint}"
password = "{endpoint.password}"
[targets.shop.verify]
into = "{directory}"
tools = "{database.server.bindir}"
[jobs.nightly]
do = "backup"
targets = "shop"
at = "15 2 * * *"
"""
    )
    return path


def diagnose(path: Path, capsys: Capture) -> tuple[int, list[dict[str, str]]]:
    code = run(["doctor", "shop", "--config", str(path), "--format", "json"])
    symptoms: list[dict[str, str]] = json.loads(capsys.readouterr().out)["symptoms"]
    return code, symptoms


@pytest.fixture
def login(postgres: ThrowawayServer, database: Database) -> str:
    name = f"dr_{database.name}"
    postgres.login(name)
    return name


def test_a_login_made_by_grants_is_well(
    login: str, postgres: ThrowawayServer, database: Database, tmp_path: Path, capsys: Capture
) -> None:
    grants = registry.backend("postgresql").grants(JOBS, login)
    for name in (database.name, "postgres"):
        postgres.sql(grants, database=name)
    code, symptoms = diagnose(configure(tmp_path, database, login), capsys)
    bad = [(one["area"], one["summary"]) for one in symptoms if one["standing"] != "ok"]
    # Another test's database on the shared server may be closed to this login.
    bad = [one for one in bad if not one[1].startswith("cannot connect to ")]
    assert bad == []
    assert code in (0, 1)
    assert {one["area"] for one in symptoms} == {
        "configuration", "connection", "rights", "settings", "tools", "clock", "disk", "repository", "jobs",
    }  # fmt: skip


def test_a_bare_login_lacks_rights_and_each_has_a_fix(
    login: str, database: Database, tmp_path: Path, capsys: Capture
) -> None:
    code, symptoms = diagnose(configure(tmp_path, database, login), capsys)
    assert code == 1
    lacking = [one for one in symptoms if one["area"] == "rights" and one["standing"] == "problem"]
    assert len(lacking) >= 4
    assert all("dbops grants postgresql" in one["fix"] for one in lacking)


@pytest.mark.postgres(newest=True)
def test_a_wrong_password_is_a_connection_problem(
    login: str, database: Database, tmp_path: Path, capsys: Capture
) -> None:
    path = configure(tmp_path, database, login)
    wrong = tmp_path / "wrong"
    wrong.write_text("hunter2-wrong\n")
    wrong.chmod(0o644)
    path.write_text(path.read_text().replace(str(database.endpoint(login).password), f"file:{wrong}"))
    code, symptoms = diagnose(path, capsys)
    assert code == 1
    said = {one["area"]: one for one in symptoms if one["standing"] == "problem"}
    assert "password authentication failed" in said["connection"]["summary"]
    assert said["configuration"]["summary"].endswith("others can read this password")
    assert said["configuration"]["fix"] == f"chmod 600 {wrong}"
    assert "hunter2-wrong" not in json.dumps(symptoms)


@pytest.mark.postgres(newest=True)
def test_an_unwritable_repository_and_a_missing_password(database: Database, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "dbops.toml"
    (tmp_path / "file").write_text("")
    path.write_text(
        f"""
[repositories.main]
url = "file://{tmp_path}/file/repository"
[targets.shop]
url = "{database.endpoint()}"
password = "env:DBOPS_TEST_IS_NOT_SET"
[jobs.nightly]
do = "backup"
targets = "label:env=prod"
at = "15 2 * * *"
"""
    )
    path.chmod(0o666)
    code, symptoms = diagnose(path, capsys)
    assert code == 1
    said = [one["summary"] for one in symptoms if one["standing"] == "problem"]
    assert any(line.startswith("cannot be used: ") for line in said)
    assert any("DBOPS_TEST_IS_NOT_SET is not set" in line for line in said)
    assert any("no target has the label env=prod" in line for line in said)
    assert any("others can change it" in line for line in said)


@pytest.mark.postgres(newest=True)
def test_targets_test_keeps_one_dead_target_from_hiding_the_others(
    login: str, database: Database, tmp_path: Path, capsys: Capture
) -> None:
    path = configure(tmp_path, database, login)
    with path.open("a") as file:
        file.write('[targets.dead]\nurl = "postgresql://x@127.0.0.1:1/x"\n')
    assert run(["targets", "test", "--config", str(path), "--format", "json"]) == 69
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "dbops.targets.test/1"
    found = {one["target"]: one for one in document["targets"]}
    assert found["shop"]["code"] == 0
    assert found["shop"]["user"] == login
    assert found["shop"]["version"].startswith("PostgreSQL ")
    assert found["dead"]["code"] == 69
    assert found["dead"]["error"]["class"] == "Unreachable"
    assert run(["targets", "test", "shop", "--config", str(path)]) == 0
    assert "answers" in capsys.readouterr().out
    assert run(["targets", "list", "--config", str(path)]) == 0
    assert "dead    postgresql://x@127.0.0.1:1/x" in capsys.readouterr().out


KEY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"


@pytest.mark.postgres(newest=True)
@pytest.mark.parametrize(
    ("identity", "do", "standing", "said"),
    [
        ("", "verify", "problem", "no private key is configured here"),
        ("", "backup", "ok", "nothing can be restored from here"),
        ('identity = "env:DBOPS_TEST_IS_NOT_SET"', "verify", "problem", "DBOPS_TEST_IS_NOT_SET is not set"),
        ('identity = "env:DBOPS_TEST_KEY"', "verify", "ok", "encrypted, and readable from here"),
    ],
)
def test_an_encrypted_repository_that_cannot_be_read_is_no_good_for_proofs(
    *, identity: str, do: str, standing: str, said: str, database: Database, login: str, tmp_path: Path,
    capsys: Capture, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    import pyrage

    monkeypatch.setenv("DBOPS_TEST_KEY", KEY)
    public = pyrage.x25519.Identity.generate().to_public()
    path = configure(tmp_path, database, login)
    text = path.read_text().replace('do = "backup"', f'do = "{do}"')
    path.write_text(text.replace("[targets.shop]", f'encrypt_to = ["{public}"]\n{identity}\n[targets.shop]', 1))
    _, symptoms = diagnose(path, capsys)
    (found,) = [one for one in symptoms if one["area"] == "repository"]
    assert found["standing"] == standing
    assert said in found["summary"]
