"""The throwaway servers of MySQL and MariaDB: what every other live test of theirs stands on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pymysql
import pytest

from dbops.errors import ToolFailed
from dbops.testing.lend import Private
from dbops.testing.mysql import Series
from dbops.testing.servers import Database, Installation, ThrowawayServer, sweep


def test_server_is_the_series_that_was_asked_for(mysql: ThrowawayServer, mysql_series: Series) -> None:
    [(text,)] = mysql.sql("SELECT VERSION()")
    assert text.startswith(".".join(map(str, mysql_series.version)))
    assert ("MariaDB" in text) == (mysql_series.family == "mariadb")
    assert mysql.version[:2] == mysql_series.version


def test_it_has_one_administrator_who_needs_a_password(mysql: ThrowawayServer) -> None:
    assert [one for one in sorted(mysql.accounts()) if "root" in one] == ["`root`@`localhost`"]
    assert not mysql.sql("SELECT 1 FROM mysql.user WHERE User = ''")
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        connect(mysql, "root", "wrong")
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        connect(mysql, "root", "")


def test_it_is_reached_by_the_port_and_by_the_socket(mysql: ThrowawayServer) -> None:
    with connect(mysql, "root", mysql.password) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER(), @@port")
        assert cursor.fetchall() == (("root@localhost", mysql.port),)
    assert mysql.sql("SELECT CURRENT_USER(), @@port") == [("root@localhost", mysql.port)]


def test_nothing_runs_in_it_by_itself(mysql: ThrowawayServer) -> None:
    assert mysql.sql("SELECT @@event_scheduler, @@secure_file_priv")[0][0] == "OFF"


def test_no_password_is_visible_to_other_users(mysql: ThrowawayServer) -> None:
    arguments = Path(f"/proc/{mysql.pid}/cmdline").read_bytes()
    assert mysql.password.encode() not in arguments
    files = list(mysql.datadir.parent.glob("password-*"))
    assert files
    assert not [one for one in files if one.stat().st_mode & 0o077]
    assert not list(mysql.datadir.parent.glob("s/*.sql"))


def test_several_statements_give_the_rows_of_the_last_one(mysql_database: Database) -> None:
    rows = mysql_database.sql(
        "CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2); "
        "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END; SELECT n, '100%s' FROM t ORDER BY n"
    )
    assert rows == [(1, "100%s"), (2, "100%s")]
    assert mysql_database.sql("SELECT 1; DROP TABLE t") == []
    with pytest.raises(pymysql.ProgrammingError, match="doesn't exist"):
        mysql_database.sql("SELECT 1; SELECT * FROM t")


def test_login_with_its_own_password(mysql_database: Database) -> None:
    mysql_database.server.login("odd `'name%", "ACCOUNT UNLOCK")
    mysql_database.sql(f"CREATE ROLE odd_role; GRANT SELECT ON {mysql_database.name}.* TO `odd ``'name%`@localhost")
    assert mysql_database.sql("SELECT CURRENT_USER()", user="odd `'name%") == [("odd `'name%@localhost",)]


def test_accounts_of_a_test_are_gone_after_it(mysql_database: Database) -> None:
    # Runs after the test above on the same server.
    assert not [one for one in mysql_database.server.accounts() if "odd" in one]


@pytest.mark.mysql(family="mysql")
def test_servers_are_not_twins(private_mysql: Private, mysql: ThrowawayServer) -> None:
    assert private_mysql().sql("SELECT @@server_uuid") != mysql.sql("SELECT @@server_uuid")


@pytest.mark.mysql(newest=True)
def test_a_server_that_starts_leaves_the_temporary_tables_of_others_alone(
    mysql_database: Database, private_mysql: Private
) -> None:
    """It removes every one that it finds in its directory for them, whosever it is."""
    server = mysql_database.server
    with connect(server, "root", server.password) as session, session.cursor() as cursor:
        cursor.execute(f"USE {mysql_database.name}")
        cursor.execute("CREATE TEMPORARY TABLE mine (a int) ENGINE = MyISAM")
        other = private_mysql()
        cursor.execute("INSERT INTO mine VALUES (1)")
        cursor.execute("DROP TEMPORARY TABLE mine")
    assert other.sql("SELECT @@tmpdir") != server.sql("SELECT @@tmpdir")


def test_settings_also_those_that_are_built_into_the_files(private_mysql: Private) -> None:
    server = private_mysql(innodb_page_size="8k", max_connections="77", skip_name_resolve="ON", event_scheduler="ON")
    assert server.sql("SELECT @@innodb_page_size, @@max_connections, @@event_scheduler") == [(8192, 77, "ON")]
    with connect(server, "root", server.password) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        assert cursor.fetchall() == (("root@127.0.0.1",),)


@pytest.mark.mysql(newest=True)
def test_a_server_that_asks_nobody_for_anything(private_mysql: Private) -> None:
    server = private_mysql(skip_grant_tables="ON")
    assert server.sql("SELECT CURRENT_USER()") in ([("skip-grants user@skip-grants host",)], [("root@",)], [("@",)])


def test_comes_back_after_a_kill_on_the_same_port(private_mysql: Private) -> None:
    server = private_mysql()
    port = server.port
    server.sql("CREATE DATABASE d; CREATE TABLE d.t SELECT 1 AS n")
    server.kill()
    with pytest.raises(pymysql.OperationalError):
        connect(server, "root", server.password)
    server.start()
    assert server.port == port
    assert server.sql("SELECT n FROM d.t") == [(1,)]


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(private_mysql: Private, place: Path) -> None:
    before = set(place.glob(f"dbops-test-{os.getpid()}-*"))
    with pytest.raises(ToolFailed, match=r"(mysqld|mariadbd) exited with \d+ while starting in (?s:.*)nosuch"):
        private_mysql(nosuch="1")
    assert set(place.glob(f"dbops-test-{os.getpid()}-*")) == before


def test_it_loads_nothing_of_another_servers(mysql: ThrowawayServer, mysql_installation: Installation) -> None:
    root = str(mysql_installation.bindir.parent)
    for name in ("basedir", "plugin_dir", "character_sets_dir", "lc_messages_dir"):
        [(place,)] = mysql.sql(f"SELECT @@{name}")
        # MariaDB does not tell a basedir that nobody gave it.
        assert (place or "/usr").startswith(root), name


@pytest.mark.mysql(family="mysql")
def test_the_clone_plugin_can_be_loaded(private_mysql: Private) -> None:
    server = private_mysql()
    server.sql("INSTALL PLUGIN clone SONAME 'mysql_clone.so'")
    copy = server.datadir.parent / "s" / "copy"
    server.sql(f"CLONE LOCAL DATA DIRECTORY = '{copy}'")
    assert (copy / "ibdata1").exists()


PROGRAM = """
import sys
from dbops.testing import servers
family = sys.argv[1]
found = {one.version[:2]: one for one in servers.installations(family)}
server = servers.start(family, found[tuple(map(int, sys.argv[2:]))])
print(server.pid, server.datadir, flush=True)
"""


@pytest.mark.mysql(newest=True)
def test_ends_with_the_interpreter(mysql_series: Series, mysql_installation: Installation) -> None:
    argv = [sys.executable, "-c", PROGRAM, mysql_series.family, *map(str, mysql_series.version)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120)
    pid, datadir = done.stdout.split()
    assert gone(int(pid))
    assert not Path(datadir).parent.exists()


@pytest.mark.mysql(newest=True)
def test_what_a_killed_session_left_is_swept(mysql_series: Series, mysql_installation: Installation) -> None:
    program = PROGRAM + "import time; time.sleep(60)\n"
    argv = [sys.executable, "-c", program, mysql_series.family, *map(str, mysql_series.version)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as session:
        assert session.stdout is not None
        pid, datadir = session.stdout.readline().split()
        session.kill()
    assert not gone(int(pid), wait_s=0.2), "the server outlives a session that was killed; sweep is for that"
    place = Path(datadir).parent.parent
    sweep(place)
    assert gone(int(pid))
    assert not list(place.glob(f"dbops-test-{session.pid}-*"))


@pytest.fixture
def place(mysql: ThrowawayServer) -> Path:
    return mysql.datadir.parent.parent


def test_sweep_leaves_a_living_session_alone(mysql: ThrowawayServer, place: Path) -> None:
    sweep(place)
    assert mysql.sql("SELECT 1") == [(1,)]


@pytest.mark.mysql(newest=True)
def test_stops_when_told_to(private_mysql: Private) -> None:
    server = private_mysql()
    pid = server.pid
    server.send_signal(signal.SIGTERM)
    assert gone(pid, wait_s=30)


def connect(server: ThrowawayServer, user: str, password: str) -> pymysql.Connection:
    return pymysql.connect(host="127.0.0.1", port=server.port, user=user, password=password)


def gone(pid: int, wait_s: float = 60) -> bool:
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):  # also while it is being read
            return True
        if state == "Z":
            return True  # ended; its parent is this process, which has not asked for the exit code yet
        time.sleep(0.05)
    return False
