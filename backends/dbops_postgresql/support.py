"""What dbops can ask of which PostgreSQL, as data; the capability matrix is made from it."""

from __future__ import annotations

from dbops.capabilities import FULL, Capability, Impossible, NotImplementedYet, Since, Support
from dbops.model.server import Server

__all__ = ["support"]

_TABLE: dict[Capability, Support] = {
    Capability.HEALTH: FULL,
    Capability.ACCESS_INSPECT: FULL,
    Capability.ACCESS_USABLE: FULL,
    Capability.ACCESS_COLUMNS: FULL,
    Capability.ACCESS_DEFAULTS: FULL,
    Capability.ACCESS_ROW_SECURITY: FULL,
    Capability.USERS_APPLY: FULL,
    Capability.USERS_TRANSACTIONAL: FULL,
    Capability.USERS_ROTATE: FULL,
    Capability.USERS_TWO_PASSWORDS: Impossible("a role has one password"),
    Capability.USERS_HASHES: NotImplementedYet("stored passwords are carried over between SQL Servers alone"),
    Capability.BACKUP_LOGICAL: FULL,
    Capability.BACKUP_PHYSICAL: FULL,
    Capability.BACKUP_INCREMENTAL: NotImplementedYet("UPLOAD_MANIFEST and pg_combinebackup (17+)"),
    Capability.BACKUP_LOGS: NotImplementedYet("receiving and archiving WAL"),
    Capability.RESTORE_LOGICAL: FULL,
    Capability.RESTORE_PHYSICAL: FULL,
    Capability.RESTORE_PITR: NotImplementedYet("needs archived WAL"),
    Capability.VERIFY_RESTORE: FULL,
    Capability.VERIFY_FINGERPRINTS: FULL,
}
_NO_FILES = Impossible("a managed service hands out neither replication connections nor its files")
_WITHOUT_FILES = {Capability.BACKUP_PHYSICAL, Capability.BACKUP_INCREMENTAL, Capability.BACKUP_LOGS}
_WRITES = {Capability.USERS_APPLY, Capability.USERS_TRANSACTIONAL, Capability.USERS_ROTATE}


def support(capability: Capability, server: Server | None) -> Support:
    """Total: every capability, for every server and for the engine in general."""
    general = _TABLE[capability]
    if server is None:
        return general
    if server.edition and capability in _WITHOUT_FILES:
        return _NO_FILES
    if server.role == "standby" and capability in _WRITES:
        return Impossible("a standby takes no changes: use the primary")
    if isinstance(general, Since) and server.major < int(general.version):
        return Impossible(f"PostgreSQL {server.major} cannot; {general.version} can")
    return general
