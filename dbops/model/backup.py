"""Backups: what was measured, what is wanted, what was made, what was proved."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from dbops.model.finding import Missing
from dbops.model.server import Tool
from dbops.plan import Json

__all__ = [
    "Artifact",
    "BackupFacts",
    "BackupJob",
    "BackupRecord",
    "Chain",
    "Custody",
    "DatabaseFacts",
    "Destination",
    "Keep",
    "Method",
    "Objective",
    "PastRun",
    "Until",
    "Verdict",
]


class Custody(StrEnum):
    """Who keeps the bytes: it decides what verify, copy and prune can promise."""

    REPOSITORY = "repository"
    SERVER = "server"
    PROVIDER = "provider"


class Verdict(StrEnum):
    """The three answers of a proof."""

    VERIFIED = "verified"
    FAILED = "failed"
    COULD_NOT_VERIFY = "could_not_verify"


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A way to make a backup. ``kind`` tells the planner what it promises; ``name`` is the engine's own word."""

    name: str
    kind: Literal["logical", "physical", "log"]
    title: str
    needs: tuple[str, ...] = ()


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """Retention in restic's words: how many of the newest, and how many days, weeks, months, years keep their last one.
    ``within_s`` is a recovery window in seconds (Barman's)."""

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    within_s: int = 0


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted. Seconds."""

    rpo_s: int | None = None
    rto_s: int | None = None
    keep: Keep = Keep()


class DatabaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One database: bytes on disk, and what must be known to dump and to restore it."""

    name: str
    bytes: int | Missing
    extra: dict[str, Json] = {}


class PastRun(msgspec.Struct, frozen=True, kw_only=True):
    """A past backup or restore test, as history has it. Bytes are clear bytes."""

    what: Literal["backup", "restore"]
    method: str
    started_at: datetime
    seconds: float
    bytes: int
    stored_bytes: int


class BackupFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan is decided from; everything measured, nothing assumed.

    :param log_bytes_per_s: rate at which the engine writes its log (WAL, binlog).
    :param tools: client programs by name.
    :param extra: facts that only this engine's driver reads.
    """

    databases: tuple[DatabaseFacts, ...]
    total_bytes: int | Missing
    log_bytes_per_s: float | Missing
    log_sample_s: float = 0.0
    settings: dict[str, str | Missing] = {}
    tools: dict[str, Tool | Missing] = {}
    extra: dict[str, Json] = {}


class BackupJob(msgspec.Struct, frozen=True, kw_only=True):
    """One backup to be made. ``id`` and ``started_at`` come from the caller: planning is deterministic."""

    id: str
    target: str
    repository: str
    method: str
    started_at: datetime
    databases: tuple[str, ...] = ()
    parallel: int = 2
    level: int = 3
    recipients: tuple[str, ...] = ()
    fingerprints: bool = True


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One stored stream of a backup, as restoring needs to know it."""

    name: str
    bytes: int
    stored_bytes: int
    sha256: str
    filters: tuple[str, ...] = ()


class BackupRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A finished backup.

    :param starts: engine position where the backup begins (LSN, GTID set), by name.
    :param extra: the engine's own facts that restoring needs.
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
    bytes: int | Missing
    stored_bytes: int | Missing
    artifacts: tuple[Artifact, ...] = ()
    databases: tuple[str, ...] = ()
    parent: str | None = None
    digest: str = ""
    extra: dict[str, Json] = {}


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """What must be restored, in order: a full backup, then what builds on it."""

    repository: str
    records: tuple[BackupRecord, ...]


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a restore goes: a new directory, a new database of a server, or a scratch server."""

    kind: Literal["directory", "database", "scratch"]
    path: str = ""
    database: str = ""
    tools: str = ""
    only: tuple[str, ...] = ()


class Until(msgspec.Struct, frozen=True, kw_only=True):
    """The exact point wanted. ``latest`` is the newest that can be reached."""

    kind: Literal["latest", "time", "position", "name"] = "latest"
    time: datetime | None = None
    value: str = ""
