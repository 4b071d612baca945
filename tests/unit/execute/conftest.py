"""A small engine to carry plans out against: SQLite for statements, this file's tables for everything else."""

from __future__ import annotations

import io
import itertools
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from dbops.errors import DbopsError
from dbops.execute import Context, Outcome, execute
from dbops.host import LocalHost
from dbops.model.server import Endpoint, Session
from dbops.plan import (
    Call,
    FromRepository,
    Json,
    Plan,
    Risk,
    SecretRef,
    Step,
    ToRepository,
    Value,
    dump_plan,
)
from dbops.secrets import Secrets
from dbops.spi import Arguments, Backend, Doors, Held, Member, Readable, Runtime

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)


class Toy:
    """The part of a backend that execution meets; ``events`` is what happened, in order."""

    name = "toy"
    label = "Toy"

    def __init__(self) -> None:
        self.events: list[str] = []
        self.streams: dict[str, Callable[[Mapping[str, object]], Iterator[Member]]] = {}
        self.holds: dict[str, Callable[[Mapping[str, object], Runtime], Held]] = {}
        self.calls: dict[str, Callable[[Mapping[str, object], Runtime], Mapping[str, Value]]] = {}
        self.answers: list[bool] = []
        self.reasons: list[str] = []

    def session(self, endpoint: Endpoint, *, read_only: bool, timeout_s: float) -> Session:
        return Session(drivername="sqlite", connect={}, preamble=(), begin="BEGIN")

    def fault(self, error: BaseException) -> str:
        return self.reasons.pop(0) if self.reasons else "query_failed"

    @property
    def doors(self) -> Doors:
        """As the tables are now."""
        return Doors(
            streams={word: partial(self._open, word) for word in self.streams},
            holds={word: partial(self._hold, word) for word in self.holds},
            calls={word: partial(self._call, word) for word in self.calls},
            probes={"ready": self._probe},
            seal=lambda seal, runtime: f"'{seal.seal}({runtime.secret(seal.secret)},{seal.name})'",
        )

    def _open(self, word: str, arguments: Arguments, endpoint: Endpoint, runtime: Runtime) -> Iterator[Member]:
        return self.streams[word](arguments)

    def _hold(self, word: str, arguments: Arguments, endpoint: Endpoint, runtime: Runtime) -> Held:
        return self.holds[word](arguments, runtime)

    def _call(self, word: str, arguments: Arguments, endpoint: Endpoint, runtime: Runtime) -> Mapping[str, Value]:
        self.events.append(f"call {word} at {endpoint.host or 'target'}")
        return self.calls[word](arguments, runtime)

    def _probe(self, arguments: Arguments, endpoint: Endpoint, runtime: Runtime) -> bool:
        self.events.append("probe ready")
        return self.answers.pop(0) if self.answers else False


class MemoryJournal:
    """Entries as execution wrote them; ``refuse`` is the number of the first one that cannot be written."""

    def __init__(self, events: list[str]) -> None:
        self.entries: list[tuple[str, dict[str, Json]]] = []
        self.refuse: dict[int, DbopsError] = {}
        self._events = events
        self._numbers = itertools.count(1)

    def append(self, kind: str, facts: Mapping[str, Json]) -> None:
        number = next(self._numbers)
        if number in self.refuse:
            raise self.refuse[number]
        self.entries.append((kind, dict(facts)))
        self._events.append(f"journal {kind} {facts.get('id', '')}".strip())

    def text(self) -> str:
        return msgspec.json.encode(self.entries).decode()


class Shelf:
    """A repository in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def read(self, source: FromRepository) -> Readable:
        return io.BytesIO(self.kept[source.artifact])

    def write(self, sink: ToRepository, name: str, stream: Readable) -> Mapping[str, Value]:
        parts = []
        while block := stream.read(1000):
            parts.append(block)
        self.kept[name] = b"".join(parts)
        return {"bytes": len(self.kept[name]), "sha256": f"digest of {name}"}


class Rig:
    """Everything around one execution."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.backend = Toy()
        self.journal = MemoryJournal(self.backend.events)
        self.shelf = Shelf()
        self.env = {"ALICE": "hunter2"}
        self.moved: list[tuple[str, int]] = []
        seconds = itertools.count()
        secrets = Secrets(self.env)

        def resolve(ref: SecretRef) -> str:
            return secrets.resolve(ref)

        self.context = Context(
            # Only the doors and the words of a session are there, and nothing else is called.
            backend=cast(Backend, self.backend),
            endpoints={"target": Endpoint(engine="toy", database=str(directory / "main.db"))},
            resolve=resolve,
            host=LocalHost(),
            journal=self.journal,
            repositories=self.shelf,
            providers={"shop": lambda operation, arguments: {"said": f"{operation} {dict(arguments)}"}},
            progress=lambda what, done, expected: self.moved.append((what, done)),
            clock=lambda: NOW + timedelta(seconds=next(seconds)),
            scratch=directory,
        )

    @property
    def events(self) -> list[str]:
        """What the backend was asked, without the journal."""
        return [event for event in self.backend.events if not event.startswith("journal")]

    def run(self, *steps: Step) -> Outcome:
        return execute(self.plan(*steps), self.context)

    def plan(self, *steps: Step) -> Plan:
        return Plan(noun="test.run", target="shop", engine="toy", created_at=NOW, steps=steps)

    def call(self, step_id: str, operation: str | None = None, **more: Any) -> Call:  # Any: fields of the step
        self.backend.calls.setdefault(operation or step_id, lambda arguments, runtime: {})
        arguments = {"provider": "backend", "operation": operation or step_id, "summary": f"do {step_id}", **more}
        return Call(id=step_id, risk=Risk.WRITE, **arguments)

    def fails(self, operation: str, error: BaseException) -> None:
        """From now on this call of the backend fails."""

        def door(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
            raise error

        self.backend.calls[operation] = door

    def stops(self, operation: str) -> None:
        """From now on this call asks the run to stop, as another thread would."""

        def door(arguments: Mapping[str, object], runtime: Runtime) -> Mapping[str, Value]:
            self.context.stop.set()
            return {}

        self.backend.calls[operation] = door

    def rows(self, sql: str, database: str = "main.db") -> list[tuple[Any, ...]]:  # Any: what SQLite gives
        with closing(sqlite3.connect(self.directory / database)) as connection:
            return connection.execute(sql).fetchall()

    def tables(self, database: str = "main.db") -> list[str]:
        return [row[0] for row in self.rows("SELECT name FROM sqlite_master ORDER BY name", database)]

    def everything_said(self, outcome: Outcome, plan: Plan) -> str:
        """All that a person or a file may get to see."""
        shown = [str(outcome.error), repr(outcome.error), *(repr(step) for step in outcome.steps)]
        return "\n".join([*shown, self.journal.text(), str(plan), repr(plan), dump_plan(plan).decode()])


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)
