"""The output of a Nagios plugin: one line and performance data, as the Monitoring Plugins' guidelines have it.

https://www.monitoring-plugins.org/doc/guidelines.html
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

__all__ = ["EXIT", "Measured", "line"]

EXIT = {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}
"""The plugin's exit codes by status."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One value with its thresholds. ``uom`` is ``s``, ``%``, ``B``, ``c`` or nothing."""

    label: str
    value: float
    uom: str = ""
    warning: float | None = None
    critical: float | None = None
    low_bad: bool = False


def line(service: str, status: str, text: str, measured: Sequence[Measured] = ()) -> str:
    """``SERVICE STATUS - text | 'label'=value;warning;critical …``, in one line whatever the text holds."""
    head = f"{service.upper()} {status.upper()} - {' '.join(text.replace('|', '/').split())}"
    data = " ".join(_datum(one) for one in measured)
    return f"{head} | {data}\n" if data else f"{head}\n"


def _datum(one: Measured) -> str:
    label = " ".join(one.label.replace("'", "").replace("=", "_").split())
    warning, critical = (_range(limit, low_bad=one.low_bad) for limit in (one.warning, one.critical))
    return f"'{label}'={_number(one.value)}{one.uom};{warning};{critical}".rstrip(";")


def _range(limit: float | None, *, low_bad: bool) -> str:
    if limit is None:
        return ""
    return f"{_number(limit)}:" if low_bad else _number(limit)


def _number(value: float) -> str:
    """Without an exponent, which the format does not know."""
    return f"{value:.6f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
