"""SQL files of this package by name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["text"]


@cache
def text(name: str) -> str:
    """The SQL of ``sql/<name>.sql``."""
    return files("dbops_mssql").joinpath(f"sql/{name}.sql").read_text(encoding="utf-8").strip()
