"""Provisioning on real servers: accounts that log in, accounts that go, two runs at once, and specs that are wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pymysql
import pytest

from dbops import registry
from dbops.config import Config
from dbops.errors import DbopsError, InputError, Locked, StalePlan, Unsupported, UsageError
from dbops.operations import plans, users
from dbops.operations.workspace import Workspace
from dbops.plan import SecretRef, dump_plan, load_plan
from dbops.state import State
from dbops.testing.lend import Private
from dbops.testing.servers import Database, ThrowawayServer
from dbops_mysql.throwaway import MySQLServer


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


def test_a_password_nobody_chose(mysql_database: Database, ws: Workspace, tmp_path: Path) -> None:
    place = tmp_path / "alice"
    text = spec(
        mysql_database, f"users: {{alice: {{hosts: ['%', localhost], password: {{generate: 'file:{place}'}}}}}}"
    )
    users.apply(ws, text, mysql_database.url())
    assert place.stat().st_mode & 0o777 == 0o600
    assert login(mysql_database.server, "alice", place.read_text(encoding="utf-8").strip())
    assert users.plan(ws, text, mysql_database.url())[0].steps == ()


def test_an_account_without_a_password_lets_nobody_in(mysql_database: Database, ws: Workspace) -> None:
    """Where CREATE USER without one would let in everybody."""
    answer, _ = users.apply(ws, spec(mysql_database, "users: {alice: {}}"), mysql_database.url())
    assert "dbops users rotate sets one" in answer.steps[0].summary
    assert not login(mysql_database.server, "alice", "")


def test_a_locked_account_is_locked_and_opened_again(mysql_database: Database, ws: Workspace) -> None:
    mysql_database.sql("CREATE USER alice@'%' IDENTIFIED BY 'x', alice@localhost IDENTIFIED BY 'x'")
    users.apply(ws, spec(mysql_database, "users: {alice: {state: locked}}"), mysql_database.url())
    assert not login(mysql_database.server, "alice", "x")
    users.apply(ws, spec(mysql_database, "users: {alice: {hosts: ['%', localhost]}}"), mysql_database.url())
    assert login(mysql_database.server, "alice", "x")


@pytest.mark.proves("mysql", "users.rotate")
@pytest.mark.proves("mariadb", "users.rotate")
def test_rotating_the_password_of_all_accounts_of_a_user(
    mysql_database: Database, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    mysql_database.sql("CREATE USER alice@'%' IDENTIFIED BY 'old', alice@localhost IDENTIFIED BY 'old'")
    monkeypatch.setenv("NEW", "fresh'\\")
    made = users.rotate(ws, mysql_database.url(), "alice", SecretRef.parse("env:NEW"))
    assert "fresh" not in dump_plan(made).decode()
    plans.apply(ws, made).raise_for_status()
    server = mysql_database.server
    assert (login(server, "alice", "old"), login(server, "alice", "fresh'\\")) == (False, True)
    one = users.rotate(ws, mysql_database.url(), "'alice'@'%'", SecretRef.parse("env:NEW"))
    assert len(users.result(one).steps) == 1


@pytest.mark.proves("mysql", "users.two_passwords")
@pytest.mark.mysql(family="mysql")
def test_the_old_password_goes_on_until_it_is_discarded(
    mysql_database: Database, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    mysql_database.sql("CREATE USER alice@'%' IDENTIFIED BY 'old'")
    monkeypatch.setenv("NEW", "fresh")
    made = users.rotate(ws, mysql_database.url(), "alice", SecretRef.parse("env:NEW"), keep_old=True)
    plans.apply(ws, load_plan(dump_plan(made))).raise_for_status()
    server = mysql_database.server
    assert (login(server, "alice", "old"), login(server, "alice", "fresh")) == (True, True)
    plans.apply(ws, users.discard(ws, mysql_database.url(), "alice")).raise_for_status()
    assert (login(server, "alice", "old"), login(server, "alice", "fresh")) == (False, True)


@pytest.mark.mysql(family="mariadb")
def test_where_there_is_no_second_password(mysql_database: Database, ws: Workspace) -> None:
    mysql_database.sql("CREATE USER alice@'%' IDENTIFIED BY 'old'")
    with pytest.raises(Unsupported, match="an account has one password"):
        users.rotate(ws, mysql_database.url(), "alice", SecretRef.parse("env:NEW"), keep_old=True)


def test_an_empty_password_is_refused_before_the_account_is_there(
    mysql_database: Database, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NONE", "")
    text = spec(mysql_database, "roles: {app_read: {}}\nusers: {alice: {password: env:NONE}}")
    with pytest.raises(DbopsError, match="NONE is empty") as caught:
        users.apply(ws, text, mysql_database.url())
    assert caught.value.hint == "Set NONE before running dbops."
    assert mysql_database.sql("SELECT User FROM mysql.user WHERE User IN ('alice', 'app_read')") == []


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


def test_an_export_plans_to_nothing(mysql_database: Database, ws: Workspace) -> None:
    mysql_database.sql(SHOP)
    users.apply(ws, spec(mysql_database, BODY.format(db=mysql_database.name)), mysql_database.url())
    mysql_database.sql("CREATE USER ''@'10.9.%'; GRANT SELECT ON orders TO ''@'10.9.%'")
    exported = users.export(ws, mysql_database.url())
    assert f"database:{mysql_database.name}" in exported
    assert "root" not in exported
    answer, _ = users.plan(ws, exported, mysql_database.url())
    assert [step.sql for step in answer.steps] == []
    assert any("''@'10.9.%' lets in whoever comes from there" in note for note in answer.notes)
    without = users.export(ws, mysql_database.server.url(), principals=["alice", "app_*"])
    assert users.plan(ws, without, mysql_database.server.url())[0].steps == ()


def test_a_second_run_is_turned_away(mysql_database: Database, ws: Workspace, tmp_path: Path) -> None:
    """Even from another machine: the lock is the server's."""
    server = mysql_database.server
    holder = pymysql.connect(host="127.0.0.1", port=server.port, user="root", password=server.password)
    with holder, holder.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID(), GET_LOCK('dbops.users', 0)")
        [(number, _)] = cursor.fetchall()
        with pytest.raises(Locked) as raised:
            users.apply(workspace(tmp_path / "other"), spec(mysql_database, "users: {alice: {}}"), mysql_database.url())
    assert raised.value.code == 75
    assert f"another run of dbops users is at work: session {number}" in raised.value.message
    users.apply(ws, spec(mysql_database, "users: {alice: {}}"), mysql_database.url())


