"""A throwaway server: empty, for a dump; or on a physical copy, with nothing of the original's outside life.

It listens on a private socket only, archives nothing, follows nobody, replicates to nobody, loads no library that the
configuration named, and fires no event trigger. Whoever can reach the socket is a superuser: its directory is private.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from dbops import own_server, process
from dbops.errors import CouldNotTell, ToolFailed
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_postgresql import server, tools
from dbops_postgresql.backup.link import client_outputs, connect
from dbops_postgresql.backup.tablespaces import place
from dbops_postgresql.installation import Installation, installations, server_user
from dbops_postgresql.quoting import identifier

__all__ = ["control_data", "copy", "empty", "installation_in"]

Held = tuple[Mapping[str, Value], Endpoint | None]
START_S = 60.0
# Replaying the log of a large backup takes its time; a server that died is noticed at once.
RECOVER_S = 6 * 3600.0
DATABASE = "template1"
FIRST = "dbops first"
HELPER = "dbops helper"
TRUST = "local all all trust\n"
QUIET: Mapping[str, str] = {
    "archive_mode": "off",
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "huge_pages": "off",
    "jit": "off",
    "max_logical_replication_workers": "0",
    "max_wal_size": "512MB",
    "primary_conninfo": "",
    # A crash is an answer. A server that recovers from one hangs when it is stopped meanwhile (seen on 18.6).
    "restart_after_crash": "off",
    "restore_command": "",
    "shared_preload_libraries": "",
    "ssl": "off",
    "synchronous_standby_names": "",
    "unix_socket_permissions": "0700",
}
SINCE: Mapping[int, Mapping[str, str]] = {17: {"event_triggers": "off", "summarize_wal": "off"}}
# Recovery refuses values below those of the original: https://www.postgresql.org/docs/current/hot-standby.html
HONOURED = {
    "max_connections": "max_connections",
    "max_worker_processes": "max_worker_processes",
    "max_wal_senders": "max_wal_senders",
    "max_prepared_xacts": "max_prepared_transactions",
    "max_locks_per_xact": "max_locks_per_transaction",
}
# The operator's variables are about his servers: those of libpq that are not answered here would count for ours too.
# Settings of roles and databases came back with them, and must not end or forbid a restore or a check.
OURS: Mapping[str, str] = {
    "channel_binding": "disable",
    "gssencmode": "disable",
    "options": "-c statement_timeout=0 -c lock_timeout=0 -c default_transaction_read_only=off",
    "target_session_attrs": "any",
}
# The programs cannot open these files: that says nothing about the backup.
UNFIT = re.compile(
    r"database files are incompatible with server|not supported by (this )?build|initialized with \w+ \d+, but",
    re.IGNORECASE,
)
NO_ROOM = re.compile(r"No space left on device", re.IGNORECASE)


@contextmanager
def empty(arguments: Mapping[str, object], _endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """A new server in the area ``path`` with the programs in ``bindir``; ``superuser`` is named like the original's,
    so that the roles' own grants name somebody who is there."""
    path, installation = _place(arguments)
    user, superuser = server_user(), str(arguments["superuser"])
    data = path / "server"
    data.mkdir(mode=0o700)
    own_server.hand_over(data, user)
    process.run(
        [
            installation.tool("initdb"), "--pgdata", data, f"--username={FIRST}", "--auth=trust", "--encoding=UTF8",
            "--locale=C", "--data-checksums", "--no-sync", "--no-instructions",
        ],
        env=server.CLEAN, user=user, timeout=300,
    ).check()  # fmt: skip
    settings = _settings(installation.major)
    with _running(installation, path, data, settings, deadline_s=START_S, superuser=FIRST) as (outputs, there):
        renamed = msgspec.structs.replace(there, user=superuser)
        _rename(there, renamed, runtime)
        program = tools.for_restore(
            runtime.host, installation.major, str(arguments["dump_version"]), str(installation.bindir)
        )
        yield {**outputs, **client_outputs(renamed), "pg_restore": program.path}, renamed


def _rename(there: Endpoint, renamed: Endpoint, runtime: Runtime) -> None:
    """The first superuser as the original's is called: initdb fails on a name with a quote, and nobody can rename
    himself."""
    helper = msgspec.structs.replace(there, user=HELPER)
    with connect(there, runtime) as connection:
        connection.execute(f"CREATE ROLE {identifier(HELPER)} SUPERUSER LOGIN".encode())
    with connect(helper, runtime) as connection:
        rename = f"ALTER ROLE {identifier(FIRST)} RENAME TO {identifier(renamed.user or FIRST)}"
        connection.execute(rename.encode())
    with connect(renamed, runtime) as connection:
        connection.execute(f"DROP ROLE {identifier(HELPER)}".encode())


