"""`dbops health` and `dbops grants`: codes, documents, messages. A server that is down is a result: none is needed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import cast

import pytest

from dbops.cli.main import run

DOWN = "postgresql://nobody@127.0.0.1:1/x"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("DBOPS_CONFIG", raising=False)


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    code = run([*arguments, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_server_that_is_down_is_critical_and_the_rest_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = document(capsys, "health", "check", DOWN)
    assert code == 1
    assert (found["schema"], found["status"]) == ("dbops.health.check/1", "critical")
    assert found["target"] == {"name": "127.0.0.1-1", "engine": "postgresql", "address": DOWN}
    checks = {one["id"]: one for one in found["checks"]}  # type: ignore[attr-defined]  # a list, by the schema
    assert (checks["pg.up"]["status"], checks["pg.up"]["reason"]) == ("critical", "connect_failed")
    assert (checks["pg.slots.retained"]["status"], checks["pg.slots.retained"]["reason"]) == (
        "unknown",
        "connect_failed",
    )
    assert checks["backup.proof"]["status"] == "skipped"
    kept = {"id", "status", "reason", "summary", "value", "unit", "warning", "critical", "remedy", "evidence"}
    assert all(kept <= set(one) for one in checks.values())


def test_unknown_and_nothing_worse_is_76(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    waived = tmp_path / "dbops.toml"
    waived.write_text(
        f'[targets.shop]\nurl = "{DOWN}"\nwaivers = [{{ id = "pg.up", reason = "it is being moved" }}]\n',
        encoding="utf-8",
    )
    # Accepting that it is down leaves the rest unknown, and what kept us from asking is the code.
    assert run(["health", "check", "shop", "--only", "pg.u*", "--only", "pg.slots*"]) == 69
    text = capsys.readouterr().out
    assert "WAIVED    pg.up" in text
    assert "accepted: it is being moved" in text


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["health", "check", "nowhere"], 2, "there is no target 'nowhere'"),
        (["health", "check", DOWN, "--only", "pg.upp"], 2, "Did you mean pg.up?"),
        (["health", "check", DOWN, "--timeout", "0"], 2, "nothing answers in no time"),
        (["health", "check", DOWN, "--timeout", "1ms"], 2, "Write it as 30s, 15m, 2h, 7d or 4w."),
        (["health", "check", DOWN, "--skip", "zzz"], 2, "See: dbops health list."),
        (["health", "list", "oracle"], 2, "there is no backend called 'oracle'"),
        (["grants", "postgresql", "--for", "helth"], 2, "there is no job 'helth'"),
        (["grants", "oracle", "--for", "health"], 2, "there is no backend called 'oracle'"),
        (
            ["grants", "postgresql", "--for", "health", "--server-version", "new"],
            2,
            "'new' is not a version such as 15",
        ),
    ],
)
def test_what_is_wrong_is_said(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str) -> None:
    assert run(arguments) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('health = { thresholds = { "pg.upp" = { warning = 1 } } }', "Did you mean 'pg.up'?"),
        ('health = { thresholds = { "pg.up" = { warning = 9 } } }', "the warning at 9 would come after critical at 5"),
        ('health = { skip = ["pg.upp"] }', "targets.shop.health.skip: there is no check 'pg.upp'"),
        ('waivers = [{ id = "pg.up", reason = "r", until = "soon" }]', "waivers[0].until: 'soon' is not a time"),
    ],
)
def test_a_wrong_configuration_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, lines: str, said: str
) -> None:
    (tmp_path / "dbops.toml").write_text(f'[targets.shop]\nurl = "{DOWN}"\n{lines}\n', encoding="utf-8")
    assert run(["health", "check", "shop"]) == 78
    assert said in capsys.readouterr().err


def test_nagios_has_its_own_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["health", "check", DOWN, "-f", "nagios"]) == 2
    line = capsys.readouterr().out
    assert line.startswith("DBOPS HEALTH CRITICAL - 127.0.0.1-1: 1 critical")
    assert line.count("\n") == 1


def test_nagios_never_takes_our_mistake_for_a_state(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["health", "check", "nowhere", "-f", "nagios"]) == 3
    assert capsys.readouterr().out.startswith("DBOPS HEALTH UNKNOWN - there is no target 'nowhere'")


@pytest.mark.parametrize("format_", ["text", "json", "nagios", "prometheus", "junit", "sarif"])
def test_every_format_goes_into_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path, format_: str) -> None:
    run(["health", "check", DOWN, "-f", format_, "-o", str(tmp_path / "out")])
    assert "127.0.0.1-1" in (tmp_path / "out").read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""


def test_no_password_of_a_url_is_shown_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    run(["health", "check", "postgresql://nobody:s3cr3t-word@127.0.0.1:1/x", "-f", "json"])
    captured = capsys.readouterr()
    assert "s3cr3t-word" not in captured.out + captured.err


def test_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["health", "list", "postgresql"]) == 0
    text = capsys.readouterr().out
    assert "pg.sequence.exhaustion" in text
    assert "backup.proof" in text
    _, found = document(capsys, "health", "list")
    assert {"backup.age", "pg.up"} <= {one["id"] for one in found["checks"]}  # type: ignore[attr-defined]  # a list


@pytest.mark.parametrize("engine", ["mysql", "mariadb"])
def test_mysql_and_mariadb(capsys: pytest.CaptureFixture[str], engine: str) -> None:
    code, found = document(capsys, "health", "check", f"{engine}://nobody@127.0.0.1:1/x")
    assert (code, found["status"]) == (1, "critical")
    checks = {one["id"]: one for one in found["checks"]}  # type: ignore[attr-defined]  # a list, by the schema
    assert (checks["my.up"]["status"], checks["my.up"]["reason"]) == ("critical", "connect_failed")
    assert (checks["my.autoinc"]["status"], checks["my.autoinc"]["reason"]) == ("unknown", "connect_failed")
    assert run(["health", "list", engine]) == 0
    assert "my.replica.lag" in capsys.readouterr().out
    assert run(["grants", engine, "--for", "health", "--login", "'eye'@'10.%'", "--server-version", "10.11"]) == 0
    assert "GRANT PROCESS ON *.* TO `eye`@`10.%`;" in capsys.readouterr().out


def test_a_driver_that_is_missing_is_one_error_that_names_what_brings_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    code, found = document(capsys, "health", "check", "mysql://nobody@127.0.0.1:1/x")
    assert (code, found["status"]) == (78, "unknown")
    checks = {one["id"]: one for one in found["checks"]}  # type: ignore[attr-defined]  # a list, by the schema
    assert (checks["my.up"]["status"], checks["my.up"]["reason"]) == ("unknown", "driver_missing")
    assert "the driver cannot be loaded" in checks["my.up"]["summary"]
    assert checks["my.up"]["evidence"][0]["hint"] == "Install dbops again, with what it needs."
    assert run(["doctor", "mysql://nobody@127.0.0.1:1/x"]) == 1
    assert capsys.readouterr().out.count("the driver cannot be loaded") == 1


def test_grants(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["grants", "postgresql", "--for", "health, audit", "--login", "eye"]) == 0
    assert 'GRANT pg_monitor TO "eye";' in capsys.readouterr().out
    assert run(["grants", "postgresql", "--for", "backup", "--server-version", "13"]) == 0
    assert "pg_authid TO" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        ("empty", "critical", "there is no backup of this server"),
        ("file", "unknown", "the repository could not be read"),
    ],
)
def test_the_repository_is_asked_even_when_the_server_is_down(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str, status: str, said: str
) -> None:
    place = tmp_path / "repository"
    place.mkdir() if kind == "empty" else place.write_text("no directory", encoding="utf-8")
    (tmp_path / "dbops.toml").write_text(
        f'[repositories.main]\nurl = "{place.as_uri()}"\n[targets.shop]\nurl = "{DOWN}"\n', encoding="utf-8"
    )
    _, found = document(capsys, "health", "check", "shop", "--only", "backup.age")
    checks = cast("list[dict[str, str]]", found["checks"])
    assert checks[0]["status"] == status
    assert said in checks[0]["summary"]
