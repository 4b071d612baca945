"""What a backup is planned and made from: sizes, engines, the rate of the binary log, settings, rights, programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, cast

import msgspec

from dbops.errors import DbopsError
from dbops.model.backup import BackupFacts, DatabaseFacts
from dbops.model.finding import Missing
from dbops.model.server import Server, Tool
from dbops.plan import Json
from dbops.spi import Host, Reader
from dbops_mysql import tools
from dbops_mysql.backup import rights
from dbops_mysql.backup.log_rate import begin
from dbops_mysql.installation import Family
from dbops_mysql.quoting import identifier
from dbops_mysql.skipped import refuse_skipped_grants
from dbops_mysql.statement import text

__all__ = ["About", "Database", "about", "chosen", "count", "databases", "inspect"]

# Files and logs of one series are read by programs of that series; a dump only needs ones that are not older.
SAME_SERIES = frozenset({"copy"})
PURPOSES = ("dump", "client", "copy")
SEES_ALL = ("SELECT", "SHOW DATABASES")


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """One database as a restore makes it again and as a proof expects it; kept in the manifest.

    :param loose: tables whose engine has no transactions.
    :param engines: how many tables each engine has.
    :param hidden: stored programs of which the login sees the name alone.
    :param qualified: triggers that name their database, so that they cannot come back in another one.
    :param floats: columns that a dump rounds.
    :param versioned: tables that keep their history; ``precise`` of them keep it by transactions.
    """

    name: str
    charset: str
    collation: str
    tables: int = 0
    views: int = 0
    sequences: int = 0
    versioned: int = 0
    precise: int = 0
    routines: int = 0
    triggers: int = 0
    events: int = 0
    hidden: int = 0
    qualified: int = 0
    floats: int = 0
    engines: dict[str, int] = {}
    loose: tuple[str, ...] = ()


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of the server as a whole; kept in the manifest.

    :param binlog: it writes a binary log; ``retention_s``: how long it keeps that, 0 for ever.
    :param rights: the login's global privileges.
    :param longest_s: how long the longest statement had run when it was looked at.
    """

    family: Family
    series: tuple[int, ...]
    login: str = ""
    standby: bool = False
    binlog: bool = False
    binlog_format: str = ""
    retention_s: int = 0
    gtids: bool = False
    rights: tuple[str, ...] = ()
    longest_s: int = 0
    unread: tuple[str, ...] = ()


def inspect(reader: Reader, server: Server, host: Host, family: Family) -> BackupFacts:
    """Everything but blockers and remarks, which the ways add. Takes at least half a second where the server has no
    count of what it wrote to its binary log.

    :raises UsageError: the server asks nobody who he is: what is in it, and from whom, nobody can answer for.
    """
    refuse_skipped_grants(server)
    settings = {str(name): str(value) for name, value in reader.tuples(text("backup_settings"))}
    log_rate = begin(reader, server, settings)
    held = rights.read(reader)
    rows, unread = _databases(reader, family)
    found = msgspec.structs.replace(_about(reader, server, family, settings, held), unread=unread)
    programs = _tools(host, server, family)
    rate, window = log_rate()
    sees_all = not rights.lacking(held, [SEES_ALL])
    return BackupFacts(
        databases=tuple(rows),
        total_bytes=_total(rows, server.user, sees_all=sees_all),
        log_bytes_per_s=rate,
        log_sample_s=window,
        settings=dict(settings),
        tools=programs,
        extra={"about": cast(Json, msgspec.to_builtins(found))},
    )


def about(facts: BackupFacts) -> About:
    """The driver's own facts, read back."""
    return msgspec.convert(facts.extra["about"], type=About)


def databases(facts: BackupFacts) -> tuple[Database, ...]:
    """Every database that the login sees."""
    return tuple(msgspec.convert({**one.extra, "name": one.name}, type=Database) for one in facts.databases)


def chosen(facts: BackupFacts, names: Iterable[str]) -> tuple[Database, ...]:
    """Those of these names; all of them when there are none."""
    wanted = set(names)
    return tuple(one for one in databases(facts) if not wanted or one.name in wanted)


def count(reader: Reader, family: Family) -> tuple[Database, ...]:
    """What is there now, by database."""
    rows, _ = _databases(reader, family)
    return tuple(msgspec.convert({**one.extra, "name": one.name}, type=Database) for one in rows)


