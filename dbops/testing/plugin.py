"""The pytest plugin: fixtures that hand out real servers, and a summary that names what could not be tested.

Fixtures: ``postgres`` (a server shared by the session), ``database`` (a new database on it; roles that the test made
are dropped afterwards), ``private_postgres`` (a function that starts servers for one test). Each test that uses one
runs once for every version; ``@pytest.mark.postgres(since=17)``, ``before=16`` or ``newest=True`` narrow that.

Versions come from ``--postgres 15,17,18`` or ``DBOPS_TEST_POSTGRES``. A server that this machine lacks is a skip,
and a failure when ``DBOPS_TEST_REQUIRE=postgresql15,…`` names it. With pytest-xdist each worker has its own servers.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dbops.testing.servers import Database, Installation, ThrowawayServer

pytest.register_assert_rewrite("dbops.testing.contracts", "dbops.testing.live")

USUAL = (18, 17, 15)
NOT_TESTED = "not tested here: "
_numbers = itertools.count(1)


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
    """Markers; and what a killed session left behind is cleaned up, by the controller alone."""
    config.addinivalue_line(
        "markers", "postgres(since, before, newest): the PostgreSQL major versions that a test runs on"
    )
    config.addinivalue_line(
        "markers", "proves(engine, *capabilities, by): what a test proves, for the matrix of dbops.testing.matrix"
    )
    if not hasattr(config, "workerinput"):
        from dbops.testing.servers import sweep

        sweep(Path(tempfile.gettempdir()))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once for each version."""
    if "postgres_major" not in metafunc.fixturenames:
        return
    majors = _wanted(metafunc.config)
    for marker in metafunc.definition.iter_markers("postgres"):
        majors = _narrowed(majors, **marker.kwargs)
    metafunc.parametrize("postgres_major", majors, ids=[f"postgresql{major}" for major in majors], scope="session")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What could not be tested, each once."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.getreports("skipped") if report.longrepr}
    for reason in sorted(reasons):
        _, found, engine = reason.partition(NOT_TESTED)
        if found:
            terminalreporter.write_line(f"{NOT_TESTED}{engine}", yellow=True)


@pytest.fixture(scope="session")
def postgres_installation(postgres_major: int) -> Installation:
    """The programs of this version; the test is skipped, or fails where they are required, when there are none."""
    found = {one.major: one for one in reversed(_postgres_installations())}
    if postgres_major in found:
        return found[postgres_major]
    name = f"PostgreSQL {postgres_major}"
    if f"postgresql{postgres_major}" in os.environ.get("DBOPS_TEST_REQUIRE", "").replace(" ", "").split(","):
        pytest.fail(f"{name} is required by DBOPS_TEST_REQUIRE, and this machine has no server binary of it")
    pytest.skip(f"{NOT_TESTED}{name} (no server binary)")


@pytest.fixture(scope="session")
def postgres(postgres_installation: Installation) -> Iterator[ThrowawayServer]:
    """A server shared by all tests of the session (of the worker): leave nothing on it, do not stop it."""
    server = _start(postgres_installation, {})
    yield server
    server.destroy()


@pytest.fixture
def database(postgres: ThrowawayServer) -> Iterator[Database]:
    """A new empty database on the shared server. It and the roles that were made meanwhile are dropped afterwards."""
    from dbops.testing.servers import Database

    name = f"t{os.getpid()}_{next(_numbers)}"
    before = _roles(postgres)
    postgres.sql(f"CREATE DATABASE {name}")
    yield Database(postgres, name)
    postgres.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    _drop_roles(postgres, _roles(postgres) - before)


@pytest.fixture
def private_postgres(postgres_installation: Installation) -> Iterator[Callable[..., ThrowawayServer]]:
    """``private_postgres(archive_mode="on")``: a new server for this test, to be stopped, killed and damaged freely."""
    started: list[ThrowawayServer] = []

    def start(**settings: str) -> ThrowawayServer:
        started.append(_start(postgres_installation, settings))
        return started[-1]

    yield start
    for server in started:
        server.destroy()


def _start(installation: Installation, settings: dict[str, str]) -> ThrowawayServer:
    from dbops.testing import servers

    _end_on_sigterm()
    return servers.start("postgresql", installation, settings)


def _end_on_sigterm() -> None:
    # By default SIGTERM ends the interpreter without its exit handlers, and the servers would stay.
    with suppress(ValueError):
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _exit)


def _exit(number: int, _frame: FrameType | None) -> None:
    pytest.exit("ended by SIGTERM", returncode=128 + number)


def _majors(text: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",") if text]
    except ValueError:
        raise argparse.ArgumentTypeError(f"major versions such as 15,17,18 are wanted, not {text!r}") from None


def _wanted(config: pytest.Config) -> list[int]:
    chosen: list[int] = config.getoption("--postgres") or []
    if chosen:
        return chosen
    return sorted({*USUAL, *(one.major for one in _postgres_installations())}, reverse=True)


def _narrowed(majors: list[int], *, since: int = 0, before: int = 1000, newest: bool = False) -> list[int]:
    kept = [major for major in majors if since <= major < before]
    return [max(kept)] if newest and kept else kept


@cache
def _postgres_installations() -> tuple[Installation, ...]:
    from dbops.testing.servers import find_postgres

    return find_postgres()


def _roles(server: ThrowawayServer) -> set[str]:
    return {row[0] for row in server.sql("SELECT rolname FROM pg_roles")}


def _drop_roles(server: ThrowawayServer, names: set[str]) -> None:
    quoted = ['"' + name.replace('"', '""') + '"' for name in sorted(names)]
    if quoted:
        # One DROP for all: roles that granted memberships to each other cannot go one by one.
        owned = "; ".join(f"DROP OWNED BY {name} CASCADE" for name in quoted)
        server.sql(f"{owned}; DROP ROLE {', '.join(quoted)}")
