"""What a method of backup has to answer; the driver asks the way that bears the method's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dbops.errors import InputError
from dbops.model.backup import (
    BackupFacts,
    BackupJob,
    BackupRecord,
    Blocker,
    Chain,
    Destination,
    Evidence,
    Made,
    Method,
    Outputs,
    VerifyLevel,
)
from dbops.model.server import Server
from dbops.plan import Filter, FromRepository, FromServer, Risk, Sink, Step, ToRepository, Transfer
from dbops.spi import Host, Reader
from dbops_mysql.backup.facts import About, Database

__all__ = ["Way", "bring", "only_record", "store"]


class Way(Protocol):
    """One method: from its facts to its proof. Everything but ``look`` is pure."""

    method: Method

    def look(self, found: BackupFacts, reader: Reader, host: Host) -> BackupFacts:
        """The facts so far, with what this way alone needs to know; the only method that reads. Never raises."""
        ...

    def blockers(self, found: BackupFacts, about: About, server: Server) -> tuple[Blocker, ...]:
        """What keeps it from working here; ``found`` has everything but the blockers."""
        ...

    def remarks(self, found: BackupFacts, about: About, server: Server) -> tuple[str, ...]:
        """What whoever plans it should know: what it locks, what it leaves out."""
        ...

    def steps(self, job: BackupJob, facts: BackupFacts, server: Server) -> tuple[Step, ...]:
        """The steps of one backup."""
        ...

    def made(self, job: BackupJob, facts: BackupFacts, server: Server, outputs: Outputs) -> Made:
        """What it turned out to be."""
        ...

    def restore(self, chain: Chain, destination: Destination, server: Server) -> tuple[Step, ...]:
        """The steps that bring it back."""
        ...

    def verify(self, chain: Chain, destination: Destination, server: Server, level: VerifyLevel) -> tuple[Step, ...]:
        """The steps that prove it."""
        ...

    def evidence(self, chain: Chain, level: VerifyLevel, outputs: Outputs) -> Evidence:
        """What the proof found."""
        ...

    def recipe(self, job: BackupJob, facts: BackupFacts, server: Server, databases: Sequence[Database]) -> list[str]:
        """The lines of RESTORE.md after its head."""
        ...


def store(job: BackupJob, step: str, summary: str, source: FromServer, artifact: str) -> Transfer:
    """A Transfer into the repository, compressed, and encrypted where there are recipients; an empty ``artifact``
    stores each member under its own name."""
    compress = Filter(name="zstd", options={"level": str(job.level)})
    encrypt = Filter(name="age", options={"recipients": ",".join(job.recipients)})
    filters = (compress, encrypt) if job.recipients else (compress,)
    sink = ToRepository(repository=job.repository, backup=job.id, artifact=artifact)
    return Transfer(id=step, summary=summary, risk=Risk.READ, source=source, sink=sink, filters=filters)


def bring(step: str, summary: str, stored: FromRepository, sink: Sink) -> Transfer:
    """A Transfer out of the repository."""
    return Transfer(id=step, summary=summary, risk=Risk.WRITE, source=stored, sink=sink)


def only_record(chain: Chain) -> BackupRecord:
    """:raises InputError: the chain has several, which this backend never makes."""
    if len(chain.records) != 1:
        raise InputError(f"a chain of {len(chain.records)} backups cannot be restored: these are whole each")
    return chain.records[0]
