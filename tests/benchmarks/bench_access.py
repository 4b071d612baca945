"""The whole matrix of access, as a process, beside the server's own function asked for every cell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
