"""What DDL does to the modelled instance; each rule is that of the page of the documentation named beside it."""

from __future__ import annotations

import uuid

import pytest

from tests.simulators.mssql.answers import Failed, Refused, error
from tests.simulators.mssql.instance import Instance
from tests.simulators.mssql.model import State

SHOP = """
CREATE LOGIN alice WITH PASSWORD = N'Secret-1234';
CREATE LOGIN bob WITH PASSWORD = N'Secret-1234';
CREATE DATABASE shop
GO
USE shop;
CREATE USER alice FOR LOGIN alice;
CREATE USER bob FOR LOGIN bob;
CREATE ROLE readers
GO
CREATE SCHEMA sales
GO
CREATE TABLE sales.orders (id int NOT NULL PRIMARY KEY, email nvarchar(100) NULL, total numeric(10,2) NULL);
INSERT INTO sales.orders (id, email, total) VALUES (1, N'a@x', 5), (2, N'b@y', 7.5);
"""


@pytest.fixture(scope="module")
def prepared() -> tuple[Instance, State]:
    made = Instance()
    made.execute(SHOP)
    return made, made.keep()


@pytest.fixture
def instance(prepared: tuple[Instance, State]) -> Instance:
    made, kept = prepared
    made.put_back(kept)
    return made


def run(instance: Instance, sql: str, user: str = "sa") -> list[tuple[object, ...]]:
    return instance.execute(sql, user=user, database="shop")


def refused(instance: Instance, sql: str, user: str = "sa", database: str = "shop") -> int:
    with pytest.raises(Failed) as caught:
        instance.execute(sql, user=user, database=database)
    return caught.value.messages[0].number


def test_login_by_its_own_hash(instance: Instance) -> None:
    """CREATE LOGIN: PASSWORD = hashed_password HASHED, SID = sid."""
    [(sid, stored)] = run(
        instance,
        "SELECT CONVERT(varchar(100), sid, 1), CONVERT(varchar(200), password_hash, 1) FROM sys.sql_logins "
        "WHERE name = 'alice'",
    )
    assert str(stored).startswith("0x0200")
    other = Instance()
    other.execute(f"CREATE LOGIN alice WITH PASSWORD = {stored} HASHED, SID = {sid}")
    assert other.login("alice", "Secret-1234").database == "master"
    assert other.execute("SELECT SUSER_SNAME(sid) FROM sys.sql_logins WHERE name = 'alice'") == [("alice",)]


@pytest.mark.parametrize(
    ("prepare", "user", "password", "number"),
    [
        ("SELECT 1", "alice", "wrong", 18456),
        ("SELECT 1", "nobody", "Secret-1234", 18456),
        ("ALTER LOGIN alice DISABLE", "alice", "Secret-1234", 18470),
        ("DENY CONNECT SQL TO alice", "alice", "Secret-1234", 18456),
        (
            "ALTER LOGIN alice WITH PASSWORD = N'Secret-5678' MUST_CHANGE, CHECK_EXPIRATION = ON",
            "alice",
            "Secret-5678",
            18488,
        ),
    ],
)
def test_login_is_refused(instance: Instance, prepare: str, user: str, password: str, number: int) -> None:
    """MSSQLSERVER_18456; ALTER LOGIN: DISABLE, MUST_CHANGE; DENY Server Permissions."""
    instance.execute(prepare)
    with pytest.raises(Refused) as caught:
        instance.login(user, password)
    assert caught.value.messages[-1].number == number


