"""What would make a job on this server fail later: rights of the login, settings, programs of this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from dbops.errors import DbopsError
from dbops.model.backup import BackupFacts, Blocker
from dbops.model.doctor import Examined, Standing, Symptom
from dbops.model.finding import Missing
from dbops.model.server import Server, Tool
from dbops.spi import BackupDriver, Host, Reader
from dbops_mysql import tools
from dbops_mysql.installation import LABELS, Family, Installation, installations
from dbops_mysql.probe import skips_grants
from dbops_mysql.rights import Rights, read
from dbops_mysql.statement import text

__all__ = [
    "Doctor",
    "Password",
    "expires",
    "judge_backup",
    "judge_connection",
    "judge_password",
    "judge_rights",
    "judge_server",
]

LOCAL = ("localhost", "127.0.0.1", "::1", "")
EXPIRES_SOON = timedelta(days=14)
WATCHES: Mapping[Family, str] = {"mysql": "REPLICATION CLIENT", "mariadb": "SLAVE MONITOR"}
PASSWORD: Mapping[Family, str] = {"mysql": "doctor_password", "mariadb": "doctor_password_mariadb"}
PURPOSES = {"dump": "logical backups", "client": "restores of logical backups"}
_EXPIRE = re.compile(r" PASSWORD EXPIRE(?: (NEVER|DEFAULT)| INTERVAL (\d+) DAY)?")


class Password(msgspec.Struct, frozen=True):
    """:param days: how long a password is good; 0 is for ever. :param set_at: a Missing where that cannot be read."""

    days: int
    set_at: datetime | Missing = Missing("not_asked")


class _Session(msgspec.Struct, frozen=True):
    clock: datetime
    host: str


class Doctor(NamedTuple):
    """Of one family, with the driver that knows what its backups need."""

    family: Family
    backup: BackupDriver

    def examine(self, reader: Reader, server: Server, host: Host, places: Sequence[str]) -> Examined:
        """Ask the server and this machine; what cannot be asked is unknown.

        :param places: directories with client programs, besides the usual ones.
        """
        found: list[Symptom] = []
        clock: datetime | Missing
        try:
            session = reader.rows(text("doctor"), _Session)[0]
            clock = session.clock.replace(tzinfo=UTC)
            rows = reader.tuples(text("doctor_cipher"))
            found.append(judge_connection(str(rows[0][1]) if rows else "", session.host))
        except DbopsError as error:
            clock = Missing(error.reason, error.message)
        found += _rights(self.family, reader, server)
        found += _password(self.family, reader, server, clock)
        size = self._backups(reader, server, host, found)
        found += _programs(self.family, server, host, places)
        return Examined(symptoms=tuple(found), clock=clock, data_bytes=size)

    def _backups(self, reader: Reader, server: Server, host: Host, found: list[Symptom]) -> int | Missing:
        try:
            facts = self.backup.inspect(reader, server, host)
        except DbopsError as error:
            found.append(_unknown("settings", f"whether backups can be made is not known: {error.message}", error.hint))
            return Missing(error.reason, error.message)
        found += judge_backup(facts, server, self.backup)
        return facts.total_bytes


def _rights(family: Family, reader: Reader, server: Server) -> Iterator[Symptom]:
    if skips_grants(server):
        yield _symptom(
            "rights", Standing.PROBLEM, "nobody is asked who he is (skip-grant-tables): everybody may do everything",
            "Take skip-grant-tables out of the configuration and restart.",
        )  # fmt: skip
        return
    try:
        held = read(reader)
    except DbopsError as error:
        yield _unknown("rights", error.message, error.hint)
        return
    yield from judge_rights(family, held)


def judge_rights(family: Family, rights: Rights) -> Iterator[Symptom]:
    """Pure: what the rights mean for the jobs but backups, which say themselves what they need."""
    watches = WATCHES[family]
    for allowed, what, job in (
        (rights.has("PROCESS"), "sees every session, transaction and lock (PROCESS)", "health"),
        (rights.has(watches) or rights.has("SUPER"), f"sees how replication does ({watches})", "health"),
        (rights.all_tables, "sees the structure of every table (REFERENCES)", "health"),
        (rights.reads("mysql"), "reads the grant tables (SELECT on mysql.*)", "audit"),
    ):
        if allowed:
            yield _symptom("rights", Standing.OK, f"the login {what}", "")
        else:
            fix = f"Run what this prints: dbops grants {family} --for {job}"
            yield _symptom("rights", Standing.PROBLEM, f"the login lacks a right, so it is not one that {what}", fix)


def _password(family: Family, reader: Reader, server: Server, clock: datetime | Missing) -> Iterator[Symptom]:
    if skips_grants(server):
        return
    try:
        made = str(reader.scalar(text("doctor_account")))
    except DbopsError as error:
        yield _unknown("rights", f"when the login's password expires is not known: {error.message}", error.hint)
        return
    days = expires(made, server.settings.get("default_password_lifetime", "0"))
    if not days:
        return
    try:
        at = reader.scalar(text(PASSWORD[family]))
        set_at: datetime | Missing = Missing("null_value", "the server does not say")
        if isinstance(at, datetime):
            set_at = at.replace(tzinfo=UTC)
    except DbopsError as error:
        set_at = Missing(error.reason, error.message)
    yield judge_password(Password(days, set_at), server.user, clock)


def expires(made: str, default: str) -> int:
    """Pure: how long passwords of an account are good, by its own rule or by the server's; 0 is for ever."""
    rule = _EXPIRE.search(made)
    if rule is not None and rule[2]:
        return int(rule[2])
    if rule is not None and rule[1] == "NEVER":
        return 0
    return int(default) if default.isdigit() else 0


