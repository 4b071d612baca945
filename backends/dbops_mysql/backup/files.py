"""Where a server's files are, and whether dbops can read them from where it runs: nothing physical works otherwise.

A path alone proves nothing: the server may run elsewhere, or in a container of this machine, and another server's files
may lie here under the same path.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from dbops.errors import DbopsError
from dbops.model.finding import Missing
from dbops.spi import Host, Reader
from dbops_mysql.statement import text

__all__ = ["Files", "Plugin", "Questions", "inspect", "owner_of", "unreadable"]

T = TypeVar("T")
# Not copied: logs of the server's own, and what it throws away at its next start.
LEFT_OUT = ("ibtmp", "#innodb_temp", "#innodb_redo", "ib_logfile", "#binlog_cache")


class Questions(msgspec.Struct, frozen=True):
    """By which SQL files a family is asked about its tablespaces; an empty name: not asked."""

    outside: str
    encrypted: str
    left_empty: str = ""


class Plugin(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin that came out of a file."""

    name: str
    status: str
    type: str
    library: str


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a server's files.

    :param unreadable: why nothing can be copied from here; empty when it can.
    :param owner: the user to whom the data directory belongs; ``user``: the one that dbops runs as.
    :param bytes: of what a copy holds, by the file system.
    :param outside: tablespaces outside of the data directory; ``encrypted`` ones; ``left_empty``: tables of other
        engines, for a way that copies InnoDB alone.
    :param plugins: those that are at work, and those that are not.
    :param free_bytes: beside the data directory.
    """

    datadir: str = ""
    unreadable: str = ""
    owner: str = ""
    user: str = ""
    bytes: int | Missing = Missing("not_reachable", "the files are not here")
    free_bytes: int | Missing = Missing("not_reachable", "the files are not here")
    outside: tuple[str, ...] = ()
    encrypted: tuple[str, ...] = ()
    left_empty: tuple[str, ...] = ()
    plugins: tuple[Plugin, ...] = ()
    settings: dict[str, str] = {}
    unread: tuple[str, ...] = ()

    def plugin(self, name: str) -> Plugin | None:
        """By its name."""
        return next((one for one in self.plugins if one.name.lower() == name), None)


def inspect(reader: Reader, host: Host, questions: Questions) -> Files:
    """Never raises: what cannot be read is told."""
    settings = {str(name): str(value) for name, value in reader.tuples(text("copy_settings"))}
    datadir = Path(settings.get("datadir", ""))
    reason = unreadable(settings)
    unread: list[str] = []
    return Files(
        datadir=str(datadir) if settings.get("datadir") else "",
        unreadable=reason,
        owner="" if reason else owner_of(datadir),
        user=getpass.getuser(),
        bytes=Missing("not_reachable", reason) if reason else _size(datadir, settings),
        free_bytes=Missing("not_reachable", reason) if reason else host.free_bytes(datadir.parent),
        outside=_names(reader, questions.outside, unread),
        encrypted=_names(reader, questions.encrypted, unread),
        left_empty=_names(reader, questions.left_empty, unread),
        plugins=tuple(reader.rows(text("copy_plugins"), Plugin)),
        settings=settings,
        unread=tuple(dict.fromkeys(unread)),
    )


def unreadable(settings: Mapping[str, str]) -> str:
    """Why the files of the server with these variables cannot be read from here; empty when they can."""
    datadir, host = settings.get("datadir", ""), settings.get("hostname", "")
    if not datadir:
        return "the server does not say where its data directory is"
    here = socket.gethostname()
    if host and host.partition(".")[0] != here.partition(".")[0]:
        return f"the server runs on {host} and dbops on {here}: run dbops there"
    place = Path(datadir)
    try:
        names = sorted(one.name for one in place.iterdir())
    except FileNotFoundError:
        return f"{place} is not on this machine: the server runs on another one, or in a container"
    except OSError as error:
        return _closed(place, error)
    return _not_its(place, settings) or _some_closed(place, names)


def _not_its(place: Path, settings: Mapping[str, str]) -> str:
    """Whether another server's files lie here under the same path."""
    other = f"the files in {place} are another server's: this one runs elsewhere, or in a container"
    if settings.get("server_uuid"):
        try:
            return "" if settings["server_uuid"] in (place / "auto.cnf").read_text(encoding="utf-8") else other
        except FileNotFoundError:
            return other
        except OSError as error:
            return _closed(place / "auto.cnf", error)
    mark = place / settings.get("pid_file", "")
    try:
        pid = int(mark.read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError, IndexError):
        return f"{mark}, which would say that the server in {place} is the one that was asked, cannot be read"
    return "" if _works_in(pid, place) else other


def _works_in(pid: int, place: Path) -> bool:
    """A server's working directory is its data directory."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == place.resolve()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not Path("/proc/self").exists()


def _some_closed(place: Path, names: Sequence[str]) -> str:
    closed = [name for name in names if not os.access(place / name, os.R_OK)]
    if not closed:
        return ""
    return _who(place, f"{place / closed[0]} cannot be read")


def _closed(place: Path, error: OSError) -> str:
    return _who(place, f"{place} cannot be read: {error.strerror}")


def _who(place: Path, what: str) -> str:
    owner = owner_of(place) or "the server's user"
    return f"{what}; run dbops as {owner}" + ("" if owner == "root" else " or as root")


def owner_of(place: Path) -> str:
    """The user to whom a file or its nearest directory that can be seen belongs; empty when nobody can tell."""
    for one in (place, *place.parents):
        with suppress(OSError, KeyError, NotImplementedError):
            return one.owner()
    return ""


def _size(datadir: Path, settings: Mapping[str, str]) -> int | Missing:
    logs = [Path(settings[name]).name for name in ("log_bin_basename", "relay_log_basename") if settings.get(name)]
    left_out = (*LEFT_OUT, *(f"{name}." for name in logs))
    try:
        return sum(_sizes(datadir, left_out))
    except OSError as error:
        return Missing("no_permission", f"{error.filename}: {error.strerror}")


def _sizes(place: Path, left_out: tuple[str, ...]) -> Iterator[int]:
    with os.scandir(place) as entries:
        for one in entries:
            if one.name.startswith(left_out):
                continue
            if one.is_dir(follow_symlinks=True):
                yield from _sizes(Path(one.path), left_out)
            elif one.is_file(follow_symlinks=True):
                with suppress(FileNotFoundError):  # a table that was dropped meanwhile
                    yield one.stat().st_size


def _names(reader: Reader, question: str, unread: list[str]) -> tuple[str, ...]:
    if not question:
        return ()
    try:
        return tuple(str(row[0]) for row in reader.tuples(text(question)))
    except DbopsError as error:
        unread.append(error.message)
        return ()
