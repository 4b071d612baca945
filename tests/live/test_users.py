"""Provisioning on real servers: accounts that log in, accounts that go, two runs at once, and specs that are wrong."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from dbops.config import Config
from dbops.errors import DbopsError, InputError, Locked, StalePlan, UsageError
from dbops.operations import access, plans, users
from dbops.operations.workspace import Workspace
from dbops.plan import SecretRef, dump_plan, load_plan
from dbops.state import State
from dbops.testing.servers import Database


def workspace(place: Path) -> Workspace:
    return Workspace(Config(), state=State(place, clock=lambda: datetime.now(UTC)))


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return workspace(tmp_path / "state")


def spec(database: Database, body: str) -> str:
    return f"dbops: users/1\nmanage: {{principals: ['app_*', alice, bob], databases: [{database.name}]}}\n{body}\n"


def login(database: Database, name: str, password: str) -> bool:
    try:
        psycopg.connect(database.server.url(name, database.name, password=password)).close()
    except psycopg.OperationalError:
        return False
    return True


PASSWORDS = (
    "simple",
    "with space and 'quote' \\ % $",
    "pässwörd \u2168 \u00aa\u00a0",
    "\u0627\u0644\u0633\u0631",
    "\u00ad",
)


@pytest.mark.parametrize("password", PASSWORDS)
def test_an_account_logs_in_with_the_password_that_was_sealed_here(
    database: Database, ws: Workspace, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("ALICE", password)
    text = spec(database, "users: {alice: {password: env:ALICE}}")
    _, made = users.plan(ws, text, database.url())
    assert password not in dump_plan(made).decode()
    users.apply(ws, text, database.url())
    assert login(database, "alice", password)
    assert not login(database, "alice", password + "x")
    assert password not in database.server.log.read_text(encoding="utf-8", errors="replace") or password == "simple"


def test_a_password_nobody_chose(database: Database, ws: Workspace, tmp_path: Path) -> None:
    place = tmp_path / "alice"
    text = spec(database, f"users: {{alice: {{password: {{generate: 'file:{place}'}}}}}}")
    users.apply(ws, text, database.url())
    assert place.stat().st_mode & 0o777 == 0o600
    assert login(database, "alice", place.read_text(encoding="utf-8").strip())
    assert users.plan(ws, text, database.url())[0].steps == ()


def test_a_locked_account_is_locked_and_opened_again(database: Database, ws: Workspace) -> None:
    database.sql("CREATE ROLE alice LOGIN PASSWORD 'x'")
    users.apply(ws, spec(database, "users: {alice: {state: locked}}"), database.url())
    assert not login(database, "alice", "x")
    users.apply(ws, spec(database, "users: {alice: {}}"), database.url())
    assert login(database, "alice", "x")


@pytest.mark.proves("postgresql", "users.rotate")
def test_rotating_a_password(database: Database, ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql("CREATE ROLE alice LOGIN PASSWORD 'old'")
    monkeypatch.setenv("NEW", "fresh")
    made = users.rotate(ws, database.url(), "alice", SecretRef.parse("env:NEW"))
    assert "fresh" not in dump_plan(made).decode()
    plans.apply(ws, made).raise_for_status()
    assert (login(database, "alice", "old"), login(database, "alice", "fresh")) == (False, True)


def test_an_empty_password_is_refused_and_nothing_is_done(
    database: Database, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", " ")
    monkeypatch.setenv("NONE", "")
    with pytest.raises(DbopsError):
        users.apply(ws, spec(database, "users: {bob: {}, alice: {password: env:NONE}}"), database.url())
    assert database.sql("SELECT 1 FROM pg_roles WHERE rolname IN ('alice', 'bob')") == []


def test_only_what_is_managed_is_touched(database: Database, ws: Workspace) -> None:
    database.sql("CREATE TABLE t (i int); CREATE ROLE stranger; CREATE ROLE app_old; CREATE ROLE alice")
    database.sql("GRANT SELECT ON t TO stranger, app_old, alice; GRANT stranger TO app_old")
    answer, _ = users.apply(ws, spec(database, "users: {alice: {}}"), database.url())
    assert "app_old: managed and not in the spec, left alone (state: absent removes it)" in answer.notes
    assert database.sql("SELECT has_table_privilege('stranger', 't', 'SELECT')") == [(True,)]
    assert database.sql("SELECT has_table_privilege('app_old', 't', 'SELECT')") == [(True,)]
    assert database.sql("SELECT has_table_privilege('alice', 't', 'SELECT')") == [(False,)]


def test_an_absent_account_goes_when_nothing_of_it_is_left_elsewhere(database: Database, ws: Workspace) -> None:
    database.sql("CREATE TABLE t (i int); CREATE ROLE alice LOGIN; CREATE ROLE bob; GRANT SELECT ON t TO alice")
    database.sql("GRANT bob TO alice")
    text = spec(database, "users: {alice: {state: absent}}")
    answer, _ = users.apply(ws, text, database.url())
    assert answer.steps[-1].risk == "destructive"
    assert database.sql("SELECT 1 FROM pg_roles WHERE rolname = 'alice'") == []
    assert users.plan(ws, text, database.url())[0].steps == ()


def test_an_absent_account_that_owns_something_is_refused(database: Database, ws: Workspace) -> None:
    database.sql("CREATE ROLE alice; CREATE TABLE t (i int); ALTER TABLE t OWNER TO alice")
    with pytest.raises(InputError) as raised:
        users.plan(ws, spec(database, "users: {alice: {state: absent}}"), database.url(), origin="spec.yaml")
    assert f"spec.yaml:3: 'alice' cannot be dropped yet: it owns table:{database.name}.public.t" in raised.value.message
    assert "offboard" in raised.value.hint


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("users: {alice: {member_of: [app_nobody]}}", "spec:3: there is no role 'app_nobody', here or on the server"),
        ("users: {carol: {}}", "spec:3: 'carol' is not among manage.principals"),
        (
            "users: {alice: {member_of: [bob]}, bob: {member_of: [alice]}}",
            "spec:3: a circle of memberships: alice → bob → alice",
        ),
        ("users: {alice: {member_of: [alice]}}", "a circle of memberships: alice → alice"),
        ("users: {alice: {member_of: [bob]}, bob: {state: absent}}", "spec:3: the role 'bob' shall be absent"),
        (
            "users: {alice: {grants: [{object: 'table:DB.public.nothing', can: [select]}]}}",
            "spec:3: there is no object table:DB.public.nothing",
        ),
        ("users: {alice: {owns: ['table:DB.public.nothing']}}", "spec:3: there is no object table:DB.public.nothing"),
        (
            "users: {alice: {grants: [{object: 'table:DB.nowhere.*', can: [select], future: true}]}}",
            "spec:3: there is no schema:DB.nowhere",
        ),
        (
            "users: {alice: {grants: [{object: 'table:DB.public.*', can: [read], future: true, creators: [nobody]}]}}",
            "spec:3: there is no role 'nobody' to create anything",
        ),
        (
            "roles: {app_a: {owns: ['schema:DB.public']}, app_b: {owns: ['schema:DB.public']}}",
            "schema:DB.public shall also be owned by 'app_a' (spec:3)",
        ),
        ("users: {alice: {}, alice: {}}", "spec:3: the key 'alice' is there twice, first in line 3"),
    ],
)
def test_a_spec_that_cannot_be_is_refused_with_its_line(
    database: Database, ws: Workspace, body: str, message: str
) -> None:
    with pytest.raises(InputError) as raised:
        users.plan(ws, spec(database, body.replace("DB", database.name)), database.url())
    assert message.replace("DB", database.name) in raised.value.message


def test_a_failing_statement_leaves_nothing_half_done(database: Database, ws: Workspace) -> None:
    database.sql("CREATE TABLE t (i int)")
    text = spec(
        database,
        f"users: {{alice: {{grants: [{{object: 'table:{database.name}.public.t', can: [select], columns: [nope]}}]}}}}",
    )
    with pytest.raises(DbopsError, match='column "nope"'):
        users.apply(ws, text, database.url())
    assert database.sql("SELECT 1 FROM pg_roles WHERE rolname = 'alice'") == []


def test_a_second_run_is_turned_away(database: Database, ws: Workspace, tmp_path: Path) -> None:
    """Even from another machine: the lock is the server's."""
    with psycopg.connect(database.server.url()) as held:
        held.execute("SELECT pg_advisory_lock(431148200051)")
        with pytest.raises(Locked) as raised:
            users.apply(workspace(tmp_path / "other"), spec(database, "users: {alice: {}}"), database.url())
    assert raised.value.code == 75
    assert "another run of dbops users is at work: process" in raised.value.message
    users.apply(ws, spec(database, "users: {alice: {}}"), database.url())


