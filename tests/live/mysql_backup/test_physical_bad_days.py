"""What goes wrong while a whole server is copied or a copy is brought back: a clear message, and nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from dbops import Workspace, claim, own_server
from dbops.errors import (
    CouldNotTell,
    DbopsError,
    DestinationExists,
    Locked,
    OutputError,
    ReadFailed,
    ToolFailed,
    Unreachable,
)
from dbops.model.backup import Verdict
from dbops.model.recovery import Verification
from dbops.operations import backup, verify
from dbops.spi import Member, Runtime
from dbops.testing.lend import Private
from dbops.testing.mysql import Series
from dbops.testing.servers import ThrowawayServer
from dbops_mysql.backup import clone, copying, directory
from dbops_mysql.doors import DOORS
from dbops_mysql.installation import server_user
from tests.live.meddled import meddling

LOGIN = "backup login"
MARIADB = pytest.mark.mysql(family="mariadb", since="11.0")
MYSQL = pytest.mark.mysql(family="mysql")


def small(make: Private, **settings: str) -> ThrowawayServer:
    server = make(**settings)
    server.login(LOGIN, "")
    server.sql(f"GRANT ALL ON *.* TO `{LOGIN}`@localhost; CREATE DATABASE shop")
    server.sql("CREATE TABLE shop.t (a int PRIMARY KEY); INSERT INTO shop.t VALUES (1), (2)")
    return server


def program(server: ThrowawayServer) -> str:
    return str(Path(server.bindir) / "mariadb-backup")


def arguments(server: ThrowawayServer, **more: object) -> dict[str, object]:
    return {"family": "mariadb", "tool": program(server), "datadir": str(server.datadir), "parallel": 1, **more}


def drained(member: Member) -> int:
    size = 0
    with closing(member.stream):
        while block := member.stream.read(1 << 20):
            size += len(block)
    return size


def children(words: str) -> list[int]:
    """Processes with these words among their arguments."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if words.encode() in place.read_bytes().replace(b"\0", b" "):
                found.append(int(place.parent.name))
    return found


def told(proof: Verification) -> str:
    return "\n".join(f"{check.verdict.value} {check.id}: {check.summary}" for check in proof.checks)


def nothing_kept(repository: Path) -> None:
    assert not list(repository.rglob("manifest"))
    assert not list(repository.rglob("vol-*"))


# While mariadb-backup works


@MARIADB
def test_a_killed_program_is_a_failure_and_never_a_short_success(
    whole: ThrowawayServer, runtime: Runtime, tmp_path: Path
) -> None:
    (member,) = copying.copying(arguments(whole), whole.endpoint(), runtime)
    assert member.stream.read(1000)
    (pid,) = children(f"--tmpdir={tmp_path}")
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ToolFailed, match=r"the copy: .* was killed by SIGKILL"):
        drained(member)


@MARIADB
def test_who_stops_reading_leaves_no_program_behind(whole: ThrowawayServer, runtime: Runtime, tmp_path: Path) -> None:
    (member,) = copying.copying(arguments(whole), whole.endpoint(), runtime)
    with closing(member.stream):
        assert member.stream.read(1000)
    assert children(f"--tmpdir={tmp_path}") == []
    assert whole.sql("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'BACKUP%'") == [(0,)]


