"""Amounts in the words of summaries."""

from __future__ import annotations

__all__ = ["seconds", "size"]


def seconds(value: float) -> str:
    """``95.0`` as ``1m 35s``."""
    left = round(max(0.0, value))
    for unit, size_, below, smaller in (("d", 86_400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)):
        if left >= size_:
            return f"{left // size_}{unit} {left % size_ // smaller}{below}"
    return f"{left}s"


def size(count: float) -> str:
    """Bytes as ``1.5 GiB``."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
