"""Backups: what was measured, what is wanted, what was made, what was proved."""

from __future__ import annotations

from collections.abc import Mapping
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
    "Blocker",
    "Chain",
    "Custody",
    "DatabaseFacts",
    "Depot",
    "Destination",
    "Evidence",
    "Fingerprints",
    "Keep",
    "LogRange",
    "Made",
    "Method",
    "Objective",
    "Outputs",
    "PastRun",
    "Phase",
    "Proof",
    "ProofCheck",
    "Remark",
    "Until",
    "Verdict",
    "VerifyLevel",
]

Outputs = Mapping[str, Mapping[str, object]]
"""What the steps of a plan gave back when it was carried out: ``{step id: {output: value}}``."""

VerifyLevel = Literal["checksum", "restore", "full"]
"""``checksum`` reads every stored byte; ``restore`` brings a server up from it; ``full`` also checks its content."""


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
    """A way to make a backup. ``kind`` tells the planner what it promises; ``name`` is the engine's own word.

    :param custody: who keeps the bytes that it makes.
    :param partial: it can be limited to some databases; a copy of whole files cannot.
    :param retires: it is the last backup of a database, which is offline afterwards.
    """

    name: str
    kind: Literal["logical", "physical", "log"]
    title: str
    needs: tuple[str, ...] = ()
    custody: Custody = Custody.REPOSITORY
    partial: bool = False
    retires: bool = False


class Depot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where and how a server writes backups that it keeps itself.

    :param to: directories or URL prefixes as that server sees them; with several, each backup is striped over all.
    :param owns_chain: nothing else makes backups of this server: only then may a backup become the base of later ones,
        or take the log away from whoever else reads it.
    :param certificate: the server encrypts with it.
    """

    to: tuple[str, ...] = ()
    owns_chain: bool = False
    certificate: str = ""


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
    """A past backup or restore (also of a restore test), as history has it.

    :param source_bytes: size on the server of what was covered: the size that the next run can be scaled by.
    :param bytes: clear bytes of the streams.
    :param fixed_s: the part of ``seconds`` that does not grow with the size (starting a server, publishing).
    """

    what: Literal["backup", "restore"]
    method: str
    started_at: datetime
    seconds: float
    source_bytes: int
    bytes: int = 0
    stored_bytes: int = 0
    fixed_s: float = 0.0


class Blocker(msgspec.Struct, frozen=True, kw_only=True):
    """What keeps a method from working on this server now.

    :param setting: the server setting that would have to change, to ``value``; empty when a setting does not help.
    :param restart: the change needs a restart of the server.
    """

    method: str
    reason: str
    setting: str = ""
    value: str = ""
    restart: bool = False


class Remark(msgspec.Struct, frozen=True):
    """What whoever plans a method should know about it on this server: what it locks, what it leaves out."""

    method: str
    text: str


class BackupFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan is decided from; everything measured, nothing assumed.

    :param log_bytes_per_s: rate at which the engine writes its log (WAL, binlog).
    :param tools: client programs by name.
    :param blockers: what keeps methods from working here; those of the method ``log`` keep the engine's log from being
        archived, whether or not there is such a method.
    :param extra: facts that only this engine's driver reads.
    """

    databases: tuple[DatabaseFacts, ...]
    total_bytes: int | Missing
    log_bytes_per_s: float | Missing
    log_sample_s: float = 0.0
    settings: dict[str, str | Missing] = {}
    tools: dict[str, Tool | Missing] = {}
    blockers: tuple[Blocker, ...] = ()
    remarks: tuple[Remark, ...] = ()
    extra: dict[str, Json] = {}


class BackupJob(msgspec.Struct, frozen=True, kw_only=True):
    """One backup to be made. ``id`` and ``started_at`` come from the caller: planning is deterministic.

    :param staging: a directory for methods that must write on the server's machine before they can store; empty: one
        that the method chooses.
    :param depot: for methods whose bytes the server keeps.
    """

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
    staging: str = ""
    depot: Depot = Depot()


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One stored stream of a backup, as restoring needs to know it."""

    name: str
    bytes: int
    stored_bytes: int
    sha256: str
    filters: tuple[str, ...] = ()


class LogRange(msgspec.Struct, frozen=True, kw_only=True):
    """The log that restoring needs, in the engine's own positions (``unit``: ``lsn``, ``gtid``, ``binlog``)."""

    unit: str
    start: str
    end: str
    timeline: int | None = None


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup turned out to be, read by the backend from the outputs of its steps.

    :param consistent_at: the instant whose state a restore brings back; of several databases, the earliest.
    :param log: the log that restoring needs, where the engine has one.
    :param tools: client programs that were used, with their versions.
    :param location: where the server wrote it, when the bytes are not in the repository; ``bytes`` is then its size.
    :param notes: what a person must know before restoring it.
    :param extra: the engine's own facts that restoring and comparing need (layout, settings, fingerprints).
    """

    consistent_at: datetime
    databases: tuple[str, ...] = ()
    log: LogRange | None = None
    tools: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    location: str = ""
    bytes: int | None = None
    extra: dict[str, Json] = {}


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The newest verification of a backup, as the repository's events have it."""

    at: datetime
    verdict: Verdict
    level: VerifyLevel
    event: str = ""


class BackupRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A finished backup.

    :param consistent_at: the instant whose state a restore brings back; never later than the truth.
    :param whole: covers every database of the server, also those that were made after the objective was written.
    :param source_bytes: size on the server of what is covered, measured when the backup was made.
    :param digest: SHA-256 of the manifest; plans name it.
    :param proof: the newest verification; ``proven`` is the newest one that restored it and found it good.
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
    consistent_at: datetime | None = None
    bytes: int | Missing
    stored_bytes: int | Missing
    source_bytes: int | Missing = Missing("not_recorded", "the backup does not say how large its source was")
    artifacts: tuple[Artifact, ...] = ()
    databases: tuple[str, ...] = ()
    whole: bool = False
    log: LogRange | None = None
    parent: str | None = None
    digest: str = ""
    pinned: bool = False
    proof: Proof | None = None
    proven: Proof | None = None
    extra: dict[str, Json] = {}

    @property
    def instant(self) -> datetime:
        """What a restore surely brings back: everything committed before this. The server's clock may be ahead of ours;
        a backup still holds nothing that came after its end."""
        return min(self.consistent_at or self.started_at, self.finished_at)

    @property
    def kept_bytes(self) -> int | Missing:
        """What it takes where it lies, as whoever keeps it says."""
        told = self.custody is Custody.REPOSITORY or not isinstance(self.stored_bytes, Missing)
        return self.stored_bytes if told else self.bytes


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """What must be restored, in order: a full backup, then what builds on it.

    :param extra: what the engine decided when it chose them, for its own compiler.
    """

    repository: str
    records: tuple[BackupRecord, ...]
    extra: dict[str, Json] = {}


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a restore goes: a new directory, a new database of a server, a scratch server, or another instance that
    reads the backup from where the server wrote it.

    :param paths: beginnings of paths as the server sees them, and as that instance does.
    :param data: a directory of that instance for data files, ``log`` for the others; empty: named as they were.
    :param standby: the database can be read afterwards and takes more of the log later, where the engine has that.
    :param after: what an earlier restore has brought into this database, in the engine's own words (see
        :class:`~dbops.spi.KeptByServer`); empty for a new one.
    """

    kind: Literal["directory", "database", "scratch", "instance"]
    path: str = ""
    database: str = ""
    tools: str = ""
    only: tuple[str, ...] = ()
    paths: dict[str, str] = {}
    data: str = ""
    log: str = ""
    standby: bool = False
    after: str = ""


class Until(msgspec.Struct, frozen=True, kw_only=True):
    """The exact point wanted. ``latest`` is the newest that can be reached.

    :param zone: for engines whose backups tell local times: the time zone that the server's clock was in, by its IANA
        name or as ``+02:00``; empty when the backups are to say it.
    """

    kind: Literal["latest", "time", "position", "name"] = "latest"
    time: datetime | None = None
    value: str = ""
    zone: str = ""


class ProofCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. ``could_not_verify`` says in ``reason`` why it could not be looked at."""

    id: str
    verdict: Verdict
    summary: str
    reason: str = ""


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """A measured part of a restore. ``bytes`` 0: none are moved, and its time does not grow with the size."""

    name: str
    seconds: float
    bytes: int = 0


class Fingerprints(msgspec.Struct, frozen=True, kw_only=True):
    """Content compared with what it was when the backup was made. ``different`` names the objects."""

    compared: int
    equal: int
    different: tuple[str, ...] = ()


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore test found, read by the backend from the outputs of its steps; judged by the core.

    :param recovered_to: the instant that the copy was recovered to.
    :param phases: for work inside one step that the executor cannot see apart.
    """

    checks: tuple[ProofCheck, ...]
    fingerprints: Fingerprints | Missing
    recovered_to: datetime | Missing
    phases: tuple[Phase, ...] = ()
