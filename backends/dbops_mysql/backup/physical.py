"""The way of ``physical``: the files of the whole server, and of InnoDB's log what belongs to them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, cast

import msgspec

from dbops.model.backup import (
    BackupFacts,
    BackupJob,
    Blocker,
    Chain,
    Destination,
    Evidence,
    LogRange,
    Made,
    Method,
    Outputs,
    VerifyLevel,
)
from dbops.model.server import Server, Tool
from dbops.plan import FromServer, Json, Step, Value
from dbops.spi import Host, Reader
from dbops_mysql.backup import copy_restore, copying
from dbops_mysql.backup import facts as facts_module
from dbops_mysql.backup import files as files_module
from dbops_mysql.backup.artifacts import Contents
from dbops_mysql.backup.configuration import CONFIGURATION
from dbops_mysql.backup.copied import Copied, locks
from dbops_mysql.backup.facts import About, Database
from dbops_mysql.backup.files import Files, Questions
from dbops_mysql.backup.log_range import position_of, range_of
from dbops_mysql.backup.objects import decode
from dbops_mysql.backup.programs import PROGRAMS
from dbops_mysql.backup.rights import lacking
from dbops_mysql.backup.way import store
from dbops_mysql.installation import Family
from dbops_mysql.tools import required

__all__ = ["COPY", "NAME", "Physical", "counted", "few", "files_of", "finished", "settings_of"]

NAME = "physical"
COPY = "copy"
NAMED = 5
KEYS = re.compile(r"ENCRYPTION|keyring|key_management", re.IGNORECASE)


class Physical(ABC):
    """Implements :class:`dbops_mysql.backup.way.Way`; what a family does otherwise is its own class."""

    family: ClassVar[Family]
    method: Method
    questions: ClassVar[Questions]
    rights: ClassVar[Sequence[tuple[str, ...]]]

    def look(self, found: BackupFacts, reader: Reader, host: Host) -> BackupFacts:
        """Where the server's files are, and how large: that counts for the whole of it, with undo and all."""
        files = files_module.inspect(reader, host, self.questions)
        extra = {**found.extra, "files": cast(Json, msgspec.to_builtins(files))}
        total = files.bytes if isinstance(files.bytes, int) else found.total_bytes
        return msgspec.structs.replace(found, extra=extra, total_bytes=total)

    def blockers(self, found: BackupFacts, about: About, server: Server) -> tuple[Blocker, ...]:
        """Files that cannot be read from here, programs and rights that are missing, what would be left out."""
        files = files_of(found)
        reasons = [files.unreadable] if files.unreadable else []
        if missing := lacking(frozenset(about.rights), self.rights_for(found)):
            said = f"{server.user} lacks {', '.join(missing)} on *.*"
            reasons.append(f"{said}: run what `dbops grants {self.family} --for backup` prints")
        reasons += self.missing(found, files, server)
        return tuple(Blocker(method=self.method.name, reason=reason) for reason in reasons)

    def rights_for(self, found: BackupFacts) -> Sequence[tuple[str, ...]]:  # noqa: ARG002
        """Global privileges, each a choice of which one is needed."""
        return self.rights

    @abstractmethod
    def missing(self, found: BackupFacts, files: Files, server: Server) -> list[str]:
        """What else keeps it from working."""

    def remarks(self, found: BackupFacts, about: About, server: Server) -> tuple[str, ...]:  # noqa: ARG002
        """What is encrypted, and what lies elsewhere."""
        files, said = files_of(found), list[str]()
        if files.encrypted:
            said.append(f"{len(files.encrypted)} tablespaces are encrypted: a copy is of no use without their keys.")
        if not about.binlog:
            said.append("The server writes no binary log, so nothing after the moment of the copy can be brought back.")
        return tuple(said)

    @abstractmethod
    def steps(self, job: BackupJob, facts: BackupFacts, server: Server) -> tuple[Step, ...]:
        """The steps of one backup."""

    @abstractmethod
    def made(self, job: BackupJob, facts: BackupFacts, server: Server, outputs: Outputs) -> Made:
        """What it turned out to be."""

    def restore(self, chain: Chain, destination: Destination, server: Server) -> tuple[Step, ...]:  # noqa: ARG002
        """Into a new directory."""
        return copy_restore.restore(chain, destination, self.family)

    def verify(
        self,
        chain: Chain,
        destination: Destination,
        server: Server,  # noqa: ARG002
        level: VerifyLevel,
    ) -> tuple[Step, ...]:
        """In a scratch directory."""
        return copy_restore.verify(chain, destination, self.family, level)

    def evidence(self, chain: Chain, level: VerifyLevel, outputs: Outputs) -> Evidence:  # noqa: ARG002
        """What the proof found."""
        return copy_restore.evidence(chain, outputs)

    @abstractmethod
    def recipe(self, job: BackupJob, facts: BackupFacts, server: Server, databases: Sequence[Database]) -> list[str]:
        """The lines of RESTORE.md after its head."""

    def configuration(self, job: BackupJob) -> Step:
        """Stored first: it is small, and a login that may not read it is found out early."""
        source = FromServer(stream="configuration", arguments={"family": self.family})
        return store(job, "configuration", "keep the settings and plugins, which a copy lacks", source, CONFIGURATION)

    def contents(self, facts: BackupFacts, copied: Copied, notes: Sequence[str]) -> Contents:
        """The manifest's own facts."""
        return Contents(
            about=facts_module.about(facts),
            databases=facts_module.databases(facts),
            settings=settings_of(facts),
            copied=copied,
            notes=(*notes, *_notes(files_of(facts))),
        )

    def streamed(self, job: BackupJob, facts: BackupFacts) -> tuple[Step, ...]:
        """The files by the family's program.

        :raises ToolFailed: it is missing, or of another series.
        """
        tool = required(self.family, "copy", facts.tools.get("copy"))
        arguments: dict[str, Value] = {
            "family": self.family, "tool": tool.path, "datadir": files_of(facts).datadir, "parallel": job.parallel,
        }  # fmt: skip
        source = FromServer(stream="copy", arguments=arguments)
        summary = f"copy the server's files and their log by {PROGRAMS[self.family].name}"
        return self.configuration(job), store(job, COPY, summary, source, copying.BASE)

    def made_streamed(self, job: BackupJob, facts: BackupFacts, server: Server, outputs: Outputs) -> Made:
        """From what the program noted."""
        said, name = outputs.get(COPY, {}), PROGRAMS[self.family].name
        tool = facts.tools.get("copy")
        version = ".".join(map(str, tool.version)) if isinstance(tool, Tool) else ""
        held = msgspec.json.decode(str(said["held"]), type=dict[str, float])
        copied = Copied(
            how=name,
            artifact=copying.BASE,
            version=server.version,
            lsn=copying.lsn_of(str(said["checkpoints"])),
            held_s=held,
            **counted(said, facts),
        )
        position = position_of(str(said["binlog_info"]))
        contents = self.contents(facts, copied, locks(held))
        contents = msgspec.structs.replace(contents, position=position, program=version)
        return finished(job, contents, said, range_of(position, position), {name: version})


