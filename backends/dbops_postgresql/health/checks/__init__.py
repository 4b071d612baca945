"""The checks of PostgreSQL, one subject to a module; each gives its ``RULES``."""
