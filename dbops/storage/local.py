"""A directory as a store.

An object is written under a hidden temporary name beside its place, flushed to the disk, and then linked to its name:
it appears whole or not at all, and never over another one. Directories are for the owner alone.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from dbops.errors import StorageFailed
from dbops.model.finding import Missing
from dbops.spi import Readable
from dbops.storage.base import NoSuchObject, ObjectExists, Stat, Unfinished, checked_key
from dbops.storage.faults import explained

__all__ = ["LocalStorage"]

SMALL = 64 << 20
NOT_OURS = {"lost+found"}
NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}


class LocalStorage:
    """:param root: made, private, with the first object."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = root.as_uri()

    def upload(self, key: str) -> LocalUpload:
        return LocalUpload(self, key, self._path(key))

    def create(self, key: str, data: bytes) -> None:
        upload = self.upload(key)
        try:
            upload.write(data)
            upload.commit()
        finally:
            upload.abort()

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Readable:
        return _File(self, key, self._path(key), offset, length)

    def get(self, key: str) -> bytes:
        with explained(self.url, f"reading {key}"), self._path(key).open("rb") as file:
            data = file.read(SMALL + 1)
        if len(data) > SMALL:
            raise StorageFailed(f"repository {self.url}: {key} is too large to be what its name says")
        return data

    def stat(self, key: str) -> Stat:
        path = self._path(key)
        with explained(self.url, f"looking at {key}"):
            found = path.stat()
            if path.is_dir():
                raise NoSuchObject(f"repository {self.url}: {key} is a directory")
        return _stat(key, found)

    def list(self, prefix: str) -> Iterator[Stat]:
        for key, entry in self._walk(prefix):
            if not entry.name.startswith("."):
                with suppress(FileNotFoundError), explained(self.url, f"listing {prefix or 'everything'}"):
                    yield _stat(key, entry.stat(follow_symlinks=False))

    def folders(self, prefix: str) -> tuple[str, ...]:
        entries = self._entries(prefix)
        return tuple(one.name for one in entries if one.is_dir(follow_symlinks=False) and not one.name.startswith("."))

    def delete(self, key: str) -> None:
        path = self._path(key)
        with explained(self.url, f"removing {key}"):
            path.unlink(missing_ok=True)
            self._tidy(path.parent)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        for key, entry in self._walk(prefix):
            parts = entry.name.rsplit(".", 2)
            if entry.name.startswith(".") and len(parts) == 3 and parts[2] == "tmp":
                folder = key.rpartition("/")[0]
                with suppress(FileNotFoundError):
                    found = _stat("/".join(filter(None, (folder, parts[0][1:]))), entry.stat(follow_symlinks=False))
                    yield Unfinished(key=found.key, token=entry.name, size=found.size, modified_at=found.modified_at)

    def discard(self, upload: Unfinished) -> None:
        path = self._path(upload.key).with_name(Path(upload.token).name)
        with explained(self.url, f"removing an unfinished {upload.key}"):
            path.unlink(missing_ok=True)
            self._tidy(path.parent)

    def free_bytes(self) -> int | Missing:
        place = next((one for one in (self.root, *self.root.parents) if one.exists()), self.root)
        try:
            return shutil.disk_usage(place).free
        except OSError as error:
            return Missing("not_reachable", f"{place}: {error.strerror}")

    def _path(self, key: str) -> Path:
        return self.root.joinpath(*checked_key(key).split("/"))

    def _entries(self, prefix: str) -> tuple[os.DirEntry[str], ...]:
        folder = self._path(prefix) if prefix else self.root
        try:
            with explained(self.url, f"listing {prefix or 'everything'}"), os.scandir(folder) as found:
                entries = [one for one in found if prefix or one.name not in NOT_OURS]
        except NoSuchObject:
            return ()
        return tuple(sorted(entries, key=lambda one: f"{one.name}/" if one.is_dir(follow_symlinks=False) else one.name))

    def _walk(self, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        for entry in self._entries(prefix):
            key = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_file(follow_symlinks=False):
                yield key, entry
            elif entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield from self._walk(key)

    def _tidy(self, folder: Path) -> None:
        """Make a removal durable, and remove folders that it left empty."""
        while folder != self.root and self.root in folder.parents:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                break
            folder = folder.parent
        with suppress(FileNotFoundError):
            sync_directory(folder)


class LocalUpload:
    """An object under its temporary name."""

    def __init__(self, store: LocalStorage, key: str, path: Path) -> None:
        self._store, self._key, self._path = store, key, path
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        with explained(store.url, f"beginning {key}"):
            self._descriptor: int | None = self._begin()

    def write(self, block: bytes, /) -> None:
        if self._descriptor is None:
            raise StorageFailed(f"repository {self._store.url}: {self._key} was given up already")
        rest = memoryview(block)
        with explained(self._store.url, f"writing {self._key}"):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def commit(self) -> None:
        if self._descriptor is None:
            raise StorageFailed(f"repository {self._store.url}: {self._key} was given up already")
        try:
            with explained(self._store.url, f"writing {self._key}"):
                os.fsync(self._descriptor)
                _leave_cache(self._descriptor)
                self._close()
                self._publish()
                sync_directory(self._path.parent)
        finally:
            self.abort()

    def abort(self) -> None:
        with explained(self._store.url, f"giving up {self._key}"):
            self._close()
            self._temporary.unlink(missing_ok=True)

    def _begin(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        for _ in range(10):  # another process may remove a folder that it finds empty just before our file is in it
            make_directory(self._path.parent)
            with suppress(FileNotFoundError):
                return os.open(self._temporary, flags, 0o600)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._path.parent))

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _publish(self) -> None:
        try:
            try:
                os.link(self._temporary, self._path)
            except OSError as error:
                if error.errno not in NO_LINKS:
                    raise
                self._publish_without_links()
        except FileExistsError:
            raise ObjectExists(f"repository {self._store.url}: {self._key} is there already") from None

    def _publish_without_links(self) -> None:
        # FAT and some network file systems. The empty file takes the name, atomically; readers take an empty object
        # for one that is not there yet.
        os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        self._temporary.replace(self._path)


class _File:
    """Bytes of a stored object from ``offset`` on, at most ``length``."""

    def __init__(self, store: LocalStorage, key: str, path: Path, offset: int, length: int | None) -> None:
        self._store, self._key, self._left = store, key, length
        with explained(store.url, f"reading {key}"):
            self._file = path.open("rb", buffering=0)
            self._file.seek(offset)

    def read(self, n: int, /) -> bytes:
        wanted = n if self._left is None else min(n, self._left)
        with explained(self._store.url, f"reading {self._key}"):
            data = self._file.read(wanted) or b""
        if self._left is not None:
            self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()


def _leave_cache(descriptor: int) -> None:
    """Backups should not push the database out of memory; and what reads them back to prove them reads the disk."""
    if sys.platform == "linux":
        with suppress(OSError):  # advice: a file system may not know it
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def make_directory(folder: Path) -> None:
    """Make it and what is missing above it, for the owner alone, durably."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        with suppress(FileExistsError):
            one.mkdir(mode=0o700)
            sync_directory(one.parent)


def sync_directory(folder: Path) -> None:
    """Make names made or removed in it durable, where the system can be asked to."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some network file systems refuse to be asked
            raise
    finally:
        os.close(descriptor)


def _stat(key: str, found: os.stat_result) -> Stat:
    return Stat(key=key, size=found.st_size, modified_at=datetime.fromtimestamp(found.st_mtime, UTC))
