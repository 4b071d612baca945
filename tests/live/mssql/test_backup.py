"""Backups of SQL Server as a user makes, proves and restores them, over the real driver."""

from __future__ import annotations

import queue
import uuid
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from dbops import registry
from dbops.config import RepositoryConfig, VerifyConfig
from dbops.errors import DestinationExists, NotPermitted, ToolFailed, Unsupported, UsageError
from dbops.execute.context import Context
from dbops.model.backup import Custody, Fingerprints, Objective, Until, Verdict
from dbops.model.finding import Missing
from dbops.model.recovery import Feasibility, Reachability
from dbops.operations import backup, plans, restore, verify
from dbops.operations.restore import Wish
from dbops.operations.workspace import Workspace
from dbops_mssql.backup import link
from tests.live.mssql.backup_shop import DISK, Shop, names
from tests.simulators.mssql import media


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


def test_what_the_configuration_leaves_out_is_in_the_plan(shop: Shop) -> None:
    soon = Objective(rpo_s=900)
    found = backup.plan(shop.ws, "shop", objective=soon)
    assert (
        found.reasons.count(
            "No backups of the log: another program may own the chain: [targets.shop.backup] owns_chain = true."
        )
        == 1
    )
    assert {one.method for one in found.schedule} == {"full"}
    nowhere = backup.plan(shop.workspace(to=()), "shop", objective=soon)
    assert nowhere.verdict is Feasibility.INFEASIBLE
    assert nowhere.reasons[0] == "where the server is to write is not configured: [targets.shop.backup] to"
    owned = backup.plan(shop.workspace(owns=True), "shop", objective=soon)
    assert not any("owns_chain" in one for one in owned.reasons)


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
