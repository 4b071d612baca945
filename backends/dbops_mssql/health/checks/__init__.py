"""The checks of SQL Server, one subject to a module."""
