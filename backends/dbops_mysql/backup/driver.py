"""The backup column of MySQL: which ways there are, and how each question finds the one that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from dbops.backup.recipe import head
from dbops.errors import InputError, UsageError
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
    Remark,
    Until,
    VerifyLevel,
)
from dbops.model.server import Server
from dbops.plan import Step
from dbops.spi import Host, Reader
from dbops_mysql.backup import facts as facts_module
from dbops_mysql.backup.logical import Logical
from dbops_mysql.backup.physical_mysql import MySQLPhysical
from dbops_mysql.backup.way import Way, only_record
from dbops_mysql.installation import LABELS, Family

__all__ = ["MySQLBackup"]


NO_LOG = Blocker(
    method="log",
    reason="the server writes no binary log (log_bin = OFF)",
    setting="log_bin",
    value="ON",
    restart=True,
)


class MySQLBackup:
    """Implements :class:`dbops.spi.BackupDriver`.

    :cvar ways: the preferred first; each has a method of its own.
    """

    family: ClassVar[Family] = "mysql"
    ways: ClassVar[Sequence[Way]] = (MySQLPhysical(), Logical("mysql"))

    def methods(self, server: Server) -> tuple[Method, ...]:
        """A managed service does not hand out files."""
        return tuple(way.method for way in self.ways if way.method.kind == "logical" or not server.edition)

    def inspect(self, reader: Reader, server: Server, host: Host) -> BackupFacts:
        """What a plan is decided from."""
        found = facts_module.inspect(reader, server, host, self.family)
        about = facts_module.about(found)
        for way in self.ways:
            found = way.look(found, reader, host)
        blockers = [one for way in self.ways for one in way.blockers(found, about, server)]
        if not about.binlog:
            blockers.append(NO_LOG)
        remarks = [
            Remark(method=way.method.name, text=said) for way in self.ways for said in way.remarks(found, about, server)
        ]
        return msgspec.structs.replace(found, blockers=tuple(blockers), remarks=tuple(remarks))

    def compile_backup(self, job: BackupJob, facts: BackupFacts, server: Server) -> tuple[Step, ...]:
        """Pure: the steps of one backup.

        :raises ToolFailed: its program is missing, older than the server, or of the other family.
        """
        return self._way(job.method).steps(job, facts, server)

    def read_made(self, job: BackupJob, facts: BackupFacts, server: Server, outputs: Outputs) -> Made:
        """Pure: what was made."""
        return self._way(job.method).made(job, facts, server, outputs)

    def compile_restore(self, chain: Chain, destination: Destination, until: Until, server: Server) -> tuple[Step, ...]:
        """Pure. The server restored into is the endpoint ``destination``.

        :raises UsageError: this backup cannot go there, or which database is meant is not clear.
        :raises InputError: an instant other than the backup's own is asked for.
        """
        record = only_record(chain)
        if until.kind != "latest":
            raise InputError(
                f"{record.id} restores the state of {record.instant.isoformat()} and no other: "
                "no log is kept beside it",
                hint="Restore it with --to latest.",
            )
        return self._way_of(record).restore(chain, destination, server)

    def compile_verify(
        self, chain: Chain, destination: Destination, server: Server, level: VerifyLevel
    ) -> tuple[Step, ...]:
        """Pure: into a scratch server, which is looked at and thrown away."""
        return self._way_of(only_record(chain)).verify(chain, destination, server, level)

    def read_evidence(self, chain: Chain, level: VerifyLevel, outputs: Outputs) -> Evidence:
        """Pure: what the proof found."""
        return self._way_of(only_record(chain)).evidence(chain, level, outputs)

    def recipe(self, job: BackupJob, facts: BackupFacts, server: Server) -> str:
        """Pure: RESTORE.md."""
        databases = facts_module.chosen(facts, job.databases)
        body = self._way(job.method).recipe(job, facts, server, databases)
        return "\n".join((*head(job, server, LABELS[self.family]), *body)) + "\n"

    def _way_of(self, record: BackupRecord) -> Way:
        return self._way(record.method)

    def _way(self, method: str) -> Way:
        for way in self.ways:
            if way.method.name == method:
                return way
        raise UsageError(
            f"{LABELS[self.family]} has no method of backup called {method!r}",
            hint=f"There is: {', '.join(way.method.name for way in self.ways)}.",
        )
