"""``dbops report`` without a server, and its plots."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dbops.cli.main import run
from dbops.model.report import Timing
from dbops.report.html.plots import available, durations

AT = datetime(2026, 3, 1, 2, 15, tzinfo=UTC)
TOML = """
[repositories.main]
url = "file://{directory}/repository"
[targets.shop]
url = "postgresql://dbops@127.0.0.1:1/shop"
timeout = "2s"
"""
TIMES = tuple(
    Timing(what=what, name="<b>&", started_at=AT + timedelta(minutes=n), seconds=n + 1, status="done")
    for n, what in enumerate(("backup", "verify", "job"))
)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "dbops.toml"
    path.write_text(TOML.format(directory=tmp_path))
    monkeypatch.setenv("DBOPS_CONFIG", str(path))
    monkeypatch.setenv("DBOPS_STATE", str(tmp_path / "state"))
    return path


@pytest.mark.usefixtures("config")
def test_a_server_that_is_down_hides_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.html"
    assert run(["report", "shop", "-o", str(path)]) == 0
    assert capsys.readouterr().out == ""
    text = path.read_text()
    assert text.startswith("<!DOCTYPE html>")
    assert "There is none in the repository main." in text
    assert "Connection refused" in text


@pytest.mark.usefixtures("config")
def test_json_has_every_part_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "--all", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "dbops.report/1"
    (target,) = document["targets"]
    assert target["access"]["missing"] == "connect_failed"
    assert target["server"]["missing"]
    assert target["backups"]["backups"] == []


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("arguments", [[], ["shop", "--all"]])
def test_targets_or_all_but_not_both(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", *arguments]) == 2
    assert "give one TARGET or several, or --all" in capsys.readouterr().err


@pytest.mark.skipif(not available(), reason="not tested here: plots (no matplotlib)")
def test_plots_are_svg_escaped_and_always_the_same() -> None:
    first, again = durations(TIMES), durations(TIMES)
    assert first is not None
    assert first == again
    assert first.startswith("<svg")
    assert "backup &lt;b&gt;&amp;" in first
    assert "job " not in first  # its parts are there already
    assert durations(TIMES[:1]) is None
