"""Lengths of time and sizes as people write them."""

from __future__ import annotations

__all__ = ["duration", "size"]

_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


def duration(seconds: float) -> str:
    """``5400`` as ``1h30m``; below a minute with one decimal."""
    if seconds < 60:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    left = round(seconds)
    parts: list[str] = []
    for unit, length in _UNITS:
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])


def size(count: float) -> str:
    """``1536`` as ``1.5 KiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
