"""The demo's shops, which the documentation's examples talk to."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbops.testing.missing import missing
from dbops_mysql.demo import shop as mysql
from dbops_mysql.installation import Family, installations
from dbops_postgresql.demo.shop import Shop, place, start


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with tempfile.TemporaryDirectory(prefix="dbops-docs-", dir=place("postgresql")) as folder:
        Path(folder).chmod(0o711)
        running = start("postgresql", Path(folder))
        try:
            running.fill()
            yield running
        finally:
            running.stop()


@pytest.fixture(scope="module", params=["mysql", "mariadb"])
def other_shop(request: pytest.FixtureRequest) -> Iterator[mysql.Shop]:
    """That of MySQL, then that of MariaDB; where one is not installed, the test is skipped and the summary says so."""
    family: Family = request.param
    if not installations(family=family):
        missing(family, mysql.LABELS[family])
    with tempfile.TemporaryDirectory(prefix="dbops-docs-", dir=mysql.place(family)) as folder:
        Path(folder).chmod(0o711)
        running = mysql.start(family, Path(folder))
        try:
            running.fill()
            yield running
        finally:
            running.stop()
