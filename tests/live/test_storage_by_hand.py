"""A stored stream is read with cat, age and zstd alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pyrage
import pytest

from dbops.model.repository import Manifest
from dbops.repository.repository import Repository
from dbops.storage.local import LocalStorage

DATA = b"".join(b"INSERT INTO orders VALUES (%d, 'x');\n" % number for number in range(60_000)) + os.urandom(300_000)


class Source:
    def __init__(self) -> None:
        self.left = DATA

    def read(self, n: int, /) -> bytes:
        block, self.left = self.left[:n], self.left[n:]
        return block

    def close(self) -> None: ...


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        if name in os.environ.get("DBOPS_TEST_REQUIRE", "").split(","):
            pytest.fail(f"{name} is required by DBOPS_TEST_REQUIRE, and this machine has no such program")
        pytest.skip(f"not tested here: reading a stored stream by hand (no {name})")
    return found


def stored(root: Path, recipients: list[str], level: int | None) -> Path:
    repo = Repository(LocalStorage(root), recipients=recipients, volume_bytes=100_000)
    now = datetime.now(UTC)
    with repo.lease("x", purpose="a test") as lease:
        backup_id = repo.new_id()
        with repo.begin("shop", "1", backup_id, lease) as writer:
            writer.write("dump-shop", Source(), level=level)
            manifest = writer.publish(
                Manifest(
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
            )
    assert len(manifest.artifacts[0].volumes) > 3
    return root / "shop" / "1" / "backups" / backup_id / "dump-shop"


def by_hand(folder: Path, command: str) -> bytes:
    done = subprocess.run(["sh", "-ec", f"cat vol-* {command}"], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_plain(tmp_path: Path) -> None:
    assert by_hand(stored(tmp_path, [], None), "") == DATA


def test_compressed(tmp_path: Path) -> None:
    assert by_hand(stored(tmp_path, [], 3), f"| {tool('zstd')} -d") == DATA


def test_encrypted(tmp_path: Path) -> None:
    key = pyrage.x25519.Identity.generate()
    (tmp_path / "key.txt").write_text(f"# a key file\n{key}\n")
    folder = stored(tmp_path / "repo", [str(key.to_public())], 3)
    assert by_hand(folder, f"| {tool('age')} -d -i {tmp_path}/key.txt | {tool('zstd')} -d") == DATA


def test_a_manifest_is_read_by_any_tool(tmp_path: Path) -> None:
    folder = stored(tmp_path, [], 3)
    digest = subprocess.run(["sha256sum", "vol-0000"], cwd=folder, capture_output=True, text=True, check=True).stdout
    manifest = (folder.parent / "manifest").read_text()
    assert f'"sha256": "{digest.split()[0]}"' in manifest
    body, _, last = manifest.removesuffix("\n").rpartition("\n")
    checked = subprocess.run(["sha256sum"], input=f"{body}\n", capture_output=True, text=True, check=True).stdout
    assert last == f' "sha256": "{checked.split()[0]}"}}'
