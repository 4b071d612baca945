"""A repository as the backup operations see it: the backups of one target with what happened to them."""

from __future__ import annotations

import getpass
import platform
import re
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from datetime import datetime

import msgspec

from dbops.backup import catalogue
from dbops.config import RepositoryConfig, Target
from dbops.durations import instant
from dbops.durations import zone as parse_zone
from dbops.errors import Damaged, DbopsError, InputError, Locked, UsageError
from dbops.model.backup import BackupRecord, PastRun, Until, Verdict
from dbops.model.repository import Event, Manifest, Unreadable
from dbops.model.server import Endpoint
from dbops.operations.workspace import Workspace
from dbops.plan import Json
from dbops.repository.repository import Repository
from dbops.state import Run

__all__ = ["Shelf", "detached", "is_backup_id", "open_shelf", "reading", "recorded", "until", "use", "who"]

_ID = re.compile(r"b-\d{8}t\d{9}-[0-9a-z]{8}")
_LSN = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
# A file of the binary log with an offset; MariaDB's GTIDs (domain-server-number) and MySQL's (uuid:numbers).
_BINLOG = re.compile(r"[^\s:,/]+\.\d{6,}:\d+")
_GTID = re.compile(rf"\d+-\d+-\d+(?:,\d+-\d+-\d+)*|{_UUID}(?::[\w-]+)+(?:,{_UUID}(?::[\w-]+)+)*")
# SQL Server's: a number of up to 25 digits, or file, block and slot as fn_dblog writes them.
_MSSQL_LSN = re.compile(r"\d{15,25}|[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8}:[0-9A-Fa-f]{4}")
_DATE = re.compile(r"\d{4}-\d{2}")


class Shelf:
    """What was read of a repository, once.

    :param target: empty for all.

    ``damage`` tells why pins and proofs are not known: a damaged note about a backup must not keep anybody from
    restoring it, while whoever deletes must call :meth:`refuse_damage`.
    """

    def __init__(self, config: RepositoryConfig, repository: Repository, target: str = "") -> None:
        self.config, self.repository, self.target = config, repository, target
        found = repository.catalogue(target or None)
        self.events: tuple[Event, ...] = ()
        self._error: DbopsError | None = None
        try:
            self.events = repository.events(target or None)
        except (Damaged, InputError) as error:
            self._error = error
        self.manifests: dict[str, Manifest] = {one.id: one for one in found.manifests}
        self.unreadable: tuple[Unreadable, ...] = found.unreadable
        self.records: tuple[BackupRecord, ...] = catalogue.records(found.manifests, self.events, config.name)

    @property
    def damage(self) -> tuple[str, ...]:
        """At most one note."""
        return (f"pins and proofs are not known: {self._error.message}",) if self._error else ()

    def refuse_damage(self) -> None:
        """:raises Damaged: pins and proofs are not known."""
        if self._error is not None:
            raise self._error

    @property
    def stored_bytes(self) -> int:
        """What all of these backups take."""
        return sum(one.stored_bytes for one in self.manifests.values())

    def record(self, backup: str) -> BackupRecord:
        """:raises InputError: no such backup, or its manifest cannot be read."""
        for one in self.records:
            if one.id == backup:
                return one
        for lost in self.unreadable:
            if lost.id == backup:
                raise InputError(f"the manifest of {backup} cannot be used: {lost.reason}", reason="unreadable")
        raise InputError(
            f"there is no backup {backup} in {self.config.url}", hint="`dbops backup list` shows what there is."
        )

    def runs(self) -> list[PastRun]:
        """Past backups and restores with their measures, from the repository alone: it outlives the history."""
        return [*_backups(self.manifests.values()), *_restores(self.events)]


def open_shelf(ws: Workspace, target: Target | None, repository: str | None = None, *, read: bool = False) -> Shelf:
    """The repository of a target (None: all targets of the one that is named, or of the default).

    :param read: streams will be decoded: fetch the private key where one is configured.
    """
    config = ws.repository_config(target, repository)
    return Shelf(config, ws.repository(config, read=read), target.name if target else "")


def detached(target: str, engine: str) -> Target:
    """A target of which only the backups are there; its server is neither known nor needed."""
    return Target(name=target, endpoint=Endpoint(engine=engine))


READERS = 4
"""How many may read one backup at once and be sure that it stays. A fifth reads on the others' protection."""


