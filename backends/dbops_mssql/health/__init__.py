"""Is a SQL Server well."""

from dbops_mssql.health.driver import SQLServerHealth

__all__ = ["SQLServerHealth"]
