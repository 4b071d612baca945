"""How people write lengths of time, instants and retention."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dbops.errors import UsageError
from dbops.model.backup import Keep

__all__ = ["duration", "format_duration", "instant", "keep", "zone"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31_536_000}
_DURATION = re.compile(r"(?:\d+[smhdwy])+")
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d")
_KEEP_WORDS = {"h": "hourly", "d": "daily", "w": "weekly", "m": "monthly", "y": "yearly"}


def duration(text: str, where: str = "duration") -> int:
    """Seconds in ``15m``, ``2h``, ``7d``, ``1h30m``. ``m`` is minutes.

    :raises UsageError: any other form.
    """
    if not _DURATION.fullmatch(text):
        raise UsageError(f"{where}: {text!r} is not a length of time", hint="Write it as 30s, 15m, 2h, 7d or 4w.")
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([smhdwy])", text))


def format_duration(seconds: float) -> str:
    """``95.0`` as ``1m 35s``: at most two units, for people."""
    if round(seconds, 1) < 10:
        return f"{seconds:.1f}s"
    left = round(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def instant(text: str, where: str = "time", local: datetime | None = None) -> datetime:
    """An instant with its offset, as UTC.

    :param local: the same text read in the machine's own zone, for the message (the caller knows the zone).
    :raises UsageError: not ISO 8601, or without an offset: both readings are shown.
    """
    try:
        found = datetime.fromisoformat(text)
        here = found.astimezone()
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):  # the first and the last day of the calendar have no neighbour
        raise UsageError(
            f"{where}: {text!r} is not a time", hint="Write it with its offset: 2026-01-31T03:00:00+00:00."
        ) from None
    as_utc, here = found.replace(tzinfo=UTC), local or here
    raise UsageError(
        f"{where}: {text!r} has no offset and could be {as_utc.isoformat()} (UTC) or {here.isoformat()} (this machine)",
        hint="Write the one that is meant, with its offset.",
    )


def zone(text: str, where: str = "time zone") -> str:
    """A time zone as ``+02:00``, or by its IANA name.

    :raises UsageError: this machine knows none of this name.
    """
    if _OFFSET.fullmatch(text):
        return text
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"{where}: there is no time zone {text!r} on this machine", hint="Write UTC, Europe/Berlin or +02:00."
        ) from None


def keep(value: str | Mapping[str, int | str], where: str = "keep") -> Keep:
    """Retention from ``7d,4w,12m`` (here ``m`` is months; a bare number keeps the newest) or from a table
    ``{daily = 7, weekly = 4, monthly = 12, within = "30d"}``.

    :raises UsageError: another form.
    """
    if isinstance(value, str):
        return _keep_text(value, where)
    words = {*_KEEP_WORDS.values(), "last", "within"}
    numbers: dict[str, int] = {}
    for key, amount in value.items():
        if key not in words:
            raise UsageError(f"{where}: unknown key {key!r}", hint=f"Known: {', '.join(sorted(words))}.")
        if key == "within":
            numbers["within_s"] = duration(str(amount), f"{where}.within")
        elif not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
            raise UsageError(f"{where}.{key}: {amount!r} is not a number of backups")
        else:
            numbers[key] = amount
    return Keep(**numbers)


def _keep_text(text: str, where: str) -> Keep:
    numbers: dict[str, int] = {}
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d+)([hdwmy]?)\s*", part)
        key = _KEEP_WORDS.get(found[2], "last") if found else ""
        if not found or key in numbers:
            raise UsageError(f"{where}: {text!r} is not a retention", hint="Write it as 7d,4w,12m.")
        numbers[key] = int(found[1])
    return Keep(**numbers)
