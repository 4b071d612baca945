"""The age of the newest backup and of the last proof."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dbops.health.catalogue import protection_checks
from dbops.health.decide import judge
from dbops.health.protection import backup_age, backup_proof
from dbops.model.finding import Missing
from dbops.model.health import CheckResult, Protection, Status

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
AGE, PROOF = protection_checks(3600, 86_400)


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


def age(found: Protection | Missing) -> CheckResult:
    return judge(AGE, backup_age(found, NOW), (), NOW)


def proof(found: Protection | Missing) -> CheckResult:
    return judge(PROOF, backup_proof(found, NOW), (), NOW)


def test_only_without_a_repository_it_is_skipped() -> None:
    nowhere = Missing("not_configured", "no repository is configured")
    for result in (age(nowhere), proof(nowhere)):
        assert (result.status, result.reason) == (Status.SKIPPED, "not_configured")


@pytest.mark.parametrize("reason", ["not_reachable", "timeout", "no_permission"])
def test_a_repository_that_cannot_be_read_is_unknown(reason: str) -> None:
    for result in (age(Missing(reason, "away")), proof(Missing(reason, "away"))):
        assert (result.status, result.reason) == (Status.UNKNOWN, reason)
        assert result.summary == "the repository could not be read: away"


def test_nothing_at_all_is_critical() -> None:
    assert age(Protection()).status is Status.CRITICAL
    assert age(Protection()).summary == "there is no backup of this server"
    assert proof(Protection(backup_at=NOW)).status is Status.CRITICAL
    assert proof(Protection(backup_at=NOW)).summary == "no backup of this server was ever restored"


@pytest.mark.parametrize(
    ("minutes", "status"), [(1, Status.OK), (44, Status.OK), (45, Status.WARNING), (60, Status.CRITICAL)]
)
def test_a_backup_ages_by_the_objective(minutes: int, status: Status) -> None:
    assert age(Protection(backup_at=ago(minutes=minutes), backup="b-1")).status is status


@pytest.mark.parametrize(("hours", "status"), [(1, Status.OK), (18, Status.WARNING), (24, Status.CRITICAL)])
def test_a_proof_ages_by_the_objective(hours: int, status: Status) -> None:
    result = proof(Protection(proof_at=ago(hours=hours), proof="b-1"))
    assert result.status is status
    assert result.value == hours * 3600


def test_a_test_that_failed_since_counts_more_than_one_that_worked_before() -> None:
    failed = Protection(proof_at=ago(hours=2), proof="b-1", attempt="failed", attempt_at=ago(hours=1))
    assert proof(failed).status is Status.CRITICAL
    assert "a later restore test: failed" in proof(failed).summary
    unclear = Protection(proof_at=ago(hours=2), proof="b-1", attempt="could_not_verify", attempt_at=ago(hours=1))
    assert proof(unclear).status is Status.WARNING
    earlier = Protection(proof_at=ago(hours=2), proof="b-1", attempt="failed", attempt_at=ago(hours=3))
    assert proof(earlier).status is Status.OK


def test_a_manifest_that_cannot_be_read_leaves_it_unknown() -> None:
    result = age(Protection(backup_at=ago(minutes=1), backup="b-1", unreadable=2))
    assert (result.status, result.reason) == (Status.UNKNOWN, "stale_input")
    assert "2 backups have a manifest that cannot be read" in result.summary


def test_a_proof_that_may_be_of_an_unreadable_backup_is_unknown_not_absent() -> None:
    assert (proof(Protection(unreadable=1)).status, proof(Protection(unreadable=1)).reason) == (
        Status.UNKNOWN,
        "stale_input",
    )


def test_a_clock_that_runs_behind_gives_no_negative_age() -> None:
    assert age(Protection(backup_at=NOW + timedelta(hours=1), backup="b-1")).value == 0


@pytest.mark.parametrize(
    ("seconds", "said"), [(30, "30 seconds"), (200, "3 minutes"), (10_000, "2 hours"), (200_000, "2 days")]
)
def test_ages_are_said_in_one_unit(seconds: float, said: str) -> None:
    assert said in age(Protection(backup_at=ago(seconds=seconds), backup="b-1")).summary
