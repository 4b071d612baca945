"""What dbops knows about a server, and how it is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from dbops.model.finding import Missing
from dbops.plan import SecretRef

__all__ = ["Endpoint", "Role", "Server", "Session", "Tool", "Version", "within"]

Version = tuple[int, ...]
Role = Literal["primary", "standby", "unknown"]


def within(version: Version, since: Version, until: Version | None) -> bool:
    """Whether a version lies in a range. ``until`` stands for all that it begins: ``(8, 0)`` ends after 8.0.46."""
    return version >= since and (until is None or version[: len(until)] <= until)


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a server. A part left out is the engine's own default (``PG*`` variables, ``~/.my.cnf``).

    :param engine: the backend's name, such as ``postgresql``.
    :param host: a name, an address, or a directory that holds a Unix socket.
    :param options: handed to the driver as they are (``sslmode``, ``TrustServerCertificate``).
    """

    engine: str
    host: str | None = None
    port: int | None = None
    user: str | None = None
    database: str | None = None
    password: SecretRef | None = None
    options: dict[str, str] = {}

    def at(self, database: str) -> Endpoint:
        """The same server, another database."""
        return msgspec.structs.replace(self, database=database)

    def __str__(self) -> str:
        where = self.host or "local"
        port = f":{self.port}" if self.port else ""
        user = f"{self.user}@" if self.user else ""
        return f"{self.engine}://{user}{where}{port}/{self.database or ''}"


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A server as a backend's ``probe`` found it.

    :param version: comparable, such as ``(15, 18)``.
    :param version_text: what the server calls itself.
    :param incarnation: what makes this data directory unlike any other (PostgreSQL: the system identifier).
    :param edition: edition, fork or managed service, ``""`` when there is nothing to tell apart.
    :param user: the login in use, as the server names it.
    :param superuser: the login may do everything.
    """

    engine: str
    version: Version
    version_text: str
    role: Role
    incarnation: str | Missing
    edition: str = ""
    user: str = ""
    superuser: bool = False
    database: str = ""
    settings: dict[str, str] = {}

    @property
    def identity(self) -> str:
        """The incarnation, or ``""`` when it could not be read."""
        return self.incarnation if isinstance(self.incarnation, str) else ""

    @property
    def major(self) -> int:
        """The first number of the version."""
        return self.version[0]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """How sessions are opened: the SQLAlchemy driver, and what is SET after connecting (poolers refuse start options).

    :param drivername: such as ``postgresql+psycopg``.
    :param connect: arguments for the driver's ``connect``.
    :param preamble: statements run once on a new connection.
    :param begin: starts a read-only transaction with one snapshot for all its questions.
    :param begin_writing: starts a transaction that may write. :param rollback: ends either, also one that the server
        ended already.
    :param query: the options of the endpoint that the driver takes as they are.
    :param login: where the parts of an endpoint have no place in the URL: what they and the password (None: there is
        none) are as arguments of ``connect``.
    :param attributes: set on the driver's connection once it is there.
    :param hints: what a person can do, by the machine reason of what went wrong.
    :param password_encoding: hand the password to the driver as bytes, made of its letters in this way; by default it
        is handed over as a text.
    """

    drivername: str
    connect: dict[str, object]
    preamble: tuple[str, ...]
    begin: str = "START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    begin_writing: str = "BEGIN"
    rollback: str = "ROLLBACK"
    query: dict[str, str] = {}
    login: Callable[[str | None], dict[str, object]] | None = None
    attributes: dict[str, object] = {}
    hints: dict[str, str] = {}
    password_encoding: str = ""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A client program on the host of dbops.

    :param banner: what it prints for ``--version``; ``version`` is the first number in it.
    """

    name: str
    path: str
    version: Version
    banner: str = ""
