"""Backups whose bytes the server keeps: what it remembers of them, and which of them lead to a point.

The repository holds a manifest of each that dbops made; the server's own history also knows those of other programs,
and is lost with the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from dbops import registry
from dbops.config import Target, VerifyConfig
from dbops.errors import ConfigError, DbopsError, Unsupported, UsageError
from dbops.model.backup import BackupRecord, Custody, Destination, Until
from dbops.model.recovery import ChainChoice, Reachability, Reached
from dbops.model.server import Endpoint
from dbops.operations.shelf import Shelf
from dbops.operations.workspace import Workspace
from dbops.plan import SecretRef
from dbops.spi import KeptByServer
from dbops.url import is_url, parse_url

__all__ = ["choose", "destination", "keeper", "on_media", "reached", "standing", "verify_endpoint"]


def keeper(target: Target) -> KeptByServer | None:
    """The driver, when the engine of this target keeps its backups itself."""
    try:
        driver = registry.for_scheme(target.endpoint.engine).backup
    except Unsupported:
        return None
    return driver if isinstance(driver, KeptByServer) else None


def choose(
    ws: Workspace, target: Target, shelf: Shelf, until: Until, databases: Sequence[str], *, after: str = ""
) -> ChainChoice:
    """What leads to a point, from the manifests and from the server's history as far as it can be read.

    :param after: what is in the database that the restore goes on with, if it does.
    :raises UsageError: the databases are not said, and there are several.
    """
    driver = _required(target)
    records, notes = _known(ws, target, shelf, driver)
    wanted = tuple(databases) or _only(records, target)
    choice = driver.sequence(records, until, wanted, after)
    if notes and choice.verdict is Reachability.UNREACHABLE:
        choice = msgspec.structs.replace(choice, verdict=Reachability.UNKNOWN)
    return msgspec.structs.replace(choice, notes=(*choice.notes, *notes))


def _known(
    ws: Workspace, target: Target, shelf: Shelf, driver: KeptByServer
) -> tuple[tuple[BackupRecord, ...], tuple[str, ...]]:
    own = tuple(one for one in shelf.records if one.custody is Custody.SERVER)
    told, notes = _history(ws, target, driver)
    return (*own, *told), notes


def reached(
    ws: Workspace, target: Target, shelf: Shelf, databases: Sequence[str]
) -> tuple[Mapping[str, Sequence[Reached]], tuple[str, ...]]:
    """What could ever be brought back, by database; and why more may have been."""
    driver = _required(target)
    records, notes = _known(ws, target, shelf, driver)
    return driver.reached(records, databases), notes


def on_media(
    ws: Workspace,
    target: Target,
    reads: Endpoint | None,
    media: Sequence[str],
    wanted: tuple[Until, Sequence[str]],
    *,
    after: str = "",
) -> ChainChoice:
    """What leads to a point, from the headers of media alone: the server and the repository may both be lost.

    :param reads: the instance that can open them.
    :raises UsageError: no instance is said, or several databases lie there and none is.
    """
    if reads is None:
        raise UsageError("--media is read by an instance", hint="Name it: --into mssql://host/NEW_NAME.")
    driver = _required(target)
    with ws.open(Target(name=target.name, endpoint=reads.at(""))) as opened:
        records = driver.history(opened.reader, opened.server, media)
    return driver.sequence(records, wanted[0], tuple(wanted[1]) or _only(records, target), after)


def standing(ws: Workspace, target: Target, there: Endpoint | None) -> str:
    """What is in the database that a restore is to go on with.

    :raises UsageError: none is named.
    :raises InputError: it is not open for more.
    """
    if there is None or not there.database:
        raise UsageError("--continue goes on with a database", hint="Name it: --into mssql://host/NAME.")
    with ws.open(Target(name=target.name, endpoint=there.at(""))) as opened:
        return _required(target).standing(opened.reader, there.database)


def _required(target: Target) -> KeptByServer:
    driver = keeper(target)
    if driver is None:
        raise Unsupported(f"{target.name}: this engine keeps no backups itself")
    return driver


def _history(ws: Workspace, target: Target, driver: KeptByServer) -> tuple[tuple[BackupRecord, ...], tuple[str, ...]]:
    try:
        with ws.open(target) as opened:
            return driver.history(opened.reader, opened.server), ()
    except DbopsError as error:
        return (), (f"only backups that dbops made are known: the history of the server was not read: {error.message}",)


def _only(records: Sequence[BackupRecord], target: Target) -> tuple[str, ...]:
    names = sorted({name for one in records for name in one.databases})
    if len(names) == 1:
        return tuple(names)
    if target.endpoint.database in names:
        return (target.endpoint.database or "",)
    known = f"One of: {', '.join(names)}." if names else "No backup of any is known."
    raise UsageError(f"{target.name}: say with --database which database is meant", hint=known)


def destination(endpoint: Endpoint | None, databases: Sequence[str], verify: VerifyConfig) -> Destination:
    """A new database of an instance that reads what the server wrote.

    :raises UsageError: no instance is named, or several databases are to become one.
    """
    if endpoint is None:
        raise UsageError(
            "the server keeps these backups, so an instance must read them: a directory cannot take them",
            hint="Give --into the URL of a new database of an instance: --into mssql://host/shop_restored.",
        )
    if len(databases) != 1:
        raise UsageError("one database is restored at a time", hint="Say which with --database.")
    return Destination(
        kind="instance",
        database=endpoint.database or "",
        only=tuple(databases),
        paths=verify.paths,
        data=verify.data,
        log=verify.log,
    )


def verify_endpoint(ws: Workspace, target: Target) -> Endpoint:
    """The instance where proofs of this target run.

    :raises ConfigError: none is configured.
    """
    if not is_url(target.verify.into):
        raise ConfigError(
            f"{target.name}: no instance is configured that could restore what the server keeps",
            hint=f'Set [targets.{target.name}.verify] into = "mssql://login@host".',
        )
    endpoint, _ = parse_url(target.verify.into, ws.secrets.literal, "verify.into")
    if target.verify.password is not None:
        reference = SecretRef.parse(target.verify.password, "verify.password")
        endpoint = msgspec.structs.replace(endpoint, password=reference)
    return endpoint
