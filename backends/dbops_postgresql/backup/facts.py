"""What a backup is planned and made from: sizes, the rate of WAL, settings, rights, programs."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

import msgspec

from dbops.errors import DbopsError
from dbops.model.backup import BackupFacts, Blocker, DatabaseFacts
from dbops.model.finding import Missing
from dbops.model.server import Server, Tool
from dbops.plan import Json
from dbops.spi import Host, Reader
from dbops_postgresql.backup.fit import Requirements
from dbops_postgresql.backup.log_rate import begin
from dbops_postgresql.statement import text
from dbops_postgresql.tools import choose, found

__all__ = ["About", "Database", "Tablespace", "about", "databases", "inspect"]

CLIENTS = ("pg_dump", "pg_dumpall", "pg_restore", "psql")
# These read data files and WAL, whose format belongs to one major version.
SAME_MAJOR = ("pg_amcheck", "pg_verifybackup", "postgres")
LIBC = "c"
UNSORTED = ("C", "POSIX", "C.UTF-8", "C.utf8")


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """One database as :mod:`dbops_postgresql.backup.recipe` and a restore make it again; kept in the manifest.

    :param grants: ``PRIVILEGE|grantable|grantee`` (an empty grantee is PUBLIC), the owner's own left out.
    :param provider: ``c`` (libc), ``i`` (ICU), ``b`` (built in, 17+).
    """

    name: str
    oid: int
    encoding: str
    collate: str
    ctype: str
    provider: str = LIBC
    locale: str = ""
    rules: str = ""
    collation_version: str = ""
    owner: str
    connectable: bool = True
    template: bool = False
    connection_limit: int = -1
    tablespace: str = "pg_default"
    settings: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    default_grants: bool = True
    extensions: tuple[str, ...] = ()


class Tablespace(msgspec.Struct, frozen=True, kw_only=True):
    """A tablespace beyond the two that every server has."""

    oid: int
    name: str
    location: str
    owner: str


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of the server as a whole; kept in the manifest.

    :param superuser: may log in and may do everything; ``owner`` is the first role of all, whom grants name.
    :param passwords: the login can read the verifiers of other roles.
    :param requires: what a machine needs to open a physical copy.
    """

    owner: str
    superuser: str
    passwords: bool
    replication: bool = False
    bypass_row_security: bool = False
    standby: bool = False
    slots: int = 0
    senders: int = 0
    roles: int = 0
    libc_version: str = ""
    tablespaces: tuple[Tablespace, ...] = ()
    requires: Requirements
    closed_large_objects: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def inspect(reader: Reader, server: Server, host: Host) -> BackupFacts:
    """Takes at least half a second where the server has no statistics of its WAL that are old enough."""
    log_rate = begin(reader, server)
    rows = reader.dicts(text("backup_databases"))
    contents, unread = _contents(reader, rows)
    settings = _settings(reader)
    requires = _requires(server, rows, contents, settings)
    about = _about(reader, contents, unread, requires)
    tools = _tools(host, server)
    rate, window = log_rate()
    sizes = [_size(row) for row in rows]
    known = [size for size in sizes if isinstance(size, int)]
    return BackupFacts(
        databases=tuple(_database(row, contents) for row in rows),
        total_bytes=sum(known) if len(known) == len(sizes) else _unknown_total(rows, sizes),
        log_bytes_per_s=rate,
        log_sample_s=window,
        settings=settings,
        tools=tools,
        blockers=(*_dump_blockers(about, tools, server), *_copy_blockers(about, settings, server)),
        extra={"about": cast(Json, msgspec.to_builtins(about))},
    )


def about(facts: BackupFacts) -> About:
    """The driver's own facts, read back."""
    return msgspec.convert(facts.extra["about"], type=About)


def databases(facts: BackupFacts) -> tuple[Database, ...]:
    """Those that can be dumped: the ones that accept connections."""
    every = (msgspec.convert({**one.extra, "name": one.name}, type=Database) for one in facts.databases)
    return tuple(one for one in every if one.connectable)


# Any: rows have the types that the driver gives them.
def _database(row: Mapping[str, Any], contents: Mapping[str, Mapping[str, Any]]) -> DatabaseFacts:
    extra = {name: value for name, value in row.items() if name not in ("name", "bytes")}
    extra["extensions"] = contents.get(row["name"], {}).get("extensions", [])
    return DatabaseFacts(name=row["name"], bytes=_size(row), extra=extra)


def _size(row: Mapping[str, Any]) -> int | Missing:
    if row["bytes"] is None:
        return Missing("no_permission", f"the size of {row['name']} needs CONNECT or pg_read_all_stats (pg_monitor)")
    return int(row["bytes"])


