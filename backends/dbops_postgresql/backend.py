"""PostgreSQL as one object: the assembly of its parts, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TypeVar

from dbops.capabilities import Capability, Support
from dbops.errors import UsageError
from dbops.model.doctor import Examined
from dbops.model.server import Endpoint, Server, Session, Version
from dbops.plan import FromServer, Opening, Probe, Seal, Value
from dbops.spi import (
    API_VERSION,
    AccessDriver,
    BackupDriver,
    HealthDriver,
    Host,
    Member,
    Reader,
    Runtime,
)
from dbops_postgresql import session
from dbops_postgresql.probe import probe
from dbops_postgresql.support import support

__all__ = ["PostgreSQL"]

T = TypeVar("T")


class PostgreSQL:
    """Implements :class:`dbops.spi.Backend`. The drivers are imported when they are first used."""

    name = "postgresql"
    label = "PostgreSQL"
    api_version = API_VERSION
    url_schemes: tuple[str, ...] = ("postgresql", "postgres")

    @cached_property
    def access(self) -> AccessDriver:
        """Who may do what."""
        from dbops_postgresql.access import PostgreSQLAccess

        return PostgreSQLAccess()

    @cached_property
    def backup(self) -> BackupDriver:
        """Can we get it back."""
        from dbops_postgresql.backup import PostgreSQLBackup

        return PostgreSQLBackup()

    @cached_property
    def health(self) -> HealthDriver:
        """Is it well."""
        from dbops_postgresql.health import PostgreSQLHealth

        return PostgreSQLHealth()

    def support(self, capability: Capability, server: Server | None) -> Support:
        """Total."""
        return support(capability, server)

    def probe(self, reader: Reader) -> Server:
        """What is there."""
        return probe(reader)

    def session(self, endpoint: Endpoint, *, read_only: bool, timeout_s: float) -> Session:
        """How to connect."""
        return session.session(endpoint, read_only=read_only, timeout_s=timeout_s)

    def fault(self, error: BaseException) -> str:
        """The machine reason behind psycopg's exception."""
        return session.fault(error)

    def grants(self, jobs: Sequence[str], login: str, version: Version | None = None) -> str:
        """SQL that makes a least-privileged login."""
        from dbops_postgresql.grants import grants

        return grants(jobs, login, version[0] if version else None)

    def examine(self, reader: Reader, server: Server, host: Host, places: Sequence[str]) -> Examined:
        """What would make a job on this server fail later."""
        from dbops_postgresql.doctor import examine

        return examine(reader, server, host, places)

    def open(
        self, source: FromServer, arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime
    ) -> Iterator[Member]:
        """The streams of a source."""
        from dbops_postgresql.doors import STREAMS

        return _door(STREAMS, source.stream, "stream")(arguments, endpoint, runtime)

    def seal(self, seal: Seal, runtime: Runtime) -> str:
        """What the server stores for a password, as an SQL literal."""
        from dbops_postgresql.scram import seal as scram

        return scram(seal, runtime)

    def probe_until(self, probe: Probe, arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> bool:
        """One asking."""
        from dbops_postgresql.doors import PROBES

        return _door(PROBES, probe.what, "probe")(arguments, endpoint, runtime)

    def hold(
        self, opening: Opening, arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime
    ) -> AbstractContextManager[tuple[Mapping[str, Value], Endpoint | None]]:
        """Something kept open."""
        from dbops_postgresql.doors import HOLDS

        return _door(HOLDS, opening.what, "opening")(arguments, endpoint, runtime)

    def call(
        self, operation: str, arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime
    ) -> Mapping[str, Value]:
        """An operation of PostgreSQL's own."""
        from dbops_postgresql.doors import CALLS

        return _door(CALLS, operation, "operation")(arguments, endpoint, runtime)


def _door(table: Mapping[str, T], word: str, kind: str) -> T:
    if word not in table:
        raise UsageError(f"PostgreSQL has no {kind} called {word!r}", hint="The plan was made by another version.")
    return table[word]
