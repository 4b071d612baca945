"""RESTORE: a database comes back as its sets had it, their order checked as the server does; and what media hold."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from tests.simulators.mssql import media, names, rights
from tests.simulators.mssql.answers import Answer, Column, Done, Failed, Message, Rows, failed
from tests.simulators.mssql.lexer import Cursor
from tests.simulators.mssql.media import Chain, Underway, Written
from tests.simulators.mssql.model import Database
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.statements.backups import Words, ended, read_devices, read_words, unopened
from tests.simulators.mssql.statements.databases import add

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

GONE = "2(The system cannot find the file specified.)"


@statement("RESTORE DATABASE")
def restore_database(session: Session, cursor: Cursor) -> Iterator[Answer]:
    yield from _restore(session, cursor, "RESTORE DATABASE")


@statement("RESTORE LOG")
def restore_log(session: Session, cursor: Cursor) -> Iterator[Answer]:
    yield from _restore(session, cursor, "RESTORE LOG")


def _restore(session: Session, cursor: Cursor, what: str) -> Iterator[Answer]:
    name = cursor.name()
    devices = read_devices(cursor) if cursor.accept("FROM") else ()
    words = read_words(cursor)
    if session.transactions:
        raise failed(3021, "Cannot perform a backup or restore operation within a transaction.", state=0)
    try:
        database = names.find_database(session, name)
        _demand(session, database)
        if devices:
            written = _opened(session, devices, words)
            database = _apply(session, name, database, written, words)
        if database is None:
            raise failed(
                3118,
                f'The database "{name}" does not exist. RESTORE can only create a database when restoring either a '
                "full backup or a file backup of the primary file.",
            )
        if "NORECOVERY" not in words.switches:
            _recover(session, database, words)
    except Failed as cause:
        raise ended(cause, what) from None
    step = int(words.values.get("STATS", "0"))
    for percent in range(step, 101, step) if step and devices else ():
        yield Message(3211, 1, 0, f"{percent} percent processed.")
    yield Message(3014, 1, 0, f"{what} successfully processed 8 pages in 0.1 seconds (0.6 MB/sec).")
    yield Done()


def _demand(session: Session, database: Database | None) -> None:
    if not rights.has_server(session, "CREATE ANY DATABASE") and database is None:
        raise failed(262, "CREATE DATABASE permission denied in database 'master'.", severity=14)
    if database is not None and not rights.is_sysadmin(session, session.identity.login):
        raise failed(3110, f"User does not have permission to RESTORE database '{database.name}'.", severity=14)


def _opened(session: Session, devices: tuple[str, ...], words: Words) -> Written:
    disk = media.disk(session.instance)
    for device in devices:
        if said := disk.trouble(device):
            raise unopened(device, said)
        if device not in disk.written:
            raise unopened(device, GONE)
    position = int(words.values.get("FILE", "1"))
    found = next((one for one in disk.written[devices[0]] if one.row["position"] == position), None)
    if found is None:
        raise failed(
            3287, f"The file ID {position} on device '{devices[0]}' is incorrectly formed and can not be read."
        )
    if set(found.devices) - set(devices):
        missing = len(found.devices) - len(devices)
        raise failed(
            3132,
            f"The media set has {len(found.devices)} media families but only {len(devices)} are provided. "
            f"All members must be provided ({missing} missing).",
        )
    if found.certificate and found.certificate not in media.memory(session.instance).certificates:
        raise failed(
            33111, f"Cannot find server certificate with thumbprint '0x{found.certificate.encode()[:20].hex()}'."
        )
    if any(device in disk.torn for device in devices):
        raise failed(
            3183,
            f'RESTORE detected an error on page (1:200) in database "{found.row["database_name"]}" as read from the '
            "backup set.",
        )
    return found


def _apply(session: Session, name: str, database: Database | None, one: Written, words: Words) -> Database:
    memory = media.memory(session.instance)
    if one.type == "D":
        made = _full(session, name, database, one, words)
        memory.underway[made.database_id] = Underway(
            one, one.row["last_recovery_fork_guid"], one.lsn("last_lsn"), one.row["backup_set_uuid"]
        )
    else:
        made = _next(session, database, one, words)
    number = memory.known(one) or memory.remember(one)
    memory.restores.append(
        {
            "restore_history_id": len(memory.restores) + 1,
            "restore_date": session.instance.now().replace(microsecond=0),
            "destination_database_name": made.name,
            "user_name": session.original_login,
            "backup_set_id": number,
            "restore_type": one.type,
            "replace": "REPLACE" in words.switches,
            "recovery": "NORECOVERY" not in words.switches,
            "stop_at": _stop(words),
            "restart": False,
            "device_count": len(one.devices),
        }
    )
    return made


def _full(session: Session, name: str, database: Database | None, one: Written, words: Words) -> Database:
    if database is not None and "REPLACE" not in words.switches:
        if database.family_guid != one.row["family_guid"]:
            raise failed(
                3154, f"The backup set holds a backup of a database other than the existing '{name}' database."
            )
        raise failed(
            3159,
            f'The tail of the log for the database "{name}" has not been backed up. Use BACKUP LOG WITH NORECOVERY to '
            "backup the log if it contains work you do not want to lose. Use the WITH REPLACE or WITH STOPAT clause of "
            "the RESTORE statement to just overwrite the contents of the log.",
        )
    made = database or add(session, name)
    others = {
        file.physical_name: other.name
        for other in session.instance.state.databases.values()
        if other is not made
        for file in other.files
    }
    restored = copy.deepcopy(one.database)
    for file in restored.files:
        file.physical_name = words.moves.get(file.name, file.physical_name)
        if file.physical_name in others:
            raise _in_use(session, made, database, file.physical_name)
    _become(made, restored)
    made.options["state"] = 1
    return made


def _in_use(session: Session, made: Database, database: Database | None, path: str) -> Failed:
    if database is None:
        del session.instance.state.databases[made.database_id]
    return failed(1834, f"The file '{path}' cannot be overwritten. It is being used by another database.")


def _become(made: Database, other: Database) -> None:
    """The content and the family of another; its own name and numbers."""
    for part in ("options", "principals", "members", "permissions", "schemas", "objects", "files", "rows"):
        setattr(made, part, getattr(other, part))
    made.family_guid = other.family_guid
    made.database_guid = uuid.uuid4()


def _next(session: Session, database: Database | None, one: Written, words: Words) -> Database:
    """A differential or a log."""
    memory = media.memory(session.instance)
    here = memory.underway.get(database.database_id) if database else None
    standby = database is not None and bool(database.options.get("is_in_standby"))
    if database is None or here is None or not (database.state == 1 or standby):
        raise failed(
            3117, "The log or differential backup cannot be restored because no files are ready to rollforward."
        )
    if one.type == "I" and one.row["differential_base_guid"] != here.full:
        raise failed(
            3136,
            f"This differential backup cannot be restored because the database '{database.name}' has not been restored "
            "to the correct earlier state.",
        )
    if one.type == "L" and one.lsn("first_lsn") > here.lsn:
        raise failed(
            4305,
            f"The log in this backup set begins at LSN {one.lsn('first_lsn')}, which is too recent to apply to the "
            f"database. An earlier log backup that includes LSN {here.lsn} can be restored.",
        )
    if one.type == "L" and one.lsn("last_lsn") <= here.lsn:
        raise failed(
            4326,
            f"The log in this backup set terminates at LSN {one.lsn('last_lsn')}, which is too early to apply to the "
            f"database. A more recent log backup that includes LSN {here.lsn} can be restored.",
        )
    _exclusive(session, database)
    files = database.files
    _become(database, copy.deepcopy(one.database))
    database.files = files
    database.options |= {"state": 1, "is_in_standby": False, "is_read_only": False}
    # One that is stopped is not at its end, and can be taken again.
    reached = one.lsn("last_lsn") - (1 if _stops_inside(one, words) else 0)
    memory.underway[database.database_id] = Underway(one, one.row["last_recovery_fork_guid"], reached, here.full)
    return database


def _stop(words: Words) -> datetime | None:
    return datetime.fromisoformat(words.values["STOPAT"]) if "STOPAT" in words.values else None


def _stops_inside(one: Written, words: Words) -> bool:
    stop, finished = _stop(words), one.row["backup_finish_date"]
    return stop is not None and isinstance(finished, datetime) and stop < finished


def _exclusive(session: Session, database: Database) -> None:
    others = [one for one in session.instance.sessions.values() if one is not session and one.database == database.name]
    if others:
        raise failed(3101, "Exclusive access could not be obtained because the database is in use.")


def _recover(session: Session, database: Database, words: Words) -> None:
    memory = media.memory(session.instance)
    here = memory.underway.pop(database.database_id, None)
    if here is None or not (database.state == 1 or database.options.get("is_in_standby")):
        raise failed(3153, "The database is already fully recovered.")
    database.options |= {"state": 0, "is_in_standby": False, "is_read_only": False}
    if "STANDBY" in words.values:
        if here.last.row["software_major_version"] != int(session.instance.version.partition(".")[0]):
            raise failed(
                3180, "This backup cannot be restored using WITH STANDBY because a database upgrade is needed."
            )
        database.options |= {"is_in_standby": True, "is_read_only": True}
        memory.underway[database.database_id] = here
        return
    memory.chains[database.database_guid] = Chain(
        lsn=here.lsn, parent=_guid(here.fork), born=here.lsn, log_from=here.lsn, base=(_guid(here.full), here.lsn)
    )
    if memory.restores:
        memory.restores[-1]["recovery"] = True


def _guid(found: object) -> uuid.UUID:
    assert isinstance(found, uuid.UUID)
    return found


@statement("RESTORE VERIFYONLY")
def verify_only(session: Session, cursor: Cursor) -> Iterator[Answer]:
    cursor.expect("FROM")
    devices = read_devices(cursor)
    words = read_words(cursor)
    try:
        _opened(session, devices, words)
    except Failed as cause:
        raise ended(cause, "VERIFY DATABASE") from None
    yield Message(3262, 1, 0, f"The backup set on file {words.values.get('FILE', '1')} is valid.")
    yield Done()


HEADER = """
    BackupName nvarchar(128)|name
    BackupDescription nvarchar(255)|
    BackupType smallint|
    Position smallint|position
    DeviceType tinyint|
    UserName nvarchar(128)|user_name
    ServerName nvarchar(128)|server_name
    DatabaseName nvarchar(128)|database_name
    BackupSize numeric(20,0)|backup_size
    FirstLSN numeric(25,0)|first_lsn
    LastLSN numeric(25,0)|last_lsn
    CheckpointLSN numeric(25,0)|checkpoint_lsn
    DatabaseBackupLSN numeric(25,0)|database_backup_lsn
    BackupStartDate datetime|backup_start_date
    BackupFinishDate datetime|backup_finish_date
    SoftwareVendorId int|software_vendor_id
    SoftwareVersionMajor int|software_major_version
    SoftwareVersionMinor int|software_minor_version
    SoftwareVersionBuild int|software_build_version
    BindingID uniqueidentifier|database_guid
    RecoveryForkID uniqueidentifier|last_recovery_fork_guid
    FamilyGUID uniqueidentifier|family_guid
    HasBulkLoggedData bit|has_bulk_logged_data
    IsSnapshot bit|is_snapshot
    IsReadOnly bit|is_readonly
    IsSingleUser bit|is_single_user
    HasBackupChecksums bit|has_backup_checksums
    IsDamaged bit|is_damaged
    BeginsLogChain bit|begins_log_chain
    HasIncompleteMetaData bit|has_incomplete_metadata
    IsForceOffline bit|is_force_offline
    IsCopyOnly bit|is_copy_only
    FirstRecoveryForkID uniqueidentifier|first_recovery_fork_guid
    ForkPointLSN numeric(25,0)|fork_point_lsn
    RecoveryModel nvarchar(60)|recovery_model
    DifferentialBaseLSN numeric(25,0)|differential_base_lsn
    DifferentialBaseGUID uniqueidentifier|differential_base_guid
    BackupSetGUID uniqueidentifier|backup_set_uuid
    CompressedBackupSize bigint|compressed_backup_size
    KeyAlgorithm nvarchar(32)|key_algorithm
    EncryptorThumbprint varbinary(20)|encryptor_thumbprint
    EncryptorType nvarchar(32)|
