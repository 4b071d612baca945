"""Backups of SQL Server as a user makes, proves and restores them, over the real driver."""

from __future__ import annotations

import queue
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dbops import registry
from dbops.config import BackupConfig, Config, RepositoryConfig, Target, VerifyConfig
from dbops.errors import CouldNotTell, DestinationExists, InputError, NotPermitted, ToolFailed, Unsupported, UsageError
from dbops.execute.context import Context
from dbops.model.backup import Custody, Fingerprints, Until, Verdict
from dbops.model.finding import Missing
from dbops.model.recovery import Reachability
from dbops.model.stored import RestoreAnswer
from dbops.operations import backup, catalogue, plans, restore, verify
from dbops.operations.restore import Wish
from dbops.operations.workspace import Workspace
from dbops.session import connect
from dbops.state import State
from dbops.testing.mssql import MssqlServer, Simulate
from dbops_mssql.backup import link
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


@pytest.fixture(scope="module")
def pair(
    mssql_driver: None, mssql_simulator: Simulate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[MssqlServer]]:
    """Two simulated instances that see the same media, which these tests look at and spoil, wherever they run."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(mssql_simulator(tmp_path_factory.mktemp(name), name=name))
            for name in ("PRIMARY", "PROOF")
        ]
        media.share(servers[0].instance, servers[1].instance)
        yield servers


@pytest.fixture
def shop(pair: list[MssqlServer], tmp_path: Path) -> Iterator[Shop]:
    yield Shop(pair[0], pair[1], tmp_path)
    for server in pair:
        server.instance.offset = timedelta()
        for number in [number for number in server.instance.state.databases if number > 4]:
            del server.instance.state.databases[number]
        for login in server.logins():
            server.sql(f"DROP LOGIN [{login}]")
    media.forget(*(server.instance for server in pair))


def names(server: MssqlServer) -> set[str]:
    return {str(name) for (name,) in server.sql("SELECT name FROM sys.databases WHERE database_id > 4")}


def test_a_backup_is_the_servers_and_is_copy_only(shop: Shop) -> None:
    made = backup.run(shop.ws, "shop")
    one = made.backup
    assert (one.method, one.custody, one.location) == ("full", Custody.SERVER, DISK)
    assert one.databases == ("master", "model", "msdb", "shop")
    assert isinstance(one.stored_bytes, Missing)
    rows = shop.server.sql("SELECT database_name, is_copy_only, has_backup_checksums, type FROM msdb.dbo.backupset")
    assert rows == [(name, True, True, "D") for name in one.databases]
    assert any(device.startswith(f"{DISK}\\shop_{one.id}") for device in shop.disk().written)


@pytest.mark.proves("mssql", "backup.physical", "verify.restore", "verify.fingerprints", by="a simulator")
def test_a_backup_is_proven_on_another_instance_and_the_copy_dropped(shop: Shop) -> None:
    made = backup.run(shop.ws, "shop", databases=["shop"])
    found = verify.verify(shop.ws, made.backup.id)
    assert found.verdict is Verdict.VERIFIED, found.reasons
    assert any(check.id == "dbcc-1" for check in found.checks)
    assert found.fingerprints == Fingerprints(compared=1, equal=1)
    assert names(shop.other) == set()
    restored = shop.other.sql("SELECT destination_database_name, recovery FROM msdb.dbo.restorehistory")
    assert len(restored) == 1
    assert str(restored[0][0]).startswith("shop-proof-")


def test_checksums_alone_are_read_by_the_other_instance(shop: Shop) -> None:
    made = backup.run(shop.ws, "shop", databases=["shop"])
    assert verify.verify(shop.ws, made.backup.id, level="checksum").verdict is Verdict.VERIFIED
    shop.disk().torn.add(next(iter(shop.disk().written)))
    torn = verify.verify(shop.ws, made.backup.id, level="checksum")
    assert torn.verdict is Verdict.FAILED
    assert "RESTORE detected an error on page (1:200)" in torn.reasons[0]


def test_damage_that_dbcc_finds_is_a_failure(shop: Shop) -> None:
    made = backup.run(shop.ws, "shop", databases=["shop"])
    shop.disk().broken["database:shop-proof-"] = "Object ID 99: page (1:77) could not be processed."
    found = verify.verify(shop.ws, made.backup.id)
    assert found.verdict is Verdict.FAILED
    assert "page (1:77) could not be processed" in found.reasons[0]
    assert names(shop.other) == set()


def test_media_that_the_other_instance_cannot_open_prove_nothing(shop: Shop) -> None:
    made = backup.run(shop.ws, "shop", databases=["shop"])
    shop.disk().broken[DISK] = "5(Access is denied.)"
    found = verify.verify(shop.ws, made.backup.id)
    assert found.verdict is Verdict.COULD_NOT_VERIFY
    assert "Access is denied" in found.reasons[0]


def test_without_an_instance_nothing_is_proven(shop: Shop) -> None:
    made = backup.run(shop.ws, "shop", databases=["shop"])
    target = msgspec.structs.replace(shop.ws.config.targets["shop"], verify=VerifyConfig())
    config = msgspec.structs.replace(shop.ws.config, targets={"shop": target})
    found = verify.verify(Workspace(config, state=shop.ws.state), made.backup.id)
    assert found.verdict is Verdict.COULD_NOT_VERIFY
    assert "no instance is configured" in found.reasons[0]


@pytest.mark.parametrize("scheme", ["mssql", "mssql+mssqlpython"])
def test_a_database_that_is_not_there_is_restored_by_a_login_whose_password_is_configured(
    shop: Shop, scheme: str
) -> None:
    """One driver says of a database that cannot be opened that the login failed, and no more."""
    backup.run(shop.ws, "shop", databases=["shop"])
    into = f"{scheme}://sa@127.0.0.1:{shop.other.endpoint().port}/again"
    answer, made = restore.plan(shop.ws, "shop", wish=Wish(databases=("shop",)), into=into)
    assert answer.verdict is Reachability.REACHABLE
    assert made is not None
    restore.carry_out(shop.ws, made)
    assert names(shop.other) == {"again"}
    with pytest.raises(DestinationExists):
        restore.plan(shop.ws, "shop", wish=Wish(databases=("shop",)), into=into)


def test_a_device_that_cannot_be_opened_is_told_with_its_cause(shop: Shop) -> None:
    shop.disk().broken[DISK] = "3(The system cannot find the path specified.)"
    with pytest.raises(ToolFailed) as caught:
        backup.run(shop.ws, "shop", databases=["shop"])
    assert "Cannot open backup device" in caught.value.message
    assert "what the server wrote stays there" in caught.value.hint
    assert "3(The system cannot find the path specified.)" in caught.value.message
    assert "Nothing of this run is in the catalogue" in (caught.value.hint or "")


def test_an_error_behind_messages_is_seen(shop: Shop) -> None:
    """The statement begins well and speaks of its progress: whoever reads no further takes that for success."""
    shop.disk().full.add(DISK)
    with pytest.raises(ToolFailed) as caught:
        backup.run(shop.ws, "shop", databases=["shop"])
    assert "112(There is not enough space on the disk.)" in caught.value.message
    assert shop.server.sql("SELECT * FROM msdb.dbo.backupset") == []


@pytest.mark.parametrize("method", ["differential", "log", "tail"])
def test_the_chain_of_others_is_left_alone(shop: Shop, method: str) -> None:
    with pytest.raises(Unsupported) as caught:
        backup.run(shop.ws, "shop", method=method, databases=["shop"])
    assert "another program may own the chain" in caught.value.message
    assert "owns_chain = true" in (caught.value.hint or "")
    assert shop.server.sql("SELECT * FROM msdb.dbo.backupset") == []


def test_backups_of_others_are_told(shop: Shop) -> None:
    shop.server.sql("BACKUP DATABASE shop TO DISK = N'X:\\theirs.bak' WITH NAME = N'nightly'")
    made = backup.run(shop.ws, "shop", databases=["shop"])
    assert any("sa made a full backup on" in note and "X:\\theirs.bak" in note for note in made.notes)


@pytest.mark.proves("mssql", "backup.incremental", "backup.logs", "restore.physical", by="a simulator")
def test_a_chain_of_ours_comes_back_to_the_newest_state(shop: Shop) -> None:
    ws = shop.workspace(owns=True)
    backup.run(ws, "shop", databases=["shop"])
    shop.server.sql("INSERT INTO dbo.orders VALUES (3, N'milk')", database="shop")
    backup.run(ws, "shop", method="differential", databases=["shop"])
    shop.server.sql("INSERT INTO dbo.orders VALUES (4, N'salt')", database="shop")
    last = backup.run(ws, "shop", method="log", databases=["shop"])
    wish = Wish(databases=("shop",))
    answer, plan = restore.plan(ws, "shop", wish=wish, into=shop.into("shop_back"))
    assert answer.verdict is Reachability.REACHABLE
    assert [one.method for one in answer.chain] == ["full", "differential", "log"]
    assert plan is not None
    restore.result(answer, plan, plans.apply(ws, plan))
    assert shop.other.sql("SELECT id FROM dbo.orders ORDER BY id", database="shop_back") == [(1,), (2,), (3,), (4,)]
    assert verify.verify(ws, last.backup.id).verdict is Verdict.VERIFIED


def test_the_plan_shows_statements_that_can_be_pasted(shop: Shop) -> None:
    from dbops.report.restore import plan_text

    backup.run(shop.ws, "shop", databases=["shop"])
    answer, _ = restore.plan(shop.ws, "shop", wish=Wish(databases=("shop",)), into=shop.into("shop_back"))
    shown = plan_text(answer)
    assert "RESTORE DATABASE [shop_back]" in shown
    assert "MOVE N'shop' TO N'E:\\data\\shop_back_1.mdf'" in shown
    assert "MOVE N'shop_log' TO N'L:\\log\\shop_back_2.ldf'" in shown
    assert "RESTORE DATABASE [shop_back] WITH RECOVERY" in shown
    assert names(shop.other) == set()


@pytest.mark.proves("mssql", "restore.pitr", by="a simulator")
def test_an_instant_is_reached_by_the_log_that_holds_it(shop: Shop) -> None:
    from dbops.report.restore import plan_text

    ws = shop.workspace(owns=True)
    shop.server.instance.offset = timedelta(hours=-3)
    backup.run(ws, "shop", databases=["shop"])
    shop.server.instance.offset = timedelta(hours=-1)
    backup.run(ws, "shop", method="log", databases=["shop"])
    at = datetime.now(UTC) - timedelta(hours=2)
    wish = Wish(databases=("shop",), until=Until(kind="time", time=at))
    answer, _ = restore.plan(ws, "shop", wish=wish, into=shop.into("shop_back"))
    assert answer.verdict is Reachability.REACHABLE
    assert f"STOPAT = N'{at:%Y-%m-%dT%H:%M}" in plan_text(answer)
    late = Wish(databases=("shop",), until=Until(kind="time", time=datetime.now(UTC)))
    answer, plan = restore.plan(ws, "shop", wish=late, into=shop.into("shop_back"))
    assert (answer.verdict, plan) == (Reachability.UNREACHABLE, None)
    assert "No log backup reaches that instant" in answer.reason


def test_of_a_chain_of_ours_the_newest_point_is_proven(shop: Shop) -> None:
    """The full backup, the differential and every log, and not the newest full backup alone."""
    ws = shop.workspace(owns=True)
    for hours, method in ((-5, "full"), (-4, "differential"), (-3, "log"), (-2, "log")):
        shop.server.instance.offset = timedelta(hours=hours)
        made = backup.run(ws, "shop", method=method, databases=[] if method == "full" else ["shop"])
    found = verify.verify(ws, "shop")
    assert (found.verdict, found.backup) == (Verdict.VERIFIED, made.backup.id), found.reasons
    restored = [one.name for one in found.phases if one.name.startswith("restore-4-")]
    assert restored == ["restore-4-1", "restore-4-2", "restore-4-3", "restore-4-4", "restore-4-recover"]
    assert names(shop.other) == set()
    (listed,) = [one for one in catalogue.backups(ws, "shop").backups if one.id == made.backup.id]
    assert listed.proven is not None
    shop.disk().torn.add(next(device for device in shop.disk().written if made.backup.id in device))
    torn = verify.verify(ws, "shop")
    assert torn.verdict is Verdict.FAILED
    assert "RESTORE detected an error on page (1:200)" in torn.reasons[0]


def test_an_instant_is_proven_with_the_log_stopped_at_it(shop: Shop) -> None:
    ws = shop.workspace(owns=True)
    for hours, method in ((-5, "full"), (-1, "log")):
        shop.server.instance.offset = timedelta(hours=hours)
        backup.run(ws, "shop", method=method, databases=["shop"])
    at = datetime.now(UTC) - timedelta(hours=3)
    found = verify.verify(ws, "shop", until=Until(kind="time", time=at))
    assert (found.verdict, found.recovered_to) == (Verdict.VERIFIED, at)
    with pytest.raises(CouldNotTell, match="No log backup reaches that instant"):
        verify.verify(ws, "shop", until=Until(kind="time", time=at + timedelta(hours=2.5)))


def test_a_proof_that_ends_with_a_log_of_others_is_not_kept(shop: Shop) -> None:
    ws = shop.workspace(owns=True)
    backup.run(ws, "shop", databases=["shop"])
    shop.server.sql("BACKUP LOG shop TO DISK = N'X:\\theirs.trn' WITH CHECKSUM")
    found = verify.verify(ws, "shop")
    assert found.verdict is Verdict.VERIFIED
    assert "was not made by dbops" in found.reasons[-1]
    assert found.source == "shop"


def test_where_others_own_the_chain_our_newest_backup_is_proven(shop: Shop) -> None:
    made = backup.run(shop.ws, "shop", databases=["shop"])
    shop.server.sql("BACKUP DATABASE shop TO DISK = N'X:\\theirs.bak'", "BACKUP LOG shop TO DISK = N'X:\\theirs.trn'")
    found = verify.verify(shop.ws, "shop")
    assert (found.backup, found.verdict) == (made.backup.id, Verdict.VERIFIED)


@pytest.mark.proves("mssql", "backup.logs", by="a simulator")
def test_coverage_counts_what_logs_reach(shop: Shop) -> None:
    """Also those of others, and not the databases of the instance, which have no logs."""
    from dbops.report.backup import coverage_text

    ws = shop.workspace(owns=True)
    for hours, method in ((-5, "full"), (-4, "log"), (-3, "log")):
        shop.server.instance.offset = timedelta(hours=hours)
        backup.run(ws, "shop", method=method, databases=["shop"] if method == "log" else [])
    shop.server.instance.offset = timedelta(hours=-2)
    shop.server.sql("BACKUP LOG shop TO DISK = N'X:\\theirs.trn'")
    shop.server.instance.offset = timedelta()
    now = datetime.now(UTC)
    found = catalogue.coverage(ws, "shop", since=now - timedelta(hours=4.5))
    assert [one.exact for one in found.spans] == [True, True, True, False]
    assert found.worst_loss_s is not None
    assert 7000 < found.worst_loss_s < 7400
    assert coverage_text(found).count("every instant, by logs") == 1
    master = catalogue.coverage(ws, "shop", since=now - timedelta(hours=4.5), databases=["master"])
    assert [one.exact for one in master.spans] == [False]
    gone = msgspec.structs.replace(shop.server.endpoint(), port=1)
    target = msgspec.structs.replace(ws.config.targets["shop"], endpoint=gone, timeout_s=1.0)
    alone = Workspace(msgspec.structs.replace(ws.config, targets={"shop": target}), state=ws.state)
    unsure = catalogue.coverage(alone, "shop", since=now - timedelta(hours=6))
    assert unsure.verdict == "unknown"
    assert "the history of the server was not read" in unsure.reasons[-1]


def test_nothing_goes_over_a_database_that_is_there(shop: Shop) -> None:
    backup.run(shop.ws, "shop", databases=["shop"])
    shop.other.sql("CREATE DATABASE shop_back")
    with pytest.raises(DestinationExists) as caught:
        restore.plan(shop.ws, "shop", wish=Wish(databases=("shop",)), into=shop.into("shop_back"))
    assert "is there already" in caught.value.message


def test_a_database_that_is_being_restored_counts_as_there(shop: Shop) -> None:
    made = backup.run(shop.ws, "shop", databases=["shop"])
    device = next(device for device in shop.disk().written if made.backup.id in device)
    shop.other.sql(f"RESTORE DATABASE shop_back FROM DISK = N'{device}' WITH NORECOVERY")
    answer, plan = restore.plan(shop.ws, "shop", wish=Wish(databases=("shop",)), into=shop.into("shop_back"))
    assert plan is not None, answer
    with pytest.raises(DestinationExists) as caught:
        plans.apply(shop.ws, plan)
    assert "(RESTORING)" in caught.value.message
    assert names(shop.other) == {"shop_back"}


def test_what_is_to_be_restored_is_said(shop: Shop) -> None:
    backup.run(shop.ws, "shop")
    with pytest.raises(UsageError) as caught:
        restore.plan(shop.ws, "shop", into=shop.into("shop_back"))
    assert "say with --database which database is meant" in caught.value.message
    assert "One of: master, model, msdb, shop." in (caught.value.hint or "")
    with pytest.raises(UsageError) as caught:
        restore.plan(shop.ws, "shop", wish=Wish(databases=("shop",), media=("D:\\x.bak",)))
    assert "--media is read by an instance" in caught.value.message
    with pytest.raises(UsageError) as caught:
        restore.plan(shop.ws, "shop", wish=Wish(databases=("shop",)), into="/tmp/not-there-shop")
    assert "a directory cannot take them" in caught.value.message


def test_a_secondary_replica_makes_no_differential(shop: Shop) -> None:
    state = shop.server.instance.state
    database = shop.server.instance.database("shop")
    database.options["replica_id"] = uuid.uuid4()
    rows = [{"database_id": database.database_id, "is_local": True, "is_primary_replica": False}]
    shop.server.instance.set_rows("sys.dm_hadr_database_replica_states", rows)
    try:
        with pytest.raises(UsageError) as caught:
            backup.run(shop.workspace(owns=True), "shop", method="differential", databases=["shop"])
        assert "on a secondary replica there are no differential backups" in caught.value.message
        backup.run(shop.workspace(owns=True), "shop", databases=["shop"])
        assert shop.server.sql("SELECT is_copy_only FROM msdb.dbo.backupset") == [(True,)]
    finally:
        state.rows.clear()


def test_what_a_failed_restore_made_is_dropped(shop: Shop) -> None:
    ws = shop.workspace(owns=True)
    backup.run(ws, "shop", databases=["shop"])
    log = backup.run(ws, "shop", method="log", databases=["shop"])
    _, plan = restore.plan(ws, "shop", wish=Wish(databases=("shop",)), into=shop.into("shop_back"))
    assert plan is not None
    shop.disk().torn.add(next(device for device in shop.disk().written if log.backup.id in device))
    with pytest.raises(ToolFailed) as caught:
        plans.apply(ws, plan)
    assert "RESTORE detected an error on page (1:200)" in caught.value.message
    assert names(shop.other) == set()


def test_names_that_are_hostile_come_through(shop: Shop) -> None:
    name = "we]ird 'na%me"
    shop.server.create_database(name)
    made = backup.run(shop.ws, "shop", databases=[name])
    assert verify.verify(shop.ws, made.backup.id).verdict is Verdict.VERIFIED


def test_stripes_are_written_and_read_together(shop: Shop) -> None:
    ws = shop.workspace(to=("D:\\one", "E:\\two", "F:\\three"))
    made = backup.run(ws, "shop", databases=["shop"])
    assert len(shop.disk().written) == 3
    assert verify.verify(ws, made.backup.id).verdict is Verdict.VERIFIED


def test_object_storage_since_2022(shop: Shop) -> None:
    ws = shop.workspace(to=("s3://store.example:9000/bucket",))
    made = backup.run(ws, "shop", databases=["shop"])
    (device,) = shop.disk().written
    assert device.startswith("s3://store.example:9000/bucket/shop_")
    assert verify.verify(ws, made.backup.id).verdict is Verdict.VERIFIED


def test_encrypted_media_need_the_certificate_there_too(shop: Shop) -> None:
    media.memory(shop.server.instance).certificates.add("BackupCert")
    ws = shop.workspace(certificate="BackupCert")
    made = backup.run(ws, "shop", databases=["shop"])
    found = verify.verify(ws, made.backup.id)
    assert found.verdict is Verdict.COULD_NOT_VERIFY
    assert "Cannot find server certificate with thumbprint" in found.reasons[0]
    media.memory(shop.other.instance).certificates.add("BackupCert")
    assert verify.verify(ws, made.backup.id).verdict is Verdict.VERIFIED


def test_a_database_in_the_simple_recovery_model_has_no_log(shop: Shop) -> None:
    shop.server.sql("ALTER DATABASE shop SET RECOVERY SIMPLE")
    with pytest.raises(UsageError) as caught:
        backup.run(shop.workspace(owns=True), "shop", method="log", databases=["shop"])
    assert "in the SIMPLE recovery model there is no log to back up" in caught.value.message


def test_a_database_that_is_not_open_is_left_out_and_named(shop: Shop) -> None:
    shop.server.create_database("stock")
    shop.server.sql("ALTER DATABASE stock SET OFFLINE")
    made = backup.run(shop.ws, "shop")
    assert "stock" not in made.backup.databases
    assert any("not in this backup: stock (OFFLINE)" in note for note in made.notes)
    with pytest.raises(UsageError) as caught:
        backup.run(shop.ws, "shop", databases=["stock"])
    assert "the database stock cannot be backed up by full: OFFLINE" in caught.value.message


def test_the_tail_takes_the_database_offline(shop: Shop) -> None:
    ws = shop.workspace(owns=True)
    backup.run(ws, "shop", databases=["shop"])
    with pytest.raises(UsageError):
        backup.run(ws, "shop", method="tail")
    backup.run(ws, "shop", method="tail", databases=["shop"])
    assert shop.server.sql("SELECT state_desc FROM sys.databases WHERE name = N'shop'") == [("RESTORING",)]


def test_a_login_without_the_right_is_told_which(shop: Shop) -> None:
    shop.server.login("reader")
    shop.server.sql("CREATE USER reader FOR LOGIN reader", database="shop")
    shop.server.sql("CREATE USER reader FOR LOGIN reader; ALTER ROLE db_datareader ADD MEMBER reader", database="msdb")
    target = msgspec.structs.replace(shop.ws.config.targets["shop"], endpoint=shop.server.endpoint("reader"))
    config = msgspec.structs.replace(shop.ws.config, targets={"shop": target})
    with pytest.raises(NotPermitted) as caught:
        backup.run(Workspace(config, state=shop.ws.state), "shop", databases=["shop"])
    assert "BACKUP DATABASE permission denied in database 'shop'" in caught.value.message


def test_when_all_is_lost_the_media_lead_back(shop: Shop) -> None:
    """Neither msdb nor a manifest is asked: only what the headers on the media say."""
    ws = shop.workspace(owns=True, to=("D:\\one", "E:\\two"))
    backup.run(ws, "shop", databases=["shop"])
    shop.server.sql("INSERT INTO dbo.orders VALUES (3, N'milk')", database="shop")
    backup.run(ws, "shop", method="log", databases=["shop"])
    places = tuple(shop.disk().written)
    gone = msgspec.structs.replace(shop.server.endpoint(), port=1)
    target = msgspec.structs.replace(ws.config.targets["shop"], endpoint=gone)
    main = RepositoryConfig(url=f"file://{shop.directory / 'another'}", name="main")
    lost = msgspec.structs.replace(ws.config, targets={"shop": target}, repositories={"main": main})
    alone = Workspace(lost, state=ws.state)
    wish = Wish(databases=("shop",), media=places)
    answer, plan = restore.plan(alone, "shop", wish=wish, into=shop.into("shop_back"))
    assert [one.method for one in answer.chain] == ["full", "log"]
    assert any("the time zone of the full backup" in note for note in answer.notes)
    assert plan is not None
    plans.apply(alone, plan)
    assert shop.other.sql("SELECT id FROM dbo.orders ORDER BY id", database="shop_back") == [(1,), (2,), (3,)]
    instant = Wish(databases=("shop",), media=places, until=Until(kind="time", time=datetime.now(UTC)))
    answer, _ = restore.plan(alone, "shop", wish=instant, into=shop.into("again"))
    assert answer.verdict is Reachability.UNKNOWN
    assert "in which time zone" in answer.reason


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


@pytest.mark.proves("mssql", "restore.physical", by="a simulator")
def test_a_copy_can_be_read_between_logs(shop: Shop) -> None:
    """In standby, then one log further, and at last online."""
    from dbops.report.restore import plan_text

    ws = shop.workspace(owns=True)
    backup.run(ws, "shop", databases=["shop"])
    answer = bring(ws, shop, "copy", standby=True)
    assert "RESTORE DATABASE [copy] WITH STANDBY = N'E:\\data\\copy_undo.tuf'" in plan_text(answer)
    assert in_standby(shop, "copy")
    assert rows_of(shop, "copy") == [1, 2]
    shop.server.sql("INSERT INTO dbo.orders VALUES (3, N'milk')", database="shop")
    backup.run(ws, "shop", method="log", databases=["shop"])
    answer = bring(ws, shop, "copy", standby=True, onto=True)
    assert [one.method for one in answer.chain] == ["full", "log"]
    assert "MOVE" not in plan_text(answer)
    assert "is the last that is in the database" in plan_text(answer)
    assert (rows_of(shop, "copy"), in_standby(shop, "copy")) == ([1, 2, 3], True)
    shop.server.sql("INSERT INTO dbo.orders VALUES (4, N'salt')", database="shop")
    backup.run(ws, "shop", method="log", databases=["shop"])
    bring(ws, shop, "copy", onto=True)
    assert (rows_of(shop, "copy"), in_standby(shop, "copy")) == ([1, 2, 3, 4], False)
    with pytest.raises(InputError, match="the database copy is ONLINE: it was recovered"):
        restore.plan(ws, "shop", wish=Wish(databases=("shop",), onto=True), into=shop.into("copy"))


def test_a_restore_that_was_stopped_inside_of_a_log_goes_on_with_that_log(shop: Shop) -> None:
    ws = shop.workspace(owns=True)
    for hours, method in ((-5, "full"), (-1, "log")):
        shop.server.instance.offset = timedelta(hours=hours)
        backup.run(ws, "shop", method=method, databases=["shop"])
    now = datetime.now(UTC)
    first, second = (Until(kind="time", time=now - timedelta(hours=hours)) for hours in (4, 2))
    bring(ws, shop, "copy", standby=True, until=first)
    answer = bring(ws, shop, "copy", standby=True, onto=True, until=second)
    assert [one.method for one in answer.chain] == ["log"]
    back = Wish(databases=("shop",), onto=True, until=Until(kind="time", time=now - timedelta(hours=3)))
    refused, plan = restore.plan(ws, "shop", wish=back, into=shop.into("copy"))
    assert (refused.verdict, plan) == (Reachability.UNREACHABLE, None)
    answer = bring(ws, shop, "copy", onto=True)
    assert [one.method for one in answer.chain] == ["log"]


def test_what_cannot_be_gone_on_with_is_told(shop: Shop) -> None:
    ws = shop.workspace(owns=True)
    backup.run(ws, "shop", databases=["shop"])
    onto = Wish(databases=("shop",), onto=True)
    with pytest.raises(InputError, match="there is no database copy to go on with"):
        restore.plan(ws, "shop", wish=onto, into=shop.into("copy"))
    with pytest.raises(UsageError, match="--continue goes on with a database"):
        restore.plan(ws, "shop", wish=onto)
    bring(ws, shop, "copy", standby=True)
    with pytest.raises(DestinationExists):
        restore.plan(ws, "shop", wish=Wish(databases=("shop",)), into=shop.into("copy"))
    answer, plan = restore.plan(ws, "shop", wish=onto, into=shop.into("copy"))
    assert (answer.verdict, plan) == (Reachability.UNREACHABLE, None)
    assert "No log backup is newer than what is in the database: the full backup of" in answer.reason


def test_readers_of_a_standby_are_not_thrown_out(shop: Shop) -> None:
    ws = shop.workspace(owns=True)
    backup.run(ws, "shop", databases=["shop"])
    bring(ws, shop, "copy", standby=True)
    backup.run(ws, "shop", method="log", databases=["shop"])
    with connect(
        registry.backend("mssql"), shop.other.endpoint(database="copy"), resolve=ws.secrets.resolve, timeout_s=5
    ) as it:
        assert it.scalar("SELECT COUNT(*) FROM dbo.orders") == 2
        with pytest.raises(ToolFailed, match="Exclusive access could not be obtained because the database is in use"):
            bring(ws, shop, "copy", onto=True)
        assert in_standby(shop, "copy")
    bring(ws, shop, "copy", onto=True)


def test_a_plan_that_was_overtaken_is_refused(shop: Shop) -> None:
    ws = shop.workspace(owns=True)
    backup.run(ws, "shop", databases=["shop"])
    bring(ws, shop, "copy", standby=True)
    backup.run(ws, "shop", method="log", databases=["shop"])
    _, plan = restore.plan(ws, "shop", wish=Wish(databases=("shop",), onto=True), into=shop.into("copy"))
    assert plan is not None
    bring(ws, shop, "copy", standby=True, onto=True)
    with pytest.raises(InputError, match="has been overtaken: No log backup is newer than what is in the database"):
        plans.apply(ws, plan)
    with pytest.raises(InputError, match="more was restored into copy since the plan was made"):
        restore.carry_out(ws, plan)
    assert in_standby(shop, "copy")


def test_a_standby_is_of_the_version_that_wrote_the_backup(shop: Shop) -> None:
    backup.run(shop.ws, "shop", databases=["shop"])
    answer, plan = restore.plan(shop.ws, "shop", wish=Wish(databases=("shop",), standby=True), into=shop.into("copy"))
    assert plan is not None, answer
    before = shop.other.instance.version
    shop.other.instance.version = "17.0.1000.7"
    try:
        with pytest.raises(Unsupported, match="a database in standby is never upgraded: the backup is of version 16"):
            plans.apply(shop.ws, plan)
    finally:
        shop.other.instance.version = before
    assert names(shop.other) == set()


@pytest.mark.parametrize(("zone", "verdict"), [("+05:30", "reachable"), ("+12:00", "unreachable"), ("", "unknown")])
def test_media_lead_to_an_instant_once_it_is_said_where_the_clock_was(shop: Shop, zone: str, verdict: str) -> None:
    from dbops.report.restore import plan_text

    ws = shop.workspace(owns=True)
    before = shop.server.instance.zone
    shop.server.instance.zone = timezone(timedelta(hours=5, minutes=30))
    try:
        for hours, method in ((-3, "full"), (-1, "log")):
            shop.server.instance.offset = timedelta(hours=hours)
            backup.run(ws, "shop", method=method, databases=["shop"])
    finally:
        shop.server.instance.zone = before
    at = datetime.now(UTC) - timedelta(hours=2)
    until = Until(kind="time", time=at, zone=zone)
    wish = Wish(databases=("shop",), media=tuple(shop.disk().written), until=until)
    answer, plan = restore.plan(ws, "shop", wish=wish, into=shop.into("shop_back"))
    assert answer.verdict.value == verdict
    if plan is None:
        return
    assert f"STOPAT = N'{at + timedelta(hours=5, minutes=30):%Y-%m-%dT%H:%M:%S}" in plan_text(answer)
    assert answer.chain[0].started_at - at < timedelta(minutes=-59)
    plans.apply(ws, plan)
    assert names(shop.other) == {"shop_back"}


def test_progress_is_asked_over_a_second_connection(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "EVERY_S", 0.01)
    told: queue.Queue[tuple[str, int, int | None]] = queue.Queue()
    endpoint = shop.server.endpoint()
    context = Context(
        backend=registry.backend("mssql"),
        endpoints={},
        resolve=shop.ws.secrets.resolve,
        host=shop.ws.host,
        journal=shop.ws.state.journal("shop"),
        progress=lambda what, done, expected: told.put((what, done, expected)),
    )
    requests = [{"session_id": number, "percent_complete": 50.0} for number in range(51, 80)]
    shop.server.instance.set_rows("sys.dm_exec_requests", requests)
    try:
        with link.connected(endpoint, context) as one, link.watched(one, endpoint, context, "shop", 1000):
            assert told.get(timeout=60) == ("shop", 500, 1000)
    finally:
        shop.server.instance.state.rows.clear()


def test_when_the_server_is_lost_its_manifests_still_lead_back(shop: Shop) -> None:
    backup.run(shop.ws, "shop", databases=["shop"])
    gone = msgspec.structs.replace(shop.server.endpoint(), port=1)
    target = msgspec.structs.replace(shop.ws.config.targets["shop"], endpoint=gone, timeout_s=1.0)
    ws = Workspace(msgspec.structs.replace(shop.ws.config, targets={"shop": target}), state=shop.ws.state)
    answer, plan = restore.plan(ws, "shop", wish=Wish(databases=("shop",)), into=shop.into("shop_back"))
    assert answer.verdict is Reachability.REACHABLE
    assert any("the history of the server was not read" in note for note in answer.notes)
    assert plan is not None
    plans.apply(ws, plan)
    assert names(shop.other) == {"shop_back"}
