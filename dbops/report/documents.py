"""What JSON documents hold where that is not a result itself but a selection of it, or a frame around it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from dbops.model.audit import Row
from dbops.model.backup import Custody, Destination, Proof, Until
from dbops.model.finding import Missing
from dbops.model.health import Check
from dbops.model.job import Failure
from dbops.model.recovery import Nearest, Reachability
from dbops.model.repository import Event, Manifest, Unreadable
from dbops.model.stored import Estimate
from dbops.plan import Plan, Risk, Step

__all__ = [
    "ChecksDocument",
    "ErrorDocument",
    "ForgottenEntry",
    "KeptEntry",
    "ListDocument",
    "MadeDocument",
    "MatrixDocument",
    "NamedTarget",
    "PlanDocument",
    "PruneDocument",
    "RestoreDocument",
    "ShowDocument",
    "StoredBackup",
    "fields",
]


class NamedTarget(msgspec.Struct, frozen=True, kw_only=True):
    """The server that a document is about, null where there is none or more than one.

    :param engine: null where the configuration was not asked for it.
    :param address: the same, and never with a password.
    """

    name: str
    engine: str | None
    address: str | None


class ErrorDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Printed by every command that could not do its work, in place of its result."""

    error: Failure


class PlanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A saved plan. ``plan`` is what its file holds.

    :param digest: SHA-256 over what would be done, and to which server.
    :param risk: the highest of any step.
    """

    digest: str
    risk: Risk
    plan: Plan


class MatrixDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Every cell of the matrix that is not empty."""

    rows: tuple[Row, ...]


class StoredBackup(msgspec.Struct, frozen=True, kw_only=True):
    """A finished backup.

    :param custody: who keeps the bytes.
    :param consistent_at: the instant whose state a restore brings back.
    :param bytes: clear bytes of its streams. :param stored_bytes: what they take in the repository.
    :param source_bytes: size on the server of what is covered, when the backup was made.
    :param whole: covers every database of the server.
    :param proof: the newest verification. :param proven: the newest one that restored it and found it good.
    :param manifest: the digest by which plans name it.
    """

    id: str
    target: str
    incarnation: str
    engine: str
    server_version: str
    method: str
    kind: Literal["logical", "physical", "log"]
    custody: Custody
    location: str
    started_at: datetime
    finished_at: datetime
    consistent_at: datetime | None
    bytes: int | Missing
    stored_bytes: int | Missing
    source_bytes: int | Missing
    databases: tuple[str, ...]
    whole: bool
    parent: str | None
    pinned: bool
    proof: Proof | None
    proven: Proof | None
    manifest: str | Missing


class MadeDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was made and published.

    :param seconds: from the lease to the manifest.
    :param cleaned: stored objects that dead runs had left, and that are gone now.
    """

    backup: StoredBackup
    seconds: float
    cleaned: tuple[str, ...]
    cleaned_bytes: int
    notes: tuple[str, ...]


class ListDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a repository holds, oldest first.

    :param unreadable: manifests that are there and cannot be understood.
    """

    repository: str
    backups: tuple[StoredBackup, ...]
    unreadable: tuple[Unreadable, ...]
    notes: tuple[str, ...]


class ShowDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One backup with all that happened to it.

    :param location: where its objects lie.
    """

    repository: str
    location: str
    backup: StoredBackup
    manifest: Manifest
    events: tuple[Event, ...]


class KeptEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that stays, with every reason."""

    id: str
    manifest: str
    reasons: tuple[str, ...]


class ForgottenEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that nothing needs any more."""

    id: str
    manifest: str
    reason: str


class PruneDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What retention decided.

    :param deleted: the ids that are gone.
    """

    status: Literal["planned", "done", "nothing_to_do"]
    keep: tuple[KeptEntry, ...]
    forget: tuple[ForgottenEntry, ...]
    deleted: tuple[str, ...]
    freed_bytes: int
    notes: tuple[str, ...]


class RestoreDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a point can be brought back, from what, and by which steps.

    :param chain: the backups that are needed, oldest first.
    :param missing: what would be needed and is not there.
    :param destination: null while it was not said; then there are no steps.
    """

    verdict: Reachability
    reason: str
    until: Until
    repository: str
    chain: tuple[StoredBackup, ...]
    missing: tuple[str, ...]
    nearest: Nearest
    recovers_to: str | None
    destination: Destination | None
    steps: tuple[Step, ...]
    estimate: Estimate
    notes: tuple[str, ...]


class ChecksDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The catalogue of checks."""

    checks: tuple[Check, ...]


# Any: the values of a struct's fields are of many types.
def fields(result: msgspec.Struct, **instead: object) -> dict[str, Any]:
    """A result field by field, for a document that shows some of them otherwise."""
    return {**msgspec.structs.asdict(result), **instead}