def test_login_without_its_database_is_refused(instance: Instance) -> None:
    """MSSQLSERVER_4060: a database that is asked for and not open to the login."""
    with pytest.raises(Refused) as caught:
        instance.login("alice", "Secret-1234", "nope")
    assert [one.number for one in caught.value.messages] == [4060, 18456]
    assert instance.login("alice", "Secret-1234", "shop").database == "shop"


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("CREATE LOGIN alice WITH PASSWORD = N'Secret-1234'", 15025),
        ("CREATE LOGIN carol WITH PASSWORD = N'short'", 15118),
        ("CREATE LOGIN [NOWHERE\\carol] FROM WINDOWS", 15401),
        ("CREATE LOGIN carol WITH PASSWORD = N'Secret-1234', DEFAULT_DATABASE = nope", 15010),
        ("CREATE USER alice FOR LOGIN bob", 15023),
        ("CREATE USER alice2 FOR LOGIN alice", 15063),
        ("CREATE USER carol FOR LOGIN carol", 15007),
        ("CREATE USER carol WITH PASSWORD = N'Secret-1234'", 33233),
        ("DROP LOGIN nobody", 15151),
        ("DROP USER nobody", 15151),
        ("DROP USER dbo", 15150),
        ("ALTER ROLE nobody ADD MEMBER alice", 15151),
        ("ALTER ROLE readers ADD MEMBER readers", 15413),
        ("DROP SCHEMA sales", 3729),
        ("CREATE TABLE sales.orders (id int)", 2714),
        ("CREATE TABLE nope.orders (id int)", 2760),
        ("GRANT SELECT ON sales.nope TO alice", 15151),
        ("GRANT SELECT ON sales.orders TO nobody", 15151),
        ("GRANT EXECUTE ON sales.orders TO alice", 4606),
        ("GRANT SELECT TO dbo", 4624),
        ("GRANT SELECT TO db_owner", 4617),
        ("GRANT VIEW SERVER STATE TO alice", 4621),
        ("GRANT NONSENSE TO alice", 102),
        ("GRANT SELECT ON sales.orders (nope) TO alice", 4615),
        ("GRANT CREATE DATABASE TO alice", 4619),
        ("GRANT ALL ON SCHEMA::sales TO alice", 4623),
        ("SELECT 1; CREATE SCHEMA other", 111),
        ("ALTER DATABASE model SET TRUSTWORTHY ON", 15309),
        ("ALTER AUTHORIZATION ON DATABASE::shop TO sysadmin", 15345),
        ("DROP USER guest", 15539),
        ("ALTER AUTHORIZATION ON SCHEMA::sales TO alice; DROP USER alice", 15138),
        ("ALTER AUTHORIZATION ON ROLE::readers TO alice; DROP USER alice", 15421),
        ("ALTER AUTHORIZATION ON OBJECT::sales.orders TO alice; DROP USER alice", 15183),
        ("CREATE SERVER ROLE ops AUTHORIZATION alice; DROP LOGIN alice", 15141),
        ("USE nope", 911),
        ("DROP DATABASE shop", 3702),
        ("KILL 4242", 6106),
        ("COMMIT", 3902),
        ("BEGIN TRAN; CREATE DATABASE other", 226),
        ("INSERT INTO sales.orders (id) VALUES (1)", 2627),
        ("INSERT INTO sales.orders (email) VALUES (N'x')", 515),
        ("INSERT INTO sales.orders VALUES (1)", 213),
        ("EXEC nope", 2812),
    ],
)
def test_refusals_have_their_number(instance: Instance, sql: str, number: int) -> None:
    """Database Engine events and errors."""
    assert refused(instance, sql) == number


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("SELECT * FROM sales.orders", 229),
        ("DELETE FROM sales.orders", 229),
        ("CREATE TABLE sales.t (id int)", 262),
        ("CREATE LOGIN carol WITH PASSWORD = N'Secret-1234'", 15247),
        ("CREATE USER carol WITHOUT LOGIN", 15247),
        ("ALTER LOGIN bob DISABLE", 15151),
        ("DROP USER bob", 15151),
        ("GRANT SELECT ON sales.orders TO bob", 15151),
        ("GRANT CREATE TABLE TO bob", 4613),
        ("SELECT * FROM sys.dm_exec_connections", 300),
        ("EXECUTE AS LOGIN = 'bob'", 15406),
        ("EXECUTE AS USER = 'bob'", 15517),
        ("KILL 51", 6102),
        ("CREATE DATABASE other", 262),
        ("DROP TABLE sales.orders", 3701),
        ("ALTER DATABASE shop SET RECOVERY SIMPLE", 5011),
    ],
)
def test_without_rights(instance: Instance, sql: str, number: int) -> None:
    """The section Permissions of each statement's page."""
    assert refused(instance, sql, user="alice") == number


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ("UPDATE state 1", 927),
        ("ALTER DATABASE shop SET OFFLINE", 942),
        ("ALTER DATABASE shop SET RESTRICTED_USER", 923),
        ("in a group", 976),
    ],
)
def test_database_that_is_not_open(instance: Instance, change: str, number: int) -> None:
    """Database Engine events and errors; ALTER DATABASE SET options: database state and user access."""
    if change.startswith("ALTER"):
        instance.execute(change)
    elif change.startswith("UPDATE"):
        instance.database("shop").options["state"] = 1
    else:
        instance.database("shop").refusal = error(
            976, "The target database, 'shop', is participating in …", severity=14
        )
    assert refused(instance, "SELECT * FROM shop.sales.orders", user="alice", database="master") == number
    with pytest.raises(Refused):
        instance.login("alice", "Secret-1234", "shop")


