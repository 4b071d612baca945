"""Questions about one principal, asked of real servers the way a person writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbops.config import Config
from dbops.errors import UsageError
from dbops.operations import access
from dbops.operations.workspace import Workspace
from dbops.state import State
from dbops.testing.servers import Database
from dbops_mysql.quoting import identifier


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(Config(), state=State(tmp_path / "state", clock=lambda: datetime.now(UTC)))


@pytest.fixture
def shop(mysql_database: Database) -> Database:
    name = identifier(mysql_database.name)
    mysql_database.sql(
        "CREATE TABLE orders (id int PRIMARY KEY);"
        "CREATE USER gina@'10.%', gina@'10.1.%';"
        f"GRANT SELECT ON {name}.* TO gina@'10.%';"
        f"GRANT INSERT ON {name}.orders TO gina@'10.1.%'"
    )
    return mysql_database


def test_a_user_from_one_host_has_the_rows_that_match_her(shop: Database, ws: Workspace) -> None:
    orders = f"table:{shop.name}.orders"
    near = access.explain(ws, shop.url(), principal="gina@10.1.2.3", action="select", object_=orders)
    assert near.usable
    assert near.principal == "'gina'@'10.1.2.3'"
    assert access.explain(ws, shop.url(), principal="gina@10.1.2.3", action="insert", object_=orders).usable
    assert not access.explain(ws, shop.url(), principal="gina@10.2.0.1", action="insert", object_=orders).allowed
    report = access.access(ws, shop.url(), principal="gina@10.2.0.1")
    assert (orders, "SELECT") in {(row.object, row.action) for row in report.rows}


def test_a_session_is_asked_about_a_change_that_nobody_made(shop: Database, ws: Workspace) -> None:
    supposed = f"REVOKE SELECT ON {identifier(shop.name)}.* FROM gina@'10.%'"
    answer = access.explain(
        ws,
        shop.url(),
        principal="gina@10.1.2.3",
        action="select",
        object_=f"table:{shop.name}.orders",
        what_if=supposed,
    )
    assert not answer.allowed


def test_a_host_from_which_no_account_lets_her_in(shop: Database, ws: Workspace) -> None:
    with pytest.raises(UsageError, match=r"no account lets 'gina' in from 192\.0\.2\.1"):
        access.access(ws, shop.url(), principal="gina@192.0.2.1")


def test_a_user_of_several_accounts_is_no_answer(shop: Database, ws: Workspace) -> None:
    with pytest.raises(UsageError, match="gina could be several principals") as raised:
        access.access(ws, shop.url(), principal="gina")
    assert raised.value.hint == "Write one of: 'gina'@'10.%'; 'gina'@'10.1.%'."


@pytest.mark.mysql(family="mysql")
@pytest.mark.parametrize("action", ["backup_admin", "BACKUP ADMIN", "BACKUP_ADMIN"])
def test_a_privilege_with_an_underscore_has_a_name(shop: Database, ws: Workspace, action: str) -> None:
    shop.sql("GRANT BACKUP_ADMIN ON *.* TO gina@'10.%'")
    answer = access.explain(ws, shop.url(), principal="gina@10.%", action=action, object_="server")
    assert answer.usable
    assert answer.action == "BACKUP_ADMIN"
