"""Where a dump is proved: a private directory, and an empty server of the family and series that was dumped.

It listens on a private socket only, where whoever can reach it is ``root``: the directory is private. It writes no
binary log, follows nobody, runs no event, and is killed at the end.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

import msgspec

from dbops import own_server
from dbops.errors import CouldNotTell, ToolFailed
from dbops.model.finding import Missing
from dbops.model.server import Endpoint, Tool, Version
from dbops.plan import Value
from dbops.scratch import scratch_directory
from dbops.spi import Host, Runtime
from dbops_mysql import server, tools
from dbops_mysql.backup.client import outputs
from dbops_mysql.backup.link import Link, ask, connected
from dbops_mysql.installation import LABELS, Family, Installation, installations, reachable, server_user
from dbops_mysql.statement import text

__all__ = ["area", "empty", "of_series"]

Held = tuple[Mapping[str, Value], Endpoint | None]
START_S = 120.0
# Thrown away: nothing needs to outlive a power cut, and a statement may be as long as the dump's longest.
QUICK: Mapping[str, str] = {
    "innodb-flush-log-at-trx-commit": "0",
    "loose-innodb-doublewrite": "OFF",
    "max-allowed-packet": "1073741824",
    "max-connect-errors": "1000000",
}
# A table of the original may be too wide for smaller pages, and two may differ by case alone.
BUILT_IN = frozenset({"innodb_page_size", "lower_case_table_names"})


@contextmanager
def area(arguments: Mapping[str, object], _endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """A directory for one proof. Outputs: ``path``, a path for each word of ``files``, ``server`` and ``bindir`` of the
    server that fits, ``client`` (the program that loads), ``programs`` (what they are).

    Arguments: ``into`` (where; empty: the temporary directory), ``need_bytes``, ``files`` (words separated by a space),
    ``family``, ``version`` (of the server that was dumped), ``dumped_by`` (the version of its program), ``tools``.
    :raises CouldNotTell: programs are missing, or there is too little room.
    """
    family, given = cast(Family, arguments["family"]), str(arguments.get("tools", ""))
    installation = of_series(family, _version(arguments["version"]), given)
    client = _client(runtime.host, family, _version(arguments["dumped_by"]), installation)
    user = server_user()
    into = Path(str(arguments["into"])) if arguments.get("into") else own_server.temporary_directory(user)
    need = int(str(arguments["need_bytes"]))
    with scratch_directory(into, need_bytes=need, user=user, host=runtime.host) as path:
        found: dict[str, Value] = {word: str(path / word) for word in str(arguments.get("files", "")).split()}
        yield {
            **found, "path": str(path), "server": str(reachable(installation, user).server),
            "bindir": str(installation.bindir), "client": client.path, "programs": installation.label,
        }, None  # fmt: skip


@contextmanager
def empty(arguments: Mapping[str, object], _endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """A new server in the area ``path``. Outputs: ``client``, ``options`` (see :mod:`dbops_mysql.backup.client`),
    ``log``.

    Arguments also: ``server``, ``bindir``, ``client``, ``family``, ``settings`` (JSON: of the original), ``engines``
    (JSON: those that its tables have).
    :raises CouldNotTell: it cannot be made or started here, or lacks an engine.
    """
    family, client = cast(Family, arguments["family"]), str(arguments["client"])
    with ExitStack() as stack:
        try:
            running = stack.enter_context(_started(arguments, family))
            running.wait_until_ready(START_S)
        except ToolFailed as error:
            raise CouldNotTell(error.message, hint=error.hint, reason=error.reason or "environment") from None
        stack.callback(running.kill)  # before it is stopped in good order, which takes its time
        there = Endpoint(engine=family, host=str(running.socket), user="root")
        with connected(there, runtime) as link:
            _check_engines(link, msgspec.json.decode(str(arguments["engines"]), type=list[str]))
        yield {**outputs(there, runtime, family, client), "log": str(running.log)}, there


@contextmanager
def _started(arguments: Mapping[str, object], family: Family) -> Generator[server.Running]:
    path, user, program = Path(str(arguments["path"])), server_user(), Path(str(arguments["server"]))
    installation = Installation(
        family=family, version=(), server=program, bindir=Path(str(arguments["bindir"])), origin="given"
    )
    original = msgspec.json.decode(str(arguments["settings"]), type=dict[str, str])
    built_in = {name: value for name, value in original.items() if name in BUILT_IN}
    data, socket_dir = path / "server", path / "s"
    socket_dir.mkdir(mode=0o700)
    own_server.hand_over(socket_dir, user)
    server.initialise(installation, data, user=user, settings=built_in)
    with server.start(
        installation, data, socket_dir=socket_dir, log=path / "server.log", user=user,
        settings={**built_in, **QUICK}, options=["--skip-log-bin"],
    ) as running:  # fmt: skip
        yield running


def _check_engines(link: Link, wanted: Sequence[str]) -> None:
    """:raises CouldNotTell: this server has not all that the tables need."""
    there = {str(row[0]).lower() for row in ask(link, text("scratch_engines"))}
    missing = [name for name in wanted if name and name.lower() not in there]
    if missing:
        raise CouldNotTell(
            f"the server here has no storage engine {', '.join(missing)}, which tables of this backup have",
            hint="Run the proof where the same plugins as on the server are installed, or name them by `tools`.",
            reason="environment",
        )


def of_series(family: Family, version: Version, given: str = "") -> Installation:
    """A server of the same family and series on this machine.

    :raises CouldNotTell: there is none; with what there is.
    """
    found = installations([Path(given)] if given else [], family)
    own = [one for one in found if one.series == version[:2]]
    if own:
        return own[0]
    have, series = ", ".join(one.label for one in found) or "none", ".".join(map(str, version[:2]))
    raise CouldNotTell(
        f"a {LABELS[family]} {series} server is needed to prove this dump, and this machine has: {have}",
        hint=f"Install {LABELS[family]} {series}, or name its directory: [targets.NAME.verify] tools.",
        reason="tool_missing",
    )


def _client(host: Host, family: Family, version: Version, installation: Installation) -> Tool:
    found = tools.find(host, family, "client", version, str(installation.bindir))
    if isinstance(found, Missing):
        raise CouldNotTell(found.detail, hint="Install the client programs beside the server.", reason=found.reason)
    return found


def _version(text: object) -> Version:
    return tuple(int(part) for part in str(text).split(".") if part)