def test_changing_the_same_rows_at_once_is_tried_again(database: Database, tmp_path: Path) -> None:
    """Somebody else's grants on the same object: "tuple concurrently updated" is no reason to give up."""
    database.sql("CREATE TABLE t (i int); CREATE ROLE bob")
    stop = threading.Event()

    def disturb() -> None:
        with psycopg.connect(database.url(), autocommit=True) as connection:
            while not stop.is_set():
                try:
                    connection.execute("GRANT SELECT ON t TO bob")
                    connection.execute("REVOKE SELECT ON t FROM bob")
                except psycopg.errors.InternalError:
                    continue

    other = threading.Thread(target=disturb, daemon=True)
    other.start()
    grant = f"[{{object: 'table:{database.name}.public.t', can: [select, insert, update]}}]"
    try:
        for number in range(6):
            ws = workspace(tmp_path / str(number))
            body = f"roles: {{app_a: {{grants: {grant if number % 2 else '[]'}}}}}"
            users.apply(ws, spec(database, body), database.url())
    finally:
        stop.set()
        other.join(60)
    assert database.sql("SELECT has_table_privilege('app_a', 't', 'UPDATE')") == [(True,)]


def test_a_saved_plan_is_carried_out_only_while_it_is_true(database: Database, ws: Workspace) -> None:
    _, made = users.plan(ws, spec(database, "users: {alice: {}}"), database.url())
    saved = load_plan(dump_plan(made))
    database.sql("CREATE ROLE alice LOGIN CREATEDB")
    with pytest.raises(StalePlan) as raised:
        plans.apply(ws, saved)
    assert "- " in raised.value.message
    database.sql("DROP ROLE alice")
    plans.apply(ws, saved).raise_for_status()
    assert database.sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'alice'") == [(True,)]


