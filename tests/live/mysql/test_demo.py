"""``dbops demo`` on MariaDB and MySQL, whole."""

from __future__ import annotations

import subprocess
import sys
import tempfile
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
    argv = [sys.executable, "-m", "dbops", "demo", "--engine", family, "--dir", str(place / "demo")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (f"Start a {'MariaDB' if family == 'mariadb' else 'MySQL'}", *TOLD):
        assert words in done.stdout
    assert done.stdout.count("VERIFIED: ") == 2
    assert done.stderr == ""
    assert [path.name for path in (place / "demo").iterdir()] == ["report.html"]


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
