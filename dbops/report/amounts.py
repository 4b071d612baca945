"""Bytes, seconds and instants as people read them; an absent fact says why."""

from __future__ import annotations

from datetime import datetime

from dbops.model.finding import Missing
from dbops.model.recovery import Range

__all__ = ["bytes_", "instant", "seconds", "span"]


def bytes_(count: float | Missing) -> str:
    """``1.5 GiB``."""
    if isinstance(count, Missing):
        return "?"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def seconds(value: float | Missing) -> str:
    """``1m 35s``: at most two units."""
    if isinstance(value, Missing):
        return f"not known ({value.detail or value.reason})"
    if value < 60:
        return f"{value:.1f}s" if value < 10 else f"{value:.0f}s"
    left = round(value)
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def span(value: Range | Missing) -> str:
    """``10s`` or ``10s to 20s``."""
    if isinstance(value, Missing):
        return seconds(value)
    low, high = seconds(value.low), seconds(value.high)
    return low if low == high else f"{low} to {high}"


def instant(at: datetime | None) -> str:
    """``2026-01-31 02:15:00+00:00``, to the second; a restore finds the backup by it."""
    return at.isoformat(sep=" ", timespec="seconds") if at else "-"
