"""A store in memory that can be full, or die at any moment: for laws about what a crash leaves behind."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

from dbops.errors import StorageFailed
from dbops.model.finding import Missing
from dbops.spi import Readable
from dbops.storage.base import NoSuchObject, ObjectExists, Stat, Unfinished, checked_key

__all__ = ["MemoryStorage", "MemoryUpload"]


class MemoryStorage:
    """:class:`dbops.storage.base.Storage` without a disk.

    :param room: bytes that fit; more is "no space left".
    """

    def __init__(self, room: int | None = None, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.url = "memory://"
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, tuple[str, bytearray]] = {}
        self.room = room
        self.now = now
        self.operations = 0
        self.dies_after: int | None = None
        self._lock = threading.RLock()

    def step(self) -> None:
        """Count a change of the store; from ``dies_after`` on every one fails, as after a kill."""
        with self._lock:
            self.operations += 1
            if self.dies_after is not None and self.operations > self.dies_after:
                raise StorageFailed("the store died")

    def revive(self) -> None:
        """Another process comes, and the store works again."""
        self.dies_after = None

    def upload(self, key: str) -> MemoryUpload:
        return MemoryUpload(self, checked_key(key))

    def create(self, key: str, data: bytes) -> None:
        upload = self.upload(key)
        upload.write(data)
        upload.commit()

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Readable:
        data = self.get(key)[offset:]
        return io.BytesIO(data if length is None else data[:length])

    def get(self, key: str) -> bytes:
        try:
            return self.objects[checked_key(key)]
        except KeyError:
            raise NoSuchObject(f"{key} is not there") from None

    def stat(self, key: str) -> Stat:
        return Stat(key=key, size=len(self.get(key)), modified_at=self.now)

    def list(self, prefix: str) -> Iterator[Stat]:
        for key in sorted(self.objects):
            if not prefix or key.startswith(f"{prefix}/"):
                yield self.stat(key)

    def folders(self, prefix: str) -> tuple[str, ...]:
        start = f"{prefix}/" if prefix else ""
        known = [*self.objects, *(key for key, _ in self.uploads.values())]
        inside = (key.removeprefix(start) for key in known if key.startswith(start))
        return tuple(sorted({rest.split("/")[0] for rest in inside if "/" in rest}))

    def delete(self, key: str) -> None:
        self.step()
        self.objects.pop(key, None)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        for token, (key, data) in list(self.uploads.items()):
            if not prefix or key.startswith(f"{prefix}/"):
                yield Unfinished(key=key, token=token, size=len(data), modified_at=self.now)

    def discard(self, upload: Unfinished) -> None:
        self.step()
        self.uploads.pop(upload.token, None)

    def free_bytes(self) -> int | Missing:
        if self.room is None:
            return Missing("not_supported", "memory has no limit of its own")
        return self.room - self.used()

    def used(self) -> int:
        """Bytes stored, finished or not."""
        return sum(map(len, self.objects.values())) + sum(len(data) for _, data in self.uploads.values())


class MemoryUpload:
    """An object on its way into a :class:`MemoryStorage`."""

    def __init__(self, store: MemoryStorage, key: str) -> None:
        store.step()
        self._store, self._key = store, key
        self._token = f"{key}#{store.operations}"
        store.uploads[self._token] = (key, bytearray())

    def write(self, block: bytes, /) -> None:
        self._store.step()
        if self._store.room is not None and self._store.used() + len(block) > self._store.room:
            raise StorageFailed(f"no space left in repository {self._store.url}")
        self._store.uploads[self._token][1].extend(block)

    def commit(self) -> None:
        self._store.step()
        data = self._store.uploads.pop(self._token)[1]
        whole = bytes(data)
        if self._store.objects.setdefault(self._key, whole) is not whole:
            raise ObjectExists(f"{self._key} is there already")

    def abort(self) -> None:
        if self._token in self._store.uploads:
            self._store.step()
            self._store.uploads.pop(self._token, None)
