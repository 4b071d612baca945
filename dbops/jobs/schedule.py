"""When a job is due: five-field cron lines in a time zone, as pure functions of instants.

The fields are those of POSIX crontab with Vixie's additions: lists, ranges, steps, names (``mon``, ``jan``), Sunday as
0 or 7, and ``@hourly`` … ``@yearly``. When both day fields are restricted, a day that fits either one fits.

Where the clock is put forward, a time that does not exist is due as much later as the clock was moved; where it is put
back, a time that comes twice is due the first time. A job of every hour just goes on by the clock.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from dbops.errors import ConfigError

__all__ = ["Cron", "due", "next_after", "parse", "previous", "zone"]

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
EXAMPLE = "Write minute, hour, day of month, month, day of week: 15 2 * * * is every night at 02:15."
DAY = timedelta(days=1)


class Cron(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule. ``weekdays`` count from Sunday, 0. ``either_day``: one of the two day fields is enough."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either_day: bool = False

    @property
    def every_hour(self) -> bool:
        """Due in each hour of a day."""
        return len(self.hours) == 24

    def fits(self, day: date) -> bool:
        """Whether anything is due on a day."""
        by_date = day.day in self.days
        by_weekday = day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (by_date or by_weekday if self.either_day else by_date and by_weekday)


class _Field(msgspec.Struct, frozen=True):
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()


FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, MONTHS),
    _Field("day of week", 0, 7, DAYS),
)


def parse(text: str, where: str = "at") -> Cron:
    """A cron line.

    :raises ConfigError: it is none, or names a day that never comes; ``where`` is for the message.
    """
    words = MACROS.get(text.strip().lower(), text).split()
    if len(words) != len(FIELDS):
        raise ConfigError(f"{where}: {text!r} has {len(words)} fields and not five", hint=EXAMPLE)
    pairs = zip(FIELDS, words, strict=True)
    minutes, hours, days, months, weekdays = (_field(field, word, where) for field, word in pairs)
    cron = Cron(
        text=text,
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=tuple(sorted({day % 7 for day in weekdays})),
        either_day=not words[2].startswith("*") and not words[4].startswith("*"),
    )
    if not cron.either_day and min(days) > max(calendar.monthrange(2024, month)[1] for month in months):
        raise ConfigError(f"{where}: {text!r} names a day that never comes", hint=EXAMPLE)
    return cron


def zone(name: str, where: str = "timezone") -> tzinfo:
    """A time zone by its IANA name.

    :raises ConfigError: there is none of this name here.
    """
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"{where}: there is no time zone {name!r} on this machine", hint="Write UTC, or a name as Europe/Berlin."
        ) from None


def next_after(cron: Cron, after: datetime, tz: tzinfo = UTC) -> datetime:
    """The first instant after ``after`` (aware) at which ``cron`` is due, in UTC."""
    return _nearest(cron, after, tz, forward=True)


def previous(cron: Cron, upto: datetime, tz: tzinfo = UTC) -> datetime:
    """The last instant not after ``upto`` (aware) at which ``cron`` was due, in UTC."""
    return _nearest(cron, upto, tz, forward=False)


def due(cron: Cron, *, since: datetime, now: datetime, tz: tzinfo = UTC) -> datetime | None:
    """The occurrence to be handled now: the last one after ``since``, however many were missed before it."""
    last = previous(cron, now, tz)
    return last if last > since else None


def _nearest(cron: Cron, origin: datetime, tz: tzinfo, *, forward: bool) -> datetime:
    step = DAY if forward else -DAY
    # A time that the clock's change moved over midnight is found from the neighbouring day: one day early, one late.
    day = origin.astimezone(tz).date() - step
    found: list[datetime] = []
    while True:
        fitting = [one for one in _instants(cron, day, tz) if (one > origin if forward else one <= origin)]
        if found:
            break
        found = fitting
        day += step
    return min(found + fitting) if forward else max(found + fitting)


def _instants(cron: Cron, day: date, tz: tzinfo) -> Iterator[datetime]:
    if not cron.fits(day):
        return
    for hour in cron.hours:
        for minute in cron.minutes:
            yield from _on_the_clock(datetime.combine(day, time(hour, minute)), tz, every_hour=cron.every_hour)


def _on_the_clock(local: datetime, tz: tzinfo, *, every_hour: bool) -> Iterator[datetime]:
    first = local.replace(tzinfo=tz, fold=0).astimezone(UTC)
    exists = first.astimezone(tz).replace(tzinfo=None, fold=0) == local
    if exists or not every_hour:
        yield first
    if exists and every_hour:
        second = local.replace(tzinfo=tz, fold=1).astimezone(UTC)
        if second != first:
            yield second


def _field(field: _Field, text: str, where: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, where, field) if slash else 1
        if step < 1:
            raise _wrong(field, text, where)
        first, last = _span(field, span, where, stepped=bool(slash))
        if first > last:
            raise _wrong(field, text, where)
        found.update(range(first, last + 1, step))
    return tuple(sorted(found))


def _span(field: _Field, text: str, where: str, *, stepped: bool) -> tuple[int, int]:
    if text == "*":
        # Sunday once: a step over 0 to 7 would name it twice and Saturday never.
        return field.first, min(field.last, 6) if field.names is DAYS else field.last
    first_text, dash, last_text = text.partition("-")
    first = _value(field, first_text, where)
    if dash:
        return first, _value(field, last_text, where)
    return first, field.last if stepped else first


def _value(field: _Field, text: str, where: str) -> int:
    if text.lower() in field.names:
        return field.names.index(text.lower()) + field.first
    value = _number(text, where, field)
    if not field.first <= value <= field.last:
        raise _wrong(field, text, where)
    return value


def _number(text: str, where: str, field: _Field) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _wrong(field, text, where)
    return int(text)


def _wrong(field: _Field, text: str, where: str) -> ConfigError:
    return ConfigError(f"{where}: {text!r} is no {field.name} ({field.first} to {field.last})", hint=EXAMPLE)
