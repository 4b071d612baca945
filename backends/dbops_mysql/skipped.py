"""A server that asks nobody who he is (``skip-grant-tables``)."""

from __future__ import annotations

from dbops.errors import UsageError
from dbops.model.server import Server
from dbops_mysql.probe import skips_grants

__all__ = ["refuse_skipped_grants"]


def refuse_skipped_grants(server: Server) -> None:
    """:raises UsageError: nothing that is done about accounts or data would mean anything."""
    if skips_grants(server):
        raise UsageError(
            "the server was started with skip-grant-tables: everybody who reaches it may do everything",
            hint="Take the option out of its configuration and restart it; nothing is done until then.",
        )
