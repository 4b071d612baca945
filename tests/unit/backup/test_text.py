"""Lengths of time and sizes as people write them."""

from __future__ import annotations

import pytest

from dbops.backup.text import duration, size


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (1.5, "1.5s"), (60, "1m"), (5400, "1h30m"), (90061, "1d1h"), (604_800, "7d")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1536, "1.5 KiB"), (1 << 30, "1.0 GiB"), (1 << 50, "1024.0 TiB")]
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text
