"""PostgreSQL under the laws that need no server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from dbops.model.backup import (
    Artifact,
    BackupFacts,
    BackupJob,
    BackupRecord,
    Custody,
    DatabaseFacts,
    Destination,
    LogRange,
)
from dbops.model.change import (
    AddDefault,
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DropPrincipal,
    ObjectName,
    RemoveDefault,
    RemoveGrant,
    RemoveMembership,
    SetOwner,
    SetPassword,
)
from dbops.model.server import Server, Tool
from dbops.plan import Json
from dbops.testing.contracts import SECRET, BackupSample, OfflineLaws
from dbops_postgresql import backend as postgresql
from dbops_postgresql.artifacts import Contents, dump_of, fingerprints_of
from dbops_postgresql.facts import About, Database
from dbops_postgresql.fit import Requirements

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)
NEWEST = Server(
    engine="postgresql",
    version=(18, 6),
    version_text="18.6",
    role="primary",
    incarnation="7300000000000000001",
    user="dbops",
    database="postgres",
)
STANDBY = msgspec.structs.replace(NEWEST, role="standby")
MANAGED = msgspec.structs.replace(NEWEST, edition="Amazon RDS")
OLDER = [msgspec.structs.replace(NEWEST, version=(major, 0), version_text=f"{major}.0") for major in (17, 16, 15, 13)]
ABOUT = About(owner="postgres", superuser="postgres", passwords=True, replication=True, requires=Requirements(major=18))
PATHS = {
    "server": (),
    "database": (0,),
    "schema": (0, 1),
    "table": (0, 1, 2),
    "column": (0, 1, 2, 3),
    "sequence": (0, 1, 2),
    "type": (0, 1, 2),
    "tablespace": (0,),
}
ACTIONS = {"database": "CONNECT", "schema": "USAGE", "sequence": "USAGE", "type": "USAGE", "tablespace": "CREATE"}


def objects(name: str) -> list[ObjectName]:
    plain = [ObjectName(kind, (name,) * len(path)) for kind, path in PATHS.items() if path]
    return [*plain, ObjectName("function", (name, name, "total(a integer, b text)"))]


def action(one: ObjectName) -> tuple[str, ...]:
    return ("EXECUTE",) if one.kind == "function" else (ACTIONS.get(one.kind, "SELECT"),)


def json_of(value: object) -> Json:
    made: Json = msgspec.to_builtins(value)
    return made


class TestPostgreSQL(OfflineLaws):
    backend = postgresql
    servers = (NEWEST, *OLDER, STANDBY, MANAGED)

    def valid(self, name: str) -> bool:
        return len(name.encode()) <= 63 and not name.startswith("pg_")

    def changes(self, name: str) -> Sequence[Change]:
        other = f"{name}2"[-60:] if len(name.encode()) <= 60 else name
        table = ObjectName("table", (name, name, name))
        return [
            CreatePrincipal(name=name, attributes=("LOGIN",), connection_limit=3, valid_until=NOW, password=SECRET),
            AlterPrincipal(name=name, gains=("CREATEDB",), loses=("LOGIN",), set_limit=True, connection_limit=5),
            SetPassword(name=name, password=SECRET),
            DropPrincipal(name=name, attributes=("LOGIN",)),
            AddMembership(member=name, group=other, admin=True, grantor=name),
            RemoveMembership(member=name, group=other, grantor=name),
            SetOwner(object=table, owner=name, old=other),
            AddDefault(creator=name, database=name, schema=name, kind="table", principal=name, actions=("SELECT",)),
            RemoveDefault(creator=name, database=name, schema="", kind="table", principal=name, actions=("SELECT",)),
            *(AddGrant(principal=name, object=one, actions=action(one), grantor=name) for one in objects(name)),
            *(RemoveGrant(principal=name, object=one, actions=action(one), option_only=True) for one in objects(name)),
        ]

    def backups(self, name: str) -> Sequence[BackupSample]:
        database = Database(name=name, oid=16384, encoding="UTF8", collate="C", ctype="C", owner=name)
        facts = BackupFacts(
            databases=(DatabaseFacts(name=name, bytes=8_000_000, extra=without_name(database)),),
            total_bytes=8_000_000,
            log_bytes_per_s=100.0,
            tools={tool: Tool(name=tool, path=f"/bin/{tool}", version=(18, 6)) for tool in ("pg_dump", "pg_dumpall")},
            extra={"about": json_of(ABOUT)},
        )
        return [self.logical(name, database, facts), self.physical(name, database, facts)]

    def logical(self, name: str, database: Database, facts: BackupFacts) -> BackupSample:
        artifacts = ("roles.sql", dump_of(database), fingerprints_of(database))
        destination = Destination(kind="database", database=name)
        return self.sample("dump", "logical", database, facts, artifacts, destination)

    def physical(self, name: str, database: Database, facts: BackupFacts) -> BackupSample:
        artifacts = ("configuration.json", "base.tar", "backup_manifest", "16999.tar")
        destination = Destination(kind="directory", path="/new")
        return self.sample("basebackup", "physical", database, facts, artifacts, destination)

    def sample(  # noqa: PLR0917  one line for each method above
        self,
        method: str,
        kind: str,
        database: Database,
        facts: BackupFacts,
        artifacts: tuple[str, ...],
        destination: Destination,
    ) -> BackupSample:
        job = BackupJob(id="b-20260131", target="shop", repository="main", method=method, started_at=NOW)
        record = BackupRecord(
            id=job.id,
            target="shop",
            incarnation="7300000000000000001",
            engine="postgresql",
            server_version="18.6",
            method=method,
            kind="logical" if kind == "logical" else "physical",
            custody=Custody.REPOSITORY,
            location="main",
            started_at=NOW,
            finished_at=NOW,
            bytes=1000,
            stored_bytes=300,
            source_bytes=8_000_000,
            artifacts=tuple(Artifact(name=one, bytes=10, stored_bytes=5, sha256=f"sha of {one}") for one in artifacts),
            databases=(database.name,),
            log=LogRange(unit="lsn", start="0/2000028", end="0/2000130", timeline=1) if kind == "physical" else None,
            extra=contents(database),
        )
        return BackupSample(job=job, facts=facts, record=record, destinations=(destination,))


def without_name(database: Database) -> dict[str, Json]:
    plain: dict[str, Json] = msgspec.to_builtins(database)
    return {key: value for key, value in plain.items() if key != "name"}


def contents(database: Database) -> dict[str, Json]:
    plain: dict[str, Json] = msgspec.to_builtins(Contents(about=ABOUT, databases=(database,), dump_version="18.6"))
    return plain
