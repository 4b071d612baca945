"""``dbops doctor`` without any server."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dbops.cli.main import run

Capture = pytest.CaptureFixture[str]


def test_without_a_configuration_it_says_how_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "PROBLEM  configuration: there is no dbops.toml" in shown
    assert "dbops init" in shown
    assert shown.endswith("1 problems, 0 unknown, 2 looked at\n")


def test_a_target_that_is_down(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "dbops.toml"
    path.write_text('[targets.shop]\nurl = "postgresql://dbops@127.0.0.1:1/shop"\n')
    assert run(["doctor", "--config", str(path), "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["status"], document["problems"]) == ("dbops.doctor/1", "problem", 1)
    (problem,) = [one for one in document["symptoms"] if one["standing"] == "problem"]
    assert (problem["subject"], problem["area"]) == ("shop", "connection")
    assert "Connection refused" in problem["summary"]
    assert problem["fix"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_state_directory_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    monkeypatch.setenv("DBOPS_STATE", str(tmp_path / "closed" / "state"))
    monkeypatch.chdir(tmp_path)
    assert run(["doctor"]) == 1
    assert "the state cannot be written here" in capsys.readouterr().out
