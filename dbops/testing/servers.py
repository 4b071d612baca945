"""Throwaway servers of any engine, for tests.

The core knows no engine: a backend's package may hold a module ``throwaway`` with ``installations(engine)`` and
``start(installation, settings)``, and this module finds it through the backend's entry point. ``engine`` is the
backend's name: a package may hold several backends.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, cast

from dbops.errors import ConfigError
from dbops.model.server import Endpoint, Version
from dbops.throwaway import PREFIX

__all__ = [
    "Database",
    "Installation",
    "ThrowawayServer",
    "find_postgres",
    "installations",
    "new_database",
    "start",
    "sweep",
]


class Installation(Protocol):
    """Server programs on this machine."""

    @property
    def version(self) -> Version: ...
    @property
    def major(self) -> int: ...
    @property
    def bindir(self) -> Path: ...
    @property
    def origin(self) -> str: ...
    @property
    def label(self) -> str: ...


class ThrowawayServer(Protocol):
    """A server that belongs to the test: it may be filled, broken and killed."""

    datadir: Path
    log: Path
    password: str
    port: int

    @property
    def version(self) -> Version: ...
    @property
    def major(self) -> int: ...
    @property
    def bindir(self) -> Path: ...
    @property
    def pid(self) -> int: ...

    def url(self, user: str = ..., database: str = ..., *, password: str | None = None) -> str:
        """A URL with the password in it."""
        ...

    def endpoint(self, user: str = ..., database: str = ...) -> Endpoint:
        """The same as dbops takes it, the password being a reference to a private file."""
        ...

    # Any: the values of a row have the types that the driver gives them.
    def sql(self, statements: str, *, database: str = ..., user: str = ...) -> list[tuple[Any, ...]]:
        """Run statements; the rows of the last one."""
        ...

    def login(self, name: str, options: str = "") -> None:
        """Create an account with a random password, which ``url`` and ``endpoint`` then know."""
        ...

    def create_database(self, name: str) -> None:
        """An empty one."""
        ...

    def drop_database(self, name: str) -> None:
        """It need not be there."""
        ...

    def accounts(self) -> frozenset[str]:
        """Users and roles, each in the engine's own spelling."""
        ...

    def drop_accounts(self, names: Collection[str]) -> None:
        """Some of :meth:`accounts`, with all that they were granted."""
        ...

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def restart(self) -> None: ...
    def kill(self) -> None: ...
    def send_signal(self, number: int) -> None: ...
    def destroy(self) -> None: ...


class _Throwaway(Protocol):
    """The module ``throwaway`` of a backend."""

    def installations(self, engine: str) -> Sequence[Installation]: ...
    def start(self, installation: Installation, settings: Mapping[str, str] | None = None) -> ThrowawayServer: ...


class Database:
    """One database on a throwaway server."""

    def __init__(self, server: ThrowawayServer, name: str) -> None:
        self.server = server
        self.name = name

    def url(self, user: str | None = None) -> str:
        """A URL with the password in it; the superuser's unless another :meth:`ThrowawayServer.login` is named."""
        return self.server.url(database=self.name) if user is None else self.server.url(user, self.name)

    def endpoint(self, user: str | None = None) -> Endpoint:
        """The same as dbops takes it."""
        return self.server.endpoint(database=self.name) if user is None else self.server.endpoint(user, self.name)

    # Any: the values of a row have the types that the driver gives them.
    def sql(self, statements: str, user: str | None = None) -> list[tuple[Any, ...]]:
        """Run statements here; the rows of the last one."""
        if user is None:
            return self.server.sql(statements, database=self.name)
        return self.server.sql(statements, database=self.name, user=user)


def installations(engine: str) -> tuple[Installation, ...]:
    """Every server of ``engine`` that this machine could start, the newest first.

    :raises ConfigError: no backend of this name is installed.
    """
    return tuple(_throwaway(engine).installations(engine))


def find_postgres() -> tuple[Installation, ...]:
    """Every PostgreSQL server that this machine could start, the newest first."""
    return installations("postgresql")


def start(engine: str, installation: Installation, settings: Mapping[str, str] | None = None) -> ThrowawayServer:
    """A new server that is ready, with settings of its own."""
    return _throwaway(engine).start(installation, settings)


@contextmanager
def new_database(server: ThrowawayServer, name: str) -> Generator[Database]:
    """An empty one. It and the accounts that were made meanwhile are dropped afterwards."""
    before = server.accounts()
    server.create_database(name)
    yield Database(server, name)
    server.drop_database(name)
    server.drop_accounts(server.accounts() - before)


def sweep(temporary: Path) -> None:
    """End servers and delete files below ``temporary`` that a killed test session of ours left there."""
    for place in temporary.glob(f"{PREFIX}*-*"):
        owner = place.name.split("-")[2]
        if not owner.isdigit() or _alive(int(owner)) or place.lstat().st_uid != os.geteuid():
            continue
        _end_orphan(place)
        shutil.rmtree(place, ignore_errors=True)


def _throwaway(engine: str) -> _Throwaway:
    for entry in entry_points(group="dbops.backends", name=engine):
        return cast("_Throwaway", importlib.import_module(f"{entry.module.partition('.')[0]}.throwaway"))
    raise ConfigError(
        f"no backend {engine!r} is installed", hint="Install it, or correct the name of the engine in the test."
    )


def _end_orphan(place: Path) -> None:
    with suppress(OSError, ValueError):
        # As dbops.throwaway notes it.
        pid, number = (int(word) for word in (place / "pid").read_text(encoding="utf-8").split())
        # The number may belong to somebody else by now.
        if os.fsencode(place) in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, number)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
