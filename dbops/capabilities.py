"""What a backend can do, said honestly: supported, since a version, not implemented, or impossible.

``Support`` is total: a backend answers for every :class:`Capability`, and "no" always has a reason. The tests
derive their expectations from it, so the table in the documentation cannot claim what does not work.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from dbops.errors import Unsupported

__all__ = ["FULL", "Capability", "Full", "Impossible", "NotImplementedYet", "Since", "Support", "require", "supported"]


class Capability(StrEnum):
    """One thing that a DBA can ask of an engine. The values are kept: they appear in the capability matrix."""

    HEALTH = "health"
    ACCESS_INSPECT = "access.inspect"
    ACCESS_USABLE = "access.usable"
    ACCESS_COLUMNS = "access.columns"
    ACCESS_DEFAULTS = "access.default_privileges"
    ACCESS_ROW_SECURITY = "access.row_security"
    USERS_APPLY = "users.apply"
    USERS_TRANSACTIONAL = "users.transactional"
    USERS_ROTATE = "users.rotate"
    USERS_TWO_PASSWORDS = "users.two_passwords"
    USERS_HASHES = "users.hashes"
    BACKUP_LOGICAL = "backup.logical"
    BACKUP_PHYSICAL = "backup.physical"
    BACKUP_INCREMENTAL = "backup.incremental"
    BACKUP_LOGS = "backup.logs"
    RESTORE_LOGICAL = "restore.logical"
    RESTORE_PHYSICAL = "restore.physical"
    RESTORE_PITR = "restore.pitr"
    VERIFY_RESTORE = "verify.restore"
    VERIFY_FINGERPRINTS = "verify.fingerprints"


class Full(msgspec.Struct, frozen=True, tag="full"):
    """Supported on every supported version."""


class Since(msgspec.Struct, frozen=True, tag="since"):
    """Supported from this server version on; ``version`` is what the engine calls itself, such as ``"17"``."""

    version: str


class NotImplementedYet(msgspec.Struct, frozen=True, tag="not_implemented"):
    """The engine can, dbops does not yet."""

    reason: str


class Impossible(msgspec.Struct, frozen=True, tag="impossible"):
    """This server cannot: the engine, its version, its edition or the managed service forbids it."""

    reason: str


Support = Full | Since | NotImplementedYet | Impossible
FULL = Full()


def supported(support: Support) -> bool:
    """True when the server at hand can be asked. ``Since`` counts: a backend answers ``Impossible`` below it."""
    return isinstance(support, Full | Since)


def require(capability: Capability, support: Support, who: str) -> None:
    """Raise :class:`~dbops.errors.Unsupported` unless ``support`` is a yes.

    :param who: the server as the user knows it, such as ``"shop (PostgreSQL 13.4)"``.
    """
    if isinstance(support, NotImplementedYet):
        raise Unsupported(
            f"{who}: {capability.value} is not implemented: {support.reason}",
            hint="The capability matrix in the documentation lists what each engine offers.",
        )
    if isinstance(support, Impossible):
        raise Unsupported(f"{who}: {capability.value} is not possible: {support.reason}")
