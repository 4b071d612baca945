"""BEGIN TRANSACTION, COMMIT, ROLLBACK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql import transactions
from tests.simulators.mssql.answers import Answer, Done
from tests.simulators.mssql.lexer import Cursor
from tests.simulators.mssql.registry import statement

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


def _named(cursor: Cursor) -> None:
    if not cursor.done and not cursor.sees("WITH"):
        cursor.name()


@statement("BEGIN TRAN")
@statement("BEGIN TRANSACTION")
def begin(session: Session, cursor: Cursor) -> Iterator[Answer]:
    _named(cursor)
    transactions.begin(session)
    yield Done()


@statement("COMMIT")
@statement("COMMIT TRAN")
@statement("COMMIT TRANSACTION")
@statement("COMMIT WORK")
def commit(session: Session, cursor: Cursor) -> Iterator[Answer]:
    _named(cursor)
    transactions.commit(session)
    yield Done()


@statement("ROLLBACK")
@statement("ROLLBACK TRAN")
@statement("ROLLBACK TRANSACTION")
@statement("ROLLBACK WORK")
def roll_back(session: Session, cursor: Cursor) -> Iterator[Answer]:
    _named(cursor)
    transactions.roll_back(session)
    yield Done()
