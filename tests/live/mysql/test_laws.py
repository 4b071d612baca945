"""MySQL and MariaDB under the laws that need a server."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dbops.model.server import Endpoint, Server
from dbops.testing.live import LiveLaws, Place
from dbops.testing.servers import Database
from dbops_mysql import mariadb, mysql

SHOP = """
CREATE TABLE orders (id int PRIMARY KEY, email varchar(100), status varchar(10));
CREATE TABLE items (id int AUTO_INCREMENT PRIMARY KEY, picture blob);
CREATE VIEW open AS SELECT id FROM orders WHERE status = 'open';
CREATE FUNCTION total(a int, b text) RETURNS int DETERMINISTIC NO SQL RETURN 1;
CREATE PROCEDURE tidy() DELETE FROM items WHERE picture IS NULL;
INSERT INTO orders VALUES (1, 'a@example.org', 'open'), (2, 'b@example.org', 'open'), (3, NULL, 'closed');
INSERT INTO items (picture) VALUES (x'00ff'), (NULL);
"""


class MySQLLaws(LiveLaws):
    written = "SELECT 1 FROM information_schema.tables WHERE table_name = 'dbops_law'"

    @pytest.fixture
    def place(self, mysql_database: Database) -> Database:
        return mysql_database

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
      - {{ object: "database:{name}", can: [read] }}
      - {{ object: "table:{name}.orders", can: [update], columns: [status] }}
  {name}_write:
    member_of: [{name}_read]
    grants:
      - {{ object: "table:{name}.orders", can: [insert, update] }}
      - {{ object: "routine:{name}.total", can: [execute] }}
users:
  {name}_alice:
    member_of: [{name}_write]
    hosts: ["10.0.%", localhost]
"""

    def login(self, place: Place, server: Server, jobs: Sequence[str]) -> Endpoint:
        assert isinstance(place, Database)
        name = f"{place.name}_{jobs[0]}"
        place.server.login(name)
        place.sql(self.backend.grants(jobs, f"'{name}'@'localhost'", server.version))
        return place.endpoint(name)


@pytest.mark.mysql(family="mysql")
@pytest.mark.proves(
    "mysql",
    "health",
    "access.inspect",
    "access.columns",
    "users.apply",
    "backup.logical",
    "backup.physical",
    "verify.restore",
    "verify.fingerprints",
)
class TestMySQL(MySQLLaws):
    backend = mysql

    def populate(self, place: Place) -> None:
        super().populate(place)
        if not place.sql("SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'clone'"):
            place.sql("INSTALL PLUGIN clone SONAME 'mysql_clone.so'")


@pytest.mark.mysql(family="mariadb")
@pytest.mark.proves(
    "mariadb",
    "health",
    "access.inspect",
    "access.columns",
    "users.apply",
    "backup.logical",
    "backup.physical",
    "verify.restore",
    "verify.fingerprints",
)
class TestMariaDB(MySQLLaws):
    backend = mariadb
