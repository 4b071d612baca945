"""The example under the shipped laws: ``pytest laws.py`` where dbops and dbops-sqlite are installed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from dbops_sqlite import backend as sqlite

from dbops.model.finding import Missing
from dbops.model.server import Endpoint, Server
from dbops.testing.contracts import OfflineLaws
from dbops.testing.live import LiveLaws, Place

SERVERS = tuple(
    Server(engine="sqlite", version=version, version_text="", role="primary", incarnation=Missing("x"))
    for version in ((3, 50, 0), (3, 37, 2))
)


class File:
    """One database."""

    name = "main"

    def __init__(self, path: Path) -> None:
        self._path = path

    def endpoint(self, user: str | None = None) -> Endpoint:
        return Endpoint(engine="sqlite", database=str(self._path))

    def sql(self, statements: str, user: str | None = None) -> list[tuple[Any, ...]]:  # Any: what SQLite gives
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            return connection.execute(statements).fetchall()


class TestOffline(OfflineLaws):
    backend = sqlite
    servers = SERVERS


class TestLive(LiveLaws):
    backend = sqlite
    written = "SELECT 1 FROM sqlite_master WHERE name = 'dbops_law'"

    @pytest.fixture
    def place(self, tmp_path: Path) -> File:
        return File(tmp_path / "shop %41.db")

    def populate(self, place: Place) -> None:
        place.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)")

    def login(self, place: Place, server: Server, jobs: Sequence[str]) -> Endpoint:
        return place.endpoint()
