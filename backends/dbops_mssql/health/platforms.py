"""What is the owner's business and what the service's: SQL Server itself, and what Azure runs of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from dbops.model.finding import Missing
from dbops.model.server import Server
from dbops_mssql import probe

__all__ = ["DATABASE", "MANAGED", "SERVER", "Platform", "Subject", "platform"]

Subject = Literal["backups", "checkdb", "pages", "volumes", "memory", "replicas", "agent", "releases"]


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """:param questions: in place of those of SQL Server, the name of the file behind each; :param without: not asked.
    :param kept: what the service sees to or does not show, and why a check of it does not apply."""

    questions: Mapping[str, str] = {}
    without: frozenset[str] = frozenset()
    kept: Mapping[Subject, str] = {}

    def keeps(self, subject: Subject | None) -> Missing | None:
        """Why a check of ``subject`` does not apply, or None when it does."""
        why = self.kept.get(subject) if subject else None
        return Missing("not_applicable", why) if why else None


_SERVICE: Mapping[Subject, str] = {
    "backups": "the service makes the backups and does not write them into msdb",
    "volumes": "the service keeps the volumes",
    "memory": "the service gives the memory",
    "replicas": "the service keeps the replicas",
    "releases": "the service keeps it up to date",
}
SERVER = Platform()
MANAGED = Platform(
    questions={"logs": "health_logs_managed"},
    without=frozenset({"backups", "volumes", "memory", "replicas", "replica_databases", "repairs"}),
    kept=_SERVICE,
)
DATABASE = Platform(
    questions={
        "rights": "health_rights_azure",
        "databases": "health_databases_azure",
        "catalogue": "health_catalogue_azure",
        "logs": "health_logs_azure",
    },
    without=frozenset(
        {
            "backups",
            "checked",
            "suspects",
            "repairs",
            "volumes",
            "memory",
            "replicas",
            "replica_databases",
            "jobs",
        }
    ),
    kept={
        **_SERVICE,
        "checkdb": "the service checks the pages",
        "pages": "the service checks and repairs the pages",
        "agent": "there is no agent",
    },
)
# By Server.edition; every other edition is SQL Server itself.
_BY_EDITION: Mapping[str, Platform] = {probe.DATABASE: DATABASE, probe.MANAGED_INSTANCE: MANAGED}


def platform(server: Server) -> Platform:
    """The one that a server is of."""
    return _BY_EDITION.get(server.edition, SERVER)
