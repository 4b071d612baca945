"""Where a backup lies: paths and URLs as the server sees them, and as another instance does."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence

from dbops.errors import UsageError
from dbops.model.backup import Blocker, Depot
from dbops_mssql.backup.sets import DatabaseFile

__all__ = [
    "MOST_STRIPES",
    "NOWHERE",
    "OWNS",
    "SET_PLACE",
    "device",
    "devices",
    "file_name",
    "is_url",
    "moved",
    "seen_from",
    "unset",
]

MOST_STRIPES = 64
LONGEST_URL = 259
EXTENSIONS = {"L": ".trn"}
METHODS = ("full", "differential", "log", "tail")
NOWHERE = "where the server is to write its backups is not configured"
SET_PLACE = 'Set [targets.NAME.backup] to = ["/var/opt/mssql/backup"], as the server sees it.'
OWNS = (
    "another program may own the chain: a differential or log backup of ours would be missing in its restores, and its "
    "backups in ours"
)


def is_url(place: str) -> bool:
    """Whether it is object storage and not a disk."""
    return "://" in place


def device(place: str) -> str:
    """``DISK = N'…'`` or ``URL = N'…'``."""
    return f"{'URL' if is_url(place) else 'DISK'} = N'{place.replace(chr(39), chr(39) * 2)}'"


def file_name(text: str, beside: Sequence[str] = ()) -> str:
    """A name of a database as a part of a file's name; two names never become one.

    :param beside: other names: where two differ in case alone, as on a server that tells them apart, Windows would take
        both files for one, and the server would write the second backup behind the first.
    """
    safe = "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "_" for one in text)[:60]
    alone = not any(one != text and one.casefold() == text.casefold() for one in beside)
    return safe if safe == text and alone else f"{safe}-{zlib.crc32(text.encode()):08x}"


def unset(depot: Depot) -> Iterator[Blocker]:
    """What the configuration leaves out, and which methods wait for it."""
    if not depot.to:
        yield from (Blocker(method=one, reason=NOWHERE) for one in METHODS)
    elif not depot.owns_chain:
        yield from (Blocker(method=one, reason=OWNS) for one in METHODS[1:])


def devices(to: Sequence[str], database: str, backup: str, kind: str, beside: Sequence[str] = ()) -> tuple[str, ...]:
    """A new file for each stripe.

    :param kind: ``backupset.type``. :param beside: the names of all databases.
    :raises UsageError: nowhere to write, disks and URLs mixed, too many stripes, or a URL longer than the server takes.
    """
    if not to:
        raise UsageError(
            NOWHERE,
            hint=SET_PLACE,
        )
    if len(to) > MOST_STRIPES or len({is_url(one) for one in to}) > 1:
        raise UsageError(f"backup.to: up to {MOST_STRIPES} directories, or as many URLs, and not both")
    extension = EXTENSIONS.get(kind, ".bak")
    many = len(to) > 1
    found = tuple(
        _join(place, f"{file_name(database, beside)}_{backup}{f'_{number}' if many else ''}{extension}")
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
