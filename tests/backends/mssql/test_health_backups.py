"""Backups out of msdb, whoever made them: how old, of what worth, and of which database."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.model.health import Row, Status
from tests.backends.mssql.health_samples import (
    CRITICAL,
    DAY,
    HIDDEN,
    HOUR,
    OK,
    OTHER,
    SKIPPED,
    UNKNOWN,
    WARNING,
    backup,
    database,
    result,
    sql_of,
)

SIMPLE = database("archive", id=6, recovery_model="SIMPLE", log_backup_lsn=None)


# Full and differential


@pytest.mark.parametrize(
    ("minutes", "status"),
    [(30, OK), (36 * HOUR - 1, OK), (36 * HOUR, WARNING), (7 * DAY - 1, WARNING), (7 * DAY, CRITICAL)],
)
def test_the_age_of_the_newest_full_backup(minutes: int, status: Status) -> None:
    found = result("ms.backup.age", catalogue=[database()], backups=[backup("D", minutes)])
    assert (found.status, found.value) == (status, minutes * 60.0)
    assert found.summary.startswith("shop: the newest full backup is ")


def test_a_differential_counts_as_long_as_its_full_backup_is_there() -> None:
    old = backup("D", 10 * DAY)
    found = result("ms.backup.age", catalogue=[database()], backups=[old, backup("I", 60)])
    assert (found.status, found.summary) == (OK, "shop: the newest differential backup is 1h 0m old")
    lost = result("ms.backup.age", catalogue=[database()], backups=[old, backup("I", 60, has_base=0)])
    assert (lost.status, lost.summary) == (CRITICAL, "shop: the newest full backup is 10d 0h old")


@pytest.mark.parametrize("changed", [{"is_damaged": 1}, {"thrown_away": 1}, {"family": OTHER}, {"name": "shop2"}])
def test_what_cannot_bring_this_database_back_does_not_count(changed: Row) -> None:
    worthless = {**backup("D", 5), **changed}
    found = result("ms.backup.age", catalogue=[database()], backups=[worthless, backup("D", 8 * DAY)])
    assert (found.status, found.value) == (CRITICAL, 8 * DAY * 60.0)


def test_a_family_is_the_same_in_either_case() -> None:
    lower = {**backup("D", 5), "family": str(backup("D", 5)["family"]).lower()}
    assert result("ms.backup.age", catalogue=[database()], backups=[lower]).status is OK
    untold = {**backup("D", 5), "family": None}
    assert result("ms.backup.age", catalogue=[database()], backups=[untold]).status is OK


def test_none_at_all() -> None:
    found = result("ms.backup.age", catalogue=[database()], backups=[])
    assert (found.status, found.summary) == (CRITICAL, "shop: no full backup yet")
    assert sql_of(found) == "BACKUP DATABASE [shop] TO DISK = N'dbops_5.bak' WITH COPY_ONLY, CHECKSUM;"
    ancient = result("ms.backup.age", catalogue=[database(created_min=900 * DAY)], backups=[])
    assert (ancient.summary, ancient.value) == ("shop: no full backup in 60 days", 60 * DAY * 60.0)
    untold = result("ms.backup.age", catalogue=[database(created_min=None)], backups=[])
    assert untold.status is CRITICAL


def test_a_database_that_was_made_just_now_has_time() -> None:
    found = result("ms.backup.age", catalogue=[database(created_min=30)], backups=[])
    assert (found.status, found.value) == (OK, 1800.0)


def test_what_another_program_made_is_said_to_be_so() -> None:
    found = result("ms.backup.age", catalogue=[database()], backups=[backup("D", 60, is_snapshot=1)])
    assert found.summary.endswith("is 1h 0m old, made by another program")


def test_clocks_that_differ_give_no_age_below_zero() -> None:
    assert result("ms.backup.age", catalogue=[database()], backups=[backup("D", -59)]).value == 0.0


@pytest.mark.parametrize(
    "changed",
    [{"state": "OFFLINE"}, {"is_in_standby": 1}, {"in_group": 1, "updateability": "READ_ONLY"}, {"name": "tempdb"}],
)
def test_what_is_not_backed_up_here_is_left_alone(changed: Row) -> None:
    fine = database("master", id=1, recovery_model="SIMPLE")
    both = [fine, {**database(), **changed}]
    found = result("ms.backup.age", catalogue=both, backups=[backup("D", 5, "master")])
    assert (found.status, found.objects) == (OK, 1)


def test_another_replica_may_have_made_one() -> None:
    member = database(in_group=1)
    found = result("ms.backup.age", catalogue=[member], backups=[backup("D", 9 * DAY)])
    assert (found.status, found.reason) == (UNKNOWN, "hidden_rows")
    assert "what other replicas of its group made is in their own msdb" in found.summary
    assert result("ms.backup.age", catalogue=[member], backups=[backup("D", 60)]).status is OK


def test_names_are_quoted_in_what_is_to_be_pasted() -> None:
    odd = database("a]b'c", id=7)
    found = result("ms.backup.age", catalogue=[odd], backups=[])
    assert sql_of(found) == "BACKUP DATABASE [a]]b'c] TO DISK = N'dbops_7.bak' WITH COPY_ONLY, CHECKSUM;"


@given(st.lists(st.integers(0, 60 * DAY), min_size=1, max_size=5), st.integers(0, 60 * DAY))
def test_an_older_backup_beside_a_newer_one_changes_nothing(ages: list[int], more: int) -> None:
    rows = [backup("D", age) for age in ages]
    before = result("ms.backup.age", catalogue=[database()], backups=rows)
    after = result("ms.backup.age", catalogue=[database()], backups=[*rows, backup("D", max(ages) + more)])
    assert (before.value, before.status) == (after.value, after.status)


# Logs


@pytest.mark.parametrize(("minutes", "status"), [(5, OK), (29, OK), (30, WARNING), (119, WARNING), (120, CRITICAL)])
def test_the_age_of_the_newest_log_backup(minutes: int, status: Status) -> None:
    found = result("ms.backup.log_age", catalogue=[database(), SIMPLE], backups=[backup("L", minutes)])
    assert (found.status, found.objects) == (status, 1)


def test_no_log_backup_in_full() -> None:
    found = result("ms.backup.log_age", catalogue=[database()], backups=[backup("D", 5)])
    assert (found.status, found.summary) == (CRITICAL, "shop: no log backup yet")
    # One made beside another's chain would split it.
    assert sql_of(found) == ""
    bulk = result("ms.backup.log_age", catalogue=[database(recovery_model="BULK_LOGGED")], backups=[])
    assert bulk.status is CRITICAL


def test_full_in_name_only() -> None:
    """Since no full backup began the chain, the log is cut at each checkpoint."""
    found = result("ms.backup.log_age", catalogue=[database(log_backup_lsn=None)], backups=[])
    assert found.status is CRITICAL
    assert found.summary == "shop is in FULL but has no log chain: without a full backup it is as in SIMPLE"
    assert sql_of(found) == "BACKUP DATABASE [shop] TO DISK = N'dbops_5.bak' WITH CHECKSUM;"
    new = result("ms.backup.log_age", catalogue=[database(log_backup_lsn=None, created_min=10)], backups=[])
    assert new.status is WARNING


def test_where_there_are_no_log_backups_by_choice() -> None:
    model = database("model", id=3)
    found = result("ms.backup.log_age", catalogue=[SIMPLE, model], backups=[])
    assert (found.status, found.summary) == (OK, "every database is in SIMPLE, without log backups")


def test_a_log_backup_to_nul_is_none() -> None:
    found = result("ms.backup.log_age", catalogue=[database()], backups=[backup("L", 5, thrown_away=1)])
    assert found.status is CRITICAL


def test_a_recovery_model_that_is_not_told_is_unknown() -> None:
    found = result("ms.backup.log_age", catalogue=[database(recovery_model=None)], backups=[])
    assert (found.status, found.reason) == (UNKNOWN, "null_value")


# Worth

GOOD = [backup("D", 600), backup("I", 300), backup("L", 10)]


def test_good_backups() -> None:
    found = result("ms.backup.damaged", catalogue=[database()], backups=GOOD)
    assert (found.status, found.summary) == (OK, "the newest backups are whole and have checksums")


def test_no_backup_to_look_at() -> None:
    found = result("ms.backup.damaged", catalogue=[database()], backups=[])
    assert (found.status, found.reason) == (SKIPPED, "no_rows")


@pytest.mark.parametrize(
    ("bad", "status", "said"),
    [
        (backup("D", 60, is_damaged=1), CRITICAL, "the newest full backup is damaged"),
        (backup("L", 5, thrown_away=1), CRITICAL, "the newest log backup went to NUL"),
        (backup("D", 60, thrown_away=1), CRITICAL, "the newest full backup went to NUL"),
        (backup("I", 60, has_base=0), CRITICAL, "the newest differential backup needs a full backup that"),
    ],
)
def test_the_newest_is_worth_nothing(bad: Row, status: Status, said: str) -> None:
    found = result("ms.backup.damaged", catalogue=[database()], backups=[*GOOD, bad])
    assert found.status is status
    assert found.summary.startswith(f"shop: {said}")


def test_a_newer_good_one_makes_up_for_it() -> None:
    older = backup("D", 700, is_damaged=1)
    assert result("ms.backup.damaged", catalogue=[database()], backups=[*GOOD, older]).status is OK


def test_a_copy_to_nul_is_a_measurement() -> None:
    trial = backup("D", 5, thrown_away=1, is_copy_only=1)
    assert result("ms.backup.damaged", catalogue=[database()], backups=[*GOOD, trial]).status is OK


def test_without_checksums() -> None:
    rows = [{**row, "has_checksums": 0} for row in GOOD]
    found = result("ms.backup.damaged", catalogue=[database()], backups=msgspec.convert(rows, list[Row]))
    assert (found.status, found.affected) == (WARNING, 3)
    assert "has no checksums: damage on the way to it is not noticed (and 2 more)" in found.summary


def test_backups_of_databases_that_are_gone_are_not_judged() -> None:
    gone = backup("D", 5, "gone", is_damaged=1)
    assert result("ms.backup.damaged", catalogue=[database()], backups=[*GOOD, gone]).status is OK


@pytest.mark.parametrize("check", ["ms.backup.age", "ms.backup.log_age", "ms.backup.damaged"])
def test_hidden_databases_are_unknown(check: str) -> None:
    found = result(check, rights=HIDDEN, catalogue=[database()], backups=GOOD)
    assert (found.status, found.reason) == (UNKNOWN, "hidden_rows")
    assert sql_of(found).splitlines()[0] == "GRANT VIEW ANY DATABASE TO [o]]dd'];"
    assert "GRANT SELECT ON [dbo].[backupset] TO [o]]dd'];" in sql_of(found)
