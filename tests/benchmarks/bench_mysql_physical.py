"""A physical backup of MySQL and MariaDB, as a process, beside the bare tools on the same server."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbops import own_server
from dbops.testing.lend import Private
from dbops.testing.servers import ThrowawayServer
from dbops_mysql.installation import server_user

ROW_BYTES = 1100
ZSTD = "zstd -q -3 -T0"
NOISE = ", ".join(f"SHA2(a.n * 31 + b.n * 7919 + {number}, 512)" for number in range(5))
THOUSAND = "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 1000) SELECT n FROM t"


def fill(server: ThrowawayServer, megabytes: int) -> None:
    """Rows like those of an application: a third of each is words, which compress, the rest does not."""
    server.sql(f"CREATE DATABASE bench; CREATE TABLE bench.n AS {THOUSAND}")
    server.sql("CREATE TABLE bench.t (id int AUTO_INCREMENT PRIMARY KEY, words varchar(400), noise varchar(700))")
    rows = megabytes * 2**20 // ROW_BYTES
    server.sql(
        f"INSERT INTO bench.t (words, noise) SELECT REPEAT('some words that come again ', 14), CONCAT({NOISE}) "
        f"FROM bench.n a, bench.n b WHERE b.n <= {max(1, rows // 1000)}"
    )


class Bench:
    """One server, the bare tools, and a configuration for dbops."""

    def __init__(self, server: ThrowawayServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        at = server.endpoint()
        self.config = folder / "dbops.toml"
        self.config.write_text(
            f'[defaults]\nrepository = "main"\n[repositories.main]\nurl = "file://{folder}/repository"\n'
            f'[targets.bench]\nurl = "{at.engine}://{at.user}@{at.host}:{at.port}/"\npassword = "{at.password}"\n',
            encoding="utf-8",
        )
        self.options = folder / "client.cnf"
        self.options.touch(mode=0o600)
        self.options.write_text(
            f'[client]\nuser="{at.user}"\npassword="{server.password}"\nhost="{at.host}"\nport="{at.port}"\n', "utf-8"
        )
        out = shlex.quote(str(folder / "bare"))
        self.stored = f"{ZSTD} > {out}; sync {out}"
        self.digest = f"tee >(sha256sum > {folder}/digest)"

    def tool(self, name: str) -> str:
        return f"{self.server.bindir}/{name} --defaults-file={self.options}"

    def clean(self) -> None:
        shutil.rmtree(self.folder / "repository", ignore_errors=True)
        (self.folder / "bare").unlink(missing_ok=True)

    def dbops(self, program: list[str]) -> list[str]:
        return [*program, "backup", "run", "bench", "--config", str(self.config), "--method", "physical"]


# Any: the fixture's own types live in a conftest, which cannot be imported.
@pytest.mark.mysql(family="mariadb", newest=True)
@pytest.mark.parametrize("empty", [False, True])
def test_mariadb(
    private_mysql: Private,
    race: Callable[..., Any],
    dbops: list[str],
    megabytes: int,
    tmp_path: Path,
    *,
    empty: bool,
) -> None:
    bench = Bench(private_mysql(log_bin="binlog"), tmp_path)
    if not empty:
        fill(bench.server, megabytes)
    where = f"--backup --stream=xbstream --datadir={bench.server.datadir} --target-dir={tmp_path}/target --parallel=2"
    copy = f"{bench.tool('mariadb-backup')} {where} 2>/dev/null"
    race(
        "mariadb-backup of an empty server" if empty else f"mariadb-backup of {megabytes} MB of table",
        {
            "mariadb-backup --stream=xbstream | zstd -3 -T0": ["bash", "-c", f"{copy} | {bench.stored}"],
            "the same, clear bytes also to sha256sum": ["bash", "-c", f"{copy} | {bench.digest} | {bench.stored}"],
            "dbops backup run --method physical": bench.dbops(dbops),
        },
        rounds=5 if empty else 3,
        before=bench.clean,
    )


@pytest.mark.mysql(family="mysql", newest=True)
def test_mysql(
    private_mysql: Private, race: Callable[..., Any], dbops: list[str], megabytes: int, tmp_path: Path
) -> None:
    bench = Bench(private_mysql(plugin_load_add="mysql_clone.so"), tmp_path)
    fill(bench.server, megabytes)
    place = bench.server.datadir.parent / "clones"
    place.mkdir()
    own_server.hand_over(place, server_user())
    clone = f"{bench.tool('mysql')} -e \"CLONE LOCAL DATA DIRECTORY = '{place}/copy'\""
    whole = f"{clone} && tar -c -C {place}/copy . | {bench.stored}; rm -rf {place}/copy"
    race(
        f"CLONE of {megabytes} MB of table",
        {
            "CLONE LOCAL, then tar | zstd -3 -T0": ["bash", "-c", whole],
            "dbops backup run --method physical": bench.dbops(dbops),
        },
        rounds=3,
        before=bench.clean,
    )
