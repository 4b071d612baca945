"""What would make a job on this server fail later: rights of the login, settings, programs of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from dbops.errors import DbopsError, ReadFailed
from dbops.model.doctor import Examined, Standing, Symptom
from dbops.model.finding import Missing
from dbops.model.server import Server, Tool
from dbops.spi import Host, Reader
from dbops_postgresql import tools
from dbops_postgresql.statement import text

__all__ = ["Rights", "examine", "judge"]

READ_ALL_SINCE = 14
SENDERS_OF_A_BACKUP = 2
EXPIRES_SOON = timedelta(days=14)
CLIENTS = ("pg_dump", "pg_dumpall", "pg_restore")
SERVERS = ("postgres", "initdb")
PURPOSES = {
    "pg_dump": "logical backups",
    "pg_dumpall": "logical backups",
    "pg_restore": "restores of logical backups",
    "postgres": "restore tests of physical backups",
    "initdb": "restore tests of logical backups",
}


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What this login may do and what backups need; ``closed`` are databases that it cannot connect to."""

    superuser: bool
    replication: bool
    bypassrls: bool
    monitor: bool
    read_all_data: bool | None
    verifiers: bool
    wal_level: str
    wal_senders: int
    slots: int
    connection_limit: int
    valid_until: datetime | None
    clock: datetime
    closed: list[str] | None = None


def examine(reader: Reader, server: Server, host: Host, places: Sequence[str]) -> Examined:
    """Ask the server and this machine; what cannot be asked is unknown.

    :param places: directories with client programs, besides the usual ones.
    """
    programs = tuple(_programs(server, host, places))
    try:
        rights = reader.rows(text("doctor"), Rights)[0]
    except ReadFailed as error:
        line = Symptom(subject="", area="rights", standing=Standing.UNKNOWN, summary=error.message, fix=error.hint)
        gone = Missing(error.reason, error.message)
        return Examined(symptoms=(line, *programs), clock=gone, data_bytes=gone)
    return Examined(symptoms=(*judge(rights, server), *programs), clock=rights.clock, data_bytes=_data_bytes(reader))


def judge(rights: Rights, server: Server) -> tuple[Symptom, ...]:
    """Pure: what the rights and settings mean for the jobs."""
    return (*_health(rights), *_logical(rights, server), *_physical(rights, server), *_login(rights, server))


def _health(rights: Rights) -> Iterator[Symptom]:
    allowed = rights.superuser or rights.monitor
    yield _right(allowed, "reads statistics and settings of the whole server (pg_monitor)", "health")


def _logical(rights: Rights, server: Server) -> Iterator[Symptom]:
    if server.major >= READ_ALL_SINCE:
        allowed = rights.superuser or bool(rights.read_all_data)
        yield _right(allowed, "reads every table (pg_read_all_data), which dumps need", "backup")
    yield _right(
        rights.superuser or rights.bypassrls, "passes row-level security (BYPASSRLS), which dumps need", "backup"
    )
    yield _right(
        rights.superuser or rights.verifiers, "reads stored passwords (pg_authid), without which roles restore "
        "without them", "backup",
    )  # fmt: skip
    if rights.closed:
        names = ", ".join(rights.closed)
        yield _symptom(
            "rights", Standing.PROBLEM, f"cannot connect to {names}: not looked at, not in a dump",
            f"GRANT CONNECT on each of them to {server.user}, or dbops grants postgresql --for backup",
        )  # fmt: skip


def _physical(rights: Rights, server: Server) -> Iterator[Symptom]:
    if server.edition:
        return
    yield _right(rights.superuser or rights.replication, "takes base backups (REPLICATION)", "backup")
    enough = rights.wal_level != "minimal" and rights.wal_senders >= SENDERS_OF_A_BACKUP and rights.slots > 0
    yield _symptom(
        "settings",
        Standing.OK if enough else Standing.PROBLEM,
        f"base backups: wal_level {rights.wal_level}, max_wal_senders {rights.wal_senders}, "
        f"max_replication_slots {rights.slots}",
        "" if enough else "Set wal_level = replica, max_wal_senders = 10, max_replication_slots = 10 and restart.",
    )


def _login(rights: Rights, server: Server) -> Iterator[Symptom]:
    if 0 <= rights.connection_limit < SENDERS_OF_A_BACKUP:
        yield _symptom(
            "rights", Standing.PROBLEM, f"the login may hold {rights.connection_limit} connections at once",
            f"ALTER ROLE {server.user} CONNECTION LIMIT 10;",
        )  # fmt: skip
    until = rights.valid_until
    if until is not None and until - rights.clock < EXPIRES_SOON:
        yield _symptom(
            "rights", Standing.PROBLEM, f"the password of {server.user} is valid until {until.isoformat()}",
            f"ALTER ROLE {server.user} VALID UNTIL …",
        )  # fmt: skip


def _programs(server: Server, host: Host, places: Sequence[str]) -> Iterator[Symptom]:
    given = places[0] if places else ""
    for name in (*CLIENTS, *SERVERS):
        chosen = tools.choose(name, tools.found(host, name, given), server.version, same_major=name in SERVERS)
        if isinstance(chosen, Tool):
            version = ".".join(map(str, chosen.version))
            yield _symptom("tools", Standing.OK, f"{name} {version} ({chosen.path})", "")
        else:
            yield _symptom(
                "tools", Standing.PROBLEM, f"{PURPOSES[name]} will fail: {chosen.detail}",
                f"Install PostgreSQL {server.major} (Debian: postgresql-{server.major}), "
                'or name its directory: [targets.NAME.verify] tools = "…/bin".',
            )  # fmt: skip


def _data_bytes(reader: Reader) -> int | Missing:
    try:
        return int(reader.scalar(text("doctor_size")))
    except DbopsError as error:
        return Missing(error.reason, error.message)


def _right(allowed: bool, what: str, job: str) -> Symptom:
    if allowed:
        return _symptom("rights", Standing.OK, f"the login {what}", "")
    fix = f"Run what this prints: dbops grants postgresql --for {job}"
    return _symptom("rights", Standing.PROBLEM, f"the login lacks a right, so it is not one that {what}", fix)


def _symptom(area: str, standing: Standing, summary: str, fix: str) -> Symptom:
    # The caller knows by which name the target goes.
    return Symptom(subject="", area=area, standing=standing, summary=summary, fix=fix)
