"""What a CATCH block asks about the error that it caught; NULL outside of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.mssql.registry import function

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


@function("ERROR_NUMBER", "int")
def number(session: Session) -> int | None:
    return session.caught.number if session.caught else None


@function("ERROR_MESSAGE", "nvarchar(4000)")
def message(session: Session) -> str | None:
    return session.caught.text if session.caught else None


@function("ERROR_SEVERITY", "int")
def severity(session: Session) -> int | None:
    return session.caught.severity if session.caught else None


@function("ERROR_STATE", "int")
def state(session: Session) -> int | None:
    return session.caught.state if session.caught else None


@function("ERROR_LINE", "int")
def line(session: Session) -> int | None:
    return session.caught.line if session.caught else None


@function("ERROR_PROCEDURE", "nvarchar(128)")
def procedure(session: Session) -> str | None:
    return (session.caught.procedure or None) if session.caught else None


@function("XACT_STATE", "smallint")
def transaction_state(session: Session) -> int:
    return int(session.transactions > 0)
