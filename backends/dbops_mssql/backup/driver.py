"""The backup column of SQL Server: the server writes, keeps and reads its backups; dbops plans, records and proves."""

# ruff: noqa: ARG002  the facts and the sets say all that is asked of the server and of this machine

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Literal

import msgspec

from dbops.capabilities import Capability, supported
from dbops.errors import Unsupported, UsageError
from dbops.model.backup import (
    BackupFacts,
    BackupJob,
    BackupRecord,
    Chain,
    Custody,
    Depot,
    Destination,
    Evidence,
    LogRange,
    Made,
    Method,
    Outputs,
    Until,
    VerifyLevel,
)
from dbops.model.recovery import ChainChoice, Reached
from dbops.model.server import Server
from dbops.plan import Call, Filter, FromServer, Need, Ref, Risk, Step, ToRepository, Transfer, Value
from dbops.spi import Host, Reader
from dbops_mssql.backup import facts as facts_module
from dbops_mssql.backup import proving, restoring, tsql
from dbops_mssql.backup import reached as reached_module
from dbops_mssql.backup import recipe as recipe_module
from dbops_mssql.backup import standing as standing_module
from dbops_mssql.backup.facts import About, Database, about
from dbops_mssql.backup.history import Carried, read_restores, read_sets, records
from dbops_mssql.backup.logins import ARTIFACT
from dbops_mssql.backup.media import read as read_media
from dbops_mssql.backup.places import OWNS, devices, is_url
from dbops_mssql.backup.sets import BackupSet, Kind, unusable
from dbops_mssql.quoting import identifier
from dbops_mssql.support import support

__all__ = ["SQLServerBackup", "refused_place"]

_RIGHTS = ("db_backupoperator in each database", "SELECT on msdb.dbo.backupset and its siblings")


def _method(name: str, kind: Literal["physical", "log"], title: str) -> Method:
    return Method(name=name, kind=kind, title=title, needs=_RIGHTS, custody=Custody.SERVER, partial=True)


FULL = _method("full", "physical", "BACKUP DATABASE: COPY_ONLY, unless the configuration says that we own the chain")
DIFFERENTIAL = _method("differential", "log", "BACKUP DATABASE … WITH DIFFERENTIAL: what changed since the last full")
LOG = _method("log", "log", "BACKUP LOG: what happened since the last log backup")
TAIL = msgspec.structs.replace(
    _method("tail", "log", "BACKUP LOG … WITH NORECOVERY: the last log of a database, which is offline afterwards"),
    retires=True,
)
_METHODS = {
    FULL: Capability.BACKUP_PHYSICAL,
    DIFFERENTIAL: Capability.BACKUP_INCREMENTAL,
    LOG: Capability.BACKUP_LOGS,
    TAIL: Capability.BACKUP_LOGS,
}
KINDS = {"full": Kind.FULL, "differential": Kind.DIFFERENTIAL, "log": Kind.LOG, "tail": Kind.LOG}
S3_SINCE = 16
BUDGET_S = 3600


