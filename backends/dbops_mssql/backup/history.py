"""Backup sets as msdb remembers them, and as a record of the catalogue carries them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from dbops.model.backup import BackupRecord, Custody
from dbops.model.server import Server
from dbops.plan import Json
from dbops.spi import Reader
from dbops_mssql.backup.clock import minutes
from dbops_mssql.backup.dial import placed
from dbops_mssql.backup.sets import BackupSet, DatabaseFile, Kind, Media, Restored
from dbops_mssql.statement import text

__all__ = ["METHODS", "Carried", "carried", "dated", "read_restores", "read_sets", "records", "sets_sql"]

# Any: rows have the types that the driver gives them.
Row = Mapping[str, Any]
METHODS = {Kind.FULL: "full", Kind.DIFFERENTIAL: "differential", Kind.LOG: "log"}
REMEMBERED = "msdb-"
"""How ids of sets begin of which there is no manifest."""
VIRTUAL = (7, 107)
LAST_VALID_SINCE = 16


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """The ``extra`` of a record: its sets, the restores that are remembered, and what the tables held.

    :param fingerprints: of databases, lines of JSON, as far as nothing changed while the backup was made.
    """

    sets: tuple[BackupSet, ...] = ()
    restores: tuple[Restored, ...] = ()
    fingerprints: dict[str, str] = {}
    notes: tuple[str, ...] = ()

    def extra(self) -> dict[str, Json]:
        """As JSON."""
        return cast("dict[str, Json]", msgspec.to_builtins(self))


def carried(record: BackupRecord) -> Carried:
    """What a record says of its sets."""
    return msgspec.convert(record.extra, Carried)


def sets_sql(major: int) -> str:
    """``last_valid_restore_time`` came with 2022."""
    valid = "s.last_valid_restore_time" if major >= LAST_VALID_SINCE else "CONVERT(datetime, NULL)"
    return text("backup_sets").replace(":valid_until", valid)


def read_sets(reader: Reader, major: int) -> tuple[BackupSet, ...]:
    """Everything in msdb, the first written first."""
    devices: dict[int, list[Row]] = defaultdict(list)
    for row in reader.dicts(text("backup_media")):
        devices[int(row["media_set_id"])].append(row)
    files: dict[int, list[Row]] = defaultdict(list)
    for row in reader.dicts(text("backup_files")):
        files[int(row["backup_set_id"])].append(row)
    return tuple(
        _set(row, devices[int(row["media_set_id"])], files[int(row["backup_set_id"])])
        for row in reader.dicts(sets_sql(major))
        if row["type"] in set(Kind)
    )


def _set(row: Row, devices: Sequence[Row], files: Sequence[Row]) -> BackupSet:
    return BackupSet(
        uuid=_guid(row["uuid"]),
        database=str(row["database_name"]),
        kind=Kind(row["type"]),
        first_lsn=int(row["first_lsn"]),
        last_lsn=int(row["last_lsn"]),
        checkpoint_lsn=int(row["checkpoint_lsn"] or 0),
        started=row["backup_start_date"],
        finished=row["backup_finish_date"],
        zone=minutes(row["time_zone"]),
        valid_until=row["last_valid_restore_time"],
        first_fork=_guid(row["first_fork"]),
        last_fork=_guid(row["last_fork"]),
        fork_point_lsn=_number(row["fork_point_lsn"]),
        family=_guid(row["family"]),
        binding=_guid(row["binding"]),
        base=_guid(row["base"]),
        base_lsn=_number(row["differential_base_lsn"]),
        copy_only=bool(row["is_copy_only"]),
        damaged=bool(row["is_damaged"]),
        snapshot=bool(row["is_snapshot"]),
        bulk_logged=bool(row["has_bulk_logged_data"]),
        begins_chain=bool(row["begins_log_chain"]),
        incomplete_metadata=bool(row["has_incomplete_metadata"]),
        tail=bool(row["is_force_offline"]),
        checksums=bool(row["has_backup_checksums"]),
        recovery_model=str(row["recovery_model"] or ""),
        server=str(row["server_name"] or ""),
        user=str(row["user_name"] or ""),
        name=str(row["name"] or ""),
        version=tuple(int(row[f"software_{part}_version"] or 0) for part in ("major", "minor", "build")),
        bytes=int(row["backup_size"] or 0),
        stored_bytes=int(row["compressed_backup_size"] or row["backup_size"] or 0),
        encryptor=str(row["encryptor"] or ""),
        media=Media(
            devices=tuple(str(one["physical_device_name"] or "") for one in devices),
            families=int(row["media_family_count"] or 1),
            position=int(row["position"] or 1),
            virtual=any(one["device_type"] in VIRTUAL for one in devices),
        ),
        files=tuple(_file(one) for one in files),
    )


def _file(row: Row) -> DatabaseFile:
    drive, name = str(row["physical_drive"] or ""), str(row["physical_name"] or "")
    return DatabaseFile(
        number=int(row["file_number"]),
        name=str(row["logical_name"] or ""),
        path=name if name.casefold().startswith(drive.casefold()) else drive + name,
        kind=str(row["file_type"] or "D"),
        bytes=int(row["file_size"] or 0),
        present=bool(row["is_present"]),
        base=_guid(row["base"]),
    )


def read_restores(reader: Reader, sets: Sequence[BackupSet]) -> tuple[Restored, ...]:
    """Restores that brought a database online. Their times are local and have no zone: that of the set made nearest in
    time is taken, which has the same summer. Without STOPAT all of the last set was restored."""
    return tuple(
        Restored(
            database=str(row["destination_database_name"]),
            at=row["restore_date"],
            zone=_zone_at(row["restore_date"], sets),
            stopped=row["stop_at"] or row["backup_start_date"],
        )
        for row in reader.dicts(text("backup_restores"))
    )


def _zone_at(at: datetime, sets: Sequence[BackupSet]) -> int | None:
    known = [one for one in sets if one.zone is not None]
    return min(known, key=lambda one: abs(one.started - at)).zone if known else None


def records(sets: Iterable[BackupSet], restores: tuple[Restored, ...], server: Server) -> Iterator[BackupRecord]:
    """Each set as a backup of its own: the server may remember some that dbops never saw."""
    for one in sets:
        yield BackupRecord(
            id=f"{REMEMBERED}{one.uuid.lower()}",
            target="",
            incarnation=one.family,
            engine=server.engine,
            server_version=".".join(map(str, one.version)),
            method=METHODS.get(one.kind, one.kind.name.lower()),
            kind="log" if one.kind is Kind.LOG else "physical",
            custody=Custody.SERVER,
            location=", ".join(one.media.devices),
            started_at=_utc(one.began.earliest),
            finished_at=_utc(one.ended.latest),
            bytes=one.bytes,
            stored_bytes=one.stored_bytes,
            databases=(one.database,),
            extra=Carried(sets=(one,), restores=restores).extra(),
        )


def dated(record: BackupRecord, zone: str) -> BackupRecord:
    """A set that the server or its media remember, with its times as a clock in this time zone showed them.

    :raises UsageError: the server's clock was not in it.
    """
    if not zone or not record.id.startswith(REMEMBERED):
        return record
    held = carried(record)
    one = placed(held.sets[0], zone)
    return msgspec.structs.replace(
        record,
        started_at=_utc(one.began.earliest),
        finished_at=_utc(one.ended.latest),
        extra=msgspec.structs.replace(held, sets=(one,)).extra(),
    )


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _guid(value: object) -> str:
    return str(value).strip().upper() if value else ""


# Any: a number as the driver gives it.
def _number(value: Any) -> int | None:
    return None if value is None else int(value)