def _unknown_total(rows: list[dict[str, Any]], sizes: list[int | Missing]) -> Missing:
    hidden = [row["name"] for row, size in zip(rows, sizes, strict=True) if isinstance(size, Missing)]
    return Missing("no_permission", f"the sizes of {', '.join(hidden)} need CONNECT or pg_read_all_stats (pg_monitor)")


def _contents(reader: Reader, rows: list[dict[str, Any]]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """By database; and the names of those that could not be opened, with the reason."""
    contents: dict[str, dict[str, Any]] = {}
    unread: list[str] = []
    for row in rows:
        if not row["connectable"]:
            continue
        try:
            with reader.database(row["name"]) as inside:
                contents[row["name"]] = inside.dicts(text("backup_contents"))[0]
        except DbopsError as error:
            unread.append(f"{row['name']}: {error.message}")
    return contents, unread


def _settings(reader: Reader) -> dict[str, str | Missing]:
    rows = reader.dicts(text("backup_settings"))
    return {row["name"]: f"{row['value']}{row['unit'] or ''}" for row in rows}


def _tools(host: Host, server: Server) -> dict[str, Tool | Missing]:
    """Asked side by side: some thirty programs are started to tell their versions."""
    names = (*CLIENTS, *SAME_MAJOR)
    with ThreadPoolExecutor(host.cpus) as pool:
        every = dict(zip(names, pool.map(partial(found, host), names), strict=True))
    return {name: choose(name, tools, server.version, same_major=name in SAME_MAJOR) for name, tools in every.items()}


def _about(
    reader: Reader, contents: Mapping[str, Mapping[str, Any]], unread: list[str], requires: Requirements
) -> About:
    row = reader.dicts(text("backup_server"))[0]
    tablespaces = reader.rows(text("backup_tablespaces"), Tablespace)
    closed = [f"{name}: {one['closed_large_objects']}" for name, one in contents.items() if one["closed_large_objects"]]
    row["superuser"] = row["superuser"] or row["owner"]
    glibc = row["libc_version"] if requires.glibc else ""
    return msgspec.convert(
        {
            **row,
            "tablespaces": msgspec.to_builtins(tablespaces),
            "requires": msgspec.to_builtins(msgspec.structs.replace(requires, glibc=glibc)),
            "closed_large_objects": closed,
            "unread": unread,
        },
        type=About,
    )


def _requires(
    server: Server,
    rows: list[dict[str, Any]],
    contents: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, str | Missing],
) -> Requirements:
    """``glibc`` is any word here when something is sorted by it."""
    compression = settings.get("wal_compression"), settings.get("default_toast_compression")
    options: set[str] = {name for name in ("lz4", "zstd") if name in compression}
    if any(row["provider"] == "i" for row in rows) or any(one["icu_collations"] for one in contents.values()):
        options.add("icu")
    sorted_by_libc = any(row["provider"] == LIBC and row["collate"] not in UNSORTED for row in rows)
    extensions = {name.partition(" ")[0] for one in contents.values() for name in one["extensions"]}
    return Requirements(
        major=server.major,
        options=tuple(sorted(options)),
        extensions=tuple(sorted(extensions)),
        glibc="yes" if sorted_by_libc else "",
    )


def _dump_blockers(about: About, tools: Mapping[str, Tool | Missing], server: Server) -> list[Blocker]:
    reasons = [
        tool.detail for name in ("pg_dump", "pg_dumpall") if isinstance(tool := tools.get(name), Missing)
    ]  # fmt: skip
    reasons += [f"the database {one}" for one in about.unread]
    if about.closed_large_objects:
        reasons.append(
            f"{server.user} may not read large objects ({', '.join(about.closed_large_objects)}): run the text of "
            "`dbops grants postgresql --for backup` again, it names each of them"
        )
    return [Blocker(method="dump", reason=reason) for reason in reasons]


def _copy_blockers(about: About, settings: Mapping[str, str | Missing], server: Server) -> list[Blocker]:
    blockers: list[Blocker] = []
    if not about.replication:
        blockers.append(Blocker(method="basebackup", reason=f"the login {server.user} has no REPLICATION right"))
    if settings.get("wal_level") == "minimal":
        blockers.append(_setting("wal_level", "replica", "a base backup needs WAL that can be replayed"))
    for name, used, needed in (("max_wal_senders", about.senders, 2), ("max_replication_slots", about.slots, 1)):
        have = str(settings.get(name, "0"))
        if have.isdigit() and int(have) - used < needed:
            reason = f"{used} of {have} are in use, and a base backup takes {needed}"
            blockers.append(_setting(name, str(used + needed + 2), reason))
    return blockers


def _setting(name: str, value: str, reason: str) -> Blocker:
    return Blocker(method="basebackup", reason=f"{name}: {reason}", setting=name, value=value, restart=True)
