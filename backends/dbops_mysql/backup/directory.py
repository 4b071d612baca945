"""Where a copy is unpacked: into a new data directory for good, which appears when it is whole, or into a scratch
directory for a proof. And the programs that its family and series need for that."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from dbops import own_server
from dbops.errors import CouldNotTell, OutputError, ToolFailed
from dbops.model.server import Endpoint, Version
from dbops.partial import partial_directory, refuse_full, refuse_taken
from dbops.plan import Value
from dbops.scratch import scratch_directory
from dbops.spi import Host, Runtime
from dbops_mysql import tools
from dbops_mysql.backup.programs import PROGRAMS
from dbops_mysql.installation import LABELS, Family, Installation, installations, reachable, server_user

__all__ = ["copy_area", "fitting", "new_directory"]

# Whether a server takes files of a newer release of its series.
OPENS_NEWER: Mapping[Family, bool] = {"mysql": False, "mariadb": True}
Held = tuple[Mapping[str, Value], Endpoint | None]


@contextmanager
def new_directory(arguments: Mapping[str, object], _endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """A data directory to be filled. Outputs: ``data``, and with ``program`` the paths of its ``tool`` and ``unpack``.

    Arguments: ``path``, ``need_bytes``, ``family``, ``version`` (of the server, such as ``10.11.19``), ``program``
    (whether the family's copying program is needed), ``tools`` (a directory of programs to be used before all others).
    :raises DestinationExists: the path is there.
    :raises OutputError: there is too little room, or it cannot be made.
    :raises ToolFailed: the program is missing.
    """
    path = Path(str(arguments["path"])).absolute()
    refuse_taken(path)
    refuse_full(path, int(str(arguments["need_bytes"])), runtime.host)
    programs = _programs(arguments, runtime.host)
    with partial_directory(path) as root:
        data = root / "data"
        data.mkdir(mode=0o700)
        yield {"data": str(data), **programs}, None
        own_server.hand_over(data, server_user())
        try:
            data.rename(path)
        except OSError as error:
            raise OutputError(f"{path} cannot be made: {error.strerror}") from None


@contextmanager
def copy_area(arguments: Mapping[str, object], _endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """A directory for one proof. Outputs: ``path``, ``data`` in it, ``server`` (the program that fits), ``bindir``,
    ``programs`` (what it is), and with ``program`` the paths of its ``tool`` and ``unpack``.

    Arguments: as for :func:`new_directory`, ``into`` instead of ``path`` (empty: the temporary directory), and ``keys``
    (what encrypted it, empty for nothing).
    :raises CouldNotTell: no server program that fits, too little room, or keys that nobody has here.
    """
    family, version = cast(Family, arguments["family"]), _version(arguments)
    installation = fitting(family, version, str(arguments.get("tools", "")))
    if arguments.get("keys"):
        raise CouldNotTell(
            f"the files of this backup are encrypted ({arguments['keys']}), and their keys are not part of it",
            hint="Restore it where the keys are: `dbops restore run --into DIRECTORY`.",
            reason="environment",
        )
    user = server_user()
    into = Path(str(arguments["into"])) if arguments.get("into") else own_server.temporary_directory(user)
    programs = _programs_or_nothing(arguments, runtime.host)
    need = int(str(arguments["need_bytes"]))
    with scratch_directory(into, need_bytes=need, user=user, host=runtime.host) as path:
        data = path / "data"
        data.mkdir(mode=0o700)
        server = reachable(installation, user).server
        yield {
            "path": str(path), "data": str(data), "server": str(server), "bindir": str(installation.bindir),
            "innochecksum": str(installation.tool("innochecksum")), "programs": installation.label, **programs,
        }, None  # fmt: skip


def fitting(family: Family, version: Version, given: str = "") -> Installation:
    """The server that opens files of ``version``: of its series, and none that is older where that refuses them.

    :param given: a directory of programs that are used before all others.
    :raises CouldNotTell: there is none; with what there is.
    """
    found = installations([Path(given)] if given else [], family)
    own = [one for one in found if one.series == version[:2]]
    good = [one for one in own if OPENS_NEWER[family] or one.version >= version]
    if good:
        return good[0]
    have = ", ".join(one.label for one in found) or "none"
    series, exact = ".".join(map(str, version[:2])), ".".join(map(str, version))
    need = f"{LABELS[family]} {series}" + ("" if OPENS_NEWER[family] else f", {exact} or newer,")
    raise CouldNotTell(
        f"a {need} server is needed to open this copy, and this machine has: {have}",
        hint=f"Install {LABELS[family]} {series}, or name its directory: [targets.NAME.verify] tools.",
        reason="tool_too_old" if own else "tool_missing",
    )


def _programs(arguments: Mapping[str, object], host: Host) -> dict[str, Value]:
    """:raises ToolFailed: a program is missing."""
    if not arguments.get("program"):
        return {}
    family, given = cast(Family, arguments["family"]), str(arguments.get("tools", ""))
    found = tools.find(host, family, "copy", _version(arguments), given, same_series=True)
    tool = tools.required(family, "copy", found)
    unpack = Path(tool.path).with_name(PROGRAMS[family].unpack)
    if not unpack.is_file():
        raise ToolFailed(f"{unpack}, which comes with {tool.path}, is not there", reason="tool_missing")
    return {"tool": tool.path, "unpack": str(unpack)}


def _programs_or_nothing(arguments: Mapping[str, object], host: Host) -> dict[str, Value]:
    try:
        return _programs(arguments, host)
    except ToolFailed as error:
        raise CouldNotTell(error.message, hint=error.hint, reason=error.reason) from None


def _version(arguments: Mapping[str, object]) -> Version:
    return tuple(int(part) for part in str(arguments["version"]).split("."))
