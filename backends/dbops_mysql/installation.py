"""MySQL and MariaDB servers on this machine: where their programs are, which of the two they are, and who can run them.

A distribution puts the server into ``/usr/sbin`` and the client tools into ``/usr/bin``; a tarball has one ``bin``.
Directories named in ``DBOPS_SERVERS`` (separated as in ``PATH``) are looked into as well: a server need not be
installed to be used for a proof or a test.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from dbops import own_server, process
from dbops.errors import DbopsError, ToolFailed
from dbops.model.server import Version

__all__ = ["Family", "Installation", "installations", "reachable", "server_user"]

Family = Literal["mysql", "mariadb"]
LABELS: Mapping[Family, str] = {"mysql": "MySQL", "mariadb": "MariaDB"}
# MariaDB's first: it also brings its server and its tools under the names of MySQL's.
SERVERS = ("mariadbd", "mysqld")
SERVER: Mapping[Family, str] = {"mysql": "mysqld", "mariadb": "mariadbd"}
CLIENTS: Mapping[Family, str] = {"mysql": "mysqldump", "mariadb": "mariadb-dump"}
USUAL = (
    "/usr/sbin",
    "/usr/bin",
    "/usr/libexec",
    "/usr/local/mysql/bin",
    "/usr/local/bin",
    "/opt/*/bin",
    "/opt/homebrew/opt/m*/bin",
    "/usr/local/opt/m*/bin",
)
MINIMUM: Mapping[Family, Version] = {"mysql": (8, 0), "mariadb": (10, 6)}
VARIABLE = "DBOPS_SERVERS"


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """One server program and its client tools.

    :param server: the program itself, ``mysqld`` or ``mariadbd``.
    :param bindir: where the client tools are.
    :param origin: who brought it: ``given``, ``DBOPS_SERVERS``, ``system``, or ``PATH``.
    """

    family: Family
    version: Version
    server: Path
    bindir: Path
    origin: str

    @property
    def major(self) -> int:
        """The first number of the version."""
        return self.version[0]

    @property
    def series(self) -> Version:
        """The first two numbers, such as ``(10, 11)``: a data directory or a physical copy belongs to one series."""
        return self.version[:2]

    @property
    def label(self) -> str:
        """``MariaDB 10.11.19 (system)``."""
        return f"{LABELS[self.family]} {'.'.join(map(str, self.version))} ({self.origin})"

    def tool(self, name: str) -> Path:
        """The path of one program, which need not exist."""
        beside = self.server.parent / name
        return self.bindir / name if (self.bindir / name).exists() or not beside.exists() else beside


def installations(places: Sequence[Path] = (), family: Family | None = None) -> tuple[Installation, ...]:
    """Every server of ``family`` (of both for None): those in ``places`` first, then the newest first; each once."""
    found: dict[tuple[Path, Family], Installation] = {}
    for origin, folder in _candidates(places):
        for name in SERVERS:
            one = _ask(folder / name, origin)
            if one is not None and family in (None, one.family):
                found.setdefault((one.server.parent.resolve(), one.family), one)
    order = {"given": 1}
    return tuple(sorted(found.values(), key=lambda one: (order.get(one.origin, 0), one.version), reverse=True))


def server_user() -> str | None:
    """Whom a server must run as: None for ourselves, and for root ``mysql`` or else ``nobody``.

    :raises ToolFailed: we are root and the machine has neither.
    """
    return own_server.run_as("the server", ("mysql", "nobody"))


def reachable(installation: Installation, user: str | None) -> Installation:
    """The installation itself.

    :raises ToolFailed: the user cannot run it.
    """
    if user is None:
        return installation
    try:
        said = process.run([installation.server, "--no-defaults", "--version"], user=user, timeout=20)
        runs = said.returncode == 0
    except DbopsError:
        runs = False
    if not runs:
        raise ToolFailed(
            f"the user {user} cannot run {installation.server}, and it refuses to run as root",
            hint=f"Open the directories above it (chmod o+x), or run dbops as an ordinary user. "
            f"dbops runs servers as {user} when it runs as root.",
        )
    return installation


def _candidates(places: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    for place in places:
        yield "given", place
    for word in os.environ.get(VARIABLE, "").split(os.pathsep):
        if word:
            yield VARIABLE, Path(word)
    for pattern in USUAL:
        for folder in sorted(Path("/").glob(pattern[1:])):
            yield "system", folder
    for name in SERVERS:
        on_path = shutil.which(name)
        if on_path is not None:
            yield "PATH", Path(on_path).parent


def _ask(program: Path, origin: str) -> Installation | None:
    if not program.is_file() or not os.access(program, os.X_OK):
        return None
    try:
        said = process.run([program, "--no-defaults", "--version"], timeout=20).stdout
    except DbopsError:
        return None
    match = re.search(r" Ver (\d+\.\d+(?:\.\d+)*)", said)
    if match is None:
        return None
    family: Family = "mariadb" if "-MariaDB" in said else "mysql"
    version = tuple(int(part) for part in match[1].split("."))
    if version < MINIMUM[family]:
        return None
    return Installation(
        family=family, version=version, server=program, bindir=_clients(program.parent, family), origin=origin
    )


def _clients(folder: Path, family: Family) -> Path:
    for place in (folder, folder.parent / "bin"):
        if (place / CLIENTS[family]).exists():
            return place
    return folder
