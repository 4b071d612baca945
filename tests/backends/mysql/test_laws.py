"""MySQL and MariaDB under the laws that need no server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from dbops.access.accounts import account_name
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
    AddGrant,
    AddMembership,
    AlterPrincipal,
    Change,
    CreatePrincipal,
    DiscardPassword,
    DropPrincipal,
    ObjectName,
    RemoveGrant,
    RemoveMembership,
    SetInherited,
    SetPassword,
)
from dbops.model.server import Server, Tool
from dbops.plan import Json
from dbops.spi import Backend
from dbops.testing.contracts import SECRET, BackupSample, OfflineLaws
from dbops.testing.shape import Quoting
from dbops_mysql import mariadb, mysql
from dbops_mysql.backup.artifacts import ACCOUNTS, Contents, Position, dump_of, fingerprints_of, views_of
from dbops_mysql.backup.copied import Copied
from dbops_mysql.backup.facts import About, Database
from dbops_mysql.backup.files import Files, Plugin
from dbops_mysql.installation import Family

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)
NAME_CHARACTERS = 32


def server(family: Family, *version: int, **more: str) -> Server:
    plain = Server(
        engine=family,
        version=version,
        version_text=".".join(map(str, version)),
        role="primary",
        incarnation="i",
        user="dbops@%",
    )
    return msgspec.structs.replace(plain, **more)


def quoted(user: str, host: str) -> str:
    return "'" + user.replace("\\", "\\\\").replace("'", "\\'") + f"'@'{host}'"


def json_of(value: object) -> Json:
    made: Json = msgspec.to_builtins(value)
    return made


class Laws(OfflineLaws):
    """What both are tried on."""

    __test__ = False
    family: ClassVar[Family]
    quoting: ClassVar[Quoting] = Quoting(("`", "`"))

    def valid(self, name: str) -> bool:
        """Of an account: a user's name is the shortest of all."""
        return len(name) <= NAME_CHARACTERS and name == name.rstrip(" ") and all(ord(one) <= 0xFFFF for one in name)

    def changes(self, name: str) -> Sequence[Change]:
        account = quoted(name, "10.%")
        table, column = ObjectName("table", (name, name)), ObjectName("column", (name, name, name))
        return [
            CreatePrincipal(name=account, attributes=("LOGIN",), connection_limit=3, password=SECRET),
            AlterPrincipal(name=account, loses=("LOGIN",), set_limit=True, connection_limit=5),
            SetPassword(name=account, password=SECRET),
            DropPrincipal(name=account, attributes=("LOGIN",)),
            AddMembership(member=account, group="readers", admin=True),
            RemoveMembership(member=account, group="readers"),
            SetInherited(member=account, groups=(self.role(name),), old=("readers",)),
            # On a database a name is a pattern, in which letters are escaped: test_quoting looks at that.
            AddGrant(principal=account, object=table, actions=("SELECT", "INSERT")),
            AddGrant(principal=account, object=column, actions=("UPDATE",)),
            RemoveGrant(principal=account, object=table, actions=("INSERT",)),
        ]

    def role(self, name: str) -> str:
        """A role of that name."""
        raise NotImplementedError

    def login_name(self, name: str) -> str:
        """In quotes: ``0@0`` would be a user at a host."""
        return account_name(name, "%")

    def backups(self, name: str) -> Sequence[BackupSample]:
        return [self.dumped(name), self.copied(name)]

    @property
    def about(self) -> About:
        """A login that may do everything."""
        version = self.servers[0].version[:2]
        return About(family=self.family, series=version, login="dbops@%", binlog=True, rights=("ALL PRIVILEGES",))

    def facts(self, database: Database) -> BackupFacts:
        """One database, every program."""
        clone = Plugin(name="clone", status="ACTIVE", type="CLONE", library="mysql_clone.so")
        files = Files(datadir="/var/lib/mysql", owner="mysql", user="root", bytes=5000, plugins=(clone,))
        plain = msgspec.to_builtins(database)
        version = self.servers[0].version
        return BackupFacts(
            databases=(DatabaseFacts(name=database.name, bytes=8_000_000, extra=plain),),
            total_bytes=8_000_000,
            log_bytes_per_s=100.0,
            settings={"innodb_page_size": "16384"},
            tools={one: Tool(name=one, path=f"/bin/{one}", version=version) for one in ("dump", "client", "copy")},
            extra={"about": json_of(self.about), "files": json_of(files)},
        )

    def dumped(self, name: str) -> BackupSample:
        """Two views, one accounts file."""
        database = Database(name=name, charset="utf8mb4", collation="utf8mb4_bin", tables=2, views=1)
        contents = Contents(
            about=self.about,
            databases=(database,),
            position=Position(file="binlog.000007", offset=157),
            program="9.7.4" if self.family == "mysql" else "11.8.9",
        )
        artifacts = (ACCOUNTS, dump_of(name), views_of(name), fingerprints_of(name))
        destination = Destination(kind="database", database=name)
        return self.sample("dump", database, artifacts, contents, destination)

    def copied(self, name: str) -> BackupSample:
        """By MariaDB's program, or by CLONE."""
        database = Database(name=name, charset="utf8mb4", collation="utf8mb4_bin", tables=2)
        how, artifact = ("clone", "base.tar") if self.family == "mysql" else ("mariadb-backup", "base.xbstream")
        copy = msgspec.convert(
            {"how": how, "artifact": artifact, "version": self.servers[0].version, "files": 7, "bytes": 900},
            type=Copied,
        )
        contents = Contents(about=self.about, settings={"innodb_page_size": "16384"}, copied=copy)
        destination = Destination(kind="directory", path="/new")
        return self.sample("physical", database, (artifact, "configuration.json"), contents, destination)

    def sample(
        self, method: str, database: Database, artifacts: tuple[str, ...], contents: Contents, place: Destination
    ) -> BackupSample:
        """Made on the first server."""
        job = BackupJob(id="b-20260131", target="shop", repository="main", method=method, started_at=NOW)
        record = BackupRecord(
            id=job.id,
            target="shop",
            incarnation="i",
            engine=self.family,
            server_version=self.servers[0].version_text,
            method=method,
            kind="logical" if method == "dump" else "physical",
            custody=Custody.REPOSITORY,
            location="main",
            started_at=NOW,
            finished_at=NOW,
            bytes=1000,
            stored_bytes=300,
            source_bytes=8_000_000,
            artifacts=tuple(Artifact(name=one, bytes=10, stored_bytes=5, sha256=f"sha of {one}") for one in artifacts),
            databases=(database.name,),
            log=LogRange(unit="binlog", start="binlog.000007:157", end="binlog.000007:157"),
            extra=msgspec.to_builtins(contents),
        )
        return BackupSample(job=job, facts=self.facts(database), record=record, destinations=(place,))


class TestMySQL(Laws):
    __test__ = True
    backend: ClassVar[Backend] = mysql
    family = "mysql"
    servers = (
        server("mysql", 9, 7, 4),
        server("mysql", 8, 4, 0),
        server("mysql", 8, 0, 11),
        server("mysql", 9, 7, 4, role="standby"),
        server("mysql", 8, 0, 35, edition="Amazon RDS"),
    )

    def role(self, name: str) -> str:
        """An account that nobody logs in as."""
        return quoted(name, "%")

    def changes(self, name: str) -> Sequence[Change]:
        return [*super().changes(name), DiscardPassword(name=quoted(name, "10.%"))]


class TestMariaDB(Laws):
    __test__ = True
    backend: ClassVar[Backend] = mariadb
    family = "mariadb"
    servers = (
        server("mariadb", 11, 8, 9),
        server("mariadb", 10, 11, 19),
        server("mariadb", 10, 6, 0),
        server("mariadb", 11, 8, 9, role="standby"),
        server("mariadb", 10, 11, 4, edition="Amazon RDS"),
    )

    def role(self, name: str) -> str:
        """A name and no host."""
        return name