# -- offboard ---------------------------------------------------------------------------------------------------------


def test_offboarding_leaves_nothing_and_takes_nothing_from_others(database: Database, ws: Workspace) -> None:
    other = f"{database.name}_other"
    database.server.sql(f"CREATE DATABASE {other}")
    try:
        database.sql("CREATE ROLE alice LOGIN PASSWORD 'x'; CREATE ROLE bob; CREATE ROLE heir; CREATE ROLE team")
        database.sql("CREATE TABLE t (i int); CREATE TABLE mine (i int); ALTER TABLE mine OWNER TO alice")
        database.sql("GRANT SELECT ON t TO alice WITH GRANT OPTION; GRANT team TO alice WITH ADMIN OPTION")
        database.sql("SET ROLE alice; GRANT SELECT ON t TO bob; GRANT team TO bob; RESET ROLE")
        database.sql("ALTER DEFAULT PRIVILEGES FOR ROLE alice GRANT SELECT ON TABLES TO bob")
        database.sql("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO alice")
        database.server.sql(f"GRANT CREATE ON DATABASE {other} TO alice")
        database.server.sql("CREATE TABLE there (i int); ALTER TABLE there OWNER TO alice", database=other)
        session = psycopg.connect(database.server.url("alice", database.name, password="x"))
        with pytest.raises(UsageError) as raised:
            users.offboard(ws, database.url(), "alice")
        assert "'alice' owns 2 object(s)" in raised.value.message
        assert "--reassign-to" in raised.value.hint
        made = users.offboard(ws, database.url(), "alice", heir="heir")
        plans.apply(ws, made).raise_for_status()
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
        assert database.sql("SELECT 1 FROM pg_roles WHERE rolname = 'alice'") == []
        assert database.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'mine'") == [("heir",)]
        assert database.server.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'there'", database=other) == [
            ("heir",)
        ]
        assert database.sql("SELECT has_table_privilege('bob', 't', 'SELECT')") == [(True,)]
        assert database.sql("SELECT pg_has_role('bob', 'team', 'MEMBER')") == [(True,)]
    finally:
        database.server.sql(f"DROP DATABASE {other} WITH (FORCE)")


