"""What the server at hand is: MySQL or MariaDB, version, role, incarnation, and whether somebody else manages it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

import msgspec

from dbops.errors import Unsupported
from dbops.model.finding import Missing
from dbops.model.server import Server, Version
from dbops.spi import Reader
from dbops_mysql.statement import text

__all__ = ["OLDEST", "SKIPPED_GRANTS", "probe", "skips_grants", "version_of"]

OLDEST: dict[str, Version] = {"mysql": (8, 0), "mariadb": (10, 6)}
LABELS = {"mysql": "MySQL", "mariadb": "MariaDB"}
SKIPPED_GRANTS = "skip-grants user"
"""Who everybody is on a MySQL that was started with ``skip-grant-tables``."""
NOBODY = "@"
"""The same on MariaDB. An anonymous account has a host, or ``%``."""

_NUMBER = re.compile(r"(?:5\.5\.5-)?(\d+)\.(\d+)\.(\d+)")


class _Found(msgspec.Struct, frozen=True):
    banner: str
    login: str
    current_schema: str | None
    superuser: bool


def probe(reader: Reader) -> Server:
    """:raises Unsupported: a server older than the oldest that dbops knows."""
    found = reader.rows(text("probe"), _Found)[0]
    settings = {str(name): str(value) for name, value in reader.tuples(text("probe_variables"))}
    engine = "mariadb" if "mariadb" in f"{found.banner} {settings.get('version_comment', '')}".lower() else "mysql"
    version = version_of(found.banner)
    if version < OLDEST[engine]:
        oldest = ".".join(map(str, OLDEST[engine]))
        raise Unsupported(f"{LABELS[engine]} {found.banner} is older than {oldest}, the oldest that dbops knows")
    server = Server(
        engine=engine,
        version=version,
        version_text=".".join(map(str, version)),
        role="standby" if settings.get("read_only") in ("ON", "NO_LOCK", "NO_LOCK_NO_ADMIN") else "primary",
        incarnation=_incarnation(settings),
        edition=_edition(found.banner, settings),
        user=found.login,
        superuser=found.superuser,
        database=found.current_schema or "",
        settings={**settings, "version": found.banner},
    )
    return msgspec.structs.replace(server, superuser=True) if skips_grants(server) else server


def skips_grants(server: Server) -> bool:
    """Nobody is asked who he is, and everybody may do everything (``skip-grant-tables``)."""
    return server.user.startswith(SKIPPED_GRANTS) or server.user == NOBODY


def version_of(banner: str) -> Version:
    """``10.11.19-MariaDB-0+deb12u1`` as ``(10, 11, 19)``; old replication puts ``5.5.5-`` in front of MariaDB's."""
    match = _NUMBER.match(banner)
    return tuple(int(part) for part in match.groups()) if match else ()


def _incarnation(settings: Mapping[str, str]) -> str | Missing:
    """``server_uuid``, which lies in the data directory. MariaDB has nothing of the kind: the machine's name and the
    data directory stand for it, which no two running servers share."""
    if settings.get("server_uuid"):
        return settings["server_uuid"]
    if not settings.get("datadir"):
        return Missing("no_permission", "neither server_uuid nor datadir can be read")
    place = f"{settings.get('hostname', '')}\0{settings['datadir']}"
    return hashlib.sha256(place.encode()).hexdigest()[:32]


def _edition(banner: str, settings: Mapping[str, str]) -> str:
    """Who manages the server, or the build that is not the plain one."""
    if settings.get("aurora_version"):
        return "Amazon Aurora"
    if settings.get("basedir", "").startswith("/rdsdbbin"):
        return "Amazon RDS"
    if "-google" in banner:
        return "Cloud SQL"
    if "azure" in f"{banner} {settings.get('version_comment', '')}".lower():
        return "Azure"
    return ""
