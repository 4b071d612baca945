"""The journal: one hash chain per target, one JSON line per entry, on disk before the next thing happens.

Each line carries the SHA-256 of the line before it, and a small file beside the journal, its head, the number and the
hash of the newest one: so that changing the last line, or cutting the end off, is seen like everything else.
:func:`check_journal` names the first broken line. Nothing in a journal is ever rewritten.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO

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
                self._append(file, kind, dict(facts))
        except OSError as error:
            raise OutputError(
                f"the journal {self._path} cannot be written: {error.strerror}",
                hint="Make room or set DBOPS_STATE to a directory that this user can write.",
            ) from None

    def _append(self, file: IO[bytes], kind: str, facts: dict[str, Json]) -> None:
        seq, prev, torn = _last(self._path)
        entry = Entry(
            seq=seq + 1, at=self._clock(), target=self._target, run=self._run, kind=kind, facts=facts, prev=prev
        )
        line = msgspec.json.encode(entry)
        size = file.seek(0, os.SEEK_END)
        try:
            file.write(b"\n" * torn + line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size)  # half a line would break the chain for ever
            raise
        _write_head(self._path, seq + 1, _hash(line))


def entries(path: Path) -> Iterator[Entry]:
    """Every entry of a journal, oldest first.

    :raises InputError: a line that is no entry.
    """
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            yield _entry(line, path, number)


def check_journal(path: Path) -> int:
    """The number of entries, when the chain is whole up to its end.

    :raises InputError: the first line that does not follow from the one before, or an end that is not the newest.
    """
    hashes = [_GENESIS]
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            entry = _entry(line, path, number)
            if entry.prev != hashes[-1] or entry.seq != number:
                raise InputError(
                    f"{path}: the chain is broken at line {number}: a line before it was changed or removed"
                )
            hashes.append(_hash(line))
    seq, digest = _read_head(path)
    if seq >= len(hashes):
        raise InputError(f"{path}: the chain is broken: it ends at line {len(hashes) - 1}, and line {seq} was written")
    # The head is the younger of two writes: after a crash it may lag behind, never run ahead.
    if hashes[seq] != digest:
        raise InputError(f"{path}: the chain is broken at line {seq}: it was changed")
    return len(hashes) - 1


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _entry(line: bytes, path: Path, number: int) -> Entry:
    try:
        return msgspec.json.decode(line, type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InputError(f"{path}: line {number} is not a journal entry") from None


def _write_head(path: Path, seq: int, digest: str) -> None:
    temporary = path.with_suffix(".head.new")
    temporary.write_text(f"{seq} {digest}\n", encoding="ascii")
    temporary.replace(path.with_suffix(".head"))


def _read_head(path: Path) -> tuple[int, str]:
    head = path.with_suffix(".head")
    try:
        seq, digest = head.read_text(encoding="ascii").split()
        return int(seq), digest
    except (OSError, ValueError):
        raise InputError(f"{path}: its end cannot be checked: {head} is gone or unreadable") from None


def _hash(line: bytes) -> str:
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def _last(path: Path) -> tuple[int, str, bool]:
    """Number and hash of the last line, and whether its end of line is missing."""
    line = _last_line(path)
    text = line.rstrip(b"\n")
    if not text:
        return 0, _GENESIS, False
    try:
        return msgspec.json.decode(text, type=Entry).seq, _hash(text), text == line
    except (msgspec.DecodeError, UnicodeDecodeError):
        # The machine died in the middle of a line. It stays as evidence, and the chain check will name it.
        return 0, _hash(text), text == line


def _last_line(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        window = 4096
        while True:
            file.seek(max(0, size - window))
            lines = file.read().splitlines(keepends=True)
            if len(lines) > 1 or window >= size:
                return lines[-1] if lines else b""
            window *= 4
