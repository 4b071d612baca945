"""MySQL as one object: the assembly of its parts, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

from dbops.capabilities import Capability, Support
from dbops.model.doctor import Configured, Examined
from dbops.model.server import Endpoint, Server, Session, Version
from dbops.spi import API_VERSION, AccessDriver, BackupDriver, Doors, HealthDriver, Host, Reader
from dbops_mysql import session
from dbops_mysql.installation import Family
from dbops_mysql.probe import probe
from dbops_mysql.support import MYSQL, Table, support

__all__ = ["MySQL"]


class MySQL:
    """Implements :class:`dbops.spi.Backend`. The drivers are imported when they are first used."""

    name = "mysql"
    label = "MySQL"
    api_version = API_VERSION
    url_schemes: tuple[str, ...] = ("mysql",)
    family: ClassVar[Family] = "mysql"
    table: ClassVar[Table] = MYSQL

    @cached_property
    def access(self) -> AccessDriver:
        """Who may do what."""
        from dbops_mysql.access.driver import MySQLAccess

        return MySQLAccess()

    @cached_property
    def backup(self) -> BackupDriver:
        """Can we get it back."""
        from dbops_mysql.backup import MySQLBackup

        return MySQLBackup()

    @cached_property
    def health(self) -> HealthDriver:
        """Is it well."""
        from dbops_mysql.health import MySQLHealth

        return MySQLHealth()

    @cached_property
    def doors(self) -> Doors:
        """What its own steps name."""
        from dbops_mysql.doors import DOORS

        return DOORS

    def support(self, capability: Capability, server: Server | None) -> Support:
        """Total."""
        return support(self.table, self.label, capability, server)

    def probe(self, reader: Reader) -> Server:
        """What is there: MySQL or MariaDB, whichever of the two was asked."""
        return probe(reader)

    def session(self, endpoint: Endpoint, *, read_only: bool, timeout_s: float) -> Session:
        """How to connect."""
        return session.session(endpoint, read_only=read_only, timeout_s=timeout_s)

    def fault(self, error: BaseException) -> str:
        """The machine reason behind PyMySQL's exception."""
        return session.fault(error)

    def grants(self, jobs: Sequence[str], login: str, version: Version | None = None) -> str:
        """SQL that makes a least-privileged login."""
        from dbops_mysql.grants import grants

        return grants(self.name, jobs, login, version)

    def examine(self, reader: Reader, server: Server, host: Host, configured: Configured) -> Examined:
        """What would make a job on this server fail later."""
        from dbops_mysql.doctor import Doctor

        return Doctor(self.family, self.backup).examine(reader, server, host, configured.programs)
