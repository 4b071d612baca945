"""What ``SHOW GRANTS`` says, in the words of both engines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import UsageError
from dbops.model.access import Kind
from dbops_mysql.access.dialect import mariadb, mysql, plain_rules
from dbops_mysql.access.spoken import Said
from dbops_mysql.access.spoken import said as spoken
from dbops_mysql.quoting import account, identifier

MYSQL = plain_rules(mysql, (9, 7)).kinds
MARIADB = plain_rules(mariadb, (11, 8)).kinds
A, R = ("a", "%"), ("r", "")
TO = "TO `a`@`%`"


def said(*statements: str, kinds: dict[str, Kind] = MYSQL) -> list[Said]:
    return list(spoken(statements, kinds))


def rights(kind: str, path: tuple[str, ...], *actions: str, denied: bool = False) -> Said:
    return Said(A, kind, path, frozenset(actions), denied)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (f"GRANT SELECT, CREATE USER ON *.* {TO}", rights("server", (), "SELECT", "CREATE USER")),
        (f"GRANT USAGE ON *.* {TO}", rights("server", ())),
        (f"GRANT USAGE ON `shop`.* {TO} WITH GRANT OPTION", rights("database", ("shop",), "GRANT OPTION")),
        (f"GRANT SELECT ON `sh\\_p%`.* {TO}", rights("database", ("sh\\_p%",), "SELECT")),
        (f"GRANT SHOW VIEW ON `shop`.`t` {TO}", rights("table", ("shop", "t"), "SHOW VIEW")),
        (
            f"GRANT INSERT ON `shop`.`t` {TO} WITH GRANT OPTION",
            rights("table", ("shop", "t"), "INSERT", "GRANT OPTION"),
        ),
        (f"GRANT EXECUTE ON PROCEDURE `shop`.`p` {TO}", rights("procedure", ("shop", "p"), "EXECUTE")),
        (f"GRANT EXECUTE ON FUNCTION `shop`.`f` {TO}", rights("function", ("shop", "f"), "EXECUTE")),
        (f"GRANT EXECUTE ON LIBRARY `shop`.`l` {TO}", rights("library", ("shop", "l"), "EXECUTE")),
        (f"GRANT SELECT ON `PROCEDURE`.`to` {TO}", rights("table", ("PROCEDURE", "to"), "SELECT")),
    ],
)
def test_one_level_each(statement: str, expected: Said) -> None:
    assert said(statement) == [expected]


def test_all_privileges_are_those_of_the_level_and_not_the_right_to_pass_them_on() -> None:
    [on_table] = said(f"GRANT ALL PRIVILEGES ON `shop`.`t` {TO}")
    assert on_table.actions == {*MYSQL["table"].actions} - {"GRANT OPTION"}
    [everywhere] = said(f"GRANT ALL PRIVILEGES ON *.* {TO} WITH GRANT OPTION")
    assert "GRANT OPTION" in everywhere.actions
    assert everywhere.actions.isdisjoint(MYSQL["server"].own_options), "what is registered is named one by one"


def test_what_is_registered_has_an_option_of_its_own() -> None:
    assert said(f"GRANT BACKUP_ADMIN,CLONE_ADMIN ON *.* {TO} WITH GRANT OPTION") == [
        rights("server", (), "BACKUP_ADMIN", "CLONE_ADMIN")
    ]


def test_columns_are_said_beside_their_table() -> None:
    assert said(f"GRANT DELETE, SELECT (`a`, `b c`), UPDATE (`a`) ON `shop`.`t` {TO} WITH GRANT OPTION") == [
        rights("table", ("shop", "t"), "DELETE", "GRANT OPTION"),
        rights("column", ("shop", "t", "a"), "SELECT"),
        rights("column", ("shop", "t", "b c"), "SELECT"),
        rights("column", ("shop", "t", "a"), "UPDATE"),
    ]


def test_a_partial_revoke_is_a_denial() -> None:
    assert said(f"GRANT SELECT, INSERT ON *.* {TO}", "REVOKE INSERT ON `shop`.* FROM `a`@`%`") == [
        rights("server", (), "SELECT", "INSERT"),
        rights("database", ("shop",), "INSERT", denied=True),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        f"GRANT `r`@`%`,`s`@`%` {TO}",
        f"GRANT `r`@`%` {TO} WITH ADMIN OPTION",
        f"GRANT `ON`@`%` {TO}",
        "GRANT PROXY ON ``@`` TO `root`@`localhost` WITH GRANT OPTION",
        "GRANT `r` TO `a`@`%`",
        "SET DEFAULT ROLE `r` FOR `a`@`%`",
        "",
    ],
)
def test_roles_and_proxies_say_nothing_here(statement: str) -> None:
    assert said(statement) == []


def test_mariadb_says_how_somebody_logs_in_and_names_roles_alone() -> None:
    hashed = "IDENTIFIED BY PASSWORD '*14E6 WITH GRANT OPTION'"
    limit = "REQUIRE SSL WITH GRANT OPTION MAX_USER_CONNECTIONS 3"
    assert said(
        f"GRANT SELECT ON *.* {TO} {hashed}",
        f"GRANT SELECT ON *.* {TO} IDENTIFIED VIA ed25519 USING 'x' OR unix_socket {limit}",
        "GRANT EXECUTE ON PACKAGE BODY `shop`.`k` TO `r`",
        "GRANT EXECUTE ON PACKAGE `shop`.`k` TO PUBLIC",
        kinds=MARIADB,
    ) == [
        rights("server", (), "SELECT"),
        rights("server", (), "SELECT", "GRANT OPTION"),
        Said(R, "package_body", ("shop", "k"), frozenset(("EXECUTE",))),
        Said(("PUBLIC", ""), "package", ("shop", "k"), frozenset(("EXECUTE",))),
    ]


@pytest.mark.parametrize("statement", [f"GRANT SELECT ON shop. {TO}", "GRANT SELECT ON *.*", "GRANT SELECT ^ x"])
def test_another_form_is_refused(statement: str) -> None:
    with pytest.raises(UsageError) as raised:
        said(statement)
    assert raised.value.hint == "SHOW GRANTS"


names = st.text(st.sampled_from("`'\"@.,()* %_\\aé\n"), min_size=1, max_size=8)


@given(names, names, names, names)
def test_any_name_is_only_a_name(user: str, database: str, table: str, column: str) -> None:
    on = f"{identifier(database)}.{identifier(table)}"
    assert said(f"GRANT SELECT, INSERT ({identifier(column)}) ON {on} TO {account(user, table)}") == [
        Said((user, table), "table", (database, table), frozenset(("SELECT",))),
        Said((user, table), "column", (database, table, column), frozenset(("INSERT",))),
    ]
