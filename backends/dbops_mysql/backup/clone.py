"""A copy of a MySQL server made by the server itself: CLONE into a new directory on its own machine, from where it is
stored, and which goes away whatever happens.

Nothing of the server is changed: it takes the statement in a read-only session and while it is ``super_read_only``
(seen on 9.7.4). What it writes is a directory that was made for it, outside of its own. Were the server on another
machine after all, that directory would not be there, and nothing would be written.
https://dev.mysql.com/doc/refman/9.4/en/clone-plugin-local.html
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from dbops.claim import claimed, remove, sweep
from dbops.errors import DbopsError, OutputError
from dbops.model.finding import Missing
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.readable import Chunks
from dbops.spi import Member, Reader, Runtime
from dbops_mysql.backup import objects
from dbops_mysql.backup.link import Link, ask, connected, understood
from dbops_mysql.backup.tar import blocks
from dbops_mysql.quoting import literal
from dbops_mysql.statement import text

__all__ = ["BASE", "Logs", "clone", "directory"]

BASE = "base.tar"
PREFIX = "dbops-clone-"
POLL_S = 1.0
END_S = 30.0
PLACE = "Name another directory by [targets.NAME.backup] staging."
HINTS = {
    "Can't create": f"AppArmor, SELinux, or systemd's PrivateTmp or ProtectSystem may keep the server from it. {PLACE}",
    "No space left": f"The copy is as large as the data. {PLACE}",
    "concurrent clone": "Another clone is running: wait until it has ended.",
    "already exists": "Tables outside of the data directory cannot be cloned on the same machine.",
    "not loaded": "INSTALL PLUGIN clone SONAME 'mysql_clone.so';",
}
Held = tuple[Mapping[str, Value], Endpoint | None]


@contextmanager
def clone(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """A cloned data directory. Outputs: ``path``; ``frozen_at`` (what was committed by then is surely in it);
    ``before`` and ``after`` (where the server's logs stood, as JSON; empty where that may not be read); ``objects``
    (see :mod:`dbops_mysql.backup.objects`).

    Arguments: ``staging`` (an existing directory), ``owner`` (the server's user), ``need_bytes``.
    :raises OutputError: there is too little room, or the directory cannot be made.
    :raises ReadFailed: the server gave up; with its words.
    """
    staging = Path(str(arguments["staging"]))
    _check_room(staging, int(str(arguments["need_bytes"])), runtime)
    with _directory(staging, str(arguments["owner"])) as place:
        target, began = place / "copy", datetime.now(UTC).isoformat()
        there, before = objects.read(endpoint, runtime), _logs(endpoint, runtime)
        _Cloning(endpoint, runtime, target).run()
        facts: dict[str, Value] = {
            "path": str(target),
            "frozen_at": _frozen_at(endpoint, runtime) or began,
            "before": before,
            "after": _logs(endpoint, runtime),
            "objects": objects.encode(objects.least(there, objects.read(endpoint, runtime))),
        }
        yield facts, None


def directory(arguments: Mapping[str, object], _endpoint: Endpoint, _runtime: Runtime) -> Iterator[Member]:
    """The directory ``path`` as the member ``base.tar``; its facts are ``files`` and ``file_bytes``."""
    facts: dict[str, Value] = {}

    def counted(files: int, size: int) -> None:
        facts.update(files=files, file_bytes=size)

    yield Member(BASE, Chunks(blocks(Path(str(arguments["path"])), counted)), facts)


@contextmanager
def _directory(staging: Path, owner: str) -> Generator[Path]:
    """One in which the server may make another, and nobody else can look."""
    sweep(staging, PREFIX)
    try:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=staging))
    except OSError as error:
        raise OutputError(f"no directory can be made in {staging}: {error.strerror}", hint=PLACE) from None
    with claimed(path):
        try:
            path.chmod(0o711)
            inner = path / "server"
            inner.mkdir(mode=0o700)
            if os.geteuid() == 0:
                shutil.chown(inner, owner)
            yield inner
        finally:
            remove(path)


def _check_room(staging: Path, need: int, runtime: Runtime) -> None:
    free = runtime.host.free_bytes(staging)
    if not isinstance(free, Missing) and free < need:
        raise OutputError(
            f"{staging} has {free:,} bytes free, and a clone of the server needs {need:,}",
            hint=PLACE,
            reason="no_space",
        )


class Logs(msgspec.Struct, frozen=True):
    """Where a server's logs stood, each as the server writes it (JSON)."""

    binlog: str
    engines: str


class _Cloning:
    """One CLONE, watched by another session, and ended when nobody waits for it any more."""

    def __init__(self, endpoint: Endpoint, runtime: Runtime, target: Path) -> None:
        self._endpoint, self._runtime, self._target = endpoint, runtime, target
        self._failed: BaseException | None = None

    def run(self) -> None:
        """:raises DbopsError: with the server's words, and a hint where one is known."""
        with connected(self._endpoint, self._runtime) as link:
            ask(link, "SET SESSION TRANSACTION READ ONLY")
            ((session,),) = ask(link, "SELECT CONNECTION_ID()")
            worker = threading.Thread(target=self._clone, args=(link,), name="clone", daemon=True)
            worker.start()
            try:
                self._watch(worker)
            except BaseException:
                self._kill(int(session))
                worker.join(END_S)
                raise
        if self._failed is not None:
            raise self._failed

    def _clone(self, link: Link) -> None:
        try:
            with understood(str(self._endpoint)):
                ask(link, f"CLONE LOCAL DATA DIRECTORY = {literal(str(self._target))}")
        except DbopsError as error:
            error.hint = next((hint for words, hint in HINTS.items() if words in error.message), error.hint)
            self._failed = error
        except BaseException as error:  # noqa: BLE001  raised by the thread that waits
            self._failed = error

    def _watch(self, worker: threading.Thread) -> None:
        with self._runtime.reader(self._endpoint) as reader:
            while worker.is_alive():
                worker.join(POLL_S)
                self._tell(reader)

    def _tell(self, reader: Reader) -> None:
        with suppress(DbopsError):  # progress is a courtesy
            stages = reader.dicts(text("clone_progress"))
            done, of = (sum(int(one[name]) for one in stages) for name in ("copied", "estimate"))
            self._runtime.progress("the server copies its files", done, of or None)

    def _kill(self, number: int) -> None:
        with suppress(DbopsError), connected(self._endpoint, self._runtime) as other:
            ask(other, f"KILL {number}")


def _logs(endpoint: Endpoint, runtime: Runtime) -> str:
    try:
        with runtime.reader(endpoint) as reader:
            return msgspec.json.encode(reader.rows(text("clone_log"), Logs)[0]).decode()
    except DbopsError:
        return ""


def _frozen_at(endpoint: Endpoint, runtime: Runtime) -> str:
    """When the server began to copy the end of InnoDB's log: what was committed by then is in the copy."""
    with suppress(DbopsError), runtime.reader(endpoint) as reader:
        for one in reader.dicts(text("clone_progress")):
            if one["stage"] == "REDO COPY" and one["began"]:
                return datetime.fromisoformat(str(one["began"])).replace(tzinfo=UTC).isoformat()
    return ""