class SQLServerBackup:
    """Implements :class:`dbops.spi.BackupDriver` and :class:`dbops.spi.KeptByServer`."""

    def methods(self, server: Server) -> tuple[Method, ...]:
        """The full backup first; a service may leave some of them to nobody but itself."""
        return tuple(method for method, one in _METHODS.items() if supported(support(one, server)))

    def inspect(self, reader: Reader, server: Server, host: Host) -> BackupFacts:
        """What a plan is decided from."""
        return facts_module.inspect(reader)

    def history(self, reader: Reader, server: Server, media: Sequence[str] = ()) -> tuple[BackupRecord, ...]:
        """Every backup set in msdb, or on media that this server can open."""
        if media:
            return tuple(records(read_media(reader, media), (), server))
        sets = read_sets(reader, server.major)
        return tuple(records(sets, read_restores(reader, sets), server))

    def sequence(
        self, records: Sequence[BackupRecord], until: Until, of: Sequence[str], after: str = ""
    ) -> ChainChoice:
        """Pure: what leads to a point."""
        return restoring.sequence(records, until, of, after)

    def reached(self, records: Sequence[BackupRecord], of: Sequence[str]) -> dict[str, tuple[Reached, ...]]:
        """Pure: what each set made it possible to bring back."""
        return reached_module.reached(records, of)

    def standing(self, reader: Reader, database: str) -> str:
        """What is in a database that is RESTORING or in standby."""
        return standing_module.standing(reader, database)

    def compile_backup(self, job: BackupJob, facts: BackupFacts, server: Server) -> tuple[Step, ...]:
        """Pure: one statement for each database.

        :raises Unsupported: the chain is not ours, or this server cannot.
        :raises UsageError: a database cannot be backed up so, or nowhere to write is configured.
        """
        known, kind = about(facts), KINDS[job.method]
        _refuse_foreign_chain(job)
        if refused := refused_place(job.depot, known):
            raise Unsupported(refused)
        chosen = _chosen(job, known)
        _refuse_databases(job, known, kind, chosen)
        steps: list[Step] = []
        for one in chosen:
            steps += _database(job, facts, known, one)
        if kind is Kind.FULL and not job.databases:
            steps.append(_logins(job))
        return tuple(steps)

    def read_made(self, job: BackupJob, facts: BackupFacts, server: Server, outputs: Outputs) -> Made:
        """Pure: what the server says that it made."""
        known = about(facts)
        chosen = _chosen(job, known)
        sets = tuple(_made(outputs, one) for one in chosen)
        notes = [
            *facts_module.foreign(known),
            *_left_out(job, known),
            *(said for one in sets if (said := unusable(one))),
        ]
        ends = [one.reach.earliest if one.kind is Kind.LOG else one.began.earliest for one in sets]
        return Made(
            consistent_at=min(ends, default=job.started_at).astimezone(UTC),
            databases=tuple(one.name for one in chosen),
            log=_range(sets),
            notes=tuple(notes),
            location=", ".join(job.depot.to),
            bytes=sum(one.stored_bytes for one in sets),
            extra=Carried(
                sets=sets,
                restores=known.restores,
                fingerprints={
                    one.name: lines
                    for one in chosen
                    if (lines := str(outputs.get(f"fingerprints-after-{one.id}", {}).get("lines", "")))
                },
                notes=tuple(notes),
            ).extra(),
        )

    def compile_restore(self, chain: Chain, destination: Destination, until: Until, server: Server) -> tuple[Step, ...]:
        """Pure: into a new database of an instance."""
        return restoring.compile_restore(chain, destination, until)

    def compile_verify(
        self,
        chain: Chain,
        destination: Destination,
        server: Server,
        level: VerifyLevel,
    ) -> tuple[Step, ...]:
        """Pure: restored on another instance, looked at, and dropped."""
        return proving.compile_verify(chain, destination, level)

    def read_evidence(self, chain: Chain, level: VerifyLevel, outputs: Outputs) -> Evidence:
        """Pure: what the proof found."""
        return proving.read_evidence(chain, level, outputs)

    def recipe(self, job: BackupJob, facts: BackupFacts, server: Server) -> str:
        """Pure: RESTORE.md."""
        known = about(facts)
        return recipe_module.recipe(job, known, _chosen(job, known), KINDS[job.method])


def _refuse_foreign_chain(job: BackupJob) -> None:
    if job.method != FULL.name and not job.depot.owns_chain:
        raise Unsupported(
            f"{job.method} backups of {job.target} are not made: {OWNS}",
            hint=f"When nothing else backs this server up, set [targets.{job.target}.backup] owns_chain = true.",
        )


def refused_place(depot: Depot, known: About) -> str:
    """Pure: why this server does not write where the configuration says; empty when it does."""
    s3 = [one for one in depot.to if one.startswith("s3://")]
    if s3 and (known.major < S3_SINCE or not known.compresses):
        return f"BACKUP to {s3[0]} takes SQL Server 2022 or newer, and not its edition Express"
    if depot.certificate and not known.compresses:
        return f"{known.edition} does not encrypt backups: leave backup.certificate out"
    if known.engine_edition == facts_module.MANAGED and not all(is_url(one) for one in depot.to):
        return "Managed Instance writes backups to URLs alone: set backup.to to one"
    return ""


def _chosen(job: BackupJob, known: About) -> tuple[Database, ...]:
    if job.databases:
        return tuple(one for one in known.databases if one.name in job.databases)
    kind = KINDS[job.method]
    return tuple(one for one in known.databases if not one.closed and not one.refuses(kind))


