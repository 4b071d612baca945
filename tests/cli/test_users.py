"""``dbops users`` as a person and as a program meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbops.cli.main import run
from dbops.testing.servers import Database

pytestmark = pytest.mark.postgres(newest=True)


@pytest.fixture
def spec(database: Database, tmp_path: Path) -> Path:
    database.sql("CREATE TABLE t (i int)")
    place = tmp_path / "users.yaml"
    place.write_text(
        f"dbops: users/1\nmanage: {{principals: [alice, app_*], databases: [{database.name}]}}\n"
        f"roles:\n  app_read: {{grants: [{{object: 'table:{database.name}.public.t', can: [read]}}]}}\n"
        "users:\n  alice: {member_of: [app_read], password: env:ALICE_PASSWORD}\n",
        encoding="utf-8",
    )
    return place


def test_plan_apply_plan(
    database: Database,
    spec: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("ALICE_PASSWORD", "never-shown")
    assert run(["users", "plan", str(spec), database.url(), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["status"], found["changes"]) == ("dbops.users.plan/1", "drift", 4)
    assert set(found["steps"][0]) == {"summary", "risk", "sql", "undo"}
    assert set(found["access_delta"][0]) == {"principal", "gains", "loses"}
    delta = {one["principal"]: one for one in found["access_delta"]}
    assert f"SELECT on table:{database.name}.public.t" in delta["alice"]["gains"]
    assert run(["users", "apply", str(spec), database.url()]) == 2
    assert "no terminal to ask on" in capsys.readouterr().err
    assert run(["users", "apply", str(spec), database.url(), "--yes"]) == 0
    out = "".join(capsys.readouterr())
    assert "never-shown" not in out
    assert "env:ALICE_PASSWORD" in out
    assert run(["users", "plan", str(spec), database.url()]) == 0
    assert "in sync" in capsys.readouterr().out
    assert run(["users", "apply", str(spec), database.url()]) == 0, "nothing to ask about"
    exported = tmp_path / "exported.yaml"
    assert run(["users", "export", database.url(), "-o", str(exported)]) == 0
    assert run(["users", "plan", str(exported), database.url()]) == 0


def test_a_saved_plan(
    database: Database,
    spec: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ALICE_PASSWORD", "x")
    plan = tmp_path / "plan.json"
    assert run(["users", "plan", str(spec), database.url(), "-o", str(plan)]) == 1
    assert database.url().rpartition("@")[0].rpartition(":")[2] not in plan.read_text(encoding="utf-8")
    assert "so 'dbops apply' cannot log in" in capsys.readouterr().err
    assert run(["plan", "show", str(plan)]) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dbops: users/1\nmanage: {principals: [a]}\nusrs: {}\n", "users.yaml:3: unknown key 'usrs'"),
        ("a: [", "users.yaml:2: not YAML"),
        (
            "dbops: users/1\nmanage: {principals: [a], databases: [nowhere]}\n",
            "the database nowhere cannot be read",
        ),
    ],
)
def test_a_spec_that_is_wrong(
    database: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, message: str
) -> None:
    place = tmp_path / "users.yaml"
    place.write_text(text + "\n", encoding="utf-8")
    assert run(["users", "plan", str(place), database.url()]) == 65
    assert message in capsys.readouterr().err


def test_no_file_at_all(database: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["users", "plan", str(tmp_path / "none.yaml"), database.url()]) == 65
    assert "cannot be read: No such file" in capsys.readouterr().err
    (tmp_path / "latin").write_bytes(b"\xff")
    assert run(["users", "plan", str(tmp_path / "latin"), database.url()]) == 65
    assert "not UTF-8" in capsys.readouterr().err


def test_rotate_and_offboard(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database.sql("CREATE ROLE alice LOGIN; CREATE ROLE heir; CREATE TABLE t (i int); ALTER TABLE t OWNER TO alice")
    monkeypatch.setenv("NEXT", "never-shown")
    assert run(["users", "rotate", database.url(), "alice"]) == 2
    assert "--password REF or --generate" in capsys.readouterr().err
    assert run(["users", "rotate", database.url(), "alice", "--password", "env:NEXT", "--yes"]) == 0
    assert "never-shown" not in "".join(capsys.readouterr())
    assert run(["users", "rotate", database.url(), "pg_monitor", "--password", "env:NEXT", "--yes"]) == 2
    capsys.readouterr()
    assert run(["users", "rotate", database.url(), "alice", "--generate", "/tmp/new", "--yes"]) == 78
    assert "--generate: this is not a reference to a secret" in capsys.readouterr().err
    assert run(["users", "rotate", database.url(), "alice", "--generate", "env:NEXT", "--yes"]) == 2
    assert run(["users", "offboard", database.url(), "alice", "--yes"]) == 2
    assert "--reassign-to" in capsys.readouterr().err
    assert run(["users", "offboard", database.url(), "alice", "--reassign-to", "heir", "--yes"]) == 0
    assert database.sql("SELECT 1 FROM pg_roles WHERE rolname = 'alice'") == []


def test_hashes_are_what_this_engine_does_not_carry_over(
    database: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["users", "export", database.url(), "--hashes", str(tmp_path / "hashes")]) == 2
    assert "users.hashes is not implemented: stored passwords are carried over" in capsys.readouterr().err
    assert not (tmp_path / "hashes").exists()
