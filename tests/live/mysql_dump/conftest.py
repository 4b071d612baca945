"""A server whose every setting is odd, with everything that a database can hold, and the login that makes dumps."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from dbops import Workspace
from dbops.config import parse
from dbops.host import LocalHost
from dbops.model.server import Endpoint
from dbops.secrets import Secrets
from dbops.session import connect
from dbops.spi import Backend, Runtime
from dbops.testing.lend import lent
from dbops.testing.mysql import Series
from dbops.testing.servers import Installation, ThrowawayServer
from dbops_mysql import mariadb, mysql

HOSTILE = "-odd `name'\" 50%_é漢"
QUOTED = "`" + HOSTILE.replace("`", "``") + "`"
LOGIN = "dump login"
BACKENDS: dict[str, Backend] = {"mysql": mysql, "mariadb": mariadb}
ODD = {
    "sql_mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT",
    "character_set_server": "utf8mb3",
    "collation_server": "utf8mb3_general_ci",
    "default_time_zone": "+05:00",
    "log_bin": "binlog",
    "server_id": "7",
    "event_scheduler": "OFF",
}
SHOP = f"""
CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
USE shop;
CREATE TABLE orders (
  id bigint unsigned AUTO_INCREMENT PRIMARY KEY, note varchar(200), price decimal(12,2), ratio double, rough float,
  placed timestamp(6) NULL, day date, bits bit(9), picture longblob, few binary(4), text_ longtext, doc json,
  place geometry, size_ enum('a','b'), tags set('x','y'), twice decimal(20,2) GENERATED ALWAYS AS (price * 2) STORED,
  thrice decimal(20,2) GENERATED ALWAYS AS (price * 3) VIRTUAL, old varchar(20) CHARACTER SET latin1, `a``b%` int,
  KEY (note)
);
INSERT INTO orders (note, price, ratio, rough, placed, day, bits, picture, few, text_, doc, place, size_, tags, old)
VALUES ('one', 1.10, 0.1, 1.5, '2026-03-29 01:30:00.123456', '0999-12-31', b'101010101', x'00ff27225c0a', x'00',
        CONCAT('line', CHAR(10), 'o''clock "x" ', CHAR(92)), '{{"b": 1.0, "a": [null, "é"]}}',
        ST_GeomFromText('POINT(1 2)'), 'a', 'x,y', 'é'),
       (NULL, NULL, 1e300, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, '', ''),
       ('', 0, -0.0, 0, '1970-01-01 00:00:01', '1000-01-01', b'0', '', '', REPEAT('long ', 2000), '[]', NULL, 'b', 'y',
        'x');
