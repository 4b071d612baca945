"""What the stored streams of a backup are called, and the order of what is read back: the manifest's own facts."""

from __future__ import annotations

import hashlib
import re

import msgspec

from dbops.backup.artifacts import extra
from dbops.model.backup import BackupRecord
from dbops_mysql.backup.copied import Copied
from dbops_mysql.backup.facts import About, Database

__all__ = [
    "ACCOUNTS",
    "Contents",
    "Position",
    "contents",
    "dump_of",
    "fingerprints_of",
    "key",
    "views_of",
]

ACCOUNTS = "accounts.sql"


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server's log stood at the moment that a restore brings back: from here its binary logs go on.

    :param gtids: MySQL's executed set, or MariaDB's ``gtid_binlog_pos``; empty where there are none.
    :param replica: of a replica: where its source's log stood, by the words of SHOW REPLICA STATUS.
    """

    file: str = ""
    offset: int = 0
    gtids: str = ""
    replica: dict[str, str] = {}


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest's ``extra`` of a backup of MySQL or MariaDB.

    :param settings: of the server, those that a copy of it needs and that replaying its log needs.
    :param program: the version of the program that wrote it.
    :param largest_statement: bytes of the longest line of a dump; ``max_allowed_packet`` must be larger to load it.
    :param history: it holds the history of versioned tables.
    :param copied: of a physical backup: how its files were copied.
    :param notes: what a person must know before restoring.
    """

    about: About
    databases: tuple[Database, ...] = ()
    position: Position | None = None
    settings: dict[str, str] = {}
    program: str = ""
    largest_statement: int = 0
    history: bool = False
    copied: Copied | None = None
    notes: tuple[str, ...] = ()


def key(database: str) -> str:
    """A word for a database that any file system takes and that is like no other's, two letters of another case
    included: what can be read of its name, and the beginning of its SHA-256."""
    plain = re.sub(r"[^a-z0-9]+", "-", database.lower()).strip("-")[:24]
    digest = hashlib.sha256(database.encode()).hexdigest()[:8]
    return f"{plain}-{digest}" if plain else digest


def dump_of(database: str) -> str:
    """Tables with their rows and triggers, routines, events; each view as a table-like stand-in."""
    return f"dump-{key(database)}.sql"


def views_of(database: str) -> str:
    """Its views as they are; they may read other databases, so they come after all dumps."""
    return f"views-{key(database)}.sql"


def fingerprints_of(database: str) -> str:
    """Beside its dump."""
    return f"fingerprints-{key(database)}.jsonl"


def contents(record: BackupRecord) -> Contents:
    """:raises InputError: the manifest was not written by this backend, or by a newer one."""
    return extra(record, Contents)
