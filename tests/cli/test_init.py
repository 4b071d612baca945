"""``dbops init``: a configuration to start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbops.cli.main import run
from dbops.config import load
from dbops.jobs.schedule import parse
from dbops.jobs.work import WORKS


def test_what_is_written_is_a_right_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init"]) == 0
    config = load(tmp_path / "dbops.toml")
    assert list(config.targets) == ["shop"]
    assert config.target("shop", lambda _: pytest.fail("no password")).repository == "main"
    assert {job.do for job in config.jobs.values()} <= set(WORKS)
    for job in config.jobs.values():
        parse(job.at)
        assert config.select(job.targets, lambda _: pytest.fail("no password"))


def test_every_commented_line_is_right_as_well(tmp_path: Path) -> None:
    """Whoever takes the mark away in front of a setting must not meet an error."""
    path = tmp_path / "all.toml"
    assert run(["init", str(path)]) == 0
    text = path.read_text()
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        if line.startswith("# ") and (bare.startswith("[") or " = " in bare) and not bare[0].isupper():
            text = text.replace(f"{line}\n", f"{bare}\n", 1)
    assert '\ntimezone = "Europe/Berlin"' in text
    path.write_text(text)
    config = load(path)
    assert config.targets["shop"].waivers[0].by == "alice"
    assert config.repositories["main"].encrypt_to
    assert config.targets["shop"].backup.owns_chain
    assert config.targets["shop"].verify.data


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dbops.toml"
    path.write_text("# mine\n")
    assert run(["init", str(path)]) == 73
    assert path.read_text() == "# mine\n"
    assert "is there already, and nothing was written" in capsys.readouterr().err
