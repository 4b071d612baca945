"""From evidence to a verdict.

Any check that failed makes ``failed``. Otherwise any that could not be done makes ``could_not_verify``, as does the
absence of checks. Only what is left is ``verified``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from dbops.model.backup import BackupRecord, Evidence, Fingerprints, Phase, ProofCheck, Verdict, VerifyLevel
from dbops.model.finding import Missing
from dbops.model.recovery import Verification
from dbops.model.repository import BackupCheck

__all__ = ["StepFact", "judge", "moving_s"]

# Errors that speak about the place where the proof runs, or about us, never about the backup.
_ELSEWHERE = frozenset(
    {
        "ConfigError", "CouldNotTell", "DestinationExists", "Interrupted", "Locked", "NotPermitted", "OutputError",
        "StorageFailed", "Unreachable", "Unsupported", "UsageError",
    }
)  # fmt: skip
_ENVIRONMENT = frozenset(
    {
        "tool_missing", "tool_too_old", "no_space", "environment", "extension_missing", "no_permission", "timeout",
        "not_supported_version", "connect_failed", "interrupted",
    }
)  # fmt: skip
NOTHING_RESTORED = Missing("not_asked", "nothing was restored")
# Content that nobody could compare is told and is no lack of the proof: a physical copy has no recorded fingerprints.
_NOT_COMPARED = frozenset({"not_recorded", "not_comparable", "not_asked"})


class StepFact(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one step of the restore test. ``done`` None: it did not run.

    :param error: the class of the error that ended it, by name; ``reason`` is that error's machine reason.
    """

    id: str
    container: bool = False
    done: bool | None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    bytes: int = 0
    error: str = ""
    reason: str = ""
    message: str = ""

    @property
    def seconds(self) -> float:
        """How long it took; 0 when it did not run."""
        if self.started_at is None or self.finished_at is None:
            return 0.0
        return (self.finished_at - self.started_at).total_seconds()


def judge(
    record: BackupRecord,
    level: VerifyLevel,
    *,
    stored: Sequence[BackupCheck],
    steps: Sequence[StepFact] = (),
    evidence: Evidence | Missing = NOTHING_RESTORED,
    started_at: datetime,
    finished_at: datetime,
) -> Verification:
    """The verdict on one backup.

    :param stored: every stored object compared with its manifest, for each backup of the chain.
    :param steps: of the restore test, in the order of the plan; empty for the level ``checksum``.
    """
    broken = _step_checks(steps)
    # What a step that failed left unseen is not told a second time.
    seen = _evidence_checks(evidence, level, complete=not broken)
    checks = (*_stored_checks(stored), *broken, *seen)
    fingerprints = evidence.fingerprints if isinstance(evidence, Evidence) else evidence
    rto = _rto(steps)
    recovered = _recovered_to(evidence, rto)
    verdict = _verdict(checks)
    return Verification(
        backup=record.id,
        source=record.target,
        level=level,
        verdict=verdict,
        reasons=tuple(check.summary for check in checks if check.verdict is verdict is not Verdict.VERIFIED),
        checks=checks,
        phases=(*_phases(steps), *(evidence.phases if isinstance(evidence, Evidence) else ())),
        fingerprints=fingerprints,
        recovered_to=recovered,
        rto_s=rto,
        rpo_s=recovered if isinstance(recovered, Missing) else max(0.0, (started_at - recovered).total_seconds()),
        started_at=started_at,
        finished_at=finished_at,
    )


def _verdict(checks: Iterable[ProofCheck]) -> Verdict:
    said = {check.verdict for check in checks}
    if Verdict.FAILED in said:
        return Verdict.FAILED
    return Verdict.VERIFIED if said == {Verdict.VERIFIED} else Verdict.COULD_NOT_VERIFY


def _stored_checks(stored: Sequence[BackupCheck]) -> list[ProofCheck]:
    return [
        ProofCheck(
            id=f"stored:{check.backup}/{one.name}",
            verdict=one.verdict,
            summary=one.detail or f"{one.name} is what was written",
        )
        for check in stored
        for one in check.objects
    ]


def _evidence_checks(evidence: Evidence | Missing, level: VerifyLevel, *, complete: bool) -> list[ProofCheck]:
    if isinstance(evidence, Missing):
        if not complete or (level == "checksum" and evidence.reason == NOTHING_RESTORED.reason):
            return []
        return [_could_not("evidence", f"the restore test gave no evidence: {evidence.detail}", evidence.reason)]
    checks = list(evidence.checks)
    if not complete:
        return checks
    if not checks:
        checks.append(_could_not("evidence", "the restore test looked at nothing", "no_checks"))
    if isinstance(evidence.recovered_to, Missing) and level != "checksum":
        why = evidence.recovered_to
        checks.append(_could_not("recovered_to", f"which state came back is not known: {why.detail}", why.reason))
    return checks + _fingerprint_checks(evidence.fingerprints, level)


