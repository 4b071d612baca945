"""The backup column of PostgreSQL: what can be made, from what it is decided, and the steps that make it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import cast

import msgspec

from dbops.errors import UsageError
from dbops.model.backup import (
    BackupFacts,
    BackupJob,
    Chain,
    Destination,
    Evidence,
    LogRange,
    Made,
    Method,
    Outputs,
    Until,
    VerifyLevel,
)
from dbops.model.server import Server, Tool
from dbops.plan import (
    Filter,
    FromServer,
    Hold,
    Json,
    Need,
    Opening,
    Ref,
    Risk,
    Step,
    Together,
    ToRepository,
    Transfer,
    Value,
)
from dbops.spi import Host, Reader
from dbops_postgresql.backup import facts as facts_module
from dbops_postgresql.backup import recipe as recipe_module
from dbops_postgresql.backup import restore, verify
from dbops_postgresql.backup.artifacts import CONFIGURATION, ROLES, TABLESPACES, Contents, dump_of, fingerprints_of
from dbops_postgresql.backup.facts import Database
from dbops_postgresql.tools import required

__all__ = ["PostgreSQLBackup"]

DUMP = Method(
    name="dump",
    kind="logical",
    title="pg_dump of each database with its own snapshot, and the roles",
    needs=("pg_dump and pg_dumpall not older than the server", "pg_read_all_data and BYPASSRLS, or a superuser"),
)
BASEBACKUP = Method(
    name="basebackup",
    kind="physical",
    title="base backup of the whole server by the replication protocol, with its WAL",
    needs=("REPLICATION", "two free max_wal_senders and one replication slot", "wal_level replica or logical"),
)
# Reading everything a second time is cheap beside the dump; a table that no time is left for is named.
FINGERPRINT_BUDGET_S = 3600


class PostgreSQLBackup:
    """Implements :class:`dbops.spi.BackupDriver`."""

    def methods(self, server: Server) -> tuple[Method, ...]:
        """The physical one first, unless a managed service keeps the replication protocol closed."""
        return (DUMP,) if server.edition else (BASEBACKUP, DUMP)

    def inspect(self, reader: Reader, server: Server, host: Host) -> BackupFacts:
        """What a plan is decided from."""
        return facts_module.inspect(reader, server, host)

    def compile_backup(self, job: BackupJob, facts: BackupFacts, server: Server) -> tuple[Step, ...]:
        """Pure: the steps of one backup.

        :raises ToolFailed: pg_dump is missing, or older than the server.
        :raises UsageError: a database is asked for that cannot be dumped.
        """
        return _base_steps(job, server) if job.method == BASEBACKUP.name else _dump_steps(job, facts, server)

    def read_made(self, job: BackupJob, facts: BackupFacts, server: Server, outputs: Outputs) -> Made:  # noqa: ARG002
        """Pure: what was made."""
        return _base_made(job, facts, outputs) if job.method == BASEBACKUP.name else _dump_made(job, facts, outputs)

    def compile_restore(self, chain: Chain, destination: Destination, until: Until, server: Server) -> tuple[Step, ...]:
        """Pure: into a new directory or a new database."""
        return restore.compile_restore(chain, destination, until, server)

    def compile_verify(
        self, chain: Chain, destination: Destination, server: Server, level: VerifyLevel
    ) -> tuple[Step, ...]:
        """Pure: into a scratch server, which is looked at and thrown away."""
        return verify.compile_verify(chain, destination, server, level)

    def read_evidence(self, chain: Chain, level: VerifyLevel, outputs: Outputs) -> Evidence:
        """Pure: what the proof found."""
        return verify.read_evidence(chain, level, outputs)

    def recipe(self, job: BackupJob, facts: BackupFacts, server: Server) -> str:
        """Pure: RESTORE.md."""
        return recipe_module.recipe(job, facts, server, _chosen(job, facts))


def _filters(job: BackupJob) -> tuple[Filter, ...]:
    compress = Filter(name="zstd", options={"level": str(job.level)})
    encrypt = Filter(name="age", options={"recipients": ",".join(job.recipients)})
    return (compress, encrypt) if job.recipients else (compress,)


def _transfer(job: BackupJob, step: str, summary: str, source: FromServer, artifact: str) -> Transfer:
    sink = ToRepository(repository=job.repository, backup=job.id, artifact=artifact)
    return Transfer(id=step, summary=summary, risk=Risk.READ, source=source, sink=sink, filters=_filters(job))


def _chosen(job: BackupJob, facts: BackupFacts) -> tuple[Database, ...]:
    every = facts_module.databases(facts)
    return tuple(one for one in every if not job.databases or one.name in job.databases)


def _dump_steps(job: BackupJob, facts: BackupFacts, server: Server) -> tuple[Step, ...]:
    _refuse_closed(job, facts)
    about = facts_module.about(facts)
    pg_dump = required("pg_dump", facts.tools.get("pg_dump"))
    pg_dumpall = required("pg_dumpall", facts.tools.get("pg_dumpall"))
    parts = ["roles", "tablespaces"] if about.tablespaces else ["roles"]
    globals_ = [_globals(job, part, pg_dumpall, passwords=about.passwords) for part in parts]
    dumps = tuple(_dump(job, one, pg_dump, server) for one in _chosen(job, facts))
    together = Together(
        id="dumps", summary=f"dump {len(dumps)} databases", risk=Risk.READ, steps=dumps, limit=job.parallel
    )
    return (*globals_, together)


def _closed(facts: BackupFacts) -> tuple[str, ...]:
    """The databases that accept no connections: no dump can hold them."""
    return tuple(one.name for one in facts.databases if one.extra.get("connectable") is False)


def _refuse_closed(job: BackupJob, facts: BackupFacts) -> None:
    closed = [name for name in _closed(facts) if name in job.databases]
    if closed:
        raise UsageError(
            f"the database {', '.join(closed)} accepts no connections, so it cannot be dumped",
            hint="Leave it out, open it (ALTER DATABASE … ALLOW_CONNECTIONS true), or make a basebackup.",
        )


def _globals(job: BackupJob, part: str, tool: Tool, *, passwords: bool) -> Transfer:
    arguments: dict[str, Value] = {"tool": tool.path, "part": part, "passwords": passwords}
    source = FromServer(stream="globals", arguments=arguments)
    without = "" if passwords else " without passwords, which this login cannot read"
    artifact = ROLES if part == "roles" else TABLESPACES
    return _transfer(job, part, f"dump the {part}{without}", source, artifact)


def _dump(job: BackupJob, database: Database, tool: Tool, server: Server) -> Hold:
    hold = f"snapshot-{database.oid}"
    seen: dict[str, Value] = {"database": database.name, "snapshot": Ref(hold, "snapshot")}
    source = FromServer(stream="dump", arguments={**seen, "tool": tool.path})
    steps: list[Step] = [
        _transfer(job, f"dump-{database.oid}", f"dump the database {database.name}", source, dump_of(database))
    ]
    if job.fingerprints:
        reading = FromServer(stream="fingerprints", arguments={**seen, "budget_s": FINGERPRINT_BUDGET_S})
        summary = f"fingerprint what was dumped of {database.name}"
        steps.append(_transfer(job, f"fingerprints-{database.oid}", summary, reading, fingerprints_of(database)))
    return Hold(
        id=hold,
        summary=f"hold a snapshot of {database.name}",
        risk=Risk.READ,
        opening=Opening(what="snapshot", arguments={"database": database.name}),
        steps=tuple(steps),
        close="roll back; vacuum goes on",
        needs=(Need(kind="tool", name=f"pg_dump {server.major}"),),
    )


def _base_steps(job: BackupJob, server: Server) -> tuple[Step, ...]:
    slot: dict[str, Value] = {"name": _slot_name(job.id), "major": server.major}
    stream = FromServer(stream="basebackup", arguments={"label": f"dbops {job.id}", "major": server.major})
    copying = _transfer(job, "basebackup", "copy the server's files and their WAL", stream, "")
    beside = FromServer(stream="configuration")
    return (
        _transfer(job, "configuration", "keep settings and access rules, which a copy lacks", beside, CONFIGURATION),
        Hold(
            id="slot",
            summary="hold a temporary replication slot, so that the server keeps the WAL of this backup",
            risk=Risk.READ,
            opening=Opening(what="slot", arguments=slot),
            steps=(copying,),
            close="the server drops the slot when the connection ends",
            needs=(Need(kind="right", name="REPLICATION", fix="dbops grants postgresql --for backup"),),
        ),
    )


def _slot_name(job: str) -> str:
    """Lower-case letters, digits and underscores are all that a slot's name may have; 63 bytes at most."""
    return "dbops_" + "".join(one if one.isascii() and one.isalnum() else "_" for one in job.lower())[:56]


