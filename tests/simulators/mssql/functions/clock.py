"""What time it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.simulators.mssql.registry import function

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


@function("GETDATE", "datetime")
@function("SYSDATETIME", "datetime2(7)")
def local(session: Session) -> datetime:
    return session.instance.now()


@function("GETUTCDATE", "datetime")
@function("SYSUTCDATETIME", "datetime2(7)")
def utc(session: Session) -> datetime:
    return session.instance.utcnow()


@function("SYSDATETIMEOFFSET", "datetimeoffset(7)")
def zoned(session: Session) -> datetime:
    return session.instance.utcnow().replace(tzinfo=UTC)
