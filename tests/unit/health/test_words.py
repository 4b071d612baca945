"""Amounts in the words of summaries."""

from __future__ import annotations

import pytest

from dbops.health.words import seconds, size


@pytest.mark.parametrize(
    ("value", "said"), [(-1, "0s"), (0.4, "0s"), (59, "59s"), (60, "1m 0s"), (3725, "1h 2m"), (90_000, "1d 1h")]
)
def test_seconds_for_people(value: float, said: str) -> None:
    assert seconds(value) == said


@pytest.mark.parametrize(("value", "said"), [(5, "5 bytes"), (2048, "2.0 KiB"), (3 * 2**40, "3.0 TiB")])
def test_sizes_for_people(value: float, said: str) -> None:
    assert size(value) == said
