"""The repository as its users see it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol, Self

from dbops.model.repository import (
    Artifact,
    BackupCheck,
    Catalogue,
    Cleaned,
    Event,
    EventKind,
    Lease,
    Manifest,
    RepositoryProbe,
)
from dbops.spi import Readable
from dbops.storage.base import Storage

__all__ = ["BackupWriter", "HeldLease", "Repository"]

Progress = Callable[[int, int], None]
"""``(clear bytes so far, stored bytes so far)``; called in the thread that called ``write``, several times a second."""


class HeldLease(Protocol):
    """A lease that this process holds; a daemon thread renews it until ``release``. A context manager."""

    lease: Lease

    def check(self) -> None:
        """:raises Locked: it was lost (this process slept through its expiry and another took it)."""
        ...

    def release(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...


class BackupWriter(Protocol):
    """One backup being written. Leaving the ``with`` block without ``publish`` aborts it."""

    id: str

    def write(
        self,
        name: str,
        source: Readable,
        progress: Progress | None = None,
        *,
        level: int | None = 3,
        threads: int | None = None,
    ) -> Artifact:
        """Store a stream (``level`` None: not compressed). Thread safe; closes ``source``; a failure stores nothing."""
        ...

    def document(self, name: str, content: bytes) -> None:
        """A small plain object such as RESTORE.md."""
        ...

    @property
    def artifacts(self) -> tuple[Artifact, ...]: ...
    def publish(self, manifest: Manifest) -> Manifest:
        """Write the manifest with this writer's artifacts and documents; from here on the backup exists."""
        ...

    def abort(self) -> None:
        """Stop running writes and remove everything."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...


class Repository:
    """:param recipients: age public keys; none: not encrypted.
    :param identities: age private keys (``AGE-SECRET-KEY-1…``), only needed to read encrypted artifacts."""

    def __init__(
        self,
        storage: Storage,
        *,
        recipients: Sequence[str] = (),
        identities: Sequence[str] = (),
        volume_bytes: int = 64 << 30,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None: ...

    def lease(self, name: str, *, purpose: str, ttl: timedelta = timedelta(seconds=120)) -> HeldLease: ...
    def begin(self, target: str, incarnation: str, backup_id: str, lease: HeldLease) -> BackupWriter: ...
    def catalogue(self, target: str | None = None) -> Catalogue: ...
    def manifests(self, target: str | None = None) -> tuple[Manifest, ...]: ...
    def manifest(self, backup_id: str) -> Manifest: ...
    def open(self, manifest: Manifest, artifact: str) -> Readable: ...
    def document(self, manifest: Manifest, name: str) -> bytes: ...
    def check(self, manifest: Manifest, level: Literal["checksum", "content"] = "checksum") -> BackupCheck: ...
    def delete(self, backup_id: str, *, by: str, reason: str) -> None: ...
    def clean(self, now: datetime) -> Cleaned: ...
    def pin(self, backup_id: str, *, by: str, reason: str) -> Event: ...
    def unpin(self, backup_id: str, *, by: str, reason: str = "") -> Event: ...
    def pinned(self, target: str | None = None) -> frozenset[str]: ...
    def events(
        self, target: str | None = None, backup_id: str | None = None, kind: EventKind | None = None
    ) -> tuple[Event, ...]: ...
    def add_event(self, manifest: Manifest, event: Event) -> None: ...
    def probe(self) -> RepositoryProbe: ...
