"""PostgreSQL 13 to 18 for dbops."""

from dbops_postgresql.backend import PostgreSQL

__all__ = ["backend"]

backend = PostgreSQL()
