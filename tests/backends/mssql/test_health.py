"""The catalogue of SQL Server as a whole, and how rights, versions and Azure's services change what is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
import pytest

from dbops.health.decide import judge, observe
from dbops.model.finding import Missing
from dbops.model.health import Check, HealthFacts, Question, Row, Status
from dbops.model.server import Server
from dbops_mssql.health.pages import PAGES
from tests.backends.mssql.health_samples import (
    CRITICAL,
    DATABASE,
    HEALTH,
    HIDDEN,
    MANAGED,
    NOW,
    OK,
    SERVER,
    SKIPPED,
    UNKNOWN,
    WARNING,
    check_of,
    measured,
    result,
)

EVERY = HEALTH.checks()
NEEDY = [check for check in EVERY if check.needs]
SERVERS = {"server": SERVER, "managed": MANAGED, "database": DATABASE}
QUESTIONS = {(where, one.name): one for where, server in SERVERS.items() for one in HEALTH.questions(server)}


@pytest.mark.parametrize("check", NEEDY, ids=lambda one: one.id)
@pytest.mark.parametrize("reason", ["no_permission", "timeout", "lock_timeout"])
def test_no_check_is_ok_without_its_facts(check: Check, reason: str) -> None:
    missing: Mapping[str, list[Row] | Missing] = dict.fromkeys((*check.needs, *check.also), Missing(reason))
    found = measured(check.id, missing)
    assert (found.status, found.reason) == (UNKNOWN, reason)


@pytest.mark.parametrize("check", NEEDY, ids=lambda one: one.id)
def test_no_check_is_ok_when_every_column_is_null(check: Check) -> None:
    row: Row = dict.fromkeys(("name", "id", "pages", "group_name", "replica", "total_kb", "type", "server_state"))
    found = measured(check.id, {need: [row] for need in (*check.needs, *check.also)})
    assert found.status is UNKNOWN, found


@pytest.mark.parametrize("check", [one for one in NEEDY if "rights" in one.needs], ids=lambda one: one.id)
def test_no_check_is_ok_for_a_login_that_sees_nothing(check: Check) -> None:
    """Views that hide rows say nothing about it: every answer is empty, and only the rights tell."""
    empty: dict[str, list[Row] | Missing] = {name: [] for name in (*check.needs, *check.also)}
    found = measured(check.id, {**empty, "rights": HIDDEN})
    assert found.status is UNKNOWN, found
    if found.reason == "hidden_rows":
        assert found.remedy is not None
        assert found.remedy.sql.startswith(("GRANT VIEW", "USE [msdb]")), found.remedy


def test_the_catalogue_is_whole() -> None:
    names = {one.name for one in HEALTH.questions(SERVER)}
    for check in EVERY:
        assert {*check.needs, *check.also} <= names, check.id
        assert check.engine == "mssql"
        assert check.id.startswith("ms.")
        assert check.title
        assert check.remedy.text
        assert check.remedy.url in PAGES.values()
        assert check.privilege
        assert check.source
        assert bool(check.grants) is bool(check.needs), check.id
    used = {name for check in EVERY for name in (*check.needs, *check.also)}
    assert names - used == {"databases"}
    assert len({check.id for check in EVERY}) == len(EVERY) >= 15


def test_the_pages_are_of_the_documentation() -> None:
    assert {check.remedy.url for check in EVERY} == set(PAGES.values())
    for url in PAGES.values():
        assert re.fullmatch(r"https://learn\.microsoft\.com/sql/[a-z0-9/-]+", url)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=[f"{where}-{name}" for where, name in QUESTIONS])
def test_each_question_only_reads(question: Question) -> None:
    body = "\n".join(line for line in question.sql.splitlines() if not line.startswith("--"))
    assert body.startswith(("SELECT", "WITH"))
    plain = re.sub("'[^']*'", "", body)
    assert not re.search(r"\b(INSERT|UPDATE|DELETE|ALTER|CREATE|DROP|EXEC|SET|INTO|MERGE|TRUNCATE|USE)\b", plain)
    # A statement of several result sets, or one that takes parameters, is not what is asked.
    assert ";" not in plain
    assert "%(" not in body


def test_rights_are_asked_for_first() -> None:
    for server in SERVERS.values():
        assert HEALTH.questions(server)[0].name == "rights"
        assert "HAS_PERMS_BY_NAME" in HEALTH.questions(server)[0].sql


# Rights, in the words of each version


@pytest.mark.parametrize(
    ("version", "word"),
    [
        ((13, 0, 6300), "VIEW SERVER STATE"),
        ((15, 0, 4430), "VIEW SERVER STATE"),
        ((16, 0, 1000), "VIEW SERVER PERFORMANCE STATE"),
        ((17, 0, 1000), "VIEW SERVER PERFORMANCE STATE"),
    ],
)
def test_grants_are_in_the_words_of_the_version_for_the_login_in_use(version: tuple[int, ...], word: str) -> None:
    server = msgspec.structs.replace(SERVER, version=version)
    assert HEALTH.grants(check_of("ms.blocking"), server) == (f"GRANT {word} TO [o]]dd'];",)


def test_grants_in_msdb_make_the_user_that_they_are_for() -> None:
    grants = HEALTH.grants(check_of("ms.jobs.failed"), SERVER)
    assert grants == (
        "USE [msdb]; IF USER_ID(N'o]dd''') IS NULL CREATE USER [o]]dd'] FOR LOGIN [o]]dd'];",
        "USE [msdb]; GRANT SELECT ON [dbo].[sysjobs] TO [o]]dd'];",
        "USE [msdb]; GRANT SELECT ON [dbo].[sysjobservers] TO [o]]dd'];",
    )


def test_grants_in_azure_are_on_the_database() -> None:
    assert HEALTH.grants(check_of("ms.log.used"), DATABASE) == (
        "GRANT VIEW DATABASE STATE TO [o]]dd'];",
        "GRANT VIEW DEFINITION TO [o]]dd'];",
    )
    assert HEALTH.grants(check_of("ms.db.state"), DATABASE) == ()


# Azure's services


@pytest.mark.parametrize(
    ("server", "kept"),
    [
        (SERVER, set[str]()),
        (
            MANAGED,
            {
                "ms.backup.age", "ms.backup.log_age", "ms.backup.damaged", "ms.disk.free", "ms.memory", "ms.ag.health",
                "ms.ag.lag", "ms.version.eol",
            },
        ),
        (
            DATABASE,
            {
                "ms.backup.age", "ms.backup.log_age", "ms.backup.damaged", "ms.disk.free", "ms.memory", "ms.ag.health",
                "ms.ag.lag", "ms.version.eol", "ms.checkdb.age", "ms.corruption", "ms.jobs.failed",
            },
        ),
    ],
    ids=["server", "managed", "database"],
)  # fmt: skip
def test_what_a_service_sees_to_is_skipped_with_the_reason(server: Server, kept: set[str]) -> None:
    """And whatever is not skipped has all its questions there."""
    names = {one.name for one in HEALTH.questions(server)}
    for check in EVERY:
        found = measured(check.id, dict.fromkeys(check.needs, Missing("timeout")), server)
        if check.id in kept:
            assert (found.status, found.reason) == (SKIPPED, "not_applicable"), check.id
            assert len(found.summary) > 30
        else:
            assert found.status is not SKIPPED, check.id
            assert set(check.needs) <= names, check.id


def test_no_question_of_a_service_names_what_it_has_not() -> None:
    for one in HEALTH.questions(DATABASE):
        assert not re.search(r"msdb|master_files|dm_hadr|database_recovery_status|dm_os_", one.sql), one.name
    for one in HEALTH.questions(MANAGED):
        assert "dm_os_volume_stats" not in one.sql
    assert {one.name for one in HEALTH.questions(MANAGED)} < {one.name for one in HEALTH.questions(SERVER)}


def test_checks_of_databases_see_the_facts_of_the_server() -> None:
    """The filegroups of one database and the volumes of all."""
    check = check_of("ms.files.space")
    facts = HealthFacts(databases={"shop": {"files": Missing("no_permission", "HAS_DBACCESS is 0")}})
    found = judge(check, observe(check, facts, lambda a: list(HEALTH.measure(check, a, SERVER, NOW))), (), NOW)
    assert (found.status, found.reason) == (UNKNOWN, "no_permission")
    assert "database:shop" in str(found.evidence)


# Versions


@pytest.mark.parametrize(
    ("version", "status", "said"),
    [
        ((13, 0, 1601, 5), CRITICAL, "support of SQL Server 2016 without a service pack ended on 2018-01-09"),
        ((13, 0, 4001, 0), CRITICAL, "support of SQL Server 2016 SP1 ended on 2019-07-09"),
        ((13, 0, 5026, 0), CRITICAL, "support of SQL Server 2016 SP2 ended on 2022-09-13"),
        ((13, 0, 6300, 2), WARNING, "support of SQL Server 2016 ends on 2026-07-14"),
        ((14, 0, 3500, 1), OK, "support of SQL Server 2017 ends on 2027-10-12"),
        ((15, 0, 4430, 1), OK, "support of SQL Server 2019 ends on 2030-01-08"),
        ((16, 0, 4135, 4), OK, "support of SQL Server 2022 ends on 2033-01-11"),
        ((17, 0, 1000, 7), OK, "support of SQL Server 2025 ends on 2036-01-06"),
    ],
)
def test_the_end_of_support_of_each_build(version: tuple[int, ...], status: Status, said: str) -> None:
    found = result("ms.version.eol", msgspec.structs.replace(SERVER, version=version))
    assert (found.status, found.summary) == (status, said)


def test_a_release_that_is_not_known_is_unknown() -> None:
    found = result("ms.version.eol", msgspec.structs.replace(SERVER, version=(19, 0, 1), version_text="19.0.1"))
    assert (found.status, found.reason) == (UNKNOWN, "stale_input")
    assert "19.0.1" in found.summary
    assert "2016, 2017, 2019, 2022, 2025" in found.summary
