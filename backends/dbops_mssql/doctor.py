"""What would make a job on this server fail later: the driver, rights of the login, its password, the connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from dbops.capabilities import Capability, Impossible, NotImplementedYet
from dbops.errors import DbopsError
from dbops.model.backup import BackupFacts, Blocker
from dbops.model.doctor import Configured, Examined, Standing, Symptom
from dbops.model.finding import Missing
from dbops.model.server import Endpoint, Server
from dbops.spi import BackupDriver, Host, Reader
from dbops_mssql.backup.driver import refused_place
from dbops_mssql.backup.facts import about
from dbops_mssql.backup.places import NOWHERE, SET_PLACE, unset
from dbops_mssql.driver import Driver, choose, described
from dbops_mssql.probe import DATABASE
from dbops_mssql.statement import text
from dbops_mssql.support import support

__all__ = [
    "Seen", "driver_of", "examine", "judge_backup", "judge_connection", "judge_databases", "judge_driver",
    "judge_password", "judge_rights",
]  # fmt: skip

EXPIRES_SOON_DAYS = 14
SHOWN = 3


class Seen(msgspec.Struct, frozen=True):
    """What the session says of itself and of its login. :param days_left: None where the password has no end."""

    clock: datetime
    auth_scheme: str | None = None
    days_left: int | None = None
    sees_state: int = 0
    sees_definitions: int = 0
    sees_database_state: int = 0
    sees_database_definitions: int = 0
    enters_msdb: int = 0


def examine(reader: Reader, server: Server, host: Host, backup: BackupDriver, configured: Configured) -> Examined:
    """Ask the server and this machine; what cannot be asked is unknown.

    :param backup: knows what its backups need.
    """
    found = [driver_of(configured.endpoint)]
    clock: datetime | Missing
    try:
        [seen] = reader.rows(text("doctor"), Seen)
    except DbopsError as error:
        found.append(_unknown("rights", error.message, error.hint))
        return Examined(symptoms=tuple(found), clock=_missing(error), data_bytes=_missing(error))
    clock = seen.clock.replace(tzinfo=UTC)
    found += _connection(reader, seen)
    found += judge_rights(seen, server)
    found += judge_password(seen, server)
    if server.edition != DATABASE:
        found += _databases(reader)
    found += _backups(reader, server, host, backup, configured)
    return Examined(symptoms=tuple(found), clock=clock, data_bytes=_size(reader, seen, server))


def driver_of(endpoint: Endpoint) -> Symptom:
    """The one by which this server was asked; whoever handed in a session of their own may have none."""
    if endpoint.engine.endswith("+mssqlpython"):
        return _symptom("tools", Standing.OK, "the driver mssql-python, which brings Microsoft's own ODBC driver along")
    options = {name.lower(): value for name, value in endpoint.options.items()}
    try:
        return judge_driver(choose(options.get("driver", "")))
    except DbopsError as error:
        return _unknown("tools", f"mssql:// has no ODBC driver here: {error.message}", error.hint)


def judge_driver(driver: Driver) -> Symptom:
    """Pure: whether it can do all that is asked of it."""
    if driver.family == "freetds":
        return _symptom(
            "tools", Standing.PROBLEM, f"{described(driver)} does not verify certificates",
            "pip install 'dbops[mssql]' brings Microsoft's driver.",
        )  # fmt: skip
    return _symptom("tools", Standing.OK, described(driver))


def _connection(reader: Reader, seen: Seen) -> Iterator[Symptom]:
    try:
        encrypted = str(reader.scalar(text("doctor_encryption")) or "")
    except DbopsError:
        # Only who may look at connections is told; sessions of dbops are encrypted unless their URL says otherwise.
        encrypted = ""
    yield from judge_connection(encrypted, seen.auth_scheme or "")


def judge_connection(encrypted: str, scheme: str) -> Iterator[Symptom]:
    """Pure: whether others can listen. :param encrypted: ``TRUE``, ``FALSE``, or empty where nobody says."""
    way = f", the login by {scheme}" if scheme else ""
    if encrypted == "FALSE":
        yield _symptom(
            "connection", Standing.PROBLEM, f"the connection is not encrypted{way}: others can listen to it",
            "Take Encrypt=no out of the URL, and give the server a certificate.",
        )  # fmt: skip
    elif encrypted:
        yield _symptom("connection", Standing.OK, f"the connection is encrypted{way}")


def judge_rights(seen: Seen, server: Server) -> Iterator[Symptom]:
    """Pure: what the rights mean for the jobs. Azure SQL Database has none on a server."""
    here = server.edition == DATABASE
    state = seen.sees_database_state if here else seen.sees_state
    definitions = seen.sees_database_definitions if here else seen.sees_definitions
    wanted = [
        (state, "sees sessions, waits and memory", "health"),
        (definitions, "sees every principal and permission", "audit"),
    ]
    if not here:
        wanted.append((seen.enters_msdb, "can look into msdb, where backups are remembered", "health,backup"))
    for allowed, what, jobs in wanted:
        if allowed:
            yield _symptom("rights", Standing.OK, f"the login {what}")
        else:
            fix = f"Run what this prints: dbops grants mssql --for {jobs}"
            yield _symptom("rights", Standing.PROBLEM, f"the login lacks a right, so it is not one that {what}", fix)


def judge_password(seen: Seen, server: Server) -> Iterator[Symptom]:
    """Pure: whether the password of the login holds for the next two weeks."""
    if seen.days_left is None:
        return
    standing = Standing.PROBLEM if seen.days_left < EXPIRES_SOON_DAYS else Standing.OK
    fix = f"Change it in time: ALTER LOGIN [{server.user}] WITH PASSWORD = N'…' OLD_PASSWORD = N'…';"
    summary = f"the password of {server.user} is good for another {seen.days_left} days"
    yield _symptom("rights", standing, summary, fix if standing is Standing.PROBLEM else "")


class _Database(msgspec.Struct, frozen=True):
    name: str
    enters: int


def _databases(reader: Reader) -> Iterator[Symptom]:
    try:
        rows = reader.rows(text("doctor_databases"), _Database)
    except DbopsError as error:
        yield _unknown("rights", f"which databases can be entered is not known: {error.message}", error.hint)
        return
    yield judge_databases([one.name for one in rows if not one.enters], len(rows))


def judge_databases(closed: list[str], count: int) -> Symptom:
    """Pure: databases that are online and that the login cannot enter are in no report."""
    if not closed:
        return _symptom("rights", Standing.OK, f"the login can enter every database that is online ({count})")
    named = ", ".join(closed[:SHOWN]) + (f" and {len(closed) - SHOWN} more" if len(closed) > SHOWN else "")
    return _symptom(
        "rights", Standing.PROBLEM, f"the login cannot enter {named}", "GRANT CONNECT ANY DATABASE opens all of them."
    )


def _backups(
    reader: Reader, server: Server, host: Host, backup: BackupDriver, configured: Configured
) -> Iterator[Symptom]:
    promised = support(Capability.BACKUP_PHYSICAL, server)
    if isinstance(promised, Impossible | NotImplementedYet):
        yield _symptom("settings", Standing.OK, f"backups are not made by dbops here: {promised.reason}")
        return
    try:
        facts = backup.inspect(reader, server, host)
    except DbopsError as error:
        yield _unknown("settings", f"whether backups can be made is not known: {error.message}", error.hint)
        return
    methods = [method.name for method in backup.methods(server)]
    refused = refused_place(configured.depot, about(facts))
    blockers = (*facts.blockers, *unset(configured.depot), *(Blocker(method=one, reason=refused) for one in methods))
    known = msgspec.structs.replace(facts, blockers=tuple(one for one in blockers if one.reason))
    yield from judge_backup(known, methods, wanted=configured.backed_up)


def judge_backup(facts: BackupFacts, methods: Sequence[str], *, wanted: bool = True) -> Iterator[Symptom]:
    """Pure: each method of backup with what keeps it from working. One that does is enough.

    :param wanted: backups are to be made; where they are not, it is no problem that none can be."""
    shut = {one.method: one.reason for one in facts.blockers}
    free = [name for name in methods if name not in shut]
    for name in free:
        yield _symptom("settings", Standing.OK, f"backups by {name} can be made")
    for name, reason in shut.items():
        if free or not wanted:
            yield _symptom("settings", Standing.OK, f"backups by {name} cannot be made: {reason}")
        else:
            summary = f"backups by {name} will fail: {reason}"
            fix = SET_PLACE if reason == NOWHERE else "See: dbops backup plan TARGET"
            yield _symptom("settings", Standing.PROBLEM, summary, fix)


def _size(reader: Reader, seen: Seen, server: Server) -> int | Missing:
    """Bytes of the data files; of this database alone where the others are somebody else's business."""
    if server.edition != DATABASE and not seen.sees_definitions:
        return Missing("no_permission", "VIEW ANY DEFINITION shows the files of every database")
    try:
        size = reader.scalar(text("doctor_size_here" if server.edition == DATABASE else "doctor_size"))
    except DbopsError as error:
        return _missing(error)
    return int(size or 0)


def _missing(error: DbopsError) -> Missing:
    return Missing(error.reason or "query_failed", error.message)


def _unknown(area: str, summary: str, fix: str) -> Symptom:
    return _symptom(area, Standing.UNKNOWN, summary, fix)


def _symptom(area: str, standing: Standing, summary: str, fix: str = "") -> Symptom:
    # The caller knows by which name the target goes.
    return Symptom(subject="", area=area, standing=standing, summary=summary, fix=fix)
