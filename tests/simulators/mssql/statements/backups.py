"""BACKUP DATABASE and BACKUP LOG, and DBCC CHECKDB: their rows in msdb, messages and errors."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.simulators.mssql import media, names, rights
from tests.simulators.mssql.answers import Answer, Done, Failed, Message, error, failed, unknown
from tests.simulators.mssql.lexer import Cursor, Kind
from tests.simulators.mssql.media import Chain, Written
from tests.simulators.mssql.model import Database
from tests.simulators.mssql.registry import statement

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

MODELS = {1: "FULL", 2: "BULK-LOGGED", 3: "SIMPLE"}
SWITCHES = {
    "COPY_ONLY", "DIFFERENTIAL", "CHECKSUM", "NO_CHECKSUM", "COMPRESSION", "NO_COMPRESSION", "NORECOVERY", "RECOVERY",
    "NO_TRUNCATE", "CONTINUE_AFTER_ERROR", "STOP_ON_ERROR", "FORMAT", "NOFORMAT", "INIT", "NOINIT", "REPLACE",
    "RESTART",
}  # fmt: skip
VALUES = {
    "NAME", "STATS", "MAXTRANSFERSIZE", "FILE", "STOPAT", "STOPATMARK", "STOPBEFOREMARK", "STANDBY", "DESCRIPTION",
}  # fmt: skip


@dataclass
class Words:
    """What stands after WITH."""

    switches: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    moves: dict[str, str] = field(default_factory=dict)
    certificate: str = ""


def read_devices(cursor: Cursor) -> tuple[str, ...]:
    found: list[str] = []
    while True:
        cursor.choose("DISK", "URL")
        cursor.expect("=")
        found.append(cursor.string())
        if not cursor.accept(","):
            return tuple(found)


def read_words(cursor: Cursor) -> Words:
    words = Words()
    if not cursor.accept("WITH"):
        return words
    while True:
        _word(cursor, words)
        if not cursor.accept(","):
            return words


def _word(cursor: Cursor, words: Words) -> None:
    word = cursor.take().value.upper()
    if word == "MOVE":
        logical = cursor.string()
        cursor.expect("TO")
        words.moves[logical] = cursor.string()
    elif word == "ENCRYPTION":
        cursor.expect("(", "ALGORITHM", "=")
        cursor.take()
        cursor.expect(",", "SERVER", "CERTIFICATE", "=")
        words.certificate = cursor.name()
        cursor.expect(")")
    elif word in SWITCHES:
        words.switches.add(word)
    elif word in VALUES:
        cursor.expect("=")
        words.values[word] = cursor.string() if cursor.is_kind(Kind.STRING) else str(cursor.number())
    else:
        raise failed(155, f"'{word}' is not a recognized BACKUP option.", severity=15)


def ended(cause: Failed, what: str) -> Failed:
    """The cause first, then what it was for: 3013."""
    return Failed(*cause.messages, error(3013, f"{what} is terminating abnormally."))


def unopened(device: str, said: str) -> Failed:
    return failed(3201, f"Cannot open backup device '{device}'. Operating system error {said}.")


@statement("BACKUP DATABASE")
def backup_database(session: Session, cursor: Cursor) -> Iterator[Answer]:
    yield from _backup(session, cursor, "BACKUP DATABASE")


@statement("BACKUP LOG")
def backup_log(session: Session, cursor: Cursor) -> Iterator[Answer]:
    yield from _backup(session, cursor, "BACKUP LOG")


def _backup(session: Session, cursor: Cursor, what: str) -> Iterator[Answer]:
    name = cursor.name()
    cursor.expect("TO")
    devices = read_devices(cursor)
    words = read_words(cursor)
    if session.transactions:
        raise failed(3021, "Cannot perform a backup or restore operation within a transaction.", state=0)
    database = names.find_database(session, name)
    try:
        if database is None:
            raise failed(911, f"Database '{name}' does not exist. Make sure that the name is entered correctly.")
        rights.demand(session, what, rights.DATABASE, database)
        kind = "L" if what.endswith("LOG") else "I" if "DIFFERENTIAL" in words.switches else "D"
        _may(session, database, kind, words)
        _open(session, devices)
        if any(device.startswith(place) for place in media.disk(session.instance).full for device in devices):
            yield Message(3211, 1, 0, "5 percent processed.")
            yield Message(3211, 1, 0, "10 percent processed.")
            said = f'Write on "{devices[0]}" failed: 112(There is not enough space on the disk.)'
            raise failed(3202, said, state=2)
        written = _write(session, database, kind, devices, words)
    except Failed as cause:
        raise ended(cause, what) from None
    step = int(words.values.get("STATS", "0"))
    for percent in range(step, 101, step) if step else ():
        yield Message(3211, 1, 0, f"{percent} percent processed.")
    for one in written.files:
        place = f"file '{one['logical_name']}' on file 1"
        yield Message(4035, 1, 0, f"Processed 8 pages for database '{database.name}', {place}.")
    yield Message(3014, 1, 0, f"{what} successfully processed 8 pages in 0.1 seconds (0.6 MB/sec).")
    yield Done()


def _may(session: Session, database: Database, kind: str, words: Words) -> None:
    chain = media.memory(session.instance).chain(database)
    if database.state == 1:
        raise failed(
            927, f"Database '{database.name}' cannot be opened. It is in the middle of a restore.", severity=14
        )
    if kind == "L" and database.options.get("recovery_model", 1) == 3:
        raise failed(
            4208,
            "The statement BACKUP LOG is not allowed while the recovery model is SIMPLE. Use BACKUP DATABASE or change "
            "the recovery model using ALTER DATABASE.",
        )
    if kind == "L" and chain.log_from is None:
        raise failed(4214, "BACKUP LOG cannot be performed because there is no current database backup.")
    if kind == "I" and chain.base is None:
        raise failed(
            3035,
            f'Cannot perform a differential backup for database "{database.name}", because a current database backup '
            "does not exist. Perform a full database backup by reissuing BACKUP DATABASE, omitting the WITH "
            "DIFFERENTIAL option.",
        )
    if words.certificate and words.certificate not in media.memory(session.instance).certificates:
        raise failed(
            15151, f"Cannot find the certificate '{words.certificate}', because it does not exist.", severity=15
        )


def _open(session: Session, devices: tuple[str, ...]) -> None:
    found = media.disk(session.instance)
    for device in devices:
        if said := found.trouble(device):
            raise unopened(device, said)


def _write(session: Session, database: Database, kind: str, devices: tuple[str, ...], words: Words) -> Written:
    memory, disk = media.memory(session.instance), media.disk(session.instance)
    chain = memory.chain(database)
    if database.options.get("recovery_model", 1) == 3:
        chain.log_from, chain.begins = None, True
    started = session.instance.now()
    checkpoint = chain.forward()
    first = chain.log_from if kind == "L" and chain.log_from is not None else checkpoint
    row = media.set_row(_facts(session, database, kind, words, chain), started, session.instance.now(), _zone(session))
    row |= {"first_lsn": first, "checkpoint_lsn": checkpoint, "last_lsn": chain.lsn}
    crosses = kind == "L" and chain.parent is not None and first <= chain.born
    row |= {
        "first_recovery_fork_guid": chain.parent if crosses else chain.fork,
        "last_recovery_fork_guid": chain.fork,
        "fork_point_lsn": chain.born if crosses else None,
        "last_valid_restore_time": started if kind == "L" else None,
    }
    base = chain.base if kind == "I" else None
    row |= {"differential_base_guid": base[0] if base else None, "differential_base_lsn": base[1] if base else None}
    files = media.file_rows(database, base[0] if base else None, base[1] if base else 0)
    written = Written(row, files, devices, media.frozen(database), words.certificate)
    written.row["position"] = 1 + max(len(disk.written.get(device, ())) for device in devices)
    for device in devices:
        disk.written.setdefault(device, []).append(written)
    _after(database, kind, words, chain, written)
    memory.remember(written)
    return written


def _facts(session: Session, database: Database, kind: str, words: Words, chain: Chain) -> media.Row:
    size = sum(one.size for one in database.files) * 8192
    version = [int(part) for part in session.instance.version.split(".")]
    return {
        "type": kind,
        "name": words.values.get("NAME"),
        "user_name": session.original_login,
        "database_name": database.name,
        "server_name": session.instance.name,
        "machine_name": session.instance.name,
        "software_major_version": version[0],
        "software_minor_version": version[1],
        "software_build_version": version[2],
        "database_creation_date": database.create_date,
        "database_guid": database.database_guid,
        "family_guid": database.family_guid,
        "recovery_model": MODELS[int(str(database.options.get("recovery_model", 1)))],
        "backup_size": size,
        "compressed_backup_size": size // 4 if "COMPRESSION" in words.switches else size,
        "has_backup_checksums": "CHECKSUM" in words.switches,
        "is_copy_only": "COPY_ONLY" in words.switches,
        "is_force_offline": "NORECOVERY" in words.switches,
        "begins_log_chain": kind == "L" and chain.begins,
        "database_backup_lsn": chain.base[1] if chain.base else 0,
        "key_algorithm": "aes_256" if words.certificate else None,
        "encryptor_thumbprint": words.certificate.encode()[:20] if words.certificate else None,
    }


def _after(database: Database, kind: str, words: Words, chain: Chain, written: Written) -> None:
    copy_only = "COPY_ONLY" in words.switches
    if kind == "D" and not copy_only:
        found = written.row["backup_set_uuid"]
        assert isinstance(found, uuid.UUID)
        chain.base = (found, written.lsn("checkpoint_lsn"))
    if kind == "L" and not copy_only:
        chain.log_from, chain.begins = written.lsn("last_lsn"), False
    if kind != "L" and chain.log_from is None and database.options.get("recovery_model", 1) != 3:
        chain.log_from = written.lsn("first_lsn")
    if "NORECOVERY" in words.switches:
        database.options["state"] = 1


def _zone(session: Session) -> int:
    instance = session.instance
    return round((instance.now() - instance.utcnow()) / timedelta(minutes=15))


@statement("DBCC CHECKDB")
def check_database(session: Session, cursor: Cursor) -> Iterator[Answer]:
    """Damage is what a test says of a database by ``options["damage"]``: the words of error 8928."""
    name = session.database
    if cursor.accept("("):
        name = cursor.string() if cursor.is_kind(Kind.STRING) else cursor.name()
        cursor.expect(")")
    if cursor.accept("WITH"):
        while True:
            word = cursor.take().value.upper()
            if word not in {"NO_INFOMSGS", "ALL_ERRORMSGS", "PHYSICAL_ONLY", "TABLOCK", "EXTENDED_LOGICAL_CHECKS"}:
                raise unknown(f"DBCC CHECKDB WITH {word}")
            if not cursor.accept(","):
                break
    database = names.find_database(session, name)
    if database is None:
        raise failed(2520, f"Could not find database '{name}'. The database either does not exist, or was dropped.")
    names.usable(database)
    if not rights.is_owner(session, database):
        raise failed(7983, f"User does not have permission to run DBCC checkdb for database '{name}'.", severity=14)
    if said := media.disk(session.instance).trouble(f"database:{database.name}"):
        raise Failed(
            error(8928, said),
            error(8990, f"CHECKDB found 0 allocation errors and 1 consistency errors in database '{name}'."),
        )
    database.last_good_check = f"{session.instance.now():%Y-%m-%d %H:%M:%S}.000"
    yield Done()
