"""Provisioning on real servers: accounts that log in, accounts that go, two runs at once, and specs that are wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pymysql
import pytest

from dbops.config import Config
from dbops.operations import users
from dbops.operations.workspace import Workspace
from dbops.plan import dump_plan
from dbops.state import State
from dbops.testing.servers import Database, ThrowawayServer


def workspace(place: Path) -> Workspace:
    return Workspace(Config(), state=State(place, clock=lambda: datetime.now(UTC)))


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return workspace(tmp_path / "state")


def spec(database: Database, body: str) -> str:
    return f"dbops: users/1\nmanage: {{principals: ['app_*', alice, bob], databases: [{database.name}]}}\n{body}\n"


def login(server: ThrowawayServer, user: str, password: str, database: str = "") -> bool:
    try:
        pymysql.connect(
            host="127.0.0.1", port=server.port, user=user, password=password.encode(), database=database or None
        ).close()
    except pymysql.MySQLError:
        return False
    return True


PASSWORDS = (
    "simple",
    "with space and 'quote' \\ % $ `",
    "pässwörd \u2168 \u00aa\u00a0",
    "x" * 200,
)


@pytest.mark.parametrize("password", PASSWORDS)
def test_an_account_logs_in_with_the_password_that_was_sealed_here(
    mysql_database: Database, ws: Workspace, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("ALICE", password)
    text = spec(mysql_database, "users: {alice: {password: env:ALICE}}")
    _, made = users.plan(ws, text, mysql_database.url())
    assert password not in dump_plan(made).decode()
    users.apply(ws, text, mysql_database.url())
    assert login(mysql_database.server, "alice", password)
    assert not login(mysql_database.server, "alice", password + "x")
    assert not login(mysql_database.server, "alice", "")


SHOP = """
CREATE TABLE orders (id int PRIMARY KEY, email text, status text, note text);
CREATE TABLE items (id int PRIMARY KEY);
CREATE VIEW open_orders AS SELECT id FROM orders;
CREATE FUNCTION total() RETURNS int DETERMINISTIC NO SQL RETURN 1;
CREATE PROCEDURE refresh() SELECT 1;
"""
BODY = """
profiles:
  support:
    - {{ object: "table:{db}.orders", can: [select], columns: [id, status] }}
    - {{ object: "table:{db}.orders", can: [update], columns: [status, note] }}
roles:
  app_read:
    grants:
      - {{ object: "table:{db}.*", can: [read] }}
  app_write:
    member_of: [app_read]
    grants:
      - {{ object: "database:{db}", can: [write], grantable: true }}
      - {{ object: "routine:{db}.total", can: [execute] }}
users:
  alice:
    member_of: [{{ role: app_write, admin: true }}]
    profiles: [support]
    hosts: ["%", 127.0.0.1]
    connection_limit: 5
    attributes: [require ssl]
    grants:
      - {{ object: "server", can: [process, reload] }}
      - {{ object: "pattern:{db}\\\\_%", can: [all] }}
  bob: {{ state: locked }}
"""


def test_one_apply_is_enough(mysql_database: Database, ws: Workspace) -> None:
    mysql_database.sql(SHOP)
    text = spec(mysql_database, BODY.format(db=mysql_database.name))
    answer, _ = users.plan(ws, text, mysql_database.url())
    assert answer.status == "drift"
    users.apply(ws, text, mysql_database.url())
    again, _ = users.plan(ws, text, mysql_database.url())
    assert [step.sql for step in again.steps] == []
    assert again.status == "in_sync"
