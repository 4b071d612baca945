"""PostgreSQL under the laws that need no server."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

import msgspec
import pytest

from dbops.capabilities import FULL, Capability, Impossible, NotImplementedYet
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
from dbops.model.server import Server, Session, Tool
from dbops.plan import Json, Risk, Sql, Step
from dbops.spi import Backend
from dbops.testing.contracts import SECRET, BackupSample, OfflineLaws
from dbops_postgresql import backend as postgresql
from dbops_postgresql.backup.artifacts import Contents, dump_of, fingerprints_of
from dbops_postgresql.backup.facts import About, Database
from dbops_postgresql.backup.fit import Requirements

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
    backend: ClassVar[Backend] = postgresql
    servers = (NEWEST, *OLDER, STANDBY, MANAGED)

    def valid(self, name: str) -> bool:
        return len(name.encode()) <= 63 and not name.startswith("pg_")

    def changes(self, name: str) -> Sequence[Change]:
        other = "Somebody Else"
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


# The laws themselves: each is broken by a backend that deserves it.


class Changed:
    """Another object with some of its answers replaced."""

    def __init__(self, original: object, **answers: object) -> None:
        self._original, self._answers = original, answers

    def __getattr__(self, name: str) -> Any:  # Any: whatever the original has there
        return self._answers[name] if name in self._answers else getattr(self._original, name)


def laws(**answers: object) -> TestPostgreSQL:
    class Laws(TestPostgreSQL):
        backend = cast(Backend, Changed(postgresql, **answers))

    return Laws()


def access(**answers: object) -> TestPostgreSQL:
    return laws(access=Changed(postgresql.access, **answers))


def backup(**answers: object) -> TestPostgreSQL:
    return laws(backup=Changed(postgresql.backup, **answers))


def one_step(text: str, risk: Risk = Risk.READ) -> Callable[..., tuple[Step, ...]]:
    return lambda *arguments: (Sql(id="s", summary="s", risk=risk, statement=(text,)),)


def reaching(*arguments: object) -> str:
    return str(socket.getaddrinfo("localhost", 1))


numbers = itertools.count()
SABOTAGE: dict[str, Callable[[], object]] = {
    "another API": lambda: laws(api_version=0).test_it_speaks_this_plugin_api(),
    "another object": lambda: laws().test_it_is_registered_under_its_name(),
    "a no without a reason": lambda: laws(support=lambda *a: NotImplementedYet("")).test_total(Capability.HEALTH),
    "a server that can more than its engine": lambda: laws(
        support=lambda capability, server: FULL if server else Impossible("never")
    ).test_a_server_can_no_more_than_its_engine(Capability.HEALTH),
    "methods without support": lambda: laws(
        support=lambda capability, server: Impossible("no") if capability == "backup.physical" else FULL
    ).test_methods_of_backup_are_those_that_are_supported(),
    "every instant promised": lambda: backup(
        compile_restore=one_step("")
    ).test_an_instant_is_only_promised_where_it_can_be_reached(),
    "a compiler that asks a server": lambda: access(
        render=reaching
    ).test_compiling_reaches_nothing_and_gives_the_same_twice("x"),
    "a compiler that counts": lambda: access(
        render=lambda *a: str(next(numbers))
    ).test_compiling_reaches_nothing_and_gives_the_same_twice("x"),
    "a fault without a reason": lambda: laws(
        fault=lambda error: "oops"
    ).test_driver_faults_have_a_reason_whatever_they_are(),
    "a name that is pasted": lambda: access(
        render=lambda change, server: f"DROP ROLE {getattr(change, 'name', '')}"
    ).test_hostile_names_are_only_names("semi; colon"),
    "a name that is quoted but not doubled": lambda: access(
        render=lambda change, server: f'DROP ROLE "{getattr(change, "name", "")}"'
    ).test_hostile_names_are_only_names('we"ird'),
    "a name that is another one": lambda: access(
        render=lambda change, server: f'DROP ROLE "{getattr(change, "name", "").lower()}"'
    ).test_hostile_names_are_only_names("UPPER lower"),
    "a secret in a text": lambda: access(
        render=lambda *a: os.environ["DBOPS_LAW_SECRET"]
    ).test_no_secret_is_in_any_output(),
    "a secret in a session": lambda: laws(
        session=lambda endpoint, **a: Session(
            drivername="x", connect={"password": os.environ["DBOPS_LAW_SECRET"]}, preamble=()
        )
    ).test_a_session_knows_no_password(),
    "a backup that writes": lambda: backup(
        compile_backup=one_step("CHECKPOINT", Risk.WRITE)
    ).test_making_a_backup_changes_nothing_on_the_server(),
    "a restore that overwrites": lambda: backup(
        compile_restore=one_step("DROP DATABASE x", Risk.DESTRUCTIVE)
    ).test_a_restore_reads_what_was_chosen_and_overwrites_nothing(),
    "checks without questions": lambda: laws(
        health=Changed(postgresql.health, questions=lambda server: ())
    ).test_the_catalogue_of_checks_is_whole(),
}


@pytest.mark.parametrize("what", SABOTAGE)
def test_who_breaks_a_law_is_caught(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBOPS_LAW_SECRET", "hunter2-of-the-law")
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        SABOTAGE[what]()


def test_who_breaks_no_law_is_not() -> None:
    kept = laws()
    kept.test_it_speaks_this_plugin_api()
    kept.test_the_catalogue_of_checks_is_whole()
    kept.test_making_a_backup_changes_nothing_on_the_server()
    kept.test_hostile_names_are_only_names("semi; colon")
