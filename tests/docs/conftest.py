"""The demo's shop, which the documentation's examples talk to."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbops_postgresql.demo.shop import Shop, place, start


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with tempfile.TemporaryDirectory(prefix="dbops-docs-", dir=place("postgresql")) as folder:
        Path(folder).chmod(0o711)
        with start("postgresql", Path(folder)) as running:
            running.fill()
            yield running
