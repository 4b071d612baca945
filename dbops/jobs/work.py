"""What a job can do: each word calls the operation of the command of that name, and keeps its answer short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from dbops.config import JobConfig, Target
from dbops.conversion import nearest
from dbops.errors import ConfigError
from dbops.jobs.run import Done, Work
from dbops.model.backup import VerifyLevel
from dbops.model.finding import Severity
from dbops.operations.workspace import Workspace
from dbops.plan import Json

__all__ = ["WORKS"]

LEVELS: dict[str, VerifyLevel] = {"checksum": "checksum", "restore": "restore", "full": "full"}


def _backup(ws: Workspace, target: Target, job: JobConfig) -> Done:
    from dbops.operations import backup

    made = backup.run(ws, target, method=job.method)
    return Done(
        status="done", code=0, facts={"backup": made.backup.id, "method": made.backup.method, "seconds": made.seconds}
    )


def _verify(ws: Workspace, target: Target, job: JobConfig) -> Done:
    from dbops.operations import verify

    proof = verify.verify(ws, target, level=_level(job, target), method=job.method)
    facts: dict[str, Json] = {"backup": proof.backup, "reasons": list(proof.reasons)}
    return Done(status=proof.verdict.value, code=verify.CODES[proof.verdict], facts=facts)


def _health(ws: Workspace, target: Target, _job: JobConfig) -> Done:
    from dbops.operations import health

    report = health.check(ws, [target])
    counts = Counter(check.status.value for check in report.checks)
    bad = [check.id for check in report.checks if check.status.value in ("critical", "warning", "unknown")]
    return Done(status=report.status.value, code=report.code, facts={"checks": dict(counts), "not_ok": list(bad)})


def _audit(ws: Workspace, target: Target, job: JobConfig) -> Done:
    from dbops.access.audit import worst
    from dbops.operations import access

    threshold = _severity(job)
    report = access.audit(ws, target)
    highest = worst(report.findings)
    bad = highest is not None and highest.rank >= threshold.rank
    counts = Counter(finding.severity.value for finding in report.findings if finding.waived is None)
    facts: dict[str, Json] = {"findings": dict(counts), "not_judged": [one.id for one in report.unknown]}
    return Done(status="findings" if bad else "ok", code=1 if bad else 0, facts=facts)


def _prune(ws: Workspace, target: Target, _job: JobConfig) -> Done:
    from dbops.operations import prune

    answer, plan = prune.plan(ws, target)
    done = prune.result(answer, prune.carry_out(ws, plan) if plan.steps else None)
    return Done(
        status=done.status,
        code=0,
        facts={"deleted": list(done.deleted), "kept": len(done.keep), "freed": done.freed_bytes},
    )


def _level(job: JobConfig, target: Target) -> VerifyLevel:
    word = job.level or target.verify_level
    level = LEVELS.get(word)
    if level is None:
        raise ConfigError(f"jobs.{job.name}.level: {word!r} is no level of proof", hint=nearest(word, LEVELS))
    return level


def _severity(job: JobConfig) -> Severity:
    word = job.fail_on or Severity.HIGH.value
    try:
        return Severity(word)
    except ValueError:
        known = [one.value for one in Severity]
        raise ConfigError(f"jobs.{job.name}.fail_on: {word!r} is no severity", hint=nearest(word, known)) from None


WORKS: Mapping[str, Work] = {
    "backup": _backup,
    "verify": _verify,
    "health": _health,
    "audit": _audit,
    "prune": _prune,
}
"""By the word in a job's ``do``."""
