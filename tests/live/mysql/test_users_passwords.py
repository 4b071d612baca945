"""Passwords: what the servers store is what they would store themselves, and no clear one is ever written down."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pymysql
import pytest

from dbops.config import Config
from dbops.errors import UsageError
from dbops.operations import plans, users
from dbops.operations.workspace import Workspace
from dbops.plan import SecretRef
from dbops.state import State
from dbops.testing.lend import Private
from dbops.testing.servers import Database, ThrowawayServer
from dbops_mysql import passwords

CLEAR = ("in-the-clear-4711", "new-in-the-clear-4712", "rotated-in-the-clear-4713")
LOGGED = {
    "general_log": "ON",
    "general_log_file": "general.log",
    "slow_query_log": "ON",
    "slow_query_log_file": "slow.log",
    "long_query_time": "0",
    "log_bin": "binlog",
    "server_id": "1",
}


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(Config(), state=State(tmp_path / "state", clock=lambda: datetime.now(UTC)))


def login(server: ThrowawayServer, user: str, password: str) -> bool:
    try:
        pymysql.connect(host="127.0.0.1", port=server.port, user=user, password=password).close()
    except pymysql.MySQLError:
        return False
    return True


def written(server: ThrowawayServer) -> dict[str, bytes]:
    """Every file of the server."""
    files = [path for path in server.datadir.rglob("*") if path.is_file()]
    return {path.name: path.read_bytes() for path in [*files, server.log]}


@pytest.mark.mysql(newest=True)
def test_no_clear_password_is_in_any_file_of_the_server(
    private_mysql: Private, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = private_mysql(**LOGGED)
    for name, value in zip(("MADE", "NEW", "OTHER"), CLEAR, strict=True):
        monkeypatch.setenv(name, value)
    text = "dbops: users/1\nmanage: {principals: [alice]}\nusers: {alice: {password: env:MADE}}\n"
    users.apply(ws, text, server.url())
    plans.apply(ws, users.rotate(ws, server.url(), "alice", SecretRef("env:NEW"))).raise_for_status()
    if server.url().startswith("mysql"):
        kept = users.rotate(ws, server.url(), "alice", SecretRef("env:OTHER"), keep_old=True)
    else:
        kept = users.rotate(ws, server.url(), "alice", SecretRef("env:OTHER"))
    plans.apply(ws, kept).raise_for_status()
    server.sql("FLUSH LOGS")
    files = written(server)
    general = files["general.log"]
    assert b"CREATE USER IF NOT EXISTS `alice`@`%` IDENTIFIED" in general
    assert general.count(b"ALTER USER `alice`@`%`") == 2
    assert any(b"CREATE USER" in content for name, content in files.items() if name.startswith("binlog.0"))
    for name, content in files.items():
        for value in CLEAR:
            assert value.encode() not in content, name


@pytest.mark.mysql(family="mysql")
def test_our_hashes_are_those_of_mysql(mysql_database: Database) -> None:
    mysql_database.sql("CREATE USER alice@'%' IDENTIFIED WITH caching_sha2_password BY 'päss'")
    [(stored,)] = mysql_database.sql(
        "SELECT CAST(authentication_string AS BINARY) FROM mysql.user WHERE User = 'alice'"
    )
    head, salt = stored[:7].decode(), stored[7:27]
    rounds = int(head[3:6], 16) * 1000
    if salt.isascii():  # it is; the server takes seven bits of each byte
        assert passwords.caching_sha2("päss", rounds, salt.decode()) == stored.decode()


@pytest.mark.mysql(family="mariadb")
def test_our_hashes_are_those_of_mariadb(mysql_database: Database) -> None:
    stored = mysql_database.sql("SELECT PASSWORD('päss')")
    assert stored == [(passwords.native("päss"),)]


@pytest.mark.mysql(family="mariadb")
def test_a_password_is_stored_as_the_present_one_is_by_ed25519(
    mysql_database: Database, ws: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEW", "fresh")
    rotated_by("ed25519", mysql_database, ws, tmp_path)


@pytest.mark.mysql(family="mariadb", since="11.6")
def test_a_password_is_stored_as_the_present_one_is_by_parsec(
    mysql_database: Database, ws: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEW", "fresh")
    rotated_by("parsec", mysql_database, ws, tmp_path)


def rotated_by(plugin: str, mysql_database: Database, ws: Workspace, tmp_path: Path) -> None:
    """The server's own client logs in with it: few others know these ways."""
    server = mysql_database.server
    mysql_database.sql(f"INSTALL SONAME 'auth_{plugin}'")
    try:
        mysql_database.sql(f"CREATE USER alice@'%' IDENTIFIED VIA {plugin} USING PASSWORD('old')")
        made = users.rotate(ws, mysql_database.url(), "alice", SecretRef("env:NEW"))
        assert f"IDENTIFIED VIA {plugin} USING" in users.result(made).steps[0].sql
        plans.apply(ws, made).raise_for_status()
        assert client(server, tmp_path, "fresh") == "1"
        assert client(server, tmp_path, "old") == ""
        mysql_database.sql("DROP USER alice@'%'")
    finally:
        mysql_database.sql(f"UNINSTALL SONAME 'auth_{plugin}'")


def client(server: ThrowawayServer, place: Path, password: str) -> str:
    options = place / "client.cnf"
    options.write_text(f"[client]\nhost=127.0.0.1\nport={server.port}\nuser=alice\npassword={password}\n")
    [plugins] = [path.parent for path in Path("/").glob("usr/lib/*/libmariadb3/plugin/client_ed25519.so")]
    found = list((server.bindir.parent / "root").rglob("client_ed25519.so"))
    argv = [
        os.fspath(server.bindir / "mariadb"),
        f"--defaults-file={options}",
        f"--plugin-dir={found[0].parent if found else plugins}",
        "--skip-ssl",
        "--batch",
        "--skip-column-names",
        "--execute=SELECT 1",
    ]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


@pytest.mark.mysql(family="mariadb")
def test_who_logs_in_otherwise_has_no_password_to_set(mysql_database: Database, ws: Workspace) -> None:
    mysql_database.sql("CREATE USER alice@localhost IDENTIFIED VIA unix_socket")
    with pytest.raises(UsageError, match="'alice'@'localhost' logs in by unix_socket"):
        users.rotate(ws, mysql_database.url(), "alice", SecretRef("env:NEW"))


def test_all_else_of_an_account_stays_when_it_is_rotated(
    mysql_database: Database, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    mysql_database.sql("CREATE USER alice@'%' IDENTIFIED BY 'x' REQUIRE SSL WITH MAX_USER_CONNECTIONS 3 ACCOUNT LOCK")
    monkeypatch.setenv("NEW", "fresh")
    plans.apply(ws, users.rotate(ws, mysql_database.url(), "alice", SecretRef("env:NEW"))).raise_for_status()
    found = mysql_database.sql("SELECT ssl_type, max_user_connections FROM mysql.user WHERE User = 'alice'")
    assert found == [("ANY", 3)]
    assert not login(mysql_database.server, "alice", "fresh")
    mysql_database.sql("ALTER USER alice@'%' REQUIRE NONE ACCOUNT UNLOCK")
    assert login(mysql_database.server, "alice", "fresh")
