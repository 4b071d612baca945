"""One moment for all databases, whatever goes on meanwhile; and nobody hangs behind it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pymysql
import pytest

from dbops import Workspace
from dbops.errors import ToolFailed
from dbops.model.backup import Fingerprints, Verdict
from dbops.operations import backup, verify
from dbops.spi import Runtime
from dbops.testing.mysql import Series
from dbops.testing.servers import ThrowawayServer
from dbops_mysql import tools
from dbops_mysql.backup import freeze, moment
from dbops_mysql.backup.artifacts import contents
from dbops_mysql.installation import Family

LEFT = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'dump login'"


def connect(server: ThrowawayServer) -> Any:  # Any: a connection of PyMySQL
    return pymysql.connect(host="127.0.0.1", port=server.port, user="root", password=server.password, autocommit=True)


@pytest.fixture
def accounts(shop: ThrowawayServer) -> Iterator[None]:
    """Two databases whose counters are always equal after a commit."""
    for name in ("left_", "right_"):
        shop.sql(f"CREATE DATABASE {name}; CREATE TABLE {name}.t (n int PRIMARY KEY, filler text)")
    yield
    shop.sql("DROP DATABASE left_; DROP DATABASE right_")


@contextmanager
def busy(server: ThrowawayServer) -> Generator[None]:
    """Somebody who writes into both all the time, a transaction each time."""
    began, stop = threading.Event(), threading.Event()

    def write() -> None:
        with connect(server) as connection, connection.cursor() as cursor:
            number = 0
            while not stop.is_set():
                number += 1
                cursor.execute("START TRANSACTION")
                for name in ("left_", "right_"):
                    cursor.execute(f"INSERT INTO {name}.t VALUES ({number}, REPEAT('x', 2000))")
                cursor.execute("COMMIT")
                began.set()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    assert began.wait(60), "nothing was written"
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


@pytest.mark.usefixtures("accounts")
def test_databases_and_fingerprints_are_of_one_moment_while_others_write(
    shop: ThrowawayServer, mysql_series: Series, workspace: Callable[..., Workspace]
) -> None:
    ws = workspace(shop)
    with busy(shop):
        made = backup.run(ws, "shop", method="dump", databases=["left_", "right_"]).backup
    proof = verify.verify(ws, made.id, level="full")
    assert proof.verdict is Verdict.VERIFIED, proof.reasons
    assert isinstance(proof.fingerprints, Fingerprints)
    assert proof.fingerprints.equal == proof.fingerprints.compared == 2
    rows = [printed(ws, made.id, name)["rows"] for name in ("left_", "right_")]
    assert rows[0] == rows[1] > 0
    known = contents(made)
    assert known.position is not None
    if mysql_series.family == "mariadb":  # a number for each transaction
        before = int(made.log.start.rpartition("-")[2]) if made.log else 0
        assert before > rows[0]


def printed(ws: Workspace, backup_id: str, database: str) -> dict[str, Any]:  # Any: JSON
    """The fingerprint of the only table of a database."""
    from dbops.operations.shelf import open_shelf
    from dbops.plan import FromRepository
    from dbops_mysql.backup.artifacts import fingerprints_of

    shelf = open_shelf(ws, ws.target("shop"), read=True)
    manifest = shelf.manifests[backup_id]
    (artifact,) = [one for one in manifest.artifacts if one.name == fingerprints_of(database)]
    source = FromRepository(repository="main", backup=backup_id, artifact=artifact.name, sha256=artifact.clear.sha256)
    from dbops.operations.bytes import RepositoryBytes

    found = RepositoryBytes(lambda _name: shelf.repository, {}).read(source).read(1 << 20)
    line: dict[str, Any] = json.loads(found.splitlines()[0])
    return line


def asked(family: Family, server: ThrowawayServer, *shares: list[str], **more: object) -> dict[str, object]:
    from dbops.host import LocalHost

    program = tools.required(
        family, "dump", tools.find(LocalHost(), family, "dump", server.version, str(server.bindir))
    )
    return {
        "family": family, "tool": program.path, "server": ".".join(map(str, server.version)),
        "shares": json.dumps(shares), "fingerprints": True, "loose": True, "history": False, "patience_s": 0, **more,
    }  # fmt: skip


@contextmanager
def slow(server: ThrowawayServer) -> Generator[None]:
    """A statement that has run for long, and goes on until it is ended here."""
    asked = "SELECT ID, TIME FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(%'"

    def wait() -> None:
        with suppress(pymysql.MySQLError):
            server.sql("SELECT SLEEP(600) FROM left_.t LIMIT 1")

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    end = time.monotonic() + 60
    while not any(seconds >= 2 for _, seconds in server.sql(asked)):
        assert time.monotonic() < end, "it does not run"
        time.sleep(0.1)
    try:
        yield
    finally:
        for number, _ in server.sql(asked):
            server.sql(f"KILL {number}")
        thread.join(60)


@pytest.mark.usefixtures("accounts")
def test_a_long_statement_is_not_locked_behind_and_nobody_waits(
    shop: ThrowawayServer, mysql_series: Series, runtime: Runtime
) -> None:
    shop.sql("INSERT INTO left_.t VALUES (0, 'x')")
    family: Family = "mariadb" if mysql_series.family == "mariadb" else "mysql"
    given = asked(family, shop, ["left_"], ["right_"])
    with slow(shop), moment.moment(given, shop.endpoint("dump login"), runtime) as (outputs, _):
        shop.sql("SET lock_wait_timeout = 30; INSERT INTO left_.t VALUES (1, 'y')")  # one that waited would fail
        # Nothing was committed for a while, so all snapshots are of one moment without the lock.
        assert outputs["how"] == "still"
        assert "offset" in str(outputs["position"])
        rows = [one for one in moment._moments[str(outputs["moment"])] if one.names]
        assert [sorted(one.names) for one in rows] == [["left_", "right_"]]


@pytest.mark.usefixtures("accounts")
def test_while_others_write_a_moment_without_the_lock_says_what_it_is_not(
    shop: ThrowawayServer, mysql_series: Series, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freeze, "TRIES", 2)
    family: Family = "mariadb" if mysql_series.family == "mariadb" else "mysql"
    shop.login("no locks", "")
    shop.sql("GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO 'no locks'@localhost")
    try:
        with busy(shop):
            given = asked(family, shop, ["left_"], ["right_"])
            with moment.moment(given, shop.endpoint("no locks"), runtime) as (outputs, _):
                assert outputs["how"] == "apart"
                assert outputs["position"] == ""
                (note,) = [one for one in json.loads(str(outputs["notes"])) if "moment" in one]
                assert "the login may not lock all tables (RELOAD" in note
                assert "not comparable" in note
    finally:
        shop.sql("DROP USER 'no locks'@localhost")


@pytest.mark.mysql(family="mariadb")
@pytest.mark.usefixtures("accounts")
def test_another_backup_that_is_at_work_is_told_and_not_waited_for(
    shop: ThrowawayServer, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freeze, "GUARD_S", 1)
    with connect(shop) as holder, holder.cursor() as cursor:
        cursor.execute("BACKUP STAGE START")
        given = asked("mariadb", shop, ["left_"], loose=False)
        with moment.moment(given, shop.endpoint("dump login"), runtime) as (outputs, _):
            assert "tables were not kept from being altered meanwhile" in str(outputs["notes"])
            assert outputs["how"] == "locked"
        cursor.execute("BACKUP STAGE END")


def read_all(given: dict[str, object], server: ThrowawayServer, runtime: Runtime) -> None:
    with moment.moment(given, server.endpoint("dump login"), runtime) as (outputs, _):
        for number in range(2):
            members = moment.dump({"moment": outputs["moment"], "share": number}, server.endpoint(), runtime)
            for member in members:
                while member.stream.read(1 << 20):
                    pass


def test_nothing_is_left_when_a_program_cannot_begin(
    shop: ThrowawayServer, mysql_series: Series, runtime: Runtime
) -> None:
    family: Family = "mariadb" if mysql_series.family == "mariadb" else "mysql"
    given = asked(family, shop, ["shop"], ["there is no such database"])
    with pytest.raises(ToolFailed, match="there is no such database"):
        read_all(given, shop, runtime)
    end = time.monotonic() + 60
    while shop.sql(LEFT) != [(0,)] and time.monotonic() < end:
        time.sleep(0.1)
    assert shop.sql(LEFT) == [(0,)]
    shop.sql("CREATE TABLE shop.free (a int); INSERT INTO shop.free VALUES (1); DROP TABLE shop.free")
