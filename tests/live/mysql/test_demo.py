"""``dbops demo`` on MariaDB and MySQL, whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbops.testing.servers import Installation

TOLD = (
    "CRITICAL: ",
    "my.autoinc: ",
    "my.trx.long: ",
    "my.table.no_pk: ",
    "my.access.",
    "planned again: in sync, 0 changes",
    "--method dump",
    "FEASIBLE",
)


@pytest.fixture
def place() -> Iterator[Path]:
    """Short, and open to the server's user: pytest's own directories are neither."""
    with tempfile.TemporaryDirectory(prefix="dbops-test-demo-", dir="/tmp") as found:
        Path(found).chmod(0o755)
        yield Path(found)


@pytest.mark.mysql(newest=True)
def test_the_whole_job(mysql_installation: Installation, place: Path) -> None:
    family = "mariadb" if "MariaDB" in mysql_installation.label else "mysql"
    keep = ["--keep"] if family == "mysql" else []  # what stays is looked at once
    argv = [sys.executable, "-m", "dbops", "demo", "--engine", family, "--dir", str(place / "demo"), *keep]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (f"Start a {'MariaDB' if family == 'mariadb' else 'MySQL'}", *TOLD):
        assert words in done.stdout
    assert done.stdout.count("VERIFIED: ") == 2
    assert done.stderr == ""
    if keep:
        _starts_again(done.stdout, place / "demo")
    else:
        assert [path.name for path in (place / "demo").iterdir()] == ["report.html"]


def _starts_again(said: str, kept: Path) -> None:
    """By the very command that the last lines show."""
    again = next(line.strip() for line in said.splitlines() if "--datadir" in line)
    subprocess.run(["/bin/sh", "-c", again], check=True, timeout=60, cwd="/", stdout=subprocess.DEVNULL)
    config = ["--config", str(kept / "dbops.toml")]
    argv = [sys.executable, "-m", "dbops", "targets", "test", "shop", *config]
    told = ""
    try:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            told = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, cwd="/").stdout
            if "answers" in told:
                break
        assert "answers" in told, told + (kept / "log").read_text(encoding="utf-8")
    finally:
        os.kill(int((kept / "s" / "pid").read_text(encoding="utf-8")), signal.SIGKILL)


@pytest.mark.mysql(family="mariadb", newest=True)
def test_where_no_server_is_installed(mysql_installation: Installation, place: Path) -> None:
    """Said with what to install; another machine's PATH has none."""
    code = (
        "import dbops_mysql.demo.shop as shop; shop.installations = lambda **_options: ();"
        "from dbops.cli.main import run; import sys;"
        f"sys.exit(run(['demo', '--engine', 'mariadb', '--dir', {str(place / 'demo')!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 78
    assert "the demo on MariaDB needs its server, and none is installed here" in done.stderr
    assert "mariadb-server and mariadb-backup" in done.stderr
    assert not any(place.iterdir())
