"""What a backup is planned from: databases, what keeps each from being backed up, and who else makes backups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import cast

import msgspec

from dbops.errors import DbopsError
from dbops.model.backup import BackupFacts, Blocker, DatabaseFacts, Remark
from dbops.model.finding import Missing
from dbops.plan import Json
from dbops.spi import Reader
from dbops_mssql.backup.history import read_restores, read_sets
from dbops_mssql.backup.sets import KIND_WORDS, BackupSet, Kind, Restored
from dbops_mssql.statement import text

__all__ = ["MARK", "About", "Database", "about", "inspect"]

MARK = "dbops b-"
"""How the names of our backup sets begin."""
SYSTEM = ("master", "model", "msdb")
# EngineEdition: 4 is Express, 5 Azure SQL Database, 8 Managed Instance.
EXPRESS, AZURE_DATABASE, MANAGED = 4, 5, 8
NO_LOG = "SIMPLE"


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """One database. ``secondary``: its copy here is a replica that is not the primary one."""

    name: str
    id: int
    state: str
    recovery_model: str = ""
    standby: bool = False
    encrypted: bool = False
    secondary: bool = False

    @property
    def closed(self) -> str:
        """Why it cannot be backed up now; empty when it can."""
        return "" if self.state == "ONLINE" and not self.standby else ("STANDBY" if self.standby else self.state)

    def refuses(self, kind: Kind) -> str:
        """Why there is no backup of this kind, of a database that is open."""
        if kind is Kind.LOG and self.recovery_model == NO_LOG:
            return "in the SIMPLE recovery model there is no log to back up"
        if kind is Kind.DIFFERENTIAL and self.name == "master":
            return "of master there are full backups alone"
        if kind is Kind.DIFFERENTIAL and self.secondary:
            return "on a secondary replica there are no differential backups"
        return ""


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate of master, and whether its private key was ever backed up."""

    name: str
    thumbprint: str
    saved: bool


class About(msgspec.Struct, frozen=True, kw_only=True):
    """The instance. ``zone``: minutes east of UTC now."""

    server: str
    edition: str
    engine_edition: int
    major: int
    zone: int
    databases: tuple[Database, ...]
    certificates: tuple[Certificate, ...] | Missing = ()
    sets: tuple[BackupSet, ...] = ()
    restores: tuple[Restored, ...] = ()

    @property
    def compresses(self) -> bool:
        """Express and Web can read compressed backups and not write them."""
        return self.engine_edition != EXPRESS and not self.edition.startswith("Web")


def about(facts: BackupFacts) -> About:
    """As :func:`inspect` found it."""
    return msgspec.convert(facts.extra["about"], About)


def inspect(reader: Reader) -> BackupFacts:
    """Reads msdb once."""
    instance = reader.dicts(text("backup_instance"))[0]
    rows = reader.dicts(text("backup_databases"))
    secondary = _secondary(reader) if any(row["replica_id"] for row in rows) else frozenset[str]()
    major = int(str(instance["version"]).partition(".")[0])
    sets = read_sets(reader, major)
    found = About(
        server=str(instance["server_name"]),
        edition=str(instance["edition"]),
        engine_edition=int(instance["engine_edition"]),
        major=major,
        zone=int(instance["zone"]),
        databases=tuple(
            Database(
                name=str(row["name"]),
                id=int(row["database_id"]),
                state=str(row["state_desc"]),
                recovery_model=str(row["recovery_model_desc"] or ""),
                standby=bool(row["is_in_standby"]),
                encrypted=bool(row["is_encrypted"]),
                secondary=str(row["name"]) in secondary,
            )
            for row in rows
        ),
        certificates=_certificates(reader),
        sets=sets,
        restores=read_restores(reader, sets),
    )
    sizes = [_size(row["bytes"]) for row in rows]
    known = [one for one in sizes if isinstance(one, int)]
    return BackupFacts(
        databases=tuple(
            DatabaseFacts(name=one.name, bytes=size) for one, size in zip(found.databases, sizes, strict=True)
        ),
        total_bytes=sum(known) if len(known) == len(sizes) else Missing("no_permission", "sizes of files are hidden"),
        log_bytes_per_s=_log_rate(sets),
        settings={"edition": found.edition},
        blockers=tuple(_blockers(found)),
        remarks=tuple(_remarks(found)),
        extra={"about": cast(Json, msgspec.to_builtins(found))},
    )


def _size(found: object) -> int | Missing:
    return int(str(found)) if found is not None else Missing("no_permission", "sys.master_files shows nothing of it")


def _secondary(reader: Reader) -> frozenset[str]:
    return frozenset(str(row[0]) for row in reader.tuples(text("backup_replicas")))


def _certificates(reader: Reader) -> tuple[Certificate, ...] | Missing:
    try:
        rows = reader.dicts(text("backup_certificates"))
    except DbopsError as error:
        return Missing(error.reason or "query_failed", error.message)
    return tuple(
        Certificate(
            name=str(row["name"]), thumbprint=str(row["thumbprint"]), saved=row["pvt_key_last_backup_date"] is not None
        )
        for row in rows
    )


def _log_rate(sets: Sequence[BackupSet]) -> float | Missing:
    """Bytes of the newest log backups by the time that they cover, of all databases together."""
    rates: list[float] = []
    for name in {one.database for one in sets}:
        logs = [one for one in sets if one.database == name and one.kind is Kind.LOG and not one.copy_only][-50:]
        span = (logs[-1].finished - logs[0].finished).total_seconds() if len(logs) > 1 else 0.0
        if span > 0:
            rates.append(sum(one.bytes for one in logs[1:]) / span)
    return sum(rates) if rates else Missing("no_history", "no two log backups tell how fast the log grows")


def _blockers(found: About) -> Iterator[Blocker]:
    if found.engine_edition == AZURE_DATABASE:
        reason = "Azure SQL Database has no BACKUP statement: the service makes its backups and restores them"
        yield from (Blocker(method=method, reason=reason) for method in ("full", "differential", "log", "tail"))
    if found.engine_edition == MANAGED:
        reason = "Managed Instance takes COPY_ONLY full backups from users, and no other"
        yield from (Blocker(method=method, reason=reason) for method in ("differential", "log", "tail"))


def _remarks(found: About) -> Iterator[Remark]:
    for text_ in foreign(found):
        for method in ("full", "differential", "log"):
            yield Remark(method, text_)
    lost = [] if isinstance(found.certificates, Missing) else [one.name for one in found.certificates if not one.saved]
    if lost:
        said = (
            f"The private key of the certificate {', '.join(lost)} was never backed up: what it encrypts is lost with "
            "this server (BACKUP CERTIFICATE … WITH PRIVATE KEY)."
        )
        yield Remark("full", said)


def foreign(found: About) -> Iterator[str]:
    """Backups of others, the newest of each kind first named: a full backup of ours would become the base of their
    differentials, and a log backup of ours would be missing in their chain."""
    latest: dict[tuple[str, Kind], BackupSet] = {}
    for one in found.sets:
        if not one.name.startswith(MARK) and not one.copy_only and one.server.casefold() == found.server.casefold():
            latest[one.database, one.kind] = one
    for (database, kind), one in sorted(latest.items()):
        yield (
            f"{database}: {one.user or 'somebody'} made a {KIND_WORDS[kind]} backup on {_day(one.finished)}, to "
            f"{', '.join(one.media.devices) or 'an unknown place'}: this chain is not ours."
        )


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
