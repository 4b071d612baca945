"""A whole backup, as a process, beside the bare tools on the same server; and what a run costs without data."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbops.testing.servers import Database

WITHOUT_FINGERPRINTS = """
import sys
from functools import partial
from dbops import Workspace
from dbops.operations import backup

backup.BackupJob = partial(backup.BackupJob, fingerprints=False)
backup.run(Workspace.load(sys.argv[1]), "bench", method="dump", databases=[sys.argv[2]])
"""
ZSTD = "zstd -q -3 -T0"


class Bare:
    """The bare tools, which end as dbops does: what was written is on the disk."""

    def __init__(self, database: Database, folder: Path) -> None:
        server, self.folder = database.server, folder
        out = shlex.quote(str(folder / "bare"))
        self.pg_dump = f"{server.bindir}/pg_dump -Fc -Z0 -d {shlex.quote(database.url())}"
        self.pg_basebackup = f"{server.bindir}/pg_basebackup -d {shlex.quote(server.url())} -D - -Ft -X fetch -c fast"
        self.stored = f"{ZSTD} > {out}; sync {out}"
        self.digest = f"tee >(sha256sum > {folder}/digest)"

    def clean(self) -> None:
        shutil.rmtree(self.folder / "repository", ignore_errors=True)
        (self.folder / "bare").unlink(missing_ok=True)


# Any: the fixture's own types live in a conftest, which cannot be imported.
@pytest.mark.postgres(newest=True)
def test_dump(filled: Database, race: Callable[..., Any], dbops: list[str], config: Path, tmp_path: Path) -> None:
    bare = Bare(filled, tmp_path)
    race(
        f"dump of {_megabytes(filled)} MB of table",
        {
            "pg_dump -Fc -Z0 | zstd -3 -T0": ["sh", "-c", f"{bare.pg_dump} | {bare.stored}"],
            "dbops, method dump, without fingerprints": [
                *(sys.executable, "-c", WITHOUT_FINGERPRINTS, str(config), filled.name),
            ],
            "dbops backup run --method dump": [
                *(*dbops, "backup", "run", "bench", "--config", str(config)),
                *("--method", "dump", "--database", filled.name),
            ],
        },
        rounds=3,
        before=bare.clean,
    )


@pytest.mark.postgres(newest=True)
def test_base_backup(
    filled: Database, race: Callable[..., Any], dbops: list[str], config: Path, tmp_path: Path
) -> None:
    bare = Bare(filled, tmp_path)
    race(
        f"base backup of {_megabytes(filled)} MB of table",
        {
            "pg_basebackup -X fetch | zstd -3 -T0": ["sh", "-c", f"{bare.pg_basebackup} | {bare.stored}"],
            "the same, clear bytes also to sha256sum": [
                *("bash", "-c", f"{bare.pg_basebackup} | {bare.digest} | {bare.stored}"),
            ],
            "dbops backup run --method basebackup": [
                *(*dbops, "backup", "run", "bench", "--config", str(config), "--method", "basebackup"),
            ],
        },
        rounds=3,
        before=bare.clean,
    )


@pytest.mark.postgres(newest=True)
def test_constant_cost(
    database: Database, race: Callable[..., Any], dbops: list[str], config: Path, tmp_path: Path
) -> None:
    bare = Bare(database, tmp_path)
    race(
        "backup of an empty database",
        {
            "pg_dump -Fc -Z0 | zstd -3 -T0": ["sh", "-c", f"{bare.pg_dump} | {bare.stored}"],
            "dbops backup run --method dump": [
                *(*dbops, "backup", "run", "bench", "--config", str(config)),
                *("--method", "dump", "--database", database.name),
            ],
            "pg_basebackup -X fetch | zstd -3 -T0": ["sh", "-c", f"{bare.pg_basebackup} | {bare.stored}"],
            "dbops backup run --method basebackup": [
                *(*dbops, "backup", "run", "bench", "--config", str(config), "--method", "basebackup"),
            ],
        },
        rounds=5,
        before=bare.clean,
    )


def _megabytes(database: Database) -> int:
    return int(database.sql("SELECT pg_table_size('t') >> 20")[0][0])
