"""Stored backups: what the operations on them give back."""

from __future__ import annotations

from typing import Literal

import msgspec

from dbops.model.backup import BackupRecord, Destination, Until
from dbops.model.finding import Missing
from dbops.model.recovery import Forgotten, Kept, Nearest, Range, Reachability
from dbops.model.repository import Event, Manifest, Unreadable
from dbops.plan import Step

__all__ = ["Backups", "Details", "Estimate", "MadeBackup", "Pinned", "Pruned", "RestoreAnswer", "Restored"]


class Backups(msgspec.Struct, frozen=True, kw_only=True):
    """What a repository holds, oldest first; ``unreadable`` are manifests that are there and cannot be understood."""

    repository: str
    backups: tuple[BackupRecord, ...]
    unreadable: tuple[Unreadable, ...] = ()
    notes: tuple[str, ...] = ()


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """One backup with all that happened to it. ``location`` is where its objects lie."""

    repository: str
    location: str
    backup: BackupRecord
    manifest: Manifest
    events: tuple[Event, ...] = ()


class MadeBackup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was made and published.

    :param seconds: from the lease to the manifest.
    :param cleaned: stored objects that dead runs had left, and that are gone now.
    """

    backup: BackupRecord
    seconds: float
    cleaned: tuple[str, ...] = ()
    cleaned_bytes: int = 0
    notes: tuple[str, ...] = ()


class Pinned(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that retention no longer touches, or may touch again."""

    backup: str
    pinned: bool
    reason: str


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """What retention decided; ``deleted`` are the ids that are gone."""

    status: Literal["planned", "done", "nothing_to_do"]
    keep: tuple[Kept, ...]
    forget: tuple[Forgotten, ...]
    deleted: tuple[str, ...] = ()
    freed_bytes: int = 0
    notes: tuple[str, ...] = ()


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore takes: time from past restores, bytes to read from where the backups lie and to write."""

    seconds: Range | Missing
    stored_bytes: int | Missing
    bytes: int | Missing


class RestoreAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a point can be brought back, from what, and by which steps.

    :param destination: None while it was not said; then there are no steps.
    """

    verdict: Reachability
    reason: str
    until: Until
    repository: str
    chain: tuple[BackupRecord, ...]
    missing: tuple[str, ...]
    nearest: Nearest
    recovers_to: str | None
    destination: Destination | None
    steps: tuple[Step, ...]
    estimate: Estimate
    notes: tuple[str, ...] = ()


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """A restore that was carried through."""

    backup: str
    recovered_to: str
    into: str
    seconds: float
    bytes: int
    notes: tuple[str, ...] = ()
