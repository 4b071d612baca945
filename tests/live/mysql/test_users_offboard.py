"""Accounts that go: sessions end, what runs with their rights goes on, and they are dropped or stay locked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pymysql
import pytest

from dbops.config import Config
from dbops.errors import UsageError
from dbops.operations import plans, users
from dbops.operations.workspace import Workspace
from dbops.state import State
from dbops.testing.servers import Database


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(Config(), state=State(tmp_path / "state", clock=lambda: datetime.now(UTC)))


def connect(database: Database, user: str) -> pymysql.Connection[pymysql.cursors.Cursor]:
    return pymysql.connect(
        host="127.0.0.1", port=database.server.port, user=user, password="x", database=database.name, autocommit=True
    )


def accounts(database: Database, user: str = "alice") -> list[str]:
    return [host for (host,) in database.sql(f"SELECT Host FROM mysql.user WHERE User = '{user}' ORDER BY Host")]


def prepared(database: Database) -> None:
    """Nobody of another name shadows them: two accounts from wherever a test comes from."""
    database.sql(
        "CREATE TABLE t (i int); CREATE USER alice@'%' IDENTIFIED BY 'x', alice@localhost IDENTIFIED BY 'x',"
        " heir@'%' IDENTIFIED BY 'x', bob@'%' IDENTIFIED BY 'x', bob@localhost IDENTIFIED BY 'x'"
    )
    for who in ("alice@'%'", "alice@localhost", "heir@'%'", "bob@'%'", "bob@localhost"):
        database.sql(f"GRANT ALL ON `{database.name}`.* TO {who}")


def test_sessions_end_and_the_accounts_go(mysql_database: Database, ws: Workspace) -> None:
    prepared(mysql_database)
    session, other = connect(mysql_database, "alice"), connect(mysql_database, "bob")
    made = users.offboard(ws, mysql_database.url(), "alice")
    steps = users.result(made).steps
    assert [step.summary.partition(" ")[0] for step in steps] == ["lock", "lock", "end", "end", "drop", "drop"]
    plans.apply(ws, made).raise_for_status()
    with pytest.raises(pymysql.MySQLError):
        session.query("SELECT 1")
    other.query("SELECT 1")
    assert accounts(mysql_database) == []
    with pytest.raises(pymysql.MySQLError):
        connect(mysql_database, "alice")


def test_one_account_of_several(mysql_database: Database, ws: Workspace) -> None:
    prepared(mysql_database)
    plans.apply(ws, users.offboard(ws, mysql_database.url(), "'alice'@'localhost'")).raise_for_status()
    assert accounts(mysql_database) == ["%"]


def test_a_role_goes(mysql_database: Database, ws: Workspace) -> None:
    mysql_database.sql("CREATE ROLE crew; CREATE USER alice@'%'; GRANT crew TO alice@'%'")
    plans.apply(ws, users.offboard(ws, mysql_database.url(), "crew")).raise_for_status()
    assert accounts(mysql_database, "crew") == []
    assert accounts(mysql_database) == ["%"]


def test_views_and_events_go_on_with_the_rights_of_the_heir(mysql_database: Database, ws: Workspace) -> None:
    prepared(mysql_database)
    db = mysql_database.name
    mysql_database.sql(
        "INSERT INTO t VALUES (1);"
        "CREATE ALGORITHM = MERGE DEFINER = alice@'%' SQL SECURITY DEFINER VIEW `v``1` (`a b`) AS"
        " SELECT i FROM t WHERE i > 0 WITH LOCAL CHECK OPTION;"
        "CREATE DEFINER = alice@localhost SQL SECURITY INVOKER VIEW v2 AS SELECT i FROM t;"
        "CREATE DEFINER = alice@'%' EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1"
    )
    mysql_database.sql(f"GRANT SELECT ON {db}.`v``1` TO bob@'%'")
    with pytest.raises(UsageError) as raised:
        users.offboard(ws, mysql_database.url(), "alice")
    assert "2 object(s) run with the rights of 'alice'@'%', 'alice'@'localhost', and would fail" in raised.value.message
    assert "--reassign-to" in raised.value.hint
    made = users.offboard(ws, mysql_database.url(), "alice", heir="heir")
    plans.apply(ws, made).raise_for_status()
    assert accounts(mysql_database) == []
    found = mysql_database.sql(
        "SELECT DEFINER, SECURITY_TYPE, CHECK_OPTION FROM information_schema.VIEWS"
        f" WHERE TABLE_SCHEMA = '{db}' AND TABLE_NAME = 'v`1'"
    )
    assert found == [("heir@%", "DEFINER", "LOCAL")]
    assert mysql_database.sql("SELECT `a b` FROM `v``1`") == [(1,)]
    assert mysql_database.sql(f"SELECT Table_priv FROM mysql.tables_priv WHERE Db = '{db}'") == [("Select",)]
    assert mysql_database.sql(f"SELECT DEFINER, STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '{db}'") == [
        ("heir@%", "DISABLED")
    ]


def test_what_no_statement_gives_to_another_keeps_the_account_locked(mysql_database: Database, ws: Workspace) -> None:
    """It goes on to run, nobody can log in, and once it is made again the account goes."""
    prepared(mysql_database)
    db = mysql_database.name
    mysql_database.sql(
        "CREATE DEFINER = alice@'%' FUNCTION p() RETURNS int DETERMINISTIC NO SQL RETURN 7;"
        "CREATE DEFINER = alice@'%' TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.i = NEW.i + 1;"
        "CREATE DEFINER = alice@'%' VIEW back AS SELECT 'a\\\\\\\\b' AS x"
    )
    made = users.offboard(ws, mysql_database.url(), "alice", heir="heir")
    [kept] = [one.summary for one in users.result(made).steps if one.summary.startswith("keep ")]
    for name in (f"function:{db}.p", f"trigger:{db}.g", f"view:{db}.back"):
        assert name in kept
    plans.apply(ws, made).raise_for_status()
    assert accounts(mysql_database) == ["%"]
    with pytest.raises(pymysql.MySQLError):
        connect(mysql_database, "alice")
    assert mysql_database.sql("SELECT p()") == [(7,)]
    mysql_database.sql("INSERT INTO t VALUES (1); DROP FUNCTION p; DROP TRIGGER g; DROP VIEW back")
    assert mysql_database.sql("SELECT i FROM t") == [(2,)]
    plans.apply(ws, users.offboard(ws, mysql_database.url(), "alice", heir="heir")).raise_for_status()
    assert accounts(mysql_database) == []


@pytest.mark.mysql(family="mariadb")
def test_a_role_is_not_left_without_an_administrator(mysql_database: Database, ws: Workspace) -> None:
    mysql_database.sql("CREATE USER alice@'%', heir@'%'; CREATE ROLE crew WITH ADMIN alice@'%'; CREATE ROLE other")
    with pytest.raises(UsageError, match="nobody but 'alice'@'%' may pass on the role crew"):
        users.offboard(ws, mysql_database.url(), "alice")
    mysql_database.sql("GRANT other TO alice@'%' WITH ADMIN OPTION")
    steps = users.result(users.offboard(ws, mysql_database.url(), "alice", heir="heir")).steps
    assert "GRANT `crew` TO `heir`@`%` WITH ADMIN OPTION" in [step.sql for step in steps]
    assert not [step.sql for step in steps if "`other`" in step.sql]


@pytest.mark.parametrize(
    ("name", "heir", "message"),
    [
        ("root", "", "is the login in use"),
        ("nobody", "", "there is no principal 'nobody'"),
        ("'alice'@'%'", "'alice'@'%'", "cannot take over from itself"),
        ("alice", "nobody", "there is no principal 'nobody'"),
    ],
)
def test_who_cannot_go(mysql_database: Database, ws: Workspace, name: str, heir: str, message: str) -> None:
    mysql_database.sql("CREATE USER alice@'%', alice@localhost")
    with pytest.raises(UsageError, match=message):
        users.offboard(ws, mysql_database.url(), name, heir=heir)


def test_the_server_s_own_cannot_go(mysql_database: Database, ws: Workspace) -> None:
    own = "mariadb.sys" if "MariaDB" in str(mysql_database.sql("SELECT VERSION()")) else "mysql.sys"
    with pytest.raises(UsageError, match="is the server's own"):
        users.offboard(ws, mysql_database.url(), own)
