"""Fingerprints are equal exactly when rows are."""

from __future__ import annotations

import random
import threading
import time
from functools import partial
from types import SimpleNamespace
from typing import cast

import pytest

from dbops.secrets import Secrets
from dbops.spi import Runtime
from dbops.testing.servers import Database
from dbops_mysql.backup.fingerprint import Lines, Wanted, measure
from dbops_mysql.backup.link import Link, connected
from dbops_mysql.quoting import identifier

RUNTIME = cast(Runtime, SimpleNamespace(secret=Secrets().resolve))
ANY = """
CREATE TABLE first (f float, d double, b bit(9), j json, g geometry, bl blob, ts timestamp(6) NULL, ti time(3), y year,
  e enum('a','b'), s set('x','y'), de decimal(65,30), v varbinary(10), c char(5), u bigint unsigned);
INSERT INTO first VALUES (1.5, 0.1, b'1', '{"a": 1}', ST_GeomFromText('POINT(1 2)'), x'00', '2026-01-01 00:00:00.5',
  '-838:59:59', 1999, 'a', 'x,y', 1.5, x'2720', 'a ', 18446744073709551615);
INSERT INTO first (f) VALUES (NULL);
CREATE TABLE same LIKE first; INSERT INTO same SELECT * FROM first ORDER BY f IS NULL DESC;
"""
CHANGES = (
    "d = 0.1 + 1e-16", "b = b'10'", "j = '{\"a\": 2}'", "g = ST_GeomFromText('POINT(2 1)')", "bl = x'0000'", "bl = x''",
    "bl = NULL", "ts = '2026-01-01 00:00:00.500001'", "ti = '-838:59:58'", "y = 2000", "e = 'b'", "s = 'x'",
    "de = 1.500000000000000000000000000001", "v = x'272000'", "c = 'A'", "u = 18446744073709551614", "f = 1.25",
)  # fmt: skip


def prints(database: Database) -> dict[str, tuple[int, str, str]]:
    """Rows, hash and why not, of each table by its name."""
    with connected(database.endpoint(), RUNTIME) as link, link.cursor() as cursor:
        cursor.execute("START TRANSACTION READ ONLY")
        found = measure(link, database.name, Wanted(settled=True))
        return {one.name: (one.rows, one.hash, one.skipped) for one in found}


def test_a_value_in_another_row_or_column_is_another_content(mysql_database: Database) -> None:
    tables = {
        "one": "('1', '2'), ('3', '4')", "crossed": "('1', '4'), ('3', '2')", "turned": "('2', '1'), ('4', '3')",
        "joined": "('1,1', '2'), ('3', '4')", "split": "('1', '1,2'), ('3', '4')", "cased": "('1', 'a'), ('3', '4')",
        "cased_": "('1', 'A'), ('3', '4')", "spaced": "('1', 'a '), ('3', '4')", "null_": "('1', NULL), ('3', '4')",
        "empty_": "('1', ''), ('3', '4')", "dash": "('1', '-'), ('3', '4')", "moved": "(NULL, '1'), ('3', '4')",
        "twice": "('1', '2'), ('1', '2')", "twice_": "('3', '4'), ('3', '4')",
    }  # fmt: skip
    for name, values in tables.items():
        mysql_database.sql(f"CREATE TABLE {name} (a varchar(20), b varchar(20)); INSERT INTO {name} VALUES {values}")
    found = prints(mysql_database)
    assert len({hash_ for _, hash_, _ in found.values()}) == len(tables), found


def test_each_kind_of_value_counts_to_its_last_digit(mysql_database: Database) -> None:
    mysql_database.sql(ANY)
    for number, change in enumerate(CHANGES):
        mysql_database.sql(f"CREATE TABLE c{number} LIKE first; INSERT INTO c{number} SELECT * FROM first")
        mysql_database.sql(f"UPDATE c{number} SET {change} WHERE u IS NOT NULL")
    found = prints(mysql_database)
    assert not [name for name, (_, _, why) in found.items() if why]
    assert found.pop("same") == found["first"]
    hashes: dict[str, list[str]] = {}
    for name, (_, hash_, _) in found.items():
        hashes.setdefault(hash_, []).append(name)
    assert all(len(names) == 1 for names in hashes.values()), hashes


@pytest.mark.parametrize("seed", range(3))
def test_two_multisets_have_one_fingerprint_only_when_they_are_one(mysql_database: Database, seed: int) -> None:
    chance = random.Random(seed)
    made: dict[str, list[tuple[int | None, str]]] = {}
    for number in range(12):
        rows = [
            (chance.choice([None, 0, 1, -1]), chance.choice(["", "a", "b", "1"])) for _ in range(chance.randint(0, 4))
        ]
        made[f"t{number}"] = rows
        mysql_database.sql(f"CREATE TABLE t{number} (a int, b varchar(9) NOT NULL)")
        for a, b in rows:
            mysql_database.sql(f"INSERT INTO t{number} VALUES ({'NULL' if a is None else a}, '{b}')")
    found = prints(mysql_database)
    for one, rows in made.items():
        for other, others in made.items():
            same = sorted(map(str, rows)) == sorted(map(str, others))
            assert (found[one] == found[other]) == same, (rows, others)


