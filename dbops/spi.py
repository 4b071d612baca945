"""Everything that the author of a backend must read, on one page.

A backend answers for one engine (a fork is a subclass with its own name). It has four parts:

* ``support`` and ``probe`` say what the server at hand is and what can be asked of it.
* Three **drivers** inspect and compile. They are handed a :class:`Reader` and a :class:`Host`, never an engine or a
  connection: a driver cannot write. ``compile`` methods are pure: facts in, steps out.
* ``doors`` are functions by the words of its steps, in tables: called by :mod:`dbops.execute` alone.
* Session words: how a read-only session is set up and how the driver's errors are to be understood.

Register it as an entry point of ``dbops.backends``; ``dbops.testing`` holds the laws that it must pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import msgspec

from dbops.access.audit import Question, Rule
from dbops.capabilities import Capability, Support
from dbops.health.answers import Answers
from dbops.model.access import AccessSnapshot, Scope
from dbops.model.backup import BackupFacts, BackupJob, Chain, Destination, Evidence, Made, Method, Outputs, Until
from dbops.model.backup import BackupRecord as Record
from dbops.model.backup import VerifyLevel as Level
from dbops.model.change import Change
from dbops.model.doctor import Configured, Examined
from dbops.model.finding import Missing
from dbops.model.health import Check, Observation
from dbops.model.health import Question as HealthQuestion
from dbops.model.recovery import ChainChoice, Reached
from dbops.model.server import Endpoint, Server, Session, Tool, Version
from dbops.model.users import Desired, Wanted
from dbops.plan import Seal, SecretRef, Step, Value

__all__ = [
    "API_VERSION", "AccessDriver", "Arguments", "Backend", "BackupDriver", "Door", "Doors", "HealthDriver", "Held",
    "Host", "KeptByServer", "Member", "Readable", "Reader", "Runtime",
]  # fmt: skip

API_VERSION = 1
T = TypeVar("T")
Arguments = Mapping[str, object]  # what a step hands to a door, with references to earlier outputs filled in
Steps = tuple[Step, ...]
Held = AbstractContextManager[tuple[Mapping[str, Value], Endpoint | None]]


class Reader(Protocol):
    """Questions to one database, in a session that cannot write and cannot wait for long.

    Outside of :meth:`snapshot` each question is its own transaction. Parameters are ``%(name)s``, a sign is ``%%``.
    :raises ReadFailed, NotPermitted, Unreachable: in every method, with the machine reason.
    """

    def rows(self, sql: str, into: type[T], parameters: Mapping[str, object] | None = None) -> list[T]:
        """Each row as a struct whose fields are named like the columns."""
        ...

    # Any: the values of a row have the types that the driver gives them.
    def tuples(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Each row as it came; for bulk reads."""
        ...

    def dicts(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """Each row by column name."""
        ...

    def scalar(self, sql: str, parameters: Mapping[str, object] | None = None) -> Any:
        """The first column of the first row, or None when there is no row."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """One read-only transaction in which every question sees the same state."""
        ...

    def database(self, name: str) -> AbstractContextManager[Reader]:
        """A reader of a sibling database with the same login and settings."""
        ...


class Host(Protocol):
    """The machine where dbops runs: client programs, room, processors. Nothing here changes anything."""

    cpus: int

    def tool(self, name: str, places: Sequence[str] = (), at_least: Version = ()) -> Tool | Missing:
        """The newest program ``name`` found in ``places`` (directories, in front) or on PATH."""
        ...

    def free_bytes(self, path: Path) -> int | Missing:
        """Room for this user below ``path`` (or its nearest existing parent)."""
        ...


class Readable(Protocol):
    """A byte stream, read once. The end (``b""``) comes only when the producer succeeded; else ``read`` says what went
    wrong. A method ``cancel``, where there is one, is called by another thread to end a ``read`` that waits."""

    def read(self, n: int, /) -> bytes: ...

    def close(self) -> None: ...


class Member(msgspec.Struct, frozen=True):
    """One named stream of a source. ``facts`` may be filled while it is read; they become outputs of the Transfer."""

    name: str
    stream: Readable
    facts: Mapping[str, Value] = {}


class Runtime(Protocol):
    """What execution lends to a door. ``progress`` is told what goes on, bytes so far, and bytes expected."""

    host: Host
    progress: Callable[[str, int, int | None], None]

    def secret(self, ref: SecretRef) -> str:
        """The secret itself: to be used at once and kept nowhere."""
        ...

    def reader(self, endpoint: Endpoint) -> AbstractContextManager[Reader]:
        """A read-only session."""
        ...

    def workdir(self) -> Path:
        """A private directory for this execution, removed afterwards."""
        ...


Door = Callable[[Arguments, Endpoint, Runtime], T]


class Doors(msgspec.Struct, frozen=True, kw_only=True):
    """What only this engine can do, by the words that its own steps have for it; the core refuses any other word."""

    # FromServer: the streams of a source, one after the other; each is read to its end before the next is asked for.
    streams: Mapping[str, Door[Iterator[Member]]] = {}
    # Opening: something held open; gives its outputs and, when it started a server, the endpoint of that server.
    holds: Mapping[str, Door[Held]] = {}
    # Call: an operation that is neither SQL nor a stream; gives its outputs.
    calls: Mapping[str, Door[Mapping[str, Value]]] = {}
    # Probe: one asking.
    probes: Mapping[str, Door[bool]] = {}
    # Seal: a complete SQL literal of what the server stores for a secret.
    seal: Callable[[Seal, Runtime], str] | None = None


class AccessDriver(Protocol):
    """Who may do what."""

    def inspect(self, reader: Reader, server: Server, scope: Scope) -> AccessSnapshot:
        """One consistent reading of principals, memberships, objects and grants, for each database."""
        ...

    def ask(
        self, reader: Reader, snapshot: AccessSnapshot, questions: Sequence[Question]
    ) -> tuple[bool | Missing, ...]:
        """The server's own answers about nominal access, to compare ours with."""
        ...

    def rules(self) -> tuple[Rule, ...]:
        """What an audit looks for."""
        ...

    def normalise(self, desired: Desired, server: Server) -> Wanted:
        """Pure: the portable words of a spec in this engine's own; InputError names the line that has no meaning."""
        ...

    def parse(self, sql: str, snapshot: AccessSnapshot) -> tuple[Change, ...]:
        """Pure: GRANT and REVOKE statements as changes; UsageError for anything that is not understood whole."""
        ...

    def compile(self, changes: Sequence[Change], server: Server) -> tuple[Step, ...]:
        """Pure: the steps that make the changes, in their order."""
        ...

    def offboard(self, reader: Reader, seen: AccessSnapshot, who: Sequence[str], heir: str, server: Server) -> Steps:
        """Steps after which accounts are gone. UsageError: no heir, and one owns something, in ``seen`` or not."""
        ...

    def render(self, change: Change, server: Server) -> str:
        """Pure: the SQL of one change, for a remedy that a person copies."""
        ...


class BackupDriver(Protocol):
    """Can we get it back."""

    def methods(self, server: Server) -> tuple[Method, ...]:
        """What can be made of this server, the preferred first."""
        ...

    def inspect(self, reader: Reader, server: Server, host: Host) -> BackupFacts:
        """Sizes, log rates, settings, tools: what a plan is decided from."""
        ...

    def compile_backup(self, job: BackupJob, facts: BackupFacts, server: Server) -> tuple[Step, ...]:
        """Pure: the steps of one backup, without publishing it."""
        ...

    def read_made(self, job: BackupJob, facts: BackupFacts, server: Server, outputs: Outputs) -> Made:
        """Pure: what the outputs of the carried out steps say about the backup; it goes into the manifest."""
        ...

    def compile_restore(self, chain: Chain, destination: Destination, until: Until, server: Server) -> tuple[Step, ...]:
        """Pure: the steps that bring a chain back. ``server`` is the one that was backed up, as the manifest has it."""
        ...

    def compile_verify(self, chain: Chain, destination: Destination, server: Server, level: Level) -> tuple[Step, ...]:
        """Pure: restore into a scratch server, check it, throw it away. Failing steps whose ids start with ``restore``
        or ``check`` speak against the backup, any other against the place where the proof runs."""
        ...

    def read_evidence(self, chain: Chain, level: Level, outputs: Outputs) -> Evidence:
        """Pure: what the outputs of :meth:`compile_verify` say; steps that did not run gave none."""
        ...

    def recipe(self, job: BackupJob, facts: BackupFacts, server: Server) -> str:
        """Pure: RESTORE.md, how to restore this backup by hand with public tools."""
        ...


@runtime_checkable
class KeptByServer(Protocol):
    """What a :class:`BackupDriver` adds when its methods leave the bytes with the server: all it remembers, or what
    is on ``media``; pure: what must be restored after what is ``standing`` there; by database, what it reached."""

    def history(self, reader: Reader, server: Server, media: Sequence[str] = ()) -> tuple[Record, ...]: ...
    def sequence(self, records: Sequence[Record], until: Until, of: Sequence[str], after: str = "") -> ChainChoice: ...
    def reached(self, records: Sequence[Record], of: Sequence[str]) -> Mapping[str, Sequence[Reached]]: ...
    def standing(self, reader: Reader, database: str) -> str: ...


class HealthDriver(Protocol):
    """Is it well. Nothing here reads: questions are data, asked by the core in one way for every engine."""

    def checks(self) -> tuple[Check, ...]:
        """The catalogue of this engine."""
        ...

    def questions(self, server: Server) -> tuple[HealthQuestion, ...]:
        """Pure: what is asked here. ``databases`` gives ``name`` and ``missing``: why it cannot be asked, or NULL."""
        ...

    def measure(self, check: Check, answers: Answers, server: Server, now: datetime) -> Iterable[Observation]:
        """Pure: what one check sees; an unclear answer is raised as ``Unanswered`` or an observation's ``missing``."""
        ...

    def grants(self, check: Check, server: Server) -> tuple[str, ...]:
        """Pure: the SQL that gives the login in use what a check needs."""
        ...


class Backend(Protocol):
    """One engine."""

    name: str
    label: str
    api_version: int
    url_schemes: tuple[str, ...]

    @property
    def access(self) -> AccessDriver: ...
    @property
    def backup(self) -> BackupDriver: ...
    @property
    def health(self) -> HealthDriver: ...
    @property
    def doors(self) -> Doors: ...

    def support(self, capability: Capability, server: Server | None) -> Support:
        """Total. ``None`` asks about the engine in general."""
        ...

    def probe(self, reader: Reader) -> Server:
        """What is there; called before the backend is final."""
        ...

    def session(self, endpoint: Endpoint, *, read_only: bool, timeout_s: float) -> Session:
        """Pure: how to connect, without the password."""
        ...

    def fault(self, error: BaseException) -> str:
        """Pure: the machine reason (see :class:`~dbops.model.finding.Missing`) behind a driver's exception."""
        ...

    def grants(self, jobs: Sequence[str], login: str, version: Version | None = None) -> str:
        """Pure: SQL that makes a least-privileged login for jobs; no ``version``: for all of them, if one text can."""
        ...

    def examine(self, reader: Reader, server: Server, host: Host, configured: Configured) -> Examined:
        """What would make a job fail later: rights, settings, programs. Never stops at an error."""
        ...