def files_of(facts: BackupFacts) -> Files:
    """The way's own facts, read back."""
    return msgspec.convert(facts.extra["files"], type=Files)


def settings_of(facts: BackupFacts) -> dict[str, str]:
    """What the server is set to, as far as it was asked."""
    known = {name: value for name, value in facts.settings.items() if isinstance(value, str)}
    return {**known, **files_of(facts).settings}


# Any: arguments of Copied, by their names.
def counted(said: Mapping[str, object], facts: BackupFacts) -> dict[str, Any]:
    """What the steps counted, and what the files were."""
    files = files_of(facts)
    return {
        "files": int(str(said["files"])),
        "bytes": int(str(said["file_bytes"])),
        "objects": decode(said.get("objects")),
        "encrypted": len(files.encrypted),
        "keys": tuple(one.name for one in files.plugins if KEYS.search(f"{one.type} {one.name}")),
        "outside": files.outside,
    }


def finished(
    job: BackupJob,
    contents: Contents,
    said: Mapping[str, object],
    log: LogRange | None,
    tools: dict[str, str],
) -> Made:
    """Of the whole server."""
    frozen = said.get("frozen_at")
    return Made(
        consistent_at=datetime.fromisoformat(frozen) if isinstance(frozen, str) else job.started_at,
        databases=tuple(one.name for one in contents.databases),
        log=log,
        tools=tools,
        notes=contents.notes,
        extra=cast("dict[str, Json]", msgspec.to_builtins(contents)),
    )


def few(names: Sequence[str]) -> str:
    """The first ones."""
    more = f" … and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _notes(files: Files) -> list[str]:
    notes = ["the server's own configuration is not in the copy: configuration.json has what was set"]
    if files.encrypted:
        notes.append(f"{len(files.encrypted)} tablespaces are encrypted: without the keys they cannot be opened")
    if files.outside:
        notes.append(f"these were outside of the data directory and come back inside: {few(files.outside)}")
    return notes