def test_database_that_one_is_no_user_of(instance: Instance) -> None:
    """MSSQLSERVER_916."""
    instance.execute("CREATE LOGIN carol WITH PASSWORD = N'Secret-1234'")
    assert refused(instance, "USE shop", user="carol", database="master") == 916
    assert refused(instance, "SELECT * FROM shop.sys.objects", user="carol", database="master") == 916


def test_column_grant_beats_table_deny_until_the_next_deny(instance: Instance) -> None:
    """Permissions (Database Engine): special considerations for column level permissions."""
    run(instance, "DENY SELECT ON sales.orders TO alice; GRANT SELECT ON sales.orders (email) TO alice")
    assert run(instance, "SELECT email FROM sales.orders WHERE email = 'a@x'", "alice") == [("a@x",)]
    assert refused(instance, "SELECT total FROM sales.orders", "alice") == 230
    run(instance, "DENY SELECT ON sales.orders TO alice")
    assert refused(instance, "SELECT email FROM sales.orders", "alice") == 229


def test_deny_of_one_role_beats_grant_of_another(instance: Instance) -> None:
    """Permissions (Database Engine): summary of the permission check algorithm, step 6."""
    run(instance, "ALTER ROLE db_datareader ADD MEMBER alice; ALTER ROLE readers ADD MEMBER alice")
    assert len(run(instance, "SELECT * FROM sales.orders", "alice")) == 2
    run(instance, "DENY SELECT ON SCHEMA::sales TO readers")
    assert refused(instance, "SELECT * FROM sales.orders", "alice") == 229


def test_deny_binds_members_of_db_owner_and_not_the_owner(instance: Instance) -> None:
    """Database-level roles; DENY Object Permissions: it has no effect on the owner of the object and on dbo."""
    run(instance, "ALTER ROLE db_owner ADD MEMBER alice; DENY SELECT ON sales.orders TO alice")
    assert refused(instance, "SELECT * FROM sales.orders", "alice") == 229
    run(instance, "CREATE SCHEMA hers AUTHORIZATION bob")
    run(instance, "CREATE TABLE hers.t (id int); DENY SELECT ON SCHEMA::hers TO public")
    assert run(instance, "SELECT * FROM hers.t", "bob") == []
    assert refused(instance, "SELECT * FROM hers.t", "alice") == 229


def test_context_of_a_user_ends_at_its_database_unless_that_is_trusted(instance: Instance) -> None:
    """Extend database impersonation by using EXECUTE AS: TRUSTWORTHY and AUTHENTICATE SERVER of the owner."""
    instance.execute("GRANT VIEW SERVER STATE TO alice")
    asked = "EXECUTE AS USER = 'alice'; SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE')"
    assert run(instance, asked) == [(0,)]
    instance.execute("ALTER DATABASE shop SET TRUSTWORTHY ON")
    assert run(instance, asked) == [(1,)]
    assert run(instance, asked.replace("USER", "LOGIN")) == [(1,)]


def test_control_server_is_not_sysadmin(instance: Instance) -> None:
    """Server-level roles: CONTROL SERVER can be denied, sysadmin cannot."""
    instance.execute("GRANT CONTROL SERVER TO alice; CREATE LOGIN carol WITH PASSWORD = N'Secret-1234'")
    assert len(run(instance, "SELECT * FROM sales.orders", "alice")) == 2
    run(instance, "DENY SELECT ON sales.orders TO alice")
    assert refused(instance, "SELECT * FROM sales.orders", "alice") == 229
    instance.execute("ALTER SERVER ROLE sysadmin ADD MEMBER alice")
    assert len(run(instance, "SELECT * FROM sales.orders", "alice")) == 2


def test_grant_option_is_passed_on_and_taken_back_with_cascade(instance: Instance) -> None:
    """REVOKE Object Permissions: CASCADE."""
    run(instance, "GRANT SELECT ON sales.orders TO alice WITH GRANT OPTION")
    run(instance, "GRANT SELECT ON sales.orders TO bob", "alice")
    grants = "SELECT USER_NAME(grantor_principal_id), state FROM sys.database_permissions WHERE class = 1 ORDER BY 1"
    assert run(instance, grants) == [("alice", "G"), ("dbo", "W")]
    assert refused(instance, "REVOKE SELECT ON sales.orders TO alice") == 4611
    run(instance, "REVOKE SELECT ON sales.orders TO alice CASCADE")
    assert run(instance, grants) == []


