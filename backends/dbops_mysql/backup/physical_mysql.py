"""MySQL's physical backup. It has no program for that: Percona's does it where it is installed, and otherwise the
server itself makes a copy by CLONE, from which the files are streamed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from dbops.model.backup import BackupFacts, BackupJob, Made, Method, Outputs
from dbops.model.server import Server, Tool
from dbops.plan import FromServer, Hold, Need, Opening, Ref, Risk, Step, Value
from dbops_mysql.backup import clone, copy_recipe
from dbops_mysql.backup.artifacts import Position
from dbops_mysql.backup.copied import Copied
from dbops_mysql.backup.facts import About, Database
from dbops_mysql.backup.files import Files, Questions
from dbops_mysql.backup.log_range import range_of
from dbops_mysql.backup.physical import COPY, NAME, Physical, counted, few, files_of, finished, settings_of
from dbops_mysql.backup.way import store

__all__ = ["MySQLPhysical"]

CLONE = "clone"
INSTALL = "INSTALL PLUGIN clone SONAME 'mysql_clone.so'"
CLONE_SINCE = (8, 0, 17)
DDL_SINCE = (8, 0, 27)


class MySQLPhysical(Physical):
    """xtrabackup where it is installed, CLONE otherwise."""

    family = "mysql"
    method = Method(
        name=NAME,
        kind="physical",
        title="xtrabackup of the whole server where it is installed, otherwise CLONE into a directory beside it",
        needs=("dbops on the server's machine, as its user or root", "BACKUP_ADMIN, and the plugin clone"),
    )
    questions = Questions("copy_outside_mysql", "copy_encrypted_mysql", "copy_only_innodb")
    rights = (("BACKUP_ADMIN",), ("PROCESS",))
    # https://docs.percona.com/percona-xtrabackup/8.4/privileges.html
    percona: ClassVar[Sequence[tuple[str, ...]]] = (("RELOAD",), ("LOCK TABLES",), ("REPLICATION CLIENT",))

    def rights_for(self, found: BackupFacts) -> Sequence[tuple[str, ...]]:
        """The program needs some more."""
        return (*self.rights, *self.percona) if _program(found) else self.rights

    def missing(self, found: BackupFacts, files: Files, server: Server) -> list[str]:
        """For CLONE: the plugin, somebody who may remove what the server makes, and nothing that it would leave out."""
        if _program(found):
            return []
        reasons = _clone_missing(files, server)
        if not files.unreadable and files.user not in ("root", files.owner):
            reasons.append(f"the clone belongs to {files.owner}: run dbops as {files.owner} or as root")
        if files.outside:
            reasons.append(f"CLONE cannot copy what is outside of the data directory: {few(files.outside)}")
        if files.left_empty:
            reasons.append(
                f"CLONE copies InnoDB alone, and these tables would come back empty: {few(files.left_empty)}"
            )
        return reasons

    def remarks(self, found: BackupFacts, about: About, server: Server) -> tuple[str, ...]:
        """That CLONE needs room, and what it holds up."""
        said = list(super().remarks(found, about, server))
        files = files_of(found)
        if not _program(found):
            if isinstance(files.bytes, int) and isinstance(files.free_bytes, int) and files.free_bytes < files.bytes:
                said.append("CLONE makes a whole copy first, and beside the data directory there is no room for it.")
            if server.version < DDL_SINCE or files.settings.get("clone_block_ddl") == "ON":
                said.append("While CLONE works, every CREATE, ALTER, DROP and TRUNCATE of a table waits.")
        return tuple(said)

    def steps(self, job: BackupJob, facts: BackupFacts, server: Server) -> tuple[Step, ...]:  # noqa: ARG002
        """The configuration, then the files."""
        return self.streamed(job, facts) if _program(facts) else self._cloned(job, facts)

    def _cloned(self, job: BackupJob, facts: BackupFacts) -> tuple[Step, ...]:
        files = files_of(facts)
        need = files.bytes if isinstance(files.bytes, int) else 0
        staging = job.staging or str(Path(files.datadir).parent)
        opening: dict[str, Value] = {"staging": staging, "owner": files.owner, "need_bytes": need}
        source = FromServer(stream="directory", arguments={"path": Ref(CLONE, "path")})
        return (
            self.configuration(job),
            Hold(
                id=CLONE,
                summary=f"let the server copy itself into a new directory in {staging}",
                risk=Risk.READ,
                opening=Opening(what="clone", arguments=opening),
                steps=(store(job, COPY, "store that copy", source, clone.BASE),),
                close="remove that directory",
                needs=(
                    Need(kind="right", name="BACKUP_ADMIN", fix="dbops grants mysql --for backup"),
                    Need(kind="space", name=str(need)),
                ),
            ),
        )

    def made(self, job: BackupJob, facts: BackupFacts, server: Server, outputs: Outputs) -> Made:
        """From the program's notes, or from what the server said before and after CLONE."""
        if CLONE not in outputs:
            return self.made_streamed(job, facts, server, outputs)
        said = {**outputs[CLONE], **outputs.get(COPY, {})}
        before, after = (_logs(said.get(word)) for word in ("before", "after"))
        copied = Copied(
            how="clone",
            artifact=clone.BASE,
            version=server.version,
            lsn={"from_lsn": 0, **({"to_lsn": before.lsn} if before.lsn else {})},
            **counted(said, facts),
        )
        log = range_of(before.position, after.position)
        return finished(job, self.contents(facts, copied, ()), said, log, {})

    def recipe(
        self,
        job: BackupJob,
        facts: BackupFacts,
        server: Server,
        databases: Sequence[Database],  # noqa: ARG002
    ) -> list[str]:
        """Unpack, prepare where it is needed, start."""
        settings = settings_of(facts)
        if _program(facts):
            return copy_recipe.recipe_streamed(job, settings, server, self.family)
        return copy_recipe.recipe_cloned(job, settings, server)


