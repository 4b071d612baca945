"""What ran, when, how it ended and how fast it was: what predictions and reports are made from.

A backup never fails because this database is away: what cannot be written is queued in a file beside it and written
the next time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from dbops.errors import DbopsError, InputError, OutputError, Unreachable
from dbops.plan import Json
from dbops.state.lock import exclusive

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["History", "Run"]

_HEAD = "0001"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that ran. ``kind`` is backup, restore, verify, health, audit, prune or job; ``code`` its exit code."""

    kind: str
    target: str
    name: str
    started_at: datetime
    finished_at: datetime
    status: str
    code: int
    facts: dict[str, Json] = {}

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.finished_at - self.started_at).total_seconds()


class History:
    """Runs in a database.

    :param url: an SQLAlchemy URL without a password; ``password`` is asked for when the database is first used.
    :param queue: where runs wait while it is away.
    """

    def __init__(self, url: str, queue: Path, password: Callable[[], str] | None = None) -> None:
        self._url, self._queue, self._password = url, queue, password
        self._engine: Engine | None = None

    def record(self, run: Run) -> bool:
        """Keep a run; False when it had to be queued.

        :raises OutputError: it could be neither kept nor queued.
        """
        try:
            self._insert([run])
        except DbopsError:  # away, of a newer dbops, its password not to be had: no reason for a backup to fail
            self._enqueue(run)
            return False
        self._flush()
        return True

    def _insert(self, runs: Sequence[Run]) -> None:
        with self._begin() as connection:
            for run in runs:
                connection.execute(_table().insert(), _row(run))

    def _flush(self) -> None:
        """Write what waited. Only one process at a time, or each would write all of it."""
        with suppress(DbopsError, OSError):  # there is none, or it goes on waiting
            if self._queue.stat().st_size == 0:
                return
            with self._queue.open("r+b") as file, exclusive(file):
                self._insert([run for line in file if (run := _waiting(line)) is not None])
                file.truncate(0)

    def runs(
        self, *, kind: str | None = None, target: str | None = None, name: str | None = None, limit: int = 100
    ) -> tuple[Run, ...]:
        """The newest runs first.

        :raises Unreachable: the state database does not answer.
        """
        from sqlalchemy import select

        table = _table()
        query = select(table).order_by(table.c.started_at.desc(), table.c.id.desc()).limit(limit)
        for column, value in (("kind", kind), ("target", target), ("name", name)):
            if value is not None:
                query = query.where(table.c[column] == value)
        with self._begin() as connection:
            return tuple(_run({str(key): row[key] for key in row}) for row in connection.execute(query).mappings())

    def close(self) -> None:
        """Give the database back."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def _begin(self) -> Generator[Connection]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._open().begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError, ImportError) as error:
            cause = getattr(error, "orig", None) or error
            raise Unreachable(
                f"the state database does not answer: {cause}", hint="It holds history only; backups go on."
            ) from None

    def _open(self) -> Engine:
        if self._engine is None:
            from sqlalchemy import create_engine, make_url
            from sqlalchemy.pool import NullPool

            self._queue.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            url = make_url(self._url)
            if self._password is not None:
                url = url.set(password=self._password())
            engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
            with self._queue.with_suffix(".lock").open("ab") as file, exclusive(file):
                _upgrade(engine)
            self._engine = engine
        return self._engine

    def _enqueue(self, run: Run) -> None:
        try:
            self._queue.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._queue.open("ab") as file, exclusive(file):
                file.write(msgspec.json.encode(run) + b"\n")
        except OSError as error:
            raise OutputError(
                f"the state database does not answer, and {self._queue} cannot be written: {error.strerror}",
                hint="Make room or set DBOPS_STATE to a directory that this user can write.",
            ) from None


def _waiting(line: bytes) -> Run | None:
    try:
        return msgspec.json.decode(line, type=Run)
    except (msgspec.DecodeError, UnicodeDecodeError):  # the machine died in the middle of it
        return None


# Any: sqlalchemy.Table, which must not be imported to describe it.
def _table() -> Any:
    from dbops.state.tables import RUNS

    return RUNS


def _row(run: Run) -> dict[str, object]:
    row = msgspec.structs.asdict(run)
    for key in ("started_at", "finished_at"):
        row[key] = row[key].isoformat()
    return {**row, "facts": msgspec.json.encode(run.facts).decode()}


def _run(row: dict[str, Any]) -> Run:
    try:
        return msgspec.convert({**row, "facts": msgspec.json.decode(row["facts"])}, type=Run, strict=False)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise InputError(f"the state database holds a run that cannot be read: {error}") from None


def _upgrade(engine: Engine) -> None:
    """Bring the schema to this version; alembic is only imported when there is something to do."""
    from sqlalchemy import inspect, text

    with engine.connect() as connection:
        if inspect(connection).has_table("alembic_version"):
            at = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if at == _HEAD:
                return
    _migrate(engine)


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise InputError(
                f"the state database was made by a newer dbops: {error}",
                hint="Upgrade dbops here, or set DBOPS_STATE to another directory: it holds history only.",
            ) from None
