"""What a repository holds: manifests and the streams they describe, events, leases; all of it stored as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from dbops.model.backup import Artifact as ArtifactRecord
from dbops.model.backup import BackupRecord, Custody, LogRange, Verdict
from dbops.model.finding import Missing
from dbops.plan import Filter, Json

__all__ = [
    "Artifact",
    "BackupCheck",
    "Begun",
    "Catalogue",
    "Cleaned",
    "Content",
    "Document",
    "Event",
    "EventKind",
    "Lease",
    "LogRange",
    "Manifest",
    "ObjectCheck",
    "Owner",
    "RepositoryFormat",
    "RepositoryProbe",
    "Unreadable",
    "Volume",
    "record",
]


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A byte sequence by length and SHA-256 (lower-case hex)."""

    size: int
    sha256: str


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """One stored object of a stream. ``name`` is its last path segment: ``vol-0000``, ``vol-0001``, …"""

    name: str
    size: int
    sha256: str


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of a backup: what went in (``clear``), what is stored, and in which volumes, in order.

    ``filters`` were applied first to last while writing: ``zstd`` (option ``level``), ``age`` (option ``recipients``,
    public keys separated by commas). The volumes' plain concatenation is the stored stream.
    """

    name: str
    filters: tuple[Filter, ...]
    clear: Content
    stored: Content
    volumes: tuple[Volume, ...]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A small object stored as it is beside the streams, such as ``RESTORE.md``."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The description of one whole backup; written last, readable without any key, never changed.

    :param kind: what :class:`~dbops.model.backup.Method` calls it.
    :param artifacts: filled in by the writer, as are ``documents``.
    :param consistent_at: the instant whose state a restore brings back.
    :param whole: covers every database of the server.
    :param source_bytes: size on the server of what is covered, when the backup was made.
    :param tools: client programs by name, with the version that was used.
    :param parent: id of the backup that this one builds on.
    :param custody: who keeps the bytes; when it is not the repository, ``location`` and ``kept_bytes`` are what the
        server said about them.
    :param extra: the engine's own facts that restoring needs.
    :param digest: SHA-256 of the stored manifest's body; plans name a manifest by it. Filled in when stored or read.
    """

    id: str
    target: str
    incarnation: str
    engine: str
    server_version: str
    method: str
    kind: Literal["logical", "physical", "log"]
    started_at: datetime
    finished_at: datetime
    dbops: str
    databases: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    documents: tuple[Document, ...] = ()
    log: LogRange | None = None
    consistent_at: datetime | None = None
    whole: bool = False
    source_bytes: int | None = None
    tools: dict[str, str] = {}
    parent: str | None = None
    custody: Custody = Custody.REPOSITORY
    location: str = ""
    kept_bytes: int | None = None
    extra: dict[str, Json] = {}
    digest: str = ""

    @property
    def bytes(self) -> int:
        """Clear bytes of all streams, or of what the server keeps."""
        if self.kept_bytes is not None:
            return self.kept_bytes
        return sum(artifact.clear.size for artifact in self.artifacts)

    @property
    def stored_bytes(self) -> int:
        """Stored bytes of all streams and documents."""
        return sum(one.stored.size for one in self.artifacts) + sum(one.size for one in self.documents)


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest that is there and cannot be understood. Its backup is neither listed as good nor ever cleaned away."""

    id: str
    target: str
    key: str
    reason: str


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """Every published backup, oldest first."""

    manifests: tuple[Manifest, ...]
    unreadable: tuple[Unreadable, ...] = ()


EventKind = Literal["pin", "unpin", "proof", "deletion", "note"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a backup, in a small object of its own; it outlives the backup.

    :param by: who, for people (``user@host``, a job's name).
    :param evidence: for a proof: verdict, phases, fingerprints; any JSON, no secret.
    """

    id: str
    at: datetime
    kind: EventKind
    backup: str
    target: str
    by: str = ""
    reason: str = ""
    verdict: Verdict | None = None
    evidence: dict[str, Json] = {}


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """A running process, so that another run can tell whether it still lives.

    :param place: changes with every boot and differs between containers: only there is ``pid`` meaningful.
    :param born: when the process started, in the system's own counting; tells a process from a later one with its pid.
    """

    host: str
    user: str
    pid: int
    place: str = ""
    born: str = ""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to do something alone, until ``expires_at`` unless renewed.

    ``fence`` grows with every holder of the name: a later holder always has a higher one. ``number`` is that of the
    stored object and grows with every renewal too.
    """

    name: str
    fence: int
    number: int
    owner: Owner
    purpose: str
    acquired_at: datetime
    renewed_at: datetime
    expires_at: datetime
    released: bool = False


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The mark of an unfinished backup: which lease protects it from being cleaned away."""

    id: str
    lease: str
    fence: int
    owner: Owner
    at: datetime


class ObjectCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One artifact or document compared with its manifest. ``detail`` names volume, difference and what to do."""

    name: str
    verdict: Verdict
    bytes: int
    detail: str = ""


class BackupCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Every stored object of one backup, compared with its manifest. Could-not-verify is never a pass."""

    backup: str
    level: Literal["checksum", "content"]
    verdict: Verdict
    objects: tuple[ObjectCheck, ...]


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """What cleaning took away (keys of backups without a manifest), and what it left because a run is at work on it."""

    removed: tuple[str, ...]
    bytes: int
    in_progress: tuple[Begun, ...] = ()


class RepositoryFormat(msgspec.Struct, frozen=True, kw_only=True):
    """The object ``format``: the version of the layout, and what the store was found able to do."""

    version: int
    created_at: datetime
    create_if_absent: bool


class RepositoryProbe(msgspec.Struct, frozen=True, kw_only=True):
    """What a repository can do for us now. ``version`` is None when nothing has been stored yet."""

    url: str
    version: int | None
    create_if_absent: bool
    free_bytes: int | Missing
    round_trip_s: float


def record(manifest: Manifest, location: str) -> BackupRecord:
    """The manifest as users of the library see a backup. ``location`` is the repository's name or URL."""
    return BackupRecord(
        id=manifest.id,
        target=manifest.target,
        incarnation=manifest.incarnation,
        engine=manifest.engine,
        server_version=manifest.server_version,
        method=manifest.method,
        kind=manifest.kind,
        custody=manifest.custody,
        location=manifest.location or location,
        started_at=manifest.started_at,
        finished_at=manifest.finished_at,
        consistent_at=manifest.consistent_at,
        log=manifest.log,
        whole=manifest.whole,
        source_bytes=_known(manifest.source_bytes),
        bytes=manifest.bytes,
        stored_bytes=manifest.stored_bytes if manifest.custody is Custody.REPOSITORY else _elsewhere(manifest.custody),
        artifacts=tuple(_artifact(one) for one in manifest.artifacts),
        databases=manifest.databases,
        parent=manifest.parent,
        digest=manifest.digest,
        extra=manifest.extra,
    )


def _elsewhere(custody: Custody) -> Missing:
    return Missing("custody", f"the bytes are kept by the {custody.value}")


def _known(size: int | None) -> int | Missing:
    return Missing("not_recorded", "the manifest does not say how large the source was") if size is None else size


def _artifact(artifact: Artifact) -> ArtifactRecord:
    return ArtifactRecord(
        name=artifact.name,
        bytes=artifact.clear.size,
        stored_bytes=artifact.stored.size,
        sha256=artifact.clear.sha256,
        filters=tuple(one.name for one in artifact.filters),
    )
