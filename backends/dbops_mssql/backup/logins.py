"""Logins as T-SQL that makes them again with their SIDs and hashes, so that restored databases know their users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbops.model.server import Endpoint
from dbops.readable import Chunks
from dbops.spi import Member, Runtime
from dbops_mssql.quoting import identifier
from dbops_mssql.statement import text

__all__ = ["ARTIFACT", "create", "logins"]

ARTIFACT = "logins.sql"
# Any: rows have the types that the driver gives them.
Row = Mapping[str, Any]


def logins(_arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Iterator[Member]:
    """One stream of statements."""
    with runtime.reader(endpoint.at("master")) as reader:
        rows = reader.dicts(text("backup_logins"))
    yield Member(ARTIFACT, Chunks(f"{line}\n".encode() for row in rows for line in create(row)))


def create(row: Row) -> Iterator[str]:
    """The statements of one login. A hash that may not be read is said, and never left out without a word."""
    name, kind = identifier(str(row["name"])), row["type"]
    database = f"DEFAULT_DATABASE = {identifier(str(row['default_database_name'] or 'master'))}"
    if kind in ("U", "G"):
        yield f"CREATE LOGIN {name} FROM WINDOWS WITH {database};"
    elif kind in ("E", "X"):
        yield f"CREATE LOGIN {name} FROM EXTERNAL PROVIDER WITH {database};"
    elif row["password_hash"] is None:
        yield f"-- {name}: its hash could not be read (CONTROL SERVER); its SID is {row['sid']}".replace("\n", " ")
        return
    else:
        rules = ", ".join(
            f"{word} = {'ON' if row[column] else 'OFF'}"
            for word, column in (("CHECK_POLICY", "is_policy_checked"), ("CHECK_EXPIRATION", "is_expiration_checked"))
        )
        secret = f"PASSWORD = {row['password_hash']} HASHED, SID = {row['sid']}"
        yield f"CREATE LOGIN {name} WITH {secret}, {database}, {rules};"
    if row["is_disabled"]:
        yield f"ALTER LOGIN {name} DISABLE;"
