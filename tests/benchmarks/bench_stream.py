"""Storing and reading back 1 GiB of dump-like text, beside the bare tools; and what memory that takes."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PIECE = 64 << 20
PIECES = 16

STORE = """
import subprocess, sys
from pathlib import Path
from dbops.repository.repository import Repository
from dbops.storage.local import LocalStorage

class Pipe:
    def __init__(self, command):
        self.child = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, bufsize=0)
    def read(self, n):
        return self.child.stdout.read(n)
    def close(self):
        self.child.stdout.close()
        assert self.child.wait() == 0

root, command, level, recipient = sys.argv[1:]
repo = Repository(LocalStorage(Path(root)), recipients=[recipient] if recipient else [])
with repo.lease("bench", purpose="a benchmark") as lease, repo.begin("bench", "1", repo.new_id(), lease) as writer:
    writer.write("dump", Pipe(command), level=int(level))
"""

READ = """
import hashlib, os, sys
from pathlib import Path
from dbops.model.repository import Content
from dbops.plan import Filter
from dbops.stream.decode import Decoded, Part
from dbops.storage.local import LocalStorage

folder, size, sha256, stored_size, stored_sha256, identity = sys.argv[1:]
store = LocalStorage(Path(folder))
content = Content(size=int(stored_size), sha256=stored_sha256)
parts = [Part(name="vol-0000", content=content, open=lambda: store.open("vol-0000"))]
filters = [Filter(name="zstd"), *([Filter(name="age")] if identity else [])]
keys = [identity] if identity else []
with Decoded(parts, filters, Content(size=int(size), sha256=sha256), identities=keys) as stream:
    while block := stream.read(1 << 20):
        os.write(1, block)
"""


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A command that prints 1 GiB, faster than anything here can take it."""
    folder = tmp_path_factory.mktemp("feed")
    text = random.Random(1)
    words = [bytes(text.choices(b"abcdefghijklmnopqrstuvwxyz", k=text.randint(2, 9))) for _ in range(20_000)]
    with (folder / "dump.sql").open("wb") as file:
        while file.tell() < PIECE:
            rows = (
                b"%d\t%s\t%d\n" % (n, b" ".join(text.choices(words, k=9)), text.getrandbits(30)) for n in range(9999)
            )
            file.write(b"".join(rows))
        file.truncate(PIECE)
    yield f"for i in {' '.join(map(str, range(PIECES)))}; do cat {folder}/dump.sql; done"
    shutil.rmtree(folder)


@pytest.mark.parametrize("level", [1, 3])
def test_storing(race: Callable[..., Any], tmp_path: Path, feed: str, level: int) -> None:
    import pyrage

    recipient = str(pyrage.x25519.Identity.generate().to_public())
    bare = f"({feed}) | zstd -q -{level} -T0 > {tmp_path}/bare.zst"
    digested = f"({feed}) | tee >(sha256sum) | zstd -q -{level} -T0 | tee >(sha256sum) > {tmp_path}/bare.zst"
    race(
        f"store 1 GiB, zstd level {level}",
        {
            "zstd -T0": ["sh", "-c", bare],
            "zstd -T0, then sync": ["sh", "-c", f"{bare}; sync {tmp_path}/bare.zst"],
            "zstd -T0, two sha256sum, then sync": [
                "bash",
                "-c",
                f"{digested}; sync {tmp_path}/bare.zst",
            ],
            "dbops": [sys.executable, "-c", STORE, str(tmp_path / "repo"), feed, str(level), ""],
            "dbops, encrypted": [sys.executable, "-c", STORE, str(tmp_path / "repo"), feed, str(level), recipient],
        },
        rounds=3,
    )


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_reading_back(race: Callable[..., Any], tmp_path: Path, feed: str, encrypted: bool) -> None:
    import subprocess

    import pyrage

    from dbops.storage.local import LocalStorage
    from dbops.stream.encode import age_filter, encode, zstd_filter
    from dbops.stream.volumes import VolumeSink

    key = pyrage.x25519.Identity.generate()
    store = LocalStorage(tmp_path / "stream")
    sink = VolumeSink(store.upload)
    filters = [zstd_filter(3), *([age_filter([str(key.to_public())])] if encrypted else [])]
    child = subprocess.Popen(feed, shell=True, stdout=subprocess.PIPE, bufsize=0)
    assert child.stdout is not None
    clear = encode(child.stdout, sink, filters)
    child.wait()
    (tmp_path / "key").write_text(f"{key}\n")
    stored = tmp_path / "stream" / "vol-0000"
    figures = [str(clear.size), clear.sha256, str(sink.stored.size), sink.stored.sha256]
    source = f"age -d -i {tmp_path}/key {stored}" if encrypted else f"cat {stored}"
    race(
        f"read back 1 GiB, {'encrypted' if encrypted else 'plain'}",
        {
            f"{source.split(maxsplit=1)[0]} | zstd -d": ["sh", "-c", f"{source} | zstd -q -d -c"],
            "dbops, every digest compared": [
                *(sys.executable, "-c", READ, str(tmp_path / "stream"), *figures),
                str(key) if encrypted else "",
            ],
        },
        rounds=3,
    )
