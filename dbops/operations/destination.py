"""Where a restore goes: a directory or a database that is not there yet; never over something that exists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from dbops import registry
from dbops.config import Target
from dbops.errors import DbopsError, DestinationExists, NotPermitted, Unreachable, UsageError
from dbops.model.backup import BackupRecord, Destination
from dbops.model.server import Endpoint
from dbops.operations import kept
from dbops.operations.workspace import Workspace
from dbops.url import is_url, parse_url

__all__ = ["Place", "parse", "refuse_existing"]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a restore goes: a new directory, or a new database that ``endpoint`` names."""

    directory: str = ""
    endpoint: Endpoint | None = None

    @property
    def kind(self) -> str:
        """What goes there: a copy of a server into a directory, a dump into a database."""
        return "physical" if self.endpoint is None else "logical"

    def __str__(self) -> str:
        return self.directory or str(self.endpoint)

    def destination(self, record: BackupRecord, databases: tuple[str, ...], tools: str) -> Destination:
        """Where this backup goes, in the backend's terms.

        :param databases: the ones that were asked for; empty for all.
        :raises UsageError: it cannot go there.
        """
        if self.endpoint is None:
            return Destination(kind="directory", path=self.directory, tools=tools, only=databases)
        # A scheme may be that of a fork too: what answers there is asked before anything is written.
        if self.endpoint.engine.partition("+")[0] not in registry.backend(record.engine).url_schemes:
            raise UsageError(f"--into: a backup of {record.engine} cannot go into {self.endpoint}")
        if record.kind == "physical":
            raise UsageError(
                f"{record.id} is a copy of a whole server: it goes into a directory, not into a database",
                hint="Give --into a directory, or restore a logical backup with --method.",
            )
        only = databases or record.databases
        if len(only) != 1:
            raise UsageError(
                f"{record.id} holds {len(only)} databases, and {self.endpoint} is one",
                hint=f"Choose with --database one of: {', '.join(only)}.",
            )
        return Destination(kind="database", database=self.endpoint.database or "", tools=tools, only=only)


def parse(ws: Workspace, into: str) -> Place:
    """The words after ``--into``.

    :raises UsageError: a URL without a database, or of no known engine.
    """
    if is_url(into):
        endpoint, _ = parse_url(into, ws.secrets.literal, "--into")
        if not endpoint.database:
            raise UsageError("--into: the URL names no database", hint="Add the name of the new one: …/shop_restored.")
        return Place(endpoint=_with_password(ws, endpoint))
    return Place(directory=str(Path(into).absolute()))


def _with_password(ws: Workspace, endpoint: Endpoint) -> Endpoint:
    """With the password of a target, or of a place of restore tests, that is reached by the same login at the same
    address; and with its options where the URL has none."""
    if endpoint.password is not None or not endpoint.user:
        return endpoint
    for one in _configured(ws):
        if (one.host, one.port, one.user) == (endpoint.host, endpoint.port, endpoint.user) and one.password is not None:
            options = endpoint.options or one.options
            return msgspec.structs.replace(endpoint, password=one.password, options=options)
    return endpoint


def _configured(ws: Workspace) -> Iterator[Endpoint]:
    for target in ws.config.targets.values():
        yield target.endpoint
        if is_url(target.verify.into):
            yield kept.verify_endpoint(ws, target)


def refuse_existing(ws: Workspace, target: str, place: Place) -> None:
    """:raises DestinationExists: something is there, be it an empty directory."""
    if place.endpoint is not None:
        _refuse_database(ws, target, place.endpoint)
        return
    path = Path(place.directory)
    if path.exists() or path.is_symlink():
        raise DestinationExists(f"{path} is there already", hint="Restore into a directory that is not there yet.")


def _opens(ws: Workspace, target: str, endpoint: Endpoint) -> bool:
    """Whether the server lets the login in when it is asked for no database."""
    try:
        with ws.open(Target(name=target, endpoint=endpoint.at(""))):
            return True
    except DbopsError:
        return False


def _refuse_database(ws: Workspace, target: str, endpoint: Endpoint) -> None:
    try:
        with ws.open(Target(name=target, endpoint=endpoint)):
            pass
    except (Unreachable, NotPermitted) as error:
        # Some drivers tell the last word alone, which is that the login failed: the database was not opened.
        if error.reason == "unknown_database" or (error.reason == "auth_failed" and _opens(ws, target, endpoint)):
            return
        raise
    raise DestinationExists(
        f"the database {endpoint} is there already",
        hint="Restore into a new name, or drop this one first if it is only what a killed restore left.",
    )