def test_metadata_is_shown_to_those_with_a_permission(instance: Instance) -> None:
    """Metadata visibility configuration."""
    assert run(instance, "SELECT name FROM sys.tables", "alice") == []
    assert run(instance, "SELECT name FROM sys.database_principals WHERE name = 'bob'", "alice") == []
    assert run(instance, "SELECT name FROM sys.sql_logins WHERE name = 'bob'", "alice") == []
    run(instance, "GRANT VIEW DEFINITION ON sales.orders TO alice")
    assert run(instance, "SELECT name FROM sys.tables", "alice") == [("orders",)]
    instance.execute("GRANT VIEW ANY DEFINITION TO alice")
    assert run(instance, "SELECT name, password_hash FROM sys.sql_logins WHERE name = 'bob'", "alice") == [
        ("bob", None)
    ]


def test_rollback_takes_ddl_back(instance: Instance) -> None:
    """Transactions: DDL of logins, users and permissions is transactional."""
    run(
        instance,
        "BEGIN TRAN; CREATE LOGIN carol WITH PASSWORD = N'Secret-1234'; DROP TABLE sales.orders; ROLLBACK",
    )
    assert run(instance, "SELECT COUNT(*) FROM sales.orders") == [(2,)]
    assert run(instance, "SELECT SUSER_ID('carol')") == [(None,)]


def test_procedure_reads_what_its_owner_owns(instance: Instance) -> None:
    """Ownership chains: rights on the table are not asked for; with EXECUTE AS the user is another."""
    run(instance, "CREATE PROCEDURE sales.counted AS SELECT COUNT(*), USER_NAME() FROM sales.orders")
    run(instance, "CREATE PROCEDURE sales.owned WITH EXECUTE AS OWNER AS SELECT USER_NAME()")
    assert refused(instance, "EXEC sales.counted", "alice") == 229
    run(instance, "GRANT EXECUTE ON SCHEMA::sales TO alice")
    assert run(instance, "EXEC sales.counted", "alice") == [(2, "alice")]
    assert run(instance, "EXEC sales.owned", "alice") == [("dbo",)]


def test_contained_user_logs_in_at_its_database() -> None:
    """Contained database users: made with a password, known in their database alone."""
    instance = Instance(contained=True)
    instance.execute("CREATE DATABASE app CONTAINMENT = PARTIAL")
    instance.execute("CREATE USER carol WITH PASSWORD = N'Secret-1234'", database="app")
    session = instance.login("carol", "Secret-1234", "app")
    assert session.database == "app"
    with pytest.raises(Refused):
        instance.login("carol", "Secret-1234")


def test_orphaned_user_is_repaired_by_its_login(instance: Instance) -> None:
    """Troubleshoot orphaned users: ALTER USER … WITH LOGIN."""
    instance.execute("DROP LOGIN bob; CREATE LOGIN bob WITH PASSWORD = N'Secret-1234'")
    orphans = (
        "SELECT d.name FROM sys.database_principals AS d LEFT JOIN sys.server_principals AS s ON d.sid = s.sid "
        "WHERE s.sid IS NULL AND d.authentication_type = 1 AND d.principal_id > 4"
    )
    assert run(instance, orphans) == [("bob",)]
    run(instance, "ALTER USER bob WITH LOGIN = bob")
    assert run(instance, orphans) == []


def test_login_goes_when_its_jobs_and_databases_are_another_ones(instance: Instance) -> None:
    """DROP LOGIN: a login that owns a database or an agent's job cannot be dropped; sp_update_job."""
    [(sid,)] = run(instance, "SELECT sid FROM sys.server_principals WHERE name = 'bob'")
    instance.set_rows("dbo.sysjobs", [{"job_id": uuid.UUID(int=7), "name": "nightly", "enabled": 1, "owner_sid": sid}])
    instance.execute("CREATE DATABASE other; ALTER AUTHORIZATION ON DATABASE::other TO bob")
    assert refused(instance, "DROP LOGIN bob") == 15174
    instance.execute("ALTER AUTHORIZATION ON DATABASE::other TO sa")
    assert refused(instance, "DROP LOGIN bob") == 15170
    assert refused(instance, "EXEC msdb.dbo.sp_update_job @job_name = N'nope', @owner_login_name = N'sa'") == 14262
    assert refused(instance, "EXEC msdb.dbo.sp_update_job @job_name = N'nightly', @owner_login_name = N'x'") == 14234
    instance.execute("EXEC msdb.dbo.sp_update_job @job_name = N'nightly', @owner_login_name = N'sa'")
    instance.execute("DROP LOGIN bob")
    owners = "SELECT SUSER_SNAME(owner_sid) FROM msdb.dbo.sysjobs WHERE name = N'nightly'"
    assert instance.execute(owners) == [("sa",)]
