"""Databases with names that nobody expects, through every reading: none is left out, and none is taken for another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbops.config import Config, Target
from dbops.model.doctor import Standing
from dbops.model.health import Status
from dbops.operations import access, doctor, health
from dbops.operations.workspace import Workspace
from dbops.state import State
from dbops.testing.mssql import MssqlServer, PrivateMssql

NAMES = ('odd ] name\'s "x" é', "a.b", "50%", "[x]", "日本 語", "Shop", "shop")
At = Callable[[MssqlServer], Workspace]


@pytest.fixture
def at(tmp_path: Path) -> At:
    def workspace(server: MssqlServer) -> Workspace:
        config = Config(targets={"s": Target(name="s", endpoint=server.endpoint())})
        return Workspace(config, state=State(tmp_path / "state", clock=lambda: datetime.now(UTC)), entropy=bytes)

    return workspace


def test_no_database_is_left_out_for_its_name(private_mssql: PrivateMssql, at: At) -> None:
    server = private_mssql(collation="Latin1_General_100_CS_AS")
    for name in NAMES:
        server.create_database(name)
        server.sql("CREATE TABLE dbo.[t ]] '.] (id int NOT NULL)", database=name)
    ws = at(server)
    found = access.snapshot(ws, "s")
    assert found.databases_missing == {}
    assert {one.database for one in found.objects if one.kind == "table"} >= set(NAMES)
    report = access.audit(ws, "s", self_check=100)
    assert report.databases_missing == {}
    assert report.disagreements == ()
    checked = health.check(ws, ["s"]).checks
    assert [one.summary for one in checked if one.status is Status.UNKNOWN] == []
    problems = [
        one.summary for one in doctor.examine(ws, [ws.target("s")]).symptoms if one.standing is Standing.UNKNOWN
    ]
    assert problems == []


@pytest.mark.parametrize("version", ["13.0.7000.1", "16.0.4135.4"])
def test_the_doctor_of_a_database_with_such_a_name_sees_its_rights(
    private_mssql: PrivateMssql, at: At, version: str
) -> None:
    server = private_mssql(version=version, engine_edition=5)
    server.create_database(NAMES[0])
    ws = at(server)
    endpoint = server.endpoint(database=NAMES[0])
    said = doctor.examine(ws, [Target(name="one", endpoint=endpoint)]).symptoms
    assert [one.summary for one in said if one.subject == "one" and one.area == "rights"] == [
        "the login sees sessions, waits and memory",
        "the login sees every principal and permission",
    ]
