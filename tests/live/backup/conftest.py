"""A server with a small shop, a repository beside it, and the command line in front of both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dbops.cli.main import run
from dbops.testing import servers
from dbops.testing.servers import Installation, ThrowawayServer

SHOP = """
CREATE ROLE shop_owner;
CREATE SCHEMA sales AUTHORIZATION shop_owner;
CREATE TABLE sales.orders (id bigint PRIMARY KEY, placed timestamptz, note text);
INSERT INTO sales.orders SELECT n, now(), repeat(md5(n::text), 8) FROM generate_series(1, 20000) n;
CREATE INDEX ON sales.orders (placed);
ALTER TABLE sales.orders OWNER TO shop_owner;
CREATE TABLE public.empty ();
"""


class Site:
    """A configured server and repository, and ``dbops`` in front of them, in this process or in one of its own."""

    def __init__(self, server: ThrowawayServer, place: Path) -> None:
        self.server, self.place = server, place
        self.repository = place / "repository"
        self._started: list[subprocess.Popen[str]] = []
        self.configure()

    def configure(self, *, repository: str = "", target: str = "", verify: str = "") -> None:
        """Write the configuration; the texts are further lines of the tables they are named for."""
        endpoint = self.server.endpoint()
        (self.place / "dbops.toml").write_text(
            f"""
            [defaults]
            repository = "main"
            [repositories.main]
            url = "file://{self.repository}"
            {repository}
            [targets.shop]
            url = "postgresql://{endpoint.user}@{endpoint.host}:{endpoint.port}/postgres"
            {target or f'password = "{endpoint.password}"'}
            [targets.shop.objective]
            rpo = "26h"
            rto = "1h"
            keep = {{ daily = 7 }}
            verify = {{ every = "7d", level = "full" }}
            [targets.shop.verify]
            {verify}
            """
        )

    @property
    def environment(self) -> dict[str, str]:
        return {"DBOPS_CONFIG": str(self.place / "dbops.toml"), "DBOPS_STATE": str(self.place / "state")}

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """``dbops`` in a process of its own, which ends with the test at the latest."""
        child = subprocess.Popen(
            [sys.executable, "-m", "dbops", *words],
            env={**os.environ, **self.environment, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(child)
        return child

    def end(self) -> None:
        """What a test that failed left running would spoil the next."""
        for child in self._started:
            if child.poll() is None:
                child.kill()
                child.communicate()
        self._started.clear()


class Cli:
    """``cli("backup", "list")``: exit code, standard output, standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        code = run(words)
        printed = self._capsys.readouterr()
        return code, printed.out, printed.err

    def json(self, *words: str, code: int = 0) -> dict[str, Any]:
        """The document, the exit code having been ``code``."""
        got, out, err = self(*words, "--format", "json")
        assert got == code, out + err
        found = json.loads(out)
        assert isinstance(found, dict)
        return found


@pytest.fixture(scope="module")
def server(postgres_installation: Installation) -> Iterator[ThrowawayServer]:
    found = servers.start("postgresql", postgres_installation, {})
    for name in ("shop", "hr"):
        found.sql(f"CREATE DATABASE {name}")
    found.sql(SHOP, database="shop")
    found.sql("CREATE TABLE people AS SELECT n AS id FROM generate_series(1, 100) n", database="hr")
    yield found
    found.destroy()


@pytest.fixture(scope="module")
def site(server: ThrowawayServer, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Shared by the tests of a module and version."""
    return Site(server, tmp_path_factory.mktemp("site"))


@pytest.fixture
def cli(site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    for name, value in site.environment.items():
        monkeypatch.setenv(name, value)
    yield Cli(capsys)
    site.end()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """``small_disk("4m")``: a directory with so much room; skipped where no tmpfs may be mounted."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        place = tmp_path / f"disk{len(mounted)}"
        place.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(place)]
        if subprocess.run(words, capture_output=True, check=False).returncode != 0:
            pytest.skip("not tested here: a disk that fills up (no right to mount a tmpfs)")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
