"""The client programs of MySQL and MariaDB: which one serves which server.

Both projects ship programs of the same names: on many machines ``mysqldump`` is MariaDB's. What a program says of
itself decides, never its name: one of the other family is not used, whatever its version.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from dbops.errors import ToolFailed
from dbops.model.finding import Missing
from dbops.model.server import Tool, Version
from dbops.spi import Host
from dbops_mysql.installation import LABELS, VARIABLE, Family

__all__ = ["NAMES", "choose", "family_of", "find", "found", "places", "required", "version_of"]

# By what they are for; a family's own name first, then the one that it shares with the other family.
NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "mysql": {
        "dump": ("mysqldump",),
        "client": ("mysql",),
        "copy": ("xtrabackup",),
    },
    "mariadb": {
        "dump": ("mariadb-dump", "mysqldump"),
        "client": ("mariadb", "mysql"),
        "copy": ("mariadb-backup", "mariabackup"),
    },
}
PACKAGES: Mapping[str, str] = {
    "mysql": "Install MySQL's client programs (mysql-client of the same series)",
    "mariadb": "Install MariaDB's client programs (Debian: mariadb-client, and mariadb-backup for copies)",
}
FOLDERS = ("/usr/bin", "/usr/local/mysql/bin", "/usr/local/bin", "/opt/*/bin", "/opt/homebrew/opt/m*/bin")
# MariaDB: "Ver 10.19 Distrib 10.11.19-MariaDB" or "from 11.8.9-MariaDB, client 10.20"; xtrabackup: "version 8.4.0-4
# based on MySQL server 8.4.0".
_MARIADB = re.compile(r"(?:Distrib |from |server )(\d+(?:\.\d+)+)-MariaDB")
_MYSQL = re.compile(r"(?:Distrib |version )(\d+(?:\.\d+)+)|Ver (\d+(?:\.\d+)+)(?!.*Distrib )")


def family_of(tool: Tool) -> Family:
    """Whose program it is, by its own words."""
    return "mariadb" if _MARIADB.search(tool.banner) else "mysql"


def version_of(banner: str) -> Version:
    """The version of the release that a program came with; its own counting (``Ver 10.19``) says nothing."""
    match = _MARIADB.search(banner) or _MYSQL.search(banner)
    number = next((group for group in match.groups() if group), "") if match else ""
    return tuple(int(part) for part in number.split(".") if part)


@cache
def places(given: str = "") -> tuple[str, ...]:
    """Directories that hold client programs: the given one, those of ``DBOPS_SERVERS``, the usual ones."""
    named = [word for word in os.environ.get(VARIABLE, "").split(os.pathsep) if word]
    beside = [str(Path(word).parent / "bin") for word in (given, *named) if word]
    usual = [str(path) for pattern in FOLDERS for path in sorted(Path("/").glob(pattern[1:]))]
    return tuple(dict.fromkeys([*([given] if given else []), *named, *beside, *usual]))


def found(host: Host, family: Family, purpose: str, given: str = "") -> tuple[Tool, ...]:
    """Every program of ``family`` for ``purpose`` (a word of ``NAMES``) on this machine, in order of preference."""
    asked: list[Tool | Missing] = []
    for name in NAMES[family][purpose]:
        asked += [host.tool(str(Path(place) / name)) for place in places(given)] + [host.tool(name)]
    tools = [
        msgspec.structs.replace(tool, name=NAMES[family][purpose][0], version=version_of(tool.banner))
        for tool in asked
        if isinstance(tool, Tool) and family_of(tool) == family and version_of(tool.banner)
    ]
    return tuple({tool.path: tool for tool in tools}.values())


def choose(
    family: Family, purpose: str, tools: Iterable[Tool], server: Version, *, same_series: bool = False
) -> Tool | Missing:
    """The program of the server's own series, else the oldest newer one: an older one does not know all that it has.

    :param same_series: nothing else will do (programs that read data files).
    """
    every = list(tools)
    own = [tool for tool in every if tool.version[:2] == server[:2]]
    if own:
        return max(own, key=lambda tool: tool.version)
    newer = [] if same_series else [tool for tool in every if tool.version[:2] > server[:2]]
    if newer:
        return min(newer, key=lambda tool: tool.version)
    return _missing(family, purpose, every, server, same_series)


def find(
    host: Host, family: Family, purpose: str, server: Version, given: str = "", *, same_series: bool = False
) -> Tool | Missing:
    """Look for it and choose."""
    return choose(family, purpose, found(host, family, purpose, given), server, same_series=same_series)


def required(family: Family, purpose: str, tool: Tool | Missing | None) -> Tool:
    """:raises ToolFailed: there is none that can be used; with what was found and what is needed."""
    if isinstance(tool, Tool):
        return tool
    name = NAMES[family][purpose][0]
    raise ToolFailed(
        tool.detail if tool is not None else f"{name} was not looked for",
        hint=f"{PACKAGES[family]}, or name the directory that has {name}: [targets.NAME.verify] tools.",
        reason=tool.reason if tool is not None else "tool_missing",
    )


def _missing(family: Family, purpose: str, every: Sequence[Tool], server: Version, same_series: bool) -> Missing:
    name, series = NAMES[family][purpose][0], ".".join(map(str, server[:2]))
    want = f"{LABELS[family]} {series}{'' if same_series else ' or newer'}"
    if not every:
        return Missing("tool_missing", f"{name} of {want} was not found on this machine")
    best = max(every, key=lambda tool: tool.version)
    have, needed = ".".join(map(str, best.version)), ".".join(map(str, server))
    reason = "tool_too_old" if best.version[:2] < server[:2] else "tool_missing"
    return Missing(reason, f"{best.path} is of {have}, the server is {LABELS[family]} {needed}: {want} is needed")
