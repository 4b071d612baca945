"""Room: on volumes, in data files, in logs, in tempdb. A file that may still grow is not full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from dbops.health.answers import Answers, Unanswered
from dbops.health.words import size
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Threshold
from dbops_mssql.health.checks.catalogue import Database, catalogue
from dbops_mssql.health.checks.room import LOG, PAGE, ROWS, Growing, Placed, places, reach
from dbops_mssql.health.checks.rule import (
    DATABASES,
    DEFINITIONS,
    ENGINE,
    ENTER,
    OWN,
    STATE,
    Context,
    Rule,
    hidden_databases,
    hidden_definitions,
)
from dbops_mssql.health.pages import PAGES
from dbops_mssql.quoting import identifier, named

__all__ = ["RULES"]

TEMPDB_ID = 2
# What keeps a log from being used again, in the words of log_reuse_wait_desc, and what ends it.
WAITS: Mapping[str, str] = {
    "LOG_BACKUP": "a log backup",
    "ACTIVE_BACKUP_OR_RESTORE": "a backup or restore that is running",
    "ACTIVE_TRANSACTION": "a transaction that is open (ms.session.idle_in_xact)",
    "DATABASE_MIRRORING": "the mirror",
    "REPLICATION": "replication or change data capture, which has not read it yet",
    "AVAILABILITY_REPLICA": "another replica (ms.ag.lag)",
    "LOG_SCAN": "a scan of the log",
}
FREE = ("NOTHING", "CHECKPOINT", "OLDEST_PAGE", "XTP_CHECKPOINT")

VOLUMES = Check(
    id="ms.disk.free",
    title="Room taken on the volumes of databases",
    engine=ENGINE,
    unit="percent",
    needs=("rights", "volumes"),
    threshold=Threshold(warning=85, critical=95),
    source="dbachecks: 20 percent free",
    privilege="the right to view the server's state, and VIEW ANY DEFINITION",
    grants=(STATE, DEFINITIONS),
    remedy=Remedy(
        text="Make room before it is full: then every database on it stops writing, and those in recovery do not open. "
        "Move old backups away first; shrinking a data file fragments it.",
        url=PAGES["volumes"],
    ),
)
LOGS = Check(
    id="ms.log.used",
    title="Log in use, of what it can grow to",
    engine=ENGINE,
    unit="percent",
    needs=("rights", "catalogue", "logs"),
    also=("volumes",),
    threshold=Threshold(warning=75, critical=90),
    source="dbachecks: 75 percent of the file; dbops counts the room that it can still take",
    privilege="the right to view the server's state, VIEW ANY DATABASE and, for the room, VIEW ANY DEFINITION",
    grants=(STATE, DATABASES, DEFINITIONS),
    remedy=Remedy(
        text="A full log (error 9002) stops every change. End what it waits for: back up the log, end the "
        "transaction, bring "
        "back the replica. Add a file on another volume when that takes too long. Do not switch to SIMPLE: that ends "
        "the log chain.",
        url=PAGES["log"],
    ),
)
FILES = Check(
    id="ms.files.space",
    title="Room taken in each filegroup, of what it can grow to",
    engine=ENGINE,
    unit="percent",
    needs=("files",),
    also=("volumes", "catalogue"),
    scope="database",
    cost="medium",
    threshold=Threshold(warning=90, critical=95),
    source="check_mssql_health: 10 and 5 percent free",
    privilege="CONNECT ANY DATABASE; for the room on volumes, the server's state and VIEW ANY DEFINITION",
    grants=(ENTER, STATE, DEFINITIONS),
    remedy=Remedy(
        text="Let a file of the filegroup grow further, or add one on another volume. What is not there cannot be "
        "written: error 1105.",
        url=PAGES["files"],
    ),
)
TEMPDB = Check(
    id="ms.tempdb.space",
    title="Room taken in tempdb, of what it can grow to",
    engine=ENGINE,
    unit="percent",
    needs=("tempdb",),
    also=("volumes",),
    threshold=Threshold(warning=80, critical=90),
    source=OWN,
    privilege="the right to view the server's state",
    grants=(STATE,),
    remedy=Remedy(
        text="Mostly versions: end the oldest transaction under snapshot isolation. Mostly internal: a query sorts "
        "or hashes more than it should. Mostly users: temporary tables that a session keeps.",
        url=PAGES["tempdb"],
    ),
)


class _Log(msgspec.Struct, frozen=True):
    name: str
    size_kb: int | None = None
    used_kb: int | None = None


class _File(msgspec.Struct, frozen=True):
    file_id: int
    name: str
    pages: int
    max_pages: int
    growth: int
    filegroup_id: int
    filegroup: str | None = None
    used_pages: int | None = None
    is_read_only: int | None = None
    state: str | None = None


class _Temp(msgspec.Struct, frozen=True):
    file_id: int
    pages: int
    free_pages: int
    version_pages: int
    user_pages: int
    internal_pages: int
    max_pages: int
    growth: int


def _volumes(answers: Answers, _context: Context) -> Iterator[Observation]:
    found: dict[tuple[str, int], Placed] = {}
    for one in answers.rows("volumes", Placed):
        if one.volume is not None and one.total_bytes and one.available_bytes is not None and not one.is_read_only:
            found[one.volume, one.total_bytes] = one
    for (name, total), one in found.items():
        free = one.available_bytes or 0
        where = name or one.label or "the volume"
        yield Observation(
            object=f"volume:{where}",
            summary=f"{where} has {size(free)} of {size(total)} left",
            value=round(100 * (total - free) / total, 2),
            evidence={"volume": name, "label": one.label, "total_bytes": total, "available_bytes": free},
        )
    missing = hidden_definitions(answers)
    if missing:
        yield Observation(summary="there may be other volumes", missing=missing)
    elif not found:
        yield Observation(
            summary="no volume is known", missing=Missing("no_rows", "the server tells none of its files")
        )


def _logs(answers: Answers, _context: Context) -> Iterator[Observation]:
    logs = {one.name: one for one in answers.rows("logs", _Log)}
    if not logs:
        raise Unanswered(Missing("feature_off", "the server has no counters (they are set up with the instance)"))
    placed = places(answers)
    for one in catalogue(answers):
        # A database that closes by itself has no counters while it is closed, and then nothing fills its log.
        if not one.online or one.is_copy or (one.auto_close and one.name not in logs):
            continue
        yield _log(one, logs.get(one.name), placed)
    missing = hidden_databases(answers)
    if missing:
        yield Observation(summary="there may be other databases", missing=missing)


def _log(one: Database, log: _Log | None, placed: Mapping[tuple[int, int], Placed]) -> Observation:
    if log is None or log.used_kb is None or not log.size_kb:
        missing = Missing("no_rows", "the server does not count it")
        return Observation(object=_object(one), summary=f"{one.name}: how full its log is not known", missing=missing)
    files = [_growing(file) for file in placed.values() if file.id == one.id and file.kind == LOG]
    pages = reach(files) if files else None
    of = log.size_kb * 1024.0 if pages is None else max(pages * PAGE, log.size_kb * 1024.0)
    used = log.used_kb * 1024.0
    limit = f"{size(of)} that it has" if pages is None else f"{size(of)} that it can have"
    wait = one.log_reuse_wait or ""
    why = "" if wait in ("", *FREE) else f", and waits for {WAITS.get(wait, wait)}"
    return Observation(
        object=_object(one),
        summary=f"{one.name}: {size(used)} of the log are in use, of {limit}{why}",
        value=round(100 * used / of, 2),
        evidence={
            "used_kb": log.used_kb,
            "size_kb": log.size_kb,
            "log_reuse_wait": wait,
            "recovery": one.recovery_model,
        },
    )


def _files(answers: Answers, _context: Context) -> Iterator[Observation]:
    database = answers.database
    files, placed = answers.rows("files", _File), places(answers)
    ids = {one.name: one.id for one in catalogue(answers)} if not answers.missing("catalogue") else {}
    for group in sorted({one.filegroup_id for one in files}):
        own = [one for one in files if one.filegroup_id == group]
        if not own[0].is_read_only:
            yield _filegroup(database, own, placed, ids.get(database))
    if not files:
        yield Observation(summary=f"{database}: no data file is told", missing=Missing("no_rows"))


def _filegroup(
    database: str, own: Sequence[_File], placed: Mapping[tuple[int, int], Placed], number: int | None
) -> Observation:
    name = named("filegroup", database, own[0].filegroup or str(own[0].filegroup_id))
    what = f"filegroup {name.partition(':')[2]}"
    if any(one.used_pages is None for one in own):
        states = ", ".join(f"{one.name} is {one.state}" for one in own if one.used_pages is None)
        missing = Missing("null_value", f"the server does not tell ({states})")
        return Observation(object=name, summary=f"{what}: how full it is is not known", missing=missing)
    used = float(sum(one.used_pages or 0 for one in own))
    pages = reach(_where(one, placed.get((number or 0, one.file_id))) for one in own)
    if pages is None:
        missing = Missing("null_value", "how much room its volume has is not told")
        return Observation(object=name, summary=f"{what}: how far it can grow is not known", missing=missing)
    share = 100 * used / pages if pages else 100.0
    fixed = [one for one in own if one.growth == 0 or one.max_pages == 0]
    sql = [f"ALTER DATABASE {identifier(database)} MODIFY FILE (NAME = {identifier(one.name)}, FILEGROWTH = 64MB);"
           for one in fixed[:1]]  # fmt: skip
    return Observation(
        object=name,
        summary=f"{what}: {size(used * PAGE)} are taken of {size(pages * PAGE)} that it can have",
        value=round(share, 2),
        sql="\n".join(sql),
        evidence={"used_pages": used, "pages": sum(one.pages for one in own), "can_have_pages": pages},
    )


def _tempdb(answers: Answers, _context: Context) -> Iterator[Observation]:
    files = answers.rows("tempdb", _Temp)
    if not files:
        raise Unanswered(Missing("no_rows", "the server tells no file of tempdb"))
    placed = places(answers)
    size_pages = float(sum(one.pages for one in files))
    used = size_pages - sum(one.free_pages for one in files)
    grown = [one for one in placed.values() if one.id == TEMPDB_ID and one.kind == ROWS]
    can = reach(_growing(one) for one in grown) if grown else reach(
        Growing(one.pages, one.max_pages, one.growth) for one in files
    )  # fmt: skip
    of = size_pages if can is None else max(can, size_pages)
    parts = {
        "versions": sum(one.version_pages for one in files),
        "users' tables": sum(one.user_pages for one in files),
        "internal work": sum(one.internal_pages for one in files),
    }
    most = max(parts, key=lambda name: parts[name])
    has = "that it has" if can is None else "that it can have"
    yield Observation(
        object="database:tempdb",
        summary=f"{size(used * PAGE)} of tempdb are taken, of {size(of * PAGE)} {has}; most by {most}",
        value=round(100 * used / of, 2) if of else 100.0,
        evidence={name: size(count * PAGE) for name, count in parts.items()},
    )


def _growing(file: Placed) -> Growing:
    return Growing(file.pages, file.max_pages, file.growth, file.volume or "", file.available_bytes)


def _where(file: _File, placed: Placed | None) -> Growing:
    if placed is None:
        return Growing(file.pages, file.max_pages, file.growth)
    return Growing(file.pages, file.max_pages, file.growth, placed.volume or "", placed.available_bytes)


def _object(one: Database) -> str:
    return named("database", one.name)


RULES = (Rule(VOLUMES, _volumes, "volumes"), Rule(LOGS, _logs), Rule(FILES, _files), Rule(TEMPDB, _tempdb))
