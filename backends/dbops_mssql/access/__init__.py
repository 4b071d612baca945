"""Who may do what on SQL Server."""
