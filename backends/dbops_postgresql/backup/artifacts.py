"""What the stored streams of a backup are called, and the order of what is read back: the manifest's own facts."""

from __future__ import annotations

import msgspec

from dbops.backup.artifacts import extra
from dbops.model.backup import BackupRecord
from dbops_postgresql.backup.facts import About, Database

__all__ = ["CONFIGURATION", "Contents", "base", "contents", "dump_of", "fingerprints_of"]

ROLES = "roles.sql"
TABLESPACES = "tablespaces.sql"
CONFIGURATION = "configuration.json"
BASE = "base.tar"
MANIFEST = "backup_manifest"


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest's ``extra`` of a PostgreSQL backup.

    :param notes: what a person must know before restoring, such as logins that come back without passwords.
    """

    about: About
    databases: tuple[Database, ...] = ()
    dump_version: str = ""
    data_checksums: bool = False
    notes: tuple[str, ...] = ()


def dump_of(database: Database) -> str:
    """By oid: a name may hold any character, and two may differ by case alone."""
    return f"dump-{database.oid}.pgdump"


def fingerprints_of(database: Database) -> str:
    """Beside its dump."""
    return f"fingerprints-{database.oid}.jsonl"


def base(record: BackupRecord) -> tuple[str, ...]:
    """The oids of the tablespaces that came in archives of their own."""
    tars = [one.name for one in record.artifacts if one.name.endswith(".tar") and one.name != BASE]
    return tuple(name.removesuffix(".tar") for name in tars)


def contents(record: BackupRecord) -> Contents:
    """:raises InputError: the manifest was not written by this backend, or by a newer one."""
    return extra(record, Contents)
