"""Servers with content worth losing, the login that makes backups, and a workspace for both."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from dbops import Workspace, own_server
from dbops.config import parse
from dbops.host import LocalHost
from dbops.secrets import Secrets
from dbops.session import connect
from dbops.spi import Backend, Runtime
from dbops.testing.lend import lent
from dbops.testing.mysql import Series
from dbops.testing.servers import Installation, ThrowawayServer
from dbops_mysql import mariadb, mysql
from dbops_mysql.grants import grants
from dbops_mysql.installation import server_user

HOSTILE = "odd `name'\" 50%_é"
LOGIN = "backup login"
QUOTED = "`" + HOSTILE.replace("`", "``") + "`"
# What is built into the files is not what a server would take by itself.
SETTINGS = {"innodb_page_size": "8k", "lower_case_table_names": "1", "log_bin": "binlog", "server_id": "7"}
SHOP = f"""
CREATE DATABASE shop;
CREATE TABLE shop.orders (id int AUTO_INCREMENT PRIMARY KEY, note varchar(200), picture longblob, KEY (note));
INSERT INTO shop.orders (note, picture) VALUES ('one', REPEAT(x'00ff', 20000)), ('two', NULL), ('three', x'5c27');
INSERT INTO shop.orders (note) SELECT CONCAT(a.note, b.note, c.note) FROM shop.orders a, shop.orders b, shop.orders c;
CREATE VIEW shop.open AS SELECT id FROM shop.orders;
CREATE PROCEDURE shop.tidy() DELETE FROM shop.orders WHERE note IS NULL;
CREATE TRIGGER shop.t BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.note = TRIM(NEW.note);
CREATE EVENT shop.nightly ON SCHEDULE EVERY 1 SECOND DO DELETE FROM shop.orders;
CREATE DATABASE {QUOTED};
CREATE TABLE {QUOTED}.{QUOTED} (a int PRIMARY KEY);
INSERT INTO {QUOTED}.{QUOTED} VALUES (1), (2);
"""
OTHERS = """
CREATE TABLE shop.loose (a int) ENGINE=MyISAM; INSERT INTO shop.loose VALUES (1);
CREATE TABLE shop.crash (a int) ENGINE=Aria TRANSACTIONAL=1; INSERT INTO shop.crash VALUES (2);
CREATE TABLE shop.lines (a int NOT NULL) ENGINE=CSV; INSERT INTO shop.lines VALUES (3);
CREATE ROLE reader; GRANT SELECT ON shop.* TO reader;
"""
BACKENDS: dict[str, Backend] = {"mysql": mysql, "mariadb": mariadb}
INSTALL = "INSTALL PLUGIN clone SONAME 'mysql_clone.so'"


def fill(server: ThrowawayServer, family: str) -> None:
    """Databases with everything that a server can hold, and the login."""
    server.sql(SHOP)
    server.sql(OTHERS if family == "mariadb" else INSTALL)
    server.login(LOGIN)
    server.sql(grants(family, ["backup"], f"'{LOGIN}'@'localhost'", server.version))


@pytest.fixture(scope="session")
def whole(mysql_series: Series, mysql_installation: Installation) -> Iterator[ThrowawayServer]:
    """A server to be copied, shared: leave it as it is."""
    with lent(mysql_series.family, mysql_installation, SETTINGS) as server:
        fill(server, mysql_series.family)
        server.restart()  # what was written is in its files now, and no longer in the log alone
        yield server


@pytest.fixture
def short() -> Iterator[Path]:
    """A place that a server's user can pass through."""
    place = Path(tempfile.mkdtemp(prefix="dbops-t-", dir=own_server.temporary_directory(server_user())))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[..., Workspace]:
    """``workspace(server)``: the server as target ``shop``, reached by the backup login; a repository of its own."""

    def make(server: ThrowawayServer, *, recipients: str = "", identity: str = "", staging: str = "") -> Workspace:
        endpoint = server.endpoint(LOGIN)
        text = f"""
            [defaults]
            repository = "main"
            [repositories.main]
            url = "file://{tmp_path / "repository"}"
            {f'encrypt_to = ["{recipients}"]' if recipients else ""}
            {f'identity = "{identity}"' if identity else ""}
            [targets.shop]
            url = "{endpoint.engine}://{LOGIN.replace(" ", "%20")}@{endpoint.host}:{endpoint.port}/"
            password = "{endpoint.password}"
            timeout = "20s"
            [targets.shop.backup]
            staging = "{staging}"
        """
        return Workspace(parse(text))

    return make


class Lent:
    """What execution lends to a door."""

    def __init__(self, backend: Backend, place: Path) -> None:
        self.host = LocalHost()
        self.told: list[str] = []
        self._backend, self._place = backend, place
        self.secret = Secrets().resolve

    def progress(self, what: str, _done: int, _of: int | None) -> None:
        self.told.append(what)

    def reader(self, endpoint: object) -> object:
        return connect(self._backend, endpoint, resolve=self.secret, timeout_s=20)  # type: ignore[arg-type]  # an Endpoint

    def workdir(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._place))


@pytest.fixture
def runtime(mysql_series: Series, tmp_path: Path) -> Runtime:
    return cast(Runtime, Lent(BACKENDS[mysql_series.family], tmp_path))
