"""Where the server's log stands, as a later restore beyond this moment will need it."""

from __future__ import annotations

from typing import Any

from dbops.model.server import Version
from dbops_mysql.backup.artifacts import Position
from dbops_mysql.backup.link import Link, ask
from dbops_mysql.backup.log_rate import status_statement
from dbops_mysql.installation import Family

__all__ = ["read"]

# What the two families, and versions of one, call the same thing.
SOURCE = {
    "host": ("Source_Host", "Master_Host"),
    "port": ("Source_Port", "Master_Port"),
    "file": ("Relay_Source_Log_File", "Relay_Master_Log_File"),
    "offset": ("Exec_Source_Log_Pos", "Exec_Master_Log_Pos"),
    "channel": ("Channel_Name", "Connection_name"),
}
GTIDS = {"mysql": "SELECT @@GLOBAL.gtid_executed", "mariadb": "SELECT @@GLOBAL.gtid_binlog_pos"}
REPLICA = {"mysql": "SHOW REPLICA STATUS", "mariadb": "SHOW ALL SLAVES STATUS"}


def read(link: Link, family: Family, version: Version) -> Position:
    """Of a server whose commits are held back, or that had none for a while.

    :raises pymysql.Error: the login may not ask (MySQL REPLICATION CLIENT; MariaDB BINLOG MONITOR, SLAVE MONITOR).
    """
    rows = ask(link, status_statement(family, version))
    file, offset = (str(rows[0][0]), int(rows[0][1])) if rows else ("", 0)
    gtids = str(ask(link, GTIDS[family])[0][0] or "").replace("\n", "")
    return Position(file=file, offset=offset, gtids=gtids, replica=_source(link, family))


def _source(link: Link, family: Family) -> dict[str, str]:
    import pymysql

    try:
        with link.cursor() as cursor:
            cursor.execute(REPLICA[family])
            names = [column[0] for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except pymysql.Error:
        return {}
    # Several channels have a source each: which one a copy should follow is then for a person to decide.
    return _named(rows[0]) if len(rows) == 1 else {}


# Any: the values of a row have the types that the driver gives them.
def _named(row: dict[str, Any]) -> dict[str, str]:
    found = {ours: next((str(row[name]) for name in names if name in row), "") for ours, names in SOURCE.items()}
    return {name: value for name, value in found.items() if value}
