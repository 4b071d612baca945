"""What the server at hand is: version, edition, and whether it is one of Azure's services."""

# ruff: noqa: ARG001

from __future__ import annotations

from dbops.errors import Unsupported
from dbops.model.server import Server
from dbops.spi import Reader

__all__ = ["probe"]


def probe(reader: Reader) -> Server:
    """:raises Unsupported: a server older than the oldest that dbops knows."""
    raise Unsupported("SQL Server: it cannot be asked yet what it is")
