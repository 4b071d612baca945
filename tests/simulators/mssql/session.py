"""One connection: who it is, in which database, what its batches run through."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.simulators.mssql import batch, control, kinds, names, relations, rights
from tests.simulators.mssql.answers import Answer, Done, Drop, Failed, Message
from tests.simulators.mssql.frames import Frame, Source, Typed, Variable
from tests.simulators.mssql.identity import Identity
from tests.simulators.mssql.model import Database, Object, Principal
from tests.simulators.mssql.relations import Relation

if TYPE_CHECKING:
    from tests.simulators.mssql.instance import Instance


class Session:
    """Made by ``Instance.login``. Statements of all sessions run one at a time; only waiting goes on side by side."""

    def __init__(self, instance: Instance, spid: int, login: Principal | None, database: Database) -> None:
        self.instance = instance
        self.spid = spid
        self.application = self.host = ""
        self.original_login = login.name if login else ""
        self.identities = [Identity(login.principal_id if login else None, None)]
        """The one that logged in, then each that EXECUTE AS took on."""
        self.database_id = self.first_database_id = database.database_id
        self.authenticating_database_id = 0
        """0 of a login, else the database that knows the contained user."""
        self.login_time = instance.now()
        self.variables: dict[str, Variable] = {}
        self.options: dict[str, object] = {"LANGUAGE": "us_english", "LOCK_TIMEOUT": -1}
        self.transactions = 0
        self.row_count = 0
        self.caught: Message | None = None
        self.temporary: list[str] = []
        self.text = ""
        self.words: frozenset[str] | None = None
        """The words of the statement at hand, by which columns that nobody names are left out; None: all of them."""
        self.depth = 0
        self.checks_rights = True
        self.chain_owner: int | None = None
        """The owner of the procedure that runs: what belongs to the same one is not asked about again."""
        self.percent_complete = 0.0
        self.waits = False
        self.attention = threading.Event()
        self.closed = False
        self.returned = 0
        """What the last procedure returned."""
        self.killed = False

    @property
    def database(self) -> str:
        return self.current.name

    @property
    def current(self) -> Database:
        return self.instance.state.databases.get(self.database_id) or self.instance.master

    @property
    def identity(self) -> Identity:
        return self.identities[-1]

    @property
    def server_login(self) -> int | None:
        """The login whose rights on the server count.

        EXECUTE AS USER has none outside its database, unless that is trustworthy and its owner may vouch for its users.
        """
        user = self.identity.user
        if user is None or self.identity.login is None:
            return self.identity.login
        database = self.instance.state.databases.get(user[0])
        return self.identity.login if database is not None and rights.vouches(self, database) else None

    def run(self, sql: str, parameters: Mapping[str, object] = {}) -> Iterator[Answer]:
        """The answers of one batch, in order. Raises ``Drop`` where a fault cuts the connection."""
        self.attention.clear()
        self.text = sql
        self.variables = {name: Variable(kinds.of_value(value), value) for name, value in parameters.items()}
        try:
            with suppress(control.End):
                self.instance.faults.strike(self, sql)
                yield from control.run(self, sql, batch.statements(sql))
        except Failed as wrong:
            yield from wrong.messages
            yield Done()
        finally:
            self.text = ""

    def cancel(self) -> None:
        """Attention: what waits stops waiting, and the batch ends after the statement at hand."""
        self.attention.set()

    def reset(self) -> None:
        """What ``sp_reset_connection`` does when a pool hands the connection on."""
        if self.transactions:
            from tests.simulators.mssql.transactions import roll_back

            roll_back(self)
        del self.identities[1:]
        self.options = {"LANGUAGE": "us_english", "LOCK_TIMEOUT": -1}
        self.database_id = self.first_database_id

    def close(self) -> None:
        self.closed = True
        self.attention.set()
        self.instance.leave(self)

    def check(self) -> None:
        """Between two statements: whether somebody cancelled the batch or killed the session."""
        if self.killed or self.closed:
            raise Drop
        if self.attention.is_set():
            raise control.End

    # names

    def same(self, one: str, other: str) -> bool:
        return self.instance.same(one, other)

    def reach(self, name: str) -> Database:
        return names.reach(self, name)

    def find_object(self, database: Database, schema: str, name: str) -> Object | None:
        return names.find_object(self, database, schema, name)

    def read_object(self, database: Database, found: Object) -> Relation:
        from tests.simulators.mssql.tables import read_view

        if found.type == "V":
            return read_view(self, database, found)
        return relations.of_object(self, found)

    # rights

    def demand_view(self, needs: tuple[str, str]) -> None:
        rights.demand_view(self, needs)

    def demand_read(self, sources: list[Source]) -> None:
        if self.checks_rights:
            rights.demand_read(self, sources)

    # values

    def constant(self, found: Typed) -> object:
        """The value of an expression that names no column."""
        [row] = self.instance.duck.execute(f"SELECT {found.sql}").fetchall()  # to its end: nothing else runs before
        return kinds.outward(row[0], found.kind)

    def frame(self) -> Frame:
        return Frame(self, self.variables)

    def clean(self) -> None:
        while self.temporary:
            self.instance.duck.execute(f"DROP TABLE IF EXISTS {self.temporary.pop()}")
