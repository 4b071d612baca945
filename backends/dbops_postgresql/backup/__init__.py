"""Can a PostgreSQL server be brought back: making, restoring and proving its backups."""

from dbops_postgresql.backup.driver import PostgreSQLBackup

__all__ = ["PostgreSQLBackup"]
