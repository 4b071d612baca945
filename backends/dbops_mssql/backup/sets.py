"""A backup set as msdb and the header on the media describe it: what a restore is decided from, and nothing else.

Times are the server's local ones with the distance to UTC beside them, as SQL Server keeps them: see
:mod:`dbops_mssql.backup.clock`. A log sequence number is an integer of up to 25 digits; ``last_lsn`` is that of the
first record *after* the set.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from dbops_mssql.backup.clock import Span, after, span

__all__ = ["BackupSet", "DatabaseFile", "Kind", "Media", "Restored", "unusable"]


class Kind(StrEnum):
    """``backupset.type``."""

    FULL = "D"
    DIFFERENTIAL = "I"
    LOG = "L"
    FILE = "F"
    FILE_DIFFERENTIAL = "G"
    PARTIAL = "P"
    PARTIAL_DIFFERENTIAL = "Q"


KIND_WORDS = {
    Kind.FULL: "full",
    Kind.DIFFERENTIAL: "differential",
    Kind.LOG: "log",
    Kind.FILE: "file",
    Kind.FILE_DIFFERENTIAL: "differential file",
    Kind.PARTIAL: "partial",
    Kind.PARTIAL_DIFFERENTIAL: "differential partial",
}


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """Where a set lies.

    :param devices: paths or URLs as the server sees them, one for each stripe that is known, in their order.
    :param families: how many stripes the media set has.
    :param position: the number of the set on the media (``WITH FILE = position``).
    :param virtual: written through a virtual device by another program: no T-SQL statement reads it back.
    """

    devices: tuple[str, ...] = ()
    families: int = 1
    position: int = 1
    virtual: bool = False


class DatabaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the database when the set was made.

    :param kind: ``D`` data, ``L`` log, ``S`` FILESTREAM or memory-optimized, ``F`` full-text.
    :param present: it is inside the set.
    :param base: in a differential set, the set that this file's changes count from.
    """

    number: int
    name: str
    path: str = ""
    kind: str = "D"
    bytes: int = 0
    present: bool = True
    base: str = ""


class BackupSet(msgspec.Struct, frozen=True, kw_only=True):
    """One row of ``msdb.dbo.backupset`` or of RESTORE HEADERONLY.

    :param uuid: ``backup_set_uuid``, which differentials name.
    :param zone: minutes east of UTC when it began; None when the server did not say.
    :param where: the time zone that a person says the server's clock was in, by its name or as ``+02:00``.
    :param valid_until: the latest instant that this log can be stopped at (2022 and later), local time.
    :param first_fork: recovery fork at ``first_lsn``; ``last_fork`` at its end; they part at ``fork_point_lsn``.
    :param family: ``family_guid``: the database through all of its restores; ``binding`` is new with each.
    :param base: the full set that a differential counts from; empty for one with several bases (see ``files``).
    :param snapshot: taken by a volume snapshot (VSS).
    """

    uuid: str
    database: str
    kind: Kind
    first_lsn: int
    last_lsn: int
    started: datetime
    finished: datetime
    checkpoint_lsn: int = 0
    zone: int | None = None
    where: str = ""
    valid_until: datetime | None = None
    first_fork: str = ""
    last_fork: str = ""
    fork_point_lsn: int | None = None
    family: str = ""
    binding: str = ""
    base: str = ""
    base_lsn: int | None = None
    copy_only: bool = False
    damaged: bool = False
    snapshot: bool = False
    bulk_logged: bool = False
    begins_chain: bool = False
    incomplete_metadata: bool = False
    tail: bool = False
    checksums: bool = False
    recovery_model: str = ""
    server: str = ""
    user: str = ""
    name: str = ""
    version: tuple[int, ...] = ()
    bytes: int = 0
    stored_bytes: int = 0
    encryptor: str = ""
    media: Media = Media()
    files: tuple[DatabaseFile, ...] = ()

    @property
    def began(self) -> Span:
        """When it began, in UTC."""
        return span(self.started, self.zone, self.where)

    @property
    def ended(self) -> Span:
        """When it ended, in UTC."""
        return after(self.began, self.finished, self.zone, self.where)

    @property
    def reach(self) -> Span:
        """How far a log reaches in time. What is committed while it is being written may be in it or not: before 2022
        only what was there when it began is sure."""
        if self.valid_until is not None:
            return span(self.valid_until, None if self.where else self.zone, self.where)
        return Span(self.began.earliest, self.ended.latest)

    @property
    def bases(self) -> frozenset[str]:
        """The sets that a differential counts from: one, or one for each file."""
        if self.base:
            return frozenset({self.base})
        return frozenset(one.base for one in self.files if one.present and one.base)

    @property
    def label(self) -> str:
        """For people: what it is, when, and where."""
        where = self.media.devices[0] if self.media.devices else self.uuid
        copy = "copy-only " if self.copy_only else ""
        return f"the {copy}{KIND_WORDS[self.kind]} backup of {self.finished:%Y-%m-%d %H:%M:%S} ({where})"


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """A restore of this database that msdb remembers (``restorehistory``, with RECOVERY): where a new fork began.

    :param stopped: the instant that it was recovered to, in the local time of the server that wrote the log.
    """

    database: str
    at: datetime
    zone: int | None = None
    where: str = ""
    stopped: datetime | None = None

    @property
    def when(self) -> Span:
        """When it ended, in UTC."""
        return span(self.at, None if self.where else self.zone, self.where)

    @property
    def point(self) -> Span | None:
        """The instant whose state it brought back, in UTC."""
        return span(self.stopped, None if self.where else self.zone, self.where) if self.stopped else None


def unusable(one: BackupSet) -> str:
    """Why no restore can take this set; empty when it can."""
    if one.kind in (Kind.PARTIAL, Kind.PARTIAL_DIFFERENTIAL, Kind.FILE_DIFFERENTIAL):
        return f"{one.label} holds a part of the database only"
    if one.damaged:
        return f"{one.label} is damaged: the server found damage when it was made and was told to go on (is_damaged)"
    if one.media.virtual:
        return f"{one.label} was written by another program through a virtual device: only that program reads it back"
    if len(one.media.devices) < one.media.families:
        return f"{one.label}: {one.media.families} stripes were written and {len(one.media.devices)} are known"
    return ""
