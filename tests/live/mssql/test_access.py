"""Who may do what, read through the real driver: the questions, the audit, and the server's own answers beside ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from dbops.access.delta import compare
from dbops.access.naming import find
from dbops.config import Config, Target
from dbops.model.access import AccessSnapshot
from dbops.model.finding import Severity
from dbops.operations import access
from dbops.operations.workspace import Workspace
from dbops.state import State
from dbops.testing.mssql import MssqlServer, PrivateMssql
from tests.simulators.mssql.statements.windows_groups import set_members

At = Callable[..., tuple[Workspace, Target]]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS, NOTE = "table:shop.sales.orders", "column:shop.sales.orders.note"


@pytest.fixture
def at(tmp_path: Path) -> At:
    """``at(server)``: a workspace, and the server as a target, as its administrator or as a login."""
    workspace = Workspace(Config(), state=State(tmp_path / "state", clock=lambda: datetime.now(UTC)), entropy=bytes)

    def target(server: MssqlServer, user: str = "", database: str = "shop") -> tuple[Workspace, Target]:
        return workspace, Target(name="s", endpoint=server.endpoint(user, database))

    return target


def shop(server: MssqlServer) -> None:
    """A database with a bit of everything that decides about access."""
    for name in ("ann", "bob", "eve", "own"):
        server.login(name)
    server.create_database("shop")
    server.sql(
        "ALTER AUTHORIZATION ON DATABASE::shop TO own",
        "CREATE SERVER ROLE ops",
        "ALTER SERVER ROLE ops ADD MEMBER eve",
        "GRANT VIEW ANY DEFINITION TO ops",
    )
    server.sql(
        "CREATE USER ann FOR LOGIN ann",
        "CREATE USER seller FOR LOGIN bob",
        "CREATE USER robot WITHOUT LOGIN",
        "CREATE ROLE crew",
        "ALTER ROLE crew ADD MEMBER ann",
        "ALTER ROLE db_datareader ADD MEMBER seller",
        "CREATE SCHEMA sales AUTHORIZATION dbo",
        "CREATE TABLE sales.orders (id int NOT NULL, total int NULL, note nvarchar(50) NULL)",
        "CREATE VIEW sales.totals AS SELECT id, total FROM sales.orders",
        "GRANT SELECT ON SCHEMA::sales TO crew",
        "DENY SELECT ON OBJECT::sales.orders TO ann",
        "GRANT SELECT ON OBJECT::sales.orders (note) TO ann",
        "GRANT IMPERSONATE ON USER::robot TO ann",
        "GRANT CONTROL ON OBJECT::sales.orders TO robot",
        "DENY UPDATE ON OBJECT::sales.orders TO seller",
        database="shop",
    )


@pytest.mark.proves("mssql", "access.inspect", "access.usable", "access.columns", by="a simulator")
def test_questions(private_mssql: PrivateMssql, at: At) -> None:
    server = private_mssql()
    shop(server)
    ws, target = at(server)
    told = access.explain(ws, target, principal="bob", action="select", object_=ORDERS)
    assert (told.allowed, told.usable) == (True, True)
    assert [hop.kind for hop in told.paths[0]] == ["implicit", "member", "predefined"]
    assert told.minimal_revoke == ("USE [shop];\nALTER ROLE [db_datareader] DROP MEMBER [seller];",)
    told = access.explain(ws, target, principal="ann", action="SELECT", object_=ORDERS)
    assert not told.allowed
    assert [block.kind for block in told.blocked_by] == ["deny", "chain", "not_become"]
    assert "view:shop.sales.totals (SELECT)" in told.blocked_by[1].summary
    what_if = "REVOKE SELECT ON OBJECT::sales.orders FROM ann"
    assert access.explain(ws, target, principal="ann", action="SELECT", object_=ORDERS, what_if=what_if).allowed
    ws, away = at(server, database="master")
    assert access.explain(ws, away, principal="ann", action="SELECT", object_=ORDERS, what_if=what_if).allowed
    who = access.who(ws, target, action="SELECT", object_=NOTE)
    assert {"ann", "bob", "own", "shop.robot"} <= {one.principal for one in who.holders}
    assert "eve" not in {one.principal for one in who.holders}
    report = access.access(ws, target, principal="ann")
    assert report.becomes == ("shop.robot",)
    assert {"shop.ann", "shop.crew", "shop.public", "public"} <= set(report.inherits)
    rows = list(access.matrix(ws, target, principals=["bob"], kinds=["table"]))
    assert ("bob", ORDERS, "SELECT", True, True) in rows
    assert not [row for row in rows if row[2] == "UPDATE"]


def test_what_a_server_became_is_the_difference(private_mssql: PrivateMssql, at: At, tmp_path: Path) -> None:
    server = private_mssql()
    shop(server)
    ws, target = at(server)
    before = access.snapshot(ws, target)
    (tmp_path / "before.json").write_bytes(msgspec.json.encode(before))
    again = access.load_snapshot(tmp_path / "before.json")
    assert again == before
    server.sql("ALTER ROLE db_owner ADD MEMBER seller", database="shop")
    found = compare(again, access.snapshot(ws, target), NOW)
    changed = {delta.principal: delta for delta in found.deltas}
    assert f"CONTROL on {ORDERS}" in changed["bob"].gains
    assert found.memberships == ("+ shop.seller in shop.db_owner (inherit, set)",)


@pytest.mark.parametrize("version", ["13.0.7000.1", "16.0.4135.4"])
def test_the_servers_own_answers_agree(version: str, private_mssql: PrivateMssql, at: At) -> None:
    server = private_mssql(version=version)
    shop(server)
    ws, target = at(server)
    report = access.audit(ws, target, self_check=600)
    assert report.disagreements == ()
    assert report.checked > 100
    assert report.databases_missing == {}


def test_an_audit_finds_bad_habits(private_mssql: PrivateMssql, at: At) -> None:
    server = private_mssql()
    shop(server)
    server.sql(
        "ALTER DATABASE shop SET TRUSTWORTHY ON",
        "ALTER AUTHORIZATION ON DATABASE::shop TO sa",
        "ALTER SERVER ROLE securityadmin ADD MEMBER ann",
        "GRANT CONTROL SERVER TO bob",
        "CREATE LOGIN gone WITH PASSWORD = N'gone', CHECK_POLICY = OFF",
    )
    server.sql(
        "CREATE USER lost FOR LOGIN gone",
        "GRANT CONNECT TO guest",
        "GRANT SELECT ON OBJECT::sales.orders TO public",
        "CREATE APPLICATION ROLE till WITH PASSWORD = N'x-1-y-2-Z'",
        database="shop",
    )
    ws, target = at(server)
    found = {one.id.removeprefix("ms.access."): one for one in access.audit(ws, target).findings}
    assert found["weak_password"].severity is Severity.CRITICAL
    wanted = {"sa", "trustworthy", "securityadmin", "control_server", "guest", "public_objects", "application_role"}
    assert wanted <= found.keys()
    server.sql("DROP LOGIN gone")
    found = {one.id.removeprefix("ms.access."): one for one in access.audit(ws, target).findings}
    assert found["orphaned"].principal == "shop.lost"
    assert "weak_password" not in found


def test_who_may_see_little_is_told_what_is_missing(private_mssql: PrivateMssql, at: At) -> None:
    server = private_mssql()
    shop(server)
    ws, target = at(server, "ann")
    found: AccessSnapshot = access.snapshot(ws, target)
    assert found.kinds_missing["login"].reason == "hidden_rows"
    assert found.databases_missing["shop"].reason == "hidden_rows"
    unknown = {one.id for one in access.audit(ws, target).unknown}
    assert {"ms.access.weak_password", "ms.access.orphaned"} <= unknown


def test_members_of_groups_are_asked_of_windows(private_mssql: PrivateMssql, at: At) -> None:
    server = private_mssql()
    shop(server)
    set_members(server.instance, "DOM\\staff", "DOM\\zoe", "DOM\\inner*")
    server.instance.windows |= {"dom\\staff": "G", "dom\\dark": "G"}
    server.sql("CREATE LOGIN [DOM\\staff] FROM WINDOWS", "CREATE LOGIN [DOM\\dark] FROM WINDOWS")
    server.sql("CREATE USER [DOM\\staff]", "ALTER ROLE db_datareader ADD MEMBER [DOM\\staff]", database="shop")
    ws, target = at(server)
    assert access.explain(ws, target, principal="DOM\\zoe", action="SELECT", object_=ORDERS).allowed
    found = access.audit(ws, target).findings
    unknown = {one.principal for one in found if one.id == "ms.access.group_members"}
    assert unknown == {"DOM\\staff", "DOM\\dark"}  # one has a group inside, Windows does not know the other


def test_code_is_followed_as_far_as_it_is_shown(private_mssql: PrivateMssql, at: At) -> None:
    server = private_mssql()
    shop(server)
    server.sql("GRANT CONNECT ANY DATABASE TO ops")
    ws, target = at(server, "eve")
    found = access.snapshot(ws, target)
    view = found.objects[find(found, "view:shop.sales.totals")]
    assert "unread" in view.flags
    assert found.databases_missing == {}
    whole = access.snapshot(*at(server))
    [reads] = whole.objects[find(whole, "view:shop.sales.totals")].reads
    assert whole.objects[reads.object].path == ("shop", "sales", "orders")


@pytest.mark.proves("mssql", "access.row_security", by="a simulator")
def test_policies_that_are_on_limit_everybody(private_mssql: PrivateMssql, at: At) -> None:
    server = private_mssql()
    shop(server)
    [(orders,)] = server.sql("SELECT object_id FROM sys.tables WHERE name = N'orders'", database="shop")
    policy = {"name": "mine", "object_id": 7, "schema_id": 1, "type": "SP", "is_enabled": True}
    predicate = {"object_id": 7, "security_predicate_id": 1, "target_object_id": orders}
    server.instance.set_rows("sys.security_policies", [policy], database="shop")
    server.instance.set_rows("sys.security_predicates", [predicate], database="shop")
    ws, target = at(server)
    [limit] = access.explain(ws, target, principal="own", action="SELECT", object_=ORDERS).limits
    assert limit.startswith("row-level security")
    server.instance.set_rows("sys.security_policies", [{**policy, "is_enabled": False}], database="shop")
    assert access.explain(ws, target, principal="own", action="SELECT", object_=ORDERS).limits == ()
