"""SQL Server 2016 to 2025, Azure SQL Database and Managed Instance for dbops."""

from dbops_mssql.backend import SQLServer

__all__ = ["backend"]

backend = SQLServer()
