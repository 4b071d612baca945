"""Names become keys and back; identifiers sort by time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import InputError
from dbops.repository.layout import Place, new_id, plain, segment
from dbops.storage.base import checked_key

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
NOW = datetime(2026, 7, 14, 2, 15, 0, 123_999, tzinfo=UTC)


@given(name=NAMES)
def test_any_name_is_one_safe_segment_and_comes_back(name: str) -> None:
    made = segment(name)
    assert "/" not in made
    assert checked_key(made) == made
    assert plain(made) == name


@pytest.mark.parametrize(
    "name", ["..", ".", "manifest", "begun", "format", "leases", '"; drop table x; --', "a/b", "ü" * 31]
)
def test_names_that_mean_something_else_are_encoded(name: str) -> None:
    assert segment(name) not in {"..", ".", "manifest", "begun", "format", "leases"}
    assert plain(segment(name)) == name


@given(one=NAMES, other=NAMES)
def test_two_names_never_share_a_segment(one: str, other: str) -> None:
    assert (segment(one) == segment(other)) == (one == other)


def test_an_identifier_is_readable() -> None:
    assert new_id(NOW, b"\x00\x00\x00\x00\x01") == "b-20260714t021500123-00000001"
    assert new_id(NOW, b"\xff" * 5) == "b-20260714t021500123-zzzzzzzz"


@given(
    one=st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive by contract
    later=st.timedeltas(timedelta(milliseconds=1), timedelta(days=9999)),
    noise=st.tuples(st.binary(min_size=5, max_size=5), st.binary(min_size=5, max_size=5)),
)
def test_identifiers_sort_by_time(one: datetime, later: timedelta, noise: tuple[bytes, bytes]) -> None:
    assert new_id(one, noise[0]) < new_id(one + later, noise[1])


def test_an_identifier_is_in_utc() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5)))
    assert new_id(there, b"abcde") == new_id(NOW, b"abcde")


def test_a_time_without_an_offset_makes_no_identifier() -> None:
    with pytest.raises(ValueError, match="with an offset"):
        new_id(NOW.replace(tzinfo=None), b"abcde")


@pytest.mark.parametrize("backup_id", ["", "../../etc", "b-1", "B-20260714t021500123-00000001"])
def test_what_is_no_identifier_never_becomes_a_path(backup_id: str) -> None:
    with pytest.raises(InputError, match="is not the id of a backup"):
        _ = Place("shop", "1", backup_id).folder
