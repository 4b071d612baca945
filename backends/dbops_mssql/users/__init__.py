"""Logins, users and roles of SQL Server from a spec: its words, statements, passwords and farewells."""
