"""Health checks of targets, side by side."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

import msgspec

from dbops import registry
from dbops.capabilities import Capability, Impossible, supported
from dbops.config import Target
from dbops.errors import ConfigError, CouldNotTell, DbopsError, UsageError, worst_code
from dbops.health import catalogue, decide
from dbops.health.answers import Answers
from dbops.health.protection import backup_age, backup_proof
from dbops.health.thresholds import overridden
from dbops.model.finding import Missing
from dbops.model.health import (
    Check,
    CheckResult,
    HealthReport,
    Observation,
    Protection,
    Question,
    Status,
    TargetHealth,
    WaiverRule,
)
from dbops.operations.asking import DATABASES, Asked, ask
from dbops.operations.protection import Stored, protection, stored
from dbops.operations.side_by_side import Later, side_by_side
from dbops.operations.waivers import waiver_rules
from dbops.operations.workspace import Opened, Workspace
from dbops.session import preload
from dbops.spi import Backend

__all__ = ["check", "checks"]

# A server that does not answer is ill; one that does not let us in may be well.
BACKUPS = (Capability.BACKUP_PHYSICAL, Capability.BACKUP_LOGICAL)
DOWN = ("connect_failed", "too_many_connections", "timeout")
_REPOSITORY = {catalogue.BACKUP_AGE.id: backup_age, catalogue.BACKUP_PROOF.id: backup_proof}


class _Job(msgspec.Struct, frozen=True):
    """Everything about one target that is known before it is asked."""

    target: Target
    backend: Backend
    checks: tuple[Check, ...]
    waivers: tuple[WaiverRule, ...]
    timeout_s: float
    only: tuple[str, ...]
    skip: tuple[str, ...]

    def by(self, backend: Backend) -> _Job:
        """The same by the catalogue of what the server turned out to be, which its URL need not say."""
        if backend is self.backend:
            return self
        every = _every(backend, self.target)
        thresholds = {one.id: self.target.thresholds[one.id] for one in every if one.id in self.target.thresholds}
        chosen = catalogue.choose(overridden(every, thresholds, self.target.name), self.only, self.skip)
        return msgspec.structs.replace(self, backend=backend, checks=chosen)


def checks(engine: str | None = None) -> tuple[Check, ...]:
    """The catalogue of one engine or of all, the checks that every engine has at the end.

    :raises UsageError: no such engine.
    """
    chosen = [registry.backend(engine)] if engine is not None else list(registry.backends().values())
    chosen = [one for one in chosen if supported(one.support(Capability.HEALTH, None))]
    own = [one for backend in chosen for one in backend.health.checks()]
    return (*own, *catalogue.protection_checks(None, None))


def check(
    ws: Workspace,
    targets: Sequence[str | Target],
    *,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    timeout_s: float | None = None,
    jobs: int = 8,
) -> HealthReport:
    """Check targets (names, URLs, ``all``, ``label:key=value``), ``jobs`` of them at a time.

    A target that hangs is given up after ``timeout_s`` (its own by default) and what it did not answer is UNKNOWN; one
    that cannot be reached, or refuses us, is an answer too.
    :param only: ids of checks, in which ``*`` stands for anything.
    :raises UsageError: an unknown target or check. :raises ConfigError: unknown or impossible thresholds or waivers.
    """
    chosen = [_job(ws, target, only, skip, timeout_s) for target in _targets(ws, targets)]
    catalogue.known([one for job in chosen for one in _every(job.backend, job.target)], (*only, *skip))
    found = side_by_side(lambda job: _check(ws, job), chosen, jobs)
    results = tuple(result for _, answers in found for result in answers)
    return HealthReport(
        status=decide.worst(result.status for result in results),
        coverage=decide.coverage(results),
        code=worst_code(target.code for target, _ in found),
        targets=tuple(target for target, _ in found),
        checks=results,
    )


def _targets(ws: Workspace, words: Sequence[str | Target]) -> list[Target]:
    found: dict[str, Target] = {}
    for word in words:
        for target in [word] if isinstance(word, Target) else ws.config.select(word, ws.secrets.literal):
            found[target.name] = target
    return list(found.values())


def _every(backend: Backend, target: Target) -> tuple[Check, ...]:
    return (
        *backend.health.checks(),
        *catalogue.protection_checks(target.objective.rpo_s, target.verify_every_s),
    )


def _job(ws: Workspace, target: Target, only: Sequence[str], skip: Sequence[str], timeout_s: float | None) -> _Job:
    where = f"{ws.config.path or 'targets'}: targets.{target.name}"
    backend = ws.backend(target)
    every = overridden(_every(backend, target), target.thresholds, f"{where}.health.thresholds")
    try:
        catalogue.known(every, target.skip)
    except UsageError as error:
        raise ConfigError(f"{where}.health.skip: {error.message}", hint=error.hint) from None
    without = (*skip, *target.skip)
    return _Job(
        target=target,
        backend=backend,
        checks=catalogue.choose(every, only, without),
        waivers=waiver_rules(target, ws.config.path),
        timeout_s=timeout_s or target.timeout_s,
        only=tuple(only),
        skip=without,
    )


def _check(ws: Workspace, job: _Job) -> tuple[TargetHealth, tuple[CheckResult, ...]]:
    started_at, started = ws.now(), time.monotonic()
    in_repository = any(one.measured_by == "repository" for one in job.checks)
    repository = Later(lambda: stored(ws, job.target)) if in_repository else None
    asked = _asked(ws, job)
    if not isinstance(asked, DbopsError):
        job = job.by(asked.backend)
    incarnation = Missing("not_reachable") if isinstance(asked, DbopsError) else asked.server.incarnation
    left_s = job.timeout_s - (time.monotonic() - started)
    protected = protection(_in_time(repository, left_s), incarnation) if repository else Missing("not_asked")
    results = tuple(
        msgspec.structs.replace(_result(one, job, asked, protected, ws.now()), target=job.target.name)
        for one in job.checks
    )
    return _summary(job, asked, results, started_at, time.monotonic() - started), results


def _asked(ws: Workspace, job: _Job) -> Asked | DbopsError:
    def questions(opened: Opened) -> list[Question]:
        opened.require(Capability.HEALTH)
        fitting = [one for one in job.by(opened.backend).checks if not decide.fits(one, opened.server)]
        needs = {need for one in fitting for need in (*one.needs, *one.also)}
        every = opened.backend.health.questions(opened.server)
        local = {one.name for one in every if one.scope == "database"}
        names = needs | ({DATABASES} if needs & local else set[str]())
        return [one for one in every if one.name in names]

    try:
        preload(job.backend, job.target.endpoint)
        return ask(lambda: ws.open(job.target, timeout_s=job.timeout_s), questions, timeout_s=job.timeout_s)
    except DbopsError as error:
        return error


def _in_time(repository: Later[Stored | Missing], left_s: float) -> Stored | Missing:
    try:
        return repository.result(max(0.1, left_s))
    except TimeoutError:
        return Missing("timeout", "no answer in time")


def _result(
    check: Check, job: _Job, asked: Asked | DbopsError, protected: Protection | Missing, now: datetime
) -> CheckResult:
    if check.measured_by == "repository":
        if elsewhere := _kept_elsewhere(asked):
            return decide.skipped(check, Missing("not_applicable", elsewhere))
        return decide.judge(check, _REPOSITORY[check.id](protected, now), job.waivers, now)
    if check.measured_by == "connection":
        return decide.judge(check, [_connection(asked)], job.waivers, now)
    if isinstance(asked, DbopsError):
        nothing = Missing(asked.reason or "connect_failed", "no session")
        return decide.judge(check, [Observation(summary="not asked", missing=nothing)], job.waivers, now)
    unfit = decide.fits(check, asked.server)
    if unfit is not None:
        return decide.skipped(check, unfit)
    driver, server = asked.backend.health, asked.server

    def measure(answers: Answers) -> list[Observation]:
        return list(driver.measure(check, answers, server, now))

    for_login = msgspec.structs.replace(check, grants=driver.grants(check, server))
    return decide.judge(for_login, decide.observe(check, asked.facts, measure), job.waivers, now)


def _kept_elsewhere(asked: Asked | DbopsError) -> str:
    """Why dbops can make no backup of this server, and nobody can miss one in its repository; empty where it can."""
    if isinstance(asked, DbopsError):
        return ""
    found = [asked.backend.support(one, asked.server) for one in BACKUPS]
    if any(supported(one) for one in found):
        return ""
    return next((one.reason for one in found if isinstance(one, Impossible)), "")


def _connection(asked: Asked | DbopsError) -> Observation:
    if isinstance(asked, DbopsError):
        why = Missing(asked.reason or "connect_failed", asked.message)
        state = Status.CRITICAL if asked.reason in DOWN else None
        return Observation(summary="no session", missing=why, state=state, evidence={"hint": asked.hint})
    if asked.gone is not None:
        return Observation(summary="the connection broke", missing=asked.gone, state=Status.CRITICAL)
    version = asked.server.version_text
    return Observation(
        summary=f"{asked.backend.label} {version}, {asked.server.role}, answered in {asked.latency_s * 1000:.0f} ms",
        value=asked.latency_s,
        evidence={"version": version, "role": asked.server.role},
    )


def _summary(
    job: _Job, asked: Asked | DbopsError, results: Sequence[CheckResult], started_at: datetime, seconds: float
) -> TargetHealth:
    status = decide.worst(result.status for result in results)
    code = {Status.OK: 0, Status.UNKNOWN: CouldNotTell.code}.get(status, 1)
    found = TargetHealth(
        name=job.target.name,
        engine=job.backend.name,
        address=str(job.target.endpoint),
        server_version="",
        role="unknown",
        status=status,
        coverage=decide.coverage(results),
        code=code,
        started_at=started_at,
        seconds=round(seconds, 3),
    )
    if isinstance(asked, DbopsError):
        return msgspec.structs.replace(found, code=asked.code) if code == CouldNotTell.code else found
    server = asked.server
    return msgspec.structs.replace(
        found, engine=asked.backend.name, server_version=server.version_text, role=server.role
    )
