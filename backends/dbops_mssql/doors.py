"""Which word of a step opens which door: a table for each, of functions of the modules that own them."""

from __future__ import annotations

from dbops.spi import Doors
from dbops_mssql.backup import fingerprint, logins, running, standing
from dbops_mssql.users import doors as users
from dbops_mssql.users import passwords

__all__ = ["DOORS"]

DOORS = Doors(
    streams={
        "logins": logins.logins,
    },
    holds={
        "new_database": running.new_database,
        "open_database": standing.open_database,
        "users_lock": users.users_lock,
    },
    calls={
        "backup.run": running.back_up,
        "end_sessions": users.end_sessions,
        "fingerprints.measure": fingerprint.measure_call,
        "fingerprints.unchanged": fingerprint.unchanged_call,
        "generate_password": users.generate_password,
        "keep_hash": users.keep_hash,
        "proof.check": running.check,
        "proof.fingerprints": fingerprint.compare_call,
        "restore.run": running.restore,
    },
    seal=passwords.seal,
)
