"""Bad days: whatever breaks, nothing half-done shows, nothing is lost, no secret is said, and the words help."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dbops.errors import ToolFailed
from dbops.host import LocalHost
from dbops.model.finding import Missing
from dbops.model.server import Tool, Version
from dbops.operations import backup
from dbops.operations.workspace import Workspace
from dbops.testing.servers import Installation

pytestmark = pytest.mark.postgres(newest=True)
# Any: the fixtures of conftest.py, which is no module that could be imported.
Site = Any
Cli = Any
DUMP = ("backup", "run", "shop", "--method", "dump")
COPY = ("backup", "run", "shop", "--method", "basebackup")
KILLS = 3


@contextmanager
def stuck(site: Site) -> Iterator[None]:
    """A lock that pg_dump waits for, in the middle of its work."""
    holder = psycopg.connect(site.server.url(database="shop"))
    try:
        holder.execute("LOCK TABLE sales.orders IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        holder.close()


def waiting_dump(site: Site) -> int:
    """The process id of the pg_dump that waits, once there is one."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and is_dump(entry, site.server.port):
                return int(entry.name)
        time.sleep(0.05)
    raise AssertionError("no pg_dump was started")


def is_dump(entry: Path, port: int) -> bool:
    try:
        words = (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    if Path(os.fsdecode(words[0])).name != "pg_dump" or str(port).encode() not in b" ".join(words):
        return False
    return b"dbname=shop" in b" ".join(words) or b"dbname='shop'" in b" ".join(words)


def stopped_after(child: subprocess.Popen[str], delay: float, number: signal.Signals) -> str:
    """Send a signal so many seconds after dbops began, and wait; what it said on standard error. The time in which the
    interpreter starts does not count: what Python does with a signal then is not ours."""
    end = time.monotonic() + 60
    while not catches(child, signal.SIGTERM):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end, "dbops does not begin"
        time.sleep(0.005)
    time.sleep(delay)
    child.send_signal(number)
    _, said = child.communicate(timeout=60)
    return said


def catches(child: subprocess.Popen[str], number: signal.Signals) -> bool:
    """A process has a handler of its own for a signal; dbops gets one for SIGTERM first of all."""
    try:
        lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
    except OSError:
        return False
    caught = [int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")]
    return any(mask >> (number - 1) & 1 for mask in caught)


def published(site: Site) -> set[Path]:
    return set(site.repository.glob("shop/*/backups/*/manifest"))


def clean_run(cli: Cli) -> str:
    """A backup after the bad day: it works, and reads back whole."""
    made = cli.json(*DUMP)["backup"]
    assert cli.json("backup", "verify", made["id"], "--level", "checksum")["verdict"] == "verified"
    name = made["id"]
    assert isinstance(name, str)
    return name


def leftovers(site: Site) -> set[str]:
    """Folders of backups without a manifest. One that a test with kills left may be among them and stay: what was
    killed while it wrote its first mark may be a backup just being begun (dbops.repository.clean.YOUNG)."""
    return {one.name for one in site.repository.glob("shop/*/backups/*") if not (one / "manifest").exists()}


def test_a_wrong_password(site: Site, cli: Cli, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("not-the-password")
    site.configure(target=f'password = "file:{wrong}"')
    try:
        code, out, err = cli(*DUMP)
    finally:
        site.configure()
    assert (code, out) == (77, "")
    assert "password authentication failed" in err
    assert "not-the-password" not in err


def test_a_server_that_is_down(site: Site, cli: Cli) -> None:
    site.server.stop()
    try:
        code, _, err = cli(*DUMP)
        assert code == 69
        assert f":{site.server.port}" in err
        found = cli.json(*DUMP, code=69)
        assert found["error"]["code"] == 69
    finally:
        site.server.start()


def test_a_server_that_dies_in_the_middle(postgres_installation: Installation, site: Site, cli: Cli) -> None:
    before, left = published(site), leftovers(site)
    with stuck(site):
        child = site.start(*DUMP)
        waiting_dump(site)
        where = f":{site.server.port}"
        site.server.kill()
        _, err = child.communicate(timeout=60)
    site.server.start()
    assert child.returncode in (69, 74), err
    assert "the dump of " in err or where in err, "which database's is noticed first is left to chance"
    assert "Nothing of this run is in the catalogue" in err
    assert published(site) == before
    assert leftovers(site) <= left
    clean_run(cli)


def test_pg_dump_is_killed(site: Site, cli: Cli) -> None:
    before = published(site)
    with stuck(site):
        child = site.start(*DUMP)
        os.kill(waiting_dump(site), signal.SIGKILL)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 74, err
    assert "killed by SIGKILL" in err
    assert published(site) == before
    clean_run(cli)


def test_two_runs_at_once(site: Site, cli: Cli) -> None:
    with stuck(site):
        child = site.start(*DUMP)
        waiting_dump(site)
        code, _, err = cli(*DUMP)
        assert code == 75
        assert "the backup of shop" in err
        assert "Wait" in err
    _, err = child.communicate(timeout=60)
    assert child.returncode == 0, err


def test_two_runs_at_once_from_two_hosts(site: Site, cli: Cli, tmp_path: Path) -> None:
    """Another state directory is another host, as far as lock files go: the repository's lease still tells."""
    with stuck(site):
        child = site.start(*DUMP, env={"DBOPS_STATE": str(tmp_path / "elsewhere")})
        waiting_dump(site)
        code, _, err = cli(*DUMP)
        assert code == 75
        assert "the backup of shop is running already" in err
    child.communicate(timeout=60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_in_the_middle(site: Site, cli: Cli, number: signal.Signals) -> None:
    before, left = published(site), leftovers(site)
    with stuck(site):
        child = site.start(*DUMP)
        dump = waiting_dump(site)
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    assert "an unfinished backup is in no catalogue" in err
    assert not Path(f"/proc/{dump}").exists(), "its programs end with it"
    assert published(site) == before
    assert leftovers(site) <= left
    clean_run(cli)


def test_kill_9_in_the_middle(site: Site, cli: Cli) -> None:
    before, left = published(site), leftovers(site)
    with stuck(site):
        child = site.start(*DUMP)
        dump = waiting_dump(site)
        child.kill()
        child.communicate(timeout=60)
        os.kill(dump, signal.SIGKILL)
    assert published(site) == before
    assert leftovers(site) - left, "what was written is still there"
    assert len(cli.json("backup", "list")["backups"]) == len(before), "and shows nowhere"
    made = cli.json(*DUMP)
    assert made["cleaned"], "the next run clears it away, at once on the same host"
    assert leftovers(site) <= left


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stops_at_random_moments(site: Site, cli: Cli, number: signal.Signals) -> None:
    seed = random.randrange(1 << 30)
    draw = random.Random(seed)
    for _ in range(KILLS):
        child = site.start(*draw.choice([DUMP, COPY]))
        delay = draw.uniform(0.0, 2.0)
        err = stopped_after(child, delay, number)
        # A backup that was faster than the signal is a backup like any other.
        assert child.returncode in (0, 130, -signal.SIGINT, -signal.SIGKILL), (seed, delay, err)
        listed = cli.json("backup", "list")
        assert len(listed["backups"]) == len(published(site)), (seed, delay)
        assert listed["unreadable"] == []
    clean_run(cli)
    assert leftovers(site).isdisjoint(one["id"] for one in cli.json("backup", "list")["backups"]), seed
    for one in cli.json("backup", "list")["backups"][-KILLS:]:
        assert cli.json("backup", "verify", one["id"], "--level", "checksum")["verdict"] == "verified", seed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_restore_stopped_at_random_moments(site: Site, cli: Cli, tmp_path: Path, number: signal.Signals) -> None:
    """A directory under the name that was asked for is whole, or not there; the same command goes on."""
    cli.json(*COPY)
    draw = random.Random(seed := random.randrange(1 << 30))
    into = tmp_path / "copy"
    words = ("restore", "run", "shop", "--method", "basebackup", "--into", str(into), "--yes")
    for _ in range(KILLS):
        child = site.start(*words)
        delay = draw.uniform(0.2, 2.0)
        err = stopped_after(child, delay, number)
        # A signal may also come after the directory got its name, and before the process has ended.
        assert into.exists() or child.returncode != 0, (seed, delay, err)
        if into.exists():
            break
    if not into.exists():
        assert cli.json(*words)["bytes"] > 0
    whole = ("PG_VERSION", "global/pg_control", "backup_manifest", "postgresql.conf", "pg_hba.conf")
    assert [name for name in whole if not (into / name).exists()] == []
    assert [one.name for one in tmp_path.iterdir()] == ["copy"], "nothing else is left beside it"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_proof_stopped_in_the_middle_says_nothing(site: Site, cli: Cli, number: signal.Signals) -> None:
    name = clean_run(cli)
    before = cli.json("backup", "show", name)["events"]
    child = site.start("backup", "verify", name)
    delay = random.uniform(0.3, 1.5)
    err = stopped_after(child, delay, number)
    assert child.returncode in (0, 130, -signal.SIGKILL), (delay, err)
    # It may have been faster, or had said what it found before it ended; but never that the backup is bad.
    told = [one for one in cli.json("backup", "show", name)["events"] if one not in before]
    assert [one["verdict"] for one in told] in ([], ["verified"]), delay
    assert told or child.returncode != 0, delay
    assert cli.json("backup", "verify", name)["verdict"] == "verified"


def test_the_repository_is_full(site: Site, cli: Cli, small_disk: Callable[[str], Path]) -> None:
    usual, site.repository = site.repository, small_disk("3m") / "repository"
    try:
        site.configure()
        code, _, err = cli("backup", "run", "shop", "--method", "basebackup")
        assert code == 74
        assert "no space left in repository" in err
        assert "Free space there" in err
        assert published(site) == set()
        assert cli.json("backup", "list")["backups"] == []
        free = os.statvfs(site.repository)
        assert free.f_bavail * free.f_frsize > 2_500_000, "what was written is gone again"
    finally:
        site.repository = usual
        site.configure()


def test_the_scratch_area_is_full(site: Site, cli: Cli, small_disk: Callable[[str], Path]) -> None:
    name = cli.json("backup", "run", "shop", "--method", "basebackup")["backup"]["id"]
    site.configure(verify=f'into = "{small_disk("16m")}"')
    try:
        found = cli.json("backup", "verify", name, code=76)
    finally:
        site.configure()
    assert found["verdict"] == "could_not_verify"
    (reason,) = found["reasons"]
    assert "bytes free, and restoring here needs" in reason


class OldHost(LocalHost):
    """A machine whose client programs are from another age, or not there at all."""

    def __init__(self, version: Version) -> None:
        super().__init__()
        self._age = version

    def tool(self, name: str, places: Sequence[str] = (), at_least: Version = ()) -> Tool | Missing:
        if not self._age:
            return Missing("tool_missing", f"{name} is nowhere")
        found = super().tool(name, places, at_least)
        return Tool(name=name, path=found.path, version=self._age) if isinstance(found, Tool) else found


@pytest.mark.parametrize(("version", "words"), [((), "pg_dump was not found"), ((9, 6), "is version 9.6")])
def test_a_program_that_is_missing_or_too_old(site: Site, cli: Cli, version: Version, words: str) -> None:
    left = leftovers(site)
    ws = Workspace.load()
    ws.host = OldHost(version)
    with pytest.raises(ToolFailed, match=words) as caught:
        backup.run(ws, "shop", method="dump")
    assert "Install the PostgreSQL client programs" in caught.value.hint
    assert leftovers(site) <= left


def test_a_byte_flipped_anywhere_is_found(site: Site, cli: Cli) -> None:
    name = clean_run(cli)
    draw = random.Random(name)
    (folder,) = site.repository.glob(f"shop/*/backups/{name}")
    objects = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in ("manifest", "begun"))
    assert len(objects) >= 4
    for path in objects:
        good = path.read_bytes()
        path.chmod(0o600)
        for at in {0, len(good) - 1, draw.randrange(len(good))} if good else ():
            path.write_bytes(good[:at] + bytes([good[at] ^ (1 << draw.randrange(8))]) + good[at + 1 :])
            found = cli.json("backup", "verify", name, "--level", "checksum", code=1)
            assert found["verdict"] == "failed", (path, at)
        path.write_bytes(good)
    assert cli.json("backup", "verify", name, "--level", "checksum")["verdict"] == "verified"


def test_a_flipped_byte_in_the_newest_manifest_is_not_answered_by_an_older_backup(site: Site, cli: Cli) -> None:
    older, name = clean_run(cli), clean_run(cli)
    (path,) = site.repository.glob(f"shop/*/backups/{name}/manifest")
    good = path.read_bytes()
    path.chmod(0o600)
    try:
        for at in (0, len(good) // 2, len(good) - 1):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            for what in (name, "shop"):
                code, _, err = cli("backup", "verify", what, "--level", "checksum")
                assert code == 65, (what, at)
                assert f"the manifest of {name} cannot be used" in err
                assert what == name or f"dbops backup verify {older}" in err
        assert cli.json("backup", "verify", older, "--level", "checksum")["verdict"] == "verified"
    finally:
        path.write_bytes(good)


def test_a_damaged_backup_fails_its_proof_before_anything_is_restored(site: Site, cli: Cli) -> None:
    name = cli.json("backup", "run", "shop", "--method", "basebackup")["backup"]["id"]
    path = max(site.repository.glob(f"shop/*/backups/{name}/*/vol-0000"), key=lambda one: one.stat().st_size)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.chmod(0o600)
    path.write_bytes(data)
    found = cli.json("backup", "verify", name, code=1)
    assert found["verdict"] == "failed"
    assert found["phases"] == []
    code, _, err = cli("restore", "run", "shop", "--to", name, "--into", str(site.place / "never"), "--yes")
    assert code == 74
    assert "damaged" in err


def test_an_encrypted_backup_without_the_key(
    site: Site, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    usual, site.repository = site.repository, tmp_path / "sealed"
    keys = f'encrypt_to = ["{identity.to_public()}"]'
    try:
        site.configure(repository=keys)
        name = cli.json("backup", "run", "shop", "--method", "basebackup")["backup"]["id"]
        volumes = [path.read_bytes() for path in site.repository.rglob("vol-0000")]
        assert all(data.startswith(b"age-encryption.org/v1") for data in volumes)
        found = cli.json("backup", "verify", name, code=76)
        assert found["verdict"] == "could_not_verify"
        assert any("private key" in reason for reason in found["reasons"]), found["reasons"]
        code, _, err = cli("restore", "run", "shop", "--into", str(tmp_path / "never"), "--yes")
        assert code == 78
        assert "private key" in err
        monkeypatch.setenv("DBOPS_TEST_IDENTITY", str(identity))
        site.configure(repository=f'{keys}\nidentity = "env:DBOPS_TEST_IDENTITY"')
        assert cli.json("backup", "verify", name)["verdict"] == "verified"
    finally:
        site.repository = usual
        site.configure()


def test_a_proof_that_cannot_be_kept_is_still_an_answer(site: Site, cli: Cli) -> None:
    name = clean_run(cli)
    (events,) = site.repository.glob("shop/*/events")
    moved = events.rename(events.with_name("events-away"))
    events.write_text("a file where a directory was")
    try:
        code, out, _ = cli("backup", "verify", name, "--level", "checksum")
    finally:
        events.unlink()
        moved.rename(events)
    assert code in (0, 78)
    assert code == 78 or "could not be kept" in out
