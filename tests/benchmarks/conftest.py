"""Benchmarks time whole processes, by the operating system's own accounting, in turn with a peer in the same run.

They print ratios and assert nothing about time: ``nox -s bench``, or ``pytest -s tests/benchmarks/bench_startup.py``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from dbops.testing.servers import Database

ROW_BYTES = 1100


class Timing(NamedTuple):
    """Wall seconds and peak memory (bytes, largest single process) of one run."""

    seconds: float
    peak: int


class Measured(NamedTuple):
    """The runs of one command."""

    label: str
    runs: list[Timing]

    @property
    def seconds(self) -> float:
        return statistics.median(run.seconds for run in self.runs)

    @property
    def peak(self) -> int:
        return max(run.peak for run in self.runs)

    def line(self, base: Measured | None = None) -> str:
        """Median, spread, memory; and the ratio to ``base``, pair by pair."""
        slowest, fastest = max(run.seconds for run in self.runs), min(run.seconds for run in self.runs)
        text = f"{self.label:<44} {self.seconds:8.3f} s ({fastest:.3f} to {slowest:.3f})  {self.peak / 2**20:7.1f} MiB"
        if base is None or base is self:
            return text
        pairs = [mine.seconds / theirs.seconds for mine, theirs in zip(self.runs, base.runs, strict=True)]
        return f"{text}  x{statistics.median(pairs):.2f}"


Commands = Mapping[str, Sequence[str]]
Race = Callable[..., dict[str, Measured]]


# A child inherits its parent's peak until it executes its own program, so the command is started by a small process.
LAUNCHER = """
import os, sys, time
began = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
with open(sys.argv[1], "w") as file:
    print(time.perf_counter() - began, usage.ru_maxrss, os.waitstatus_to_exitcode(status), file=file)
"""


def once(argv: Sequence[str], env: Mapping[str, str] | None, before: Callable[[], None] | None) -> Timing:
    """Run to the end; what it prints is thrown away. A failure shows what it said."""
    if before is not None:
        before()
    with tempfile.NamedTemporaryFile() as figures:
        launched = [sys.executable, "-I", "-S", "-c", LAUNCHER, figures.name, *argv]
        done = subprocess.run(
            launched, env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True
        )
        seconds, peak, code = Path(figures.name).read_text().split()
    assert int(code) in (0, 1, 76), f"{argv}: {code}: {done.stderr.decode(errors='replace')[-2000:]}"
    return Timing(float(seconds), int(peak) * (1 if sys.platform == "darwin" else 1024))


@pytest.fixture(scope="session")
def race() -> Race:
    """Run commands in turn (A B A B …), print a line for each, the first being what the others are compared with."""

    def run(
        title: str,
        commands: Commands,
        *,
        rounds: int = 5,
        env: Mapping[str, str] | None = None,
        before: Callable[[], None] | None = None,
    ) -> dict[str, Measured]:
        for argv in commands.values():
            once(argv, env, before)
        found = {label: Measured(label, []) for label in commands}
        for _ in range(rounds):
            for label, argv in commands.items():
                found[label].runs.append(once(argv, env, before))
        base = next(iter(found.values()))
        print(f"\n{title}")
        for measured in found.values():
            print("  " + measured.line(base))
        return found

    return run


@pytest.fixture(scope="session")
def dbops() -> list[str]:
    """The command line of this environment, as a new process."""
    return [str(Path(sys.executable).with_name("dbops"))]


@pytest.fixture(scope="session")
def megabytes() -> int:
    """How large the database is that is backed up and restored. Below 1,000 what every run costs hides the rest."""
    return int(os.environ.get("DBOPS_BENCH_MB", "1000"))


@pytest.fixture
def filled(database: Database, megabytes: int) -> Database:
    """A table of rows like those of an application: a third of each is words, which compress, the rest does not."""
    database.sql(
        "CREATE TABLE t AS SELECT g AS id, now() AS at, repeat('some words that come again ', 14) AS words, "
        "(SELECT string_agg(md5((g * 31 + n)::text), '') FROM generate_series(1, 20) n) AS noise "
        f"FROM generate_series(1, {megabytes * 2**20 // ROW_BYTES}) g"
    )
    for statement in ("CREATE INDEX ON t (id)", "VACUUM ANALYZE t", "CHECKPOINT"):
        database.sql(statement)
    return database


@pytest.fixture
def config(database: Database, tmp_path: Path) -> Path:
    """A configuration with the target ``bench``, whose repository is the directory ``repository`` beside it."""
    at = database.endpoint()
    path = tmp_path / "dbops.toml"
    path.write_text(
        f'[defaults]\nrepository = "main"\n[repositories.main]\nurl = "file://{tmp_path}/repository"\n'
        f'[targets.bench]\nurl = "postgresql://{at.user}@{at.host}:{at.port}/postgres"\npassword = "{at.password}"\n',
        encoding="utf-8",
    )
    return path
