"""From evidence to a verdict: no path leads from "could not" to "verified"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.backup.verify import StepFact, judge, moving_s
from dbops.model.backup import BackupRecord, Evidence, Fingerprints, ProofCheck, Verdict, VerifyLevel
from dbops.model.finding import Missing
from dbops.model.recovery import Verification
from dbops.model.repository import BackupCheck, ObjectCheck

Make = Callable[..., BackupRecord]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
GOOD, BAD, NONE = Verdict.VERIFIED, Verdict.FAILED, Verdict.COULD_NOT_VERIFY


def at(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def step(name: str, begun: float, took: float, **fields: object) -> StepFact:
    plain = StepFact(id=name, done=True, started_at=at(begun), finished_at=at(begun + took))
    return msgspec.structs.replace(plain, **fields)


def stored(verdict: Verdict = GOOD, detail: str = "") -> tuple[BackupCheck, ...]:
    one = ObjectCheck(name="shop.dump", verdict=verdict, bytes=10, detail=detail)
    return (BackupCheck(backup="b-1", level="checksum", verdict=verdict, objects=(one,)),)


def evidence(verdict: Verdict = GOOD, fingerprints: Fingerprints | Missing | None = None) -> Evidence:
    return Evidence(
        checks=(ProofCheck(id="amcheck", verdict=verdict, summary="all indexes were read"),),
        fingerprints=fingerprints or Fingerprints(compared=3, equal=3),
        recovered_to=at(-60),
    )


def run(
    record: BackupRecord,
    level: VerifyLevel = "full",
    *,
    found: Evidence | Missing | None = None,
    steps: tuple[StepFact, ...] = (),
    checked: tuple[BackupCheck, ...] | None = None,
) -> Verification:
    return judge(
        record,
        level,
        stored=stored() if checked is None else checked,
        steps=steps,
        evidence=found or evidence(),
        started_at=at(0),
        finished_at=at(100),
    )


def test_all_good(make_record: Make) -> None:
    steps = (
        step("scratch", 0, 50, container=True),
        step("restore-shop", 5, 20, bytes=1000),
        step("check-amcheck", 26, 10),
    )
    proof = run(make_record(0), steps=steps)
    assert proof.verdict is GOOD
    assert (proof.rto_s, proof.rpo_s, proof.recovered_to) == (25, 60, at(-60))
    assert [(one.name, one.seconds, one.bytes) for one in proof.phases] == [
        ("scratch (opening)", 5, 0),
        ("restore-shop", 20, 1000),
        ("check-amcheck", 10, 0),
    ]
    assert proof.reasons == ()
    assert moving_s(steps) == 20


def test_the_time_to_recover_ends_when_the_server_is_up_and_leaves_the_checks_out(make_record: Make) -> None:
    steps = (
        step("area", 0, 100, container=True),
        step("restore-base", 1, 20, bytes=1000),
        step("check-files", 21, 30),
        step("restore-start", 51, 40, container=True),
        step("check-connect", 61, 5),
    )
    assert run(make_record(0), steps=steps).rto_s == 61 - 30
    failed = (*steps[:4], step("check-connect", 61, 5, done=False, error="ToolFailed", message="it is broken"))
    assert run(make_record(0), steps=failed).rto_s == 61 - 30, "it came back, broken as it is"
    never = (*steps[:3], step("restore-start", 51, 9, container=True, done=False, error="ToolFailed", message="no"))
    unopened = (*never, step("check-connect", 0, 0, done=None, started_at=None, finished_at=None))
    for found in (run(make_record(0), steps=never), run(make_record(0), steps=unopened)):
        assert isinstance(found.rto_s, Missing)
        assert (found.verdict, found.reasons) == (BAD, ("no",))
        assert found.recovered_to == found.rpo_s == Missing("not_restored", "no restore was carried through")


def test_reading_it_through_is_a_proof_of_its_own_level(make_record: Make) -> None:
    proof = judge(make_record(0), "checksum", stored=stored(), started_at=at(0), finished_at=at(1))
    assert (proof.verdict, proof.rto_s) == (GOOD, Missing("not_measured", "no restore was carried through"))


def test_a_flipped_byte_fails_and_names_the_object(make_record: Make) -> None:
    proof = judge(
        make_record(0), "checksum", stored=stored(BAD, "shop.dump: differs"), started_at=at(0), finished_at=at(1)
    )
    assert (proof.verdict, proof.reasons) == (BAD, ("shop.dump: differs",))


def test_other_content_fails_and_names_it(make_record: Make) -> None:
    found = evidence(fingerprints=Fingerprints(compared=3, equal=2, different=("table:shop.public.orders",)))
    proof = run(make_record(0), found=found)
    assert proof.verdict is BAD
    assert proof.reasons == ("1 of 3 objects differ from what was backed up: table:shop.public.orders",)


@pytest.mark.parametrize(
    ("error", "reason", "name", "verdict"),
    [
        ("ToolFailed", "", "restore-shop", BAD),
        ("ToolFailed", "", "check-amcheck", BAD),
        ("Damaged", "", "restore-shop", BAD),
        ("Damaged", "", "scratch", BAD),
        ("ToolFailed", "", "scratch", NONE),
        ("ToolFailed", "tool_missing", "restore-shop", NONE),
        ("ToolFailed", "extension_missing", "restore-shop", NONE),
        ("ToolFailed", "no_space", "restore-shop", NONE),
        ("OutputError", "", "restore-shop", NONE),
        ("StorageFailed", "", "restore-shop", NONE),
        ("Unreachable", "connect_failed", "check-open", NONE),
        ("ConfigError", "", "restore-shop", NONE),
        ("Interrupted", "", "restore-shop", NONE),
    ],
)
def test_whom_a_failing_step_speaks_against(
    make_record: Make, error: str, reason: str, name: str, verdict: Verdict
) -> None:
    steps = (
        step("hold", 0, 9, container=True, done=False, error=error, reason=reason, message="it went wrong"),
        step(name, 1, 5, done=False, error=error, reason=reason, message="it went wrong"),
    )
    proof = run(make_record(0), steps=steps)
    assert (proof.verdict, proof.reasons) == (verdict, ("it went wrong",))
    assert isinstance(proof.rto_s, Missing) or name.startswith("check")


def test_the_cause_is_told_not_the_neighbours_that_were_stopped(make_record: Make) -> None:
    steps = (
        step("restore-a", 0, 5, done=False, error="Interrupted", message="stopped, because another step failed"),
        step("restore-b", 0, 4, done=False, error="ToolFailed", message="pg_restore exited with 1"),
    )
    proof = run(make_record(0), steps=steps)
    assert (proof.verdict, proof.reasons) == (BAD, ("pg_restore exited with 1",))


def test_an_opening_that_failed_has_no_content_to_time(make_record: Make) -> None:
    inner = step("restore-a", 0, 0, done=None, started_at=None, finished_at=None)
    hold = step("scratch", 0, 3, container=True, done=False, error="ToolFailed", message="initdb exited with 1")
    proof = run(make_record(0), steps=(hold, inner))
    assert (proof.verdict, proof.reasons, proof.phases) == (NONE, ("initdb exited with 1",), ())
    assert inner.seconds == 0


def test_a_step_that_never_ran_is_no_pass(make_record: Make) -> None:
    proof = run(make_record(0), steps=(step("check-x", 0, 0, done=None, started_at=None, finished_at=None),))
    assert (proof.verdict, proof.reasons) == (NONE, ("not every step was carried out",))


@pytest.mark.parametrize(
    "found",
    [
        Missing("not_run", "the server did not start"),
        Evidence(checks=(), fingerprints=Fingerprints(compared=0, equal=0), recovered_to=at(0)),
        Evidence(checks=evidence().checks, fingerprints=Fingerprints(compared=0, equal=0), recovered_to=Missing("x")),
        evidence(fingerprints=Missing("timeout", "the budget ran out")),
    ],
)
def test_what_could_not_be_looked_at_is_no_pass(make_record: Make, found: Evidence | Missing) -> None:
    assert run(make_record(0), found=found).verdict is NONE


@pytest.mark.parametrize("reason", ["not_recorded", "not_comparable", "not_asked"])
def test_content_that_nobody_recorded_is_told_and_no_lack(make_record: Make, reason: str) -> None:
    proof = run(make_record(0), found=evidence(fingerprints=Missing(reason, "a physical copy")))
    assert proof.verdict is GOOD
    assert proof.fingerprints == Missing(reason, "a physical copy")


def test_fingerprints_count_at_the_full_level_alone(make_record: Make) -> None:
    found = evidence(fingerprints=Missing("timeout"))
    assert run(make_record(0), "restore", found=found).verdict is GOOD


@given(verdicts=st.lists(st.sampled_from(list(Verdict)), max_size=6))
def test_one_failure_decides_and_one_doubt_never_passes(make_record: Make, verdicts: list[Verdict]) -> None:
    objects = tuple(ObjectCheck(name=f"a{n}", verdict=one, bytes=1) for n, one in enumerate(verdicts))
    checked = (BackupCheck(backup="b", level="checksum", verdict=GOOD, objects=objects),)
    proof = judge(make_record(0), "checksum", stored=checked, started_at=at(0), finished_at=at(1))
    expected = BAD if BAD in verdicts else GOOD if verdicts and NONE not in verdicts else NONE
    assert proof.verdict is expected
