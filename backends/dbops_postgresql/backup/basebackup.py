"""A base backup by the replication protocol: tar streams and backup_manifest, straight from the server.

https://www.postgresql.org/docs/current/protocol-replication.html: from 15 on one COPY carries all archives, told apart
by the first byte of each message; 13 and 14 send one COPY for each archive and the manifest as the last.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dbops.errors import DbopsError, ToolFailed, Unreachable
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Member, Runtime
from dbops_postgresql.backup.link import replication
from dbops_postgresql.quoting import literal
from dbops_postgresql.session import fault

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

__all__ = ["basebackup", "slot"]

ONE_COPY_SINCE = 15
MANIFEST = "backup_manifest"
# A server that sends nothing for so long has hung: its checkpoint was asked to be fast, and data follows at once.
SILENCE_S = 3600.0
POLL_S = 0.5
CORRUPT = "XX001"
NOTHING = memoryview(b"")
DATA, PROGRESS = b"dp"


def basebackup(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Iterator[Member]:
    """``base.tar``, a tar for each further tablespace by its oid, and ``backup_manifest``; with the WAL that is needed.

    Arguments: ``label``, ``major`` (of the server). The facts are ``start_lsn``, ``end_lsn``, ``timeline``, and
    ``began_at``: what was committed by then is surely in the copy. The manifest has CRC-32C sums, which cost nothing:
    the repository hashes the streams themselves.
    :raises ToolFailed: the server gave up, or found damaged pages.
    :raises Unreachable: the connection broke.
    """
    major = int(str(arguments["major"]))
    with replication(endpoint, runtime) as connection:
        conversation = _Conversation(connection, str(endpoint))
        yield from conversation.members(_command(str(arguments["label"]), major), one_copy=major >= ONE_COPY_SINCE)


@contextmanager
def slot(
    arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime
) -> Generator[tuple[Mapping[str, Value], Endpoint | None]]:
    """A temporary replication slot on a connection of its own: until it is closed, the server keeps its WAL.

    Arguments: ``name``, ``major``. Without it, a backup slower than the server's WAL dies at its end.
    """
    name, major = str(arguments["name"]), int(str(arguments["major"]))
    reserve = "(RESERVE_WAL)" if major >= ONE_COPY_SINCE else "RESERVE_WAL"
    with replication(endpoint, runtime) as connection:
        conversation = _Conversation(connection, str(endpoint))
        conversation.run(f'CREATE_REPLICATION_SLOT "{name}" TEMPORARY PHYSICAL {reserve}')
        yield {"slot": name}, None


def _command(label: str, major: int) -> str:
    quoted = literal(label).strip()
    if major >= ONE_COPY_SINCE:
        return (
            f"BASE_BACKUP (LABEL {quoted}, PROGRESS, CHECKPOINT 'fast', WAL, TABLESPACE_MAP, "
            "MANIFEST 'yes', MANIFEST_CHECKSUMS 'CRC32C')"
        )
    return f"BASE_BACKUP LABEL {quoted} PROGRESS FAST WAL TABLESPACE_MAP MANIFEST 'yes' MANIFEST_CHECKSUMS 'CRC32C'"


class _Conversation:
    """One command and its answers, never blocked inside libpq, so that Ctrl-C is heard at any moment."""

    def __init__(self, connection: PGconn, where: str) -> None:
        self._connection = connection
        self._where = where
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection.socket, selectors.EVENT_READ)

    def run(self, command: str) -> None:
        """A command whose answer does not matter."""
        self._connection.send_query(command.encode())
        while self.result() is not None:
            pass

    def members(self, command: str, *, one_copy: bool) -> Iterator[Member]:
        """The archives in the order in which the server sends them."""
        self._connection.send_query(command.encode())
        start = _row(self._needed())
        header = self._needed()
        began = datetime.now(UTC).isoformat()
        facts: dict[str, Value] = {"start_lsn": start[0], "timeline": int(start[1]), "began_at": began}
        names = [f"{oid}.tar" if oid else "base.tar" for oid in _column(header, 0)]
        if one_copy:
            self._needed()
            yield from self._sections(facts)
        else:
            for name in (*names, MANIFEST):
                self._needed()
                yield Member(name, _Archive(self, facts if name == MANIFEST else None), facts)

    def _sections(self, facts: dict[str, Value]) -> Iterator[Member]:
        name = _heading(bytes(self.message()))
        while name:
            archive = _Section(self, facts if name == MANIFEST else None)
            yield Member(name, archive, facts)
            name = archive.next_name

    def message(self) -> memoryview:
        """The next message of the running COPY, empty at its end; never copied here, for there are 32,000 in a GB."""
        from psycopg import OperationalError

        connection = self._connection
        try:
            while True:
                size, data = connection.get_copy_data(1)
                if size > 0:
                    return data
                if size < 0:
                    return NOTHING
                self._wait()
                connection.consume_input()
        except OperationalError as error:
            raise self.failed(str(error)) from None

    def finish(self, facts: dict[str, Value] | None) -> None:
        """After the last COPY: the position where the backup ends; only now has the server succeeded.

        :param facts: those of the manifest; None when the COPY ended before it.
        """
        end = self._needed()
        if facts is None:
            raise self.failed("the server sent no manifest")
        facts["end_lsn"] = _row(end)[0]
        while self.result() is not None:
            pass

    def _needed(self) -> PGresult:
        result = self.result()
        if result is None:
            raise self.failed("the server ended the backup early")
        return result

    def result(self) -> PGresult | None:
        """:raises DbopsError: the server reports an error, or the connection broke."""
        from psycopg import OperationalError
        from psycopg.pq import ExecStatus

        connection = self._connection
        try:
            while connection.is_busy():
                self._wait()
                connection.consume_input()
            result = connection.get_result()
        except OperationalError as error:
            raise self.failed(str(error)) from None
        if result is not None and result.status == ExecStatus.FATAL_ERROR:
            raise self.refused(result)
        return result

    def _wait(self) -> None:
        end = time.monotonic() + SILENCE_S
        while not self._selector.select(POLL_S):
            if time.monotonic() > end:
                raise self.failed(f"the server sent nothing for {SILENCE_S:g} s")

    def failed(self, what: str) -> Unreachable:
        return Unreachable(
            f"{self._where}: the base backup broke off: {' '.join(what.split())}",
            hint="Is the server up? Nothing of this backup is kept.",
            reason="connect_failed",
        )

    def refused(self, result: PGresult) -> DbopsError:
        from psycopg.pq import DiagnosticField

        said = " ".join(result.get_error_message("utf-8").split())
        state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
        if not state or state.startswith(("57P", "08")):
            return self.failed(said)
        if state == CORRUPT:
            hint = "Pages on the server are damaged: its log names the files. A dump tells which tables can be read."
        elif "has already been removed" in said:
            hint = "Raise max_slot_wal_keep_size or wal_keep_size, or make the backup when less is written."
        elif "slots are in use" in said:
            hint = "Raise max_replication_slots, or drop a slot that nobody uses."
        else:
            hint = "`dbops grants postgresql --for backup` prints what the login needs."
        return ToolFailed(f"{self._where}: {said}", hint=hint, reason=fault(_WithState(state)))


class _WithState(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


class _Section:
    """One archive of the single COPY: ``d`` messages are its bytes, ``p`` tells progress, others begin the next one."""

    def __init__(self, conversation: _Conversation, last: dict[str, Value] | None) -> None:
        self._conversation = conversation
        self._last = last
        self._ended = False
        self.next_name = ""

    def read(self, n: int, /) -> bytes:
        """About ``n`` bytes: whole messages of the server."""
        blocks: list[memoryview] = []
        size = 0
        while size < n and not self._ended:
            message = self._conversation.message()
            kind = message[0] if message else None
            if kind == DATA:
                blocks.append(message[1:])
                size += len(message) - 1
            elif kind != PROGRESS:
                self._end(bytes(message))
        return b"".join(blocks)

    def _end(self, message: bytes) -> None:
        self._ended = True
        self.next_name = _heading(message)
        if not self.next_name:
            self._conversation.finish(self._last)

    def close(self) -> None:
        """The connection is closed by who opened it."""


class _Archive:
    """One COPY of 13 and 14."""

    def __init__(self, conversation: _Conversation, last: dict[str, Value] | None) -> None:
        self._conversation = conversation
        self._last = last
        self._ended = False

    def read(self, n: int, /) -> bytes:
        """About ``n`` bytes."""
        blocks: list[memoryview] = []
        size = 0
        while size < n and not self._ended:
            message = self._conversation.message()
            blocks.append(message)
            size += len(message)
            if not message:
                self._end()
        return b"".join(blocks)

    def _end(self) -> None:
        self._ended = True
        if self._last is not None:
            self._conversation.finish(self._last)

    def close(self) -> None:
        """The connection is closed by who opened it."""


def _heading(message: bytes) -> str:
    """The name of the archive that a message begins; empty for the end of the COPY."""
    if message[:1] == b"m":
        return MANIFEST
    return message[1:].split(b"\0", 1)[0].decode() if message[:1] == b"n" else ""


def _row(result: PGresult) -> list[str]:
    return [(result.get_value(0, column) or b"").decode() for column in range(result.nfields)]


def _column(result: PGresult, column: int) -> list[str]:
    return [(result.get_value(row, column) or b"").decode() for row in range(result.ntuples)]
