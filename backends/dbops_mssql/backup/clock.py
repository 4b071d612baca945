"""SQL Server's clock: local times in msdb and in headers, and what is known of their distance to UTC.

``backupset.time_zone`` counts quarters of an hour; 127 says that nobody knows, and RESTORE HEADERONLY does not say at
all. A time whose zone is unknown is a span of a day, and whoever decides must be right at both ends of it; one that a
clock showed twice, when it was put back, is a span of an hour. Times are kept to the second.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

__all__ = ["RESOLUTION", "UNKNOWN_ZONE", "Span", "after", "local", "minutes", "moments", "place", "span"]

UNKNOWN_ZONE = 127
RESOLUTION = timedelta(seconds=1)
_FARTHEST = timedelta(hours=14)
# No clock was ever put back by more at once.
_PUT_BACK = timedelta(hours=2)


class Span(NamedTuple):
    """An instant in UTC that is known to lie between two, which are the same when it is known exactly."""

    earliest: datetime
    latest: datetime


def minutes(time_zone: int | None) -> int | None:
    """``backupset.time_zone`` as minutes east of UTC; None when it is not known."""
    return None if time_zone is None or time_zone == UNKNOWN_ZONE else time_zone * 15


@cache
def place(where: str) -> tzinfo:
    """A time zone by its name, or by its distance to UTC: ``+02:00``."""
    if where[:1] in "+-":
        return timezone(datetime.strptime(where, "%z").utcoffset() or timedelta())
    return ZoneInfo(where)


def moments(at: datetime, where: str) -> tuple[datetime, ...]:
    """The instants at which a clock at this place showed a local time, in UTC: one; two of a time that came again when
    the clock was put back; none of a time that was left out when it was put forward."""
    there = place(where)
    both = [at.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return tuple(one for one in dict.fromkeys(both) if one.astimezone(there).replace(tzinfo=None) == at)


def span(at: datetime, zone: int | None, where: str = "") -> Span:
    """A local time in UTC.

    :param zone: minutes east of UTC; where it is not known, ``where`` is the time zone that the clock was in.
    """
    plain = at.replace(tzinfo=UTC)
    if zone is not None:
        there = plain - timedelta(minutes=zone)
        return Span(there, there)
    found = moments(at, where) if where else ()
    return Span(found[0], found[-1]) if found else Span(plain - _FARTHEST, plain + _FARTHEST)


def after(begin: Span, at: datetime, zone: int | None, where: str = "") -> Span:
    """A local time that came after ``begin``, whose own distance to UTC ``zone`` is: the clock may have been put back
    or forward in between."""
    if where:
        found = [one for one in moments(at, where) if one >= begin.earliest]
        return Span(found[0], found[-1]) if found else begin
    end = span(at, zone)
    return end if end.latest >= begin.earliest else Span(begin.earliest, end.latest + _PUT_BACK)


def local(at: datetime, zone: int | None) -> datetime:
    """An instant as the server's clock showed it, without offset, as STOPAT takes it; UTC where the zone is unknown."""
    return (at.astimezone(UTC) + timedelta(minutes=zone or 0)).replace(tzinfo=None)
