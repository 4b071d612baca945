"""A modelled instance of SQL Server: its state, its sessions, its clock, and what it was told to do wrong.

It is no server: there is no storage, no log and no optimiser. It answers as the documentation says that a server does
where dbops and its tests ask, and answers everything else with an error.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from inspect import Parameter, Signature

import duckdb

from tests.simulators.mssql import kinds, likes, logins, moments, registry, scripts
from tests.simulators.mssql.answers import Failed, failed
from tests.simulators.mssql.duck_errors import carried
from tests.simulators.mssql.faults import Faults
from tests.simulators.mssql.fresh import fresh_state
from tests.simulators.mssql.model import Database, State, exact, folded
from tests.simulators.mssql.registry import VIEWS, Function, View
from tests.simulators.mssql.session import Session

Row = dict[str, object]
AZURE_SQL_DATABASE, MANAGED_INSTANCE = 5, 8
NEWEST = 16


class Instance:
    """``version`` decides which views, columns and permissions there are: 13 and more is 2016, 17 and more 2025."""

    def __init__(
        self,
        *,
        name: str = "MSSQLSIM",
        version: str = "16.0.4135.4",
        edition: str = "Developer Edition (64-bit)",
        engine_edition: int = 3,
        collation: str = "SQL_Latin1_General_CP1_CI_AS",
        sa_password: str = "dbops-Simulator-1",
        contained: bool = False,
        mixed_authentication: bool = True,
    ) -> None:
        registry.load()
        self.name = name
        self.version = version
        self.edition = edition
        self.engine_edition = engine_edition
        self.collation = collation
        self.mixed_authentication = mixed_authentication
        self.properties: dict[str, object] = {}
        """Values of SERVERPROPERTY that a test sets."""
        self.windows: dict[str, str] = {}
        """Accounts that Windows knows, in small letters, and what each is: ``U`` a user, ``G`` a group."""
        self.zone = UTC
        self.offset = timedelta(0)
        self.started = self.now()
        self.faults = Faults()
        self.log: list[str] = []
        self.sessions: dict[int, Session] = {}
        self.application_locks: dict[tuple[int, str], Session] = {}
        self.running: Session | None = None
        self.before: State | None = None
        self._lock = threading.RLock()
        self._owner: Session | None = None
        self._blocked: list[Session] = []
        self._free = threading.Condition(self._lock)
        self.duck = duckdb.connect(":memory:", config={"threads": "1"})
        self._registered: set[str] = set()
        self._prepare()
        self.state = fresh_state(self, sa_password, contained=contained)

    # properties

    @property
    def major(self) -> int:
        """Azure's services say 12 for ever, and have what the newest release has."""
        kept = self.engine_edition in (AZURE_SQL_DATABASE, MANAGED_INSTANCE)
        return NEWEST if kept else int(self.version.split(".")[0])

    @property
    def azure(self) -> bool:
        """Azure SQL Database."""
        return self.engine_edition == AZURE_SQL_DATABASE

    def contains(self, database: Database) -> bool:
        """Whether it can have users of its own: Azure SQL Database always lets it."""
        return self.azure or bool(database.options.get("containment"))

    @property
    def case_sensitive(self) -> bool:
        return "_CS" in self.collation or "_BIN" in self.collation

    @property
    def same(self) -> Callable[[str, str], bool]:
        return exact if self.case_sensitive else folded

    @property
    def master(self) -> Database:
        return self.state.databases[1]

    def now(self) -> datetime:
        """``GETDATE()``: local time, without a zone; ``offset`` moves the clock for a test."""
        return (datetime.now(self.zone) + self.offset).replace(tzinfo=None)

    def utcnow(self) -> datetime:
        return (datetime.now(UTC) + self.offset).replace(tzinfo=None)

    # sessions

    def login(self, user: str, password: str, database: str = "", *, application: str = "", host: str = "") -> Session:
        """Raises ``Refused``: 18456, 18486, 18487, 18488, 4060, 17892 …"""
        with self._lock:
            session = logins.login(self, user, password, database)
            session.application, session.host = application, host
            self.sessions[session.spid] = session
            return session

    def session(self, user: str = "sa", database: str = "master") -> Session:
        """A session of a login without its password, for tests that prepare a state."""
        with self._lock:
            session = logins.enter(self, user, database)
            self.sessions[session.spid] = session
            return session

    def free_spid(self) -> int:
        return next(number for number in range(51, 32768) if number not in self.sessions)

    def leave(self, session: Session) -> None:
        from tests.simulators.mssql.transactions import roll_back

        with self._lock:
            if session.transactions:
                roll_back(session)
            self.sessions.pop(session.spid, None)
            self._free.notify_all()

    @contextmanager
    def turn(self, session: Session) -> Iterator[None]:
        """One statement at a time; what UDFs ask is answered for the session whose turn it is."""
        with self._lock:
            before, self.running = self.running, session
            try:
                yield
            finally:
                self.running = before

    def wait(self, session: Session, seconds: float) -> None:
        """Gives the turn away for so long, or until the session is cancelled."""
        end = time.monotonic() + seconds
        session.waits = True
        while time.monotonic() < end and not session.attention.is_set():
            self._free.wait(min(0.05, end - time.monotonic()))
        session.waits = False
        self.running = session
        session.check()

    def blocker_of(self, session: Session) -> int:
        """0, or the session whose transaction this one waits for."""
        return self._owner.spid if self._owner is not None and session in self._blocked else 0

    # transactions

    def changing(self, session: Session) -> None:
        """Called before anything is changed: waits while another session's transaction is open."""
        if self._owner is None or self._owner is session:
            return
        self._blocked.append(session)
        try:
            self._wait_for_owner(session)
        finally:
            self._blocked.remove(session)
            self.running = session

    def _wait_for_owner(self, session: Session) -> None:
        timeout = session.options.get("LOCK_TIMEOUT", -1)
        end = time.monotonic() + timeout / 1000 if isinstance(timeout, int) and timeout >= 0 else None
        while self._owner is not None:
            if end is not None and time.monotonic() >= end:
                raise failed(1222, "Lock request time out period exceeded.", state=51)
            self._free.wait(0.05)
            session.check()

    def open_transaction(self, session: Session) -> None:
        self.changing(session)
        self._owner = session

    def close_transaction(self, session: Session) -> None:
        if self._owner is session:
            self._owner = None
            self.before = None
            with self._lock:
                self._free.notify_all()

    # what tests prepare

    def execute(self, sql: str, *, user: str = "sa", database: str = "master") -> list[tuple[object, ...]]:
        """Runs a script of a test and gives the rows of its last query; an error is raised as ``Failed``."""
        return scripts.rows_of(self.session(user, database), sql)

    def keep(self) -> State:
        """A copy of everything, which ``put_back`` makes the present again as often as a test needs it."""
        return copy.deepcopy(self.state)

    def put_back(self, kept: State) -> None:
        """Sessions that are left over from a test are closed, faults that nobody met are forgotten."""
        for session in list(self.sessions.values()):
            session.close()
        self.faults.waiting.clear()
        self.state = copy.deepcopy(kept)

    def database(self, name: str) -> Database:
        return next(one for one in self.state.databases.values() if self.same(one.name, name))

    def set_rows(self, view: str, rows: Sequence[Mapping[str, object]], *, database: str = "") -> None:
        """What a view says from now on, instead of what the model would compute; columns left out are NULL."""
        known = VIEWS[view.lower()]
        names_of_fields = {one.name for one in known.fields}
        for row in rows:
            wrong = row.keys() - names_of_fields
            if wrong:
                raise KeyError(f"{view} has no columns {sorted(wrong)}")
        target = self.database(database).rows if database else self.state.rows
        target[view.lower()] = [dict(row) for row in rows]

    def rows_of(self, view: str) -> list[Row]:
        """What a test has set for a server-wide view or a table of msdb; nothing where it has not."""
        return self.state.rows.get(view.lower(), [])

    def given(self, view: View, database: Database) -> list[Row] | None:
        name = view.name.lower()
        return database.rows.get(name, self.state.rows.get(name))

    # DuckDB

    def register(self, function: Function, parameters: tuple[str, ...]) -> str:
        """The name under which a function of the model is known to DuckDB, for so many arguments."""
        name = "m_" + function.name.lower().replace("@@", "global_") + f"_{len(parameters)}"
        if name not in self._registered:
            self._create(name, _fixed(partial(self._call, function), len(parameters)), parameters, function.returns)
        return name

    def _call(self, function: Function, *values: object) -> object:
        assert self.running is not None
        found = function.call(self.running, *values)
        return str(found) if found is not None and kinds.base(function.returns) == "sql_variant" else found

    def _create(self, name: str, call: Callable[..., object], parameters: Sequence[str], returns: str) -> None:
        given = [kinds.duck(kind) for kind in parameters]
        self.duck.create_function(  # type: ignore[call-overload, unused-ignore]
            name, call, given, kinds.duck(returns), null_handling="special", side_effects=True
        )
        self._registered.add(name)

    def _prepare(self) -> None:
        self.duck.execute("SET TimeZone = 'UTC'")
        if not self.case_sensitive:
            self.duck.execute("SET default_collation = 'NOCASE'")
        text = "nvarchar(max)"
        self._create("tsql_like", likes.like, (text, text, text, "bit"), "bit")
        self._create("tsql_utf16", likes.utf16, (text,), "varbinary(max)")
        self._create("tsql_whole", likes.whole, ("varbinary(max)", "int"), "bigint")
        self._create("tsql_moment", _fixed(moments.moment, 1), (text,), "datetime2(7)")


def _fixed(call: Callable[..., object], count: int) -> Callable[..., object]:
    """DuckDB counts the parameters of a function by its signature, and keeps of an exception only the text."""

    def fixed(*values: object) -> object:
        try:
            return call(*values)
        except Failed as wrong:
            raise ValueError(carried(wrong)) from wrong

    places = [Parameter(f"p{place}", Parameter.POSITIONAL_ONLY) for place in range(count)]
    setattr(fixed, "__signature__", Signature(places))  # noqa: B010 (functions have no such attribute declared)
    return fixed
