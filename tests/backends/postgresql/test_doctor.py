"""What rights and settings mean for the jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dbops.errors import ReadFailed
from dbops.model.doctor import Standing, Symptom
from dbops.model.finding import Missing
from dbops.model.server import Server, Tool, Version
from dbops_postgresql.doctor import Rights, examine, judge

NOW = datetime(2026, 1, 31, tzinfo=UTC)
SERVER = Server(
    engine="postgresql", version=(17, 10), version_text="17.10", role="primary", incarnation="7", user="dbops"
)
GOOD = Rights(
    superuser=False,
    replication=True,
    bypassrls=True,
    monitor=True,
    read_all_data=True,
    verifiers=True,
    wal_level="replica",
    wal_senders=10,
    slots=10,
    connection_limit=-1,
    valid_until=None,
    clock=NOW,
)
NOBODY = msgspec.structs.replace(
    GOOD, replication=False, bypassrls=False, monitor=False, read_all_data=False, verifiers=False
)


def problems(symptoms: Sequence[Symptom]) -> list[str]:
    return [one.summary for one in symptoms if one.standing is Standing.PROBLEM]


def test_the_login_of_grants_has_no_problem() -> None:
    assert problems(judge(GOOD, SERVER)) == []


def test_a_superuser_has_every_right() -> None:
    assert problems(judge(msgspec.structs.replace(NOBODY, superuser=True), SERVER)) == []


@pytest.mark.parametrize(
    ("field", "said", "job"),
    [
        ("monitor", "pg_monitor", "health"),
        ("read_all_data", "pg_read_all_data", "backup"),
        ("bypassrls", "BYPASSRLS", "backup"),
        ("verifiers", "pg_authid", "backup"),
        ("replication", "REPLICATION", "backup"),
    ],
)
def test_each_missing_right_is_one_problem_with_its_fix(field: str, said: str, job: str) -> None:
    symptoms = judge(msgspec.structs.replace(GOOD, **{field: False}), SERVER)
    (problem,) = problems(symptoms)
    assert said in problem
    fixes = [one.fix for one in symptoms if one.fix]
    assert fixes == [f"Run what this prints: dbops grants postgresql --for {job}"]


def test_13_has_no_right_to_read_everything() -> None:
    old = msgspec.structs.replace(SERVER, version=(13, 20))
    assert problems(judge(msgspec.structs.replace(GOOD, read_all_data=None), old)) == []


def test_a_managed_service_is_not_asked_for_base_backups() -> None:
    rds = msgspec.structs.replace(SERVER, edition="Amazon RDS")
    rights = msgspec.structs.replace(GOOD, replication=False, wal_level="minimal")
    assert problems(judge(rights, rds)) == []


@pytest.mark.parametrize("change", [{"wal_level": "minimal"}, {"wal_senders": 1}, {"slots": 0}])
def test_settings_that_keep_base_backups_from_working(change: dict[str, Any]) -> None:
    (problem,) = problems(judge(msgspec.structs.replace(GOOD, **change), SERVER))
    assert "base backups" in problem


def test_databases_that_are_closed_are_named() -> None:
    (problem,) = problems(judge(msgspec.structs.replace(GOOD, closed=["hr", "pay"]), SERVER))
    assert problem == "cannot connect to hr, pay: not looked at, not in a dump"


@pytest.mark.parametrize(("limit", "bad"), [(-1, False), (0, True), (1, True), (2, False)])
def test_a_login_needs_room_for_its_connections(limit: int, bad: bool) -> None:
    assert bool(problems(judge(msgspec.structs.replace(GOOD, connection_limit=limit), SERVER))) is bad


@pytest.mark.parametrize(("days", "bad"), [(-1, True), (13, True), (15, False)])
def test_a_password_that_ends_soon(days: int, bad: bool) -> None:
    rights = msgspec.structs.replace(GOOD, valid_until=NOW + timedelta(days=days))
    assert bool(problems(judge(rights, SERVER))) is bad


class Reader:
    """Answers with the given rights and size, or fails."""

    def __init__(self, rights: Rights | ReadFailed, size: int | Exception = 1000) -> None:
        self._rights, self._size = rights, size

    def rows(self, sql: str, into: type[Any], parameters: object = None) -> list[Any]:
        if isinstance(self._rights, Exception):
            raise self._rights
        return [self._rights]

    def scalar(self, sql: str, parameters: object = None) -> Any:
        if isinstance(self._size, Exception):
            raise self._size
        return self._size


class Host:
    """Has every program in one version, or none."""

    cpus = 1

    def __init__(self, version: Version | None) -> None:
        self._version = version

    def tool(self, name: str, places: Sequence[str] = (), at_least: Version = ()) -> Tool | Missing:
        if self._version is None:
            return Missing("tool_missing", f"no {name}")
        return Tool(name=name, path=f"/bin/{Path(name).name}", version=self._version)

    def free_bytes(self, path: Path) -> int | Missing:
        return 0


def examined(reader: Reader, host: Host) -> Any:
    return examine(reader, SERVER, host, ())  # type: ignore[arg-type]  # only what examine uses of a reader


def test_programs_of_the_servers_version_are_well() -> None:
    found = examined(Reader(GOOD), Host((17, 10)))
    assert problems(found.symptoms) == []
    assert (found.data_bytes, found.clock) == (1000, NOW)


@pytest.mark.parametrize("version", [(16, 4), None])
def test_programs_that_are_too_old_or_missing_say_what_will_fail(version: Version | None) -> None:
    said = problems(examined(Reader(GOOD), Host(version)).symptoms)
    assert len(said) == 5
    assert said[0].startswith("logical backups will fail: ")
    assert "17 or newer is needed" in said[0]


def test_newer_clients_do_but_newer_servers_do_not() -> None:
    said = problems(examined(Reader(GOOD), Host((18, 1))).symptoms)
    assert [line.split(" will")[0] for line in said] == [
        "restore tests of physical backups",
        "restore tests of logical backups",
    ]


def test_what_cannot_be_asked_is_unknown() -> None:
    failed = ReadFailed("db1: canceling statement", reason="timeout")
    found = examined(Reader(failed), Host((17, 10)))
    assert [one.summary for one in found.symptoms if one.standing is Standing.UNKNOWN] == ["db1: canceling statement"]
    assert isinstance(found.clock, Missing)
    found = examined(Reader(GOOD, failed), Host((17, 10)))
    assert found.data_bytes == Missing("timeout", "db1: canceling statement")
