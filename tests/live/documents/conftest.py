"""A server with a small shop, and the command line in front of it, of which everything that it prints is kept."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dbops.cli.main import run
from dbops.testing import servers
from dbops.testing.servers import Installation, ThrowawayServer

WRONG_PASSWORD = "not-the-password"
SHOP = """
CREATE ROLE app_read;
CREATE ROLE alice LOGIN;
CREATE ROLE bob LOGIN;
GRANT app_read TO alice;
CREATE SCHEMA sales;
CREATE TABLE sales.orders AS SELECT n AS id, md5(n::text) AS note FROM generate_series(1, 5000) AS n;
GRANT USAGE ON SCHEMA sales TO app_read;
GRANT SELECT ON sales.orders TO app_read;
CREATE FUNCTION sales.boss() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE SCHEMA open;
GRANT CREATE ON SCHEMA open TO PUBLIC;
"""
TOML = """
[defaults]
repository = "main"
[repositories.main]
url = "file://{place}/repository"
[targets.shop]
url = "{url}"
password = "{password}"
[targets.shop.objective]
rpo = "26h"
rto = "1h"
keep = {{ last = 1 }}
[targets.shop.verify]
into = "/tmp"
tools = "{tools}"
[targets.down]
url = "postgresql://postgres@127.0.0.1:1/postgres"
[targets.wrong]
url = "{url}"
password = "env:DBOPS_WRONG"
[targets.limited]
url = "{limited}"
password = "{limited_password}"
[jobs.checks]
do = "health"
targets = "shop"
at = "*/15 * * * *"
[jobs.hopeless]
do = "backup"
targets = "down"
at = "0 0 * * *"
"""
SPEC = """
dbops: users/1
manage:
  principals: [app_read, alice, bob]
  databases: [shop]
roles:
  app_read:
    grants:
      - { object: "schema:shop.sales", can: [read] }
      - { object: "table:shop.sales.orders", can: [select] }
users:
  alice: { member_of: [app_read] }
  bob: { member_of: [app_read] }
"""


class Printed(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    # Any: JSON.
    @property
    def document(self) -> Any:
        """All of standard output, which is one document."""
        return json.loads(self.out)


class Site:
    """A server with a small shop, configured, and the command line in front of it."""

    def __init__(self, server: ThrowawayServer, place: Path) -> None:
        self.server, self.place = server, place
        server.sql("CREATE DATABASE shop")
        server.sql(SHOP, database="shop")
        server.login("limited")
        at, limited = server.endpoint(database="shop"), server.endpoint("limited", "shop")
        settings = {"place": place, "url": at, "password": at.password, "tools": server.bindir}
        settings |= {"limited": limited, "limited_password": limited.password}
        (place / "dbops.toml").write_text(TOML.format(**settings))
        (place / "users.yaml").write_text(SPEC)
        self.words: dict[str, str] = {"place": str(place), "url": server.url(database="").rstrip("/")}

    def dbops(self, line: str) -> Printed:
        """Run it; with what ever was written to standard output, also by programs that it started."""
        if "{damaged}" in line:
            self.words["damaged"] = self.damage()
        words = line.format(**self.words).split()
        with tempfile.TemporaryFile("w+") as out, redirect_stderr(StringIO()) as err:
            with descriptor(1, out.fileno()), redirect_stdout(out):
                code = run([*words, "--format", "json"])
            out.flush()
            out.seek(0)
            printed = Printed(code, out.read(), err.getvalue())
        if line.startswith("backup run shop"):
            self.words["id"] = printed.document["backup"]["id"]
        return printed

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every password that a command met, or made up."""
        return self.server.password, WRONG_PASSWORD, (self.place / "alice").read_text().strip()

    def damage(self) -> str:
        """Turn one bit over in the middle of the stored backup."""
        stored = max((self.place / "repository").rglob("vol-*"), key=lambda path: path.stat().st_size)
        content = bytearray(stored.read_bytes())
        content[len(content) // 2] ^= 1
        stored.chmod(0o600)
        stored.write_bytes(content)
        return self.words["id"]


@contextmanager
def descriptor(number: int, target: int) -> Iterator[None]:
    """The file descriptor ``number`` is another one meanwhile."""
    kept = os.dup(number)
    os.dup2(target, number)
    try:
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)


@pytest.fixture(scope="module")
def site(postgres_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("documents")
    server = servers.start("postgresql", postgres_installation, {})
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PG")]:
            patch.delenv(name)
        patch.setenv("HOME", str(place))
        patch.setenv("DBOPS_CONFIG", str(place / "dbops.toml"))
        patch.setenv("DBOPS_STATE", str(place / "state"))
        patch.setenv("DBOPS_WRONG", WRONG_PASSWORD)
        yield Site(server, place)
    server.destroy()
