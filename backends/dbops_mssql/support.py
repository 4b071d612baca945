"""What dbops can ask of which SQL Server, as data; the capability matrix is made from it."""

from __future__ import annotations

from dbops.capabilities import FULL, Capability, Impossible, NotImplementedYet, Support
from dbops.model.server import Server
from dbops_mssql.probe import DATABASE, MANAGED_INSTANCE, RDS

__all__ = ["support"]

_TABLE: dict[Capability, Support] = {
    Capability.HEALTH: FULL,
    Capability.ACCESS_INSPECT: FULL,
    Capability.ACCESS_USABLE: FULL,
    Capability.ACCESS_COLUMNS: FULL,
    Capability.ACCESS_DEFAULTS: Impossible("there are no default privileges: a grant on a schema covers new objects"),
    Capability.ACCESS_ROW_SECURITY: FULL,
    Capability.USERS_APPLY: FULL,
    Capability.USERS_TRANSACTIONAL: FULL,
    Capability.USERS_ROTATE: FULL,
    Capability.USERS_HASHES: FULL,
    Capability.USERS_TWO_PASSWORDS: Impossible("a login has one password"),
    Capability.BACKUP_LOGICAL: NotImplementedYet("there is no dump tool of the engine"),
    Capability.BACKUP_PHYSICAL: FULL,
    Capability.BACKUP_INCREMENTAL: FULL,
    Capability.BACKUP_LOGS: FULL,
    Capability.RESTORE_LOGICAL: NotImplementedYet("there is no dump tool of the engine"),
    Capability.RESTORE_PHYSICAL: FULL,
    Capability.RESTORE_PITR: FULL,
    Capability.VERIFY_RESTORE: FULL,
    Capability.VERIFY_FINGERPRINTS: FULL,
}
_WRITES = {Capability.USERS_APPLY, Capability.USERS_TRANSACTIONAL, Capability.USERS_ROTATE}
_FULL_BACKUPS = (
    Capability.BACKUP_PHYSICAL,
    Capability.RESTORE_PHYSICAL,
    Capability.VERIFY_RESTORE,
    Capability.VERIFY_FINGERPRINTS,
)
_CHAINS = (Capability.BACKUP_INCREMENTAL, Capability.BACKUP_LOGS, Capability.RESTORE_PITR)
# By Server.edition, and by who else manages the server.
_ELSEWHERE: dict[str, dict[Capability, Support]] = {
    DATABASE: {
        **dict.fromkeys(
            (*_FULL_BACKUPS, *_CHAINS), Impossible("there is no BACKUP statement: the service makes its backups")
        ),
        Capability.USERS_HASHES: Impossible("a login is made with a password, and not with what is stored of one"),
    },
    MANAGED_INSTANCE: dict.fromkeys(
        _CHAINS, Impossible("Managed Instance takes COPY_ONLY full backups from users, and no other")
    ),
    RDS: dict.fromkeys(
        (*_FULL_BACKUPS, *_CHAINS),
        Impossible("Amazon RDS has procedures of its own for backups"),
    ),
}


def support(capability: Capability, server: Server | None) -> Support:
    """Total: every capability, for every server and for the engine in general."""
    general = _TABLE[capability]
    if server is None or isinstance(general, Impossible | NotImplementedYet):
        return general
    for place in (server.edition, server.settings.get("managed_by", "")):
        if capability in _ELSEWHERE.get(place, {}):
            return _ELSEWHERE[place][capability]
    if server.role == "standby" and capability in _WRITES:
        return Impossible("the database is read only: use the primary replica")
    return general