"""
FILES = """
    LogicalName nvarchar(128)|logical_name
    PhysicalName nvarchar(260)|physical_name
    Type char(1)|file_type
    Size numeric(20,0)|file_size
    FileId bigint|file_number
    DifferentialBaseGUID uniqueidentifier|differential_base_guid
    DifferentialBaseLSN numeric(25,0)|differential_base_lsn
    IsReadOnly bit|is_readonly
    IsPresent bit|is_present
"""
TYPES = {"D": 1, "L": 2, "F": 4, "I": 5, "G": 6, "P": 7, "Q": 8}


def _rows(columns: str, found: list[media.Row]) -> Rows:
    """``NAME TYPE|column of msdb`` on each line."""
    parts = [line.strip().partition("|") for line in columns.strip().splitlines()]
    names_ = [Column(one[0].split()[0], one[0].split()[1]) for one in parts]
    return Rows(
        tuple(names_),
        [tuple(row.get(one[2]) if one[2] else row.get(one[0].split()[0]) for one in parts) for row in found],
    )


@statement("RESTORE HEADERONLY")
def header_only(session: Session, cursor: Cursor) -> Iterator[Answer]:
    found = _every(session, cursor, "RESTORE HEADERONLY")
    rows = [
        {**one.row, "BackupType": TYPES[one.type], "DeviceType": 9 if "://" in one.devices[0] else 102} for one in found
    ]
    yield _rows(HEADER, rows)
    yield Done(len(rows))


@statement("RESTORE FILELISTONLY")
def file_list_only(session: Session, cursor: Cursor) -> Iterator[Answer]:
    found = _every(session, cursor, "RESTORE FILELIST")
    yield _rows(FILES, found[0].files)
    yield Done(len(found[0].files))


@statement("RESTORE LABELONLY")
def label_only(session: Session, cursor: Cursor) -> Iterator[Answer]:
    found = _every(session, cursor, "RESTORE LABELONLY")
    columns = (
        Column("MediaSetId", "uniqueidentifier"),
        Column("FamilyCount", "int"),
        Column("FamilySequenceNumber", "int"),
    )
    media_set = uuid.uuid5(uuid.NAMESPACE_URL, str(found[0].devices))
    yield Rows(columns, [(media_set, len(found[0].devices), 1)])
    yield Done(1)


def _every(session: Session, cursor: Cursor, what: str) -> list[Written]:
    cursor.expect("FROM")
    devices = read_devices(cursor)
    words = read_words(cursor)
    disk = media.disk(session.instance)
    if not rights.has_server(session, "CREATE ANY DATABASE"):
        raise ended(failed(262, "CREATE DATABASE permission denied in database 'master'.", severity=14), what)
    for device in devices:
        if said := disk.trouble(device) or ("" if device in disk.written else GONE):
            raise ended(unopened(device, said), what)
    found = disk.written[devices[0]]
    return (
        [one for one in found if str(one.row["position"]) == words.values["FILE"]] if "FILE" in words.values else found
    )
