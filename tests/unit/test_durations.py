"""Lengths of time, instants and retention, as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.durations import duration, format_duration, instant, keep, zone
from dbops.errors import UsageError
from dbops.model.backup import Keep


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("90s", 90), ("15m", 900), ("1h30m", 5400), ("7d", 604800), ("4w", 2419200), ("1y", 31536000)],
)
def test_lengths_of_time(text: str, seconds: int) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "1.5h", "-1m", "5 m", "1mo", "5m ", "\n5m"])
def test_another_form_is_refused_where_it_stands(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        duration(text, "dbops.toml: targets.shop.timeout")
    assert caught.value.message == f"dbops.toml: targets.shop.timeout: {text!r} is not a length of time"
    assert "15m" in caught.value.hint


@given(st.integers(10, 3599) | st.integers(0, 10_000).map(lambda minutes: minutes * 60))
def test_what_is_written_for_people_reads_back(seconds: int) -> None:
    text = format_duration(seconds)
    rough = duration(text.replace(" ", "")) if "." not in text else 0
    assert abs(rough - seconds) < (3600 if seconds >= 86400 else 1)


@given(st.floats(0, 1e9))
def test_at_most_two_units_and_none_is_full(seconds: float) -> None:
    text = format_duration(seconds)
    assert 1 <= len(text.split()) <= 2
    assert not {"60s", "60m", "24h", "10.0s"} & set(text.split())


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.0s"), (9.94, "9.9s"), (9.96, "10s"), (59.7, "1m"), (95.0, "1m 35s"), (90061, "1d 1h")]
)
def test_lengths_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=2)))))
def test_an_instant_is_kept_and_given_as_utc(when: datetime) -> None:
    if when.year > 1:
        found = instant(when.isoformat())
        assert found == when
        assert found.tzinfo is UTC


def test_z_is_an_offset() -> None:
    assert instant("2026-01-31T03:00:00Z") == datetime(2026, 1, 31, 3, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-01-31T03:00:00", "2026-01-31", "2026-01-31 03:00"])
def test_a_time_without_offset_is_refused_with_both_readings(text: str) -> None:
    there = datetime.fromisoformat(text).replace(tzinfo=timezone(timedelta(hours=2)))
    with pytest.raises(UsageError) as caught:
        instant(text, "--to", there)
    assert "+00:00 (UTC)" in caught.value.message
    assert "+02:00 (this machine)" in caught.value.message
    assert caught.value.message.startswith("--to: ")


@pytest.mark.parametrize("text", ["UTC", "Europe/Berlin", "+02:00", "-09:30"])
def test_time_zones(text: str) -> None:
    assert zone(text) == text


@pytest.mark.parametrize("text", ["Berlin", "+2", "+15:00", "../etc/passwd", "", "CEST+1"])
def test_what_is_no_time_zone(text: str) -> None:
    with pytest.raises(UsageError, match=f"--x: there is no time zone '{re.escape(text)}'") as caught:
        zone(text, "--x")
    assert "Europe/Berlin or +02:00" in (caught.value.hint or "")


def test_the_machine_s_own_zone_is_the_other_reading() -> None:
    with pytest.raises(UsageError, match=r"\(this machine\)"):
        instant("2026-01-31T03:00:00")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "latest", "0001-01-01T00:00:00+23:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        instant(text)
    assert caught.value.message == f"time: {text!r} is not a time"
    assert "+00:00" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("7d,4w,12m", Keep(daily=7, weekly=4, monthly=12)),
        (" 3 , 24h ,1y", Keep(last=3, hourly=24, yearly=1)),
        ("0d", Keep(daily=0)),
        ("7", Keep(last=7)),
    ],
)
def test_retention_as_text(text: str, kept: Keep) -> None:
    assert keep(text) == kept


@pytest.mark.parametrize("text", ["", "7x", "d7", "7d,7d", "7d,,4w", "-1d"])
def test_another_retention_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        keep(text, "keep")
    assert caught.value.message == f"keep: {text!r} is not a retention"


def test_retention_as_a_table() -> None:
    assert keep({"last": 2, "daily": 7, "within": "30d"}) == Keep(last=2, daily=7, within_s=30 * 86400)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"dayly": 7}, "keep: unknown key 'dayly'"),
        ({"daily": "7"}, "keep.daily: '7' is not a number of backups"),
        ({"daily": True}, "keep.daily: True is not a number of backups"),
        ({"daily": -1}, "keep.daily: -1 is not a number of backups"),
        ({"within": 30}, "keep.within: '30' is not a length of time"),
    ],
)
def test_a_wrong_table_is_refused_at_its_key(table: dict[str, int | str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        keep(table)
    assert caught.value.message == message
