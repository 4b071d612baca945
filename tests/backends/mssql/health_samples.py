"""Servers, rights and rows as they come, for the tests of the checks; and the way from rows to an answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from dbops.health.decide import judge, observe
from dbops.model.finding import Missing
from dbops.model.health import Answer, Check, CheckResult, HealthFacts, Row, Status
from dbops.model.server import Server
from dbops_mssql.health import SQLServerHealth
from dbops_mssql.probe import DATABASE as AZURE
from dbops_mssql.probe import MANAGED_INSTANCE

NOW = datetime(2026, 5, 1, tzinfo=UTC)
OK, WARNING, CRITICAL, UNKNOWN, SKIPPED = (
    Status.OK,
    Status.WARNING,
    Status.CRITICAL,
    Status.UNKNOWN,
    Status.SKIPPED,
)
SERVER = Server(
    engine="mssql",
    version=(16, 0, 4135, 4),
    version_text="16.0.4135.4",
    role="primary",
    incarnation="own",
    edition="Developer Edition",
    user="o]dd'",
)
MANAGED = msgspec.structs.replace(SERVER, edition=MANAGED_INSTANCE, version=(16, 0))
DATABASE = msgspec.structs.replace(SERVER, edition=AZURE, version=(16, 0))
HEALTH = SQLServerHealth()
Rows = Mapping[str, list[Row] | Missing]

SEES: list[Row] = [{"server_state": 1, "performance_state": 1, "any_database": 1, "any_definition": 1}]
HIDDEN: list[Row] = [{"server_state": 0, "performance_state": 0, "any_database": 0, "any_definition": 0}]
# Before 2022 nobody has the narrower right, which is not known there.
OLDER: list[Row] = [{"server_state": 1, "performance_state": None, "any_database": 1, "any_definition": 1}]
FAMILY = "6C9D5B50-7B0A-4A07-9B7B-0A1F6B4E5A11"
OTHER = "00000000-7B0A-4A07-9B7B-0A1F6B4E5A11"
HOUR, DAY = 60, 1440


def database(name: str = "shop", /, **changed: object) -> Row:
    """One that is as it should be, made a month ago."""
    row: dict[str, object] = {
        "name": name, "id": 5, "state": "ONLINE", "user_access": "MULTI_USER", "is_read_only": 0, "is_in_standby": 0,
        "auto_close": 0, "auto_shrink": 0, "recovery_model": "FULL", "page_verify": "CHECKSUM",
        "log_reuse_wait": "NOTHING", "snapshot_of": None, "in_group": 0, "updateability": "READ_WRITE",
        "family": FAMILY, "log_backup_lsn": "37000000012300001", "created_min": 30 * DAY,
    }  # fmt: skip
    assert changed.keys() <= row.keys()
    return msgspec.convert({**row, **changed}, Row)


def backup(type_: str, age_min: int, name: str = "shop", **changed: object) -> Row:
    row: dict[str, object] = {
        "name": name, "type": type_, "family": FAMILY, "is_damaged": 0, "is_copy_only": 0, "is_snapshot": 0,
        "has_checksums": 1, "age_min": age_min, "thrown_away": 0, "has_base": 1,
    }  # fmt: skip
    assert changed.keys() <= row.keys()
    return msgspec.convert({**row, **changed}, Row)


def check_of(identity: str) -> Check:
    return next(one for one in HEALTH.checks() if one.id == identity)


def measured(identity: str, rows: Rows, server: Server = SERVER) -> CheckResult:
    """The answer from rows by question; in a check of databases they are those of the database ``shop``."""
    check = check_of(identity)
    answers = {name: one if isinstance(one, Missing) else Answer(rows=tuple(one)) for name, one in rows.items()}
    local = check.scope == "database"
    facts = HealthFacts(server=answers, databases={"shop": answers} if local else {})
    found = observe(check, facts, lambda known: list(HEALTH.measure(check, known, server, NOW)))
    return judge(msgspec.structs.replace(check, grants=HEALTH.grants(check, server)), found, (), NOW)


def result(identity: str, server: Server = SERVER, **rows: list[Row] | Missing) -> CheckResult:
    """With the rights that see everything, unless ``rights`` says otherwise."""
    return measured(identity, {"rights": SEES, **rows}, server)


def sql_of(found: CheckResult) -> str:
    assert found.remedy is not None
    return found.remedy.sql
