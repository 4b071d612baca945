"""One backup being written: it exists when its manifest does, and not before."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

import msgspec

from dbops.errors import DbopsError, InputError, Interrupted, StorageFailed
from dbops.model.repository import Artifact, Begun, Document, Manifest
from dbops.plan import Filter
from dbops.repository.catalogue import write_manifest
from dbops.repository.clean import BEGUN_SCHEMA, empty_folder
from dbops.repository.layout import Place
from dbops.repository.lease import HeldLease
from dbops.repository.sealed import seal
from dbops.spi import Readable
from dbops.storage.base import Storage, Upload
from dbops.stream.crew import Crew
from dbops.stream.encode import Progress, age_filter, encode, zstd_filter
from dbops.stream.volumes import VolumeSink

__all__ = ["BackupWriter"]

GRACE = 10.0


class BackupWriter:
    """Made by ``Repository.begin``. Leaving the ``with`` block without ``publish`` aborts."""

    def __init__(
        self, storage: Storage, place: Place, lease: HeldLease, recipients: Sequence[str], volume_bytes: int
    ) -> None:
        self.id = place.id
        self._storage, self._place, self._lease = storage, place, lease
        self._recipients, self._volume_bytes = tuple(recipients), volume_bytes
        self._changed = threading.Condition()
        self._running: dict[str, Crew] = {}
        self._artifacts: dict[str, Artifact] = {}
        self._documents: dict[str, Document] = {}
        self._closed = False
        self._begin()

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Those stored so far, by name."""
        with self._changed:
            return tuple(self._artifacts[name] for name in sorted(self._artifacts))

    @property
    def documents(self) -> tuple[Document, ...]:
        """Those stored so far, by name."""
        with self._changed:
            return tuple(self._documents[name] for name in sorted(self._documents))

    def write(
        self,
        name: str,
        source: Readable,
        progress: Progress | None = None,
        *,
        level: int | None = 3,
        threads: int | None = None,
    ) -> Artifact:
        """Store a stream. Several threads may write several streams at once.

        :param name: any text; a segment of the stored keys is made of it.
        :param source: always closed; its own error is raised when it fails, and nothing of the stream is kept.
        :param level: of zstd; None stores it uncompressed.
        :param threads: of compression; None: one for each processor.
        :raises InputError: the name was used before.
        :raises StorageFailed: of the stored end: no space, an I/O error.
        :raises Locked: the lease was lost.
        """
        crew = self._enter(name)
        sink = VolumeSink(lambda volume: self._upload(name, volume), self._volume_bytes)
        filters = self._filters(level)
        try:
            clear = encode(source, sink, filters, progress=progress, threads=threads, crew=crew)
            artifact = Artifact(name=name, filters=filters, clear=clear, stored=sink.stored, volumes=sink.volumes)
        except BaseException:
            with suppress(DbopsError):  # the first error is what counts; what is left has no manifest
                for volume in sink.volumes:
                    self._storage.delete(f"{self._place.artifact(name)}/{volume.name}")
            self._leave(name, None)
            raise
        self._leave(name, artifact)
        return artifact

    def document(self, name: str, content: bytes) -> Document:
        """Store a small object as it is, such as RESTORE.md."""
        self._enter(name)
        made = Document(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        try:
            self._lease.check()
            self._storage.create(self._place.artifact(name), content)
        except BaseException:
            self._leave(name, None)
            raise
        self._leave(name, made)
        return made

    def publish(self, manifest: Manifest) -> Manifest:
        """Write the manifest, with this writer's artifacts and documents: from here on the backup exists.

        :raises InputError: the manifest is of another backup, or a stream is still being written.
        :raises Locked: the lease was lost, and somebody may have cleaned away what was written.
        """
        if Place(manifest.target, manifest.incarnation, manifest.id) != self._place:
            raise InputError(f"the manifest is of {manifest.id}, the backup being written is {self.id}")
        with self._changed:
            if self._closed or self._running:
                raise InputError(f"the backup {self.id} is closed, or a stream of it is still being written")
        whole = msgspec.structs.replace(manifest, artifacts=self.artifacts, documents=self.documents)
        self._lease.check()
        self._all_there(whole)
        published = write_manifest(self._storage, self._place, whole)
        # A process that slept between the check and the manifest may have been cleaned up after meanwhile.
        self._lease.check()
        self._closed = True
        with suppress(DbopsError):  # a mark beside a manifest means nothing
            self._storage.delete(self._place.begun)
        return published

    def abort(self) -> None:
        """Stop running writes and remove everything."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            for crew in self._running.values():
                crew.fail(Interrupted(f"the backup {self.id} was given up"))
            self._changed.wait_for(lambda: not self._running, GRACE)
        empty_folder(self._storage, self._place)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if exc[0] is None:
            self.abort()
            return
        with suppress(DbopsError):  # what cannot be removed now has no manifest, and is cleaned away by a later run
            self.abort()

    def _begin(self) -> None:
        lease = self._lease.lease
        mark = Begun(id=self.id, lease=lease.name, fence=lease.fence, owner=lease.owner, at=lease.renewed_at)
        self._lease.check()
        self._storage.create(self._place.begun, seal(mark, BEGUN_SCHEMA)[0])

    def _filters(self, level: int | None) -> tuple[Filter, ...]:
        compression = () if level is None else (zstd_filter(level),)
        return (*compression, age_filter(self._recipients)) if self._recipients else compression

    def _upload(self, name: str, volume: str) -> Upload:
        self._lease.check()
        return self._storage.upload(f"{self._place.artifact(name)}/{volume}")

    def _enter(self, name: str) -> Crew:
        self._place.artifact(name)  # refuses a name that cannot be stored
        with self._changed:
            if self._closed:
                raise InputError(f"the backup {self.id} is closed")
            if name in self._running or name in self._artifacts or name in self._documents:
                raise InputError(f"the backup {self.id} has a stream called {name!r} already")
            crew = self._running[name] = Crew(f"{self.id}-{name}")
            return crew

    def _leave(self, name: str, made: Artifact | Document | None) -> None:
        with self._changed:
            del self._running[name]
            if isinstance(made, Artifact):
                self._artifacts[name] = made
            elif made is not None:
                self._documents[name] = made
            self._changed.notify_all()

    def _all_there(self, manifest: Manifest) -> None:
        stored = {one.key: one.size for one in self._storage.list(self._place.folder)}
        for artifact in manifest.artifacts:
            for volume in artifact.volumes:
                _same_size(stored, f"{self._place.artifact(artifact.name)}/{volume.name}", volume.size)
        for document in manifest.documents:
            _same_size(stored, self._place.artifact(document.name), document.size)


def _same_size(stored: dict[str, int], key: str, size: int) -> None:
    if stored.get(key) != size:
        raise StorageFailed(
            f"{key} was written with {size} bytes and is now {stored.get(key, 'gone')}",
            hint="Something else changes files in the repository. The backup was not published.",
        )