def test_neither_the_order_nor_the_server_s_settings_count(mysql_database: Database) -> None:
    mysql_database.sql("CREATE TABLE a (id int, at timestamp NULL, t text); CREATE TABLE b LIKE a")
    mysql_database.sql(
        "SET time_zone = '+03:00'; INSERT INTO a VALUES (1, '2026-06-01 12:00:00', 'x'), (2, NULL, '\\\\')"
    )
    mysql_database.sql("INSERT INTO b SELECT * FROM a ORDER BY id DESC")
    before = prints(mysql_database)
    assert before["a"] == before["b"]
    kept = mysql_database.sql("SELECT @@GLOBAL.sql_mode, @@GLOBAL.time_zone")[0]
    mysql_database.sql("SET GLOBAL sql_mode = 'ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH', GLOBAL time_zone = '-07:00'")
    try:
        assert prints(mysql_database) == before
    finally:
        mysql_database.sql(f"SET GLOBAL sql_mode = '{kept[0]}', GLOBAL time_zone = '{kept[1]}'")


@pytest.mark.parametrize("charset", ["latin1", "utf8mb3", "utf8mb4", "sjis", "ucs2", "binary"])
def test_texts_of_any_character_set_are_read(mysql_database: Database, charset: str) -> None:
    columns = "a varchar(20), b text, c enum('x','y'), d date, e int, f char(3)"
    for name, last in (("one", "z"), ("same", "z"), ("other", "Z")):
        mysql_database.sql(f"CREATE TABLE {name} ({columns}) CHARACTER SET {charset}")
        mysql_database.sql(f"INSERT INTO {name} VALUES ('a', REPEAT('b', 2000), 'x', '2026-01-01', 1, '{last}')")
        mysql_database.sql(f"INSERT INTO {name} VALUES (NULL, 'short', 'y', NULL, NULL, '')")
    found = prints(mysql_database)
    assert found["one"] == found["same"] != found["other"], found
    assert {why for _, _, why in found.values()} == {""}


def test_hostile_names_wide_tables_and_what_has_no_rows(mysql_database: Database) -> None:
    name = identifier("odd `name'\" 50%_:row")
    mysql_database.sql(f"CREATE TABLE {name} ({name} int, `:table` text); INSERT INTO {name} VALUES (1, 'x')")
    columns = ", ".join(f"c{number} tinyint DEFAULT {number % 100}" for number in range(900))
    mysql_database.sql(f"CREATE TABLE wide ({columns}); INSERT INTO wide (c0) VALUES (0); CREATE TABLE wider LIKE wide")
    mysql_database.sql("INSERT INTO wider SELECT * FROM wide; UPDATE wider SET c899 = 1; CREATE TABLE nothing_ (a int)")
    mysql_database.sql("CREATE VIEW seen AS SELECT 1 AS a")
    found = prints(mysql_database)
    assert found["odd `name'\" 50%_:row"][0] == 1
    assert found["wide"][1] != found["wider"][1]
    assert found["nothing_"] == (0, "0", "")
    assert "seen" not in found


def test_what_cannot_be_read_is_named_with_its_reason(mysql_database: Database) -> None:
    mysql_database.sql("CREATE TABLE t (a int); CREATE TABLE loose (a int) ENGINE=MyISAM; CREATE TABLE late (a int)")
    with connected(mysql_database.endpoint(), RUNTIME) as link, link.cursor() as cursor:
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        found = {one.name: one.skipped for one in measure(link, mysql_database.name, Wanted())}
        assert found == {"t": "", "loose": "without_transactions", "late": ""}
        assert {one.skipped for one in measure(link, mysql_database.name, Wanted(end=0.0, settled=True))} == {"budget"}


def test_a_table_that_was_altered_after_the_snapshot_is_not_held_against_the_dump(mysql_database: Database) -> None:
    mysql_database.sql("CREATE TABLE kept (a int); INSERT INTO kept VALUES (1); CREATE TABLE emptied (a int)")
    mysql_database.sql("INSERT INTO emptied VALUES (1)")
    with connected(mysql_database.endpoint(), RUNTIME) as link, link.cursor() as cursor:
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        mysql_database.sql("TRUNCATE emptied; INSERT INTO kept VALUES (2)")
        found = {one.name: (one.rows, one.skipped) for one in measure(link, mysql_database.name, Wanted())}
    assert found == {"kept": (1, ""), "emptied": (0, "rewritten")}


def test_who_stops_a_reading_ends_it_at_the_server_too(mysql_database: Database) -> None:
    endpoint, ended = mysql_database.endpoint(), threading.Event()
    asked = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(3%'"

    def wait() -> None:
        try:
            with connected(endpoint, RUNTIME) as link, link.cursor() as cursor:
                links.append(link)
                cursor.execute("SELECT SLEEP(300)")
        finally:
            ended.set()

    links: list[Link] = []
    threading.excepthook, kept = lambda _: None, threading.excepthook
    try:
        threading.Thread(target=wait, daemon=True).start()
        end = time.monotonic() + 60
        while mysql_database.sql(asked) == [(0,)] and time.monotonic() < end:
            time.sleep(0.05)
        Lines(iter(()), links[0], partial(connected, endpoint, RUNTIME)).cancel()
        assert ended.wait(60)
        end = time.monotonic() + 60
        while mysql_database.sql(asked) != [(0,)] and time.monotonic() < end:
            time.sleep(0.05)
        assert mysql_database.sql(asked) == [(0,)]
    finally:
        threading.excepthook = kept
