"""What rights, settings and programs mean for the jobs, from facts as they were read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from dbops.model.backup import BackupFacts, Blocker
from dbops.model.doctor import Standing
from dbops.model.finding import Missing
from dbops.model.server import Server, Tool
from dbops_mysql.backup import MySQLBackup
from dbops_mysql.doctor import (
    Password,
    expires,
    judge_backup,
    judge_connection,
    judge_password,
    judge_rights,
    judge_server,
)
from dbops_mysql.installation import Family, Installation
from dbops_mysql.rights import Rights, parse

SERVER = Server(engine="mysql", version=(9, 7, 4), version_text="9.7.4", role="primary", incarnation="u", user="x@%")
OK, PROBLEM, UNKNOWN = Standing.OK, Standing.PROBLEM, Standing.UNKNOWN
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(("family", "watches"), [("mysql", "REPLICATION CLIENT"), ("mariadb", "SLAVE MONITOR")])
def test_rights(family: str, watches: str) -> None:
    kind = cast(Family, family)
    bare = list(judge_rights(kind, Rights()))
    assert [one.standing for one in bare] == [PROBLEM] * 4
    assert {one.fix.rpartition(" ")[2] for one in bare} == {"health", "audit"}
    assert all(f"dbops grants {family} --for" in one.fix for one in bare)
    own = [f"GRANT PROCESS, {watches}, REFERENCES ON *.* TO `x`@`%`", "GRANT SELECT ON `mysql`.* TO `x`@`%`"]
    assert {one.standing for one in judge_rights(kind, parse(own))} == {OK}
    everything = ["GRANT ALL PRIVILEGES ON *.* TO `x`@`%` WITH GRANT OPTION"]
    assert {one.standing for one in judge_rights(kind, parse(everything))} == {OK}
    half = [one.standing for one in judge_rights(kind, parse(["GRANT SELECT ON *.* TO `x`@`%`"]))]
    assert half == [PROBLEM, PROBLEM, OK, OK]


@pytest.mark.parametrize(
    ("made", "default", "days"),
    [
        ("CREATE USER `x`@`%` IDENTIFIED WITH 'p' REQUIRE NONE PASSWORD EXPIRE DEFAULT ACCOUNT UNLOCK", "0", 0),
        ("CREATE USER `x`@`%` IDENTIFIED WITH 'p' REQUIRE NONE PASSWORD EXPIRE DEFAULT ACCOUNT UNLOCK", "90", 90),
        ("CREATE USER `x`@`%` IDENTIFIED WITH 'p' PASSWORD EXPIRE NEVER ACCOUNT UNLOCK", "90", 0),
        ("CREATE USER `x`@`%` IDENTIFIED WITH 'p' PASSWORD EXPIRE INTERVAL 30 DAY ACCOUNT UNLOCK", "90", 30),
        ("CREATE USER `x`@`%` IDENTIFIED BY PASSWORD '*HASH'", "0", 0),
        ("CREATE USER `x`@`%` IDENTIFIED BY PASSWORD '*HASH'", "60", 60),
        ("CREATE USER `x`@`%`", "", 0),
    ],
)
def test_how_long_a_password_is_good(made: str, default: str, days: int) -> None:
    assert expires(made, default) == days


@pytest.mark.parametrize(
    ("age", "standing", "said"),
    [
        (10, OK, "the password of x is good for 90 days: 80 are left"),
        (80, PROBLEM, "the password of x is good for 90 days: 10 are left"),
        (100, PROBLEM, "the password of x is good for 90 days, and they are over"),
    ],
)
def test_a_password_that_expires(age: int, standing: Standing, said: str) -> None:
    found = judge_password(Password(90, NOW - timedelta(days=age)), "x", NOW)
    assert (found.standing, found.summary) == (standing, said)
    assert bool(found.fix) is (standing is PROBLEM)


def test_a_password_of_unknown_age() -> None:
    found = judge_password(Password(90, Missing("no_permission", "SELECT command denied")), "x", NOW)
    assert found.standing is UNKNOWN
    assert found.summary.endswith("and since when is not known: SELECT command denied")
    assert judge_password(Password(90, NOW), "x", Missing("timeout", "late")).standing is UNKNOWN


def test_connections() -> None:
    assert judge_connection("TLS_AES_128", "10.0.0.9").standing is OK
    assert judge_connection("", "localhost").standing is OK
    plain = judge_connection("", "10.0.0.9")
    assert plain.standing is PROBLEM
    assert plain.summary == "the connection from 10.0.0.9 is not encrypted: others can listen to it"
    assert "ssl-mode" in plain.fix


LACKS = Blocker(method="dump", reason="x@% lacks SELECT on *.*")
AWAY = Blocker(method="physical", reason="the files are elsewhere")
NO_LOG = Blocker(method="log", reason="log_bin = OFF", setting="log_bin", value="ON", restart=True)
NO_PROGRAM = Blocker(method="dump", reason="mysqldump was not found")


def facts(*blockers: Blocker) -> BackupFacts:
    tools: dict[str, Tool | Missing] = {"dump": Missing("tool_missing", "mysqldump was not found")}
    return BackupFacts(databases=(), total_bytes=0, log_bytes_per_s=0.0, tools=tools, blockers=blockers)


def test_one_way_of_backup_is_enough() -> None:
    found = list(judge_backup(facts(AWAY), SERVER, MySQLBackup()))
    assert {one.standing for one in found} == {OK}
    assert [one.summary for one in found] == [
        "backups by dump can be made",
        "backups by physical cannot be made, those by dump can: the files are elsewhere",
    ]


def test_no_way_of_backup() -> None:
    found = list(judge_backup(facts(LACKS, AWAY, NO_PROGRAM), SERVER, MySQLBackup()))
    assert {one.standing for one in found} == {PROBLEM}
    assert [one.area for one in found] == ["rights", "rights", "tools"]
    assert "backups by dump will fail: x@% lacks SELECT on *.*" in [one.summary for one in found]


def test_no_binary_log() -> None:
    (found,) = [one for one in judge_backup(facts(NO_LOG), SERVER, MySQLBackup()) if one.standing is PROBLEM]
    assert found.summary == "no instant between two backups can be recovered: log_bin = OFF"
    assert (found.area, found.fix) == ("settings", "Set log_bin = ON in the configuration and restart.")


def installation(*version: int) -> Installation:
    place = Path("/x/bin")
    return Installation(family="mysql", version=version, server=place / "mysqld", bindir=place, origin="given")


def test_a_server_program_of_the_same_series() -> None:
    assert judge_server("mysql", SERVER, [installation(8, 4, 1), installation(9, 7, 1)]).standing is OK
    none = judge_server("mysql", SERVER, [])
    assert none.standing is PROBLEM
    assert none.summary == "restore tests will fail: no server program of MySQL 9.7 was found here"
    other = judge_server("mysql", SERVER, [installation(8, 4, 1)])
    assert other.summary.endswith("; there is MySQL 8.4.1 (given)")
    assert other.fix.startswith("Install MySQL 9.7, or name its directory")
