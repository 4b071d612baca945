"""What the server at hand is: version, role, incarnation, and whether somebody else manages it."""

from __future__ import annotations

from importlib.resources import files

import msgspec

from dbops.errors import DbopsError, Unsupported
from dbops.model.finding import Missing
from dbops.model.server import Server, Version
from dbops.spi import Reader

__all__ = ["OLDEST", "probe", "version_of"]

OLDEST = 13


class _Found(msgspec.Struct, frozen=True):
    number: int
    text: str
    banner: str
    standby: bool
    incarnation: str
    login: str
    superuser: bool
    database: str
    rds: bool
    cloudsql: bool
    azure: bool


def probe(reader: Reader) -> Server:
    """:raises Unsupported: a server older than the oldest that dbops knows."""
    number = int(reader.scalar("SHOW server_version_num"))
    if number < OLDEST * 10000:
        raise Unsupported(f"PostgreSQL {number // 10000} is older than {OLDEST}, the oldest that dbops knows")
    sql = files("dbops_postgresql").joinpath("sql/probe.sql").read_text(encoding="utf-8")
    try:
        found = reader.rows(sql, _Found)[0]
    except DbopsError as error:
        if error.reason != "no_permission":
            raise
        # A managed service or a careful owner may have taken the control file away; the rest is still to be had.
        identifier = "(SELECT system_identifier::text FROM pg_catalog.pg_control_system())"
        found = reader.rows(sql.replace(identifier, "''"), _Found)[0]
    return _server(found)


def version_of(number: int) -> Version:
    """``150018`` as ``(15, 18)``."""
    return (number // 10000, number % 10000)


def _server(found: _Found) -> Server:
    managed = {"Amazon RDS": found.rds, "Cloud SQL": found.cloudsql, "Azure": found.azure}
    return Server(
        engine="postgresql",
        version=version_of(found.number),
        version_text=found.text.split(" ")[0],
        role="standby" if found.standby else "primary",
        incarnation=found.incarnation or Missing("no_permission", "EXECUTE on pg_control_system() is needed"),
        edition=next((name for name, present in managed.items() if present), ""),
        user=found.login,
        superuser=found.superuser,
        database=found.database,
        settings={"version": found.banner},
    )
