"""From observations to answers: the laws that every check of every engine obeys.

An UNKNOWN never turns into an OK; an object that is waived hides no other; a worse value never gives a better answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from dbops.health.answers import Answers, Unanswered
from dbops.health.thresholds import compare
from dbops.health.waivers import waiver
from dbops.model.finding import Missing, Remedy, Waived
from dbops.model.health import (
    Check,
    CheckResult,
    HealthFacts,
    Observation,
    Row,
    Status,
    Threshold,
    WaiverRule,
)
from dbops.model.server import Server, within

__all__ = ["Measure", "coverage", "fingerprint", "fits", "judge", "observe", "skipped", "worst"]

Measure = Callable[[Answers], Iterable[Observation]]

SHOWN = 50
STATEMENTS = 10
# Best first. What does not apply and what was accepted is no judgement about the server.
_ORDER = (Status.SKIPPED, Status.WAIVED, Status.OK, Status.UNKNOWN, Status.WARNING, Status.CRITICAL)
# Among the objects of one check an accepted one stands out from the good ones.
_ORDER_OF_OBJECTS = (Status.SKIPPED, Status.OK, Status.WAIVED, Status.UNKNOWN, Status.WARNING, Status.CRITICAL)
_WELL = (Status.OK, Status.SKIPPED)
_ANSWERED = (Status.OK, Status.WARNING, Status.CRITICAL)


class _Judged(msgspec.Struct, frozen=True):
    observation: Observation
    status: Status
    waived: Waived | None = None

    @property
    def open(self) -> bool:
        """Not well, and nobody accepted it."""
        return self.status not in _WELL and self.waived is None


def worst(statuses: Iterable[Status]) -> Status:
    """OK, UNKNOWN, WARNING or CRITICAL, in this order. Where nothing applies, nothing is known.

    Where each finding was accepted the answer is OK: somebody answers for it.
    """
    found = max(statuses, key=_ORDER.index, default=Status.SKIPPED)
    return {Status.SKIPPED: Status.UNKNOWN, Status.WAIVED: Status.OK}.get(found, found)


def coverage(results: Sequence[CheckResult]) -> float:
    """The share (0 to 1) of the checks that apply which gave an answer. An accepted UNKNOWN is still not one."""
    applying = [result for result in results if result.status is not Status.SKIPPED]
    answered = [result for result in applying if result.status in _ANSWERED or (result.waived and not result.reason)]
    return len(answered) / len(applying) if applying else 0.0


def fits(check: Check, server: Server) -> Missing | None:
    """Why a check does not apply to a server, or None when it does."""
    if server.role != "unknown" and server.role not in check.roles:
        return Missing("not_applicable", f"does not apply to a {server.role}")
    if not within(server.version, check.since, check.until):
        return Missing("not_supported_version", f"does not apply to version {server.version_text}")
    return None


def skipped(check: Check, why: Missing) -> CheckResult:
    """The answer of a check that does not apply."""
    return _result(check, Status.SKIPPED, why.detail or why.reason, why.reason)


def fingerprint(check: str, name: str) -> str:
    """What names one finding in every run: the check and the object."""
    return f"{check}@{name}" if name else check


def observe(check: Check, facts: HealthFacts, measure: Measure) -> list[Observation]:
    """Measure the server or each database; where a needed fact is missing, that is the observation."""
    if check.scope == "server":
        return _scope(check, Answers(facts.server), measure, "")
    if facts.databases_missing is not None:
        return [_unknown("the databases are not known", facts.databases_missing, "")]
    found: list[Observation] = []
    for name, answers in sorted(facts.databases.items()):
        found += _scope(check, Answers({**facts.server, **answers}, name), measure, f"database:{name}")
    return found


def judge(check: Check, observations: Sequence[Observation], rules: Sequence[WaiverRule], now: datetime) -> CheckResult:
    """The answer of a check: that of its worst object. Without any observation it is UNKNOWN, not OK."""
    seen = observations or [_unknown("nothing was measured", Missing("no_rows"), "")]
    judged = sorted((_judged(check, one, rules, now) for one in seen), key=lambda one: _badness(check.threshold, one))
    judged.reverse()
    first = judged[0]
    affected = [one for one in judged if one.status not in _WELL]
    result = _result(
        check,
        first.status,
        _summary(first, sum(one.open for one in affected)),
        first.observation.missing.reason if first.observation.missing else "",
    )
    return msgspec.structs.replace(
        result,
        value=first.observation.value,
        objects=len(judged),
        affected=len(affected),
        remedy=_remedy(check, first.status, affected),
        evidence=tuple(_evidence(check, one) for one in (affected or [first])[:SHOWN]),
        waived=first.waived,
    )


def _scope(check: Check, answers: Answers, measure: Measure, name: str) -> list[Observation]:
    found: list[Observation] = []
    try:
        for one in measure(answers):
            found.append(one)  # noqa: PERF402  # what was seen before an Unanswered still counts
    except Unanswered as end:
        return [*found, _unknown("could not be told", end.missing, name)]
    if found and all(one.state is Status.SKIPPED for one in found):
        return found
    # Whatever a measuring function made of it: with a needed fact absent, the answer is not whole.
    lacking = [missing for need in check.needs if (missing := answers.missing(need)) is not None]
    return [*found, *(_unknown("could not be read", missing, name) for missing in lacking)]


def _unknown(summary: str, missing: Missing, name: str) -> Observation:
    return Observation(summary=summary, object=name, missing=missing)


def _judged(check: Check, observation: Observation, rules: Sequence[WaiverRule], now: datetime) -> _Judged:
    status = _status(observation, check.threshold)
    if status in _WELL:
        return _Judged(observation, status)
    waived = waiver(check.id, fingerprint(check.id, observation.object), rules, now)
    return _Judged(observation, Status.WAIVED if waived else status, waived)


def _status(observation: Observation, threshold: Threshold) -> Status:
    if observation.state is Status.SKIPPED:
        return Status.SKIPPED
    found: list[Status] = [observation.state] if observation.state is not None else []
    if observation.missing is not None:
        found.append(Status.UNKNOWN)
    elif observation.value is not None:
        found.append(compare(observation.value, threshold))
    return max(found, key=_ORDER.index, default=Status.UNKNOWN)


def _badness(threshold: Threshold, judged: _Judged) -> tuple[int, bool, float]:
    value = judged.observation.value
    size = 0.0 if value is None else (-value if threshold.low_bad else value)
    return _ORDER_OF_OBJECTS.index(judged.status), value is not None, size


def _summary(first: _Judged, open_ones: int) -> str:
    observation = first.observation
    named = observation.object.partition(":")[2] in observation.summary
    about = "" if named else f"{observation.object}: "
    why = f": {observation.missing.detail or observation.missing.reason}" if observation.missing else ""
    more = f" (and {open_ones - 1} more)" if first.open and open_ones > 1 else ""
    return f"{about}{observation.summary}{why}{more}"


def _remedy(check: Check, status: Status, affected: Sequence[_Judged]) -> Remedy | None:
    if status in _WELL:
        return None
    if status is Status.UNKNOWN:
        return _permission(check, affected)
    statements = [one.observation.sql for one in affected if one.open and one.observation.sql]
    return msgspec.structs.replace(check.remedy, sql="\n".join(statements[:STATEMENTS]) or check.remedy.sql)


def _permission(check: Check, affected: Sequence[_Judged]) -> Remedy | None:
    unseen = [one.observation for one in affected if one.observation.missing]
    refused = [one for one in unseen if one.missing and one.missing.reason in ("no_permission", "hidden_rows")]
    if not refused or not check.grants:
        return None
    statements = [one.sql for one in refused if one.sql][:STATEMENTS]
    return Remedy(text=f"The login needs {check.privilege}.", sql="\n".join(statements or check.grants))


def _evidence(check: Check, judged: _Judged) -> Row:
    observation = judged.observation
    row: Row = {
        **observation.evidence,
        "object": observation.object,
        "status": judged.status.value,
        "summary": observation.summary,
        "fingerprint": fingerprint(check.id, observation.object),
    }
    if observation.value is not None:
        row["value"] = observation.value
    if observation.missing is not None:
        row.update(reason=observation.missing.reason, detail=observation.missing.detail)
    if judged.waived is not None:
        row["waived"] = judged.waived.reason
    return row


def _result(check: Check, status: Status, summary: str, reason: str) -> CheckResult:
    return CheckResult(
        id=check.id,
        title=check.title,
        status=status,
        summary=summary,
        reason=reason,
        unit=check.unit,
        warning=check.threshold.warning,
        critical=check.threshold.critical,
        low_bad=check.threshold.low_bad,
    )
