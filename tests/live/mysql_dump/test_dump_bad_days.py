"""What goes wrong while a dump is made or brought back: it is said plainly, nothing is kept, nothing is left held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dbops import Workspace, own_server
from dbops.errors import DbopsError, OutputError, StorageFailed, ToolFailed
from dbops.model.backup import Verdict
from dbops.operations import backup, restore, verify
from dbops.operations.shelf import open_shelf
from dbops.testing.lend import Private
from dbops.testing.mysql import Series
from dbops.testing.servers import Installation, ThrowawayServer
from dbops_mysql.backup.artifacts import contents
from dbops_mysql.doors import DOORS
from dbops_mysql.installation import server_user
from tests.live.meddled import meddling

pytestmark = pytest.mark.mysql(newest=True)
LEFT = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'dump login'"
BIG = 200_000
# Texts that hardly compress.
TEXT = "CONCAT(SHA2({0}, 512), SHA2({0} + 1, 512), SHA2({0} + 2, 512))"
ROWS = {
    "mysql": (
        "SET SESSION cte_max_recursion_depth = 10000000; INSERT INTO big.t WITH RECURSIVE n AS "
        f"(SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < {{0}}) SELECT i, {TEXT.format('i')} FROM n"
    ),
    "mariadb": f"INSERT INTO big.t SELECT seq, {TEXT.format('seq')} FROM seq_1_to_{{0}}",
}


@pytest.fixture(scope="module")
def big(shop: ThrowawayServer, mysql_series: Series) -> Iterator[ThrowawayServer]:
    """With a database that takes a while to be dumped."""
    shop.sql("CREATE DATABASE big; CREATE TABLE big.t (id int PRIMARY KEY, note text)")
    shop.sql(f"USE big; {ROWS[mysql_series.family].format(BIG)}")
    yield shop
    shop.sql("DROP DATABASE big")


def nothing_left(server: ThrowawayServer, ws: Workspace) -> None:
    """No session, no lock, no backup, no stray object."""
    end = time.monotonic() + 60
    while server.sql(LEFT) != [(0,)] and time.monotonic() < end:
        time.sleep(0.1)
    assert server.sql(LEFT) == [(0,)]
    server.sql("SET lock_wait_timeout = 60; CREATE TABLE shop.free (a int); INSERT INTO shop.free VALUES (1)")
    server.sql("DROP TABLE shop.free")
    shelf = open_shelf(ws, ws.target("shop"))
    assert shelf.records == ()


def children(name: str, parent: int | None = None) -> list[int]:
    """Dump programs that this process started, or another."""
    found = subprocess.run(["ps", "-eww", "-o", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    return [
        int(line.split()[0])
        for line in found.splitlines()
        if line.split()[1] == str(parent or os.getpid()) and name in line and "--single-transaction" in line
    ]


def signalled(pids: list[int], number: signal.Signals) -> None:
    """One that ended meanwhile is not missed."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def while_it_runs(ws: Workspace, monkeypatch: pytest.MonkeyPatch, action: Callable[[], None]) -> DbopsError:
    """The error of a backup during which something happens as soon as anything of a database has been read: of the
    large one there is much more then than lies in any buffer."""
    with monkeypatch.context() as patch:
        meddling(patch, DOORS, "dump", action)
        with pytest.raises(DbopsError) as caught:
            backup.run(ws, "shop", method="dump")
    return caught.value


