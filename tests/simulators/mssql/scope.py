"""What a view's rows are computed from: the instance, a database, and the session that asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tests.simulators.mssql.model import Database, State

if TYPE_CHECKING:
    from tests.simulators.mssql.instance import Instance
    from tests.simulators.mssql.session import Session


@dataclass(frozen=True, slots=True)
class Scope:
    session: Session
    database: Database
    """The one whose catalog is read, which is not always the session's."""

    @property
    def instance(self) -> Instance:
        return self.session.instance

    @property
    def state(self) -> State:
        return self.session.instance.state

    @property
    def now(self) -> datetime:
        """The server's local time, without a zone as in ``GETDATE()``."""
        return self.session.instance.now()
