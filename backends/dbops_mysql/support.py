"""What dbops can ask of which MySQL, as data; the capability matrix is made from it. MariaDB's is beside its class."""

from __future__ import annotations

from collections.abc import Mapping

from dbops.capabilities import FULL, Capability, Impossible, NotImplementedYet, Since, Support
from dbops.model.server import Server

__all__ = ["MYSQL", "Table", "support"]

Table = Mapping[Capability, Support]

MYSQL: Table = {
    Capability.HEALTH: FULL,
    Capability.ACCESS_INSPECT: FULL,
    Capability.ACCESS_USABLE: FULL,
    Capability.ACCESS_COLUMNS: FULL,
    Capability.ACCESS_DEFAULTS: Impossible("there are no default privileges: a grant on a database covers new objects"),
    Capability.ACCESS_ROW_SECURITY: Impossible("there is no row-level security"),
    Capability.USERS_APPLY: FULL,
    Capability.USERS_ROTATE: FULL,
    Capability.USERS_TWO_PASSWORDS: Since("8.0.14"),
    Capability.USERS_TRANSACTIONAL: Impossible("every statement about accounts commits by itself"),
    Capability.USERS_HASHES: NotImplementedYet("stored passwords are carried over between SQL Servers alone"),
    Capability.BACKUP_LOGICAL: FULL,
    Capability.BACKUP_PHYSICAL: FULL,
    Capability.RESTORE_LOGICAL: FULL,
    Capability.RESTORE_PHYSICAL: FULL,
    Capability.VERIFY_RESTORE: FULL,
    Capability.VERIFY_FINGERPRINTS: FULL,
    Capability.BACKUP_INCREMENTAL: NotImplementedYet("incremental physical backups"),
    Capability.BACKUP_LOGS: NotImplementedYet("receiving and archiving binary logs"),
    Capability.RESTORE_PITR: NotImplementedYet("needs archived binary logs"),
}
_NO_FILES = Impossible("a managed service does not hand out its files")
_WITHOUT_FILES = {Capability.BACKUP_PHYSICAL, Capability.BACKUP_INCREMENTAL}
_WRITES = {Capability.USERS_APPLY, Capability.USERS_ROTATE, Capability.USERS_TWO_PASSWORDS}


def support(table: Table, label: str, capability: Capability, server: Server | None) -> Support:
    """Total: every capability, for every server and for the engine in general."""
    general = table[capability]
    if server is None or isinstance(general, Impossible | NotImplementedYet):
        return general
    if server.edition and capability in _WITHOUT_FILES:
        return _NO_FILES
    if server.role == "standby" and capability in _WRITES:
        return Impossible("the server is read only: use its source")
    if isinstance(general, Since) and server.version < tuple(map(int, general.version.split("."))):
        return Impossible(f"{label} {server.version_text} cannot; {general.version} can")
    return general
