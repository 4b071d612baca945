"""Dates and times in texts: the formats that mean the same in every language."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.simulators.mssql.answers import failed

FORMATS = (
    *("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"),
    *("%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y%m%d %H:%M:%S.%f", "%Y%m%d %H:%M:%S", "%Y%m%d"),
    *("%b %d %Y %I:%M%p", "%b %d %Y"),
)


def moment(text: str | None) -> datetime | None:
    """Seven digits of a second are cut to the six that Python keeps; an offset is taken into UTC."""
    if text is None:
        return None
    plain = text.strip()
    zoned = plain.endswith("Z") or plain[-6:-5] in {"+", "-"}
    if zoned:
        return datetime.fromisoformat(_cut(plain.replace("Z", "+00:00"))).astimezone(UTC).replace(tzinfo=None)
    for one in FORMATS:
        try:
            return datetime.strptime(_cut(plain), one)  # noqa: DTZ007 (T-SQL's own dates have no zone)
        except ValueError:
            continue
    raise failed(241, "Conversion failed when converting date and/or time from character string.")


def _cut(text: str) -> str:
    head, point, tail = text.partition(".")
    digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
    return head + point + digits[:6] + tail[len(digits) :] if point else text
