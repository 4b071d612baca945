"""The throwaway servers themselves: what every other live test stands on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from dbops.errors import ToolFailed
from dbops.testing.servers import Database, Installation, ThrowawayServer, sweep

PrivatePostgres = Callable[..., ThrowawayServer]


def test_server_is_the_version_that_was_asked_for(postgres: ThrowawayServer, postgres_major: int) -> None:
    [(number,)] = postgres.sql("SELECT current_setting('server_version_num')::int")
    assert number // 10000 == postgres_major == postgres.major


def test_password_is_checked_and_pages_have_checksums(postgres: ThrowawayServer) -> None:
    assert postgres.sql("SHOW data_checksums") == [("on",)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url(password="wrong"))


def test_no_password_is_visible_to_other_users(postgres: ThrowawayServer) -> None:
    arguments = Path(f"/proc/{postgres.pid}/cmdline").read_bytes()
    assert postgres.password.encode() not in arguments
    readable_by_others = [one for one in postgres.datadir.parent.glob("password-*") if one.stat().st_mode & 0o077]
    assert not readable_by_others


def test_login_with_its_own_password(database: Database) -> None:
    database.server.login('odd "name"%', "CONNECTION LIMIT 2")
    assert database.sql("SELECT current_user::text", user='odd "name"%') == [('odd "name"%',)]


def test_roles_of_a_test_are_gone_after_it(database: Database) -> None:
    # Runs after the test above on the same server.
    assert database.sql("SELECT rolname FROM pg_roles WHERE rolname ~ 'odd'") == []


@pytest.mark.postgres(newest=True)
def test_servers_are_not_twins(private_postgres: PrivatePostgres) -> None:
    identifier = "SELECT system_identifier FROM pg_control_system()"
    assert private_postgres().sql(identifier) != private_postgres().sql(identifier)


@pytest.mark.postgres(newest=True)
def test_settings_yield_to_alter_system(private_postgres: PrivatePostgres) -> None:
    server = private_postgres(work_mem="7MB", application_name="it's")
    assert server.sql("SHOW work_mem") == [("7MB",)]
    server.sql("ALTER SYSTEM SET work_mem = '9MB'")
    server.restart()
    assert server.sql("SHOW work_mem") == [("9MB",)]


def test_comes_back_after_a_kill_on_the_same_url(private_postgres: PrivatePostgres) -> None:
    server = private_postgres()
    url = server.url()
    server.sql("CREATE TABLE t AS SELECT 1 AS n")
    server.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    server.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]


@pytest.fixture
def temporary_directory(postgres: ThrowawayServer) -> Path:
    return postgres.datadir.parent.parent


@pytest.mark.postgres(newest=True)
def test_a_server_that_cannot_start_says_why_and_leaves_nothing(
    private_postgres: PrivatePostgres, temporary_directory: Path
) -> None:
    before = set(temporary_directory.glob(f"dbops-test-{os.getpid()}-*"))
    with pytest.raises(
        ToolFailed, match=r'exited with 1 while starting in (?s:.*)unrecognized configuration.*"nosuch"'
    ):
        private_postgres(nosuch="1")
    assert set(temporary_directory.glob(f"dbops-test-{os.getpid()}-*")) == before


@pytest.mark.postgres(newest=True)
def test_ends_with_the_interpreter(postgres_installation: Installation) -> None:
    program = (
        "from dbops.testing import servers\n"
        "server = servers.start('postgresql', servers.find_postgres()[0])\n"
        "print(server.pid, server.datadir, flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    pid, datadir = done.stdout.split()
    assert _gone(int(pid))
    assert not Path(datadir).exists()


@pytest.mark.postgres(newest=True)
def test_what_a_killed_session_left_is_swept(postgres_installation: Installation) -> None:
    program = (
        "from dbops.testing import servers\n"
        "server = servers.start('postgresql', servers.find_postgres()[0])\n"
        "print(server.pid, server.datadir, flush=True)\n"
        "import time; time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as session:
        assert session.stdout is not None
        pid, datadir = session.stdout.readline().split()
        session.kill()
    assert not _gone(int(pid), wait_s=0.2), "the server outlives a session that was killed; sweep is for that"
    sweep(Path(datadir).parent.parent)
    assert _gone(int(pid))
    assert not Path(datadir).exists()


def test_sweep_leaves_a_living_session_alone(postgres: ThrowawayServer, temporary_directory: Path) -> None:
    sweep(temporary_directory)
    assert postgres.sql("SELECT 1") == [(1,)]


def test_stops_when_told_to(private_postgres: PrivatePostgres) -> None:
    server = private_postgres()
    pid = server.pid
    server.send_signal(signal.SIGINT)
    assert _gone(pid)


def _gone(pid: int, wait_s: float = 60) -> bool:
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
