"""Is a SQL Server well."""
