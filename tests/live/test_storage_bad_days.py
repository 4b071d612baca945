"""Kills, interrupts, full disks and second runs, with real processes: nothing half-done, nothing lost."""

from __future__ import annotations

import getpass
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbops.errors import Locked, StorageFailed
from dbops.model.backup import Verdict
from dbops.model.repository import Manifest
from dbops.repository.repository import Repository
from dbops.storage.local import LocalStorage

# Writes a backup of one endless or short stream; says on stdout how far it is.
RUN = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from dbops.model.repository import Manifest
from dbops.repository.repository import Repository
from dbops.storage.local import LocalStorage

class Endless:
    def __init__(self, after):
        self.blocks, self.after = 0, after
    def read(self, n):
        self.blocks += 1
        if self.blocks == self.after:
            print("half way", flush=True)
        if self.blocks > self.after:
            time.sleep(0.01)
        return os.urandom(n)
    def close(self):
        print("closed", flush=True)

repo = Repository(LocalStorage(Path(sys.argv[1])), volume_bytes=1_000_000)
with repo.lease("backup-shop", purpose="the backup of shop") as lease:
    with repo.begin("shop", "1", repo.new_id(), lease) as writer:
        writer.write("dump-shop", Endless(40))
"""


def draft(backup_id: str) -> Manifest:
    now = datetime.now(UTC)
    return Manifest(
        id=backup_id,
        target="shop",
        incarnation="1",
        engine="postgresql",
        server_version="18.1",
        method="dump",
        kind="logical",
        started_at=now,
        finished_at=now,
        dbops="0.1",
    )


class Source:
    def __init__(self, size: int) -> None:
        self.left, self.closed = size, False

    def read(self, n: int, /) -> bytes:
        n = min(n, self.left)
        self.left -= n
        return os.urandom(n)

    def close(self) -> None:
        self.closed = True


def back_up(repo: Repository, size: int = 100_000) -> Manifest:
    with repo.lease("backup-shop", purpose="the backup of shop") as lease:
        backup_id = repo.new_id()
        with repo.begin("shop", "1", backup_id, lease) as writer:
            writer.write("dump-shop", Source(size))
            return writer.publish(draft(backup_id))


def objects(root: Path) -> list[str]:
    return sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and "leases" not in path.parts
    )


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A backup in another process, some megabytes into its stream."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "half way\n"
    yield process
    process.kill()
    process.communicate()


def test_a_killed_backup_never_shows_and_blocks_nobody(running: subprocess.Popen[str], tmp_path: Path) -> None:
    repo = Repository(LocalStorage(tmp_path))
    assert repo.manifests() == ()
    running.send_signal(signal.SIGKILL)
    # Not even reaped yet: a zombie holds no lease.
    deadline = time.monotonic() + 60
    while not _dead(running.pid):
        assert time.monotonic() < deadline, "it does not end"
        time.sleep(0.01)
    manifest = back_up(repo)
    assert repo.manifests() == (manifest,)
    cleaned = repo.clean(datetime.now(UTC))
    assert len(cleaned.removed) >= 3
    assert cleaned.bytes > 1_000_000
    assert {one.split("/")[3] for one in objects(tmp_path) if "/backups/" in one} == {manifest.id}
    assert repo.check(manifest, "content").verdict is Verdict.VERIFIED


def _dead(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_second_run_is_told_about_the_first(running: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(Locked) as caught:
        back_up(Repository(LocalStorage(tmp_path)))
    assert caught.value.code == 75
    who = f"{getpass.getuser()} on {os.uname().nodename}, process {running.pid}, since 20"
    assert caught.value.message.startswith(f"the backup of shop is running already: {who}")
    assert "try again" in caught.value.hint


def test_cleaning_leaves_a_running_backup_alone(running: subprocess.Popen[str], tmp_path: Path) -> None:
    cleaned = Repository(LocalStorage(tmp_path)).clean(datetime.now(UTC))
    assert cleaned.removed == ()
    assert [one.owner.pid for one in cleaned.in_progress] == [running.pid]
    assert running.poll() is None


def test_an_interrupt_leaves_nothing_and_ends_the_process(running: subprocess.Popen[str], tmp_path: Path) -> None:
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)  # its stream never ends by itself
    assert out == "closed\n"
    assert "KeyboardInterrupt" in err
    assert objects(tmp_path) == ["format"]
    back_up(Repository(LocalStorage(tmp_path)))


def test_a_disk_that_fills_up_during_a_backup(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("not tested here: a disk that fills up (no right to mount a tmpfs)")
    try:
        repo = Repository(LocalStorage(place / "repo"), volume_bytes=1_000_000)
        kept = back_up(repo, 500_000)
        source = Source(50_000_000)
        with (
            repo.lease("backup-shop", purpose="the backup of shop") as lease,
            repo.begin("shop", "1", repo.new_id(), lease) as writer,
            pytest.raises(StorageFailed) as caught,
        ):
            writer.write("dump-shop", source)
        assert caught.value.message.startswith(f"no space left in repository {(place / 'repo').as_uri()} while ")
        assert source.closed
        assert repo.manifests() == (kept,)
        assert repo.clean(datetime.now(UTC)).removed == (), "nothing was left to clean"
        assert repo.check(kept).verdict is Verdict.VERIFIED
        back_up(repo, 500_000)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_memory_does_not_grow_with_the_stream(tmp_path: Path) -> None:
    program = """
import resource, sys
from pathlib import Path
from dbops.repository.repository import Repository
from dbops.storage.local import LocalStorage
import pyrage, zstandard

class Source:
    def __init__(self, size):
        self.left, self.block = size, bytes(range(256)) * 4096
    def read(self, n):
        n = min(n, self.left, len(self.block))
        self.left -= n
        return self.block[:n]
    def close(self): ...

def store(size):
    repo = Repository(LocalStorage(Path(sys.argv[1])), recipients=[str(pyrage.x25519.Identity.generate().to_public())])
    with repo.lease("x", purpose="a test") as lease, repo.begin("shop", "1", repo.new_id(), lease) as writer:
        writer.write("dump", Source(size), level=1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

small = store(1 << 20)
print(store(200 << 20) - small)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 64, "MiB more for 200 MiB than for 1 MiB"
