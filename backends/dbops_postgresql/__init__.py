"""PostgreSQL 13 to 18 for dbops."""
