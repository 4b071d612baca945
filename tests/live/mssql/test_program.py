"""The simulator as a program of its own, for trying dbops by hand."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbops.errors import Unreachable
from dbops.plan import SecretRef
from dbops.session import connect
from dbops.url import parse_url
from dbops_mssql import backend

ROOT = Path(__file__).parents[3]
SCRIPT = "CREATE DATABASE shop\nGO\nCREATE LOGIN ann WITH PASSWORD = N'Horse-Battery-1'\n"


@pytest.fixture
def program(mssql_driver: None, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "shop.sql").write_text(SCRIPT)
    words = [
        sys.executable,
        "-m",
        "tests.simulators.mssql",
        "--script",
        str(tmp_path / "shop.sql"),
        "--proof-port",
        "0",
    ]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        yield running
        running.send_signal(signal.SIGTERM)
    assert running.returncode == 0


def test_it_says_where_it_is_and_obeys(program: subprocess.Popen[str]) -> None:
    out, into = program.stdout, program.stdin
    assert out is not None
    assert into is not None
    name, _, url = out.readline().partition(": ")
    assert name == "MSSQLSIM"
    assert out.readline().startswith("PROOF: mssql://sa:")
    passwords: list[str] = []

    def keep(password: str) -> SecretRef:
        passwords.append(password)
        return SecretRef("env:NONE")

    endpoint, _ = parse_url(url.strip(), keep, "the program")

    def tell(line: str) -> str:
        print(line, file=into, flush=True)
        return out.readline().strip()

    assert tell("sql 'SELECT name FROM sys.databases WHERE database_id > 4'") == "('shop',)"
    assert tell("sql 'SELECT nothing'") == "Msg 207, Level 16: Invalid column name 'nothing'."
    assert tell("drop 'sys[.]sql_logins'") == ""
    with connect(backend, endpoint, resolve=lambda _ref: passwords[0]) as reader, pytest.raises(Unreachable):
        reader.tuples("SELECT name FROM sys.sql_logins")
    with connect(backend, endpoint, resolve=lambda _ref: passwords[0]) as reader:
        assert ("ann",) in reader.tuples("SELECT name FROM sys.sql_logins")
