"""Fingerprints are equal exactly when rows are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from dbops.secrets import Secrets
from dbops.spi import Runtime
from dbops.testing.servers import Database
from dbops_postgresql.backup.fingerprint import measure

WIDE = 1500
MANY = ", ".join(f"c{number} int DEFAULT {number}" for number in range(WIDE))
ANY_TYPE = """
CREATE TYPE pair AS (a int, b text);
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN short AS text CHECK (length(VALUE) < 9);
CREATE TABLE odd (p pair, m mood, d short, j json, l int[], at point, c char(5), n "char", "a ""{}% name" bytea);
INSERT INTO odd VALUES (ROW(NULL, NULL), 'sad', 'x', '{"a": 1}', '{1,NULL}', '(1,2)', 'a', 'z', '\\x00');
INSERT INTO odd DEFAULT VALUES;
CREATE TABLE same (LIKE odd);
INSERT INTO same SELECT * FROM odd;
"""


def prints(database: Database) -> dict[str, str]:
    """The hash of each table, by its name."""
    runtime = cast(Runtime, SimpleNamespace(secret=Secrets().resolve))
    found = measure({"database": database.name}, database.endpoint(), runtime)
    return {one.name.removeprefix("public."): one.hash for one in found if one.kind == "table"}


def test_a_value_in_another_row_or_column_is_another_content(database: Database) -> None:
    database.sql(
        "CREATE TABLE one (a text, b text); INSERT INTO one VALUES ('1', '2'), ('3', '4');"
        "CREATE TABLE crossed (a text, b text); INSERT INTO crossed VALUES ('1', '4'), ('3', '2');"
        "CREATE TABLE turned (a text, b text); INSERT INTO turned VALUES ('2', '1'), ('4', '3')"
    )
    found = prints(database)
    assert len(set(found.values())) == 3, found


def test_null_is_neither_the_empty_text_nor_in_another_column(database: Database) -> None:
    database.sql(
        "CREATE TABLE first (a text, b text); INSERT INTO first VALUES (NULL, 'x');"
        "CREATE TABLE second (a text, b text); INSERT INTO second VALUES ('x', NULL);"
        "CREATE TABLE empty (a text, b text); INSERT INTO empty VALUES ('', 'x');"
        "CREATE TABLE nothing (a text, b text); INSERT INTO nothing VALUES (NULL, NULL)"
    )
    found = prints(database)
    assert len(set(found.values())) == 4, found


def test_the_order_of_rows_and_of_columns_does_not_count(database: Database) -> None:
    database.sql(
        "CREATE TABLE one (a int, b text); INSERT INTO one VALUES (1, 'x'), (1, 'x'), (2, 'y');"
        "CREATE TABLE other (b text, gone int, a int); INSERT INTO other VALUES ('y', 0, 2), ('x', 0, 1), ('x', 0, 1);"
        "ALTER TABLE other DROP COLUMN gone;"
        "CREATE TABLE fewer (a int, b text); INSERT INTO fewer VALUES (1, 'x'), (2, 'y')"
    )
    found = prints(database)
    assert found["one"] == found["other"] != found["fewer"]


def test_a_collation_that_ignores_case_hides_no_difference(database: Database) -> None:
    if not database.sql("SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'"):
        pytest.skip("this server was built without ICU")
    database.sql(
        "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
        "CREATE TABLE low (a text COLLATE loose); INSERT INTO low VALUES ('x');"
        "CREATE TABLE high (a text COLLATE loose); INSERT INTO high VALUES ('X')"
    )
    found = prints(database)
    assert found["low"] != found["high"]


def test_values_of_any_type_and_tables_of_any_width_are_read(database: Database) -> None:
    database.sql(ANY_TYPE)
    database.sql(f"CREATE TABLE wide ({MANY}); INSERT INTO wide DEFAULT VALUES; CREATE TABLE wider (LIKE wide)")
    database.sql(f"INSERT INTO wider SELECT * FROM wide; UPDATE wider SET c{WIDE - 1} = 0")
    found = prints(database)
    assert found["odd"] == found["same"] != ""
    assert found["wide"] != "" != found["wider"]
    assert found["wide"] != found["wider"]


def test_a_table_that_was_emptied_after_the_snapshot_is_not_held_against_the_dump(database: Database) -> None:
    import psycopg

    database.sql("CREATE TABLE kept AS SELECT 1 AS a; CREATE TABLE emptied AS SELECT 1 AS a")
    runtime = cast(Runtime, SimpleNamespace(secret=Secrets().resolve))
    with psycopg.connect(database.url(), autocommit=True) as holder:
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = holder.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        database.sql("TRUNCATE emptied")
        asked = {"database": database.name, "snapshot": row[0]}
        found = {one.name: (one.rows, one.skipped) for one in measure(asked, database.endpoint(), runtime)}
    assert found["public.kept"] == (1, "")
    assert found["public.emptied"] == (0, "rewritten")
