"""What ran, when, how it ended and how fast it was: what predictions and reports are made from.

A backup never fails because this database is away: what cannot be written is queued in a file beside it and written
the next time.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from dbops.errors import InputError, Unreachable
from dbops.plan import Json

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

    :param url: an SQLAlchemy URL; :param queue: where runs wait while it is away.
    """

    def __init__(self, url: str, queue: Path) -> None:
        self._url, self._queue = url, queue
        self._engine: Engine | None = None

    def record(self, run: Run) -> bool:
        """Keep a run; False when it had to be queued."""
        from sqlalchemy.exc import SQLAlchemyError

        waiting = self._queued()
        try:
            with self._begin() as connection:
                for one in (*waiting, run):
                    connection.execute(_table().insert(), _row(one))
        except (SQLAlchemyError, Unreachable, OSError):
            self._enqueue(run)
            return False
        self._queue.unlink(missing_ok=True)
        return True

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
        from sqlalchemy.exc import OperationalError

        try:
            with self._open().begin() as connection:
                yield connection
        except OperationalError as error:
            raise Unreachable(
                f"the state database does not answer: {error.orig}", hint="It holds history only; backups go on."
            ) from None

    def _open(self) -> Engine:
        if self._engine is None:
            from sqlalchemy import create_engine
            from sqlalchemy.pool import NullPool

            engine = create_engine(self._url, poolclass=NullPool, hide_parameters=True)
            _upgrade(engine)
            self._engine = engine
        return self._engine

    def _enqueue(self, run: Run) -> None:
        self._queue.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._queue.open("ab") as file:
            file.write(msgspec.json.encode(run) + b"\n")

    def _queued(self) -> tuple[Run, ...]:
        if not self._queue.exists():
            return ()
        lines = self._queue.read_bytes().splitlines()
        return tuple(msgspec.json.decode(line, type=Run) for line in lines if line.strip())


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
