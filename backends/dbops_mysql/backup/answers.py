"""How a check of a proof says what it found: one of three answers, and what could not be looked at is no pass."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dbops.model.backup import ProofCheck, Verdict
from dbops.plan import Value

__all__ = ["answer", "bad", "decoded", "few", "good", "unknown"]

LINES = 10


def answer(*checks: ProofCheck) -> Mapping[str, Value]:
    """As the outputs of a step: ``checks``, JSON."""
    return {"checks": msgspec.json.encode(checks).decode()}


def decoded(checks: object) -> tuple[ProofCheck, ...]:
    """Of :func:`answer`."""
    return msgspec.json.decode(str(checks), type=tuple[ProofCheck, ...])


def good(check: str, summary: str) -> ProofCheck:
    """It was looked at, and is well."""
    return ProofCheck(id=check, verdict=Verdict.VERIFIED, summary=summary)


def bad(check: str, summary: str) -> ProofCheck:
    """It was looked at, and is not what it should be."""
    return ProofCheck(id=check, verdict=Verdict.FAILED, summary=summary)


def unknown(check: str, summary: str, reason: str) -> ProofCheck:
    """It could not be looked at. ``reason``: a machine word, such as ``tool_missing`` or ``environment``."""
    return ProofCheck(id=check, verdict=Verdict.COULD_NOT_VERIFY, summary=summary, reason=reason)


def few(said: str, limit: int = LINES) -> str:
    """The first lines on one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    more = f" … and {len(lines) - limit} lines more" if len(lines) > limit else ""
    return "; ".join(lines[:limit]) + more
