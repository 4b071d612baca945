"""The whole matrix of access, as a process, beside what else there is.

On PostgreSQL the server's own function is asked for every cell. On MySQL and MariaDB the peer is pt-show-grants, which
lists the grants of every account and says of none what it comes to.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dbops.testing.mysql import Series
from dbops.testing.servers import ThrowawayServer

MAKE = """
SELECT setseed(0.5);
DO $make$
BEGIN
  FOR n IN 1..{roles} LOOP
    EXECUTE format('CREATE ROLE r%s %s', n, CASE WHEN n % 2 = 0 THEN 'LOGIN' ELSE '' END);
    IF n > 10 THEN
      EXECUTE format('GRANT r%s TO r%s', 1 + (n * 7) % 10, n);
      EXECUTE format('GRANT r%s TO r%s', 1 + (n * 3) % (n - 1), n);
    END IF;
  END LOOP;
  EXECUTE 'GRANT USAGE ON SCHEMA public TO PUBLIC';
END $make$;
"""
# In pieces: each table and grant holds a lock until its transaction ends.
TABLES = """
DO $make$
BEGIN
  FOR n IN {first}..{last} LOOP
    EXECUTE format('CREATE TABLE t%s (id int)', n);
    EXECUTE (
      SELECT format('GRANT SELECT, INSERT ON t%s TO %s', n,
                    string_agg('r' || (1 + (n * 31 + g * 17) % {roles}), ','))
      FROM generate_series(1, 10) g);
  END LOOP;
END $make$
"""
CELLS = """
SELECT count(*) FILTER (WHERE has_table_privilege(r.oid, c.oid, p))
FROM pg_roles r, pg_class c,
     unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""


# Any: the fixture's own types live in a conftest, which cannot be imported.
@pytest.mark.postgres(newest=True)
@pytest.mark.parametrize("size", [(200, 100, 5), (2000, 1000, 3)], ids=["200x100", "2000x1000"])
def test_matrix(
    private_postgres: Callable[..., ThrowawayServer],
    race: Callable[..., Any],
    dbops: list[str],
    tmp_path: Path,
    size: tuple[int, int, int],
) -> None:
    tables, roles, rounds = size
    server = private_postgres()
    server.sql(MAKE.format(roles=roles))
    for first in range(1, tables, 500):
        server.sql(TABLES.format(first=first, last=min(first + 499, tables), roles=roles))
    url = server.url()
    race(
        f"who may do what: {tables} tables x {roles} roles",
        {
            "psql, has_table_privilege for every cell": ["psql", "-XqAt", "-d", url, "-c", CELLS],
            "dbops audit matrix (every row, to a file)": [
                *dbops, "audit", "matrix", url, "--kind", "table", "-o", str(tmp_path / "matrix.csv"),
            ],
            "dbops audit snapshot": [*dbops, "audit", "snapshot", url, "-o", str(tmp_path / "snapshot.json")],
            "dbops audit run": [*dbops, "audit", "run", url],
        },
        rounds=rounds,
    )  # fmt: skip
    with (tmp_path / "matrix.csv").open(encoding="utf-8") as file:
        print(f"  rows: {sum(1 for _ in file) - 1:,}")


ACCOUNTS, ROLES, DATABASES, TABLES_EACH = 5000, 100, 50, 10
# As if each had the same password: to seal 5,000 of them takes a server longer than all that is measured here.
SEALED = {
    "mysql": "IDENTIFIED WITH caching_sha2_password AS '$A$005$" + 20 * "s" + 43 * "d" + "'",
    "mariadb": "IDENTIFIED BY PASSWORD '*" + 40 * "7" + "'",
}
DEFAULT = {"mysql": "TO", "mariadb": "FOR"}
PIECE = 500


# Any: the fixture's own types live in a conftest, which cannot be imported.
@pytest.mark.mysql(newest=True)
def test_matrix_where_rows_are_matched(
    private_mysql: Callable[..., ThrowawayServer],
    mysql_series: Series,
    race: Callable[..., Any],
    dbops: list[str],
    tmp_path: Path,
) -> None:
    server = private_mysql(skip_log_bin="ON")
    statements = list(_accounts_and_grants(mysql_series.family))
    for first in range(0, len(statements), PIECE):
        server.sql(";\n".join(statements[first : first + PIECE]))
    url, out = server.url(), str(tmp_path / "out")
    commands = {
        "dbops audit snapshot": [*dbops, "audit", "snapshot", url, "-o", out],
        "dbops audit run": [*dbops, "audit", "run", url],
        "dbops audit who": [*dbops, "audit", "who", url, "--can", "select", "--on", "table:db_1.t1"],
        "dbops audit matrix (every row, to a file)": [*dbops, "audit", "matrix", url, "-o", out],
    }
    if shutil.which("pt-show-grants"):
        peer = _pt_show_grants(server, tmp_path / "my.cnf")
        commands = {"pt-show-grants (lists, decides nothing)": peer, **commands}
    title = f"{mysql_series.label}: {ACCOUNTS:,} accounts, {ROLES} roles, {4 * ACCOUNTS:,} grants of rights"
    race(title, commands, rounds=3)
    with Path(out).open(encoding="utf-8") as file:
        print(f"  rows: {sum(1 for _ in file) - 1:,}")


def _pt_show_grants(server: ThrowawayServer, options: Path) -> list[str]:
    """By a file, since a password in its arguments could be read by everybody."""
    at = urlsplit(server.url())
    options.touch(mode=0o600)
    options.write_text(f"[client]\nhost={at.hostname}\nport={at.port}\nuser={at.username}\npassword={at.password}\n")
    return ["pt-show-grants", f"--defaults-file={options}"]


def _accounts_and_grants(engine: str) -> Iterator[str]:
    """Accounts at three kinds of hosts, half of them with a role; rights on databases, patterns, tables, columns."""
    for d in range(DATABASES):
        yield f"CREATE DATABASE db_{d}"
        yield from (f"CREATE TABLE db_{d}.t{t} (id int PRIMARY KEY, n int)" for t in range(TABLES_EACH))
    for r in range(ROLES):
        yield f"CREATE ROLE r{r}"
        yield rf"GRANT SELECT ON `db\_{r % DATABASES}`.* TO r{r}"
        if r:
            yield f"GRANT r{r // 3} TO r{r}"
    yield f"CREATE USER {', '.join(f'{_account(n)} {SEALED[engine]}' for n in range(ACCOUNTS))}"
    # One statement for all who get the same: each has to sort what the server has in memory.
    rights: dict[str, list[str]] = {}
    for n in range(ACCOUNTS):
        for right in _rights(n):
            rights.setdefault(right, []).append(_account(n))
    yield from (f"GRANT {right} TO {', '.join(who)}" for right, who in rights.items())
    for n in range(1, ACCOUNTS, 2):
        yield f"SET DEFAULT ROLE r{n % ROLES} {DEFAULT[engine]} {_account(n)}"


def _account(n: int) -> str:
    return f"u{n}@'{('%', f'10.{n % 250}.%', 'localhost')[n % 3]}'"


def _rights(n: int) -> Iterator[str]:
    yield rf"SELECT, INSERT ON `db\_{n % DATABASES}`.*"
    yield f"SELECT ON `db_{n % 7}%`.*"
    yield f"UPDATE ON db_{n * 7 % DATABASES}.t{n % TABLES_EACH}"
    yield f"INSERT (n) ON db_{n * 3 % DATABASES}.t{n * 3 % TABLES_EACH}"
    if n % 2:
        yield f"r{n % ROLES}"
