"""A server with content worth losing, the login that `dbops grants` describes for backups, and a workspace for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dbops import Workspace
from dbops.config import parse
from dbops.own_server import temporary_directory
from dbops.testing.servers import ThrowawayServer
from dbops_postgresql.grants import grants
from dbops_postgresql.installation import server_user

HOSTILE = '"; drop table x; -- 50% é'
LOGIN = "backup login"

SHOP = """
CREATE EXTENSION pg_trgm;
CREATE SCHEMA sales;
CREATE SCHEMA "odd "".schema%";
CREATE TABLE sales.customers (
  id serial PRIMARY KEY, name text NOT NULL, born date, balance numeric(12, 2), price float8
);
INSERT INTO sales.customers (name, born, balance, price)
SELECT 'name ' || g, '1970-01-01'::date + g % 9000, g * 1.1, g / 3.0 FROM generate_series(1, 3000) g;
CREATE INDEX customers_name ON sales.customers USING gin (name gin_trgm_ops);
CREATE TABLE sales.orders (id bigint, at timestamptz, what jsonb) PARTITION BY RANGE (id);
CREATE TABLE sales.orders_1 PARTITION OF sales.orders FOR VALUES FROM (0) TO (500);
CREATE TABLE sales.orders_2 PARTITION OF sales.orders FOR VALUES FROM (500) TO (5000);
INSERT INTO sales.orders SELECT g, '2026-01-01Z'::timestamptz + g * interval '1 minute', '{"b": 1, "a": [1.50]}'
FROM generate_series(1, 1000) g;
CREATE TABLE "odd "".schema%"."table '\\ ☃" ("col""umn%" bytea, twice int);
INSERT INTO "odd "".schema%"."table '\\ ☃" VALUES ('\\x00ff', 1), ('\\x00ff', 1), (NULL, NULL);
CREATE TABLE no_columns (); INSERT INTO no_columns DEFAULT VALUES;
CREATE VIEW sales.rich AS SELECT * FROM sales.customers WHERE balance > 1000;
CREATE MATERIALIZED VIEW sales.summary AS SELECT count(*) FROM sales.orders;
CREATE FUNCTION sales.total() RETURNS numeric LANGUAGE sql AS 'SELECT sum(balance) FROM sales.customers';
CREATE TABLE sales.secret (owner text, what text);
INSERT INTO sales.secret VALUES ('somebody', 'hidden');
ALTER TABLE sales.secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE sales.secret FORCE ROW LEVEL SECURITY;
SELECT lo_from_bytea(0, '\\x000102'), lo_from_bytea(0, repeat('large', 2000)::bytea);
"""


@pytest.fixture
def tablespace(postgres_major: int) -> Iterator[Path]:
    """An empty directory that a server's user can write to."""
    import tempfile

    place = Path(tempfile.mkdtemp(prefix="dbops-tablespace-", dir=temporary_directory(server_user())))
    user = server_user()
    if user is not None:
        shutil.chown(place, user)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def shop(private_postgres: Callable[..., ThrowawayServer], tablespace: Path) -> ThrowawayServer:
    """Several databases, a tablespace, roles; hostile names wherever a name can be."""
    server = private_postgres()
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    server.sql(f"CREATE TABLESPACE fast LOCATION '{tablespace}'")
    server.sql(f"CREATE ROLE {quoted}; CREATE ROLE readers; GRANT readers TO {quoted}; CREATE ROLE locked NOLOGIN")
    server.sql(f"CREATE DATABASE {quoted} OWNER {quoted}")
    server.sql("CREATE DATABASE shop")
    server.sql("ALTER DATABASE shop SET search_path = sales, public; ALTER DATABASE shop SET work_mem = '5MB'")
    server.sql(SHOP, database="shop")
    server.sql("CREATE TABLE sales.fast (a int) TABLESPACE fast; INSERT INTO sales.fast VALUES (7)", database="shop")
    server.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)", database=HOSTILE)
    server.sql(
        f"GRANT SELECT ON ALL TABLES IN SCHEMA sales TO readers; ALTER TABLE sales.orders OWNER TO {quoted}",
        database="shop",
    )
    login(server)
    return server


def login(server: ThrowawayServer) -> None:
    """Exactly what `dbops grants postgresql --for backup` gives."""
    server.login(LOGIN)
    names = server.sql("SELECT datname FROM pg_database WHERE datallowconn")
    for (name,) in names:
        server.sql(grants(["backup"], LOGIN, server.major), database=name)


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[..., Workspace]:
    """``workspace(server)``: the server as target ``shop``, reached by the backup login; a repository of its own."""

    def make(server: ThrowawayServer, *, recipients: str = "", identity: str = "", tools: str = "") -> Workspace:
        endpoint = server.endpoint(LOGIN)
        text = f"""
            [defaults]
            repository = "main"
            [repositories.main]
            url = "file://{tmp_path / "repository"}"
            {f'encrypt_to = ["{recipients}"]' if recipients else ""}
            {f'identity = "{identity}"' if identity else ""}
            [targets.shop]
            url = "postgresql://{LOGIN.replace(" ", "%20")}@{endpoint.host}:{endpoint.port}/postgres"
            password = "{endpoint.password}"
            [targets.shop.verify]
            tools = "{tools}"
        """
        return Workspace(parse(text))

    return make