def _extra(contents: Contents) -> dict[str, Json]:
    return cast("dict[str, Json]", msgspec.to_builtins(contents))


def _dump_made(job: BackupJob, facts: BackupFacts, outputs: Outputs) -> Made:
    chosen = _chosen(job, facts)
    about = facts_module.about(facts)
    taken = [outputs.get(f"snapshot-{one.oid}", {}).get("taken_at") for one in chosen]
    tools = _versions(facts, ("pg_dump", "pg_dumpall"))
    notes = [] if about.passwords else ["roles come back without passwords: the login could not read pg_authid"]
    if not job.databases and (closed := _closed(facts)):
        notes.append(f"not in this backup, since they accept no connections: {', '.join(closed)}")
    if about.standby:
        notes.append("unlogged tables come back empty: a standby has nothing of them")
    return Made(
        consistent_at=min(_instants(taken), default=job.started_at),
        databases=tuple(one.name for one in chosen),
        tools=tools,
        notes=tuple(notes),
        extra=_extra(Contents(about=about, databases=chosen, dump_version=tools["pg_dump"], notes=tuple(notes))),
    )


def _base_made(job: BackupJob, facts: BackupFacts, outputs: Outputs) -> Made:
    about, chosen = facts_module.about(facts), facts_module.databases(facts)
    said = outputs.get("basebackup", {})
    timeline = said.get("timeline")
    log = LogRange(
        unit="lsn",
        start=str(said["start_lsn"]),
        end=str(said["end_lsn"]),
        timeline=timeline if isinstance(timeline, int) else None,
    )
    checksums = facts.settings.get("data_checksums") == "on"
    return Made(
        consistent_at=min(_instants([said.get("began_at")]), default=job.started_at),
        databases=tuple(one.name for one in facts.databases),
        log=log,
        extra=_extra(Contents(about=about, databases=chosen, data_checksums=checksums)),
    )


def _instants(texts: Iterable[object]) -> list[datetime]:
    return [datetime.fromisoformat(one) for one in texts if isinstance(one, str)]


def _versions(facts: BackupFacts, names: Iterable[str]) -> dict[str, str]:
    found = {name: facts.tools.get(name) for name in names}
    return {name: ".".join(map(str, tool.version)) for name, tool in found.items() if isinstance(tool, Tool)}