@contextmanager
def copy(arguments: Mapping[str, object], _endpoint: Endpoint, _runtime: Runtime) -> Generator[Held]:
    """A server on the copy in ``data``. Arguments also: ``path``, ``bindir``, ``superuser``, ``tablespaces`` (oids
    separated by a space, each unpacked in ``<path>/t<oid>``). Its end is a clean shutdown.

    :raises ToolFailed: it does not start; with the end of its log.
    """
    path, installation = _place(arguments)
    data = Path(str(arguments["data"]))
    oids = str(arguments.get("tablespaces", "")).split()
    place(data, {oid: path / f"t{oid}" for oid in oids})
    _configure(data)
    for directory in (data, *(path / f"t{oid}" for oid in oids)):
        own_server.hand_over(directory, server_user())
    settings = {**_settings(installation.major), **_honoured(installation, data)}
    superuser = str(arguments["superuser"])
    with _running(installation, path, data, settings, deadline_s=RECOVER_S, superuser=superuser) as held:
        yield held


@contextmanager
def _running(
    installation: Installation,
    path: Path,
    data: Path,
    settings: Mapping[str, str],
    *,
    deadline_s: float,
    superuser: str,
) -> Generator[tuple[Mapping[str, Value], Endpoint]]:
    socket_dir = path / "s"
    socket_dir.mkdir(mode=0o700)
    own_server.hand_over(socket_dir, server_user())
    log = path / "server.log"
    with server.start(
        installation, data, socket_dir=socket_dir, log=log, user=server_user(), settings=settings
    ) as running:
        try:
            running.wait_until_ready(deadline_s)
        except ToolFailed as error:
            raise _unfit(error) from None
        there = Endpoint(
            engine="postgresql",
            host=str(socket_dir),
            port=running.port,
            user=superuser,
            database=DATABASE,
            options=dict(OURS),
        )
        yield {**client_outputs(there), "log": str(log)}, there


def _unfit(error: ToolFailed) -> Exception:
    if NO_ROOM.search(error.message):
        return CouldNotTell(error.message, hint="Name a larger place by `verify.into`.", reason="no_space")
    if UNFIT.search(error.message):
        hint = "Run the proof where the same packages as on the server are installed, or name them by `tools`."
        return CouldNotTell(error.message, hint=hint, reason="environment")
    return error


def _place(arguments: Mapping[str, object]) -> tuple[Path, Installation]:
    return Path(str(arguments["path"])), installation_in(str(arguments["bindir"]))


def installation_in(bindir: str) -> Installation:
    """The programs in one directory, as the area chose them."""
    found = [one for one in installations([Path(bindir)]) if one.bindir == Path(bindir).resolve()]
    if not found:
        raise ToolFailed(f"{bindir} holds no PostgreSQL server programs", reason="tool_missing")
    return found[0]


def _settings(major: int) -> dict[str, str]:
    newer = [settings for since, settings in SINCE.items() if major >= since]
    return {**QUIET, **{name: value for settings in newer for name, value in settings.items()}}


def _configure(data: Path) -> None:
    """Our own configuration in the place of the original's."""
    for name in ("recovery.signal", "standby.signal", "postgresql.auto.conf", "postmaster.pid"):
        (data / name).unlink(missing_ok=True)
    for name, content in (("postgresql.conf", ""), ("pg_ident.conf", ""), ("pg_hba.conf", TRUST)):
        (data / name).unlink(missing_ok=True)
        (data / name).write_text(content, encoding="utf-8")


def _honoured(installation: Installation, data: Path) -> dict[str, str]:
    said = control_data(installation, data)
    return {ours: said[f"{theirs} setting"] for theirs, ours in HONOURED.items() if f"{theirs} setting" in said}


def control_data(installation: Installation, data: Path) -> dict[str, str]:
    """What ``pg_controldata`` prints, by its own words."""
    done = process.run(
        [installation.tool("pg_controldata"), data], env={"LC_ALL": "C"}, user=server_user(), timeout=60
    ).check()
    pairs = (line.partition(":") for line in done.stdout.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