INSERT INTO orders (note, price) SELECT CONCAT(a.note, b.id), a.price FROM orders a, orders b, orders c, orders d;
CREATE TABLE lines_ (id int PRIMARY KEY, order_id bigint unsigned, FOREIGN KEY (order_id) REFERENCES orders (id));
INSERT INTO lines_ VALUES (1, 1), (2, 2);
CREATE TABLE loose (a int) ENGINE=MyISAM; INSERT INTO loose VALUES (1), (2);
CREATE TABLE twins (a int, b varchar(10)); INSERT INTO twins VALUES (1, 'x'), (1, 'x'), (1, NULL), (NULL, '');
CREATE TABLE parts (id int) PARTITION BY RANGE (id)
  (PARTITION p0 VALUES LESS THAN (5), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parts VALUES (1), (7);
CREATE VIEW open_orders AS SELECT id, note FROM orders WHERE note <> '';
CREATE VIEW nested AS SELECT id FROM open_orders;
CREATE DATABASE {QUOTED} CHARACTER SET latin1;
CREATE TABLE {QUOTED}.{QUOTED} (a int PRIMARY KEY, `"` text);
INSERT INTO {QUOTED}.{QUOTED} VALUES (1, 'x'), (2, 'é');
CREATE VIEW {QUOTED}.across AS SELECT id FROM shop.nested;
CREATE DATABASE nothing;
CREATE USER 'app''s'@'10.%' IDENTIFIED BY 'secret of the app';
GRANT SELECT, INSERT (id) ON shop.lines_ TO 'app''s'@'10.%';
CREATE ROLE reader; GRANT SELECT ON shop.* TO reader; GRANT reader TO 'app''s'@'10.%';
"""
# Each by itself: of several statements in one go MySQL would keep the semicolon.
PROGRAMS = (
    "CREATE FUNCTION shop.total(a int) RETURNS int DETERMINISTIC NO SQL RETURN a /* kept */ + 1",
    "CREATE PROCEDURE shop.tidy() DELETE FROM lines_ WHERE id < 0",
    "CREATE TRIGGER trim_note BEFORE INSERT ON lines_ FOR EACH ROW SET NEW.id = NEW.id + 0",
    "CREATE EVENT shop.nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM shop.lines_ WHERE id < 0",
    "GRANT EXECUTE ON FUNCTION shop.total TO 'app''s'@'10.%'",
)
OWN = {
    "mysql": """
        ALTER USER 'app''s'@'10.%' DEFAULT ROLE reader;
        ALTER USER 'app''s'@'10.%' ATTRIBUTE '{"team": "it''s \\\\ ours"}';
        CREATE TABLE shop.hidden_key (a int, b int INVISIBLE); INSERT INTO shop.hidden_key (a, b) VALUES (1, 2);
    """,
    "mariadb": """
        SET DEFAULT ROLE reader FOR 'app''s'@'10.%';
        CREATE SEQUENCE shop.numbers INCREMENT BY 2 CACHE 5; SELECT NEXTVAL(shop.numbers);
        CREATE TABLE shop.history (a int, v int AS (a + 1) VIRTUAL) WITH SYSTEM VERSIONING;
        INSERT INTO shop.history (a) VALUES (1); UPDATE shop.history SET a = 2;
        CREATE TABLE shop.own (i inet6, u uuid); INSERT INTO shop.own VALUES ('::1', UUID());
    """,
}


def fill(server: ThrowawayServer, family: str) -> None:
    """Everything, and the login that `dbops grants` describes."""
    server.sql(SHOP)
    for statement in PROGRAMS:
        server.sql(statement, database="shop")
    server.sql(OWN[family])
    login(server, family)


def login(server: ThrowawayServer, family: str) -> None:
    """Exactly what `dbops grants --for backup` gives."""
    server.login(LOGIN)
    server.sql(BACKENDS[family].grants(["backup"], f"'{LOGIN}'@'localhost'", server.version))


@pytest.fixture(scope="module")
def shop(mysql_series: Series, mysql_installation: Installation) -> Iterator[ThrowawayServer]:
    """Shared by a module: what a test makes there it takes away."""
    with lent(mysql_series.family, mysql_installation, ODD) as server:
        fill(server, mysql_series.family)
        yield server


@pytest.fixture(scope="module")
def bare(mysql_series: Series, mysql_installation: Installation) -> Iterator[ThrowawayServer]:
    """An empty server to restore into, shared by a module."""
    with lent(mysql_series.family, mysql_installation, {"log_bin": "binlog"}) as server:
        yield server


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[..., Workspace]:
    """``workspace(server)``: the server as target ``shop``, reached by the backup login; a repository of its own."""

    def make(
        server: ThrowawayServer, *, recipients: str = "", identity: str = "", repository: str = "", query: str = ""
    ) -> Workspace:
        endpoint = server.endpoint(LOGIN)
        text = f"""
            [defaults]
            repository = "main"
            [repositories.main]
            url = "file://{repository or tmp_path / "repository"}"
            {f'encrypt_to = ["{recipients}"]' if recipients else ""}
            {f'identity = "{identity}"' if identity else ""}
            [targets.shop]
            url = "{endpoint.engine}://{LOGIN.replace(" ", "%20")}@{endpoint.host}:{endpoint.port}/{query}"
            password = "{endpoint.password}"
            timeout = "20s"
        """
        return Workspace(parse(text))

    return make


class Lent:
    """What execution lends to a door."""

    def __init__(self, backend: Backend, place: Path) -> None:
        self.host = LocalHost()
        self.secret = Secrets().resolve
        self._backend, self._place = backend, place

    def progress(self, what: str, done: int, of: int | None) -> None:
        """Nobody looks."""

    def reader(self, endpoint: Endpoint) -> Any:  # Any: a context manager of a reader
        return connect(self._backend, endpoint, resolve=self.secret, timeout_s=20)

    def workdir(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._place))


@pytest.fixture
def runtime(mysql_series: Series, tmp_path: Path) -> Runtime:
    return cast(Runtime, Lent(BACKENDS[mysql_series.family], tmp_path))
