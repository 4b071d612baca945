"""BEGIN, COMMIT and ROLLBACK: the state of the instance is copied where a transaction begins.

While one is open, what other sessions change waits for it, as for the locks of a server; reading does not wait.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from tests.simulators.mssql.answers import failed

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


def begin(session: Session) -> None:
    if session.transactions == 0:
        session.instance.open_transaction(session)
        session.instance.before = copy.deepcopy(session.instance.state)
    session.transactions += 1


def commit(session: Session) -> None:
    if session.transactions == 0:
        raise failed(3902, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.")
    session.transactions -= 1
    if session.transactions == 0:
        session.instance.close_transaction(session)


def roll_back(session: Session) -> None:
    if session.transactions == 0:
        raise failed(3903, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.")
    before = session.instance.before
    assert before is not None
    session.instance.state = before
    session.transactions = 0
    session.instance.close_transaction(session)


def forbid(session: Session, what: str) -> None:
    """Some statements cannot be taken back: 226, or 3021 for backups."""
    if session.transactions:
        raise failed(226, f"{what} statement not allowed within multi-statement transaction.", state=6)
