"""What a login is not shown is said, with the right that would show it; never taken for "nothing there"."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbops import registry
from dbops.config import Config
from dbops.errors import NotPermitted
from dbops.model.access import AccessSnapshot, Scope
from dbops.operations import access
from dbops.operations.workspace import Workspace
from dbops.secrets import Secrets
from dbops.session import connect
from dbops.state import State
from dbops.testing.servers import Database
from dbops_mysql.quoting import identifier
from dbops_mysql.throwaway import MySQLServer

CODE = """
CREATE TABLE t (a int);
CREATE VIEW v AS SELECT a FROM t;
CREATE PROCEDURE p() SELECT 1;
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @x = 1;
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1;
"""


@pytest.fixture
def place(mysql_database: Database) -> Database:
    mysql_database.sql(CODE)
    return mysql_database


def engine(place: Database) -> str:
    assert isinstance(place.server, MySQLServer)
    return place.server.engine


def login(place: Database, *rights: str) -> str:
    name = f"{place.name}_eye"
    place.server.login(name)
    for right in rights:
        place.sql(f"GRANT {right} TO {identifier(name)}@localhost")
    return name


def seen(place: Database, user: str) -> AccessSnapshot:
    backend = registry.backend(engine(place))
    with connect(backend, place.server.endpoint(user), resolve=Secrets().resolve, timeout_s=30) as reader:
        return backend.access.inspect(reader, backend.probe(reader), Scope())


def test_the_documented_login_is_shown_everything_but_queries(place: Database) -> None:
    name = f"{place.name}_eye"
    place.server.login(name)
    backend = registry.backend(engine(place))
    place.sql(backend.grants(["audit"], f"'{name}'@'localhost'", place.server.version))
    found, all_of_it = seen(place, name), seen(place, "root")
    assert (found.databases_missing, found.kinds_missing) == ({}, {})
    here = [one for one in found.objects if one.database == place.name]
    whole = [one for one in all_of_it.objects if one.database == place.name]
    assert [(one.kind, one.path, one.runs_as) for one in here] == [(one.kind, one.path, one.runs_as) for one in whole]
    assert [one.flags for one in here if one.kind == "view"] == [("unread",)]
    assert [len(one.reads) for one in whole if one.kind == "view"] == [1]


def test_a_login_that_sees_the_grant_tables_alone(place: Database) -> None:
    name = login(place, "SELECT ON mysql.*")
    found = seen(place, name)
    assert set(found.kinds_missing) == {
        "database",
        "trigger",
        *(("routine", "event") if engine(place) == "mysql" else ()),
    }
    why = found.kinds_missing["database"]
    assert why.reason == "no_permission"
    assert why.detail == f"this login is not shown all databases: GRANT SHOW DATABASES ON *.* TO {name}@localhost"


def test_a_login_that_sees_databases_and_not_what_is_inside(place: Database) -> None:
    name = login(place, "SELECT ON mysql.*", "SHOW DATABASES ON *.*")
    found = seen(place, name)
    assert "database" not in found.kinds_missing
    assert found.databases_missing[place.name].detail == (
        f"this login is not shown all tables: GRANT REFERENCES ON *.* TO {name}@localhost"
    )


def test_a_login_without_the_grant_tables_is_refused_with_what_it_needs(place: Database, tmp_path: Path) -> None:
    name = login(place, "SHOW DATABASES ON *.*")
    ws = Workspace(Config(), state=State(tmp_path, clock=lambda: datetime.now(UTC)))
    with pytest.raises(NotPermitted, match="the grant tables cannot be read") as raised:
        access.snapshot(ws, place.server.url(name))
    assert raised.value.hint.endswith(f"at the least: GRANT SELECT ON mysql.* TO {name}@localhost")
    assert raised.value.reason == "no_permission"


def test_an_audit_says_what_was_not_read(place: Database, tmp_path: Path) -> None:
    name = login(place, "SELECT ON mysql.*")
    ws = Workspace(Config(), state=State(tmp_path, clock=lambda: datetime.now(UTC)))
    report = access.audit(ws, place.server.url(name))
    assert "this login is not shown all triggers" in report.kinds_missing["trigger"]
