"""Each login that `dbops grants` describes does its job on a real server, and cannot do more."""

from __future__ import annotations

import os
import subprocess

import psycopg
import pytest
from psycopg import errors

from dbops.testing.servers import Database
from dbops_postgresql.grants import JOBS, grants

HOSTILE = ['"; drop table x; --', ":login", "it's\\a 50% $dbops$ name", "Grüße.ω"]


def made(database: Database, jobs: list[str], name: str) -> str:
    """The URL of a login that has exactly what the text gives it."""
    database.server.login(name)
    database.sql(grants(jobs, name, database.server.major))
    return database.url(name)


def tool(database: Database, url: str, *argv: str) -> str:
    """Run a client tool of the server's own version; the password goes through the environment."""
    where = psycopg.conninfo.conninfo_to_dict(url)
    env = {**os.environ, "PGPASSWORD": str(where.pop("password"))}
    command = [str(database.server.bindir / argv[0]), "-d", psycopg.conninfo.make_conninfo("", **where), *argv[1:]]
    done = subprocess.run(command, env=env, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode(errors="replace")


@pytest.mark.parametrize("name", HOSTILE)
def test_the_text_can_be_run_again_and_with_any_name(database: Database, name: str) -> None:
    database.sql("CREATE SEQUENCE s; CREATE ROLE owner_one; CREATE SCHEMA o AUTHORIZATION owner_one")
    before = database.sql("SELECT 1")
    for _ in range(2):
        database.sql(grants(JOBS, name))
    rows = database.sql(
        "SELECT rolname, rolcanlogin, rolsuper, rolreplication, rolbypassrls, rolcreaterole FROM pg_roles"
    )
    assert (name, True, False, True, True, True) in rows
    assert database.sql("SELECT 1") == before


def test_health_sees_sessions_and_sequences_but_no_rows(database: Database) -> None:
    database.sql("CREATE TABLE t (id serial); INSERT INTO t DEFAULT VALUES")
    made(database, ["health"], "watcher")
    database.sql("CREATE SCHEMA later; CREATE SEQUENCE later.s; SELECT nextval('later.s')")
    values = "SELECT relname, pg_sequence_last_value(oid) FROM pg_class WHERE relkind = 'S' ORDER BY relname"
    assert database.sql(values, user="watcher") == [("s", 1), ("t_id_seq", 1)]
    assert database.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type IS NULL", user="watcher") == [(0,)]
    for forbidden in ("SELECT * FROM t", "SELECT nextval('t_id_seq')", "SELECT rolpassword FROM pg_authid"):
        with pytest.raises(errors.InsufficientPrivilege):
            database.sql(forbidden, user="watcher")


def test_audit_can_connect_where_the_public_cannot(database: Database) -> None:
    database.sql(f"REVOKE CONNECT ON DATABASE {database.name} FROM PUBLIC; CREATE TABLE t ()")
    made(database, ["audit"], "auditor")
    assert database.sql("SELECT count(*) > 0 FROM pg_class", user="auditor") == [(True,)]
    with pytest.raises(errors.InsufficientPrivilege):
        database.sql("SELECT * FROM t", user="auditor")


def test_backup_dumps_everything_and_can_change_nothing(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA closed; CREATE TABLE closed.t (a int, s serial); INSERT INTO closed.t VALUES (4711);"
        "ALTER TABLE closed.t ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON closed.t USING (false);"
        "SELECT lo_from_bytea(0, 'large')"
    )
    url = made(database, ["backup"], "keeper")
    dump = tool(database, url, "pg_dump")
    assert "4711" in dump
    assert "lo_open" in dump
    globals_only = tool(database, url, "pg_dumpall", "--globals-only")
    assert "SCRAM-SHA-256$" in globals_only
    with pytest.raises(errors.InsufficientPrivilege):
        database.sql("DELETE FROM closed.t", user="keeper")


def test_the_text_for_13_serves_newer_ones_too(database: Database) -> None:
    database.sql("CREATE SCHEMA closed; CREATE TABLE closed.t (a int, s serial); INSERT INTO closed.t VALUES (4711)")
    database.server.login("keeper")
    database.sql(grants(["backup"], "keeper", 13))
    assert "4711" in tool(database, database.url("keeper"), "pg_dump")


def test_backup_can_stream_the_cluster(database: Database) -> None:
    made(database, ["backup"], "keeper")
    with psycopg.connect(database.url("keeper"), replication="database", autocommit=True) as connection:
        result = connection.pgconn.exec_(b"IDENTIFY_SYSTEM")
    assert result.ntuples == 1


def test_users_manages_what_owners_own_and_never_a_superuser(database: Database) -> None:
    database.sql(
        "CREATE ROLE app_owner; CREATE ROLE app_read; CREATE SCHEMA app AUTHORIZATION app_owner;"
        "SET ROLE app_owner; CREATE TABLE app.t (); RESET ROLE"
    )
    made(database, ["users"], "provisioner")
    database.sql(
        "CREATE ROLE newcomer; GRANT app_read TO newcomer; GRANT SELECT ON app.t TO app_read", user="provisioner"
    )
    database.sql("ALTER DEFAULT PRIVILEGES FOR ROLE app_owner GRANT SELECT ON TABLES TO app_read", user="provisioner")
    for forbidden in ("CREATE ROLE boss SUPERUSER", "ALTER ROLE postgres NOLOGIN"):
        with pytest.raises(errors.InsufficientPrivilege):
            database.sql(forbidden, user="provisioner")