def _fingerprint_checks(found: Fingerprints | Missing, level: VerifyLevel) -> list[ProofCheck]:
    if level != "full":
        return []
    if isinstance(found, Missing):
        summary = f"content was not compared: {found.detail}"
        return [] if found.reason in _NOT_COMPARED else [_could_not("fingerprints", summary, found.reason)]
    if found.different or found.equal != found.compared:
        named = ", ".join(found.different[:5]) + (" …" if len(found.different) > 5 else "")
        summary = f"{found.compared - found.equal} of {found.compared} objects differ from what was backed up: {named}"
        return [ProofCheck(id="fingerprints", verdict=Verdict.FAILED, summary=summary)]
    summary = f"{found.compared} objects hold what they held when the backup was made"
    return [ProofCheck(id="fingerprints", verdict=Verdict.VERIFIED, summary=summary)]


def _step_checks(steps: Sequence[StepFact]) -> list[ProofCheck]:
    """The innermost step that failed; the containers around it failed because of it."""
    failed = [step for step in steps if step.done is False]
    causes = [step for step in failed if step.error != "Interrupted"] or failed
    leaves = [step for step in causes if not step.container] or causes[-1:]
    checks = [_step_check(step) for step in leaves]
    if not failed and any(step.done is None for step in steps):
        checks.append(_could_not("steps", "not every step was carried out", "not_run"))
    return checks


def _step_check(step: StepFact) -> ProofCheck:
    elsewhere = step.error in _ELSEWHERE or step.reason in _ENVIRONMENT
    against = step.error == "Damaged" or (step.id.startswith(("restore", "check")) and not elsewhere)
    verdict = Verdict.FAILED if against else Verdict.COULD_NOT_VERIFY
    return ProofCheck(id=f"step:{step.id}", verdict=verdict, summary=step.message, reason=step.reason or step.error)


def _could_not(check: str, summary: str, reason: str) -> ProofCheck:
    return ProofCheck(id=check, verdict=Verdict.COULD_NOT_VERIFY, summary=summary, reason=reason)


def _phases(steps: Sequence[StepFact]) -> list[Phase]:
    phases: list[Phase] = []
    for number, step in enumerate(steps):
        opened = _opened(steps, number)
        if not step.container and step.done is not None:
            phases.append(Phase(name=step.id, seconds=step.seconds, bytes=step.bytes))
        elif step.container and opened and step.started_at and opened > step.started_at:
            phases.append(Phase(name=f"{step.id} (opening)", seconds=(opened - step.started_at).total_seconds()))
    return phases


def _opened(steps: Sequence[StepFact], number: int) -> datetime | None:
    """When the container at ``number`` was open: when the first step inside began."""
    return steps[number + 1].started_at if number + 1 < len(steps) else None


def _recovered_to(evidence: Evidence | Missing, rto: float | Missing) -> datetime | Missing:
    """A server that came up holds no state that counts before everything is in it."""
    if isinstance(evidence, Missing):
        return evidence
    return Missing("not_restored", rto.detail) if isinstance(rto, Missing) else evidence.recovered_to


def _rto(steps: Sequence[StepFact]) -> float | Missing:
    """From the beginning until everything was back and the server up, without the checks made on the way."""
    starts = [step.started_at for step in steps if step.started_at]
    backs = [_back(steps, number) for number, step in enumerate(steps) if step.id.startswith("restore")]
    ends = [end for end in backs if end is not None]
    if not starts or not ends or len(ends) != len(backs):
        return Missing("not_measured", "no restore was carried through")
    end = max(ends)
    checks = [step for step in steps if step.id.startswith("check") and step.finished_at and step.finished_at <= end]
    return (end - min(starts)).total_seconds() - sum(step.seconds for step in checks)


def _back(steps: Sequence[StepFact], number: int) -> datetime | None:
    step = steps[number]
    if step.container:
        return _opened(steps, number)
    return step.finished_at if step.done else None


def moving_s(steps: Iterable[StepFact]) -> float:
    """The wall time in which bytes came back: the part of a restore that grows with the size."""
    moving = [step for step in steps if step.id.startswith("restore") and step.bytes and step.done]
    starts = [step.started_at for step in moving if step.started_at]
    ends = [step.finished_at for step in moving if step.finished_at]
    return (max(ends) - min(starts)).total_seconds() if starts and ends else 0.0
