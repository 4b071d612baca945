"""MySQL and MariaDB servers for tests.

Fixtures: ``mysql`` (a server shared by the session), ``mysql_database`` (a new database on it; users and roles that the
test made are dropped afterwards), ``private_mysql`` (a function that starts servers for one test), ``mysql_series``
(which server it is: ``family``, ``version``). Each test that uses one runs once for every series of both families;
``@pytest.mark.mysql(family="mariadb", since="11.4")``, ``before="9.0"`` or ``newest=True`` (of each family) narrow it.

Series come from ``--mysql mysql9.7,mariadb10.11`` or ``DBOPS_TEST_MYSQL``; a family alone stands for all of its series.
Servers are looked for where systems put them and in the directories that ``DBOPS_SERVERS`` names.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from dbops.testing.lend import Private, lent, new_name, private
from dbops.testing.missing import missing, required

if TYPE_CHECKING:
    from dbops.testing.servers import Database, Installation, ThrowawayServer

__all__ = ["Series"]

LABELS = {"mysql": "MySQL", "mariadb": "MariaDB"}
USUAL = ("mysql9.7", "mariadb10.11", "mariadb11.8")
_WORD = re.compile(r"(mysql|mariadb)(?:\d+\.\d+)?")


class Series(NamedTuple):
    """Servers of one family that share a data directory's format.

    :param version: two numbers, such as ``(10, 11)``.
    """

    family: str
    version: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.family}{'.'.join(map(str, self.version))}"

    @property
    def label(self) -> str:
        """``MariaDB 10.11``."""
        return f"{LABELS[self.family]} {'.'.join(map(str, self.version))}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--mysql``."""
    parser.getgroup("dbops").addoption(
        "--mysql",
        type=_words,
        default=os.environ.get("DBOPS_TEST_MYSQL", ""),
        metavar="SERIES,…",
        help="MySQL and MariaDB series to test, such as mysql9.7,mariadb10.11, or a family for all of its series "
        "(default: the usual ones and all that are found)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The markers."""
    config.addinivalue_line(
        "markers", "mysql(family, since, before, newest): the series of MySQL and MariaDB that a test runs on"
    )
    config.addinivalue_line("markers", "on_mysql: set here, on tests that need a server of MySQL or MariaDB; for -m")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once for each series."""
    if "mysql_series" not in metafunc.fixturenames:
        return
    series = _wanted(metafunc.config)
    for marker in metafunc.definition.iter_markers("mysql"):
        series = _narrowed(series, **marker.kwargs)
    metafunc.parametrize("mysql_series", series, ids=map(str, series), scope="session")


def pytest_itemcollected(item: pytest.Item) -> None:
    """``-m on_mysql``, ``-m 'not on_mysql'``."""
    if "mysql_series" in getattr(item, "fixturenames", ()):
        item.add_marker("on_mysql")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is for one family is none of a run that was asked for the other."""
    families = {one.family for one in _wanted(config)}
    others = [item for item in items if _only_for(item) - families]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]


@pytest.fixture(scope="session")
def mysql_installation(mysql_series: Series) -> Installation:
    """The programs of this series; the test is skipped, or fails where they are required, when there are none."""
    found = {one.version[:2]: one for one in reversed(_installations(mysql_series.family))}
    if mysql_series.version not in found:
        missing(str(mysql_series), mysql_series.label)
    return found[mysql_series.version]


@pytest.fixture(scope="session")
def mysql(mysql_series: Series, mysql_installation: Installation) -> Iterator[ThrowawayServer]:
    """A server shared by all tests of the session (of the worker): leave nothing on it, do not stop it."""
    with lent(mysql_series.family, mysql_installation) as server:
        yield server


@pytest.fixture
def mysql_database(mysql: ThrowawayServer) -> Iterator[Database]:
    """A new empty database on the shared server. It and accounts that were made meanwhile are dropped afterwards."""
    from dbops.testing.servers import new_database

    with new_database(mysql, new_name()) as one:
        yield one


@pytest.fixture
def private_mysql(mysql_series: Series, mysql_installation: Installation) -> Iterator[Private]:
    """``private_mysql(skip_log_bin="ON")``: a new server for this test, to be stopped, killed and damaged freely."""
    with private(mysql_series.family, mysql_installation) as start:
        yield start


def _words(text: str) -> list[str]:
    words = text.split(",") if text else []
    for word in words:
        if not _WORD.fullmatch(word):
            raise argparse.ArgumentTypeError(
                f"series such as mysql9.7,mariadb10.11, or mysql, or mariadb, are wanted, not {word!r}"
            )
    return words


def _wanted(config: pytest.Config) -> list[Series]:
    chosen: list[str] = config.getoption("--mysql") or list(LABELS)
    usual = [*USUAL, *(word for word in required() if _WORD.fullmatch(word) and word not in LABELS)]
    series: set[Series] = set()
    for word in chosen:
        if word in LABELS:
            series.update(one for one in map(_series, usual) if one.family == word)
            series.update(Series(word, one.version[:2]) for one in _installations(word))
        else:
            series.add(_series(word))
    return sorted(series, key=lambda one: (-list(LABELS).index(one.family), one.version), reverse=True)


def _only_for(item: pytest.Item) -> set[str]:
    return {marker.kwargs["family"] for marker in item.iter_markers("mysql") if "family" in marker.kwargs}


def _series(word: str) -> Series:
    version = word.lstrip("abcdefghijklmnopqrstuvwxyz")
    return Series(word.removesuffix(version), _numbers(version))


def _narrowed(
    series: Iterable[Series], *, family: str = "", since: str = "0", before: str = "1000", newest: bool = False
) -> list[Series]:
    kept = [one for one in series if family in ("", one.family) and _numbers(since) <= one.version < _numbers(before)]
    if newest:
        newest_of = {one.family: max(other for other in kept if other.family == one.family) for one in kept}
        return list(newest_of.values())
    return kept


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@cache
def _installations(family: str) -> tuple[Installation, ...]:
    from dbops.testing.servers import installations

    return installations(family)
