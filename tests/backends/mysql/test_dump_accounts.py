"""Statements about accounts: put so that they leave alone what is there, and say nothing that the server did not."""

from __future__ import annotations

import msgspec
import pytest

from dbops_mysql.backup.accounts import Account, creating, granting, statements_of

# As MySQL 9.7 and MariaDB 10.11 print them.
BOB = (
    "CREATE USER `bob`@`localhost` IDENTIFIED WITH 'caching_sha2_password' AS 0x2441 DEFAULT ROLE `r2`@`%`,`r``3`@`%` "
    "REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 5 PASSWORD EXPIRE INTERVAL 30 DAY ACCOUNT UNLOCK"
)
TRICK = 'CREATE USER `x DEFAULT ROLE y REQUIRE z`@`%` REQUIRE NONE ATTRIBUTE \'{"a": " DEFAULT ROLE it\\\'s REQUIRE"}\''
PASSWORD = "IDENTIFIED BY PASSWORD '*F33AE6DD04EF4C7C1D3105568E7FB7C1EE16C937'"


def test_an_account_that_is_there_stays_as_it_is() -> None:
    assert creating("CREATE USER `a`@`%`") == "CREATE USER IF NOT EXISTS `a`@`%`"


def test_default_roles_wait_until_they_were_granted() -> None:
    assert creating(BOB) == (
        "CREATE USER IF NOT EXISTS `bob`@`localhost` IDENTIFIED WITH 'caching_sha2_password' AS 0x2441 "
        "REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 5 PASSWORD EXPIRE INTERVAL 30 DAY ACCOUNT UNLOCK"
    )


def test_words_in_names_and_texts_are_no_words() -> None:
    assert creating(TRICK) == TRICK.replace("CREATE USER", "CREATE USER IF NOT EXISTS")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"GRANT USAGE ON *.* TO `a`@`%` {PASSWORD} REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 5", ""),
        (f"GRANT SELECT ON *.* TO `a`@`%` {PASSWORD}", "GRANT SELECT ON *.* TO `a`@`%`"),
        (
            f"GRANT SELECT ON *.* TO `a`@`%` {PASSWORD} REQUIRE SSL WITH GRANT OPTION MAX_QUERIES_PER_HOUR 5",
            "GRANT SELECT ON *.* TO `a`@`%` WITH GRANT OPTION",
        ),
        ("GRANT USAGE ON *.* TO `a`@`%` WITH GRANT OPTION", "GRANT USAGE ON *.* TO `a`@`%` WITH GRANT OPTION"),
        ("GRANT USAGE ON *.* TO `role`", ""),
        ("GRANT ALL PRIVILEGES ON `a\\_b`.* TO `a`@`%`", "GRANT ALL PRIVILEGES ON `a\\_b`.* TO `a`@`%`"),
        ("GRANT `r2` TO `bob`@`localhost` WITH ADMIN OPTION", "GRANT `r2` TO `bob`@`localhost` WITH ADMIN OPTION"),
        ("REVOKE SELECT ON `mysql`.* FROM `a`@`%`", "REVOKE SELECT ON `mysql`.* FROM `a`@`%`"),
        ("SET DEFAULT ROLE `r2` FOR `bob`@`localhost`", ""),
        ("GRANT SELECT ON *.* TO `WITH GRANT OPTION`@`%`", "GRANT SELECT ON *.* TO `WITH GRANT OPTION`@`%`"),
        ("GRANT SELECT ON *.* TO `a`@`%` IDENTIFIED VIA x USING 'GRANT OPTION'", "GRANT SELECT ON *.* TO `a`@`%`"),
    ],
)
def test_a_grant_changes_no_password_and_no_condition(said: str, kept: str) -> None:
    assert granting(said) == kept


def test_names_of_accounts_of_roles_and_of_everybody() -> None:
    account = Account(user="it's", host="10.%")
    assert account.name == "`it's`@`10.%`"
    assert msgspec.structs.replace(account, user="r`x", host="", is_role=True).name == "`r``x`"
    assert Account(user="PUBLIC", host="", is_role=True).name == "PUBLIC"


def test_the_statements_of_a_file_without_those_that_prepare_the_session() -> None:
    script = (
        "-- Accounts\nSET NAMES utf8mb4;\nSET SESSION sql_mode = '';\n"
        "CREATE USER IF NOT EXISTS `a;`@`%`;\nGRANT SELECT ON `x`.* TO `a;`@`%`;\n-- The end.\n"
    )
    assert statements_of(script) == ("CREATE USER IF NOT EXISTS `a;`@`%`", "GRANT SELECT ON `x`.* TO `a;`@`%`")
    assert statements_of("-- Accounts\nSET NAMES utf8mb4;\nSET SESSION sql_mode = '';\n-- The end.\n") == ()
