"""Where a restore goes: a directory or a database that is not there yet; never over something that exists."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dbops import registry
from dbops.config import Target
from dbops.errors import DestinationExists, Unreachable, UsageError
from dbops.model.backup import BackupRecord, Destination
from dbops.model.server import Endpoint
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
        return Place(endpoint=endpoint)
    return Place(directory=str(Path(into).absolute()))


def refuse_existing(ws: Workspace, target: str, place: Place) -> None:
    """:raises DestinationExists: something is there, be it an empty directory."""
    if place.endpoint is not None:
        _refuse_database(ws, target, place.endpoint)
        return
    path = Path(place.directory)
    if path.exists() or path.is_symlink():
        raise DestinationExists(f"{path} is there already", hint="Restore into a directory that is not there yet.")


def _refuse_database(ws: Workspace, target: str, endpoint: Endpoint) -> None:
    try:
        with ws.open(Target(name=target, endpoint=endpoint)):
            pass
    except Unreachable as error:
        if error.reason == "unknown_database":
            return
        raise
    raise DestinationExists(
        f"the database {endpoint} is there already",
        hint="Restore into a new name. If a restore that was killed left this one, a table in it says so: drop it.",
    )
