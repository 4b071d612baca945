"""Running a script for a test: its rows, its errors as exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.mssql.answers import Failed, Message, Rows

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


def rows_of(session: Session, sql: str) -> list[tuple[object, ...]]:
    """The rows of the last query; batches are kept apart by lines that say ``GO``, as in a script for sqlcmd."""
    rows: list[tuple[object, ...]] = []
    try:
        for part in _batches(sql):
            wrong: list[Message] = []
            for answer in session.run(part):
                if isinstance(answer, Message) and answer.is_error:
                    wrong.append(answer)
                elif wrong:
                    raise Failed(*wrong)
                elif isinstance(answer, Rows):
                    rows = answer.rows
    finally:
        session.close()
    return rows


def _batches(sql: str) -> list[str]:
    parts: list[list[str]] = [[]]
    for line in sql.splitlines():
        if line.strip().upper() == "GO":
            parts.append([])
        else:
            parts[-1].append(line)
    return [text for part in parts if (text := "\n".join(part)).strip()]
