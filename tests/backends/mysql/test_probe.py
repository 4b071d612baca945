"""What a server's own words say about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import msgspec
import pytest

from dbops.errors import Unsupported
from dbops.model.finding import Missing
from dbops.spi import Reader
from dbops_mysql.probe import probe, version_of

T = TypeVar("T")
MYSQL = {"server_uuid": "3f06c1a5-0000-11ef-8000-000000000001", "version_comment": "(Debian)", "read_only": "OFF"}


class Paper:
    """A reader that gives what a server once said."""

    def __init__(self, banner: str, settings: Mapping[str, str], login: str = "dbops@%", superuser: int = 0) -> None:
        self.row: dict[str, Any] = {
            "banner": banner, "login": login, "current_schema": None, "superuser": superuser,
        }  # fmt: skip
        self.settings = settings

    def rows(self, sql: str, into: type[T], parameters: Mapping[str, object] | None = None) -> list[T]:
        return [msgspec.convert(self.row, into, strict=False)]

    def tuples(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        return list(self.settings.items())

    def dicts(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        raise AssertionError(sql)

    def scalar(self, sql: str, parameters: Mapping[str, object] | None = None) -> Any:
        raise AssertionError(sql)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        yield

    def database(self, name: str) -> AbstractContextManager[Reader]:
        raise AssertionError(name)


def test_mysql() -> None:
    server = probe(Paper("9.7.4", MYSQL))
    assert (server.engine, server.version, server.version_text) == ("mysql", (9, 7, 4), "9.7.4")
    assert server.incarnation == MYSQL["server_uuid"]
    assert (server.role, server.edition, server.superuser, server.database) == ("primary", "", False, "")


@pytest.mark.parametrize(
    "banner", ["10.11.19-MariaDB-0+deb12u1", "5.5.5-10.11.19-MariaDB-log", "11.8.2-MariaDB-ubu2404"]
)
def test_mariadb_says_so_in_its_version(banner: str) -> None:
    server = probe(Paper(banner, {"hostname": "db1", "datadir": "/var/lib/mysql/"}))
    assert server.engine == "mariadb"
    assert server.version == version_of(banner)
    assert server.version[0] in (10, 11)


def test_mariadb_is_told_apart_by_machine_and_directory() -> None:
    seen = {
        probe(Paper("10.11.19-MariaDB", {"hostname": host, "datadir": place})).identity
        for host in ("db1", "db2")
        for place in ("/a/", "/b/")
    }
    assert len(seen) == 4
    assert all(seen)


def test_a_server_that_tells_nothing_of_itself() -> None:
    assert isinstance(probe(Paper("10.11.19-MariaDB", {})).incarnation, Missing)


@pytest.mark.parametrize("read_only", ["ON", "NO_LOCK", "NO_LOCK_NO_ADMIN"])
def test_what_takes_no_changes_is_a_standby(read_only: str) -> None:
    assert probe(Paper("9.7.4", {**MYSQL, "read_only": read_only})).role == "standby"


@pytest.mark.parametrize(
    ("banner", "settings", "edition"),
    [
        ("8.0.36", {"aurora_version": "3.7"}, "Amazon Aurora"),
        ("8.0.36", {"basedir": "/rdsdbbin/mysql-8.0.36/"}, "Amazon RDS"),
        ("8.0.36-google", {}, "Cloud SQL"),
        ("8.0.36-azure", {}, "Azure"),
        ("8.4.2", {"version_comment": "Percona Server (GPL)", "basedir": "/usr/"}, ""),
    ],
)
def test_who_manages_it(banner: str, settings: dict[str, str], edition: str) -> None:
    assert probe(Paper(banner, {**MYSQL, **settings})).edition == edition


@pytest.mark.parametrize(
    ("banner", "words"),
    [
        ("5.7.44", r"MySQL 5\.7\.44 is older than 8\.0, the oldest that dbops knows"),
        ("10.5.3-MariaDB", r"MariaDB 10\.5\.3-MariaDB is older than 10\.6, the oldest that dbops knows"),
    ],
)
def test_what_is_too_old(banner: str, words: str) -> None:
    with pytest.raises(Unsupported, match=words):
        probe(Paper(banner, MYSQL))


def test_without_grant_tables_everybody_may_do_everything() -> None:
    assert probe(Paper("9.7.4", MYSQL, "skip-grants user@skip-grants host")).superuser
