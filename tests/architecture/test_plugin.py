"""A backend of somebody else: found by its entry point, held to the same laws, refused when a name is taken twice."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

HERE = Path(__file__).parents[1] / "plugin_example"
Run = Callable[..., subprocess.CompletedProcess[str]]


def install(site: Path, project: dict[str, object], module: Path | None = None) -> None:
    """What ``pip install`` leaves of a distribution: its module and its metadata."""
    name, version = str(project["name"]), str(project["version"])
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = []
    points = project["entry-points"]
    assert isinstance(points, dict)
    for group, entries in points.items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    if module is not None:
        shutil.copy(module, site)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("site")
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    install(found, project, HERE / "dbops_sqlite.py")
    return found


@pytest.fixture
def run(site: Path, tmp_path: Path) -> Run:
    def python(*words: str, also: Path | None = None) -> subprocess.CompletedProcess[str]:
        places = [str(site), *([str(also)] if also else [])]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(places), "DBOPS_STATE": str(tmp_path / "state")}
        return subprocess.run(
            [sys.executable, *words], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )

    return python


def test_it_passes_the_laws(run: Run) -> None:
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(HERE.parents[1]), str(HERE / "laws.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "xfailed" in done.stdout, "what SQLite cannot do was tried and refused"


def test_it_is_used_like_one_of_ours(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    url = f"sqlite:///{quote(str(path), safe='')}"
    done = run("-m", "dbops", "health", "check", url, "--only", "sqlite.*", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    checks = json.loads(done.stdout)["checks"]
    assert {check["id"]: check["status"] for check in checks} == {"sqlite.integrity": "ok", "sqlite.free_pages": "ok"}


def test_a_damaged_file_is_found(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)")
        connection.execute("CREATE INDEX by_note ON orders (note)")
        connection.executemany("INSERT INTO orders (note) VALUES (?)", [(str(number) * 50,) for number in range(500)])
        connection.commit()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3000] = b"\xff" * 3000
    path.write_bytes(content)
    url = f"sqlite:///{quote(str(path), safe='')}"
    done = run("-m", "dbops", "health", "check", url, "--only", "sqlite.integrity", "--format", "json")
    assert done.returncode in (1, 76), done.stdout + done.stderr
    [check] = json.loads(done.stdout)["checks"]
    assert check["status"] in ("critical", "unknown")


def test_what_it_cannot_do_is_refused_with_its_reason(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{quote(str(tmp_path / 'shop.db'), safe='')}"
    done = run("-m", "dbops", "audit", "snapshot", url)
    assert done.returncode == 2
    assert "access.inspect is not possible: SQLite has no accounts" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("health", "list"), ("audit", "rules")])
def test_lists_of_all_engines_hold_it_or_leave_it_out(run: Run, words: tuple[str, ...]) -> None:
    done = run("-m", "dbops", *words)
    assert done.returncode == 0, done.stderr
    assert ("sqlite.integrity" in done.stdout) == (words == ("health", "list"))


def test_a_second_provider_of_a_name_is_refused_with_both_named(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other"
    points = {"dbops.backends": {"postgresql": "other_postgresql:backend"}}
    install(other, {"name": "other-postgresql", "version": "2.0", "entry-points": points})
    done = run("-m", "dbops", "health", "list", also=other)
    assert done.returncode == 78
    said = " ".join(done.stderr.split())
    assert "two packages provide the backend 'postgresql'" in said
    assert "dbops (dbops_postgresql:backend)" in said
    assert "other-postgresql (other_postgresql:backend)" in said
    assert "Uninstall one of them." in said


def test_one_that_cannot_be_imported_stops_nobody_else(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    points = {"dbops.backends": {"broken": "no_such_module:backend"}}
    install(broken, {"name": "dbops-broken", "version": "1", "entry-points": points})
    path = tmp_path / "shop.db"
    sqlite3.connect(path).close()
    url = f"sqlite:///{quote(str(path), safe='')}"
    done = run("-m", "dbops", "health", "check", url, "--only", "sqlite.*", also=broken)
    assert done.returncode == 0, done.stderr


def test_the_example_s_distribution_holds_what_it_names() -> None:
    project = tomllib.loads((HERE / "pyproject.toml").read_text())
    [module] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert (HERE / module).is_file()
    [point] = project["project"]["entry-points"]["dbops.backends"].values()
    assert point == f"{Path(module).stem}:backend"