def test_a_saved_plan_is_carried_out_only_while_it_is_true(mysql_database: Database, ws: Workspace) -> None:
    _, made = users.plan(ws, spec(mysql_database, "users: {alice: {}}"), mysql_database.url())
    saved = load_plan(dump_plan(made))
    mysql_database.sql("CREATE USER alice@'%' REQUIRE SSL")
    with pytest.raises(StalePlan):
        plans.apply(ws, saved)
    mysql_database.sql("DROP USER alice@'%'")
    plans.apply(ws, saved).raise_for_status()
    assert mysql_database.sql("SELECT Host FROM mysql.user WHERE User = 'alice'") == [("%",)]


def test_only_what_is_managed_is_touched(mysql_database: Database, ws: Workspace) -> None:
    db = mysql_database.name
    mysql_database.sql("CREATE TABLE t (i int); CREATE USER stranger@'%', app_old@'%', alice@'%', alice@'10.0.0.%'")
    for who in ("stranger@'%'", "app_old@'%'", "alice@'%'", "alice@'10.0.0.%'"):
        mysql_database.sql(f"GRANT SELECT ON {db}.t TO {who}")
    answer, _ = users.apply(ws, spec(mysql_database, "users: {alice: {}}"), mysql_database.url())
    assert "'app_old'@'%': managed and not in the spec, left alone (state: absent removes it)" in answer.notes
    assert "'alice'@'10.0.0.%': managed and not in the spec, left alone (state: absent removes it)" in answer.notes
    left = mysql_database.sql(f"SELECT User, Host FROM mysql.tables_priv WHERE Db = '{db}' ORDER BY User")
    assert left == [("alice", "10.0.0.%"), ("app_old", "%"), ("stranger", "%")]


def test_an_absent_account_goes_with_its_rights(mysql_database: Database, ws: Workspace) -> None:
    mysql_database.sql("CREATE USER alice@'%', alice@localhost; GRANT SELECT ON *.* TO alice@'%'")
    text = spec(mysql_database, "users: {alice: {state: absent}}")
    answer, _ = users.apply(ws, text, mysql_database.url())
    assert [step.risk for step in answer.steps] == ["destructive", "destructive"]
    assert mysql_database.sql("SELECT 1 FROM mysql.user WHERE User = 'alice'") == []
    assert users.plan(ws, text, mysql_database.url())[0].steps == ()


