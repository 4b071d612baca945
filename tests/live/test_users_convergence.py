"""Laws of provisioning: one apply is enough, an export plans to nothing, hostile names are only names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbops import yaml
from dbops.config import Config
from dbops.operations import users
from dbops.operations.workspace import Workspace
from dbops.state import State
from dbops.testing.servers import Database

HOSTILE = (
    'we"ird',
    "back\\slash",
    "per%cent %(x)s",
    "a.dot",
    '"; drop table x; --',
    "ünïcödé 漢字",
    "o'clock",
    "x" * 63,
    "é" * 31,
    "$$ $1 :name",
    "UPPER",
    " leading and trailing ",
)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(Config(), state=State(tmp_path, clock=lambda: datetime.now(UTC)))


def target(database: Database) -> str:
    return database.url()


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(name: str) -> str:
    return "E'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


SHOP = """
CREATE SCHEMA sales;
CREATE TABLE sales.orders (id int PRIMARY KEY, email text, status text, note text);
CREATE TABLE sales.items (id serial PRIMARY KEY);
CREATE VIEW sales.open AS SELECT id FROM sales.orders;
CREATE FUNCTION sales.total(a int, b text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE sales.mood AS ENUM ('ok');
"""


def spec(database: str, names: tuple[str, str, str, str]) -> str:
    reader, writer, owner, person = names
    return yaml.dump(
        {
            "dbops": "users/1",
            "manage": {"principals": list(names), "databases": [database]},
            "profiles": {
                "support": [
                    {"object": f"table:{database}.sales.orders", "can": ["select"], "columns": ["id", "status"]},
                    {"object": f"table:{database}.sales.orders", "can": ["update"], "columns": ["status", "note"]},
                ]
            },
            "roles": {
                reader: {
                    "grants": [
                        {"object": f"database:{database}", "can": ["read"]},
                        {"object": f"schema:{database}.sales", "can": ["read"]},
                        {"object": f"table:{database}.sales.*", "can": ["select"], "future": True},
                    ]
                },
                writer: {
                    "member_of": [reader],
                    "grants": [
                        {"object": f"table:{database}.sales.*", "can": ["write"], "future": True},
                        {"object": f"sequence:{database}.sales.*", "can": ["usage"], "future": True},
                        {"object": f"function:{database}.sales.total(integer, text)", "can": ["execute"]},
                        {"object": f"type:{database}.sales.mood", "can": ["usage"], "grantable": True},
                    ],
                },
                owner: {"owns": [f"schema:{database}.sales", f"table:{database}.sales.*"]},
            },
            "users": {
                person: {
                    "member_of": [{"role": writer, "admin": True}],
                    "profiles": ["support"],
                    "connection_limit": 5,
                    "valid_until": "2030-01-01",
                    "attributes": ["createdb"],
                }
            },
        }
    )


def test_one_apply_is_enough(database: Database, ws: Workspace) -> None:
    database.sql(SHOP)
    text = spec(database.name, ("app_read", "app_write", "app_owner", "alice"))
    answer, _ = users.plan(ws, text, target(database))
    assert answer.status == "drift"
    assert {delta.principal for delta in answer.access_delta} >= {"app_read", "app_write", "alice"}
    users.apply(ws, text, target(database))
    again, _ = users.plan(ws, text, target(database))
    assert [step.sql for step in again.steps] == []
    assert again.status == "in_sync"


@pytest.mark.parametrize("start", range(0, len(HOSTILE), 4))
def test_hostile_names_are_only_names(database: Database, ws: Workspace, start: int) -> None:
    database.sql(SHOP)
    names = HOSTILE[start : start + 4]
    text = spec(database.name, (names[0], names[1], names[2], names[3]))
    users.apply(ws, text, target(database))
    assert users.plan(ws, text, target(database))[0].steps == ()
    for name in names:
        assert database.sql(f"SELECT rolname FROM pg_roles WHERE rolname = {literal(name)}") == [(name,)]
    exported = users.export(ws, target(database), databases=[database.name])
    assert users.plan(ws, exported, target(database))[0].steps == ()


def test_hostile_objects_are_only_names(database: Database, ws: Workspace) -> None:
    for number, name in enumerate(HOSTILE):
        schema, table = quoted(name), quoted(HOSTILE[-number - 1])
        database.sql(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.{table} (i int, {schema} int)")
        database.sql(f"CREATE FUNCTION {schema}.{table}(i int) RETURNS int LANGUAGE sql AS 'SELECT 1'")
    database.sql("CREATE ROLE bob")
    for name in HOSTILE:
        database.sql(f"GRANT USAGE ON SCHEMA {quoted(name)} TO bob")
        database.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA {quoted(name)} TO bob")
        database.sql(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {quoted(name)} TO bob")
    exported = users.export(ws, target(database), principals=["bob"], databases=[database.name])
    assert users.plan(ws, exported, target(database))[0].steps == ()
    gone = yaml.load(exported, "x").value
    gone["roles"]["bob"] = {}
    users.apply(ws, yaml.dump(gone), target(database))
    assert users.plan(ws, yaml.dump(gone), target(database))[0].steps == ()
    users.apply(ws, exported, target(database))
    assert users.plan(ws, exported, target(database))[0].steps == ()
