"""CREATE VIEW, PROCEDURE and FUNCTION, and calling procedures of users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql.answers import Answer, failed

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


def call_procedure(session: Session, parts: tuple[str, ...], arguments: list[tuple[str, object]]) -> Iterator[Answer]:
    del session, arguments
    yield from ()
    raise failed(2812, f"Could not find stored procedure '{'.'.join(parts)}'.", state=62)
