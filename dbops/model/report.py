"""Everything that a report says about servers, gathered once; what could not be had is a Missing with its reason."""

from __future__ import annotations

from datetime import datetime

import msgspec

from dbops.model.backup import BackupRecord
from dbops.model.finding import Finding, Missing
from dbops.model.health import CheckResult, TargetHealth
from dbops.model.recovery import Coverage

__all__ = ["AccessSummary", "Audited", "Checked", "Person", "Protected", "Report", "TargetReport", "Timing"]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The health of one target."""

    summary: TargetHealth
    checks: tuple[CheckResult, ...]


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit found, the worst first; ``skipped`` are rules that could not be judged, with the reason."""

    findings: tuple[Finding, ...]
    skipped: tuple[str, ...] = ()


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can log in.

    :param attributes: in the engine's words, without the one that lets him log in.
    :param roles: every role that he is in, directly or through others.
    :param objects: how many objects he can do something with; Missing for those who can do everything.
    """

    name: str
    attributes: tuple[str, ...]
    roles: tuple[str, ...]
    objects: int | Missing
    valid_until: datetime | None = None


class AccessSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Who there is, in numbers and by name (system principals left out)."""

    principals: int
    memberships: int
    objects: int
    grants: int
    people: tuple[Person, ...]


class Protected(msgspec.Struct, frozen=True, kw_only=True):
    """What the repository holds of one target, oldest first, and what that covers."""

    repository: str
    backups: tuple[BackupRecord, ...]
    coverage: Coverage | Missing


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took."""

    what: str
    name: str
    started_at: datetime
    seconds: float
    status: str


class TargetReport(msgspec.Struct, frozen=True, kw_only=True):
    """One target."""

    name: str
    address: str
    server: str | Missing
    health: Checked | Missing
    audit: Audited | Missing
    access: AccessSummary | Missing
    backups: Protected | Missing
    timings: tuple[Timing, ...] | Missing


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All targets. ``generated_at`` is in UTC."""

    generated_at: datetime
    dbops: str
    targets: tuple[TargetReport, ...]
