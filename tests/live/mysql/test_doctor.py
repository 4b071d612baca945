"""The doctor on real servers of MySQL and MariaDB."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbops import registry
from dbops.cli.main import run
from dbops.testing.lend import Private
from dbops.testing.servers import Database, ThrowawayServer

Capture = pytest.CaptureFixture[str]


def diagnose(directory: Path, server: ThrowawayServer, login: str, capsys: Capture) -> tuple[int, list[dict[str, str]]]:
    endpoint = server.endpoint(login)
    path = directory / f"{login}.toml"
    path.write_text(
        f'[targets.shop]\nurl = "{endpoint}"\npassword = "{endpoint.password}"\n'
        f'[targets.shop.verify]\ninto = "{directory}"\ntools = "{server.bindir}"\n',
        encoding="utf-8",
    )
    code = run(["doctor", "shop", "--config", str(path), "--format", "json"])
    symptoms: list[dict[str, str]] = json.loads(capsys.readouterr().out)["symptoms"]
    return code, symptoms


def test_an_administrator_of_a_careful_server_is_well(private_mysql: Private, tmp_path: Path, capsys: Capture) -> None:
    code, symptoms = diagnose(tmp_path, private_mysql(log_bin="bin", server_id="1"), "root", capsys)
    assert [(one["area"], one["summary"]) for one in symptoms if one["standing"] != "ok"] == []
    assert code == 0
    assert {one["area"] for one in symptoms} >= {"connection", "rights", "settings", "tools", "clock", "disk"}


def test_a_bare_login_lacks_rights_and_each_has_a_fix(
    mysql_database: Database, tmp_path: Path, capsys: Capture
) -> None:
    server = mysql_database.server
    server.login("bare")
    code, symptoms = diagnose(tmp_path, server, "bare", capsys)
    assert code == 1
    engine = server.endpoint().engine
    lacking = [one for one in symptoms if one["summary"].startswith("the login lacks a right")]
    assert {one["fix"] for one in lacking} == {
        f"Run what this prints: dbops grants {engine} --for {job}" for job in ("health", "audit")
    }
    assert any("backups by dump will fail: bare@localhost lacks SELECT" in one["summary"] for one in symptoms)
    server.sql(registry.backend(engine).grants(["health"], "'bare'@'localhost'"))
    _, symptoms = diagnose(tmp_path, server, "bare", capsys)
    lacking = [one for one in symptoms if one["summary"].startswith("the login lacks a right")]
    assert {one["fix"].rpartition(" ")[2] for one in lacking} == {"audit"}


@pytest.mark.mysql(newest=True)
def test_a_password_that_expires(mysql_database: Database, tmp_path: Path, capsys: Capture) -> None:
    server = mysql_database.server
    server.login("aging")
    server.sql("ALTER USER aging@localhost PASSWORD EXPIRE INTERVAL 10 DAY")
    _, symptoms = diagnose(tmp_path, server, "aging", capsys)
    (unseen,) = [one for one in symptoms if "is good for" in one["summary"]]
    assert unseen["standing"] == "unknown"
    assert "is good for 10 days, and since when is not known" in unseen["summary"]
    server.sql("GRANT SELECT ON mysql.* TO aging@localhost")
    _, symptoms = diagnose(tmp_path, server, "aging", capsys)
    (seen,) = [one for one in symptoms if "is good for" in one["summary"]]
    assert (seen["standing"], seen["area"]) == ("problem", "rights")
    assert seen["summary"].endswith("is good for 10 days: 9 are left")
    server.sql("ALTER USER aging@localhost PASSWORD EXPIRE NEVER")
    _, symptoms = diagnose(tmp_path, server, "aging", capsys)
    assert not [one for one in symptoms if "is good for" in one["summary"]]


@pytest.mark.mysql(family="mariadb", newest=True)
def test_a_server_without_a_binary_log(mysql_database: Database, tmp_path: Path, capsys: Capture) -> None:
    code, symptoms = diagnose(tmp_path, mysql_database.server, "root", capsys)
    assert code == 1
    assert [one["summary"] for one in symptoms if one["standing"] == "problem"] == [
        "no instant between two backups can be recovered: the server writes no binary log (log_bin = OFF)"
    ]


@pytest.mark.mysql(family="mariadb", newest=True)
def test_a_server_that_asks_nobody_who_he_is(private_mysql: Private, tmp_path: Path, capsys: Capture) -> None:
    code, symptoms = diagnose(tmp_path, private_mysql(skip_grant_tables="ON"), "root", capsys)
    assert code == 1
    assert any("nobody is asked who he is (skip-grant-tables)" in one["summary"] for one in symptoms)
