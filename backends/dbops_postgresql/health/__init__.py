"""Is a PostgreSQL server well."""

from dbops_postgresql.health.driver import PostgreSQLHealth

__all__ = ["PostgreSQLHealth"]