@MARIADB
def test_a_server_that_dies_meanwhile_leaves_nothing_in_the_catalogue(
    private_mysql: Private, workspace: Callable[..., Workspace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = small(private_mysql)
    meddling(monkeypatch, DOORS, "copy", server.kill)
    with pytest.raises((ToolFailed, Unreachable)) as failed:
        backup.run(workspace(server), "shop", method="physical")
    assert failed.value.reason == "connect_failed", str(failed.value)
    nothing_kept(tmp_path / "repository")


@MARIADB
def test_tables_that_are_made_altered_and_dropped_meanwhile_do_no_harm(
    private_mysql: Private, workspace: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = small(private_mysql)
    for number in range(10):
        server.sql(f"CREATE TABLE shop.old{number} (a int PRIMARY KEY, b text)")
        server.sql(f"INSERT INTO shop.old{number} VALUES (1, 'x')")

    def change() -> None:
        for number in range(10):
            server.sql(
                f"CREATE TABLE shop.new{number} (a int PRIMARY KEY); INSERT INTO shop.new{number} VALUES ({number});"
                f"ALTER TABLE shop.old{number} ADD COLUMN c int DEFAULT 7, ALGORITHM=COPY;"
                f"RENAME TABLE shop.old{number} TO shop.renamed{number}"
            )
        server.sql("DROP TABLE shop.renamed3; TRUNCATE TABLE shop.renamed4; OPTIMIZE TABLE shop.renamed5")

    worker = threading.Thread(target=change, daemon=True)
    meddling(monkeypatch, DOORS, "copy", worker.start)
    ws = workspace(server)
    made = backup.run(ws, "shop", method="physical")
    worker.join(60)
    assert not worker.is_alive()
    proof = verify.verify(ws, made.backup.id, level="full")
    assert proof.verdict is Verdict.VERIFIED, told(proof)


@MARIADB
def test_a_login_without_rights_is_told_what_it_lacks(whole: ThrowawayServer, runtime: Runtime) -> None:
    whole.login("weak", "")
    try:
        (member,) = copying.copying(arguments(whole), whole.endpoint("weak"), runtime)
        with pytest.raises(ToolFailed, match=r"(?i)denied|privilege") as failed:
            drained(member)
        assert failed.value.reason == "no_permission"
    finally:
        whole.sql("DROP USER weak@localhost")


@MARIADB
def test_the_password_is_nowhere_to_be_seen(whole: ThrowawayServer, runtime: Runtime, tmp_path: Path) -> None:
    (member,) = copying.copying(arguments(whole), whole.endpoint(), runtime)
    with closing(member.stream):
        assert member.stream.read(1000)
        (pid,) = children(f"--tmpdir={tmp_path}")
        seen = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
        assert whole.password.encode() not in seen


@MARIADB
def test_encrypted_files_are_copied_and_could_not_be_verified_without_their_keys(
    private_mysql: Private, workspace: Callable[..., Workspace], short: Path
) -> None:
    keys = short / "keys"
    keys.write_text("1;" + "0f" * 32 + "\n", "utf-8")
    own_server.hand_over(keys, server_user())
    server = small(
        private_mysql, plugin_load_add="file_key_management", file_key_management_filename=str(keys),
        innodb_encrypt_tables="ON", innodb_encrypt_log="ON",
    )  # fmt: skip
    server.sql("CREATE TABLE shop.secret (a int PRIMARY KEY) ENCRYPTED=YES; INSERT INTO shop.secret VALUES (1)")
    ws = workspace(server)
    made = backup.run(ws, "shop", method="physical")
    assert any("are encrypted: without the keys" in note for note in made.notes)
    proof = verify.verify(ws, made.backup.id, level="full")
    assert proof.verdict is Verdict.COULD_NOT_VERIFY, told(proof)
    assert "encrypted (file_key_management)" in told(proof)


# While MySQL clones itself


def cloned(server: ThrowawayServer, runtime: Runtime, staging: Path, **more: object) -> Any:  # Any: a context manager
    given: dict[str, object] = {"staging": str(staging), "owner": server_user() or "", "need_bytes": 0, **more}
    return clone.clone(given, server.endpoint(), runtime)


@MYSQL
def test_where_the_server_may_not_write_it_says_so_and_leaves_nothing(
    whole: ThrowawayServer, runtime: Runtime, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ReadFailed, match="Can't create") as failed, cloned(whole, runtime, closed):
        pass
    assert "AppArmor" in failed.value.hint
    assert "[targets.NAME.backup] staging" in failed.value.hint
    assert list(closed.iterdir()) == []


@MYSQL
def test_too_little_room_is_said_before_the_server_begins(
    whole: ThrowawayServer, runtime: Runtime, short: Path
) -> None:
    with (
        pytest.raises(OutputError, match="a clone of the server needs 1,000,000"),
        cloned(whole, runtime, short, need_bytes=10**18),
    ):
        pass
    with pytest.raises(OutputError, match="no directory can be made"), cloned(whole, runtime, short / "nowhere"):
        pass
    assert list(short.iterdir()) == []


@MYSQL
def test_a_clone_goes_away_when_storing_it_fails_or_is_interrupted(
    whole: ThrowawayServer, runtime: Runtime, short: Path
) -> None:
    def interrupted(error: BaseException) -> None:
        with cloned(whole, runtime, short) as (outputs, _):
            assert (Path(outputs["path"]) / "mysql.ibd").is_file()
            raise error

    for error in (KeyboardInterrupt(), ToolFailed("no")):
        with pytest.raises(type(error)):
            interrupted(error)
        assert list(short.iterdir()) == []
    assert "the server copies its files" in runtime.told  # type: ignore[attr-defined]  # of the test's own runtime


@MYSQL
def test_a_server_that_dies_while_it_clones_leaves_nothing(
    private_mysql: Private, runtime: Runtime, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = small(private_mysql)
    server.sql("INSTALL PLUGIN clone SONAME 'mysql_clone.so'")

    def kill(_cloning: object, worker: threading.Thread) -> None:
        while worker.is_alive() and not list(short.glob("*/server/copy")):
            time.sleep(0.0005)
        server.kill()
        worker.join(60)

    monkeypatch.setattr(clone._Cloning, "_watch", kill)
    with pytest.raises(Unreachable), cloned(server, runtime, short):
        pass
    assert list(short.iterdir()) == []


@MYSQL
def test_ctrl_c_ends_the_clone_on_the_server_too(
    whole: ThrowawayServer, runtime: Runtime, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(clone._Cloning, "_watch", interrupt)
    with pytest.raises(KeyboardInterrupt), cloned(whole, runtime, short):
        pass
    assert list(short.iterdir()) == []
    running = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'CLONE LOCAL%'"
    assert whole.sql(running) == [(0,)]


KILLED = """
    import sys
    from pathlib import Path
    from dbops.claim import claimed
    path = Path(sys.argv[1]) / "dbops-clone-1"
    (path / "server" / "copy").mkdir(parents=True)
    (path / "server" / "copy" / "ibdata1").touch()
    with claimed(path):
        print("there", flush=True)
        sys.stdin.read()
"""


@MYSQL
def test_what_a_killed_run_left_is_removed_by_the_next_and_a_living_one_is_left_alone(
    whole: ThrowawayServer, runtime: Runtime, short: Path
) -> None:
    argv = [sys.executable, "-c", textwrap.dedent(KILLED), str(short)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline()
        with cloned(whole, runtime, short):
            assert (short / "dbops-clone-1").is_dir()
        other.kill()
        other.wait()
    with cloned(whole, runtime, short):
        assert not (short / "dbops-clone-1").exists()


# Bringing it back


def area(family: str, version: str, **more: object) -> Any:  # Any: a context manager
    given: dict[str, object] = {"family": family, "version": version, "program": False, "need_bytes": 0, **more}
    return given


@pytest.mark.mysql(newest=True)
def test_no_fitting_server_is_no_answer(
    whole: ThrowawayServer, mysql_series: Series, runtime: Runtime, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = mysql_series.family
    other = area(family, "5.1.3", into=str(short))
    with (
        pytest.raises(CouldNotTell, match=r"a (MySQL|MariaDB) 5\.1.* server is needed") as failed,
        directory.copy_area(other, whole.endpoint(), runtime),
    ):
        pass
    assert failed.value.reason == "tool_missing"
    monkeypatch.setattr(directory, "installations", lambda *_: ())
    with (
        pytest.raises(CouldNotTell, match="this machine has: none"),
        directory.copy_area(area(family, "9.7.4"), whole.endpoint(), runtime),
    ):
        pass
    assert list(short.iterdir()) == []


@MYSQL
def test_mysql_does_not_open_the_files_of_a_newer_release(whole: ThrowawayServer) -> None:
    newer = (*whole.version[:2], 99)
    with pytest.raises(CouldNotTell, match="or newer, server is needed") as failed:
        directory.fitting("mysql", newer)
    assert failed.value.reason == "tool_too_old"


@MARIADB
def test_a_restore_into_a_directory_that_fails_leaves_nothing(
    whole: ThrowawayServer, runtime: Runtime, short: Path
) -> None:
    def opened(path: Path, **more: object) -> Any:  # Any: a context manager
        given = {**area("mariadb", "11.8.0"), "path": str(path), **more}
        return directory.new_directory(given, whole.endpoint(), runtime)

    def restoring() -> None:
        with opened(short / "data") as (outputs, _):
            (Path(outputs["data"]) / "ibdata1").touch()
            with pytest.raises(Locked, match="in use by another run"), opened(short / "data"):
                pass
            raise ToolFailed("no")

    with pytest.raises(ToolFailed) as failed:
        restoring()
    assert "What had been restored was removed." in failed.value.hint
    assert list(short.iterdir()) == []
    with pytest.raises(OutputError, match="the copy needs"), opened(short / "x", need_bytes=10**18):
        pass
    with opened(short / "data"):
        assert not (short / "data").exists()
    with pytest.raises(DestinationExists, match="is there already"), opened(short / "data"):
        pass
    with (
        pytest.raises(DbopsError, match=r"was not found on this machine|is needed"),
        opened(short / "y", program=True, version="10.1.2"),
    ):
        pass
    assert sorted(one.name for one in short.iterdir()) == ["data"]
    assert claim.sweep(short, "data") == ()
