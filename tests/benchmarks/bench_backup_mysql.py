"""A dump of MySQL or MariaDB, as a process, beside the bare tools on the same server."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbops.testing.mysql import Series
from dbops.testing.servers import Database

ROW_BYTES = 1100
WITHOUT_FINGERPRINTS = """
import sys
from functools import partial
from dbops import Workspace
from dbops.operations import backup

backup.BackupJob = partial(backup.BackupJob, fingerprints=False)
backup.run(Workspace.load(sys.argv[1]), "bench", method="dump", databases=[sys.argv[2]])
"""
# A third of each row is words, which compress, the rest does not.
ROW = "REPEAT('some words that come again ', 14), CONCAT({noise})"
FILL = {
    "mysql": (
        "SET SESSION cte_max_recursion_depth = 100000000; INSERT INTO t WITH RECURSIVE n AS "
        "(SELECT 1 AS g UNION ALL SELECT g + 1 FROM n WHERE g < {rows}) SELECT g, NOW(), {row} FROM n"
    ),
    "mariadb": "INSERT INTO t SELECT seq AS g, NOW(), {row} FROM seq_1_to_{rows}",
}


@pytest.fixture
def filled(mysql_database: Database, mysql_series: Series, megabytes: int) -> Database:
    """A table of rows like those of an application."""
    number = "g" if mysql_series.family == "mysql" else "seq"
    noise = ", ".join(f"SHA2({number} * 31 + {at}, 512)" for at in range(5))
    rows = megabytes * 2**20 // ROW_BYTES
    mysql_database.sql("CREATE TABLE t (id bigint PRIMARY KEY, at datetime, words text, noise text)")
    mysql_database.sql(FILL[mysql_series.family].format(rows=rows, row=ROW.format(noise=noise)))
    return mysql_database


# Any: the fixture's own types live in a conftest, which cannot be imported.
def test_dump(  # noqa: PLR0917  each is a fixture
    filled: Database, mysql_series: Series, race: Callable[..., Any], dbops: list[str], tmp_path: Path, megabytes: int
) -> None:
    server, endpoint = filled.server, filled.endpoint()
    options, config, out = tmp_path / "options.cnf", tmp_path / "dbops.toml", shlex.quote(str(tmp_path / "bare"))
    options.write_text(f'[client]\nuser=root\npassword="{server.password}"\nhost=127.0.0.1\nport={server.port}\n')
    config.write_text(
        f'[defaults]\nrepository = "main"\n[repositories.main]\nurl = "file://{tmp_path}/repository"\n[targets.bench]\n'
        f'url = "{endpoint.engine}://root@127.0.0.1:{server.port}/"\npassword = "{endpoint.password}"\n'
    )
    program = "mysqldump --set-gtid-purged=OFF" if mysql_series.family == "mysql" else "mariadb-dump"
    name, _, more = program.partition(" ")
    dump = (
        f"{server.bindir}/{name} --defaults-file={options} {more} --single-transaction --skip-lock-tables --hex-blob "
        f"--routines --events --databases {filled.name}"
    )
    bare = f"{dump} | zstd -q -3 -T0 > {out}; sync {out}"

    def clean() -> None:
        shutil.rmtree(tmp_path / "repository", ignore_errors=True)
        (tmp_path / "bare").unlink(missing_ok=True)

    race(
        f"dump of {megabytes} MB of table on {mysql_series.label}",
        {
            f"{name} | zstd -3 -T0": ["sh", "-c", bare],
            "dbops, method dump, without fingerprints": [
                *(sys.executable, "-c", WITHOUT_FINGERPRINTS, str(config), filled.name),
            ],
            "dbops backup run --method dump": [
                *(*dbops, "backup", "run", "bench", "--config", str(config)),
                *("--method", "dump", "--database", filled.name),
            ],
        },
        rounds=3,
        before=clean,
    )
