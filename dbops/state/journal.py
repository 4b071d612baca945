"""The journal: one hash chain per target, one JSON line per entry, on disk before the next thing happens.

Each line carries the SHA-256 of the line before it. Cutting out or changing a line breaks the chain from there on;
:func:`check_journal` names the first broken line. Nothing is ever rewritten.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from dbops.errors import InputError, OutputError
from dbops.plan import Json
from dbops.state.lock import exclusive

__all__ = ["Entry", "FileJournal", "check_journal", "entries"]

_GENESIS = "0" * 64


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line. ``run`` ties the entries of one execution together; ``prev`` is the hash of the line before."""

    seq: int
    at: datetime
    target: str
    run: str
    kind: str
    facts: dict[str, Json]
    prev: str


class FileJournal:
    """Appends to one target's file; several processes may do so at once."""

    def __init__(self, path: Path, target: str, run: str, clock: Callable[[], datetime]) -> None:
        self._path, self._target, self._run, self._clock = path, target, run, clock

    def append(self, kind: str, facts: Mapping[str, Json]) -> None:
        """One entry; it is on disk when this returns.

        :raises OutputError: it cannot be written.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._path.open("a+b") as file, exclusive(file):
                seq, prev = _last(file.name)
                entry = Entry(
                    seq=seq + 1,
                    at=self._clock(),
                    target=self._target,
                    run=self._run,
                    kind=kind,
                    facts=dict(facts),
                    prev=prev,
                )
                file.write(msgspec.json.encode(entry) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(
                f"the journal {self._path} cannot be written: {error.strerror}",
                hint="Make room or set DBOPS_STATE to a directory that this user can write.",
            ) from None


def entries(path: Path) -> Iterator[Entry]:
    """Every entry of a journal, oldest first.

    :raises InputError: a line that is no entry.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield msgspec.json.decode(line, type=Entry)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise InputError(f"{path}: line {number} is not a journal entry") from None


def check_journal(path: Path) -> int:
    """The number of entries, when the chain is whole.

    :raises InputError: the first line that does not follow from the one before.
    """
    prev, count = _GENESIS, 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise InputError(f"{path}: line {number} is not a journal entry") from None
            if entry.prev != prev or entry.seq != number:
                raise InputError(
                    f"{path}: the chain is broken at line {number}: a line before it was changed or removed"
                )
            prev, count = _hash(line), number
    return count


def _hash(line: bytes) -> str:
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def _last(path: str) -> tuple[int, str]:
    line = _last_line(path)
    if not line:
        return 0, _GENESIS
    try:
        return msgspec.json.decode(line, type=Entry).seq, _hash(line)
    except msgspec.DecodeError:
        # The machine died in the middle of a line. It stays as evidence, and the chain check will name it.
        return 0, _hash(line)


def _last_line(path: str) -> bytes:
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        window = 4096
        while True:
            file.seek(max(0, size - window))
            lines = file.read().rstrip(b"\n").split(b"\n")
            if len(lines) > 1 or window >= size:
                return lines[-1]
            window *= 4
