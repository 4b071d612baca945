"""What goes wrong while a backup is made, restored or proved: a clear message, and nothing half-done left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dbops import Workspace, claim
from dbops.backup.fingerprints import Fingerprint, compare
from dbops.errors import CouldNotTell, DestinationExists, Locked, OutputError, ToolFailed, Unreachable
from dbops.execute.context import Progress
from dbops.host import LocalHost
from dbops.model.backup import Verdict
from dbops.model.server import Tool
from dbops.operations import backup, verify
from dbops.own_server import temporary_directory
from dbops.plan import SecretRef
from dbops.scratch import PREFIX
from dbops.secrets import Secrets
from dbops.session import connect
from dbops.spi import Host, Member, Reader
from dbops.testing.servers import Database, ThrowawayServer
from dbops_postgresql import tools
from dbops_postgresql.backend import PostgreSQL
from dbops_postgresql.backup import area, basebackup, destination, dump, fingerprint, scratch, snapshot
from dbops_postgresql.backup.fit import Requirements
from dbops_postgresql.doors import DOORS
from dbops_postgresql.installation import server_user
from tests.live.meddled import meddling

pytestmark = pytest.mark.postgres(newest=True)


class Lent:
    """What execution lends to a door."""

    host: Host = LocalHost()

    def __init__(self, tmp_path: Path) -> None:
        self._tmp_path = tmp_path
        self.progress: Progress = lambda what, done, of: None

    def secret(self, ref: SecretRef) -> str:
        return Secrets().resolve(ref)

    def reader(self, endpoint: Any) -> AbstractContextManager[Reader]:  # Any: Endpoint, as the protocol has it
        return connect(PostgreSQL(), endpoint, resolve=self.secret)

    def workdir(self) -> Path:
        return self._tmp_path


@pytest.fixture
def lent(tmp_path: Path) -> Lent:
    return Lent(tmp_path)


@pytest.fixture
def short() -> Iterator[Path]:
    """A place that a server's user can pass through."""
    import shutil
    import tempfile

    place = Path(tempfile.mkdtemp(prefix="dbops-t-", dir=temporary_directory(server_user())))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)


def drained(member: Member) -> bytes:
    blocks = []
    with closing(member.stream):
        while block := member.stream.read(1 << 20):
            blocks.append(block)
    return b"".join(blocks)


def program(lent: Lent, name: str, server: ThrowawayServer) -> str:
    tool = tools.choose(name, tools.found(lent.host, name), server.version)
    assert isinstance(tool, Tool)
    return tool.path


def requires(major: int, **more: Any) -> str:  # Any: whatever Requirements takes
    return msgspec.json.encode(Requirements(major=major, **more)).decode()


def test_a_killed_pg_dump_is_a_failure_and_never_a_short_success(database: Database, lent: Lent) -> None:
    database.sql("CREATE TABLE t AS SELECT repeat(md5(g::text), 50) AS x FROM generate_series(1, 20000) g")
    where = {"tool": program(lent, "pg_dump", database.server), "database": database.name}
    (member,) = dump.dump(where, database.endpoint(), lent)
    assert member.stream.read(1000)
    os.kill(member.stream.pid, signal.SIGKILL)  # type: ignore[attr-defined]  # of ToolOutput
    with pytest.raises(ToolFailed, match=r"the dump of .*: pg_dump was killed by SIGKILL"):
        drained(member)


def test_a_dump_of_what_may_not_be_read_says_so(database: Database, lent: Lent) -> None:
    database.sql("CREATE TABLE t (a int)")
    database.server.login("stranger")
    where = {"tool": program(lent, "pg_dump", database.server), "database": database.name}
    (member,) = dump.dump(where, database.endpoint("stranger"), lent)
    with pytest.raises(ToolFailed, match="permission denied for table t"):
        drained(member)


def test_a_server_that_dies_in_the_middle_of_a_base_backup(
    private_postgres: Callable[..., ThrowawayServer], lent: Lent
) -> None:
    server = private_postgres()
    server.sql("CREATE TABLE t AS SELECT repeat(md5(g::text), 50) AS x FROM generate_series(1, 40000) g")
    members = basebackup.basebackup({"label": "x", "major": server.major}, server.endpoint(), lent)
    first = next(members)
    assert first.stream.read(1 << 20)
    server.kill()
    with pytest.raises(Unreachable, match="the base backup broke off"):
        drained(first)


