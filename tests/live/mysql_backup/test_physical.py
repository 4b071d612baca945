"""Physical backups made by the backup login, proved, and brought back: by dbops and by hand."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
import pytest

from dbops import Workspace, own_server, process
from dbops.model.backup import Verdict
from dbops.model.finding import Missing
from dbops.model.recovery import Verification
from dbops.operations import backup, restore, verify
from dbops.testing.lend import Private
from dbops.testing.mysql import Series
from dbops.testing.servers import Installation, ThrowawayServer
from dbops_mysql.backup import copy_restore
from dbops_mysql.installation import server_user
from dbops_mysql.server import CLEAN

HOSTILE = "odd `name'\" 50%_é"
CONTENT = (
    "SELECT COUNT(*), SUM(CRC32(CONCAT_WS(',', id, note, HEX(picture)))) FROM shop.orders",
    "SELECT SUM(a) FROM `odd ``name'\" 50%_é`.`odd ``name'\" 50%_é`",
    "SELECT COUNT(*) FROM mysql.user",
    "SELECT @@innodb_page_size, @@lower_case_table_names",
)
EVENTS = "SELECT COUNT(*) FROM information_schema.EVENTS"


def told(proof: Verification) -> str:
    return "\n".join(f"{check.verdict.value} {check.id}: {check.summary}" for check in proof.checks)


def content(ask: Callable[[str], Any]) -> list[Any]:  # Any: rows of any types
    return [ask(question) for question in CONTENT]


def block(text: str) -> str:
    """Every shell block of a recipe, as one script."""
    return "set -e -o pipefail\n" + "".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def accepts(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            probe.connect(str(path))
            return bool(probe.recv(5))
    except OSError:
        return False


@contextmanager
def started(installation: Any, data: Path, place: Path, original: ThrowawayServer) -> Iterator[Callable[[str], Any]]:
    """A server on a restored directory by the command that the result tells, with ports and sockets of its own; gives a
    function that asks it as the original's administrator. Any: an Installation of this backend."""
    place.mkdir(mode=0o700)
    own_server.hand_over(place, server_user())
    argv = [
        installation.server, f"--defaults-file={data / 'my.cnf'}", f"--datadir={data}", f"--socket={place / 's'}",
        f"--pid-file={place / 'pid'}", "--skip-networking", "--secure-file-priv=",
    ]  # fmt: skip
    log = place / "log"
    with process.popen(argv, env=CLEAN, user=server_user(), cwd=place, log=log) as child:
        end = time.monotonic() + 60
        while not accepts(place / "s"):
            assert time.monotonic() < end, log.read_text(errors="replace")
            assert child.poll() is None, log.read_text(errors="replace")
            time.sleep(0.05)
        there = pymysql.connect(unix_socket=str(place / "s"), user="root", password=original.password)
        with there, there.cursor() as cursor:

            def ask(question: str) -> Any:
                cursor.execute(question)
                return list(cursor.fetchall())

            yield ask
            cursor.execute("SHUTDOWN")
        child.wait(60)


@pytest.mark.proves("mysql", "restore.physical")
@pytest.mark.proves("mariadb", "restore.physical")
def test_a_copy_is_proved_and_comes_back_whole(
    whole: ThrowawayServer,
    mysql_series: Series,
    mysql_installation: Installation,
    workspace: Callable[..., Workspace],
    short: Path,
) -> None:
    ws = workspace(whole)
    made = backup.run(ws, "shop", method="physical")
    assert set(made.backup.databases) >= {"shop", HOSTILE}
    assert made.backup.log is not None
    assert made.backup.started_at <= made.backup.instant <= made.backup.finished_at
    assert any("configuration is not in the copy" in note for note in made.notes)
    if mysql_series.family == "mariadb":
        assert any(note.startswith("commits waited for up to ") for note in made.notes)
    proof = verify.verify(ws, made.backup.id, level="full")
    assert proof.verdict is Verdict.VERIFIED, told(proof)
    assert {"files", "objects", "accounts", "tables", "pages"} <= {check.id for check in proof.checks}
    assert isinstance(proof.fingerprints, Missing)
    assert proof.fingerprints.reason == "not_comparable"
    assert proof.recovered_to == made.backup.instant
    assert {"restore-files", "restore-start (opening)"} <= {phase.name for phase in proof.phases}
    expected = content(whole.sql)
    answer, plan = restore.plan(ws, "shop", into=str(short / "data"))
    assert plan is not None
    restored = restore.result(answer, plan, restore.carry_out(ws, plan))
    assert f"--defaults-file={short}/data/my.cnf" in restored.notes[-1]
    assert [one.name for one in short.iterdir()] == ["data"]
    with started(mysql_installation, short / "data", short / "s", whole) as ask:
        assert content(ask) == expected
        assert ask("SELECT @@event_scheduler")[0][0] in ("OFF", 0)
        assert ask(EVENTS) == [(1,)]
    assert content(whole.sql) == expected
    assert not [one for one in whole.datadir.parent.iterdir() if "clone" in one.name]


