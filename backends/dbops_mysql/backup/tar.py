"""A directory as a tar stream, written while it is read: no temporary file, one block in memory."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from dbops.errors import StorageFailed

__all__ = ["blocks"]

BLOCK = 1 << 20
RECORD = 512
END = bytes(2 * RECORD)


def blocks(root: Path, counted: Callable[[int, int], None]) -> Iterator[bytes]:
    """Directories and files below ``root``, by their names within it; owners are left out, whoever unpacks it owns it.

    :param counted: told, before the last block, how many files there were and how many bytes they held.
    :raises StorageFailed: a file changed its size meanwhile, or cannot be read.
    """
    files = size = 0
    try:
        for path in _below(root):
            entry = path.lstat()
            name = path.relative_to(root).as_posix()
            if stat.S_ISDIR(entry.st_mode):
                yield _header(name, entry, tarfile.DIRTYPE, 0)
            elif stat.S_ISREG(entry.st_mode):
                yield _header(name, entry, tarfile.REGTYPE, entry.st_size)
                yield from _content(path, entry.st_size)
                files, size = files + 1, size + entry.st_size
            else:
                raise StorageFailed(f"{path} is neither a file nor a directory, and cannot be stored")
    except OSError as error:
        raise StorageFailed(f"{error.filename}: {error.strerror}") from None
    counted(files, size)
    yield END


def _below(root: Path) -> Iterator[Path]:
    for folder, directories, names in os.walk(root, onerror=_raise):
        directories.sort()
        yield from (Path(folder, name) for name in (*directories, *sorted(names)))


def _raise(error: OSError) -> None:
    raise error


def _header(name: str, entry: os.stat_result, kind: bytes, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime, member.type = size, stat.S_IMODE(entry.st_mode), int(entry.st_mtime), kind
    return member.tobuf(tarfile.GNU_FORMAT)


def _content(path: Path, size: int) -> Iterator[bytes]:
    left = size
    with path.open("rb", buffering=0) as file:
        while left:
            block = file.read(min(BLOCK, left))
            if not block:
                raise StorageFailed(f"{path} became shorter while it was read")
            left -= len(block)
            yield block
    yield bytes(-size % RECORD)
