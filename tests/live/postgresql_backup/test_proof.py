"""Backups made by the backup login, proved, and brought back: by dbops and by hand."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dbops import Workspace
from dbops.model.backup import Fingerprints, Verdict
from dbops.model.recovery import Verification
from dbops.operations import backup, restore, verify
from dbops.operations.restore import Wish
from dbops.own_server import hand_over, temporary_directory
from dbops.testing.servers import ThrowawayServer
from dbops_postgresql import server as servers
from dbops_postgresql.installation import Installation, server_user

HOSTILE = '"; drop table x; -- 50% é'


def ids(proof: Verification) -> set[str]:
    return {check.id for check in proof.checks}


def told(proof: Verification) -> str:
    return "\n".join(f"{check.verdict.value} {check.id}: {check.summary}" for check in proof.checks)


def block(text: str) -> str:
    """Every shell block of a recipe, as one script."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return "set -e -o pipefail\n" + "".join(blocks)


def directory_of(tmp_path: Path, backup_id: str) -> Path:
    (found,) = (tmp_path / "repository").glob(f"*/*/backups/{backup_id}")
    return found


def customers(server: ThrowawayServer, database: str) -> list[tuple[object, ...]]:
    return server.sql("SELECT count(*), sum(balance), max(name) FROM sales.customers", database=database)


@contextmanager
def started(bindir: Path, version: tuple[int, ...], data: Path, socket: Path) -> Iterator[str]:
    """A server on a restored directory, as a person would start it; gives a connection string."""
    installation = Installation(version=version, bindir=bindir, origin="given")
    socket.mkdir(mode=0o700)
    hand_over(socket, server_user())
    trust = {"hba_file": str(socket / "hba"), "archive_mode": "off"}
    (socket / "hba").write_text("local all all trust\n", "utf-8")
    (socket / "hba").chmod(0o644)
    with servers.start(
        installation, data, socket_dir=socket, log=socket / "log", user=server_user(), settings=trust
    ) as running:
        running.wait_until_ready()
        yield f"host={socket} port={running.port} user=postgres"


@pytest.fixture
def short(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory with a short path that a server's user can pass through."""
    import shutil
    import tempfile

    place = Path(tempfile.mkdtemp(prefix="dbops-t-", dir=temporary_directory(server_user())))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)


def test_a_dump_is_proved_and_comes_back_whole(
    shop: ThrowawayServer, workspace: Callable[..., Workspace], tmp_path: Path
) -> None:
    ws = workspace(shop)
    made = backup.run(ws, "shop", method="dump").backup
    assert set(made.databases) >= {"postgres", "shop", HOSTILE}
    proof = verify.verify(ws, made.id, level="full")
    assert proof.verdict is Verdict.VERIFIED, told(proof)
    assert isinstance(proof.fingerprints, Fingerprints)
    assert proof.fingerprints.compared == proof.fingerprints.equal >= 10
    assert {"amcheck", f"connect:{HOSTILE}", "connect:shop"} <= ids(proof)
    into = f"postgresql://postgres@127.0.0.1:{shop.port}/{'new%22name'}"
    _restore_database(ws, shop, into)
    assert customers(shop, 'new"name') == customers(shop, "shop")
    assert shop.sql("SHOW work_mem", database='new"name') == [("5MB",)]
    assert shop.sql("SELECT sum(length(lo_get(oid))) FROM pg_largeobject_metadata", database='new"name') == [(10003,)]
    _by_hand(shop, directory_of(tmp_path, made.id), HOSTILE)


def _restore_database(ws: Workspace, shop: ThrowawayServer, into: str) -> None:
    url = into.replace("postgres@", f"postgres:{shop.password}@")
    _, plan = restore.plan(ws, "shop", wish=Wish(databases=("shop",)), into=url)
    assert plan is not None
    restore.carry_out(ws, plan)


