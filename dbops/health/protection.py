"""Can we get it back, as health sees it: the age of the newest backup, and of the last one that was proved."""

from __future__ import annotations

from datetime import datetime

from dbops.model.finding import Missing
from dbops.model.health import Observation, Protection, Status

__all__ = ["backup_age", "backup_proof"]


def backup_age(protection: Protection | Missing, now: datetime) -> list[Observation]:
    """How much would be lost, at most, if the server were gone now."""
    if isinstance(protection, Missing):
        return [_missing(protection)]
    found = _unreadable(protection)
    if protection.backup_at is None:
        return [*found, Observation(summary="there is no backup of this server", state=Status.CRITICAL)]
    age = _age(protection.backup_at, now)
    return [
        *found,
        Observation(
            summary=f"the newest backup is {protection.backup}, finished {_ago(age)} ago",
            value=age,
            evidence={"backup": protection.backup, "finished_at": protection.backup_at.isoformat()},
        ),
    ]


def backup_proof(protection: Protection | Missing, now: datetime) -> list[Observation]:
    """When a restore last worked. A test that failed since then counts more than one that worked before it."""
    if isinstance(protection, Missing):
        return [_missing(protection)]
    if protection.proof_at is None:
        if protection.unreadable:
            return _unreadable(protection)
        return [Observation(summary="no backup of this server was ever restored", state=Status.CRITICAL)]
    age = _age(protection.proof_at, now)
    since = protection.attempt_at is not None and protection.attempt_at > protection.proof_at
    state = {"failed": Status.CRITICAL, "could_not_verify": Status.WARNING}.get(protection.attempt) if since else None
    after = f"; a later restore test: {protection.attempt.replace('_', ' ')}" if state else ""
    return [
        Observation(
            summary=f"{protection.proof} was restored and verified {_ago(age)} ago{after}",
            value=age,
            state=state,
            evidence={"backup": protection.proof, "verified_at": protection.proof_at.isoformat()},
        )
    ]


def _missing(missing: Missing) -> Observation:
    if missing.reason == "not_configured":
        return Observation(summary="not kept by dbops", missing=missing, state=Status.SKIPPED)
    return Observation(summary="the repository could not be read", missing=missing)


def _unreadable(protection: Protection) -> list[Observation]:
    if not protection.unreadable:
        return []
    summary = f"{protection.unreadable} backups have a manifest that cannot be read"
    return [Observation(summary=summary, object="manifests", missing=Missing("stale_input", "see dbops backup list"))]


def _age(then: datetime, now: datetime) -> float:
    return max(0.0, (now - then).total_seconds())


def _ago(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
