"""A whole backup, as a process, beside the bare tools on the same server; and how long its proof takes."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbops.testing.servers import Database

MEGABYTES = int(os.environ.get("DBOPS_BENCH_MB", "600"))
ROW_BYTES = 1100
PROOF = """
import sys
from dbops import Workspace
from dbops.operations import backup, verify

ws = Workspace.load(sys.argv[1])
backup.run(ws, "bench", method=sys.argv[2])
proof = verify.verify(ws, "bench", method=sys.argv[2], level="full")
assert proof.verdict == "verified", proof.reasons
for phase in proof.phases:
    print(f"    {phase.name:<32} {phase.seconds:8.3f} s {phase.bytes / 2**20:9.1f} MiB", file=sys.stderr)
"""


@pytest.fixture
def filled(database: Database) -> Database:
    """A table of rows like those of an application: a third of each is words, which compress, the rest does not."""
    database.sql(
        "CREATE TABLE t AS SELECT g AS id, now() AS at, repeat('some words that come again ', 14) AS words, "
        "(SELECT string_agg(md5((g * 31 + n)::text), '') FROM generate_series(1, 20) n) AS noise "
        f"FROM generate_series(1, {MEGABYTES * 2**20 // ROW_BYTES}) g"
    )
    for statement in ("CREATE INDEX ON t (id)", "VACUUM ANALYZE t", "CHECKPOINT"):
        database.sql(statement)
    return database


# Any: the fixture's own types live in a conftest, which cannot be imported.
@pytest.mark.postgres(newest=True)
def test_backup(filled: Database, race: Callable[..., Any], dbops: list[str], tmp_path: Path) -> None:
    at = filled.endpoint()
    repository, config = tmp_path / "repository", tmp_path / "dbops.toml"
    config.write_text(
        f'[defaults]\nrepository = "main"\n[repositories.main]\nurl = "file://{repository}"\n'
        f'[targets.bench]\nurl = "postgresql://{at.user}@{at.host}:{at.port}/postgres"\npassword = "{at.password}"\n',
        encoding="utf-8",
    )

    def clean() -> None:
        shutil.rmtree(repository, ignore_errors=True)
        (tmp_path / "bare").unlink(missing_ok=True)

    out = shlex.quote(str(tmp_path / "bare"))
    bindir, url = filled.server.bindir, shlex.quote(filled.url())
    dump = f"{bindir}/pg_dump -Fc -Z0 -d {url}"
    copy = f"{bindir}/pg_basebackup -d {shlex.quote(filled.server.url())} -D - -Ft -X fetch -c fast"
    ours = [*dbops, "backup", "run", "bench", "--config", str(config), "--method"]
    one = ["--database", filled.name]
    race(
        f"dump of {MEGABYTES} MB of rows (dbops also reads them again for the fingerprints)",
        {
            "pg_dump -Fc -Z0 | zstd -3 -T2": ["sh", "-c", f"{dump} | zstd -3 -T2 -q > {out}"],
            "pg_dump -Fc -Z0 > /dev/null": ["sh", "-c", f"{dump} > /dev/null"],
            "dbops backup run --method dump": [*ours, "dump", *one],
        },
        rounds=3,
        before=clean,
    )
    race(
        f"base backup of {MEGABYTES} MB of rows",
        {
            "pg_basebackup -X fetch | zstd -3 -T2": ["sh", "-c", f"{copy} | zstd -3 -T2 -q > {out}"],
            "dbops backup run --method basebackup": [*ours, "basebackup"],
        },
        rounds=3,
        before=clean,
    )
    proofs = {
        f"backup and full proof, {method}": [sys.executable, "-c", PROOF, str(config), method]
        for method in ("dump", "basebackup")
    }
    race("backup and proof", proofs, rounds=1, before=clean)
