"""``dbops audit`` as a person and as a program meet it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from dbops.cli.main import run
from dbops.testing.servers import Database

SHOP = """
CREATE SCHEMA sales; CREATE TABLE sales.orders (id int, email text);
CREATE ROLE app_read; CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN CREATEROLE; CREATE ROLE boss LOGIN SUPERUSER;
CREATE ROLE writer LOGIN IN ROLE pg_write_server_files;
GRANT USAGE ON SCHEMA sales TO app_read; GRANT SELECT ON sales.orders TO app_read; GRANT app_read TO alice;
GRANT SELECT (email) ON sales.orders TO bob WITH GRANT OPTION;
GRANT CREATE ON SCHEMA sales TO PUBLIC;
CREATE TABLE sales.open (i int); GRANT INSERT ON sales.open TO PUBLIC;
CREATE TABLE sales.rows (i int);
ALTER TABLE sales.rows ENABLE ROW LEVEL SECURITY; ALTER TABLE sales.rows OWNER TO alice;
CREATE FUNCTION sales.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION sales.safe() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT 1';
SET password_encryption = md5; CREATE ROLE old LOGIN PASSWORD 'x';
"""


@pytest.fixture
def shop(database: Database) -> Database:
    database.sql(SHOP)
    return database


# Any: the plain values of a JSON document.
def asked(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert run([*words, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out)


pytestmark = pytest.mark.postgres(newest=True)


def test_every_rule_finds_what_it_is_for(shop: Database, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys, "audit", "run", shop.url(), "--self-check", "300", code=1)
    assert found["schema"] == "dbops.audit.run/1"
    assert found["status"] == "findings"
    seen = {(one["id"], one["principal"], one["object"].replace(shop.name, "DB")) for one in found["findings"]}
    assert seen >= {
        ("pg.access.superuser", "boss", ""),
        ("pg.access.server_programs", "writer", "role:pg_write_server_files"),
        ("pg.access.public_create", "PUBLIC", "schema:DB.sales"),
        ("pg.access.definer_search_path", "postgres", "function:DB.sales.f()"),
        ("pg.access.public_data", "PUBLIC", "table:DB.sales.open"),
        ("pg.access.owner_login", "alice", "database:DB"),
        ("pg.access.row_security", "", "table:DB.sales.rows"),
        ("pg.access.password_md5", "old", ""),
        ("pg.access.strong_attributes", "bob", ""),
        ("pg.access.grant_option", "bob", "column:DB.sales.orders.email"),
    }
    assert not [one for one in found["findings"] if "safe" in one["object"]]
    assert set(found["findings"][0]) == {
        "id", "severity", "summary", "fingerprint", "principal", "object", "remedy", "benchmarks", "waived",
    }  # fmt: skip
    [target] = found["targets"]
    assert target["report"]["checked"] > 100
    assert target["report"]["disagreements"] == []
    again = asked(capsys, "audit", "run", shop.url(), code=1)
    assert [one["fingerprint"] for one in again["findings"]] == [one["fingerprint"] for one in found["findings"]]


def test_the_remedies_are_sql_that_removes_the_findings(shop: Database, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys, "audit", "run", shop.url(), code=1)
    shop.sql("CREATE ROLE owner_without_login")
    for one in found["findings"]:
        if shop.name in one["object"] or not one["object"] or one["object"].startswith("role:"):
            shop.sql(one["remedy"]["sql"])
    left = asked(capsys, "audit", "run", shop.url())["findings"]
    assert [one["id"] for one in left if shop.name in one["object"]] == ["pg.access.row_security"], "no policy is there"


def test_the_threshold_decides_the_exit_code(shop: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "run", shop.url(), "--fail-on", "critical"]) == 1
    shop.sql("DROP FUNCTION sales.f(); DROP ROLE writer")
    assert run(["audit", "run", shop.url(), "--fail-on", "critical"]) == 0
    assert "HIGH" in capsys.readouterr().out


def test_a_waiver_accepts_a_finding(shop: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shop.sql("DROP ROLE writer; DROP FUNCTION sales.f()")
    password = tmp_path / "password"
    password.write_text(shop.server.password, encoding="utf-8")
    config = tmp_path / "dbops.toml"
    config.write_text(
        f'[targets.shop]\nurl = "postgresql://postgres@127.0.0.1:{shop.server.port}/{shop.name}"\n'
        f'password = "file:{password}"\nwaivers = [{{ id = "pg.access.*", reason = "a test shop" }}]\n',
        encoding="utf-8",
    )
    found = asked(capsys, "audit", "run", "shop", "--config", str(config))
    assert {one["waived"]["reason"] for one in found["findings"]} == {"a test shop"}


@pytest.mark.parametrize("form", ["text", "sarif", "junit"])
def test_other_forms(shop: Database, capsys: pytest.CaptureFixture[str], form: str) -> None:
    assert run(["audit", "run", shop.url(), "--format", form]) == 1
    out = capsys.readouterr().out
    if form == "sarif":
        results = json.loads(out)["runs"][0]["results"]
        assert {one["ruleId"] for one in results} >= {"pg.access.superuser"}
        assert all(one["partialFingerprints"] for one in results)
    else:
        assert "pg.access.public_create" in out


def test_a_server_that_is_down_hides_no_other(shop: Database, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys, "audit", "run", shop.url(), "postgresql://nobody@127.0.0.1:1/x", code=1)
    assert [one["code"] for one in found["targets"]] == [1, 69]
    assert found["targets"][1]["error"]


def test_explain_names_every_way_and_the_least_revoke(shop: Database, capsys: pytest.CaptureFixture[str]) -> None:
    shop.sql("GRANT SELECT ON sales.orders TO alice")
    question = ["audit", "explain", shop.url(), "--who", "alice", "--can", "select", "--on", "table:sales.orders"]
    found = asked(capsys, *question)
    assert (found["allowed"], found["usable"], found["status"]) == (True, True, "usable")
    assert {tuple(hop["kind"] for hop in path) for path in found["paths"]} == {("grant",), ("member", "grant")}
    assert set(found["paths"][0][0]) == {"kind", "from", "to", "via", "grantor"}
    assert found["minimal_revoke"] == [
        'REVOKE "app_read" FROM "alice" GRANTED BY "postgres";',
        'REVOKE SELECT ON TABLE "sales"."orders" FROM "alice";',
    ]
    for statement in found["minimal_revoke"]:
        shop.sql(statement)
    gone = asked(capsys, *question, code=1)
    assert (gone["allowed"], gone["blocked_by"][0]["kind"]) == (False, "no_grant")
    assert run(question) == 1
    assert "in the way: SELECT on" in capsys.readouterr().out


def test_what_if(shop: Database, capsys: pytest.CaptureFixture[str]) -> None:
    question = ["audit", "explain", shop.url(), "--who", "alice", "--can", "SELECT", "--on", "sales.orders"]
    supposed = asked(capsys, *question, "--what-if", "REVOKE SELECT ON sales.orders FROM app_read", code=1)
    assert supposed["allowed"] is False
    blocked = asked(capsys, *question, "--what-if", "revoke usage on schema sales from app_read; grant app_read to bob")
    assert (blocked["allowed"], blocked["usable"], blocked["blocked_by"][0]["kind"]) == (True, False, "gate")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DROP TABLE x", "not understood: DROP TABLE x"),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA s TO alice", "not understood"),
        ("GRANT FLY ON sales.orders TO alice", "FLY is no privilege of a table"),
        ("GRANT SELECT ON sales.nothing TO alice", "there is no object table:sales.nothing"),
        ("GRANT SELECT ON sales.orders TO nobody", "there is no principal 'nobody'"),
        ("GRANT SELECT ON sales.orders TO alice CASCADE", "not understood"),
        ("GRANT SELECT ON sales.orders", "not understood"),
        ("REVOKE 5", "this part of the SQL is not understood"),
        (";", "there is no statement to suppose"),
    ],
)
def test_what_if_refuses_what_it_does_not_understand(
    shop: Database, capsys: pytest.CaptureFixture[str], sql: str, message: str
) -> None:
    question = ["audit", "explain", shop.url(), "--who", "alice", "--can", "SELECT", "--on", "sales.orders"]
    assert run([*question, "--what-if", sql]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--who", "alise", "--can", "select", "--on", "sales.orders"], "Did you mean 'alice'?"),
        (["--who", "alice", "--can", "fly", "--on", "sales.orders"], "FLY is no action on table:"),
        (["--who", "alice", "--can", "select", "--on", "sales.nothing"], "there is no object sales.nothing"),
        (["--who", "alice", "--can", "select", "--on", "column:email"], "a column is named with its table"),
    ],
)
def test_questions_about_nothing(
    shop: Database, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert run(["audit", "explain", shop.url(), *words]) == 2
    assert message in capsys.readouterr().err


def test_columns_are_asked_about_whether_they_have_grants_or_not(
    shop: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    for column, who, code in (("email", "bob", 0), ("id", "bob", 1), ("id", "alice", 0)):
        words = ["--who", who, "--can", "select", "--on", f"column:sales.orders.{column}"]
        assert run(["audit", "explain", shop.url(), *words]) == code
    capsys.readouterr()


def test_who_and_access_and_matrix_agree(shop: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    who = asked(capsys, "audit", "who", shop.url(), "--can", "select", "--on", "sales.orders")
    assert {"alice", "app_read", "boss"} <= {one["principal"] for one in who["holders"]}
    alice = asked(capsys, "audit", "access", shop.url(), "--who", "alice")
    assert alice["inherits"] == ["app_read"]
    assert {"object": f"table:{shop.name}.sales.orders", "action": "SELECT"}.items() <= next(
        row for row in alice["rows"] if row["object"].endswith("orders")
    ).items()
    place = tmp_path / "matrix.csv"
    assert run(["audit", "matrix", shop.url(), "--who", "alice", "--kind", "table", "-o", str(place)]) == 0
    lines = list(csv.DictReader(io.StringIO(place.read_text(encoding="utf-8"))))
    assert {line["action"] for line in lines if line["object"].endswith("orders")} == {"SELECT"}
    assert {line["usable"] for line in lines if line["object"].endswith("orders")} == {"true"}
    assert asked(capsys, "audit", "matrix", shop.url(), "--who", "alice", "--kind", "table")["rows"]
    assert run(["audit", "matrix", shop.url(), "--kind", "tabel"]) == 2


def test_two_snapshots_are_compared(shop: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    place = tmp_path / "before.json"
    assert run(["audit", "snapshot", shop.url(), "-o", str(place)]) == 0
    assert asked(capsys, "audit", "diff", str(place), shop.url())["equal"] is True
    shop.sql("GRANT app_read TO bob; DROP TABLE sales.open; ALTER ROLE alice NOLOGIN")
    found = asked(capsys, "audit", "diff", str(place), shop.url(), code=1)
    assert [line for line in found["memberships"] if "bob in app_read" in line]
    assert f"- table:{shop.name}.sales.open" in found["objects"]
    deltas = {one["principal"]: one for one in found["deltas"]}
    assert f"SELECT on table:{shop.name}.sales.orders" in deltas["bob"]["gains"]
    assert "LOGIN" in deltas["alice"]["loses"]
    assert run(["audit", "diff", str(place), shop.url()]) == 1
    assert "no difference" not in capsys.readouterr().out


def test_a_file_that_is_no_snapshot(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    place = tmp_path / "x.json"
    place.write_text('{"schema": "dbops.access/9"}', encoding="utf-8")
    assert run(["audit", "diff", str(place), str(place)]) == 65
    assert "not a snapshot of access that this dbops can read" in capsys.readouterr().err


def test_the_catalogue_of_rules(capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys, "audit", "rules", "postgresql")
    assert len(found["rules"]) >= 8
    assert run(["audit", "rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "my.access.anonymous  [high]  mariadb, mysql" in lines
    assert "pg.access.superuser  [high]  postgresql" in lines
    assert len({line for line in lines if "[" in line}) == sum("[" in line for line in lines)
    assert run(["audit", "rules", "oracle"]) == 2
    assert "there is no engine 'oracle'" in capsys.readouterr().err
