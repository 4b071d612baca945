"""A proof by restoring, as a process, beside the bare tools on the same bytes: bring up, pg_amcheck, stop."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dbops.own_server import temporary_directory
from dbops.testing.servers import Database
from dbops_postgresql.installation import server_user

COPY = """
set -e
mkdir -m 700 {data}
zstd -dcq {stored} | tar -xf - -C {data}
"""
LOAD = """
set -e
{user} {bindir}/initdb -D {data} -U postgres -A trust -E UTF8 --locale=C --data-checksums --no-sync > /dev/null
"""
START = """
[ -z "{owner}" ] || chown -R "{owner}" {data}
{user} {bindir}/pg_ctl -w -s -D {data} -l {data}/bare.log start -o "-c listen_addresses= -k {data} {settings}"
"""
# Said to the bare server as dbops says it to its own; a copy brings the rules of access of the original.
SETTINGS = "-c fsync=off -c full_page_writes=off -c autovacuum=off -c max_wal_size=512MB -c jit=off"
RESTORE = """
{bindir}/createdb -h {data} -U postgres {name}
zstd -dcq {stored} | {bindir}/pg_restore -h {data} -U postgres -d {name}
"""
CHECK = """
{bindir}/pg_amcheck -h {data} -U postgres --all --install-missing > /dev/null
{user} {bindir}/pg_ctl -w -s -m fast -D {data} stop
"""


@pytest.fixture(scope="session")
def megabytes() -> int:
    """Less than the backup takes: every proof is made several times, and takes longer."""
    return int(os.environ.get("DBOPS_BENCH_MB", "400"))


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the server's user can reach, as ours for a proof is."""
    path = Path(tempfile.mkdtemp(prefix="dbops-bench-", dir=temporary_directory(server_user())))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)


class Bare:
    """The bare sequence for one stored stream."""

    def __init__(self, database: Database, place: Path) -> None:
        self.server, self.place = database.server, place
        owner = server_user() or ""
        self.words = {
            "bindir": str(database.server.bindir),
            "data": str(place / "data"),
            "stored": str(place / "stored.zst"),
            "name": database.name,
            "owner": owner,
            "user": f"runuser -u {owner} --" if owner else "",
            "settings": SETTINGS,
        }

    def store(self, command: str) -> None:
        subprocess.run(["sh", "-c", f"{command} | zstd -q -3 -T0 > {self.words['stored']}"], check=True)

    def sequence(self, *parts: str, rules: str = "") -> list[str]:
        return ["sh", "-c", "".join((parts[0], rules, *parts[1:])).format_map(self.words)]

    def clean(self) -> None:
        shutil.rmtree(self.place / "data", ignore_errors=True)


# Any: the fixture's own types live in a conftest, which cannot be imported.
@pytest.mark.postgres(newest=True)
def test_base_backup(filled: Database, race: Callable[..., Any], dbops: list[str], config: Path, place: Path) -> None:
    bare = Bare(filled, place)
    url = shlex.quote(filled.server.url())
    bare.store(f"{filled.server.bindir}/pg_basebackup -d {url} -D - -Ft -X fetch -c fast")
    made = [*dbops, "backup", "run", "bench", "--config", str(config), "--method", "basebackup"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    race(
        f"proof of a base backup of {_megabytes(filled)} MB of table",
        {
            "zstd -d | tar x, start, pg_amcheck": bare.sequence(
                COPY, START, CHECK, rules="echo 'local all all trust' > {data}/pg_hba.conf\n"
            ),
            **_proofs(dbops, config, "basebackup"),
        },
        rounds=2,
        before=bare.clean,
    )


@pytest.mark.postgres(newest=True)
def test_dump(filled: Database, race: Callable[..., Any], dbops: list[str], config: Path, place: Path) -> None:
    bare = Bare(filled, place)
    bare.store(f"{filled.server.bindir}/pg_dump -Fc -Z0 -d {shlex.quote(filled.url())}")
    made = [*dbops, "backup", "run", "bench", "--config", str(config), "--method", "dump", "--database", filled.name]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    race(
        f"proof of a dump of {_megabytes(filled)} MB of table",
        {
            "initdb, start, zstd -d | pg_restore, pg_amcheck": bare.sequence(LOAD, START, RESTORE, CHECK),
            **_proofs(dbops, config, "dump"),
        },
        rounds=2,
        before=bare.clean,
    )


def _proofs(dbops: list[str], config: Path, method: str) -> dict[str, list[str]]:
    verify = [*dbops, "backup", "verify", "bench", "--config", str(config), "--method", method, "--level"]
    return {f"dbops backup verify --level {level}": [*verify, level] for level in ("restore", "full")}


def _megabytes(database: Database) -> int:
    return int(database.sql("SELECT pg_table_size('t') >> 20")[0][0])