def judge_password(password: Password, user: str, clock: datetime | Missing) -> Symptom:
    """Pure: whether the password of the login holds for the next two weeks."""
    rule = f"the password of {user} is good for {password.days} days"
    fix = f"Change it in time, or ALTER USER {user} PASSWORD EXPIRE NEVER; for a login that programs use."
    if isinstance(password.set_at, Missing) or isinstance(clock, Missing):
        missing = password.set_at if isinstance(password.set_at, Missing) else clock
        why = missing.detail if isinstance(missing, Missing) else ""
        return _unknown("rights", f"{rule}, and since when is not known: {why}", fix)
    left = password.set_at + timedelta(days=password.days) - clock
    standing = Standing.PROBLEM if left < EXPIRES_SOON else Standing.OK
    summary = f"{rule}: {max(0, left.days)} are left" if left > timedelta() else f"{rule}, and they are over"
    return _symptom("rights", standing, summary, fix if standing is Standing.PROBLEM else "")


def judge_backup(facts: BackupFacts, server: Server, backup: BackupDriver) -> Iterator[Symptom]:
    """Pure: each method of backup with what keeps it from working. One that does is enough."""
    names = [method.name for method in backup.methods(server)]
    free = [name for name in names if not any(one.method == name for one in facts.blockers)]
    for name in free:
        yield _symptom("settings", Standing.OK, f"backups by {name} can be made", "")
    for one in facts.blockers:
        area = _area(one, facts)
        if one.method not in names:
            fix = f"Set {one.setting} = {one.value} in the configuration and restart." if one.setting else ""
            summary = f"no instant between two backups can be recovered: {one.reason}"
            yield _symptom(area, Standing.PROBLEM, summary, fix)
        elif free:
            summary = f"backups by {one.method} cannot be made, those by {free[0]} can: {one.reason}"
            yield _symptom("settings", Standing.OK, summary, "")
        else:
            summary = f"backups by {one.method} will fail: {one.reason}"
            yield _symptom(area, Standing.PROBLEM, summary, "See: dbops backup plan TARGET")


def _area(blocker: Blocker, facts: BackupFacts) -> str:
    if blocker.setting:
        return "settings"
    programs = {one.detail for one in facts.tools.values() if isinstance(one, Missing)}
    return "tools" if blocker.reason in programs else "rights"


def judge_connection(cipher: str, host: str) -> Symptom:
    """Pure: whether others can listen. ``host`` is where we come from, as the server sees it."""
    if cipher:
        return _symptom("connection", Standing.OK, f"the connection is encrypted ({cipher})", "")
    if host in LOCAL:
        return _symptom("connection", Standing.OK, "the connection stays on this machine", "")
    return _symptom(
        "connection", Standing.PROBLEM, f"the connection from {host} is not encrypted: others can listen to it",
        "Give the server a certificate, and add ssl-mode=VERIFY_IDENTITY to the URL.",
    )  # fmt: skip


def _programs(family: Family, server: Server, host: Host, places: Sequence[str]) -> Iterator[Symptom]:
    given = places[0] if places else ""
    for purpose, what in PURPOSES.items():
        tool = tools.find(host, family, purpose, server.version, given)
        if isinstance(tool, Tool):
            version = ".".join(map(str, tool.version))
            yield _symptom("tools", Standing.OK, f"{tool.name} {version} ({tool.path})", "")
        else:
            yield _symptom("tools", Standing.PROBLEM, f"{what} will fail: {tool.detail}", _install(family, server))
    yield judge_server(family, server, installations([Path(given)] if given else [], family))


def judge_server(family: Family, server: Server, every: Sequence[Installation]) -> Symptom:
    """Pure: a proof runs in a server of the same series."""
    own = next((one for one in every if one.series == server.version[:2]), None)
    if own is not None:
        return _symptom("tools", Standing.OK, f"{own.label}: {own.server}, for restore tests", "")
    series = ".".join(map(str, server.version[:2]))
    others = f"; there is {', '.join(one.label for one in every)}" if every else ""
    summary = f"restore tests will fail: no server program of {LABELS[family]} {series} was found here{others}"
    return _symptom("tools", Standing.PROBLEM, summary, _install(family, server))


def _install(family: Family, server: Server) -> str:
    series = ".".join(map(str, server.version[:2]))
    return f'Install {LABELS[family]} {series}, or name its directory: [targets.NAME.verify] tools = "…/bin".'


def _unknown(area: str, summary: str, fix: str) -> Symptom:
    return _symptom(area, Standing.UNKNOWN, summary, fix)


def _symptom(area: str, standing: Standing, summary: str, fix: str) -> Symptom:
    # The caller knows by which name the target goes.
    return Symptom(subject="", area=area, standing=standing, summary=summary, fix=fix)
