"""PostgreSQL under the laws that need a server."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dbops.model.server import Endpoint, Server
from dbops.testing.live import LiveLaws, Place
from dbops.testing.servers import Database
from dbops_postgresql import backend as postgresql

SHOP = """
CREATE SCHEMA sales;
CREATE TABLE sales.orders (id int PRIMARY KEY, email text, status text);
CREATE TABLE sales.items (id serial PRIMARY KEY);
CREATE VIEW sales.open AS SELECT id FROM sales.orders;
CREATE FUNCTION sales.total(a int, b text) RETURNS int LANGUAGE sql AS 'SELECT 1';
INSERT INTO sales.orders SELECT n, n || '@example.org', 'open' FROM generate_series(1, 1000) n;
INSERT INTO sales.items DEFAULT VALUES;
"""


@pytest.mark.proves(
    "postgresql",
    "health",
    "access.inspect",
    "access.columns",
    "access.default_privileges",
    "users.apply",
    "backup.logical",
    "backup.physical",
    "verify.restore",
    "verify.fingerprints",
)
class TestPostgreSQL(LiveLaws):
    backend = postgresql
    written = "SELECT 1 FROM pg_class WHERE relname = 'dbops_law'"

    @pytest.fixture
    def place(self, database: Database) -> Database:
        return database

    def populate(self, place: Place) -> None:
        place.sql(SHOP)

    def spec(self, place: Place) -> str:
        name = place.name
        return f"""
dbops: users/1
manage:
  principals: [{name}_read, {name}_write, {name}_alice]
  databases: [{name}]
roles:
  {name}_read:
    grants:
      - {{ object: "schema:{name}.sales", can: [read] }}
      - {{ object: "table:{name}.sales.*", can: [select], future: true }}
      - {{ object: "table:{name}.sales.orders", can: [update], columns: [status] }}
  {name}_write:
    member_of: [{name}_read]
    grants:
      - {{ object: "table:{name}.sales.*", can: [insert, update], future: true }}
      - {{ object: "function:{name}.sales.total(integer, text)", can: [execute] }}
users:
  {name}_alice:
    member_of: [{name}_write]
    connection_limit: 5
"""

    def login(self, place: Place, server: Server, jobs: Sequence[str]) -> Endpoint:
        assert isinstance(place, Database)
        name = f"{place.name}_{jobs[0]}"
        place.server.login(name)
        place.sql(postgresql.grants(jobs, name, server.version))
        return place.endpoint(name)
