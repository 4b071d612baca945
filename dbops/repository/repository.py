"""The repository as its users see it: backups go in through ``begin`` and come out through ``open``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

from dbops.errors import Damaged, InputError
from dbops.model.repository import (
    Artifact,
    BackupCheck,
    Catalogue,
    Cleaned,
    Content,
    Event,
    EventKind,
    Manifest,
    RepositoryProbe,
)
from dbops.repository import catalogue as catalogue_
from dbops.repository.check import Checked, check
from dbops.repository.clean import clean, empty_folder
from dbops.repository.format import ensure_format, probe, read_format
from dbops.repository.layout import Place, new_id
from dbops.repository.lease import HeldLease, Leases
from dbops.repository.writer import BackupWriter
from dbops.spi import Readable
from dbops.storage.base import Storage
from dbops.stream.age import parse_recipients
from dbops.stream.decode import Decoded, Part, differs
from dbops.stream.encode import Progress
from dbops.stream.tally import Tally
from dbops.stream.volumes import VOLUME_BYTES

__all__ = ["BackupWriter", "HeldLease", "Progress", "Repository"]


def _utcnow() -> datetime:
    return datetime.now(UTC)


class Repository:
    """Nothing is read or written before the first call.

    :param recipients: age public keys that every stream is encrypted to; none: not encrypted.
    :param identities: age private keys or key files' contents; only needed to read encrypted streams.
    :param volume_bytes: the largest stored object.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        recipients: Sequence[str] = (),
        identities: Sequence[str] = (),
        volume_bytes: int = VOLUME_BYTES,
        clock: Callable[[], datetime] = _utcnow,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._storage = storage
        self._recipients, self._identities = tuple(recipients), tuple(identities)
        self._volume_bytes = volume_bytes
        self._clock, self._entropy = clock, entropy
        self._leases = Leases(storage, clock)
        self._known = False

    @property
    def url(self) -> str:
        """Where it is."""
        return self._storage.url

    def new_id(self) -> str:
        """An id for a backup that begins now."""
        return new_id(self._clock(), self._entropy(5))

    def lease(self, name: str, *, purpose: str, ttl: timedelta = timedelta(seconds=120)) -> HeldLease:
        """Be the only one, among all hosts that use this repository; a context manager.

        :param purpose: what a person reads who meets the lease, such as ``the backup of shop``.
        :raises Locked: somebody else holds it.
        """
        ensure_format(self._storage, self._clock(), self._entropy)
        return self._leases.take(name, purpose, ttl)

    def begin(self, target: str, incarnation: str, backup_id: str, lease: HeldLease) -> BackupWriter:
        """Start a backup, protected by ``lease`` from being cleaned away as long as that is held.

        :raises ConfigError: a recipient's key is none.
        :raises InputError: the id is taken, or the repository is of a newer dbops.
        """
        if self._recipients:
            parse_recipients(self._recipients)
        ensure_format(self._storage, self._clock(), self._entropy)
        place = Place(target, incarnation, backup_id)
        if next(self._storage.list(place.folder), None) is not None:
            raise InputError(f"there is a backup {backup_id} already", hint="Make another id.")
        return BackupWriter(self._storage, place, lease, self._recipients, self._volume_bytes)

    def catalogue(self, target: str | None = None) -> Catalogue:
        """Every published backup, oldest first, and those whose manifest cannot be read."""
        return catalogue_.catalogue(self._read(), target)

    def manifests(self, target: str | None = None) -> tuple[Manifest, ...]:
        """Every readable backup, oldest first. Whoever deletes must look at :meth:`catalogue` instead."""
        return self.catalogue(target).manifests

    def manifest(self, backup_id: str) -> Manifest:
        """:raises InputError: no such backup, or its manifest is of a newer dbops.
        :raises Damaged: its manifest was altered."""
        return catalogue_.read_manifest(self._read(), catalogue_.find(self._storage, backup_id))

    def open(self, manifest: Manifest, artifact: str) -> Readable:
        """The clear bytes of a stream, checked volume by volume and as a whole: its end comes only when all was equal.

        :raises InputError: the backup has no such stream.
        :raises Damaged: from ``read``, naming stream and volume.
        :raises ConfigError: from ``read``: encrypted, and no private key, or not the right one.
        """
        found = next((one for one in manifest.artifacts if one.name == artifact), None)
        if found is None:
            names = ", ".join(one.name for one in manifest.artifacts) or "none"
            raise InputError(f"the backup {manifest.id} has no stream {artifact!r}", hint=f"It has: {names}.")
        return self._decoded(manifest, found)

    def document(self, manifest: Manifest, name: str) -> bytes:
        """A small object stored beside the streams, compared with its digest."""
        found = next((one for one in manifest.documents if one.name == name), None)
        if found is None:
            raise InputError(f"the backup {manifest.id} has no document {name!r}")
        tally = Tally()
        data = self._storage.get(_place(manifest).artifact(name))
        tally.add(data)
        if differs(tally.content(), Content(size=found.size, sha256=found.sha256)):
            raise _damaged(manifest, name)
        return data

    def location(self, manifest: Manifest) -> str:
        """Where the backup's objects are, for people and for RESTORE.md."""
        return f"{self._storage.url}/{_place(manifest).folder}"

    def check(
        self,
        manifest: Manifest,
        level: Literal["checksum", "content"] = "checksum",
        progress: Checked | None = None,
    ) -> BackupCheck:
        """Compare every stored object with the manifest; ``content`` also decodes (and needs the key)."""
        return check(self._read(), manifest, level, lambda one: self._decoded(manifest, one), progress)

    def delete(self, backup_id: str, *, by: str, reason: str) -> None:
        """Remove a backup: an event first, then the manifest, then the rest.

        :raises Locked: it is pinned, or another backup builds on it.
        """
        place = catalogue_.find(self._read(), backup_id)
        catalogue_.refuse_needed(self._storage, place)
        self._happened(place, "deletion", by, reason)
        empty_folder(self._storage, place)

    def clean(self, now: datetime) -> Cleaned:
        """Remove what half-written and half-deleted backups left; a backup that is being written is left alone."""
        return clean(self._read(), self._leases, now)

    def pin(self, backup_id: str, *, by: str, reason: str) -> Event:
        """Keep it, whatever retention says."""
        return self._happened(catalogue_.find(self._read(), backup_id), "pin", by, reason)

    def unpin(self, backup_id: str, *, by: str, reason: str = "") -> Event:
        """Leave it to retention again."""
        return self._happened(catalogue_.find(self._read(), backup_id), "unpin", by, reason)

    def pinned(self, target: str | None = None) -> frozenset[str]:
        """Ids of the backups that are pinned."""
        return catalogue_.pinned(self.events(target))

    def events(
        self, target: str | None = None, backup_id: str | None = None, kind: EventKind | None = None
    ) -> tuple[Event, ...]:
        """What happened, oldest first."""
        return catalogue_.events(self._read(), target, backup_id, kind)

    def new_event(self, manifest: Manifest, kind: EventKind, *, by: str = "", reason: str = "") -> Event:
        """An event with an id and the present time, to be completed and given to :meth:`add_event`."""
        return self._event(_place(manifest), kind, by, reason)

    def add_event(self, manifest: Manifest, event: Event) -> None:
        """Store an event of this backup, such as a proof with its evidence."""
        catalogue_.add_event(self._read(), _place(manifest), event)

    def probe(self) -> RepositoryProbe:
        """Can a backup be written here now? Raises what a backup would meet."""
        return probe(self._storage, self._entropy)

    def _read(self) -> Storage:
        """The store, once it is known to be a repository that this version understands (or to be empty)."""
        if not self._known:
            self._known = read_format(self._storage) is not None
        return self._storage

    def _happened(self, place: Place, kind: EventKind, by: str, reason: str) -> Event:
        event = self._event(place, kind, by, reason)
        catalogue_.add_event(self._storage, place, event)
        return event

    def _event(self, place: Place, kind: EventKind, by: str, reason: str) -> Event:
        now = self._clock()
        made = new_id(now, self._entropy(5), "e")
        return Event(id=made, at=now, kind=kind, backup=place.id, target=place.target, by=by, reason=reason)

    def _decoded(self, manifest: Manifest, artifact: Artifact) -> Readable:
        folder = _place(manifest).artifact(artifact.name)
        parts = [
            Part(
                name=volume.name,
                content=Content(size=volume.size, sha256=volume.sha256),
                open=partial(self._storage.open, f"{folder}/{volume.name}"),
            )
            for volume in artifact.volumes
        ]
        damaged = _damaged(manifest, artifact.name)
        return Decoded(
            parts,
            artifact.filters,
            artifact.clear,
            identities=self._identities,
            label=f"{artifact.name} of {manifest.id}",
            hint=damaged.hint,
        )


def _place(manifest: Manifest) -> Place:
    return Place(manifest.target, manifest.incarnation, manifest.id)


def _damaged(manifest: Manifest, name: str) -> Damaged:
    return Damaged(
        f"{name} of {manifest.id} is damaged: its bytes are not those that the manifest describes",
        hint=f"Restore another backup; `dbops backup verify {manifest.id} --level checksum` says what else is damaged.",
    )
