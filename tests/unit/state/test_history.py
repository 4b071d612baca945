"""What ran is remembered, and waits in a file while the database is away."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from dbops.errors import ConfigError, InputError, OutputError, Unreachable
from dbops.state import History, Run

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)


def run(number: int = 0, kind: str = "backup", target: str = "shop", name: str = "nightly") -> Run:
    start = NOW + timedelta(minutes=number)
    return Run(
        kind=kind,
        target=target,
        name=name,
        started_at=start,
        finished_at=start + timedelta(seconds=90),
        status="done",
        code=0,
        facts={"bytes": number, "nested": {"a": [None, True, "ü"]}},
    )


def history(directory: Path, database: str = "history.sqlite") -> History:
    return History(f"sqlite:///{directory / database}", directory / "queued.jsonl")


def test_runs_come_back_newest_first(tmp_path: Path) -> None:
    kept = history(tmp_path / "state")
    runs = [run(number) for number in range(5)]
    assert all(kept.record(one) for one in (runs[2], runs[0], runs[4], runs[1], runs[3]))
    assert kept.runs() == tuple(reversed(runs))
    assert kept.runs(limit=2) == (runs[4], runs[3])
    assert runs[0].seconds == 90


def test_runs_by_kind_target_and_name(tmp_path: Path) -> None:
    kept = history(tmp_path)
    a, b, c, d = run(4), run(3, kind="verify"), run(2, target="other"), run(1, name="weekly")
    for one in (a, b, c, d):
        kept.record(one)
    assert kept.runs(kind="verify") == (b,)
    assert kept.runs(target="other") == (c,)
    assert kept.runs(name="weekly") == (d,)
    assert kept.runs(kind="backup", target="shop") == (a, d)
    assert kept.runs(kind="none") == ()


def test_another_process_sees_them(tmp_path: Path) -> None:
    first = history(tmp_path)
    first.record(run())
    first.close()
    first.close()
    assert history(tmp_path).runs() == (run(),)


def test_a_run_waits_while_the_database_is_away(tmp_path: Path) -> None:
    away = history(tmp_path, "not/there/history.sqlite")
    assert not away.record(run(1))
    assert not away.record(run(2))
    with pytest.raises(Unreachable) as caught:
        away.runs()
    assert caught.value.message.startswith("the state database does not answer: ")
    assert caught.value.hint == "It holds history only; backups go on."
    back = history(tmp_path)
    assert back.runs() == ()
    assert back.record(run(3))
    assert back.runs() == (run(3), run(2), run(1))
    assert back.record(run(4))
    assert len(back.runs()) == 4


@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg2cffi://h/d", "nosuchdialect://h/d", "not a url", "sqlite:////proc/none/x.sqlite"],
)
def test_no_database_stops_a_backup(tmp_path: Path, url: str) -> None:
    assert not History(url, tmp_path / "queued.jsonl").record(run())
    assert (tmp_path / "queued.jsonl").stat().st_size > 0


def test_a_password_that_cannot_be_had_stops_no_backup(tmp_path: Path) -> None:
    def refuse() -> str:
        raise ConfigError("the environment variable STATE is not set")

    kept = History("postgresql+psycopg://u@127.0.0.1:1/d", tmp_path / "queued.jsonl", refuse)
    assert not kept.record(run())
    with pytest.raises(ConfigError, match="STATE is not set"):
        kept.runs()


def test_something_else_in_the_file_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite").write_bytes(b"this is not a database at all" * 100)
    assert not history(tmp_path).record(run())
    with pytest.raises(Unreachable, match="not a database"):
        history(tmp_path).runs()


def test_half_a_line_in_the_queue_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "queued.jsonl").write_bytes(msgspec.json.encode(run(1)) + b"\n" + b'{"kind":"back')
    kept = history(tmp_path)
    assert kept.record(run(2))
    assert kept.runs() == (run(2), run(1))
    assert (tmp_path / "queued.jsonl").read_bytes() == b""


def test_neither_kept_nor_queued_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"does not answer, and .*queued\.jsonl cannot be written") as caught:
        History("sqlite:////proc/none/x", tmp_path / "file" / "queued.jsonl").record(run())
    assert "DBOPS_STATE" in caught.value.hint


def test_a_database_of_a_newer_dbops_is_left_alone(tmp_path: Path) -> None:
    history(tmp_path).record(run(1))
    with sqlite3.connect(tmp_path / "history.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert not history(tmp_path).record(run(2))
    with pytest.raises(InputError, match="made by a newer dbops") as caught:
        history(tmp_path).runs()
    assert "Upgrade dbops here" in caught.value.hint


def test_a_run_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    kept = history(tmp_path)
    kept.record(run(1))
    with sqlite3.connect(tmp_path / "history.sqlite") as connection:
        connection.execute("UPDATE runs SET started_at = 'yesterday'")
    connection.close()
    with pytest.raises(InputError, match="holds a run that cannot be read"):
        kept.runs()


def test_several_start_at_once_and_none_is_lost(tmp_path: Path) -> None:
    away = history(tmp_path, "not/there/x.sqlite")
    for number in range(5):
        away.record(run(number))
    workers = [
        threading.Thread(target=lambda number=number: history(tmp_path).record(run(number))) for number in range(5, 9)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    last = history(tmp_path)
    last.record(run(9))
    assert sorted(one.facts["bytes"] for one in last.runs()) == list(range(10))  # type: ignore[type-var]  # numbers
