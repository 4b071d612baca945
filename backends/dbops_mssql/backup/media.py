"""Backup sets from the media themselves, for the day on which msdb is lost with its server.

RESTORE HEADERONLY gives a row for each set on the media, FILELISTONLY the files of one, LABELONLY how many stripes
there are. None of them says in which time zone the server was: that must be told, or instants are known to a day only
(see :mod:`dbops_mssql.backup.dial`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dbops.spi import Reader
from dbops_mssql.backup.sets import BackupSet, DatabaseFile, Kind, Media
from dbops_mssql.backup.tsql import header

__all__ = ["from_header", "read", "usable_device"]

# Any: rows have the types that the driver gives them.
Row = Mapping[str, Any]
KINDS = {
    1: Kind.FULL, 2: Kind.LOG, 4: Kind.FILE, 5: Kind.DIFFERENTIAL, 6: Kind.FILE_DIFFERENTIAL, 7: Kind.PARTIAL,
    8: Kind.PARTIAL_DIFFERENTIAL,
}  # fmt: skip
VIRTUAL = (7, 107)
SQL_SERVER = 4608


def read(reader: Reader, places: Sequence[str]) -> tuple[BackupSet, ...]:
    """Every set on the media at these places, stripes told by the id of their media set, in their order.

    :raises ReadFailed: one of them cannot be opened, or is no media of SQL Server.
    """
    stripes: dict[str, list[str]] = {}
    labels: dict[str, Row] = {}
    for place in places:
        label = reader.dicts(header("LABELONLY", (place,)))[0]
        name = _guid(label["MediaSetId"]) or place
        labels[name] = label
        stripes.setdefault(name, []).append(place)
    found: list[BackupSet] = []
    for name, devices in stripes.items():
        for row in reader.dicts(header("HEADERONLY", devices[:1])):
            if usable_device(row):
                files = reader.dicts(header("FILELISTONLY", devices, int(row["Position"])))
                found.append(from_header(row, files, labels[name], devices))
    return tuple(found)


def usable_device(header: Row) -> bool:
    """A set of SQL Server; others may lie on the same media."""
    return header["SoftwareVendorId"] == SQL_SERVER and header["BackupType"] in KINDS


def from_header(header: Row, files: Sequence[Row], label: Row, places: Sequence[str]) -> BackupSet:
    """One set.

    :param header: a row of RESTORE HEADERONLY; ``files`` are those of FILELISTONLY for its position.
    :param label: the row of RESTORE LABELONLY of any of ``places``.
    """
    return BackupSet(
        uuid=_guid(header["BackupSetGUID"]),
        database=str(header["DatabaseName"]),
        kind=KINDS[int(header["BackupType"])],
        first_lsn=int(header["FirstLSN"]),
        last_lsn=int(header["LastLSN"]),
        checkpoint_lsn=int(header["CheckpointLSN"] or 0),
        started=header["BackupStartDate"],
        finished=header["BackupFinishDate"],
        first_fork=_guid(header["FirstRecoveryForkID"]),
        last_fork=_guid(header["RecoveryForkID"]),
        fork_point_lsn=_number(header["ForkPointLSN"]),
        family=_guid(header["FamilyGUID"]),
        binding=_guid(header["BindingID"]),
        base=_guid(header["DifferentialBaseGUID"]),
        base_lsn=_number(header["DifferentialBaseLSN"]),
        copy_only=bool(header["IsCopyOnly"]),
        damaged=bool(header["IsDamaged"]),
        snapshot=bool(header["IsSnapshot"]),
        bulk_logged=bool(header["HasBulkLoggedData"]),
        begins_chain=bool(header["BeginsLogChain"]),
        incomplete_metadata=bool(header["HasIncompleteMetaData"]),
        tail=bool(header["IsForceOffline"]),
        checksums=bool(header["HasBackupChecksums"]),
        recovery_model=str(header["RecoveryModel"] or ""),
        server=str(header["ServerName"] or ""),
        user=str(header["UserName"] or ""),
        name=str(header["BackupName"] or ""),
        version=tuple(int(header[f"SoftwareVersion{part}"] or 0) for part in ("Major", "Minor", "Build")),
        bytes=int(header["BackupSize"] or 0),
        stored_bytes=int(header["CompressedBackupSize"] or 0),
        encryptor=_thumbprint(header["EncryptorThumbprint"]),
        media=Media(
            devices=tuple(places),
            families=int(label["FamilyCount"] or 1),
            position=int(header["Position"]),
            virtual=header["DeviceType"] in VIRTUAL,
        ),
        files=tuple(_file(one) for one in files),
    )


def _file(row: Row) -> DatabaseFile:
    return DatabaseFile(
        number=int(row["FileId"] if "FileId" in row else row["FileID"]),
        name=str(row["LogicalName"]),
        path=str(row["PhysicalName"]),
        kind=str(row["Type"]),
        bytes=int(row["Size"] or 0),
        present=bool(row["IsPresent"]),
        base=_guid(row["DifferentialBaseGUID"]),
    )


def _guid(value: object) -> str:
    found = str(value).strip("{} ").upper() if value else ""
    return "" if set(found) <= {"0", "-"} else found


def _thumbprint(value: object) -> str:
    return f"0x{value.hex().upper()}" if isinstance(value, bytes) and value else ""


# Any: a number as the driver gives it.
def _number(value: Any) -> int | None:
    return None if value is None else int(value)
