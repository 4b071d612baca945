"""The backup commands that need no server: a real repository in a directory, read through the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dbops.cli.main import run
from dbops.model.backup import LogRange
from dbops.model.repository import Manifest
from dbops.operations.shelf import open_shelf, use
from dbops.operations.workspace import Workspace
from dbops.repository.repository import Repository
from dbops.repository.sealed import seal
from dbops.storage.by_url import open_storage

EPOCH = datetime(2026, 3, 1, 2, 15, tzinfo=UTC)
Cli = Callable[..., tuple[int, str, str]]


class Shelf:
    """A repository that a test fills: time passes as the test says."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = EPOCH
        self.store = Repository(open_storage(f"file://{root}"), clock=lambda: self.now)

    def add(self, days: float, content: bytes = b"some rows\n" * 50, **fields: Any) -> str:
        """A published backup of that day; gives its id."""
        self.now = EPOCH + timedelta(days=days)
        name = self.store.new_id()
        plain: dict[str, Any] = {
            "target": "shop", "incarnation": "7001", "engine": "postgresql", "server_version": "17.10",
            "method": "dump", "kind": "logical", "dbops": "0", "databases": ("shop",), "whole": True,
            "source_bytes": 8192, "started_at": self.now, "consistent_at": self.now,
            "finished_at": self.now + timedelta(seconds=30),
        }  # fmt: skip
        manifest = Manifest(id=name, **{**plain, **fields})
        with (
            self.store.lease("shop", purpose="a test") as lease,
            self.store.begin(manifest.target, manifest.incarnation, name, lease) as writer,
        ):
            writer.write("shop.pgdump", io.BytesIO(content))
            writer.document("RESTORE.md", b"# by hand\n")
            writer.publish(manifest)
        return name

    def file(self, backup: str, name: str) -> Path:
        return next(self.root.glob(f"*/*/backups/{backup}/{name}"))


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    root = tmp_path / "repository"
    (tmp_path / "dbops.toml").write_text(
        f"""
        [defaults]
        repository = "main"
        [repositories.main]
        url = "file://{root}"
        [targets.shop]
        url = "postgresql://dbops@127.0.0.1:1/postgres"
        [targets.shop.objective]
        rpo = "25h"
        keep = {{ daily = 2 }}
        """
    )
    monkeypatch.setenv("DBOPS_CONFIG", str(tmp_path / "dbops.toml"))
    monkeypatch.setenv("DBOPS_STATE", str(tmp_path / "state"))
    return Shelf(root)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """``cli("backup", "list")``: exit code, standard output, standard error."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run(words)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def document(cli: Cli, *words: str, code: int = 0) -> dict[str, Any]:
    got, out, err = cli(*words, "--format", "json")
    assert got == code, err
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def test_an_empty_repository_is_no_error(shelf: Shelf, cli: Cli) -> None:
    shelf.root.mkdir()
    assert cli("backup", "list") == (0, "There is no backup in main.\n", "")


def test_list_for_people_and_for_machines(shelf: Shelf, cli: Cli) -> None:
    first, second = shelf.add(0), shelf.add(1)
    code, out, _ = cli("backup", "list", "shop")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["BACKUP", first, second]
    found = document(cli, "backup", "list")
    assert found["schema"] == "dbops.backup.list/1"
    assert [one["id"] for one in found["backups"]] == [first, second]
    one = found["backups"][0]
    assert (one["custody"], one["location"], one["method"], one["bytes"]) == ("repository", "main", "dump", 500)
    assert one["started_at"] == "2026-03-01T02:15:00+00:00"
    assert len(one["manifest"]) == 64


def test_show_says_everything(shelf: Shelf, cli: Cli) -> None:
    name = shelf.add(0)
    code, out, _ = cli("backup", "show", name)
    assert code == 0
    assert "state of   2026-03-01 02:15:00+00:00" in out
    assert "never verified" in out
    assert "shop.pgdump" in out
    assert document(cli, "backup", "show", name)["manifest"]["artifacts"][0]["name"] == "shop.pgdump"


def test_an_unknown_id_is_bad_input(shelf: Shelf, cli: Cli) -> None:
    shelf.add(0)
    code, _, err = cli("backup", "show", "b-20990101t000000000-00000000")
    assert code == 65
    assert "there is no backup b-20990101t000000000-00000000 in file://" in err
    assert "`dbops backup list` shows what there is." in err


def altered(path: Path) -> bytes:
    return path.read_bytes().replace(b'"shop"', b'"sh0p"')


def truncated(path: Path) -> bytes:
    return path.read_bytes()[:200]


def future(path: Path) -> bytes:
    found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    return seal(found, "dbops.manifest/99")[0]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [(altered, "its last line vouches for"), (truncated, "damaged"), (future, "has the format 'dbops.manifest/99'")],
)
def test_a_manifest_that_cannot_be_used(shelf: Shelf, cli: Cli, spoil: Callable[[Path], bytes], says: str) -> None:
    good, bad = shelf.add(0), shelf.add(1)
    path = shelf.file(bad, "manifest")
    path.chmod(0o600)
    path.write_bytes(spoil(path))
    code, _, err = cli("backup", "show", bad)
    assert code == 65
    assert f"the manifest of {bad} cannot be used" in err
    assert says in err
    code, out, _ = cli("backup", "list")
    assert code == 0
    assert good in out
    assert f"warning: the manifest of {bad} (shop) cannot be read" in out
    assert cli("backup", "verify", bad, "--level", "checksum")[0] == 65
    code, _, err = cli("backup", "prune", "shop", "--keep", "1d", "--yes")
    assert code == 65
    assert "nothing is deleted" in err
    assert document(cli, "restore", "plan", "shop")["chain"][0]["id"] == good


def test_prune_shows_and_asks_then_deletes_what_was_shown(shelf: Shelf, cli: Cli) -> None:
    names = [shelf.add(day) for day in range(4)]
    code, _, err = cli("backup", "prune", "shop")
    assert code == 2
    assert f"delete {names[0]}" in err
    assert "there is no terminal to ask on" in err
    assert len(document(cli, "backup", "list")["backups"]) == 4
    found = document(cli, "backup", "prune", "shop", "--yes")
    assert (found["status"], found["deleted"]) == ("done", [names[1], names[0]])
    assert [one["id"] for one in found["keep"]] == [names[3], names[2]]
    assert found["keep"][0]["reasons"] == ["newest", "daily 1 of 2"]
    assert [one["id"] for one in document(cli, "backup", "list")["backups"]] == names[2:]
    assert document(cli, "backup", "prune", "shop")["status"] == "nothing_to_do"


def test_a_saved_prune_deletes_what_was_approved_and_refuses_when_it_may_no_longer(
    shelf: Shelf, cli: Cli, tmp_path: Path
) -> None:
    names = [shelf.add(day) for day in range(4)]
    plan = str(tmp_path / "prune.json")
    assert document(cli, "backup", "prune", "shop", "-o", plan)["status"] == "planned"
    shelf.add(4)
    assert cli("backup", "pin", names[0], "--reason", "audit")[0] == 0
    code, _, err = cli("apply", plan, "--yes")
    assert code == 65
    assert "out of date" in err
    assert names[0] in err
    assert cli("backup", "unpin", names[0])[0] == 0
    assert cli("apply", plan, "--yes")[0] == 0
    left = [one["id"] for one in document(cli, "backup", "list")["backups"]]
    assert left[:2] == names[2:], "the newer one was not in the plan and is not deleted by it"


def test_a_pinned_one_stays(shelf: Shelf, cli: Cli) -> None:
    names = [shelf.add(day) for day in range(4)]
    assert document(cli, "backup", "pin", names[0], "--reason", "before the migration")["pinned"] is True
    found = document(cli, "backup", "prune", "shop", "--yes")
    assert found["deleted"] == [names[1]]
    assert "pinned" in cli("backup", "list")[1]


def test_prune_waits_for_a_running_backup(shelf: Shelf, cli: Cli) -> None:
    for day in range(4):
        shelf.add(day)
    shelf.now = datetime.now(UTC)
    with shelf.store.lease("shop", purpose="the backup of shop"):
        code, _, err = cli("backup", "prune", "shop", "--yes")
    assert code == 75
    assert "the backup of shop is running already" in err


def test_prune_waits_for_the_last_of_several_readers(shelf: Shelf, cli: Cli) -> None:
    names = [shelf.add(day) for day in range(4)]
    shelf.now = datetime.now(UTC)
    ws = Workspace.load()
    opened = open_shelf(ws, ws.target("shop"))
    record = next(one for one in opened.records if one.id == names[0])
    first, second = use(opened, [record]), use(opened, [record])
    with first:
        second.__enter__()  # the second begins before the first ends, and goes on after it
    code, _, err = cli("backup", "prune", "shop", "--yes")
    assert code == 75
    assert f"reading {names[0]} is running already" in err
    second.__exit__(None, None, None)
    assert names[0] in document(cli, "backup", "prune", "shop", "--yes")["deleted"]


def test_reading_it_through_finds_a_flipped_byte_anywhere(shelf: Shelf, cli: Cli) -> None:
    name = shelf.add(0)
    assert document(cli, "backup", "verify", name, "--level", "checksum")["verdict"] == "verified"
    for path in (shelf.file(name, "*/vol-0000"), shelf.file(name, "RESTORE.md")):
        good = path.read_bytes()
        path.chmod(0o600)
        for at in (0, len(good) // 2, len(good) - 1):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            found = document(cli, "backup", "verify", name, "--level", "checksum", code=1)
            assert found["verdict"] == "failed"
            assert found["reasons"]
        path.write_bytes(good)
    assert document(cli, "backup", "verify", name, "--level", "checksum")["verdict"] == "verified"
    (shown,) = document(cli, "backup", "list")["backups"]
    assert (shown["proof"]["verdict"], shown["proof"]["level"], shown["proven"]) == ("verified", "checksum", None)


def test_a_missing_volume_fails(shelf: Shelf, cli: Cli) -> None:
    name = shelf.add(0)
    shelf.file(name, "*/vol-0000").unlink()
    code, out, _ = cli("backup", "verify", "shop", "--level", "checksum")
    assert code == 1
    assert out.startswith(f"FAILED  {name}  (checksum)")


def test_nothing_to_verify_is_no_pass(shelf: Shelf, cli: Cli) -> None:
    shelf.root.mkdir()
    code, _, err = cli("backup", "verify", "shop")
    assert code == 76
    assert "nothing to verify: There is no backup of this." in err


def test_coverage_tells_the_gap(shelf: Shelf, cli: Cli) -> None:
    shelf.add(0)
    code, out, _ = cli("backup", "coverage", "shop", "--since", "2026-03-01T00:00:00+00:00")
    assert code == 1
    assert "nothing could have been brought back" in out
    found = document(cli, "backup", "coverage", "shop", code=1)
    assert found["verdict"] == "gaps"
    assert found["spans"][0]["recoverable"] is True
    code, _, err = cli("backup", "coverage", "shop", "--since", "2026-03-01T00:00:00")
    assert code == 2
    assert "has no offset and could be" in err


@pytest.mark.parametrize("option", ["--standby", "--continue"])
def test_an_engine_without_standbys_says_so(shelf: Shelf, cli: Cli, option: str) -> None:
    code, _, err = cli("restore", "plan", "shop", option)
    assert code == 2
    assert "no restore of this engine leaves a database open for more of the log" in err


def test_a_time_zone_that_is_none_is_refused(shelf: Shelf, cli: Cli) -> None:
    code, _, err = cli("restore", "plan", "shop", "--server-time-zone", "Berlin")
    assert code == 2
    assert "there is no time zone 'Berlin' on this machine" in err


def test_restore_plan_without_an_exact_backup(shelf: Shelf, cli: Cli) -> None:
    shelf.add(0)
    shelf.add(1)
    found = document(cli, "restore", "plan", "shop", "--to", "2026-03-01T12:00:00+00:00", code=1)
    assert (found["verdict"], found["chain"], found["steps"]) == ("unreachable", [], [])
    assert found["nearest"] == {"before": "2026-03-01T02:15:00+00:00", "after": "2026-03-02T02:15:00+00:00"}
    code, out, _ = cli("restore", "plan", "shop", "--to", "2026-03-01T12:00:00+00:00")
    assert code == 1
    assert "nearest before: 2026-03-01 02:15:00+00:00" in out
    exact = document(cli, "restore", "plan", "shop", "--to", "2026-03-02T02:15:00+00:00")
    assert exact["verdict"] == "reachable"
    assert exact["estimate"]["bytes"] == 500
    assert exact["estimate"]["seconds"]["missing"] == "no_history"


def test_restore_of_an_id_is_told_where_the_id_goes(shelf: Shelf, cli: Cli) -> None:
    name = shelf.add(0)
    code, _, err = cli("restore", "run", name, "--into", "elsewhere", "--yes")
    assert code == 2
    assert err == f"dbops: {name} is a backup; TARGET is the server\ndbops restore run TARGET --to {name} ...\n"


def test_a_password_in_the_destination_is_warned_of(shelf: Shelf, cli: Cli) -> None:
    shelf.add(0)
    into = "postgresql://u:in-the-open@127.0.0.1:1/again"
    code, _, err = cli("restore", "plan", "shop", "--into", into)
    assert code == 69
    assert err.startswith("warning: a password in a URL shows in the shell's history")
    assert "in-the-open" not in err


def test_restore_to_a_position(shelf: Shelf, cli: Cli) -> None:
    name = shelf.add(0, method="basebackup", kind="physical", log=LogRange(unit="lsn", start="0/1", end="0/3000148"))
    assert document(cli, "restore", "plan", "shop", "--to", "0/3000148")["chain"][0]["id"] == name
    assert "No backup ends at 0/4." in cli("restore", "plan", "shop", "--to", "0/4")[1]


@pytest.mark.parametrize("word", ["yesterday", "2026-03-01T12:00:00", "0/zz"])
def test_a_point_that_cannot_be_understood(shelf: Shelf, cli: Cli, word: str) -> None:
    shelf.add(0)
    code, _, err = cli("restore", "plan", "shop", "--to", word)
    assert code == 2
    assert "--to" in err


def test_two_servers_under_one_name(shelf: Shelf, cli: Cli) -> None:
    shelf.add(0)
    shelf.add(1, incarnation="7002")
    shelf.add(2)
    found = document(cli, "restore", "plan", "shop", code=76)
    assert found["verdict"] == "unknown"
    assert "Say which one is meant." in found["reason"]
    assert document(cli, "restore", "plan", "shop", "--incarnation", "7002")["verdict"] == "reachable"


def test_a_restore_goes_over_nothing_that_exists(shelf: Shelf, cli: Cli, tmp_path: Path) -> None:
    shelf.add(0)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "precious").write_text("data")
    code, _, err = cli("restore", "run", "shop", "--into", str(taken), "--yes")
    assert code == 73
    assert f"{taken} is there already" in err
    assert (taken / "precious").read_text() == "data"


def test_a_damaged_note_keeps_nobody_from_restoring_and_everybody_from_deleting(shelf: Shelf, cli: Cli) -> None:
    names = [shelf.add(day) for day in range(4)]
    assert cli("backup", "pin", names[0])[0] == 0
    (note,) = shelf.root.glob("shop/7001/events/*")
    note.chmod(0o600)
    note.write_bytes(note.read_bytes().replace(b"pin", b"pxn"))
    found = document(cli, "restore", "plan", "shop")
    assert found["chain"][0]["id"] == names[3]
    assert "pins and proofs are not known" in found["notes"][-1]
    assert "warning: pins and proofs are not known" in cli("backup", "list")[1]
    code, _, err = cli("backup", "prune", "shop", "--yes")
    assert code == 74
    assert "is damaged" in err
    assert len(document(cli, "backup", "list")["backups"]) == 4


def test_a_restore_that_cannot_be_reached_does_nothing(shelf: Shelf, cli: Cli, tmp_path: Path) -> None:
    shelf.add(0)
    into = tmp_path / "new"
    code, out, _ = cli("restore", "run", "shop", "--to", "2026-02-01T00:00:00+00:00", "--into", str(into), "--yes")
    assert code == 1
    assert out.startswith("UNREACHABLE")
    assert not into.exists()


def test_saving_a_restore_needs_its_destination(shelf: Shelf, cli: Cli, tmp_path: Path) -> None:
    shelf.add(0)
    code, _, err = cli("restore", "plan", "shop", "-o", str(tmp_path / "plan.json"))
    assert code == 2
    assert "Add --into" in err


def test_a_server_that_is_down(shelf: Shelf, cli: Cli) -> None:
    code, _, err = cli("backup", "run", "shop")
    assert code == 69
    assert "postgresql://dbops@127.0.0.1:1/postgres" in err
    assert document(cli, "backup", "list")["backups"] == []


def test_a_repository_that_is_a_file(shelf: Shelf, cli: Cli) -> None:
    shelf.root.write_text("no directory")
    code, _, err = cli("backup", "list")
    assert code == 78
    assert str(shelf.root) in err
