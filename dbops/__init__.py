"""dbops, the database operations assistant."""

__version__ = "0.1.0"
