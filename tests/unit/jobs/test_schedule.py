"""When a job is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import ConfigError
from dbops.jobs import schedule
from dbops.jobs.schedule import due, next_after, parse, previous

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, tz: tzinfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=tz).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("15 2 * * *", "2026-01-31T02:15", "2026-02-01T02:15"),
        ("15 2 * * *", "2026-01-31T02:14:59", "2026-01-31T02:15"),
        ("*/20 * * * *", "2026-01-31T23:41", "2026-02-01T00:00"),
        ("5/20 * * * *", "2026-01-31T10:06", "2026-01-31T10:25"),
        ("0 9-17/4 * * mon-fri", "2026-01-30T17:00", "2026-02-02T09:00"),  # a Friday evening
        ("0 0 1 jan,JUL *", "2026-01-01T00:00", "2026-07-01T00:00"),
        ("0 0 * * 0", "2026-01-31T00:00", "2026-02-01T00:00"),
        ("0 0 * * 7", "2026-01-31T00:00", "2026-02-01T00:00"),
        ("0 0 13 * fri", "2026-01-13T00:00", "2026-01-16T00:00"),  # either day is enough
        ("0 0 29 2 *", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("0 0 29 2 *", "2096-03-01T00:00", "2104-02-29T00:00"),
        ("0 0 */2 * */2", "2026-01-31T00:00", "2026-02-01T00:00"),  # both begin with a star: both must fit
        ("@daily", "2026-01-31T12:00", "2026-02-01T00:00"),
        ("@Weekly", "2026-01-31T12:00", "2026-02-01T00:00"),
        ("@yearly", "2026-01-31T12:00", "2027-01-01T00:00"),
        ("@hourly", "2026-01-31T12:00", "2026-01-31T13:00"),
    ],
)
def test_next(text: str, after: str, expected: str) -> None:
    assert next_after(parse(text), at(after)) == at(expected)


def test_previous_includes_the_instant_itself() -> None:
    cron = parse("15 2 * * *")
    assert previous(cron, at("2026-01-31T02:15")) == at("2026-01-31T02:15")
    assert previous(cron, at("2026-01-31T02:14:59.999")) == at("2026-01-30T02:15")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("15 2 * *", "has 4 fields and not five"),
        ("", "has 0 fields"),
        ("@often", "has 1 fields"),
        ("60 2 * * *", "'60' is no minute (0 to 59)"),
        ("0 24 * * *", "'24' is no hour (0 to 23)"),
        ("0 0 0 * *", "'0' is no day of month (1 to 31)"),
        ("0 0 * 13 *", "'13' is no month (1 to 12)"),
        ("0 0 * * 8", "'8' is no day of week (0 to 7)"),
        ("0 0 * foo *", "'foo' is no month"),
        ("5-1 * * * *", "'5-1' is no minute"),
        ("*/0 * * * *", "'*/0' is no minute"),
        ("1,,2 * * * *", "'' is no minute"),
        ("-1 * * * *", "'' is no minute"),
        ("² * * * *", "'²' is no minute"),
        ("0 0 30 2 *", "names a day that never comes"),
        ("0 0 31 4,6,9,11 *", "names a day that never comes"),
    ],
)
def test_what_is_no_schedule_is_refused_by_field(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "dbops.toml: jobs.nightly.at")
    assert said in caught.value.message
    assert caught.value.message.startswith("dbops.toml: jobs.nightly.at: ")
    assert "15 2 * * *" in caught.value.hint


def test_an_impossible_date_with_a_weekday_still_has_its_weekdays() -> None:
    assert next_after(parse("0 0 31 2 sun"), at("2026-02-02T00:00")) == at("2026-02-08T00:00")


def test_a_zone_is_named_as_iana_does() -> None:
    assert schedule.zone("utc") is UTC
    assert schedule.zone("Europe/Berlin") == BERLIN


@pytest.mark.parametrize("name", ["Mars/Base", "../etc/passwd", ""])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="there is no time zone"):
        schedule.zone(name, "jobs.nightly.timezone")


def test_a_time_in_the_spring_gap_is_due_after_it() -> None:
    nightly = parse("30 2 * * *")
    assert next_after(nightly, local("2026-03-28T03:00"), BERLIN) == at("2026-03-29T01:30")  # 03:30 on the clock
    assert next_after(nightly, at("2026-03-29T01:30"), BERLIN) == local("2026-03-30T02:30")


def test_a_time_that_comes_twice_is_due_once() -> None:
    nightly = parse("30 2 * * *")
    first = next_after(nightly, local("2026-10-24T12:00"), BERLIN)
    assert first == at("2026-10-25T00:30")
    assert next_after(nightly, first, BERLIN) == local("2026-10-26T02:30")


def test_an_hourly_job_goes_on_by_the_clock() -> None:
    hourly = parse("0 * * * *")
    moment = at("2026-10-24T22:00")
    for _ in range(6):
        following = next_after(hourly, moment, BERLIN)
        assert following - moment == timedelta(hours=1)
        moment = following
    moment = at("2026-03-28T22:00")
    for _ in range(6):
        assert next_after(hourly, moment, BERLIN) - moment == timedelta(hours=1)
        moment += timedelta(hours=1)


@pytest.mark.parametrize(
    ("since", "now", "expected"),
    [
        ("2026-01-30T02:15", "2026-01-31T02:14", None),
        ("2026-01-30T02:15", "2026-01-31T02:15", "2026-01-31T02:15"),
        ("2026-01-01T02:15", "2026-01-31T11:00", "2026-01-31T02:15"),  # a month missed: one catch-up
        ("2026-01-31T02:15", "2026-01-31T11:00", None),
    ],
)
def test_due_is_the_last_occurrence_that_was_not_handled(since: str, now: str, expected: str | None) -> None:
    found = due(parse("15 2 * * *"), since=at(since), now=at(now))
    assert found == (at(expected) if expected else None)


def numbers(first: int, last: int) -> st.SearchStrategy[str]:
    one = st.integers(first, last).map(str)
    span = st.tuples(st.integers(first, last), st.integers(first, last)).map(lambda two: f"{min(two)}-{max(two)}")
    base = one | span | st.just("*")
    stepped = st.tuples(base, st.integers(1, 9)).map(lambda two: f"{two[0]}/{two[1]}")
    return st.lists(base | stepped, min_size=1, max_size=3).map(",".join)


LINES = st.tuples(numbers(0, 59), numbers(0, 23), numbers(1, 28), numbers(1, 12), numbers(0, 7)).map(" ".join)
INSTANTS = st.integers(0, 10 * 365 * 86400).map(lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


@given(LINES, INSTANTS)
def test_next_is_minimal_and_previous_is_its_inverse(line: str, after: datetime) -> None:
    cron = parse(line)
    following = next_after(cron, after)
    assert following > after
    assert is_due(cron, following)
    assert previous(cron, following) == following
    assert previous(cron, following - MINUTE / 2) <= after
    # Nothing in between, looked at minute by minute (a day at most, to be quick).
    moment = after.replace(second=0, microsecond=0) + MINUTE
    for _ in range(1440):
        if moment >= following:
            break
        assert not is_due(cron, moment)
        moment += MINUTE


@given(LINES, INSTANTS)
def test_in_a_zone_next_and_previous_agree(line: str, after: datetime) -> None:
    cron = parse(line)
    following = next_after(cron, after, BERLIN)
    assert following > after
    assert previous(cron, following, BERLIN) == following
    assert previous(cron, following - MINUTE / 2, BERLIN) <= after


def is_due(cron: schedule.Cron, moment: datetime) -> bool:
    by_date, by_weekday = moment.day in cron.days, (moment.weekday() + 1) % 7 in cron.weekdays
    day = by_date or by_weekday if cron.either_day else by_date and by_weekday
    return day and moment.month in cron.months and moment.hour in cron.hours and moment.minute in cron.minutes
