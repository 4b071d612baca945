"""``dbops job``: running, listing, exporting; the operations themselves are tested elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dbops.cli.main import run

TOML = """
[targets.shop]
url = "postgresql://dbops@127.0.0.1:1/shop"
timeout = "2s"

[jobs.checks]
do = "health"
targets = ["shop"]
at = "* * * * *"

[jobs.nightly]
do = "backup"
targets = "all"
at = "15 2 * * *"
timezone = "Europe/Berlin"
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DBOPS_STATE", str(tmp_path / "state"))
    path = tmp_path / "dbops.toml"
    path.write_text(TOML)
    monkeypatch.setenv("DBOPS_CONFIG", str(path))
    return path


def test_a_job_says_in_json_what_became_of_each_target(config: Path, capsys: Capture) -> None:
    code = run(["job", "run", "checks", "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "dbops.job.run/1"
    assert document["status"] == "failed"
    (job,) = document["jobs"]
    assert (job["name"], job["do"], job["status"], job["code"]) == ("checks", "health", "failed", code)
    assert [(one["target"], one["code"]) for one in job["targets"]] == [("shop", code)]
    assert code not in (0, 2)


def test_what_is_due_runs_once(config: Path, capsys: Capture) -> None:
    assert run(["job", "run", "--due", "--format", "json"]) != 0
    due = json.loads(capsys.readouterr().out)["jobs"]
    assert due[0]["name"] == "checks"
    run(["job", "history", "checks", "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    assert [job["name"] for job in document["jobs"]] == ["checks"]
    assert document["jobs"][0]["targets"][0]["target"] == "shop"


@pytest.mark.parametrize("arguments", [[], ["checks", "--due"]])
def test_a_name_or_due_but_not_both(arguments: list[str], config: Path, capsys: Capture) -> None:
    assert run(["job", "run", *arguments]) == 2
    assert "give either the NAME of a job or --due" in capsys.readouterr().err


def test_an_unknown_job(config: Path, capsys: Capture) -> None:
    assert run(["job", "run", "check"]) == 2
    assert "Did you mean 'checks'?" in capsys.readouterr().err


def test_the_list(config: Path, capsys: Capture) -> None:
    assert run(["job", "list"]) == 0
    shown = capsys.readouterr().out
    assert "nightly  backup  all" in shown
    assert "15 2 * * * Europe/Berlin" in shown
    assert "never" in shown


def test_an_empty_history(config: Path, capsys: Capture) -> None:
    assert run(["job", "history"]) == 0
    assert capsys.readouterr().out == "No job has run yet.\n"


def test_no_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["job", "list"]) == 0
    assert "No jobs are configured" in capsys.readouterr().out
    assert run(["job", "run", "--due"]) == 0
    assert capsys.readouterr().out == "Nothing is due.\n"


def test_units_are_written_and_named(config: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "new" / "units"
    assert run(["job", "export", "systemd", "--out", str(out)]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert sorted(path.name for path in out.iterdir()) == [
        "dbops-checks.service", "dbops-checks.timer", "dbops-nightly.service", "dbops-nightly.timer",
    ]  # fmt: skip
    assert f"--config {config}" in (out / "dbops-nightly.service").read_text()


def test_a_directory_that_cannot_be_made_is_73(config: Path, capsys: Capture) -> None:
    assert run(["job", "export", "systemd", "--out", str(config / "units")]) == 73
    assert "cannot be made: Not a directory" in capsys.readouterr().err


def test_the_line_for_cron_runs(config: Path, capsys: Capture) -> None:
    assert run(["job", "export", "cron"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
    schedule, command = " ".join(line.split()[:5]), line.split(maxsplit=5)[5]
    assert schedule == "*/5 * * * *"
    assert Path(command.split()[0]).is_relative_to(Path(sys.executable).parent)
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert json.loads(done.stdout)["schema"] == "dbops.job.run/1"


def test_two_runs_at_once_the_second_is_75(config: Path, tmp_path: Path, capsys: Capture) -> None:
    from datetime import UTC, datetime

    from dbops.state import State

    state = State(tmp_path / "state", clock=lambda: datetime.now(UTC))
    with state.lock("job checks", "job checks"):
        assert run(["job", "run", "checks", "--format", "json"]) == 75
    document = json.loads(capsys.readouterr().out)
    assert document["error"]["class"] == "Locked"
    assert "try again" in document["error"]["hint"]
