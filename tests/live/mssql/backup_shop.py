"""A server of SQL Server with databases, an instance beside it that sees the same media, and dbops between them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dbops.config import BackupConfig, Config, RepositoryConfig, Target, VerifyConfig
from dbops.model.stored import RestoreAnswer
from dbops.operations import plans, restore
from dbops.operations.restore import Wish
from dbops.operations.workspace import Workspace
from dbops.state import State
from dbops.testing.mssql import MssqlServer
from tests.simulators.mssql import media

DISK = "D:\\backup"


class Shop:
    """A server with databases, an instance beside it that sees the same media, and dbops between them."""

    def __init__(self, server: MssqlServer, other: MssqlServer, directory: Path) -> None:
        self.server, self.other, self.directory = server, other, directory
        self.ws = self.workspace()
        self.server.sql(
            "CREATE DATABASE shop", "USE shop; CREATE TABLE dbo.orders (id int NOT NULL, item nvarchar(40))"
        )
        self.server.sql("INSERT INTO dbo.orders VALUES (1, N'tea'), (2, NULL)", database="shop")

    def workspace(self, *, owns: bool = False, to: tuple[str, ...] = (DISK,), certificate: str = "") -> Workspace:
        proof = self.other.endpoint()
        target = Target(
            name="shop",
            endpoint=self.server.endpoint(),
            backup=BackupConfig(to=to, owns_chain=owns, certificate=certificate),
            verify=VerifyConfig(
                into=f"mssql://sa@127.0.0.1:{proof.port}/?TrustServerCertificate=yes",
                password=str(proof.password),
                data="E:\\data",
                log="L:\\log",
            ),
        )
        config = Config(
            repositories={"main": RepositoryConfig(url=f"file://{self.directory / 'repository'}", name="main")},
            targets={"shop": target},
            default_repository="main",
        )
        return Workspace(config, state=State(self.directory / "state", clock=lambda: datetime.now(UTC)))

    def disk(self) -> media.Disk:
        return media.disk(self.server.instance)

    def into(self, name: str) -> str:
        return self.other.url(database=name)


def names(server: MssqlServer) -> set[str]:
    return {str(name) for (name,) in server.sql("SELECT name FROM sys.databases WHERE database_id > 4")}


def rows_of(shop: Shop, database: str) -> list[int]:
    return [int(str(one)) for (one,) in shop.other.sql("SELECT id FROM dbo.orders ORDER BY id", database=database)]


def in_standby(shop: Shop, database: str) -> bool:
    asked = f"SELECT is_in_standby FROM sys.databases WHERE name = N'{database}'"
    return bool(shop.other.sql(asked)[0][0])


def bring(ws: Workspace, shop: Shop, database: str, **wish: Any) -> RestoreAnswer:
    """Plan and carry out."""
    made = Wish(databases=("shop",), **wish)
    answer, plan = restore.plan(ws, "shop", wish=made, into=shop.into(database))
    assert plan is not None, answer.reason
    restore.result(answer, plan, plans.apply(ws, plan))
    return answer
