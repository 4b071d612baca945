"""Who may do what on a PostgreSQL server."""

from dbops_postgresql.access.driver import PostgreSQLAccess

__all__ = ["PostgreSQLAccess"]