def test_an_absent_account_that_something_runs_as_is_refused(mysql_database: Database, ws: Workspace) -> None:
    mysql_database.sql("CREATE USER alice@'%'; CREATE DEFINER = alice@'%' VIEW v AS SELECT 1 AS one")
    with pytest.raises(InputError) as raised:
        users.plan(
            ws, spec(mysql_database, "users: {alice: {state: absent}}"), mysql_database.url(), origin="spec.yaml"
        )
    where = f"view:{mysql_database.name}.v runs with its rights"
    assert f"spec.yaml:3: \"'alice'@'%'\" cannot be dropped yet: {where}" in raised.value.message
    assert "offboard" in raised.value.hint


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("users: {alice: {member_of: [app_nobody]}}", "there is no role"),
        ("users: {carol: {}}", "spec:3: \"'carol'@'%'\" is not among manage.principals"),
        ("roles: {app_a: {member_of: [app_b]}, app_b: {member_of: [app_a]}}", "a circle of memberships"),
        (
            "users: {alice: {grants: [{object: 'table:DB.nothing', can: [select]}]}}",
            "spec:3: there is no object table:DB.nothing",
        ),
        (
            "users: {alice: {grants: [{object: 'routine:DB.nothing', can: [execute]}]}}",
            "spec:3: there is no object routine:DB.nothing",
        ),
    ],
)
def test_a_spec_that_cannot_be_is_refused_with_its_line(
    mysql_database: Database, ws: Workspace, body: str, message: str
) -> None:
    with pytest.raises(InputError) as raised:
        users.plan(ws, spec(mysql_database, body.replace("DB", mysql_database.name)), mysql_database.url())
    assert message.replace("DB", mysql_database.name) in raised.value.message


def test_what_happens_by_the_way_says_which_step_it_was(mysql_database: Database, ws: Workspace) -> None:
    """A column that is not there is known by the server alone; what was done before it stays, and is finished later."""
    mysql_database.sql("CREATE TABLE t (i int)")
    grant = f"{{object: 'table:{mysql_database.name}.t', can: [select], columns: [COLUMN]}}"
    text = spec(mysql_database, f"users: {{alice: {{grants: [{grant}]}}}}")
    with pytest.raises(DbopsError, match=r"grant SELECT on column:.*Unknown column 'nope'") as caught:
        users.apply(ws, text.replace("COLUMN", "nope"), mysql_database.url())
    assert caught.value.hint == "Of 2 statements 1 were carried out and stay; another run does the rest."
    users.apply(ws, text.replace("COLUMN", "i"), mysql_database.url())
    assert users.plan(ws, text.replace("COLUMN", "i"), mysql_database.url())[0].steps == ()


def test_the_users_login_provisions_without_being_root(mysql_database: Database, ws: Workspace) -> None:
    db, server = mysql_database.name, mysql_database.server
    assert isinstance(server, MySQLServer)
    mysql_database.sql(SHOP)
    server.login("provisioner")
    backend = registry.backend(server.engine)
    mysql_database.sql(backend.grants(["users"], "'provisioner'@'localhost'", server.version))
    mysql_database.sql(f"GRANT ALL ON {db}.* TO provisioner@localhost WITH GRANT OPTION")
    url = server.url("provisioner", db)
    text = spec(
        mysql_database,
        f"""
roles: {{app_read: {{grants: [{{object: 'table:{db}.*', can: [read], future: true}}]}}}}
users:
  alice:
    member_of: [app_read]
    grants: [{{object: 'table:{db}.orders', can: [update], columns: [status]}}]
""",
    )
    answer, _ = users.apply(ws, text, url)
    assert f"spec:4: table:{db}.* with its future objects is granted on the database {db}" in answer.notes
    assert users.plan(ws, text, url)[0].steps == ()
    less = spec(mysql_database, "roles: {app_read: {}}\nusers: {alice: {}}")
    users.apply(ws, less, url)
    assert users.plan(ws, less, url)[0].steps == ()
    plans.apply(ws, users.offboard(ws, url, "alice")).raise_for_status()
    assert mysql_database.sql("SELECT 1 FROM mysql.user WHERE User = 'alice'") == []


def test_a_replica_takes_no_changes(private_mysql: Private, ws: Workspace) -> None:
    server = private_mysql(read_only="ON")
    with pytest.raises(Unsupported, match="the server is read only: use its source"):
        users.plan(ws, "dbops: users/1\nmanage: {principals: [alice]}\n", server.url())


def test_a_server_that_asks_nobody_is_refused(private_mysql: Private, ws: Workspace) -> None:
    server = private_mysql(skip_grant_tables="ON")
    assert isinstance(server, MySQLServer)
    url = f"{server.engine}://root@/?unix_socket={server.socket}"
    with pytest.raises(UsageError, match="started with skip-grant-tables"):
        users.plan(ws, "dbops: users/1\nmanage: {principals: [alice]}\n", url)
