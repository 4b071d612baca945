"""BACKUP and RESTORE as T-SQL. Every text is one statement, ready to paste; names and places are quoted here alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec

from dbops_mssql.backup.clock import local
from dbops_mssql.backup.places import device, file_name, is_url, moved, seen_from
from dbops_mssql.backup.sequence import Goal
from dbops_mssql.backup.sets import BackupSet, Kind
from dbops_mssql.quoting import identifier, literal

__all__ = [
    "Options", "back_up", "check_database", "header", "into", "recover", "restore", "standby", "tail", "undo_file",
    "verify_only",
]  # fmt: skip

# The S3 connector cuts a file into 10,000 parts at most; the largest part makes for the largest file.
S3_PART = 20_971_520
_WORDS = {Kind.LOG: "LOG"}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a backup is written.

    :param certificate: of master, to encrypt with; empty for none.
    """

    copy_only: bool = True
    compress: bool = True
    certificate: str = ""
    name: str = ""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A new database, and how the instance that it is on sees things."""

    database: str
    paths: Mapping[str, str] = {}
    data: str = ""
    log: str = ""


def into(database: str, paths: Mapping[str, str] | None = None, data: str = "", log: str = "") -> Target:
    """What a restore makes."""
    return Target(database=database, paths=paths or {}, data=data, log=log)


def back_up(database: str, kind: Kind, places: Sequence[str], options: Options) -> str:
    """``BACKUP DATABASE`` or ``BACKUP LOG``, with the checksum of every page."""
    words = ["DIFFERENTIAL"] if kind is Kind.DIFFERENTIAL else []
    words += ["COPY_ONLY"] if options.copy_only and kind is not Kind.DIFFERENTIAL else []
    return _backup(database, kind, places, [*words, *_common(places, options)])


def tail(database: str, places: Sequence[str], options: Options, *, damaged: bool = False) -> str:
    """The last log of a database that is given up: it is left RESTORING, so that nothing comes after it."""
    words = ["NO_TRUNCATE", "CONTINUE_AFTER_ERROR"] if damaged else []
    return _backup(database, Kind.LOG, places, ["NORECOVERY", *words, *_common(places, options)])


def _backup(database: str, kind: Kind, places: Sequence[str], words: Sequence[str]) -> str:
    to = ",\n   ".join(device(one) for one in places)
    return f"BACKUP {_WORDS.get(kind, 'DATABASE')} {identifier(database)}\nTO {to}\nWITH {', '.join(words)}"


def _common(places: Sequence[str], options: Options) -> list[str]:
    words = ["CHECKSUM", "COMPRESSION" if options.compress else "NO_COMPRESSION"]
    if options.certificate:
        words.append(f"ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = {identifier(options.certificate)})")
    if options.compress and is_url(places[0]):
        words.append(f"MAXTRANSFERSIZE = {S3_PART}")
    if options.name:
        words.append(f"NAME = {literal(options.name)}")
    return [*words, "STATS = 5"]


def restore(one: BackupSet, target: Target, goal: Goal | None = None, made: Collection[int] = ()) -> str:
    """One set of a sequence, left open for the next.

    :param goal: a log is stopped there.
    :param made: numbers of files that sets before it made: a log takes MOVE for those alone that came with it.
    """
    words = ["NORECOVERY"]
    new = [file for file in one.files if one.kind is not Kind.LOG or file.number not in made]
    words += [f"MOVE {literal(file.name)} TO {literal(_place(one, target, file.number))}" for file in new]
    words += _file(one)
    words += _stop(one, goal) if one.kind is Kind.LOG and goal is not None else []
    what = "LOG" if one.kind is Kind.LOG else "DATABASE"
    name = identifier(target.database)
    names = [f"FILE = {literal(file.name)}" for file in one.files if file.present and file.kind != "L"]
    files = " " + ", ".join(names) if one.kind is Kind.FILE else ""
    return f"RESTORE {what} {name}{files}\n{_from(one, target.paths)}\nWITH {', '.join([*words, 'STATS = 5'])}"


def _place(one: BackupSet, target: Target, number: int) -> str:
    file = next(file for file in one.files if file.number == number)
    return moved(file, target.database, target.data, target.log)


def _from(one: BackupSet, paths: Mapping[str, str]) -> str:
    return "FROM " + ",\n     ".join(device(seen_from(place, paths)) for place in one.media.devices)


def _file(one: BackupSet) -> list[str]:
    """Which set on the media. Object storage holds one, and takes no number."""
    return [] if any(is_url(place) for place in one.media.devices) else [f"FILE = {one.media.position}"]


def _stop(one: BackupSet, goal: Goal) -> list[str]:
    if goal.lsn is not None:
        return [f"STOPBEFOREMARK = 'lsn:{goal.lsn}'"]
    # The log's times are those of the clock of the server that wrote it.
    zone = one.zone if goal.zone is None else goal.zone
    return [f"STOPAT = {literal(_stamp(local(goal.time, zone)))}"] if goal.time is not None else []


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def recover(database: str) -> str:
    """Bring it online."""
    return f"RESTORE DATABASE {identifier(database)} WITH RECOVERY"


def undo_file(one: BackupSet, target: Target) -> str:
    """Where what is rolled back for readers is kept until the next log comes: beside the first file of the data."""
    first = min((file for file in one.files if file.kind == "D"), key=lambda file: file.number, default=None)
    place = _place(one, target, first.number) if first else f"{target.data or '.'}/{file_name(target.database)}_1"
    return f"{place.rpartition('_')[0]}_undo.tuf"


def standby(database: str, undo_file: str) -> str:
    """Readable, and open for more logs."""
    return f"RESTORE DATABASE {identifier(database)} WITH STANDBY = {literal(undo_file)}"


def verify_only(one: BackupSet, paths: Mapping[str, str]) -> str:
    """Reads the whole set. Its checksums, and those of the pages, are compared only where they were written."""
    words = [*_file(one), "CHECKSUM" if one.checksums else "NO_CHECKSUM", "STATS = 5"]
    return f"RESTORE VERIFYONLY\n{_from(one, paths)}\nWITH {', '.join(words)}"


def header(what: str, places: Sequence[str], position: int = 0) -> str:
    """``HEADERONLY``, ``FILELISTONLY`` (of the set at ``position``) or ``LABELONLY`` of media."""
    file = f" WITH FILE = {position}" if position and not is_url(places[0]) else ""
    return f"RESTORE {what} FROM {', '.join(device(one) for one in places)}{file}"


def check_database(database: str, *, full: bool) -> str:
    """DBCC CHECKDB: every page, and with ``full`` what is inside them."""
    return f"DBCC CHECKDB ({literal(database)}) WITH NO_INFOMSGS, ALL_ERRORMSGS{'' if full else ', PHYSICAL_ONLY'}"
