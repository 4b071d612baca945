"""Backup media and what msdb remembers of them. There is no storage and no log: a set keeps a copy of the modelled
database as it was at its end, log sequence numbers are counted, and STOPAT restores the whole log that holds it.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from tests.simulators.mssql.model import Database

if TYPE_CHECKING:
    from tests.simulators.mssql.instance import Instance

FIRST_LSN = 37000000012300001
STEP = 1000
Row = dict[str, object]


@dataclass
class Written:
    """One set: its row in msdb, those of its files, where it lies, and the database as it was."""

    row: Row
    files: list[Row]
    devices: tuple[str, ...]
    database: Database
    certificate: str = ""

    @property
    def type(self) -> str:
        return str(self.row["type"])

    def lsn(self, which: str) -> int:
        return int(str(self.row[which] or 0))


@dataclass
class Disk:
    """Sets by device. ``broken`` are devices that cannot be opened, with the words of the operating system, and
    ``torn`` those whose pages fail their checksums."""

    written: dict[str, list[Written]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    torn: set[str] = field(default_factory=set)
    full: set[str] = field(default_factory=set)
    """Beginnings of devices on which there is no room for a whole backup."""

    def trouble(self, device: str) -> str:
        return next((said for place, said in self.broken.items() if device.startswith(place)), "")


@dataclass
class Chain:
    """Where a database's log stands. ``log_from``: where its next log backup begins, None while there is none."""

    lsn: int = FIRST_LSN
    fork: uuid.UUID = field(default_factory=uuid.uuid4)
    parent: uuid.UUID | None = None
    born: int = 0
    log_from: int | None = None
    begins: bool = True
    base: tuple[uuid.UUID, int] | None = None

    def forward(self) -> int:
        """A record is written; gives its number."""
        here, self.lsn = self.lsn, self.lsn + STEP
        return here


@dataclass
class Underway:
    """A database that is being restored: after which set, and at which record."""

    last: Written
    fork: object
    lsn: int
    full: object


@dataclass
class Memory:
    """The rows of msdb, and what an instance knows of its databases' logs."""

    sets: list[Row] = field(default_factory=list)
    files: list[Row] = field(default_factory=list)
    media: list[Row] = field(default_factory=list)
    families: list[Row] = field(default_factory=list)
    restores: list[Row] = field(default_factory=list)
    chains: dict[uuid.UUID, Chain] = field(default_factory=dict)
    underway: dict[int, Underway] = field(default_factory=dict)
    certificates: set[str] = field(default_factory=set)
    """Of master, by which backups can be encrypted and read."""

    def chain(self, database: Database) -> Chain:
        return self.chains.setdefault(database.database_guid, Chain())

    def remember(self, written: Written) -> int:
        """The rows of a set; gives its ``backup_set_id``."""
        number = len(self.sets) + 1
        self.sets.append({**written.row, "backup_set_id": number, "media_set_id": number})
        self.media.append(
            {"media_set_id": number, "media_uuid": uuid.uuid4(), "media_family_count": len(written.devices)}
        )
        self.families += [
            {
                "media_set_id": number,
                "family_sequence_number": at,
                "media_family_id": uuid.uuid4(),
                "physical_device_name": device,
                "device_type": 9 if "://" in device else 2,
                "mirror": 0,
            }
            for at, device in enumerate(written.devices, 1)
        ]
        self.files += [{**one, "backup_set_id": number} for one in written.files]
        return number

    def known(self, written: Written) -> int | None:
        same = [one for one in self.sets if one["backup_set_uuid"] == written.row["backup_set_uuid"]]
        return int(str(same[0]["backup_set_id"])) if same else None


_DISKS: WeakKeyDictionary[Instance, Disk] = WeakKeyDictionary()
_MEMORIES: WeakKeyDictionary[Instance, Memory] = WeakKeyDictionary()


def disk(instance: Instance) -> Disk:
    return _DISKS.setdefault(instance, Disk())


def memory(instance: Instance) -> Memory:
    return _MEMORIES.setdefault(instance, Memory())


def forget(*instances: Instance) -> None:
    """As if nothing had ever been backed up or restored on them, all media being empty."""
    for one in instances:
        _MEMORIES.pop(one, None)
        disk(one).__init__()  # type: ignore[misc]  # those who share it keep sharing it


def share(one: Instance, other: Instance) -> None:
    """``other`` sees the media of ``one``, at the same places."""
    _DISKS[other] = disk(one)


def frozen(database: Database) -> Database:
    return copy.deepcopy(database)


def file_rows(database: Database, base: uuid.UUID | None, lsn: int) -> list[Row]:
    return [
        {
            "file_number": one.file_id,
            "logical_name": one.name,
            "physical_drive": one.physical_name[:2] if one.physical_name[1:2] == ":" else "",
            "physical_name": one.physical_name,
            "file_type": "L" if one.type == 1 else "D",
            "file_size": one.size * 8192,
            "page_size": 8192,
            "state": 0,
            "state_desc": "ONLINE",
            "create_lsn": 0,
            "file_guid": uuid.uuid4(),
            "backup_size": one.size * 8192,
            "is_readonly": False,
            "is_present": True,
            "differential_base_guid": base if one.type != 1 else None,
            "differential_base_lsn": lsn if base and one.type != 1 else None,
        }
        for one in database.files
    ]


def set_row(given: Mapping[str, object], started: datetime, finished: datetime, zone: int) -> Row:
    """A row of ``backupset`` with what is the same for every set."""
    return {
        "backup_set_uuid": uuid.uuid4(),
        "position": 1,
        "software_vendor_id": 4608,
        "time_zone": zone,
        "mtf_minor_version": 0,
        "backup_start_date": started.replace(microsecond=0),
        "backup_finish_date": finished.replace(microsecond=0),
        "is_password_protected": False,
        "is_snapshot": False,
        "is_readonly": False,
        "is_single_user": False,
        "is_damaged": False,
        "has_incomplete_metadata": False,
        "is_force_offline": False,
        "has_bulk_logged_data": False,
        "begins_log_chain": False,
        "is_copy_only": False,
        **given,
    }
