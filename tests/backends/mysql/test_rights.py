"""What SHOW GRANTS says about oneself."""

from __future__ import annotations

import pytest

from dbops_mysql.rights import Rights, parse


def test_nothing() -> None:
    for lines in ([], ["GRANT USAGE ON *.* TO `x`@`%`"], ["GRANT `role`@`%` TO `x`@`%`"]):
        found = parse(lines)
        assert not found.has("PROCESS")
        assert not found.all_tables
        assert not found.reads("mysql")
        assert not found.everything


def test_everything() -> None:
    found = parse(["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION"])
    assert found.has("PROCESS", "SUPER")
    assert found.all_tables
    assert found.reads("anything")


def test_static_and_dynamic_privileges_and_those_of_roles_add_up() -> None:
    found = parse(
        [
            "GRANT PROCESS, REPLICATION CLIENT ON *.* TO `x`@`%` IDENTIFIED BY PASSWORD '*HASH'",
            "GRANT BACKUP_ADMIN,CLONE_ADMIN ON *.* TO `x`@`%`",
            'GRANT SLAVE MONITOR ON *.* TO "role"',
        ]
    )
    assert found.has("PROCESS", "REPLICATION CLIENT", "BACKUP_ADMIN", "CLONE_ADMIN", "SLAVE MONITOR")
    assert "HASH" not in str(found)


@pytest.mark.parametrize(("word", "all_tables"), [("SELECT", True), ("REFERENCES", True), ("TRIGGER", False)])
def test_what_shows_tables_with_their_columns(word: str, all_tables: bool) -> None:
    assert parse([f"GRANT {word} ON *.* TO `x`@`%`"]).all_tables is all_tables


def test_databases() -> None:
    found = parse(["GRANT SELECT, INSERT ON `mysql`.* TO `x`@`%`", "GRANT ALL PRIVILEGES ON `shop`.* TO `x`@`%`"])
    assert (found.reads("mysql"), found.reads("shop"), found.reads("other")) == (True, True, False)
    assert not found.all_tables
    tables = parse(["GRANT SELECT ON `mysql`.`user` TO `x`@`%`", "GRANT EXECUTE ON FUNCTION `mysql`.`f` TO `x`@`%`"])
    assert tables == Rights()


def test_what_is_taken_out_again() -> None:
    found = parse(["GRANT SELECT ON *.* TO `x`@`%`", "REVOKE SELECT ON `mysql`.* FROM `x`@`%`"])
    assert found.has("SELECT")
    assert (found.reads("mysql"), found.reads("shop")) == (False, True)
    assert not found.all_tables
