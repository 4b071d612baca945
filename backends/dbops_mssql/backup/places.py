"""Where a backup lies: paths and URLs as the server sees them, and as another instance does."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

from dbops.errors import UsageError
from dbops_mssql.backup.sets import DatabaseFile

__all__ = ["MOST_STRIPES", "device", "devices", "file_name", "is_url", "moved", "seen_from"]

MOST_STRIPES = 64
LONGEST_URL = 259
EXTENSIONS = {"L": ".trn"}


def is_url(place: str) -> bool:
    """Whether it is object storage and not a disk."""
    return "://" in place


def device(place: str) -> str:
    """``DISK = N'…'`` or ``URL = N'…'``."""
    return f"{'URL' if is_url(place) else 'DISK'} = N'{place.replace(chr(39), chr(39) * 2)}'"


def file_name(text: str) -> str:
    """A name of a database as a part of a file's name; two names never become one."""
    safe = "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "_" for one in text)[:60]
    return safe if safe == text else f"{safe}-{zlib.crc32(text.encode()):08x}"


def devices(to: Sequence[str], database: str, backup: str, kind: str) -> tuple[str, ...]:
    """A new file for each stripe.

    :param kind: ``backupset.type``.
    :raises UsageError: nowhere to write, disks and URLs mixed, too many stripes, or a URL longer than the server takes.
    """
    if not to:
        raise UsageError(
            "where the server is to write its backups is not configured",
            hint='Set [targets.NAME.backup] to = ["/var/opt/mssql/backup"], as the server sees it.',
        )
    if len(to) > MOST_STRIPES or len({is_url(one) for one in to}) > 1:
        raise UsageError(f"backup.to: up to {MOST_STRIPES} directories, or as many URLs, and not both")
    extension = EXTENSIONS.get(kind, ".bak")
    many = len(to) > 1
    found = tuple(
        _join(place, f"{file_name(database)}_{backup}{f'_{number}' if many else ''}{extension}")
        for number, place in enumerate(to, 1)
    )
    for one in found:
        if is_url(one) and len(one) > LONGEST_URL:
            raise UsageError(f"the URL {one} is longer than the {LONGEST_URL} characters that SQL Server takes")
    return found


def _join(folder: str, name: str) -> str:
    mark = "\\" if "\\" in folder or folder[1:2] == ":" else "/"
    return folder.rstrip("\\/") + mark + name


def seen_from(place: str, paths: Mapping[str, str]) -> str:
    """A place as another instance sees it: the longest beginning that is mapped is replaced. Windows minds no case."""
    fitting = [one for one in paths if place.casefold().startswith(one.casefold())]
    if not fitting:
        return place
    longest = max(fitting, key=len)
    rest = place[len(longest) :]
    there = paths[longest]
    return there + (rest.replace("\\", "/") if "/" in there and "\\" not in there else rest)


def moved(one: DatabaseFile, database: str, data: str, log: str) -> str:
    """Where a file of the copy goes: beside where it was, or into the directory that is configured; under a new name,
    so that two databases can never mean the same file."""
    old = one.path.replace("\\", "/").rpartition("/")[2]
    extension = "." + old.rpartition(".")[2] if "." in old else {"D": ".ndf", "L": ".ldf"}.get(one.kind, "")
    folder = (log if one.kind == "L" else data) or one.path[: len(one.path) - len(old)].rstrip("\\/")
    return _join(folder or ".", f"{file_name(database)}_{one.number}{extension}")
