"""What views read, from their queries as real servers store them."""

from __future__ import annotations

from dbops.testing.servers import Database
from dbops_mysql.access.reads import names_in

SHOP = """
CREATE TABLE t (i int, a int, b int, d date, doc json);
CREATE TABLE u (i int, `{db}` int, `u` int, `it's` int);
CREATE TABLE p (i int) PARTITION BY HASH (i) PARTITIONS 2;
CREATE FUNCTION f(x int) RETURNS int DETERMINISTIC NO SQL RETURN x
"""
# With each query what it reads: of t, of u, of p; None: it does not name it.
QUERIES = {
    "SELECT a, b AS n FROM t WHERE i > 0 ORDER BY d": ("a b i d", None, None),
    "SELECT x.i, x.`{db}` FROM u x": (None, "i {db}", None),
    "SELECT max(x.`{db}`) AS m, x.u AS `{db}` FROM u x GROUP BY x.u": (None, "{db} u", None),
    "SELECT extract(year FROM x.d) AS y, trim(both 'x' FROM x.a) AS z FROM t x": ("d a", None, None),
    "SELECT x.a, (SELECT max(x.u) FROM u x WHERE x.i = y.i) AS m FROM t x JOIN p AS y": ("a", "u i", "i"),
    "SELECT x.a FROM t x UNION SELECT x.u FROM u x": ("a", "u", None),
    "SELECT d.n FROM (SELECT x.a AS n FROM t x) d JOIN u ON d.n = u.`it's`": ("a", "it's", None),
    "WITH c AS (SELECT a FROM t) SELECT x.i FROM p x WHERE x.i IN (SELECT a FROM c)": ("a", None, "i"),
    "SELECT x.i FROM p PARTITION (p0) x JOIN (u STRAIGHT_JOIN p q) ON x.i = u.i AND q.i IN (1, 2)": (None, "i", "i"),
    "SELECT f(x.a) AS y, '`{db}`.`u`.`i`' AS z, count(*) OVER (PARTITION BY x.b, x.i) AS o FROM t x": (
        "a b i", None, None,
    ),
    "SELECT 1 AS n FROM t, u": ("", "", None),
}  # fmt: skip


def test_stored_queries_name_what_the_views_were_made_of(mysql_database: Database) -> None:
    db = mysql_database.name
    views = [f"CREATE VIEW v{number:02} AS {query}" for number, query in enumerate(QUERIES)]
    mysql_database.sql("; ".join((SHOP, *views)).format(db=db))
    stored = mysql_database.sql(
        f"SELECT VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA = '{db}' ORDER BY TABLE_NAME"
    )
    for (body,), told in zip(stored, QUERIES.values(), strict=True):
        found = zip(("t", "u", "p"), told, strict=True)
        expected = {(db, name): set(said.format(db=db).split()) for name, said in found if said is not None}
        assert names_in(str(body)) == expected, body
