"""The vocabulary of findings: how bad, and why something is not known."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

__all__ = ["Benchmark", "Finding", "Missing", "Remedy", "Severity", "Waived"]


class Severity(StrEnum):
    """How bad a finding is; ordered from harmless to worst."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 4 for critical."""
        return list(Severity).index(self)


class Missing(msgspec.Struct, frozen=True):
    """A fact that could not be had, and why. Never read as zero, as empty or as good.

    ``reason`` is for machines (``no_permission``, ``hidden_rows``, ``not_supported_version``, ``feature_off``,
    ``extension_missing``, ``stats_too_young``, ``stale_input``, ``timeout``, ``lock_timeout``, ``connect_failed``,
    ``custody``, ``not_reachable``, ``auth_failed``, ``unknown_database``, ``too_many_connections``, ``driver_missing``,
    ``query_failed``, ``not_read``); ``detail`` is for people and says what would help.
    """

    reason: str
    detail: str = ""


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """What to do. ``sql`` is ready to paste; ``risk`` says what running it does (safe, locks, restart, data-loss)."""

    text: str
    sql: str = ""
    risk: str = "safe"
    url: str = ""


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a published benchmark that a rule answers to, in that benchmark's own numbering."""

    benchmark: str
    version: str
    item: str


class Waived(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody accepted this finding: who, why and until when."""

    reason: str
    by: str = ""
    until: datetime | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. ``fingerprint`` stays the same between runs while the thing stays the same."""

    id: str
    severity: Severity
    summary: str
    fingerprint: str
    principal: str = ""
    object: str = ""
    remedy: Remedy
    benchmarks: tuple[Benchmark, ...] = ()
    waived: Waived | None = None
