"""Dumps made by the backup login, proved, and brought back: by dbops and by hand."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dbops import Workspace
from dbops.errors import DestinationExists, UsageError
from dbops.model.backup import BackupRecord, Fingerprints, Verdict
from dbops.model.recovery import Verification
from dbops.operations import backup, restore, verify
from dbops.operations.restore import Wish
from dbops.testing.mysql import Series
from dbops.testing.servers import ThrowawayServer
from dbops_mysql.backup.artifacts import Contents, contents
from dbops_mysql.backup.destination import MARK

HOSTILE = "-odd `name'\" 50%_é漢"
QUOTED = "`" + HOSTILE.replace("`", "``") + "`"
ROWS = (
    "CONCAT_WS(',', id, note, price, ratio, placed, day, bits + 0, HEX(picture), HEX(few), HEX(text_), HEX(old), "
    "size_, tags, twice)"
)
SUMS = (
    f"SELECT COUNT(*), SUM(CRC32({ROWS})) FROM {{}}.orders",
    "SELECT COUNT(*), SUM(a) FROM {}.twins",
    "SELECT COUNT(*) FROM {}.nested",
    "SELECT {}.total(41)",
)
LEFT = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'dump login'"


def told(proof: Verification) -> str:
    return "\n".join(f"{check.verdict.value} {check.id}: {check.summary}" for check in proof.checks)


def sums(server: ThrowawayServer, database: str) -> list[Any]:  # Any: rows of any types
    return [server.sql(f"SET time_zone = '+00:00'; {one.format(database)}") for one in SUMS]


def known(made: BackupRecord) -> Contents:
    return contents(made)


def block(text: str) -> str:
    """Every shell block of a recipe, as one script."""
    return "set -e -o pipefail\n" + "".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def test_everything_comes_back_and_is_proved(
    shop: ThrowawayServer, mysql_series: Series, workspace: Callable[..., Workspace]
) -> None:
    ws = workspace(shop)
    stored = backup.run(ws, "shop", method="dump")
    made = stored.backup
    assert set(made.databases) == {HOSTILE, "nothing", "shop"}
    assert made.whole
    proof = verify.verify(ws, made.id, level="full")
    assert proof.verdict is Verdict.VERIFIED, told(proof)
    assert isinstance(proof.fingerprints, Fingerprints)
    assert proof.fingerprints.compared == proof.fingerprints.equal >= 6
    assert {"accounts", "objects", "definers", "tables"} <= {check.id for check in proof.checks}
    assert "1 without transactions" in told(proof)
    assert any("their engine has no transactions: shop.loose" in note for note in stored.notes)
    assert any("FLOAT come back rounded" in note for note in stored.notes)
    assert not any("altered" in note for note in stored.notes)
    position = known(made).position
    assert position is not None
    assert position.file.startswith("binlog.")
    assert position.offset > 0
    assert made.log is not None
    assert known(made).settings["server_id"] == "7"
    if mysql_series.family == "mariadb":
        assert made.log.unit == "gtid"
        assert known(made).history is True
    assert shop.sql(LEFT) == [(0,)]


@pytest.mark.proves("mysql", "restore.logical")
@pytest.mark.proves("mariadb", "restore.logical")
def test_a_database_comes_back_under_another_name_and_never_over_one_that_is_there(
    shop: ThrowawayServer, workspace: Callable[..., Workspace]
) -> None:
    ws = workspace(shop)
    backup.run(ws, "shop", method="dump")
    into = shop.url(database="shop_again")
    answer, plan = restore.plan(ws, "shop", wish=Wish(databases=("shop",)), into=into)
    assert plan is not None
    assert shop.password not in msgspec.json.encode(plan).decode()
    done = restore.result(answer, plan, restore.carry_out(ws, plan))
    assert sums(shop, "shop_again") == sums(shop, "shop")
    assert "kept" in shop.sql("SHOW CREATE FUNCTION shop_again.total")[0][2]
    notes = " ".join(done.notes)
    assert "accounts.sql of this backup has them" in notes
    assert "replicas of this server have it too" in notes
    with pytest.raises(DestinationExists, match="shop_again is there already"):
        restore.plan(ws, "shop", wish=Wish(databases=("shop",)), into=into)
    with pytest.raises(DestinationExists, match="there is a database 'shop_again' already") as refused:
        restore.carry_out(ws, plan)
    assert sums(shop, "shop_again") == sums(shop, "shop"), "the one that was there is untouched"
    assert "dropped" not in refused.value.hint
    shop.sql("DROP DATABASE shop_again")
    _what_a_killed_restore_left(shop, lambda: restore.carry_out(ws, plan))


def _what_a_killed_restore_left(shop: ThrowawayServer, again: Callable[[], object]) -> None:
    shop.sql(f"CREATE DATABASE shop_again; CREATE TABLE shop_again.`{MARK}` (a INT PRIMARY KEY)")
    with pytest.raises(DestinationExists, match="'shop_again' is what a restore left that was killed") as refused:
        again()
    assert "DROP DATABASE `shop_again`, then restore again" in refused.value.hint
    assert shop.sql("SHOW TABLES IN shop_again") == [(MARK,)]
    shop.sql("DROP DATABASE shop_again")


def test_a_view_of_another_database_that_is_not_there_is_told_and_the_rest_comes_back(
    shop: ThrowawayServer, bare: ThrowawayServer, workspace: Callable[..., Workspace]
) -> None:
    ws = workspace(shop)
    backup.run(ws, "shop", method="dump", databases=[HOSTILE])
    answer, plan = restore.plan(ws, "shop", into=bare.url(database="again"))
    assert plan is not None
    done = restore.result(answer, plan, restore.carry_out(ws, plan))
    assert any("1 views could not be made, since they read what is not here" in note for note in done.notes)
    assert bare.sql(f'SELECT a, HEX(`"`) FROM again.{QUOTED} ORDER BY a') == [(1, "78"), (2, "E9")]
    bare.sql("DROP DATABASE again")
    if bare.endpoint().engine == "mysql":
        with pytest.raises(UsageError, match="cannot go into"):
            restore.plan(ws, "shop", into=bare.url(database="x").replace("mysql", "mariadb", 1))


@pytest.mark.mysql(family="mariadb")
def test_triggers_that_name_their_database_are_not_made_in_the_original(
    shop: ThrowawayServer, workspace: Callable[..., Workspace]
) -> None:
    shop.sql("CREATE DATABASE named; CREATE TABLE named.t (a int)")
    shop.sql(
        "CREATE DEFINER = root@localhost TRIGGER named.plain BEFORE INSERT ON named . t FOR EACH ROW SET NEW.a = 1"
    )
    try:
        ws = workspace(shop)
        made = backup.run(ws, "shop", method="dump", databases=["named"]).backup
        assert [one.qualified for one in known(made).databases] == [1]
        with pytest.raises(UsageError, match="1 triggers of named name their database themselves") as refused:
            restore.plan(ws, "shop", into=shop.url(database="other"))
        assert "Restore it as named" in refused.value.hint
        assert verify.verify(ws, made.id, level="restore").verdict is Verdict.VERIFIED
    finally:
        shop.sql("DROP DATABASE named")


@pytest.mark.mysql(family="mysql", newest=True)
def test_programs_that_keep_a_semicolon_come_back_although_the_dump_program_writes_them_so_that_they_cannot(
    shop: ThrowawayServer, workspace: Callable[..., Workspace]
) -> None:
    shop.sql("CREATE DATABASE semi; CREATE TABLE semi.t (a int)")
    shop.sql("CREATE TRIGGER semi.tr BEFORE INSERT ON semi.t FOR EACH ROW SET NEW.a = 1; SELECT 1")
    shop.sql("CREATE EVENT semi.e ON SCHEDULE EVERY 1 DAY DO DELETE FROM semi.t; SELECT 1")
    shop.sql("CREATE PROCEDURE semi.p() DELETE FROM semi.t; CREATE VIEW semi.v AS SELECT 1 AS a; SELECT 1")
    try:
        ws = workspace(shop)
        made = backup.run(ws, "shop", method="dump", databases=["semi"]).backup
        assert "SET NEW.a = 1;" in shop.sql("SHOW CREATE TRIGGER semi.tr")[0][2]
        proof = verify.verify(ws, made.id, level="full")
        assert proof.verdict is Verdict.VERIFIED, told(proof)
    finally:
        shop.sql("DROP DATABASE semi")


def test_definers_that_are_nobody_here_are_named(
    shop: ThrowawayServer, bare: ThrowawayServer, workspace: Callable[..., Workspace]
) -> None:
    shop.sql("CREATE DATABASE defined; CREATE USER gone@localhost IDENTIFIED BY 'x'")
    shop.sql("CREATE DEFINER=gone@localhost PROCEDURE defined.p() SELECT 'shop.orders' FROM defined.t")
    try:
        ws = workspace(shop)
        backup.run(ws, "shop", method="dump", databases=["defined"])
        answer, plan = restore.plan(ws, "shop", into=bare.url(database="other"))
        assert plan is not None
        note = " ".join(restore.result(answer, plan, restore.carry_out(ws, plan)).notes)
        bare.sql("DROP DATABASE other")
        assert "these definers have no account here, so what they defined cannot be used: gone@localhost (1)" in note
        assert "1 stored programs name the database defined itself" in note
    finally:
        shop.sql("DROP DATABASE defined; DROP USER gone@localhost")


def test_it_is_restored_by_hand_with_public_tools_alone(
    shop: ThrowawayServer, bare: ThrowawayServer, workspace: Callable[..., Workspace], tmp_path: Path
) -> None:
    import pyrage

    key = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(f"{key}\n", "utf-8")
    ws = workspace(shop, recipients=str(key.to_public()), identity=f"file:{tmp_path / 'key'}")
    made = backup.run(ws, "shop", method="dump").backup
    (place,) = (tmp_path / "repository").glob(f"*/*/backups/{made.id}")
    (place / "key.txt").write_text(f"{key}\n", "utf-8")
    options = tmp_path / "options.cnf"
    options.write_text(f'[client]\nuser=root\npassword="{bare.password}"\nhost=127.0.0.1\nport={bare.port}\n', "utf-8")
    script = block((place / "RESTORE.md").read_text("utf-8"))
    assert str(key.to_public()) in (place / "RESTORE.md").read_text("utf-8")
    env = {"PATH": f"{bare.bindir}:{os.environ['PATH']}", "OPTIONS": str(options), "HOME": str(tmp_path)}
    done = subprocess.run(["bash", "-c", script], cwd=place, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sums(bare, "shop") == sums(shop, "shop")
    assert bare.sql(f"SELECT COUNT(*) FROM {QUOTED}.across") == shop.sql(f"SELECT COUNT(*) FROM {QUOTED}.across")
    asked = "SET sql_mode = ''; SHOW GRANTS FOR 'app''s'@'10.%'"
    assert bare.sql(asked) == shop.sql(asked)
    bare.sql(f"DROP DATABASE shop; DROP DATABASE nothing; DROP DATABASE {QUOTED}")


def test_accounts_are_left_alone_where_they_are_and_passwords_work(
    shop: ThrowawayServer, bare: ThrowawayServer, workspace: Callable[..., Workspace], tmp_path: Path
) -> None:
    import pymysql
    import zstandard

    shop.sql("CREATE USER dup@localhost IDENTIFIED BY 'the first'; GRANT SELECT ON shop.* TO dup@localhost")
    try:
        ws = workspace(shop)
        made = backup.run(ws, "shop", method="dump", databases=["shop"]).backup
    finally:
        shop.sql("DROP USER dup@localhost")
    (stored,) = (tmp_path / "repository").glob(f"*/*/backups/{made.id}/accounts.sql/vol-0000")
    script = zstandard.ZstdDecompressor().stream_reader(stored.read_bytes()).read()
    assert b"the first" not in script
    bare.sql("CREATE DATABASE shop; CREATE USER dup@localhost IDENTIFIED BY 'the second'")
    client = bare.bindir / ("mariadb" if bare.endpoint().engine == "mariadb" else "mysql")
    for _ in range(2):
        words: list[str | Path] = [
            client,
            "--no-defaults",
            "-uroot",
            f"-p{bare.password}",
            "-h127.0.0.1",
            f"-P{bare.port}",
            "--force",
        ]
        subprocess.run([*words, "--binary-mode"], input=script, capture_output=True, check=False)
    with pymysql.connect(host="127.0.0.1", port=bare.port, user="dup", password="the second", database="shop"):
        pass
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        pymysql.connect(host="127.0.0.1", port=bare.port, user="dup", password="the first")
    bare.sql("DROP DATABASE shop")
