"""Everything that is checked, by name. ``nox`` alone runs what a change must pass; ``nox -s bench fuzz soak`` the rest.

Each session has an environment of its own, made by uv where there is one and kept for the next run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
# "unit" is what "coverage" runs too, and watches while it does.
nox.options.sessions = ["lint", "architecture", "coverage", "cli", "live", "live_mysql", "live_mssql", "docs", "wheel"]

PROJECT = nox.project.load_toml("pyproject.toml")
POSTGRES = ["18", "17", "15"]
MYSQL = ["mysql", "mariadb"]
# Their every branch is tested: a wrong decision here loses data or lets somebody in.
DECISIONS = ["access", "backup", "health", "jobs", "plan"]
WITHOUT_SERVER = ["tests/unit", "tests/backends"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style, direction of imports, types (mypy --strict, pyright strict)."""
    install(session, "lint", "test")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-logo")
    # Two minutes of one core each, on their own: side by side.
    mypy = subprocess.Popen([Path(session.bin, "mypy")])
    try:
        session.run("pyright", "--pythonpath", python_of(session))
    finally:
        failed = mypy.wait()
    if failed:
        session.error("mypy found something")
    session.run("mypy", "-p", "dbops_sqlite")


@nox.session
def architecture(session: nox.Session) -> None:
    """The shape of the tree, what loads at start-up, what may import what."""
    install(session, "lint", "test")
    pytest(session, "tests/architecture", *session.posargs, workers="worksteal")


@nox.session
def unit(session: nox.Session) -> None:
    """Decisions and compilers: no I/O, no server."""
    install(session, "test")
    pytest(session, *WITHOUT_SERVER, *session.posargs, workers="worksteal")


@nox.session
def cli(session: nox.Session) -> None:
    """The commands as a person calls them."""
    install(session, "test")
    pytest(session, "tests/cli", *session.posargs, workers="worksteal")


@nox.session
@nox.parametrize("postgresql", POSTGRES)
def live(session: nox.Session, postgresql: str) -> None:
    """Real servers, one version of PostgreSQL at a time. With the newest also what is much the same on all of them, and
    what needs real files and processes but no server; the other engines have sessions of their own."""
    install(session, "test")
    own = "" if postgresql == POSTGRES[0] else "on_postgresql and not newest and "
    wanted = f"{own}not on_mysql and not on_mssql"
    pytest(session, "tests/live", "-m", wanted, "--postgres", postgresql, *session.posargs, workers="loadfile")


@nox.session
@nox.parametrize("family", MYSQL)
def live_mysql(session: nox.Session, family: str) -> None:
    """Real servers, all series of MySQL or all of MariaDB."""
    install(session, "test")
    servers = ["--mysql", family, "--postgres", POSTGRES[0]]
    pytest(session, "tests/live", "-m", "on_mysql", *servers, *session.posargs, workers="loadfile")


@nox.session
def live_mssql(session: nox.Session) -> None:
    """SQL Server: the simulator, or the server that ``DBOPS_TEST_MSSQL_URL`` names, by Microsoft's own driver."""
    install(session, "test")
    pytest(session, "tests/live", "-m", "on_mssql", *session.posargs, workers="loadfile")


@nox.session
def coverage(session: nox.Session) -> None:
    """Every branch of the modules that decide, by tests that need no server."""
    install(session, "test")
    data = {"COVERAGE_FILE": str(Path(session.create_tmp()) / "coverage")}
    session.run("coverage", "erase", env=data)
    # Not pytest-cov: dbops has a pytest plugin, and what it imports would be loaded before counting begins.
    # Watched is what is reported, and nothing else: it slows down what it watches.
    watched = ",".join(f"dbops.{name}" for name in DECISIONS)
    tests = ["-m", "pytest", "-q", *side_by_side("worksteal"), *WITHOUT_SERVER]
    session.run("coverage", "run", f"--source={watched}", *tests, env=data)
    session.run("coverage", "combine", "--quiet", env=data)
    session.run("coverage", "report", "--fail-under=100", env=data)


@nox.session
def docs(session: nox.Session) -> None:
    """Documentation without warnings, and its examples executed."""
    install(session, "docs", "test")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build/html")
    pytest(session, "tests/docs", workers="worksteal")


@nox.session
def wheel(session: nox.Session) -> None:
    """The built wheel in an environment that has never seen this checkout: all that is shipped can be imported and
    found, which the tests of its parts by themselves need not show again. The laws ask every part of a backend for
    something, and the commands are the whole of the rest."""
    built = Path(session.create_tmp()) / "dist"
    shutil.rmtree(built, ignore_errors=True)
    session.install("build")
    session.run("python", "-m", "build", "--wheel", "--outdir", str(built), silent=True)
    [archive] = built.glob("dbops-*.whl")
    session.install("--force-reinstall", "--no-deps", str(archive))
    session.install(f"{archive}[demo,report]", *groups("test"))
    with tempfile.TemporaryDirectory() as away:
        tests = Path(away, "tests")
        shutil.copytree("tests", tests, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy("pyproject.toml", away)
        session.chdir(away)
        pytest(session, "tests/backends", "tests/cli", "-k", "test_laws or cli", workers="worksteal")
        pytest(session, "tests/live", "-m", "smoke", "--postgres", POSTGRES[0])


@nox.session
def bench(session: nox.Session) -> None:
    """Ratios against bare tools on this machine, in this run; with peak memory."""
    install(session, "test")
    pytest(session, "tests/benchmarks", "-s", "-o", "python_files=bench_*.py", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """The laws with many more examples, freshly drawn, and the answers about access of as many random servers."""
    install(session, "test")
    session.env["DBOPS_TEST_EXAMPLES"] = "2000"
    pytest(session, *WITHOUT_SERVER, "-m", "not slow", workers="worksteal")
    pytest(session, "tests/live/mysql/test_access_differential.py", "-rP")


@nox.session
def soak(session: nox.Session) -> None:
    """The live tests over and over; the number of rounds is an argument."""
    install(session, "test")
    rounds = int(session.posargs[0]) if session.posargs else 5
    for _ in range(rounds):
        pytest(session, "tests/live", workers="loadfile")


def install(session: nox.Session, *names: str) -> None:
    session.install("-e", ".[demo,report]", *groups(*names))


def groups(*names: str) -> list[str]:
    return list(dict.fromkeys(nox.project.dependency_groups(PROJECT, *names)))


def pytest(session: nox.Session, *arguments: str, workers: str = "") -> None:
    """Run tests; ``workers`` is how pytest-xdist shares them out: ``loadfile`` where a server is shared by a file."""
    missing = [one for one in arguments if one.startswith("tests/") and not Path(one).exists()]
    if missing:
        session.error(f"there is no {', no '.join(missing)}")
    session.run("pytest", "-q", *(side_by_side(workers) if workers else []), *arguments)


def side_by_side(workers: str) -> list[str]:
    return ["-n", str(min(4, os.cpu_count() or 1)), "--dist", workers]


def python_of(session: nox.Session) -> str:
    return str(Path(session.bin, "python"))