def test_an_encrypted_copy_is_restored_by_hand(
    whole: ThrowawayServer,
    mysql_installation: Any,  # Any: an Installation of this backend
    workspace: Callable[..., Workspace],
    tmp_path: Path,
    short: Path,
) -> None:
    import pyrage

    key = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(f"{key}\n", "utf-8")
    ws = workspace(whole, recipients=str(key.to_public()), identity=f"file:{tmp_path / 'key'}")
    made = backup.run(ws, "shop", method="physical").backup
    (place,) = (tmp_path / "repository").glob(f"*/*/backups/{made.id}")
    (place / "key.txt").write_text(f"{key}\n", "utf-8")
    data = short / "by hand"
    env = {"PATH": f"{mysql_installation.bindir}:{os.environ['PATH']}", "DATA": str(data)}
    script = block((place / "RESTORE.md").read_text("utf-8"))
    done = subprocess.run(["bash", "-c", script], cwd=place, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"innodb_page_size"' in done.stdout
    own_server.hand_over(data, server_user())
    expected = content(whole.sql)
    with started(mysql_installation, data, short / "s", whole) as ask:
        assert content(ask) == expected


@pytest.mark.mysql(family="mariadb", newest=True)
def test_tables_elsewhere_come_back_inside_and_never_lead_to_the_original(
    private_mysql: Private,
    mysql_installation: Installation,
    workspace: Callable[..., Workspace],
    short: Path,
) -> None:
    server = private_mysql()
    elsewhere = short / "elsewhere"
    elsewhere.mkdir()
    own_server.hand_over(elsewhere, server_user())
    server.login("backup login", "")
    server.sql("GRANT ALL ON *.* TO `backup login`@localhost; CREATE DATABASE shop")
    server.sql(f"CREATE TABLE shop.far (a int PRIMARY KEY) DATA DIRECTORY = '{elsewhere}'")
    server.sql("INSERT INTO shop.far VALUES (7)")
    ws = workspace(server)
    made = backup.run(ws, "shop", method="physical")
    assert any("come back inside" in note and "far.ibd" in note for note in made.notes)
    proof = verify.verify(ws, made.backup.id, level="full")
    assert proof.verdict is Verdict.VERIFIED, told(proof)
    _, plan = restore.plan(ws, "shop", into=str(short / "data"))
    assert plan is not None
    restore.carry_out(ws, plan)
    assert not list((short / "data").rglob("*.isl"))
    with started(mysql_installation, short / "data", short / "s", server) as ask:
        ask("UPDATE shop.far SET a = 8")
        assert ask("SELECT a FROM shop.far") == [(8,)]
    assert server.sql("SELECT a FROM shop.far") == [(7,)]
    server.restart()
    assert server.sql("SELECT a FROM shop.far") == [(7,)]


@pytest.mark.mysql(family="mysql")
def test_a_clone_is_refused_rather_than_incomplete(
    private_mysql: Private, workspace: Callable[..., Workspace], short: Path
) -> None:
    server = private_mysql(innodb_directories=str(short))
    own_server.hand_over(short, server_user())
    server.login("backup login", "")
    server.sql("GRANT ALL ON *.* TO `backup login`@localhost; CREATE DATABASE shop")
    ws = workspace(server)
    said = refused(ws)
    assert "INSTALL PLUGIN clone SONAME 'mysql_clone.so'" in said
    server.sql("INSTALL PLUGIN clone SONAME 'mysql_clone.so'")
    server.sql(f"CREATE TABLE shop.far (a int) DATA DIRECTORY = '{short}'")
    server.sql("CREATE TABLE shop.loose (a int) ENGINE=MyISAM")
    said = refused(ws)
    assert f"outside of the data directory: {short}/shop/far.ibd" in said
    server.sql("DROP TABLE shop.far")
    assert "would come back empty: shop.loose" in refused(ws)
    server.sql("DROP TABLE shop.loose; SET GLOBAL super_read_only = ON")
    made = backup.run(ws, "shop", method="physical")
    assert made.backup.log is not None


@pytest.mark.mysql(family="mysql", newest=True)
def test_a_clone_is_proved_and_tells_its_position_when_the_plugin_is_in_no_table_of_the_copy(
    private_mysql: Private, workspace: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = private_mysql(plugin_load_add="mysql_clone.so")
    server.login("backup login", "")
    server.sql("GRANT ALL ON *.* TO `backup login`@localhost; CREATE DATABASE shop")
    ws = workspace(server)
    made = backup.run(ws, "shop", method="physical").backup
    proof = verify.verify(ws, made.id, level="restore")
    assert proof.verdict is Verdict.VERIFIED, told(proof)
    assert "the state is that of binlog.0" in told(proof)
    monkeypatch.setattr(copy_restore, "CLONE_LIBRARY", "no_such_plugin.so")
    proof = verify.verify(ws, made.id, level="restore")
    assert proof.verdict is Verdict.VERIFIED, told(proof)
    assert "position" not in told(proof)


def refused(ws: Workspace) -> str:
    with pytest.raises(Exception, match="physical does not work on this server") as caught:
        backup.run(ws, "shop", method="physical")
    return str(caught.value)
