"""What the steps of a restore test said, put together: one way for every backend.

A step gives its findings as the output ``checks`` (JSON of :class:`~dbops.model.backup.ProofCheck`), and a comparison
of content as ``comparison`` (JSON of :class:`~dbops.backup.fingerprints.Comparison`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dbops.backup.fingerprints import Comparison
from dbops.model.backup import BackupRecord, Evidence, Fingerprints, Outputs, ProofCheck, Verdict, VerifyLevel
from dbops.model.finding import Missing

__all__ = ["collect"]


def collect(record: BackupRecord, level: VerifyLevel, outputs: Outputs, *, started: str, copies: str = "") -> Evidence:
    """The checks, the comparison of content, and the state that came back.

    :param started: the step that starts the server; steps that did not run gave no outputs.
    :param copies: why the content of a physical copy is not compared, for people; empty where it is.
    """
    checks = [
        one
        for values in outputs.values()
        if "checks" in values
        for one in msgspec.json.decode(str(values["checks"]), type=tuple[ProofCheck, ...])
    ]
    comparisons = {
        step: msgspec.json.decode(str(values["comparison"]), type=Comparison)
        for step, values in outputs.items()
        if "comparison" in values
    }
    return Evidence(
        checks=(*checks, *(_left_out(step, one) for step, one in comparisons.items())),
        fingerprints=_fingerprints(record, list(comparisons.values()), level, copies),
        recovered_to=record.instant if started in outputs else Missing("not_restored", "the server did not start"),
    )


def _left_out(step: str, one: Comparison) -> ProofCheck:
    why = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in sorted(one.skipped.items()))
    verdict = Verdict.FAILED if one.different else Verdict.VERIFIED
    said = f"{one.equal} of {one.compared} objects are equal"
    return ProofCheck(id=step.removeprefix("check-"), verdict=verdict, summary=f"{said}; left out: {why or 'none'}")


def _fingerprints(
    record: BackupRecord, found: Sequence[Comparison], level: VerifyLevel, copies: str
) -> Fingerprints | Missing:
    if found:
        return Fingerprints(
            compared=sum(one.compared for one in found),
            equal=sum(one.equal for one in found),
            different=tuple(said for one in found for said in one.different),
        )
    if record.kind == "physical" and copies:
        return Missing("not_comparable", copies)
    if level != "full":
        return Missing("not_asked", "content is compared at the level full")
    return Missing("not_recorded", "the backup was made without fingerprints, or its server could not be asked")
