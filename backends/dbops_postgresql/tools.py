"""PostgreSQL's client programs: which one serves which server. A dump's program must not be older than the server."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from dbops.errors import ToolFailed
from dbops.model.finding import Missing
from dbops.model.server import Tool, Version
from dbops.spi import Host
from dbops_postgresql.installation import WHEELS

__all__ = ["choose", "for_restore", "found", "places", "required"]


def places(given: str = "") -> tuple[str, ...]:
    """Directories that hold client programs: the given one, Debian's, those of the PyPI wheels."""
    debian = sorted((str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    return (*([given] if given else []), *debian, *_wheels())


def found(host: Host, name: str, given: str = "") -> tuple[Tool, ...]:
    """Every program ``name`` on this machine, in the order of preference among equals; PATH comes last."""
    # By its path: a newer one on PATH would hide the one that has the server's version.
    asked = [host.tool(str(Path(place) / name)) for place in places(given)] + [host.tool(name)]
    tools = [msgspec.structs.replace(tool, name=name) for tool in asked if isinstance(tool, Tool)]
    return tuple({tool.path: tool for tool in tools}.values())


def choose(name: str, tools: Iterable[Tool], server: Version, *, same_major: bool = False) -> Tool | Missing:
    """The program of the server's own major version, else the oldest newer one; each version writes and reads what its
    own server understands best.

    :param same_major: nothing else will do (programs that read data files and WAL).
    """
    every = list(tools)
    wanted = [tool for tool in every if tool.version[:1] == server[:1]]
    if not wanted and not same_major:
        newer = [tool for tool in every if tool.version[:1] > server[:1]]
        oldest = min((tool.version[0] for tool in newer), default=0)
        wanted = [tool for tool in newer if tool.version[0] == oldest]
    if wanted:
        return wanted[0]
    return _missing(name, every, server, same_major)


def required(name: str, tool: Tool | Missing | None) -> Tool:
    """:raises ToolFailed: there is none that can be used; with what was found and what is needed."""
    if isinstance(tool, Tool):
        return tool
    why = tool.detail if tool is not None else f"{name} was not looked for"
    raise ToolFailed(
        why, hint=f"Install the PostgreSQL client programs (Debian: postgresql-client) that bring {name}.",
        reason=tool.reason if tool is not None else "tool_missing",
    )  # fmt: skip


def _missing(name: str, every: Sequence[Tool], server: Version, same_major: bool) -> Missing:
    want = f"{server[0]}" if same_major else f"{server[0]} or newer"
    if not every:
        return Missing("tool_missing", f"{name} was not found on this machine; PostgreSQL {want} is needed")
    best = max(every, key=lambda tool: tool.version)
    have, needed = ".".join(map(str, best.version)), ".".join(map(str, server))
    reason = "tool_too_old" if best.version[:1] < server[:1] else "tool_missing"
    return Missing(
        reason,
        f"{best.path} is version {have}, the server is PostgreSQL {needed}: {name} {want} is needed",
    )


def _wheels() -> list[str]:
    # find_spec: importing these packages has side effects that we do not want.
    specs = [importlib.util.find_spec(wheel) for wheel in WHEELS]
    return [str(Path(spec.origin).parent / "pginstall" / "bin") for spec in specs if spec is not None and spec.origin]


def for_restore(host: Host, server: int, dump_version: str, given: str = "") -> Tool:
    """The pg_restore that understands the dump, and the server best.

    :param server: the major version of the server restored into; ``dump_version`` is that of pg_dump.
    :raises ToolFailed: there is none, or only ones that are older than the dump.
    """
    dump = int(dump_version.partition(".")[0] or 0)
    tools = found(host, "pg_restore", given)
    return required("pg_restore", choose("pg_restore", tools, (max(server, dump),)))