def _left_out(job: BackupJob, known: About) -> list[str]:
    if job.databases:
        return []
    closed = [f"{one.name} ({one.closed})" for one in known.databases if one.closed]
    kind = KINDS[job.method]
    refused = [f"{one.name} ({one.refuses(kind)})" for one in known.databases if not one.closed and one.refuses(kind)]
    both = [*closed, *refused]
    return [f"not in this backup: {', '.join(both)}"] if both else []


def _refuse_databases(job: BackupJob, known: About, kind: Kind, chosen: Sequence[Database]) -> None:
    if job.method == TAIL.name and not job.databases:
        raise UsageError("a tail of the log takes the database offline", hint="Say with --database which one.")
    if not chosen:
        hint = "; ".join(_left_out(job, known))
        raise UsageError(f"no database of {known.server} can be backed up by {job.method}", hint=hint)
    for one in chosen:
        # The tail of a damaged database is the one thing that is still to be had of it.
        closed = "" if job.method == TAIL.name and one.state == "SUSPECT" else one.closed
        if reason := closed or one.refuses(kind):
            raise UsageError(f"the database {one.name} cannot be backed up by {job.method}: {reason}")


def _database(job: BackupJob, facts: BackupFacts, known: About, one: Database) -> list[Step]:
    kind = KINDS[job.method]
    name = f"dbops {job.id}"
    options = tsql.Options(
        copy_only=not job.depot.owns_chain or one.secondary,
        compress=known.compresses,
        certificate=job.depot.certificate,
        name=name,
    )
    places = devices(job.depot.to, one.name, job.id, kind, [each.name for each in known.databases])
    tail = job.method == TAIL.name
    sql = (
        tsql.tail(one.name, places, options, damaged=one.state == "SUSPECT")
        if tail
        else tsql.back_up(one.name, kind, places, options)
    )
    size = next((each.bytes for each in facts.databases if each.name == one.name), 0)
    arguments: dict[str, Value] = {
        "sql": sql,
        "database": one.name,
        "name": name,
        "major": known.major,
        "bytes": size if isinstance(size, int) else 0,
    }
    backup = Call(
        id=f"backup-{one.id}",
        summary=f"back up the database {one.name} by {'BACKUP LOG' if kind is Kind.LOG else 'BACKUP DATABASE'}",
        risk=Risk.DESTRUCTIVE if tail else Risk.WRITE,
        provider="backend",
        operation="backup.run",
        arguments=arguments,
        undo=f"RESTORE DATABASE {identifier(one.name)} WITH RECOVERY" if tail else "",
        needs=(Need(kind="right", name="BACKUP DATABASE", fix="dbops grants mssql --for backup"),),
    )
    if not job.fingerprints or kind is not Kind.FULL or one.name in facts_module.SYSTEM or one.secondary:
        return [backup]
    return [_reading(one, "before"), backup, _reading(one, "after")]


def _reading(one: Database, when: str) -> Call:
    arguments: dict[str, Value] = {"database": one.name, "budget_s": BUDGET_S}
    if when == "after":
        arguments["before"] = Ref(f"fingerprints-before-{one.id}", "lines")
    return Call(
        id=f"fingerprints-{when}-{one.id}",
        summary=f"read what the tables of {one.name} hold {when} the backup",
        risk=Risk.READ,
        provider="backend",
        operation="fingerprints.measure" if when == "before" else "fingerprints.unchanged",
        arguments=arguments,
    )


def _logins(job: BackupJob) -> Transfer:
    compress = Filter(name="zstd", options={"level": str(job.level)})
    encrypt = Filter(name="age", options={"recipients": ",".join(job.recipients)})
    return Transfer(
        id="logins",
        summary="keep the logins with their SIDs and hashes",
        risk=Risk.READ,
        source=FromServer(stream="logins"),
        sink=ToRepository(repository=job.repository, backup=job.id, artifact=ARTIFACT),
        filters=(compress, encrypt) if job.recipients else (compress,),
    )


def _made(outputs: Outputs, one: Database) -> BackupSet:
    return msgspec.json.decode(str(outputs[f"backup-{one.id}"]["set"]), type=BackupSet)


def _range(sets: Sequence[BackupSet]) -> LogRange | None:
    """Of one database; numbers of several have nothing to do with one another."""
    if len(sets) != 1:
        return None
    return LogRange(unit="lsn", start=str(sets[0].first_lsn), end=str(sets[0].last_lsn))
