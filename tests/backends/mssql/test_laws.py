"""SQL Server under the laws that need no server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from dbops.model.backup import BackupFacts, BackupJob, BackupRecord, Custody, DatabaseFacts, Depot, Destination
from dbops.model.change import (
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    ObjectName,
    RemoveGrant,
    RemoveMembership,
    SetOwner,
    SetPassword,
)
from dbops.model.server import Server
from dbops.spi import Backend
from dbops.testing.contracts import SECRET, BackupSample, OfflineLaws
from dbops.testing.shape import Quoting
from dbops_mssql import backend
from dbops_mssql.access.people import account_name
from dbops_mssql.backup.facts import About, Database
from dbops_mssql.backup.history import Carried
from dbops_mssql.backup.sets import BackupSet, DatabaseFile, Kind, Media
from dbops_mssql.probe import DATABASE, MANAGED_INSTANCE
from dbops_mssql.quoting import valid_name

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)
LOCAL = NOW.replace(tzinfo=None)
KINDS = {"full": Kind.FULL, "differential": Kind.DIFFERENTIAL, "log": Kind.LOG, "tail": Kind.LOG}


def server(*version: int, **more: str) -> Server:
    plain = Server(
        engine="mssql", version=version, version_text=".".join(map(str, version)), role="primary", incarnation="i"
    )
    return msgspec.structs.replace(plain, **more)


class TestSQLServer(OfflineLaws):
    backend: ClassVar[Backend] = backend
    servers = (
        server(16, 0),
        server(17, 0),
        server(13, 0),
        server(16, 0, role="standby"),
        server(16, 0, edition=DATABASE),
        server(16, 0, edition=MANAGED_INSTANCE),
    )
    quoting: ClassVar[Quoting] = Quoting(("[", "]"))

    def valid(self, name: str) -> bool:
        """With a backslash a login is one of Windows, which is made by another statement; everybody is a word."""
        return valid_name(name) and "\\" not in name and name.lower() != "public"

    def changes(self, name: str) -> Sequence[Change]:
        """Of a login, of its user in a database, and of roles."""
        login, user, role = account_name("", name), account_name("shop", name), account_name("shop", "app")
        table = ObjectName("table", ("shop", name, name))
        return [
            CreatePrincipal(name=login, kind="user", attributes=("SQL", "LOGIN"), password=SECRET),
            CreatePrincipal(
                name=login, kind="user", attributes=("SQL",), password=SECRET, hashed=True, sid=f"0x{'1A' * 16}"
            ),
            CreatePrincipal(name=user, kind="user", attributes=()),
            CreatePrincipal(name=user, attributes=()),
            AddGrant(principal=user, object=table, actions=("SELECT",), deny=True),
            RemoveGrant(principal=user, object=table, actions=("SELECT",), deny=True, grantor=role),
            CreatePrincipal(name=login, attributes=()),
            AlterPrincipal(name=login, gains=("LOGIN",)),
            AlterPrincipal(name=login, loses=("LOGIN",)),
            AlterPrincipal(name=user, loses=("ORPHANED",)),
            SetPassword(name=login, password=SECRET, stored="stored"),
            AddMembership(member=user, group=role),
            RemoveMembership(member=role, group=user),
            AddGrant(principal=user, object=table, actions=("SELECT",), grantable=True),
            AddGrant(principal=user, object=ObjectName("column", (*table.path, name)), actions=("UPDATE",)),
            AddGrant(principal=login, object=ObjectName("server", ()), actions=("VIEW ANY DEFINITION",)),
            RemoveGrant(principal=user, object=ObjectName("schema", ("shop", name)), actions=("SELECT",)),
            SetOwner(object=ObjectName("schema", ("shop", name)), owner=user, old=account_name("shop", "dbo")),
            DropPrincipal(name=user, kind="user"),
            DropPrincipal(name=login, kind="user"),
        ]

    def backups(self, name: str) -> Sequence[BackupSample]:
        return [sample(method, kind, name) for method, kind in KINDS.items()]


def sample(method: str, kind: Kind, name: str) -> BackupSample:
    """With the full backup that it builds on."""
    about = About(
        server="PRIMARY",
        edition="Developer Edition",
        engine_edition=3,
        major=16,
        zone=0,
        databases=(Database(name=name, id=5, state="ONLINE", recovery_model="FULL"),),
    )
    facts = BackupFacts(
        databases=(DatabaseFacts(name=name, bytes=100),),
        total_bytes=100,
        log_bytes_per_s=1.0,
        extra={"about": msgspec.to_builtins(about)},
    )
    job = BackupJob(
        id="b-20260131",
        target="shop",
        repository="main",
        method=method,
        started_at=NOW,
        databases=(name,) if method == "tail" else (),
        depot=Depot(to=("/backup",), owns_chain=True, certificate=name),
        fingerprints=False,
    )
    sets = (made(Kind.FULL, name, "F", 100, 110), made(kind, name, "N", 105, 200))
    record = BackupRecord(
        id=job.id,
        target="shop",
        incarnation="i",
        engine="mssql",
        server_version="16.0",
        method=method,
        kind="physical" if method == "full" else "log",
        custody=Custody.SERVER,
        location="/backup",
        started_at=NOW,
        finished_at=NOW,
        bytes=1000,
        stored_bytes=300,
        databases=(name,),
        extra=Carried(sets=sets[:1] if kind is Kind.FULL else sets).extra(),
    )
    place = Destination(kind="instance", database=name, only=(name,), data="/data", log="/log")
    return BackupSample(job=job, facts=facts, record=record, destinations=(place,))


def made(kind: Kind, name: str, uuid: str, first: int, last: int) -> BackupSet:
    return BackupSet(
        uuid=uuid,
        database=name,
        kind=kind,
        first_lsn=first,
        last_lsn=last,
        checkpoint_lsn=first,
        started=LOCAL,
        finished=LOCAL,
        zone=0,
        base="F" if kind is Kind.DIFFERENTIAL else "",
        base_lsn=100 if kind is Kind.DIFFERENTIAL else None,
        media=Media(devices=(f"/backup/{uuid}.bak",)),
        files=(DatabaseFile(number=1, name=name, path=f"/data/{uuid}.mdf"),),
    )
