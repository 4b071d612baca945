"""Users from a spec on SQL Server: planned, carried out in one transaction, and then nothing left to do."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbops import registry, yaml
from dbops.cli.main import run
from dbops.config import Config
from dbops.errors import DbopsError, DestinationExists, InputError, Locked, NotPermitted, OutputError, UsageError
from dbops.operations import users
from dbops.operations.workspace import Workspace
from dbops.plan import SecretRef
from dbops.session import connect
from dbops.state import State
from dbops.testing.mssql import MssqlDatabase, MssqlServer, PrivateMssql
from dbops_mssql.statement import text

FIRST, SECOND = "First-word-4711", "Second-word-4712"


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("FIRST", FIRST)
    monkeypatch.setenv("SECOND", SECOND)
    return Workspace(Config(), state=State(tmp_path / "state", clock=lambda: datetime.now(UTC)))


@pytest.fixture
def shop(mssql_database: MssqlDatabase) -> MssqlDatabase:
    mssql_database.sql("CREATE SCHEMA sales")
    mssql_database.sql(
        "CREATE TABLE sales.orders (id int NOT NULL PRIMARY KEY, email nvarchar(80), "
        "status nvarchar(20), note nvarchar(9))",
        "CREATE TABLE sales.items (id int NOT NULL PRIMARY KEY)",
    )
    return mssql_database


def spec(name: str, **changed: object) -> str:
    return yaml.dump(
        {
            "dbops": "users/1",
            "manage": {"principals": ["app_*", "u_*"], "databases": [name]},
            "roles": {
                "app_read": {
                    "grants": [
                        {"object": f"schema:{name}.sales", "can": ["read"]},
                        {"object": f"database:{name}", "can": ["view_definition"]},
                    ]
                },
                "app_write": {
                    "member_of": ["app_read"],
                    "grants": [{"object": f"table:{name}.sales.*", "can": ["write"]}],
                },
                "app_owner": {"owns": [f"schema:{name}.sales"]},
            },
            "users": {
                "u_alice": {
                    "member_of": ["app_write", "db_datareader"],
                    "password": "env:FIRST",
                    "grants": [
                        {"object": f"table:{name}.sales.orders", "can": ["update"], "columns": ["status", "note"]},
                        {"object": f"table:{name}.sales.items", "can": ["references"], "grantable": True},
                        {"object": "server", "can": ["view_any_definition"]},
                    ],
                },
                "u_maker": {"member_of": ["dbcreator"], "password": "env:FIRST"},
                "u_bob": {"state": "locked", "password": "env:FIRST"},
                **changed,
            },
        }
    )


def signed_in(server: MssqlServer, name: str, password: str) -> bool:
    server.remember(name, password)
    try:
        server.sql("SELECT 1", user=name)
    except DbopsError:
        return False
    return True


@pytest.mark.proves("mssql", "users.apply", by="a simulator")
def test_one_apply_is_enough(shop: MssqlDatabase, ws: Workspace) -> None:
    answer, outcome = users.apply(ws, spec(shop.name), shop.url())
    assert answer.status == "drift"
    assert outcome is not None
    again, _ = users.plan(ws, spec(shop.name), shop.url())
    assert [step.sql for step in again.steps] == []
    assert again.status == "in_sync"
    assert signed_in(shop.server, "u_alice", FIRST)
    assert not signed_in(shop.server, "u_bob", FIRST)
    shop.sql("SELECT id FROM sales.orders", user="u_alice")


def test_what_is_taken_out_of_the_spec_goes(shop: MssqlDatabase, ws: Workspace) -> None:
    users.apply(ws, spec(shop.name), shop.url())
    less = yaml.dump(
        {
            "dbops": "users/1",
            "manage": {"principals": ["app_*", "u_*"], "databases": [shop.name]},
            "roles": {
                "app_read": {"grants": [{"object": f"schema:{shop.name}.sales", "can": ["read"]}]},
                "app_write": {},
            },
            "users": {"u_alice": {"member_of": ["app_read"], "state": "locked"}, "u_bob": {"state": "absent"}},
        }
    )
    answer, outcome = users.apply(ws, less, shop.url())
    assert outcome is not None
    said = "\n".join(step.sql for step in answer.steps)
    assert "REVOKE UPDATE ([status]) ON OBJECT::[sales].[orders] FROM [u_alice]" in said
    assert f"USE [{shop.name}]; ALTER ROLE [app_write] DROP MEMBER [u_alice]" in said
    assert "USE [master]; ALTER LOGIN [u_alice] DISABLE" in said
    assert said.splitlines()[-1] == "USE [master]; DROP LOGIN [u_bob]"
    assert users.plan(ws, less, shop.url())[0].status == "in_sync"
    assert not signed_in(shop.server, "u_alice", FIRST)


@pytest.mark.proves("mssql", "users.transactional", by="a simulator")
def test_a_statement_that_fails_takes_all_back(private_mssql: PrivateMssql, ws: Workspace) -> None:
    """The server and its databases are changed in one transaction."""
    server = private_mssql()
    server.create_database("shop")
    server.sql("CREATE SCHEMA sales", database="shop")
    server.sql("CREATE TABLE sales.orders (id int, status int, note int)", database="shop")
    server.sql("CREATE TABLE sales.items (id int)", database="shop")
    before = server.sql("SELECT name FROM sys.server_principals ORDER BY name")
    server.instance.faults.refuse(r"GRANT SELECT ON SCHEMA", "CONTROL")
    _, made = users.plan(ws, spec("shop"), server.url(database="shop"))
    with pytest.raises(DbopsError, match="permission was denied"):
        users.carry_out(ws, made).raise_for_status()
    assert server.sql("SELECT name FROM sys.server_principals ORDER BY name") == before
    assert server.sql("SELECT name FROM sys.database_principals WHERE name LIKE 'app%'", database="shop") == []


def test_two_runs_at_once(shop: MssqlDatabase, ws: Workspace) -> None:
    _, made = users.plan(ws, spec(shop.name), shop.url())
    administrator = shop.server.endpoint(database="master")
    with connect(registry.backend("mssql"), administrator, resolve=ws.secrets.resolve) as other:
        assert other.scalar(text("users_lock")) == 0
        with pytest.raises(Locked, match="another run of dbops users is at work"):
            users.carry_out(ws, made).raise_for_status()
    users.carry_out(ws, made).raise_for_status()


def test_export_plans_to_nothing(shop: MssqlDatabase, ws: Workspace) -> None:
    users.apply(ws, spec(shop.name), shop.url())
    exported = users.export(ws, shop.url(), principals=["app_*", "u_*"], databases=[shop.name])
    assert "u_alice" in exported
    answer, _ = users.plan(ws, exported, shop.url())
    assert [step.sql for step in answer.steps] == []


def test_what_is_denied(shop: MssqlDatabase, ws: Workspace) -> None:
    """Denied, exported, and no longer denied; on the wire and in one apply each."""
    orders = f"table:{shop.name}.sales.orders"
    denying = spec(
        shop.name,
        u_carl={
            "password": "env:FIRST",
            "member_of": ["app_write"],
            "denies": [{"object": orders, "can": ["select"]}],
            "grants": [{"object": orders, "can": ["select"], "columns": ["id"]}],
        },
    )
    users.apply(ws, denying, shop.url())
    assert users.plan(ws, denying, shop.url())[0].status == "in_sync"
    assert signed_in(shop.server, "u_carl", FIRST)
    shop.sql("SELECT id FROM sales.orders", user="u_carl")
    with pytest.raises(DbopsError, match="SELECT permission was denied"):
        shop.sql("SELECT email FROM sales.orders", user="u_carl")
    exported = users.export(ws, shop.url(), principals=["app_*", "u_*"], databases=[shop.name])
    assert "denies" in exported
    assert users.plan(ws, exported, shop.url())[0].status == "in_sync"

    allowing = spec(shop.name, u_carl={"password": "env:FIRST", "member_of": ["app_write"]})
    answer, _ = users.apply(ws, allowing, shop.url())
    said = [step for step in answer.steps if "widens access" in step.summary]
    assert [step.sql for step in said] == [
        f"USE [{shop.name}]; REVOKE SELECT ON OBJECT::[sales].[orders] FROM [u_carl]"
    ]
    [delta] = [one for one in answer.access_delta if one.principal == f"{shop.name}.u_carl"]
    assert f"SELECT on {orders}" in delta.gains
    assert users.plan(ws, allowing, shop.url())[0].status == "in_sync"
    shop.sql("SELECT email FROM sales.orders", user="u_carl")


def test_granted_and_denied_at_once(shop: MssqlDatabase, ws: Workspace) -> None:
    both = {"object": f"table:{shop.name}.sales.orders", "can": ["select"]}
    wrong = spec(shop.name, u_carl={"denies": [both], "grants": [both]})
    lines = [
        number for number, line in enumerate(wrong.splitlines(), 1) if line.strip() == f"- object: {both['object']}"
    ]
    with pytest.raises(InputError) as caught:
        users.plan(ws, wrong, shop.url(), origin="team.yaml")
    assert caught.value.message == (
        f"team.yaml:{lines[-2]}: SELECT on {both['object']} is denied to {shop.name}.u_carl here and granted in "
        f"team.yaml:{lines[-1]}"
    )


@pytest.mark.proves("mssql", "users.rotate", by="a simulator")
def test_rotate(shop: MssqlDatabase, ws: Workspace, tmp_path: Path) -> None:
    users.apply(ws, spec(shop.name), shop.url())
    plan = users.rotate(ws, shop.url(), "u_alice", SecretRef("env:SECOND"))
    users.carry_out(ws, plan).raise_for_status()
    assert signed_in(shop.server, "u_alice", SECOND)
    assert not signed_in(shop.server, "u_alice", FIRST)
    assert SECOND not in str(plan)
    made_up = tmp_path / "alice"
    plan = users.rotate(ws, shop.url(), "u_alice", SecretRef(f"file:{made_up}"), generate=True)
    users.carry_out(ws, plan).raise_for_status()
    assert signed_in(shop.server, "u_alice", made_up.read_text(encoding="utf-8").strip())
    with pytest.raises(UsageError, match="has no password of its own"):
        users.rotate(ws, shop.url(), f"{shop.name}.u_alice", SecretRef("env:SECOND"))


def test_a_password_that_the_server_does_not_take_is_not_repeated(
    shop: MssqlDatabase, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.apply(ws, spec(shop.name), shop.url())
    for word, said in (
        ("weak", "complex enough"),
        ("", "is empty"),
        ("x" * 129, "longer than 128"),
        ("a\nb", "control"),
    ):
        monkeypatch.setenv("SECOND", word)
        plan = users.rotate(ws, shop.url(), "u_alice", SecretRef("env:SECOND"))
        with pytest.raises(DbopsError, match=said) as caught:
            users.carry_out(ws, plan).raise_for_status()
        assert not word or f"'{word}'" not in str(caught.value)


def test_offboard(shop: MssqlDatabase, ws: Workspace) -> None:
    users.apply(ws, spec(shop.name), shop.url())
    shop.sql("ALTER AUTHORIZATION ON SCHEMA::[sales] TO [u_alice]")
    shop.server.sql("CREATE LOGIN [u_heir] WITH PASSWORD = N'Heir-word-4713'")
    with pytest.raises(UsageError, match="'u_alice' owns") as caught:
        users.offboard(ws, shop.url(), "u_alice")
    assert "--reassign-to" in caught.value.hint
    with pytest.raises(UsageError, match="'u_heir' is nobody in"):
        users.offboard(ws, shop.url(), "u_alice", heir="u_heir")
    shop.sql("CREATE USER [u_heir] FOR LOGIN [u_heir]")
    plan = users.offboard(ws, shop.url(), "u_alice", heir="u_heir")
    users.carry_out(ws, plan).raise_for_status()
    assert shop.sql("SELECT name FROM sys.database_principals WHERE name = 'u_alice'") == []
    assert shop.server.sql("SELECT name FROM sys.server_principals WHERE name = 'u_alice'") == []
    owner = "SELECT USER_NAME(principal_id) FROM sys.schemas WHERE name = 'sales'"
    assert shop.sql(owner) == [("u_heir",)]


def test_another_owner_takes_nothing_from_others(shop: MssqlDatabase, ws: Workspace) -> None:
    """Everything that was granted on a schema and in it goes with its owner, and is granted again in the same run."""
    users.apply(ws, spec(shop.name), shop.url())
    shop.server.sql("CREATE LOGIN [z_other] WITH PASSWORD = N'Other-word-4714'")
    shop.server.remember("z_other", "Other-word-4714")
    shop.sql(
        "CREATE USER [z_other] FOR LOGIN [z_other]",
        "GRANT SELECT ON OBJECT::sales.orders TO [z_other]",
        "DENY SELECT ON OBJECT::sales.orders (note) TO [z_other]",
    )
    document = yaml.load(spec(shop.name), "spec").value
    document["roles"]["app_owner"] = {}
    document["roles"]["app_chief"] = {"owns": [f"schema:{shop.name}.sales"]}
    changed = yaml.dump(document)
    answer, _ = users.apply(ws, changed, shop.url())
    [handed] = [step for step in answer.steps if "ALTER AUTHORIZATION" in step.sql]
    assert "which ends all rights on it, and in it" in handed.summary
    assert handed.undo.endswith("grant them again")
    assert users.plan(ws, changed, shop.url())[0].status == "in_sync"
    shop.sql("SELECT id FROM sales.orders", user="z_other")
    with pytest.raises(DbopsError, match="SELECT permission was denied"):
        shop.sql("SELECT note FROM sales.orders", user="z_other")
    shop.server.remember("u_alice", FIRST)
    shop.sql("SELECT id FROM sales.orders", user="u_alice")

    shop.sql("ALTER AUTHORIZATION ON SCHEMA::sales TO [u_alice]", "GRANT SELECT ON OBJECT::sales.orders TO [z_other]")
    users.carry_out(ws, users.offboard(ws, shop.url(), "u_alice", heir="z_other")).raise_for_status()
    shop.sql("SELECT id FROM sales.orders", user="z_other")


def test_who_is_denied_by_one_who_leaves_is_denied(shop: MssqlDatabase, ws: Workspace) -> None:
    users.apply(ws, spec(shop.name), shop.url())
    shop.sql(
        "CREATE USER [z_other] WITHOUT LOGIN",
        "GRANT INSERT ON OBJECT::sales.orders TO [u_alice] WITH GRANT OPTION",
        "DENY INSERT ON OBJECT::sales.orders TO [z_other] AS [u_alice]",
    )
    users.carry_out(ws, users.offboard(ws, shop.url(), "u_alice")).raise_for_status()
    said = "SELECT state, USER_NAME(grantor_principal_id) FROM sys.database_permissions WHERE grantee_principal_id = "
    assert shop.sql(f"{said}USER_ID('z_other') AND state = 'D'") == [("D", "app_owner")]


def test_offboard_hands_over_jobs_and_ends_sessions(private_mssql: PrivateMssql, ws: Workspace) -> None:
    server = private_mssql()
    for name in ("u_alice", "u_heir"):
        server.login(name)
    sids = dict(server.sql("SELECT name, sid FROM sys.server_principals WHERE name LIKE 'u[_]%'"))
    job = {"job_id": uuid.UUID(int=9), "name": "nightly", "enabled": 1, "owner_sid": bytes(sids["u_alice"])}
    server.instance.set_rows("dbo.sysjobs", [job])
    with pytest.raises(UsageError, match="owns the job nightly"):
        users.offboard(ws, server.url(), "u_alice")
    plan = users.offboard(ws, server.url(), "u_alice", heir="u_heir")
    session = server.instance.session("u_alice")
    users.carry_out(ws, plan).raise_for_status()
    assert session.killed
    assert server.sql("SELECT owner_sid FROM msdb.dbo.sysjobs") == [(sids["u_heir"],)]
    assert server.sql("SELECT name FROM sys.server_principals WHERE name = 'u_alice'") == []


def test_who_cannot_go(shop: MssqlDatabase, ws: Workspace) -> None:
    with pytest.raises(UsageError, match="the server's own"):
        users.offboard(ws, shop.url(), "sa")
    with pytest.raises(UsageError, match="the server's own"):
        users.offboard(ws, shop.url(), f"{shop.name}.dbo")


def test_an_orphan_finds_its_login_again(shop: MssqlDatabase, ws: Workspace) -> None:
    users.apply(ws, spec(shop.name), shop.url())
    shop.server.sql("DROP LOGIN [u_alice]")
    again, outcome = users.apply(ws, spec(shop.name), shop.url())
    assert outcome is not None
    said = [step.sql for step in again.steps]
    assert f"USE [{shop.name}]; ALTER USER [u_alice] WITH LOGIN = [u_alice]" in said
    assert users.plan(ws, spec(shop.name), shop.url())[0].status == "in_sync"
    assert signed_in(shop.server, "u_alice", FIRST)
    shop.sql("SELECT id FROM sales.orders", user="u_alice")


@pytest.mark.proves("mssql", "users.hashes", by="a simulator")
def test_a_login_goes_to_another_server_with_its_password_and_sid(
    shop: MssqlDatabase, private_mssql: PrivateMssql, ws: Workspace, tmp_path: Path
) -> None:
    users.apply(ws, spec(shop.name), shop.url())
    # A login's name may be anything, and is a name of a file all the same.
    shop.server.sql("CREATE LOGIN [u_a/../b c] WITH PASSWORD = N'First-word-4711'")
    kept = tmp_path / "hashes"
    exported = users.export(ws, shop.url(), principals=["app_*", "u_*"], databases=[shop.name], hashes=kept)
    assert {path.name for path in kept.iterdir()} >= {"u_alice", "u_bob", "%5Bu_a%2F..%2Fb%20c%5D"}
    assert kept.stat().st_mode & 0o777 == 0o700
    [line] = (kept / "u_alice").read_text(encoding="utf-8").splitlines()
    assert (kept / "u_alice").stat().st_mode & 0o777 == 0o600
    assert line.startswith("0x0200")
    assert line[2:].lower() not in exported.lower()
    assert f"hashed: file:{kept}/u_alice" in exported
    again, _ = users.plan(ws, exported, shop.url())
    assert [step.sql for step in again.steps] == []

    other = private_mssql()
    other.create_database(shop.name)
    other.sql("CREATE SCHEMA sales", database=shop.name)
    for table in ("orders (id int, email int, status int, note int)", "items (id int)"):
        other.sql(f"CREATE TABLE sales.{table}", database=shop.name)
    url = other.url(database=shop.name)
    answer, made = users.plan(ws, exported, url)
    users.carry_out(ws, made).raise_for_status()
    assert users.plan(ws, exported, url)[0].status == "in_sync"
    assert signed_in(other, "u_alice", FIRST)
    assert not signed_in(other, "u_bob", FIRST)  # who was locked is
    identities = "SELECT name, sid, password_hash FROM sys.sql_logins WHERE name LIKE 'u[_]%' ORDER BY name"
    assert other.sql(identities) == shop.server.sql(identities)
    # It is nowhere but in the file and on the two servers.
    said = [str(answer), str(made), exported, ws.state.journal_path(ws.target(url).name).read_text()]
    assert line[10:40].lower() not in "".join(said).lower()


def test_a_hash_that_is_none_is_not_repeated(
    shop: MssqlDatabase, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND", "0x0200C0FFEE")
    wrong = spec(shop.name, u_carl={"password": {"hashed": "env:SECOND"}})
    _, made = users.plan(ws, wrong, shop.url())
    with pytest.raises(InputError, match="the hash of u_carl from env:SECOND is not one of SQL Server") as caught:
        users.carry_out(ws, made).raise_for_status()
    assert "C0FFEE" not in str(caught.value)
    assert shop.server.sql("SELECT name FROM sys.server_principals WHERE name = 'u_carl'") == []


def test_hashes_are_not_written_over_and_not_left_out(shop: MssqlDatabase, ws: Workspace, tmp_path: Path) -> None:
    users.apply(ws, spec(shop.name), shop.url())
    kept = tmp_path / "hashes"
    kept.mkdir()
    (kept / "u_alice").write_text("mine")
    with pytest.raises(DestinationExists, match="u_alice is there already"):
        users.export(ws, shop.url(), principals=["u_alice"], databases=[shop.name], hashes=kept)
    assert (kept / "u_alice").read_text() == "mine"
    (kept / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        users.export(ws, shop.url(), principals=["u_alice"], databases=[shop.name], hashes=kept / "file" / "x")

    shop.server.login("u_auditor")
    shop.server.sql("GRANT VIEW ANY DEFINITION TO [u_auditor]", "GRANT CONNECT ANY DATABASE TO [u_auditor]")
    with pytest.raises(NotPermitted, match="the password of u_alice is not shown to this login") as caught:
        users.export(ws, shop.url("u_auditor"), principals=["u_alice"], databases=[shop.name], hashes=tmp_path / "no")
    assert "CONTROL SERVER" in caught.value.hint
    assert not (tmp_path / "no").exists()


def test_a_sid_brings_its_users_back_and_is_never_changed(shop: MssqlDatabase, ws: Workspace) -> None:
    users.apply(ws, spec(shop.name), shop.url())
    identity = "SELECT CONVERT(varchar(40), sid, 1) FROM sys.server_principals WHERE name = 'u_alice'"
    [(old,)] = shop.server.sql(identity)
    shop.server.sql("DROP LOGIN [u_alice]")
    entry = yaml.load(spec(shop.name), "spec").value["users"]["u_alice"]
    again = spec(shop.name, u_alice={**entry, "sid": str(old).lower()})
    answer, _ = users.apply(ws, again, shop.url())
    assert not [step.sql for step in answer.steps if "ALTER USER" in step.sql]
    assert shop.server.sql(identity) == [(old,)]
    assert users.plan(ws, again, shop.url())[0].status == "in_sync"
    shop.sql("SELECT id FROM sales.orders", user="u_alice")

    another = f"0x{'5A' * 16}"
    with pytest.raises(InputError, match=f"u_alice has the SID {old}, not {another}, and a SID cannot be changed"):
        users.plan(ws, spec(shop.name, u_alice={**entry, "sid": another}), shop.url())
    with pytest.raises(InputError, match=f"u_alice has the SID {old} already"):
        users.plan(ws, spec(shop.name, u_carl={"sid": str(old)}), shop.url())


def test_objects_that_are_not_there(shop: MssqlDatabase, ws: Workspace) -> None:
    wrong = spec(shop.name, u_carl={"grants": [{"object": f"table:{shop.name}.sales.nothing", "can": ["select"]}]})
    with pytest.raises(InputError, match=r"there is no object table:.*sales.nothing"):
        users.plan(ws, wrong, shop.url())


def test_the_commands(shop: MssqlDatabase, ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exported with hashes by a person, and in sync."""
    users.apply(ws, spec(shop.name), shop.url())
    kept, exported = tmp_path / "hashes", tmp_path / "users.yaml"
    options = ["--principal", "u_*", "--principal", "app_*", "--hashes", str(kept), "-o", str(exported)]
    assert run(["users", "export", shop.url(), *options]) == 0
    assert run(["users", "plan", str(exported), shop.url()]) == 0
    said = "".join(capsys.readouterr()) + exported.read_text(encoding="utf-8")
    assert (kept / "u_alice").read_text(encoding="utf-8").strip()[10:] not in said
    assert run(["users", "export", shop.url(), *options]) == 73
    assert "is there already" in capsys.readouterr().err


def test_nobody_leaves_a_database_that_is_not_online(private_mssql: PrivateMssql, ws: Workspace) -> None:
    server = private_mssql()
    server.login("u_alice")
    server.create_database("parked")
    server.sql("ALTER DATABASE parked SET OFFLINE")
    with pytest.raises(UsageError, match=r"cannot be seen: parked \(the database is not online\)") as caught:
        users.offboard(ws, server.url(), "u_alice")
    assert caught.value.hint == "Bring it online first, or drop it."


def test_who_is_not_shown_a_database_may_not_export_it(private_mssql: PrivateMssql, ws: Workspace) -> None:
    server = private_mssql()
    server.login("u_alice")
    with pytest.raises(NotPermitted, match="VIEW DEFINITION on master shows all of it"):
        users.export(ws, server.url("u_alice"))
