"""What the server at hand is: version, edition, and whether it is one of Azure's services."""

from __future__ import annotations

import hashlib
import re

import msgspec

from dbops.errors import Unsupported
from dbops.model.finding import Missing
from dbops.model.server import Server, Version
from dbops.spi import Reader
from dbops_mssql.statement import text

__all__ = ["DATABASE", "MANAGED_INSTANCE", "OLDEST", "RDS", "probe", "version_of"]

OLDEST: Version = (13,)
NEWEST_KNOWN: Version = (16, 0)
DATABASE = "Azure SQL Database"
MANAGED_INSTANCE = "Azure SQL Managed Instance"
RDS = "Amazon RDS"
# SERVERPROPERTY('EngineEdition'); what is not named is SQL Server itself.
# https://learn.microsoft.com/en-us/sql/t-sql/functions/serverproperty-transact-sql
_AZURE = {5: DATABASE, 8: MANAGED_INSTANCE}
_OTHERS = {6: "Azure Synapse", 11: "Azure Synapse serverless", 12: "Microsoft Fabric"}
NAMES = {13: "2016", 14: "2017", 15: "2019", 16: "2022", 17: "2025"}
_64_BIT = re.compile(r"\s*\(64-bit\)$")


class _Found(msgspec.Struct, frozen=True):
    product_version: str
    edition: str
    engine_edition: int
    server_name: str | None
    machine_name: str | None
    collation: str | None
    hadr_enabled: int | None
    windows_logins_only: int | None
    database_collation: str | None
    updateability: str | None
    rds_database: int | None
    login_name: str | None
    database_name: str | None
    sysadmin: int | None


def probe(reader: Reader) -> Server:
    """Azure's services call themselves 12.0 for ever and are kept up to date: they count as the newest release whose
    features all of them have.

    :raises Unsupported: a server older than the oldest that dbops knows, or a service that is no SQL Server.
    """
    [found] = reader.rows(text("probe"), _Found)
    service = _AZURE.get(found.engine_edition, "")
    if found.engine_edition in _OTHERS:
        raise Unsupported(
            f"{_OTHERS[found.engine_edition]} speaks T-SQL and is not one of the servers that dbops knows"
        )
    version = NEWEST_KNOWN if service else version_of(found.product_version)
    if version < OLDEST:
        raise Unsupported(f"SQL Server {found.product_version} is older than 2016 (13.0), the oldest that dbops knows")
    return Server(
        engine="mssql",
        version=version,
        version_text=found.product_version if service else _text(version),
        role="standby" if found.updateability == "READ_ONLY" else "primary",
        incarnation=_incarnation(found),
        edition=service or _64_BIT.sub("", found.edition),
        user=found.login_name or "",
        superuser=found.sysadmin == 1,
        database=found.database_name or "",
        settings=_settings(found),
    )


def version_of(product: str) -> Version:
    """``16.0.4135.4`` as numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", product))


def _text(version: Version) -> str:
    """As people say it, with the build that tells what is patched: ``2022 (16.0.4135.4)``."""
    build = ".".join(map(str, version))
    return f"{NAMES[version[0]]} ({build})" if version[0] in NAMES else build


def _incarnation(found: _Found) -> str | Missing:
    """The machine's and the instance's name, which no two running servers share: an instance has no number of its own.
    What a restored database carries with it is in its backups."""
    if not found.server_name:
        return Missing("not_supported_version", "the server does not say its name")
    place = f"{found.machine_name or ''}\0{found.server_name}".casefold()
    return hashlib.sha256(place.encode()).hexdigest()[:32]


def _settings(found: _Found) -> dict[str, str]:
    known = {
        "product_version": found.product_version,
        "collation": found.collation,
        "database_collation": found.database_collation,
        "server_name": found.server_name,
        "hadr": "on" if found.hadr_enabled else "off",
        "authentication": "windows" if found.windows_logins_only else "mixed",
        "managed_by": RDS if found.rds_database is not None else "",
    }
    return {name: value for name, value in known.items() if value}
