"""SQL Server as one object: the assembly of its parts, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from dbops.capabilities import Capability, Support
from dbops.model.doctor import Configured, Examined
from dbops.model.server import Endpoint, Server, Session, Version
from dbops.spi import API_VERSION, AccessDriver, BackupDriver, Doors, HealthDriver, Host, Reader
from dbops_mssql import session
from dbops_mssql.probe import probe
from dbops_mssql.support import support

__all__ = ["SQLServer"]


class SQLServer:
    """Implements :class:`dbops.spi.Backend`. The drivers are imported when they are first used."""

    name = "mssql"
    label = "SQL Server"
    api_version = API_VERSION
    url_schemes: tuple[str, ...] = ("mssql",)

    @cached_property
    def access(self) -> AccessDriver:
        """Who may do what."""
        from dbops_mssql.access.driver import SQLServerAccess

        return SQLServerAccess()

    @cached_property
    def backup(self) -> BackupDriver:
        """Can we get it back."""
        from dbops_mssql.backup.driver import SQLServerBackup

        return SQLServerBackup()

    @cached_property
    def health(self) -> HealthDriver:
        """Is it well."""
        from dbops_mssql.health import SQLServerHealth

        return SQLServerHealth()

    @cached_property
    def doors(self) -> Doors:
        """What its own steps name."""
        from dbops_mssql.doors import DOORS

        return DOORS

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
        """The machine reason behind the driver's exception."""
        return session.fault(error)

    def grants(self, jobs: Sequence[str], login: str, version: Version | None = None) -> str:
        """SQL that makes a least-privileged login."""
        from dbops_mssql.grants import grants

        return grants(jobs, login, version)

    def examine(self, reader: Reader, server: Server, host: Host, configured: Configured) -> Examined:
        """What would make a job on this server fail later. No job needs a client program, wherever it lies."""
        from dbops_mssql.doctor import examine

        return examine(reader, server, host, self.backup, configured)
