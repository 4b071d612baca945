"""SQL Server's clock: local times in msdb and in headers, and what is known of their distance to UTC.

``backupset.time_zone`` counts quarters of an hour; 127 says that nobody knows, and RESTORE HEADERONLY does not say at
all. A time whose zone is unknown is a span of a day, and whoever decides must be right at both ends of it. Times are
kept to the second.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

__all__ = ["RESOLUTION", "UNKNOWN_ZONE", "Span", "local", "minutes", "span"]

UNKNOWN_ZONE = 127
RESOLUTION = timedelta(seconds=1)
_FARTHEST = timedelta(hours=14)


class Span(NamedTuple):
    """An instant in UTC that is known to lie between two, which are the same when it is known exactly."""

    earliest: datetime
    latest: datetime


def minutes(time_zone: int | None) -> int | None:
    """``backupset.time_zone`` as minutes east of UTC; None when it is not known."""
    return None if time_zone is None or time_zone == UNKNOWN_ZONE else time_zone * 15


def span(at: datetime, zone: int | None) -> Span:
    """A local time in UTC.

    :param zone: minutes east of UTC.
    """
    plain = at.replace(tzinfo=UTC)
    if zone is None:
        return Span(plain - _FARTHEST, plain + _FARTHEST)
    there = plain - timedelta(minutes=zone)
    return Span(there, there)


def local(at: datetime, zone: int | None) -> datetime:
    """An instant as the server's clock showed it, without offset, as STOPAT takes it; UTC where the zone is unknown."""
    return (at.astimezone(UTC) + timedelta(minutes=zone or 0)).replace(tzinfo=None)
