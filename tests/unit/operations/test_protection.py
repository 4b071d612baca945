"""What of a repository counts as protecting a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dbops.model.backup import Verdict
from dbops.model.finding import Missing
from dbops.model.health import Protection
from dbops.model.repository import Event, Manifest
from dbops.operations.protection import Stored, protection

AT = datetime(2026, 3, 1, tzinfo=UTC)


def manifest(identity: str, hours: float, incarnation: str = "one") -> Manifest:
    return Manifest(
        id=identity,
        target="shop",
        incarnation=incarnation,
        engine="postgresql",
        server_version="15.18",
        method="dump",
        kind="logical",
        started_at=AT,
        finished_at=AT + timedelta(hours=hours),
        dbops="0.1",
    )


def proof(backup: str, hours: float, verdict: Verdict = Verdict.VERIFIED) -> Event:
    at = AT + timedelta(hours=hours)
    return Event(id=f"e{hours}", at=at, kind="proof", backup=backup, target="shop", verdict=verdict)


def test_the_newest_backup_and_the_newest_verified_proof() -> None:
    stored = Stored(
        (manifest("b1", 1), manifest("b3", 3), manifest("b2", 2)),
        (proof("b2", 5), proof("b1", 4), proof("b3", 6, Verdict.FAILED)),
        1,
    )
    assert protection(stored, "one") == Protection(
        backup_at=AT + timedelta(hours=3),
        backup="b3",
        proof_at=AT + timedelta(hours=5),
        proof="b2",
        attempt="failed",
        attempt_at=AT + timedelta(hours=6),
        unreadable=1,
    )


def test_a_server_that_was_made_anew_is_not_protected_by_backups_of_the_old_one() -> None:
    stored = Stored((manifest("b1", 1, "old"),), (proof("b1", 2),), 0)
    assert protection(stored, "new") == Protection()
    # While the server cannot be asked which one it is, its name has to do.
    found = protection(stored, Missing("connect_failed"))
    assert isinstance(found, Protection)
    assert (found.backup, found.proof) == ("b1", "b1")


def test_a_proof_of_a_backup_that_is_gone_proves_nothing() -> None:
    assert protection(Stored((), (proof("pruned", 2),), 0), "one") == Protection()


def test_nothing_stored_protects_nothing() -> None:
    assert protection(Stored((), (), 0), "one") == Protection()


@pytest.mark.parametrize("reason", ["not_configured", "not_reachable"])
def test_a_repository_without_an_answer_is_passed_on(reason: str) -> None:
    assert protection(Missing(reason), "one") == Missing(reason)
