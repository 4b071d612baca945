"""Versions, without a server."""

from __future__ import annotations

from typing import cast

import pytest

from dbops.errors import NotPermitted, ReadFailed, Unsupported
from dbops.model.finding import Missing
from dbops.spi import Reader
from dbops_postgresql.probe import probe, version_of

WORDS = {
    "number": 170010,
    "text": "17.10 (Debian 17.10-1.pgdg12+1)",
    "banner": "PostgreSQL 17.10 on x86_64",
    "standby": True,
    "incarnation": "7300000000000000001",
    "login": "dbops",
    "superuser": False,
    "database": "shop",
    "rds": False,
    "cloudsql": False,
    "azure": False,
}


class Answers:
    """A server that gives one row."""

    def __init__(self, number: int, problem: Exception | None = None) -> None:
        self.number, self.problem = number, problem

    def scalar(self, sql: str) -> int:
        assert sql == "SHOW server_version_num"
        return self.number

    def rows(self, sql: str, into: type) -> list[object]:
        asked = "FROM pg_catalog.pg_control_system()" in sql
        if self.problem is not None and asked:
            raise self.problem
        words = WORDS if asked else {**WORDS, "incarnation": ""}
        return [into(**words)]


def reader(number: int, problem: Exception | None = None) -> Reader:
    return cast(Reader, Answers(number, problem))


@pytest.mark.parametrize(
    ("number", "version"), [(150018, (15, 18)), (180006, (18, 6)), (130000, (13, 0)), (190000, (19, 0))]
)
def test_versions(number: int, version: tuple[int, int]) -> None:
    assert version_of(number) == version


def test_a_standby_with_a_distribution_s_version() -> None:
    server = probe(reader(170010))
    assert (server.version, server.version_text, server.role) == ((17, 10), "17.10", "standby")
    assert server.incarnation == "7300000000000000001"


def test_a_server_that_is_too_old_is_refused_before_anything_else_is_asked() -> None:
    with pytest.raises(Unsupported, match="PostgreSQL 12 is older than 13") as caught:
        probe(reader(120022, AssertionError("asked")))
    assert caught.value.code == 2


def test_without_the_right_to_the_control_file_there_is_a_reason() -> None:
    server = probe(reader(170010, NotPermitted("no", reason="no_permission")))
    assert server.incarnation == Missing("no_permission", "EXECUTE on pg_control_system() is needed")


def test_another_failure_is_a_failure() -> None:
    with pytest.raises(ReadFailed):
        probe(reader(170010, ReadFailed("too slow", reason="timeout")))
