"""How sessions with SQL Server are set up, and what the driver's exceptions mean."""

# ruff: noqa: ARG001

from __future__ import annotations

from dbops.errors import Unsupported
from dbops.model.server import Endpoint, Session

__all__ = ["fault", "session"]


def session(endpoint: Endpoint, *, read_only: bool, timeout_s: float) -> Session:
    """How to connect, without the password."""
    raise Unsupported("SQL Server: dbops cannot connect to it yet")


def fault(error: BaseException) -> str:
    """The machine reason behind an exception of the driver."""
    if isinstance(error, TimeoutError):
        return "timeout"
    return "connect_failed" if isinstance(error, OSError) else "query_failed"