@pytest.mark.parametrize("place", ["here", "elsewhere"])
def test_nothing_of_any_kind_is_dropped_with_its_owner(database: Database, ws: Workspace, place: str) -> None:
    """An access snapshot lists no text search configurations, yet DROP OWNED takes them."""
    database.sql(
        "CREATE ROLE alice; CREATE ROLE heir; CREATE TEXT SEARCH CONFIGURATION words (COPY = pg_catalog.english)"
    )
    database.sql("ALTER TEXT SEARCH CONFIGURATION words OWNER TO alice")
    url = database.url() if place == "here" else database.server.url()
    with pytest.raises(UsageError) as raised:
        users.offboard(ws, url, "alice")
    named = "text search configuration public.words" if place == "here" else "pg_ts_config"
    assert raised.value.message.startswith(f"'alice' owns 1 object(s): {named}")
    assert f"in {database.name}" in raised.value.message
    plans.apply(ws, users.offboard(ws, url, "alice", heir="heir")).raise_for_status()
    owner = "SELECT cfgowner::regrole::text FROM pg_ts_config WHERE cfgname = 'words'"
    assert database.sql(owner) == [("heir",)]


@pytest.mark.parametrize(
    ("name", "heir", "message"),
    [
        ("postgres", "", "the server's own"),
        ("pg_monitor", "", "the server's own"),
        ("nobody", "", "there is no principal 'nobody'"),
        ("alice", "alice", "cannot take over"),
        ("alice", "nobody", "there is no principal 'nobody'"),
    ],
)
def test_who_cannot_go(database: Database, ws: Workspace, name: str, heir: str, message: str) -> None:
    database.sql("CREATE ROLE alice")
    with pytest.raises(UsageError, match=message):
        users.offboard(ws, database.url(), name, heir=heir)


# -- under least privilege --------------------------------------------------------------------------------------------


def test_the_audit_login_sees_what_it_needs(database: Database, ws: Workspace) -> None:
    from dbops import registry

    text = registry.backend("postgresql").grants(["audit"], "auditor", database.server.version)
    database.sql(text)
    database.sql("ALTER ROLE auditor PASSWORD 'x'")
    database.server.sql(f"CREATE DATABASE {database.name}_closed")
    database.server.sql(f"REVOKE CONNECT ON DATABASE {database.name}_closed FROM PUBLIC")
    try:
        report = access.audit(ws, database.server.url("auditor", database.name, password="x"), self_check=200)
    finally:
        database.server.sql(f"DROP DATABASE {database.name}_closed")
    assert report.checked > 100
    assert report.disagreements == ()
    assert [(one.id, one.reason) for one in report.unknown] == [("pg.access.password_md5", "no_permission")]
    assert f"CONNECT on the database {database.name}_closed is needed" in report.databases_missing.values()


def test_the_users_login_provisions_without_being_a_superuser(database: Database, ws: Workspace) -> None:
    from dbops import registry

    database.sql("CREATE ROLE app_owner; CREATE SCHEMA s AUTHORIZATION app_owner; CREATE ROLE app_group")
    database.sql("SET ROLE app_owner; CREATE TABLE s.t (a int, b int); RESET ROLE")
    database.sql(registry.backend("postgresql").grants(["users"], "provisioner", database.server.version))
    database.sql("ALTER ROLE provisioner PASSWORD 'x'")
    url = database.server.url("provisioner", database.name, password="x")
    grants = f"[{{object: 'table:{database.name}.s.*', can: [read, write], future: true, creators: [app_owner]}}]"
    text = spec(
        database, f"roles: {{app_new: {{grants: {grants}}}}}\nusers: {{alice: {{member_of: [app_new, app_group]}}}}"
    )
    users.apply(ws, text, url)
    assert users.plan(ws, text, url)[0].steps == ()
    assert database.sql("SELECT has_table_privilege('alice', 's.t', 'UPDATE')") == [(True,)]
    less = spec(database, "roles: {app_new: {}}\nusers: {alice: {member_of: [app_new]}}")
    users.apply(ws, less, url)
    assert users.plan(ws, less, url)[0].steps == ()
    assert database.sql("SELECT has_table_privilege('alice', 's.t', 'SELECT')") == [(False,)]
