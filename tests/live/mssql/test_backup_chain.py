"""Chains of logs of SQL Server: proven to their end, counted, and restored in several goes, over the real driver."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from dbops import registry
from dbops.errors import CouldNotTell, DestinationExists, InputError, ToolFailed, Unsupported, UsageError
from dbops.model.backup import Until, Verdict
from dbops.model.recovery import Reachability
from dbops.operations import backup, catalogue, plans, restore, verify
from dbops.operations.restore import Wish
from dbops.operations.workspace import Workspace
from dbops.session import connect
from tests.live.mssql.backup_shop import Shop, bring, in_standby, names, rows_of


def test_of_a_chain_of_ours_the_newest_point_is_proven(shop: Shop) -> None:
    """The full backup, the differential and every log, and not the newest full backup alone."""
    ws = shop.workspace(owns=True)
    shop.server.instance.offset = timedelta(hours=-5)
    made = backup.run(ws, "shop")
    for hours, method in ((-4, "differential"), (-3, "log"), (-2, "log")):
        shop.server.instance.offset = timedelta(hours=hours)
        made = backup.run(ws, "shop", method=method, databases=["shop"])
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
