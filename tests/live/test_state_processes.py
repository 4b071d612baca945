"""Journal, locks and history of several processes, some of which are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbops.errors import Locked
from dbops.state import History, check_journal, lock
from dbops.state.journal import entries

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Run Python text in another process; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(text: str, *arguments: object) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", textwrap.dedent(text), *map(str, arguments)]
        started.append(subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for one in started:
        one.kill()
        one.communicate()


APPEND = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from dbops.state import FileJournal

    journal = FileJournal(Path(sys.argv[1]), "shop", sys.argv[2], lambda: datetime.now(UTC))
    print("ready", flush=True)
    for number in range(int(sys.argv[3])):
        journal.append("step", {"number": number, "padding": "x" * (number % 7 * 300)})
"""


def test_processes_that_append_at_once_keep_the_chain(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "shop.jsonl"
    writers = [start(APPEND, path, f"r{number}", 40) for number in range(4)]
    assert [one.wait(60) for one in writers] == [0] * 4
    assert check_journal(path) == 160
    assert Counter(entry.run for entry in entries(path)) == {f"r{number}": 40 for number in range(4)}


def test_one_that_is_killed_breaks_nothing(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "shop.jsonl"
    for round_ in range(5):
        victim = start(APPEND, path, f"victim{round_}", 100_000)
        assert victim.stdout is not None
        victim.stdout.readline()
        before = path.stat().st_size if path.exists() else 0
        while not path.exists() or path.stat().st_size <= before:
            pass
        victim.send_signal(signal.SIGKILL)
        victim.wait(60)
    assert start(APPEND, path, "survivor", 5).wait(60) == 0
    assert check_journal(path) == sum(1 for _ in entries(path))
    assert [entry.run for entry in entries(path)][-5:] == ["survivor"] * 5


HOLD = """
    import sys
    from pathlib import Path
    from dbops.state import lock

    with lock(Path(sys.argv[1]), "backup of shop"):
        print("held", flush=True)
        sys.stdin.read()
"""


def held(start: Start, path: Path) -> subprocess.Popen[str]:
    holder = start(HOLD, path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_another_process_is_refused_and_told_who_is_at_work(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "shop.lock"
    holder = held(start, path)
    with pytest.raises(Locked) as caught, lock(path, "prune of shop"):
        pass
    assert caught.value.message.startswith(f"prune of shop: process {holder.pid} on ")
    assert "(backup of shop, since " in caught.value.message
    holder.communicate("", timeout=10)
    with lock(path, "prune of shop"):
        pass


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_holder_that_dies_holds_nothing(tmp_path: Path, start: Start, number: signal.Signals) -> None:
    path = tmp_path / "shop.lock"
    holder = held(start, path)
    holder.send_signal(number)
    holder.wait(60)
    with lock(path, "prune of shop"):
        assert "prune of shop" in path.read_text()
        assert str(holder.pid) not in path.read_text().split(" on ")[0]


def test_a_lock_is_not_inherited_by_programs(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "shop.lock"
    with lock(path, "one"):
        child = subprocess.Popen(["sleep", "60"])
    try:
        with lock(path, "two"):
            pass
    finally:
        child.kill()
        child.wait()


RECORD = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from dbops.state import History, Run

    history = History(f"sqlite:///{sys.argv[1]}/{sys.argv[2]}", Path(sys.argv[1]) / "queued.jsonl")
    for number in range(10):
        now = datetime.now(UTC)
        history.record(Run(kind="backup", target="shop", name=f"{sys.argv[3]}-{number}", started_at=now,
                           finished_at=now, status="done", code=0))
"""


def test_processes_that_start_with_a_full_queue_and_no_database_lose_nothing(tmp_path: Path, start: Start) -> None:
    assert start(RECORD, tmp_path, "not/there/x.sqlite", "queued").wait(60) == 0
    writers = [start(RECORD, tmp_path, "history.sqlite", f"p{number}") for number in range(4)]
    assert [one.wait(60) for one in writers] == [0] * 4
    assert start(RECORD, tmp_path, "history.sqlite", "last").wait(60) == 0
    kept = History(f"sqlite:///{tmp_path}/history.sqlite", tmp_path / "queued.jsonl")
    names = Counter(run.name for run in kept.runs(limit=1000))
    assert set(names.values()) == {1}
    assert len(names) == 60
    assert all(run.started_at <= datetime.now(UTC) for run in kept.runs())