class _Logs(msgspec.Struct, frozen=True):
    position: Position | None = None
    lsn: int = 0


class _Binlog(msgspec.Struct, frozen=True):
    gtid_executed: str = ""
    binary_log_file: str = ""
    binary_log_position: int = 0


class _InnoDB(msgspec.Struct, frozen=True):
    lsn: int = msgspec.field(default=0, name="LSN")


class _Engines(msgspec.Struct, frozen=True):
    innodb: _InnoDB = msgspec.field(default=_InnoDB(), name="InnoDB")


def _program(facts: BackupFacts) -> bool:
    return isinstance(facts.tools.get("copy"), Tool)


def _clone_missing(files: Files, server: Server) -> list[str]:
    """The plugin, with the statement that brings it."""
    if server.version < CLONE_SINCE:
        return [f"MySQL {server.version_text} has no CLONE (8.0.17 has), and xtrabackup was not found on this machine"]
    plugin = files.plugin("clone")
    if plugin is None:
        return [f"xtrabackup was not found on this machine, and the plugin clone is not installed: {INSTALL}"]
    off = f"the plugin clone is {plugin.status}: start the server with --clone=ON"
    return [] if plugin.status == "ACTIVE" else [off]


def _logs(said: object) -> _Logs:
    """What performance_schema.log_status said, once in its own JSON within ours."""
    if not said:
        return _Logs()
    both = msgspec.json.decode(str(said), type=clone.Logs)
    binlog = msgspec.json.decode(both.binlog, type=_Binlog)
    engines = msgspec.json.decode(both.engines, type=_Engines)
    position = Position(
        file=binlog.binary_log_file,
        offset=binlog.binary_log_position,
        gtids="".join(binlog.gtid_executed.split()),
    )
    return _Logs(position if position.file else None, engines.innodb.lsn)
