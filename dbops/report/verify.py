"""A proof, for people."""

from __future__ import annotations

from dbops.model.finding import Missing
from dbops.model.recovery import Verification
from dbops.report.amounts import bytes_, instant, seconds
from dbops.report.table import table

__all__ = ["text"]

_WORDS = {"verified": "VERIFIED", "failed": "FAILED", "could_not_verify": "COULD NOT VERIFY"}
_SHORT = {"verified": "ok", "failed": "FAILED", "could_not_verify": "could not"}


def text(found: Verification) -> str:
    """The verdict first, then why, then what was looked at and how long each phase took."""
    lines = [f"{_WORDS[found.verdict.value]}  {found.backup}  ({found.level})"]
    lines += [f"  {reason}" for reason in found.reasons]
    if found.level != "checksum":
        lines += _measures(found)
    checks = [(_SHORT[one.verdict.value], one.id, one.summary) for one in found.checks]
    phases = [(one.name, seconds(one.seconds), bytes_(one.bytes) if one.bytes else "") for one in found.phases]
    body = "\n".join(lines) + "\n\n"
    body += table(("", "CHECK", ""), checks) if checks else "Nothing was looked at.\n"
    return body + ("\n" + table(("PHASE", "TOOK", "BYTES"), phases) if phases else "")


def _measures(found: Verification) -> list[str]:
    recovered = found.recovered_to
    said = f"{recovered.detail or recovered.reason}" if isinstance(recovered, Missing) else instant(recovered)
    prints = found.fingerprints
    content = (
        f"not compared ({prints.detail or prints.reason})"
        if isinstance(prints, Missing)
        else f"{prints.equal} of {prints.compared} objects are equal"
    )
    return [
        f"  recovered to     {said}",
        f"  time to recover  {seconds(found.rto_s)}",
        f"  age of state     {seconds(found.rpo_s)}",
        f"  content          {content}",
    ]
