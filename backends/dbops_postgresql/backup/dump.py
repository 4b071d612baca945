"""Logical streams: one database by pg_dump, roles and tablespaces by pg_dumpall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbops import process
from dbops.model.server import Endpoint
from dbops.readable import ToolOutput
from dbops.spi import Member, Runtime
from dbops_postgresql.backup.link import MAINTENANCE, client_environment, conninfo

__all__ = ["dump", "globals_"]

# A table that somebody rebuilds is waited for, but not for ever: all the while the snapshot holds back vacuum.
LOCK_WAIT = "15min"


def dump(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Iterator[Member]:
    """One database in pg_dump's custom format, uncompressed: compressing is a filter's work.

    Arguments: ``tool`` (the path of pg_dump), ``database``, ``snapshot`` (left out: one of its own).
    """
    database = str(arguments["database"])
    argv = [
        str(arguments["tool"]), "--format=custom", "--compress=0", "--no-password",
        f"--lock-wait-timeout={LOCK_WAIT}", f"--dbname={conninfo(endpoint, database)}",
    ]  # fmt: skip
    if arguments.get("snapshot"):
        argv.append(f"--snapshot={arguments['snapshot']}")
    child = process.popen(argv, env=client_environment(endpoint, runtime))
    yield Member("dump.pgdump", ToolOutput(child, f"the dump of {database}"))


def globals_(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Iterator[Member]:
    """Roles, memberships and settings of roles (``part`` ``roles``), or tablespaces (``part`` ``tablespaces``), as SQL.

    Arguments: ``tool`` (the path of pg_dumpall), ``passwords`` (False leaves out the verifiers, which need pg_authid).
    """
    part = str(arguments["part"])
    argv = [
        str(arguments["tool"]), f"--{part}-only", "--no-password",
        f"--database={MAINTENANCE}", f"--dbname={conninfo(endpoint)}",
    ]  # fmt: skip
    if not arguments.get("passwords", True):
        argv.append("--no-role-passwords")
    child = process.popen(argv, env=client_environment(endpoint, runtime))
    yield Member(f"{part}.sql", ToolOutput(child, f"the dump of {part}"))
