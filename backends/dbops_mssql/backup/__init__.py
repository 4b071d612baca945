"""Can we get a SQL Server's databases back."""