def _databases(reader: Reader, family: Family) -> tuple[list[DatabaseFacts], tuple[str, ...]]:
    """And what could not be read of them, with the reason."""
    extras: dict[str, dict[str, Any]] = {row["name"]: row for row in reader.dicts(text("backup_databases"))}
    sizes = dict.fromkeys(extras, 0)
    unread: list[str] = []
    for row in reader.dicts(text("backup_tables")):
        if row["name"] in extras:
            sizes[row["name"]] += int(row["bytes"])
            _add_tables(extras[row["name"]], row)
    for name, add in (("backup_programs", _add_programs), ("backup_columns", _add_columns)):
        try:
            for row in reader.dicts(text(name)):
                add(extras.get(row["name"], {}), row)
        except DbopsError as error:
            unread.append(error.message)
    for more in MORE[family]:
        more(reader, extras)
    return [
        DatabaseFacts(name=name, bytes=sizes[name], extra={key: value for key, value in extra.items() if key != "name"})
        for name, extra in extras.items()
    ], tuple(unread)


# Any, here and below: rows have the types that the driver gives them.
def _add_tables(extra: dict[str, Any], row: Mapping[str, Any]) -> None:
    kind, count = str(row["kind"]), int(row["tables"])
    if kind.endswith("VIEW"):
        extra["views"] = extra.get("views", 0) + count
        return
    if kind == "SEQUENCE":
        extra["sequences"] = extra.get("sequences", 0) + count
        return
    if kind == "SYSTEM VERSIONED":
        extra["versioned"] = extra.get("versioned", 0) + count
    extra["tables"] = extra.get("tables", 0) + count
    extra.setdefault("engines", {})[row["engine"]] = extra.get("engines", {}).get(row["engine"], 0) + count
    extra["loose"] = [*extra.get("loose", []), *sorted(msgspec.json.decode(row["loose"], type=list[str]))]


def _add_programs(extra: dict[str, Any], row: Mapping[str, Any]) -> None:
    extra[f"{row['kind']}s"] = int(row["programs"])
    extra["hidden"] = extra.get("hidden", 0) + int(row["hidden"])


def _add_qualified(reader: Reader, extras: Mapping[str, dict[str, Any]]) -> None:
    """A trigger keeps the text of its own CREATE. A dot before FOR EACH ROW may stand between a database and a name."""
    for database, name in reader.tuples(text("backup_triggers")):
        asked = f"SHOW CREATE TRIGGER {identifier(database)}.{identifier(name)}"
        with suppress(DbopsError):  # it is gone
            statement = str(reader.tuples(asked)[0][2])
            head = re.split(r"\bFOR\s+EACH\s+ROW\b", statement, maxsplit=1, flags=re.IGNORECASE)[0]
            if database in extras and "." in re.sub(r"\bDEFINER\s*=\s*\S+", "", head, flags=re.IGNORECASE):
                extras[database]["qualified"] = extras[database].get("qualified", 0) + 1


MORE: Mapping[Family, tuple[Callable[[Reader, Mapping[str, dict[str, Any]]], None], ...]] = {
    "mysql": (),
    "mariadb": (_add_qualified,),
}


def _add_columns(extra: dict[str, Any], row: Mapping[str, Any]) -> None:
    extra["floats"], extra["precise"] = int(row["floats"]), int(row["precise_"])


def _total(rows: Iterable[DatabaseFacts], login: str, *, sees_all: bool) -> int | Missing:
    if not sees_all:
        return Missing("no_permission", f"{login} may see some databases only: SELECT ON *.* shows all of them")
    return sum(row.bytes for row in rows if isinstance(row.bytes, int))


def _about(reader: Reader, server: Server, family: Family, settings: Mapping[str, str], held: frozenset[str]) -> About:
    running = reader.dicts(text("backup_statements"))
    days = int(float(settings.get("expire_logs_days", "0")) * 86_400)
    return About(
        family=family,
        series=server.version[:2],
        login=server.user,
        standby=server.role == "standby",
        binlog=settings.get("log_bin") == "ON",
        binlog_format=settings.get("binlog_format", "ROW"),
        retention_s=int(settings.get("binlog_expire_logs_seconds", "0")) or days,
        gtids=settings.get("gtid_mode", "ON") == "ON",
        rights=tuple(sorted(held)),
        longest_s=max((int(row["seconds"]) for row in running), default=0),
    )


def _tools(host: Host, server: Server, family: Family) -> dict[str, Tool | Missing]:
    """Asked side by side: some thirty programs are started to tell their versions."""

    def find(purpose: str) -> Tool | Missing:
        return tools.find(host, family, purpose, server.version, same_series=purpose in SAME_SERIES)

    with ThreadPoolExecutor(host.cpus) as pool:
        return dict(zip(PURPOSES, pool.map(find, PURPOSES), strict=True))
