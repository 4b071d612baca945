"""PostgreSQL servers for tests.

Fixtures: ``postgres`` (a server shared by the session), ``database`` (a new database on it; roles that the test made
are dropped afterwards), ``private_postgres`` (a function that starts servers for one test). Each test that uses one
runs once for every version; ``@pytest.mark.postgres(since=17)``, ``before=16`` or ``newest=True`` narrow that.

Versions come from ``--postgres 15,17,18`` or ``DBOPS_TEST_POSTGRES``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import pytest

from dbops.testing.lend import Private, lent, new_name, private
from dbops.testing.missing import missing

if TYPE_CHECKING:
    from dbops.testing.servers import Database, Installation, ThrowawayServer

USUAL = (18, 17, 15)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--postgres``."""
    parser.getgroup("dbops").addoption(
        "--postgres",
        type=_majors,
        default=os.environ.get("DBOPS_TEST_POSTGRES", ""),
        metavar="MAJOR,…",
        help="PostgreSQL major versions to test, such as 15,17,18 (default: the usual ones and all that are found)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The markers."""
    for line in (
        "postgres(since, before, newest): the PostgreSQL major versions that a test runs on",
        "on_postgresql: set here, on tests that need a server of PostgreSQL; for -m",
        "newest: set here, on tests that need one version alone; for -m",
    ):
        config.addinivalue_line("markers", line)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once for each version."""
    if "postgres_major" not in metafunc.fixturenames:
        return
    majors = _wanted(metafunc.config)
    for marker in metafunc.definition.iter_markers("postgres"):
        majors = _narrowed(majors, **marker.kwargs)
    metafunc.parametrize("postgres_major", majors, ids=[f"postgresql{major}" for major in majors], scope="session")


def pytest_itemcollected(item: pytest.Item) -> None:
    """``-m on_postgresql``, ``-m 'not newest'``."""
    if "postgres_major" in getattr(item, "fixturenames", ()):
        item.add_marker("on_postgresql")
        if any(marker.kwargs.get("newest") for marker in item.iter_markers("postgres")):
            item.add_marker("newest")


@pytest.fixture(scope="session")
def postgres_installation(postgres_major: int) -> Installation:
    """The programs of this version; the test is skipped, or fails where they are required, when there are none."""
    found = {one.major: one for one in reversed(_installations())}
    if postgres_major not in found:
        missing(f"postgresql{postgres_major}", f"PostgreSQL {postgres_major}")
    return found[postgres_major]


@pytest.fixture(scope="session")
def postgres(postgres_installation: Installation) -> Iterator[ThrowawayServer]:
    """A server shared by all tests of the session (of the worker): leave nothing on it, do not stop it."""
    with lent("postgresql", postgres_installation) as server:
        yield server


@pytest.fixture
def database(postgres: ThrowawayServer) -> Iterator[Database]:
    """A new empty database on the shared server. It and the roles that were made meanwhile are dropped afterwards."""
    from dbops.testing.servers import new_database

    with new_database(postgres, new_name()) as one:
        yield one


@pytest.fixture
def private_postgres(postgres_installation: Installation) -> Iterator[Private]:
    """``private_postgres(archive_mode="on")``: a new server for this test, to be stopped, killed and damaged freely."""
    with private("postgresql", postgres_installation) as start:
        yield start


def _majors(text: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",") if text]
    except ValueError:
        raise argparse.ArgumentTypeError(f"major versions such as 15,17,18 are wanted, not {text!r}") from None


def _wanted(config: pytest.Config) -> list[int]:
    chosen: list[int] = config.getoption("--postgres") or []
    if chosen:
        return chosen
    return sorted({*USUAL, *(one.major for one in _installations())}, reverse=True)


def _narrowed(majors: list[int], *, since: int = 0, before: int = 1000, newest: bool = False) -> list[int]:
    kept = [major for major in majors if since <= major < before]
    return [max(kept)] if newest and kept else kept


@cache
def _installations() -> tuple[Installation, ...]:
    from dbops.testing.servers import find_postgres

    return find_postgres()
