"""What the steps of a restore test said, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec
import pytest

from dbops.backup.evidence import collect
from dbops.backup.fingerprints import Comparison
from dbops.model.backup import BackupRecord, Evidence, Fingerprints, Outputs, ProofCheck, Verdict
from dbops.model.finding import Missing

MakeRecord = Callable[..., BackupRecord]
COPIES = "it is the same files"
TABLES = ProofCheck(id="tables", verdict=Verdict.VERIFIED, summary="7 tables were looked at")
EVENTS = ProofCheck(id="events", verdict=Verdict.COULD_NOT_VERIFY, summary="events", reason="not shown")


def collected(record: BackupRecord, outputs: Outputs, level: Literal["restore", "full"] = "full") -> Evidence:
    return collect(record, level, outputs, started="start", copies=COPIES)


def said(value: object) -> str:
    return msgspec.json.encode(value).decode()


def compared(*different: str, equal: int = 0, **skipped: int) -> Comparison:
    return Comparison(compared=equal + len(different), equal=equal, different=different, skipped=skipped)


def test_checks_come_in_the_order_of_the_steps_and_what_else_a_step_said_is_no_check(make_record: MakeRecord) -> None:
    outputs: Outputs = {
        "start": {"port": 5433},
        "check-tables": {"checks": said([TABLES]), "seconds": 2},
        "check-events": {"checks": said([EVENTS])},
    }
    assert collected(make_record(0), outputs).checks == (TABLES, EVENTS)


def test_content_of_several_databases_is_added_up_and_each_difference_named(make_record: MakeRecord) -> None:
    outputs: Outputs = {
        "check-app": {"comparison": said(compared("t: rows differ", equal=4, no_permission=2, budget=1))},
        "check-shop": {"comparison": said(compared(equal=3)), "checks": said([TABLES])},
    }
    found = collected(make_record(0), outputs)
    assert found.fingerprints == Fingerprints(compared=8, equal=7, different=("t: rows differ",))
    assert found.checks == (
        TABLES,
        ProofCheck(
            id="app",
            verdict=Verdict.FAILED,
            summary="4 of 5 objects are equal; left out: 1 budget, 2 no permission",
        ),
        ProofCheck(id="shop", verdict=Verdict.VERIFIED, summary="3 of 3 objects are equal; left out: none"),
    )


def test_a_copy_is_recovered_to_the_instant_of_the_backup_once_its_server_started(make_record: MakeRecord) -> None:
    record = make_record(3)
    assert collected(record, {"start": {}}).recovered_to == record.instant
    assert collected(record, {"fetch": {}}).recovered_to == Missing("not_restored", "the server did not start")


@pytest.mark.parametrize(
    ("kind", "level", "reason", "detail"),
    [
        ("physical", "full", "not_comparable", COPIES),
        ("physical", "restore", "not_comparable", COPIES),
        ("logical", "restore", "not_asked", "content is compared at the level full"),
        ("logical", "full", "not_recorded", "the backup was made without fingerprints, or its server could not be"),
    ],
)
def test_content_that_was_not_compared_says_why(
    make_record: MakeRecord, kind: str, level: Literal["restore", "full"], reason: str, detail: str
) -> None:
    found = collected(make_record(0, kind=kind), {"start": {}}, level).fingerprints
    assert isinstance(found, Missing)
    assert found.reason == reason
    assert found.detail.startswith(detail)


@pytest.mark.parametrize(("level", "reason"), [("restore", "not_asked"), ("full", "not_recorded")])
def test_a_copy_whose_content_is_compared_was_not_asked_or_not_recorded(
    make_record: MakeRecord, level: Literal["restore", "full"], reason: str
) -> None:
    found = collect(make_record(0, kind="physical"), level, {}, started="start").fingerprints
    assert isinstance(found, Missing)
    assert found.reason == reason
