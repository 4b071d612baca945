"""A directory as a store: real files, real limits, real contenders."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dbops.errors import ConfigError, InputError, NotPermitted, StorageFailed
from dbops.storage.base import NoSuchObject, ObjectExists
from dbops.storage.local import LocalStorage

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and limits of POSIX")


@pytest.fixture
def store(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "deep" / "repo")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mount.returncode != 0:
        pytest.skip("not tested here: a full and a read-only disk (no right to mount a tmpfs)")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_an_object_comes_back(store: LocalStorage) -> None:
    upload = store.upload("a/b/c")
    for block in (b"one", b"", b"two"):
        upload.write(block)
    assert files(store.root) != {"a/b/c"}, "not visible before it is whole"
    upload.commit()
    assert files(store.root) == {"a/b/c"}
    assert store.get("a/b/c") == b"onetwo"
    assert store.stat("a/b/c").size == 6
    for offset, length, expected in ((2, 3, b"etw"), (5, None, b"o"), (6, None, b"")):
        with closing(store.open("a/b/c", offset, length)) as file:
            assert file.read(100) == expected
            assert file.read(100) == b""


@posix
def test_everything_is_for_the_owner_alone(store: LocalStorage) -> None:
    old = os.umask(0)
    try:
        store.create("a/b", b"x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((store.root / "a" / "b").stat().st_mode) == 0o600
    for folder in (store.root, store.root.parent, store.root / "a"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_is_ever_overwritten(store: LocalStorage) -> None:
    store.create("a", b"first")
    with pytest.raises(ObjectExists, match="a is there already"):
        store.create("a", b"second")
    assert store.get("a") == b"first"
    assert files(store.root) == {"a"}


def test_an_aborted_upload_leaves_nothing(store: LocalStorage) -> None:
    upload = store.upload("a/b")
    upload.write(b"x")
    upload.abort()
    upload.abort()
    assert files(store.root) == set()
    with pytest.raises(StorageFailed, match="was given up already"):
        upload.write(b"y")
    with pytest.raises(StorageFailed, match="was given up already"):
        upload.commit()


def test_what_a_dead_process_left_is_found_and_removed(store: LocalStorage) -> None:
    store.upload("shop/backups/b/vol-0000").write(b"xyz")
    store.create("shop/done", b"x")
    (found,) = store.unfinished("shop")
    assert (found.key, found.size) == ("shop/backups/b/vol-0000", 3)
    assert [one.key for one in store.list("")] == ["shop/done"]
    store.discard(found)
    assert list(store.unfinished("")) == []
    assert files(store.root) == {"shop/done"}
    assert not (store.root / "shop" / "backups").exists(), "folders left empty go too"


def test_listing_is_in_the_order_of_keys(store: LocalStorage) -> None:
    keys = ["a", "a-b", "a.b/c", "a/b", "a/b-c", "a0", "b/c/d/e", "ü/x"]
    for key in (key for key in keys if key != "a"):
        store.create(key, b"x")
    found = [one.key for one in store.list("")]
    assert found == sorted(keys[1:])
    assert [one.key for one in store.list("a")] == ["a/b", "a/b-c"]
    assert set(store.folders("")) == {"a", "a.b", "b", "ü"}
    assert list(store.list("nowhere")) == []
    assert store.folders("nowhere") == ()


def test_the_system_s_own_folder_is_not_ours(store: LocalStorage) -> None:
    (store.root / "lost+found").mkdir(parents=True)
    (store.root / "lost+found" / "#1").write_text("x")
    assert list(store.list("")) == []
    assert store.folders("") == ()


def test_what_is_not_there_is_said(store: LocalStorage) -> None:
    for method in (store.get, store.stat, store.open):
        with pytest.raises(NoSuchObject, match="not there while"):
            method("a/b")
    store.delete("a/b")


def test_room_is_known_before_the_directory_is_made(store: LocalStorage) -> None:
    free = store.free_bytes()
    assert isinstance(free, int)
    assert free > 0


def test_a_file_where_the_repository_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError, match="a file is where a directory is needed") as caught:
            LocalStorage(root).create("a", b"x")
        assert "Point the repository's url at a directory" in caught.value.hint
    with pytest.raises(ConfigError, match="a file is where a directory is needed"):
        list(LocalStorage(tmp_path / "file").list(""))


def test_a_full_disk(small_disk: Path) -> None:
    store = LocalStorage(small_disk)
    store.create("a", b"kept")
    upload = store.upload("big")
    with pytest.raises(StorageFailed) as caught:
        upload.write(bytes(2_000_000))
    upload.abort()
    assert caught.value.message == f"no space left in repository {small_disk.as_uri()} while writing big"
    assert "dbops backup prune" in caught.value.hint
    assert files(small_disk) == {"a"}


def test_a_read_only_disk(small_disk: Path) -> None:
    store = LocalStorage(small_disk)
    store.create("a", b"kept")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StorageFailed, match="is on a read-only file system"):
        store.create("b", b"x")
    with pytest.raises(StorageFailed, match="is on a read-only file system"):
        store.delete("a")
    assert store.get("a") == b"kept"


@posix
def test_a_limit_of_file_size(tmp_path: Path) -> None:
    program = f"""
import resource
from pathlib import Path
from dbops.errors import StorageFailed
from dbops.storage.local import LocalStorage
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    LocalStorage(Path({str(tmp_path)!r})).create("a", bytes(2000))
except StorageFailed as error:
    print(error.message)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f"repository {tmp_path.as_uri()} does not take a file of this size, while writing a\n"
    assert files(tmp_path) == set()


@posix
def test_a_directory_of_somebody_else() -> None:
    # Not below tmp_path, which only its owner can look into.
    with tempfile.TemporaryDirectory() as place:
        locked = Path(place)
        (locked / "a").write_text("x")
        (locked / "a").chmod(0o000)
        locked.chmod(0o555)
        as_root = os.geteuid() == 0
        if as_root:
            os.seteuid(65534)  # root is never denied anything
        try:
            _denied(LocalStorage(locked))
        finally:
            if as_root:
                os.seteuid(0)
            locked.chmod(0o700)


def _denied(store: LocalStorage) -> None:
    with pytest.raises(NotPermitted, match=r"no right in repository .* while beginning b") as caught:
        store.create("b", b"x")
    assert "must own the repository's directory" in caught.value.hint
    with pytest.raises(NotPermitted, match=r"no right in repository .* while reading a"):
        store.get("a")


CONTENDER = """
import sys
from pathlib import Path
from dbops.storage.base import ObjectExists
from dbops.storage.local import LocalStorage
store = LocalStorage(Path(sys.argv[1]))
sys.stdin.readline()
won = 0
for number in range(100):
    try:
        store.create(f"race/{number}", sys.argv[2].encode() * 1000)
        won += 1
    except ObjectExists:
        pass
print(won)
"""


def test_of_two_processes_exactly_one_makes_each_object(tmp_path: Path) -> None:
    contenders = [
        subprocess.Popen(
            [sys.executable, "-c", CONTENDER, str(tmp_path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("a", "b")
    ]
    for one in contenders:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    won = [int(one.communicate(timeout=60)[0]) for one in contenders]
    assert sum(won) == 100
    store = LocalStorage(tmp_path)
    assert all(store.get(f"race/{number}") in (b"a" * 1000, b"b" * 1000) for number in range(100))
    assert len(files(tmp_path)) == 100


def test_a_name_that_is_too_long_is_refused(store: LocalStorage) -> None:
    with pytest.raises(InputError, match="cannot be the name of a stored object"):
        store.create("x" * 241, b"")