def test_a_dump_program_that_is_killed(
    big: ThrowawayServer, workspace: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = workspace(big)
    error = while_it_runs(ws, monkeypatch, lambda: signalled(children("dump"), signal.SIGKILL))
    assert isinstance(error, ToolFailed)
    assert "killed by SIGKILL" in error.message
    assert "Nothing of this" in error.hint
    nothing_left(big, ws)


def test_a_repository_that_is_full(big: ThrowawayServer, workspace: Callable[..., Workspace], tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("not tested here: a disk that fills up (no right to mount a tmpfs)")
    try:
        ws = workspace(big, repository=str(place))
        with pytest.raises(StorageFailed, match="no space left in repository"):
            backup.run(ws, "shop", method="dump")
        nothing_left(big, ws)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_ctrl_c_ends_it_and_lets_everything_go(
    big: ThrowawayServer, workspace: Callable[..., Workspace], tmp_path: Path
) -> None:
    ws = workspace(big)
    endpoint = big.endpoint("dump login")
    (tmp_path / "dbops.toml").write_text(
        f'[defaults]\nrepository = "main"\n[repositories.main]\nurl = "file://{tmp_path}/repository"\n[targets.shop]\n'
        f'url = "{endpoint.engine}://dump%20login@{endpoint.host}:{endpoint.port}/"\n'
        f'password = "{endpoint.password}"\n',
        "utf-8",
    )
    env = {**os.environ, "DBOPS_CONFIG": str(tmp_path / "dbops.toml"), "DBOPS_STATE": str(tmp_path / "state")}
    words = [sys.executable, "-m", "dbops", "backup", "run", "shop", "--method", "dump"]
    started = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not (found := children("dump", started.pid)) and time.monotonic() < end:
        time.sleep(0.01)
    # Held here, they cannot be done before the signal comes.
    signalled(found, signal.SIGSTOP)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=120)
    assert started.returncode == 130, said
    nothing_left(big, ws)


def test_a_row_of_forty_megabytes(
    shop: ThrowawayServer, mysql_series: Series, private_mysql: Private, workspace: Callable[..., Workspace]
) -> None:
    before = shop.sql("SELECT @@GLOBAL.max_allowed_packet")[0][0]
    shop.sql("SET GLOBAL max_allowed_packet = 1073741824")
    shop.sql("CREATE DATABASE wide; CREATE TABLE wide.t (a int, b longblob)")
    try:
        shop.sql("INSERT INTO wide.t VALUES (1, REPEAT(x'00ff27', 14000000)), (2, NULL)")
        ws = workspace(shop)
        made = backup.run(ws, "shop", method="dump", databases=["wide"]).backup
        assert contents(made).largest_statement > 80_000_000
        proof = verify.verify(ws, made.id, level="full")
        assert proof.verdict is Verdict.VERIFIED, proof.reasons
        shop.sql("SET GLOBAL max_allowed_packet = 67108864")
        _, plan = restore.plan(ws, "shop", into=shop.url(database="wide_again"))
        assert plan is not None
        with pytest.raises(OutputError, match="takes statements of at most 67,108,864 bytes") as refused:
            restore.carry_out(ws, plan)
        assert "SET GLOBAL max_allowed_packet = " in refused.value.hint
        assert shop.sql("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'wide_again'") == [(0,)]
    finally:
        shop.sql(f"DROP DATABASE wide; SET GLOBAL max_allowed_packet = {before}")


def test_a_server_that_is_read_only(shop: ThrowawayServer, workspace: Callable[..., Workspace]) -> None:
    shop.sql("SET GLOBAL read_only = ON")
    try:
        ws = workspace(shop)
        made = backup.run(ws, "shop", method="dump", databases=["shop"]).backup
        assert contents(made).about.standby
        assert made.log is not None
        _, plan = restore.plan(ws, "shop", into=shop.url(database="again"))
        assert plan is not None
    finally:
        shop.sql("SET GLOBAL read_only = OFF")


def test_a_server_without_a_binary_log(
    private_mysql: Private,
    mysql_series: Series,
    workspace: Callable[..., Workspace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dbops.model.backup import Objective

    settings = {"skip_log_bin": "ON"} if mysql_series.family == "mysql" else {}
    server = private_mysql(**settings)
    server.sql("CREATE DATABASE shop; CREATE TABLE shop.t (a int); INSERT INTO shop.t VALUES (1)")
    server.login("dump login", "")
    server.sql("GRANT ALL ON *.* TO 'dump login'@localhost")
    ws = workspace(server)
    made = backup.run(ws, "shop", method="dump").backup
    assert made.log is None
    assert verify.verify(ws, made.id, level="full").verdict is Verdict.VERIFIED
    answer = backup.plan(ws, "shop", objective=Objective(rpo_s=60))
    assert "the server writes no binary log (log_bin = OFF): set log_bin = ON and restart first." in answer.reasons
    server.kill()
    server.start()
    server.sql("CREATE DATABASE big; CREATE TABLE big.t (id int PRIMARY KEY, note text)")
    server.sql(f"USE big; {ROWS[mysql_series.family].format(400_000)}")
    seen = len(open_shelf(ws, ws.target("shop")).records)
    error = while_it_runs(ws, monkeypatch, server.kill)
    assert error.code in (69, 74)
    assert len(open_shelf(ws, ws.target("shop")).records) == seen


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that a server's user can look into."""
    with tempfile.TemporaryDirectory(prefix="dbops-tls-", dir=own_server.temporary_directory(server_user())) as found:
        Path(found).chmod(0o755)
        yield Path(found)


def test_where_tls_is_required_the_programs_speak_it_too(
    private_mysql: Private, workspace: Callable[..., Workspace], open_place: Path
) -> None:
    key, certificate = open_place / "key.pem", open_place / "cert.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*words, "-keyout", key, "-out", certificate], capture_output=True, check=True)
    for file in (key, certificate):
        file.chmod(0o644)
    server = private_mysql(ssl_key=str(key), ssl_cert=str(certificate), require_secure_transport="ON")
    server.sql("CREATE DATABASE shop; CREATE TABLE shop.t (a int); INSERT INTO shop.t VALUES (1)")
    server.login("dump login", "REQUIRE SSL")
    server.sql("GRANT ALL ON *.* TO 'dump login'@localhost")
    ws = workspace(server, query="?ssl-mode=REQUIRED")
    assert backup.run(ws, "shop", method="dump").backup.databases == ("shop",)


def test_a_server_program_that_is_missing_is_no_word_against_the_backup(
    shop: ThrowawayServer,
    mysql_installation: Installation,
    workspace: Callable[..., Workspace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dbops_mysql.backup import scratch

    ws = workspace(shop)
    made = backup.run(ws, "shop", method="dump", databases=["shop"]).backup
    monkeypatch.setattr(scratch, "installations", lambda places, family: ())
    proof = verify.verify(ws, made.id, level="restore")
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert "server is needed to prove this dump, and this machine has: none" in proof.reasons[0]