def test_a_server_that_dies_in_the_middle_of_a_backup_leaves_nothing_in_the_catalogue(
    shop: ThrowawayServer, workspace: Callable[..., Workspace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = workspace(shop)
    # Much more than lies in any buffer when the first of it has been read.
    shop.sql("CREATE TABLE t AS SELECT md5(g::text) AS x FROM generate_series(1, 1000000) g", database="shop")
    meddling(monkeypatch, DOORS, "dump", shop.kill)
    with pytest.raises((ToolFailed, Unreachable)) as failed:
        backup.run(ws, "shop", method="dump")
    assert "server" in str(failed.value) or "connection" in str(failed.value)
    assert not list((tmp_path / "repository").rglob("manifest"))
    assert not list((tmp_path / "repository").rglob("vol-*"))


def test_damaged_pages_stop_a_base_backup(private_postgres: Callable[..., ThrowawayServer], lent: Lent) -> None:
    server = private_postgres()
    _damage(server)
    members = basebackup.basebackup({"label": "x", "major": server.major}, server.endpoint(), lent)
    with pytest.raises(ToolFailed, match="checksum verification failure") as failed:
        list(map(drained, members))
    assert "its log names the files" in failed.value.hint


def test_a_proof_finds_damage_that_the_server_had_not_noticed(
    private_postgres: Callable[..., ThrowawayServer], workspace: Callable[..., Workspace]
) -> None:
    server = private_postgres()
    server.login("backup login", "SUPERUSER")
    server.stop()
    checksums = [str(server.bindir / "pg_checksums"), "--disable", "--no-sync", "-D", str(server.datadir)]
    subprocess.run(checksums, check=True, capture_output=True, user=server_user())
    server.start()
    _damage(server)
    ws = workspace(server)
    made = backup.run(ws, "shop", method="basebackup").backup
    proof = verify.verify(ws, made.id, level="full")
    assert proof.verdict is Verdict.FAILED
    failed = {check.id: check.summary for check in proof.checks if check.verdict is Verdict.FAILED}
    assert "damage was found" in failed["amcheck"]
    assert "cannot be read whole" in failed["read:postgres"]


def _damage(server: ThrowawayServer) -> None:
    """Overwrite rows in the middle of a table."""
    server.sql("CREATE TABLE t AS SELECT g, md5(g::text) AS x FROM generate_series(1, 5000) g; CHECKPOINT")
    ((path,),) = server.sql("SELECT pg_relation_filepath('t')")
    server.stop()
    with (server.datadir / path).open("r+b") as file:
        file.seek(5 * 8192 + 6000)
        file.write(b"\xff" * 2000)
    server.start()


def test_no_fitting_programs_is_no_answer(lent: Lent, database: Database) -> None:
    wanted = {"requires": requires(99), "into": "", "need_bytes": 0}
    with pytest.raises(CouldNotTell, match="a PostgreSQL 99 server is needed") as failed, _area(wanted, lent, database):
        pass
    assert failed.value.reason == "tool_missing"
    assert "Install PostgreSQL 99" in failed.value.hint
    wanted["requires"] = requires(database.server.major, extensions=("postgis",))
    with pytest.raises(CouldNotTell, match="it has no extension postgis") as failed, _area(wanted, lent, database):
        pass
    assert failed.value.reason == "extension_missing"


def test_too_little_room_is_said_before_anything_is_restored(lent: Lent, database: Database, short: Path) -> None:
    wanted = {"requires": requires(database.server.major), "into": str(short), "need_bytes": 10**18}
    said = "restoring here needs 1,000,000,000,000,000,000"
    with pytest.raises(CouldNotTell, match=said), _area(wanted, lent, database):
        pass
    assert list(short.iterdir()) == []


def test_ctrl_c_leaves_no_server_and_no_files(lent: Lent, database: Database, short: Path) -> None:
    wanted = {"requires": requires(database.server.major), "into": str(short)}
    where = database.endpoint()
    pids: list[int] = []

    def proof() -> None:
        more = {"superuser": "x", "dump_version": "13"}
        with _area(wanted, lent, database) as (outputs, _), scratch.empty({**outputs, **more}, where, lent):
            pids.append(int((Path(outputs["path"]) / "server" / "postmaster.pid").read_text().split()[0]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        proof()
    assert list(short.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def _area(wanted: Mapping[str, object], lent: Lent, database: Database) -> Any:  # Any: a context manager
    return area.area(wanted, database.endpoint(), lent)


KILLED = """
    import os, sys
    from pathlib import Path
    from dbops.host import LocalHost
    from dbops.model.server import Endpoint
    from dbops_postgresql.backup import area, scratch

    class Lent:
        host = LocalHost()

    where = Endpoint(engine="postgresql")
    with area.area({"requires": sys.argv[1], "into": sys.argv[2]}, where, Lent()) as (outputs, _):
        with scratch.empty({**outputs, "superuser": "x", "dump_version": "13"}, where, Lent()):
            print((Path(outputs["path"]) / "server" / "postmaster.pid").read_text().split()[0], flush=True)
            sys.stdin.read()
"""


def test_what_a_killed_proof_left_is_removed_by_the_next_and_a_living_one_is_left_alone(
    database: Database, short: Path
) -> None:
    argv = [sys.executable, "-c", textwrap.dedent(KILLED), requires(database.server.major), str(short)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        pid = int(other.stdout.readline())
        assert claim.sweep(short, PREFIX) == ()
        other.kill()
        other.wait()
        assert len(claim.sweep(short, PREFIX)) == 1
    assert list(short.iterdir()) == []
    _gone(pid)


def _gone(pid: int) -> None:
    said = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    assert "postgres -D" not in said


def test_a_word_is_locked_once(database: Database, lent: Lent) -> None:
    where = database.endpoint()
    with (
        snapshot.lock({"word": "users"}, where, lent),
        pytest.raises(Locked, match="another run holds the lock 'users'"),
        snapshot.lock({"word": "users"}, where, lent),
    ):
        pass
    with snapshot.lock({"word": "users"}, where, lent):
        pass


def _new_database(database: Database, lent: Lent, name: str) -> Any:  # Any: a context manager
    create = f'CREATE DATABASE "{destination.partial_database(name)}" TEMPLATE template0'
    arguments = {"database": name, "create": create, "dump_version": "13", "after": "[]"}
    return destination.new_database(arguments, database.endpoint(), lent)


def test_a_restore_that_fails_drops_the_new_database_and_says_so(database: Database, lent: Lent) -> None:
    name = f"{database.name}_new"

    def restoring() -> None:
        with _new_database(database, lent, name) as (outputs, _):
            assert outputs["database"] == destination.partial_database(name)
            raise ToolFailed("pg_restore exited with 1")

    with pytest.raises(ToolFailed) as failed:
        restoring()
    assert "The new database was dropped again." in failed.value.hint
    names = {row[0] for row in database.sql("SELECT datname FROM pg_database")}
    assert not names & {name, destination.partial_database(name)}


def test_a_restore_takes_over_what_a_killed_one_left_and_never_what_exists(database: Database, lent: Lent) -> None:
    name = f"{database.name}_new"
    database.sql(f'CREATE DATABASE "{destination.partial_database(name)}"')
    with _new_database(database, lent, name):
        pass
    try:
        with pytest.raises(DestinationExists, match="already"), _new_database(database, lent, name):
            pass
        assert database.sql("SELECT 1 FROM pg_database WHERE datname = '" + name + "'") == [(1,)]
    finally:
        database.sql(f'DROP DATABASE "{name}"')


def _new_directory(database: Database, lent: Lent, path: Path, need: int = 0) -> Any:  # Any: a context manager
    arguments = {"path": str(path), "tablespaces": "16384", "need_bytes": need}
    return destination.new_directory(arguments, database.endpoint(), lent)


def test_a_restore_into_a_directory_that_fails_leaves_nothing(database: Database, lent: Lent, short: Path) -> None:
    path = short / "data"

    def restoring() -> None:
        with _new_directory(database, lent, path) as (outputs, _):
            Path(outputs["data"]).mkdir()
            with pytest.raises(Locked, match="in use by another run"), _new_directory(database, lent, path):
                pass
            raise ToolFailed("no")

    with pytest.raises(ToolFailed) as failed:
        restoring()
    assert "What had been restored was removed." in failed.value.hint
    assert list(short.iterdir()) == []


def test_a_directory_appears_when_it_is_whole(database: Database, lent: Lent, short: Path) -> None:
    path = short / "data"
    with _new_directory(database, lent, path) as (outputs, _):
        (Path(outputs["data"]) / "pg_tblspc").mkdir(parents=True)
        Path(outputs["t16384"]).mkdir()
        assert not path.exists()
    assert (path / "pg_tblspc" / "16384").readlink() == short / "data.tablespaces" / "16384"
    with pytest.raises(DestinationExists, match="is there already"), _new_directory(database, lent, path):
        pass
    with pytest.raises(OutputError, match="the copy needs"), _new_directory(database, lent, short / "x", 10**18):
        pass


def test_fingerprints_see_one_changed_row_and_not_the_order(database: Database, lent: Lent) -> None:
    database.sql("CREATE TABLE t AS SELECT g AS a, md5(g::text) AS b FROM generate_series(1, 1000) g")
    database.sql("CREATE TABLE same (a int); INSERT INTO same VALUES (1), (1), (2); CREATE SEQUENCE s")

    def read() -> tuple[Fingerprint, ...]:
        return tuple(fingerprint.measure({"database": database.name}, database.endpoint(), lent))

    before = read()
    database.sql("TRUNCATE same; INSERT INTO same VALUES (2), (1), (1)")
    assert compare(before, read()).different == ()
    database.sql(
        "UPDATE t SET b = 'x' WHERE a = 500; DELETE FROM same WHERE a = 2; DROP SEQUENCE s; CREATE TABLE more ()"
    )
    assert set(compare(before, read()).different) == {
        "public.t: rows differ (their number, 1000, is the same)",
        "public.same: 3 rows were backed up, 2 came back",
        "public.s: the sequence is gone",
        "public.more: was not there when the backup was made",
    }


def test_fingerprints_name_what_they_leave_out(database: Database, lent: Lent) -> None:
    database.sql("CREATE TABLE t (a int); CREATE TABLE closed (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    database.server.login("reader")
    database.sql("GRANT SELECT ON t TO reader")
    found = fingerprint.measure({"database": database.name}, database.endpoint("reader"), lent)
    skipped = {one.name: one.skipped for one in found if one.skipped}
    assert skipped == {
        "public.t": "row_security", "public.closed": "no_permission", "large objects": "no_permission",
    }  # fmt: skip
    hurried = {"database": database.name, "budget_s": 1e-9}
    assert {one.skipped for one in fingerprint.measure(hurried, database.endpoint(), lent)} == {"budget"}
