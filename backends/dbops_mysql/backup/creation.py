"""The statement that makes a database again as it was."""

from __future__ import annotations

from dbops_mysql.backup.facts import Database
from dbops_mysql.quoting import identifier, literal

__all__ = ["create_database"]


def create_database(database: Database, name: str) -> str:
    """Pure: ``name`` with the character set and collation of ``database``, which new tables will have."""
    charset, collation = literal(database.charset), literal(database.collation)
    return f"CREATE DATABASE {identifier(name)} CHARACTER SET {charset} COLLATE {collation}"