def reading(backup: str) -> tuple[str, ...]:
    """The leases that keep a backup from being deleted while it is read: a reader holds one of them, whoever deletes
    holds all."""
    return tuple(f"{backup}.reading.{seat}" for seat in range(READERS))


@contextmanager
def use(shelf: Shelf, records: Iterable[BackupRecord]) -> Generator[None]:
    """Keep backups from being pruned meanwhile, as far as that can be had: a repository that takes no writes any more
    must still give its backups back."""
    with ExitStack() as held:
        for one in records:
            for name in reading(one.id):
                try:
                    held.enter_context(shelf.repository.lease(name, purpose=f"reading {one.id}"))
                except Locked:
                    continue  # the seat of another reader
                except DbopsError:
                    pass
                break
        yield


def _backups(manifests: Iterable[Manifest]) -> list[PastRun]:
    return [
        PastRun(
            what="backup",
            method=one.method,
            started_at=one.started_at,
            seconds=(one.finished_at - one.started_at).total_seconds(),
            source_bytes=one.source_bytes,
            bytes=one.bytes,
            stored_bytes=one.stored_bytes if one.kept_bytes is None else one.kept_bytes,
        )
        for one in manifests
        if one.source_bytes
    ]


def _restores(events: Iterable[Event]) -> list[PastRun]:
    found: list[PastRun] = []
    for one in events:
        measured = one.evidence.get("measured")
        if one.kind == "proof" and one.verdict is Verdict.VERIFIED and isinstance(measured, dict):
            found += _restore(one, measured)
    return found


def _restore(event: Event, measured: dict[str, Json]) -> list[PastRun]:
    seconds, fixed, source = (measured.get(key) for key in ("seconds", "fixed_s", "source_bytes"))
    if not isinstance(seconds, int | float) or not isinstance(fixed, int | float) or not isinstance(source, int):
        return []
    method = str(measured.get("method"))
    return [
        PastRun(what="restore", method=method, started_at=event.at, seconds=seconds, fixed_s=fixed, source_bytes=source)
    ]


def is_backup_id(word: str) -> bool:
    """Whether a person's word is the id of a backup rather than a target."""
    return _ID.fullmatch(word) is not None


def until(text: str, zone: str = "") -> Until:
    """The point that a person asks for: ``latest``, an id, a log position, or a time with its offset.

    :param zone: the time zone that the server's clock was in, if it is said.
    :raises UsageError: a time without an offset (both readings are shown), or nothing of these; no such time zone.
    """
    found = _point(text)
    return msgspec.structs.replace(found, zone=parse_zone(zone, "--server-time-zone")) if zone else found


def _point(text: str) -> Until:
    if text == "latest":
        return Until()
    if is_backup_id(text):
        return Until(kind="name", value=text)
    if _LSN.fullmatch(text):
        return Until(kind="position", value=text.upper())
    if _DATE.match(text):
        return Until(kind="time", time=instant(text, "--to"))
    if _MSSQL_LSN.fullmatch(text) or _BINLOG.fullmatch(text) or _GTID.fullmatch(text):
        return Until(kind="position", value=text)
    raise UsageError(
        f"--to: {text!r} is not a point in time",
        hint="Write latest, a backup's id, a log position such as 0/3000148 (PostgreSQL), binlog.000042:157 or a GTID "
        "(MySQL, MariaDB) or 00000024:00000120:0001 (SQL Server), or a time with its offset.",
    )


def who() -> str:
    """Who asks, for the events of a repository."""
    try:
        return f"{getpass.getuser()}@{platform.node()}"
    except (KeyError, OSError):  # a container's user without a name
        return f"unknown@{platform.node()}"


@contextmanager
def recorded(ws: Workspace, kind: str, target: str, name: str) -> Generator[dict[str, Json]]:
    """Keep a run in the history, however it ends; what is put into the given facts is kept with it.

    A ``status`` and a ``code`` among the facts are the run's own.
    """
    began: datetime = ws.now()
    facts: dict[str, Json] = {}
    status, code = "failed", DbopsError.code
    try:
        yield facts
        status, code = str(facts.pop("status", "done")), int(str(facts.pop("code", 0)))
    except DbopsError as error:
        code, facts["error"] = error.code, error.message
        raise
    except KeyboardInterrupt:
        status, code = "interrupted", 130
        raise
    finally:
        ws.state.history.record(
            Run(
                kind=kind,
                target=target,
                name=name,
                started_at=began,
                finished_at=ws.now(),
                status=status,
                code=code,
                facts=facts,
            )
        )