def _by_hand(shop: ThrowawayServer, place: Path, hostile: str) -> None:
    """The recipe, literally, with public tools alone, into the same server after a disaster."""
    before = customers(shop, "shop")
    for name in ("shop", hostile):
        quoted = '"' + name.replace('"', '""') + '"'
        shop.sql(f"DROP DATABASE {quoted} WITH (FORCE)")
    script = block((place / "RESTORE.md").read_text("utf-8"))
    env = {
        "PATH": f"{shop.bindir}:{os.environ['PATH']}", "PGHOST": "127.0.0.1", "PGPORT": str(shop.port),
        "PGUSER": "postgres", "PGPASSWORD": "of the new server", "ORIGINAL_PGPASSWORD": shop.password,
    }  # fmt: skip
    shop.sql("ALTER ROLE postgres PASSWORD 'of the new server'")
    done = subprocess.run(["bash", "-c", script], cwd=place, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert customers(shop, "shop") == before
    assert shop.sql("SELECT a FROM t ORDER BY a", database=hostile) == [(1,), (2,)]


def test_a_base_backup_is_proved_and_restored_into_a_directory(
    shop: ThrowawayServer, workspace: Callable[..., Workspace], tmp_path: Path, short: Path, tablespace: Path
) -> None:
    ws = workspace(shop)
    made = backup.run(ws, "shop", method="basebackup").backup
    proof = verify.verify(ws, made.id, level="full")
    assert proof.verdict is Verdict.VERIFIED, told(proof)
    assert {"files", "connect:shop", "amcheck", "read:shop", "checksums"} <= ids(proof)
    assert shop.sql("SELECT count(*) FROM pg_replication_slots") == [(0,)]
    expected = customers(shop, "shop")
    _, plan = restore.plan(ws, "shop", into=str(short / "data"))
    assert plan is not None
    restore.carry_out(ws, plan)
    assert not list(short.glob("*.dbops-partial"))
    shop.sql("UPDATE sales.fast SET a = 8", database="shop")
    with started(shop.bindir, shop.version, short / "data", short / "s") as where:
        import psycopg

        with psycopg.connect(f"{where} dbname=shop") as connection:
            rows = connection.execute("SELECT count(*), sum(balance), max(name) FROM sales.customers").fetchall()
            assert rows == expected
            assert connection.execute("SELECT a FROM sales.fast").fetchall() == [(7,)]
            location = "SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'fast'"
            assert connection.execute(location).fetchone() != (str(tablespace),)
    assert shop.sql("SELECT a FROM sales.fast", database="shop") == [(8,)]


@pytest.mark.postgres(newest=True)
def test_an_encrypted_base_backup_is_restored_by_hand(
    shop: ThrowawayServer, workspace: Callable[..., Workspace], tmp_path: Path, short: Path
) -> None:
    import pyrage

    key = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(f"{key}\n", "utf-8")
    ws = workspace(shop, recipients=str(key.to_public()), identity=f"file:{tmp_path / 'key'}")
    made = backup.run(ws, "shop", method="basebackup").backup
    expected = customers(shop, "shop")
    place = directory_of(tmp_path, made.id)
    (place / "key.txt").write_text(f"{key}\n", "utf-8")
    data = short / "by hand"
    env = {"PATH": f"{shop.bindir}:{os.environ['PATH']}", "DATA": str(data)}
    script = block((place / "RESTORE.md").read_text("utf-8"))
    done = subprocess.run(["bash", "-c", script], cwd=place, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for directory in (data, Path(f"{data}.tablespaces")):
        hand_over(directory, server_user())
    shop.sql("UPDATE sales.fast SET a = 8", database="shop")
    with started(shop.bindir, shop.version, data, short / "s") as where:
        import psycopg

        with psycopg.connect(f"{where} dbname=shop") as connection:
            assert connection.execute("SELECT a FROM sales.fast").fetchall() == [(7,)]
            assert connection.execute("SELECT count(*) FROM sales.customers").fetchall() == [(expected[0][0],)]
