"""What a backend's laws are tried on, and everything that it compiles from that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec

from dbops.capabilities import Capability, supported
from dbops.errors import DbopsError
from dbops.model.backup import BackupFacts, BackupJob, BackupRecord, Chain, Destination, Method, Until, VerifyLevel
from dbops.model.change import Change
from dbops.model.server import Server
from dbops.plan import Call, SecretRef, Sql, Step
from dbops.plan import walk as every_step
from dbops.spi import Backend
from dbops.testing.shape import STANDARD, Quoting

__all__ = ["SECRET", "BackupSample", "Samples"]

SECRET = SecretRef("env:DBOPS_LAW_SECRET")
"""Every reference to a secret in samples: its value is in no output."""

JOBS = ("health", "audit", "backup", "users")
_BACKUPS = (Capability.BACKUP_LOGICAL, Capability.BACKUP_PHYSICAL, Capability.BACKUP_LOGS)
_LEVELS: tuple[VerifyLevel, ...] = ("restore", "full")


class BackupSample(msgspec.Struct, frozen=True, kw_only=True):
    """One backup: what it is planned from, and what the catalogue has of it afterwards.

    :param destinations: where it can be restored to.
    """

    job: BackupJob
    facts: BackupFacts
    record: BackupRecord
    destinations: tuple[Destination, ...] = ()

    @property
    def chain(self) -> Chain:
        """What is restored."""
        return Chain(repository=self.job.repository, records=(self.record,))


class Samples:
    """What the author of a backend fills in.

    :cvar servers: those that the answers of ``support`` are asked for; the first one can do the most.
    :cvar quoting: how the engine quotes names and texts.
    """

    backend: ClassVar[Backend]
    servers: ClassVar[Sequence[Server]]
    quoting: ClassVar[Quoting] = STANDARD

    def changes(self, name: str) -> Sequence[Change]:
        """Every kind of change that this engine has, on principals and objects called ``name``; passwords are
        ``SECRET``."""
        return ()

    def backups(self, name: str) -> Sequence[BackupSample]:
        """One backup by each method, of a database called ``name``."""
        return ()

    def valid(self, name: str) -> bool:
        """Whether the engine allows such a name."""
        return len(name.encode()) <= 63

    def can(self, capability: Capability, server: Server | None) -> bool:
        """Whether ``support`` says yes."""
        return supported(self.backend.support(capability, server))

    def methods(self, server: Server) -> Sequence[Method]:
        """Methods of backup; an engine that has none needs no driver."""
        return self.backend.backup.methods(server) if any(self.can(one, None) for one in _BACKUPS) else ()

    def compiled(self, name: str, server: Server) -> Iterator[tuple[str, str]]:
        """Everything that compiling gives, as text, each with a label."""
        for label, steps in self.steps(name, server):
            yield label, msgspec.json.encode(steps).decode()
        yield from self.statements(name, server)
        for sample in self.backups(name):
            yield "recipe", self.backend.backup.recipe(sample.job, sample.facts, server)

    def steps(self, name: str, server: Server) -> Iterator[tuple[str, tuple[Step, ...]]]:
        """What every sample becomes on a server that supports it."""
        if self.can(Capability.USERS_APPLY, server):
            for change in self.changes(name):
                yield type(change).__name__, self.backend.access.compile((change,), server)
        methods = {method.name for method in self.methods(server)}
        for sample in self.backups(name):
            if sample.job.method in methods:
                yield sample.job.method, self.backend.backup.compile_backup(sample.job, sample.facts, server)
                for number, steps in enumerate(self.restores(sample, server)):
                    yield f"restore of {sample.job.method} {number}", steps

    def restores(self, sample: BackupSample, server: Server) -> Iterator[tuple[Step, ...]]:
        """Bringing one back, everywhere and in every proof."""
        chain, driver = sample.chain, self.backend.backup
        for destination in sample.destinations:
            yield driver.compile_restore(chain, destination, Until(), server)
        if self.can(Capability.VERIFY_RESTORE, server):
            for level in _LEVELS:
                yield driver.compile_verify(chain, Destination(kind="scratch", path="/scratch"), server, level)

    def statements(self, name: str, server: Server) -> Iterator[tuple[str, str]]:
        """Every SQL text in which the name stands."""
        for label, steps in self.steps(name, server):
            for step in every_step(steps):
                if isinstance(step, Sql):
                    yield label, step.text
                    yield f"undo of {label}", step.undo
        if self.can(Capability.USERS_APPLY, server):
            for change in self.changes(name):
                yield f"render {type(change).__name__}", self.backend.access.render(change, server)
        for job in JOBS:
            text = self._login(job, name, server)
            if text is not None:
                yield f"login for {job}", text

    def called(self, name: str, server: Server) -> Iterator[tuple[str, str]]:
        """Every SQL text that a call runs: files in it may be named after what they hold."""
        for label, steps in self.steps(name, server):
            for step in every_step(steps):
                if isinstance(step, Call) and isinstance(sql := step.arguments.get("sql"), str):
                    yield label, sql

    def _login(self, job: str, name: str, server: Server) -> str | None:
        try:
            return self.backend.grants([job], self.login_name(name), server.version)
        except DbopsError:  # not every job needs a login, nor can every name be one
            return None

    def login_name(self, name: str) -> str:
        """A name as somebody writes it who means a login: in quotes where it could be read as more than a name."""
        return name
