"""Why and why not, on real servers: the row that stands before, the denial, the role that sleeps, who comes first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbops.config import Config
from dbops.model.audit import Explanation
from dbops.operations import access
from dbops.operations.workspace import Workspace
from dbops.state import State
from dbops.testing.lend import Private
from dbops.testing.servers import Database
from dbops_mysql.quoting import identifier, pattern


class Asked:
    """A database with a table ``t``, and questions about it."""

    def __init__(self, database: Database, place: Path) -> None:
        self.database = database
        self.ws = Workspace(Config(), state=State(place, clock=lambda: datetime.now(UTC)))
        self.exact = f"{pattern(database.name, literal_wildcards=False)}.*"
        self.loose = f"{identifier(database.name[:-1] + '%')}.*"
        database.sql("CREATE TABLE t (a int, b int)")

    def explain(self, who: str, action: str, what: str = "table:{}.t") -> Explanation:
        where = what.format(self.database.name)
        return access.explain(self.ws, self.database.url(), principal=who, action=action, object_=where)

    def reasons(self, who: str, action: str, what: str = "table:{}.t") -> list[tuple[str, str, str]]:
        return [(one.kind, one.summary, one.fix) for one in self.explain(who, action, what).blocked_by]


@pytest.fixture
def asked(mysql_database: Database, tmp_path: Path) -> Asked:
    return Asked(mysql_database, tmp_path / "state")


def test_a_pattern_in_the_shadow_of_the_name(asked: Asked) -> None:
    asked.database.sql(f"CREATE USER ann@'%'; GRANT INSERT ON {asked.loose} TO ann@'%'")
    assert asked.explain("ann", "insert").usable
    asked.database.sql(f"GRANT SELECT ON {asked.exact} TO ann@'%'")
    ((kind, why, fix),) = asked.reasons("ann", "insert")
    name, loose = asked.database.name, asked.database.name[:-1]
    assert kind == "shadowed"
    assert why == (f"the row of 'ann'@'%' on pattern:`{loose}%` is shadowed by that of 'ann'@'%' on database:{name}")
    assert fix == f"grant INSERT on database:{name} to 'ann'@'%'"


def test_a_revoke_that_lets_another_row_in_is_not_the_least(asked: Asked) -> None:
    asked.database.sql(
        f"CREATE USER ann@'%'; GRANT SELECT ON {asked.exact} TO ann@'%'; GRANT SELECT ON {asked.loose} TO ann@'%'"
    )
    found = asked.explain("ann", "select")
    assert len(found.minimal_revoke) == 2
    for statement in found.minimal_revoke:
        asked.database.sql(statement)
    assert not asked.explain("ann", "select").allowed


def test_one_revoke_is_enough_where_the_row_that_is_left_gives_nothing(asked: Asked) -> None:
    asked.database.sql(
        f"CREATE USER ann@'%'; GRANT SELECT, INSERT ON {asked.exact} TO ann@'%';"
        f"GRANT SELECT ON {asked.loose} TO ann@'%'"
    )
    (statement,) = asked.explain("ann", "select").minimal_revoke
    asked.database.sql(statement)
    assert not asked.explain("ann", "select").allowed


def test_a_role_that_is_granted_and_sleeps(asked: Asked) -> None:
    asked.database.sql(f"CREATE ROLE reading; CREATE USER ann@'%'; GRANT SELECT ON {asked.exact} TO reading")
    asked.database.sql("GRANT reading TO ann@'%'")
    ((kind, why, fix),) = asked.reasons("ann", "select")
    assert kind == "not_active"
    assert "is granted to 'ann'@'%' and would give it, but is not active" in why
    assert fix == "SET ROLE reading"


def test_a_role_is_a_hop_and_leaving_it_a_revoke(asked: Asked) -> None:
    asked.database.sql(f"CREATE ROLE reading; CREATE USER ann@'%'; GRANT SELECT ON {asked.exact} TO reading")
    word = "TO" if asked.database.server.major < 10 else "FOR"
    asked.database.sql(f"GRANT reading TO ann@'%'; SET DEFAULT ROLE reading {word} ann@'%'")
    found = asked.explain("ann", "select")
    assert found.usable
    assert [hop.kind for hop in found.paths[0]] == ["member", "grant"]
    assert len(found.minimal_revoke) == 1


@pytest.mark.mysql(family="mysql")
def test_a_partial_revoke(private_mysql: Private, tmp_path: Path) -> None:
    server = private_mysql(partial_revokes="ON")
    server.create_database("shop")
    asked = Asked(Database(server, "shop"), tmp_path)
    asked.database.sql(
        "CREATE USER ann@'%'; GRANT SELECT, INSERT ON *.* TO ann@'%'; REVOKE INSERT ON shop.* FROM ann@'%'"
    )
    ((kind, why, _),) = asked.reasons("ann", "insert")
    assert kind == "partial_revoke"
    assert why == "'ann'@'%' has INSERT on server, and a partial revoke takes it away in this database"
    assert asked.explain("ann", "select").usable
    asked.database.sql("CREATE ROLE all_of_it; GRANT INSERT ON *.* TO all_of_it; GRANT all_of_it TO ann@'%'")
    asked.database.sql("SET DEFAULT ROLE all_of_it TO ann@'%'")
    assert asked.explain("ann", "insert").usable, "roles bypass it"


@pytest.mark.mysql(family="mysql")
def test_an_active_role_silences_rows_of_others(asked: Asked) -> None:
    asked.database.sql(
        "CREATE ROLE idle; CREATE USER ann@'%', ann@localhost;"
        f"GRANT SELECT ON {asked.exact} TO ann@'%'; GRANT idle TO ann@localhost"
    )
    assert asked.explain("ann@localhost", "select").usable
    assert [hop.kind for hop in asked.explain("ann@localhost", "select").paths[0]] == ["match", "grant"]
    asked.database.sql("SET DEFAULT ROLE idle TO ann@localhost")
    ((kind, why, fix), *_) = asked.reasons("ann@localhost", "select")
    assert (kind, fix) == ("role_active", "SET ROLE NONE")
    assert "does not count while a role is active" in why


@pytest.mark.mysql(family="mariadb")
def test_an_account_that_nobody_ever_gets(asked: Asked) -> None:
    """A client from 127.0.0.1 is localhost, too, and that comes first."""
    asked.database.sql(f"CREATE USER ann@localhost, ann@127.0.0.1; GRANT SELECT ON {asked.exact} TO ann@127.0.0.1")
    found = asked.explain("ann@127.0.0.1", "select")
    assert found.allowed
    assert not found.usable
    assert [one.kind for one in found.blocked_by] == ["shadowed_account"]
    assert found.blocked_by[0].summary == "nobody ever gets 'ann'@'127.0.0.1': 'ann'@'localhost' always comes first"


def test_the_right_of_the_account_next_door(asked: Asked) -> None:
    asked.database.sql(f"CREATE USER ann@localhost, ann@'10.%'; GRANT SELECT ON {asked.exact} TO ann@'10.%'")
    ((kind, why, _),) = asked.reasons("ann@localhost", "select")
    assert kind == "other_host"
    assert why == "'ann'@'10.%' has it, and is another account, not for sessions from localhost"


def test_nothing_at_all_and_a_locked_account(asked: Asked) -> None:
    asked.database.sql("CREATE USER ann@'%' IDENTIFIED BY 'a long Password 1' ACCOUNT LOCK")
    found = asked.reasons("ann", "select")
    assert [kind for kind, _, _ in found] == ["no_grant", "no_login"]
    assert found[1][1] == "'ann'@'%' is locked: nobody logs in as it"


def test_a_definer_who_is_gone_or_lacks_something(asked: Asked) -> None:
    asked.database.sql(
        "CREATE USER ann@'%', bob@'%'; CREATE DEFINER = bob@'%' VIEW seen AS SELECT a FROM t;"
        "GRANT SELECT ON seen TO ann@'%'"
    )
    view = "view:{}.seen"
    assert asked.explain("ann", "select", view).allowed
    ((kind, why, _),) = asked.reasons("ann", "select", view)
    assert kind == "definer"
    assert why == f"'bob'@'%', who defined view:{asked.database.name}.seen, lacks what it needs for SELECT"
    asked.database.sql("GRANT SELECT (a) ON t TO bob@'%'")
    assert asked.explain("ann", "select", view).usable
    asked.database.sql("DROP USER bob@'%'")
    ((kind, why, _),) = asked.reasons("ann", "select", view)
    assert kind == "no_definer"
    assert why == f"'bob'@'%', who defined view:{asked.database.name}.seen, does not exist"


def test_what_the_server_lets_nobody_do(asked: Asked) -> None:
    asked.database.sql("CREATE USER ann@'%'; GRANT CREATE ON *.* TO ann@'%'")
    ((kind, why, _),) = asked.reasons("ann", "create", "database:information_schema")
    assert (kind, why) == ("system", "the server lets nobody do CREATE in information_schema")
    assert asked.explain("ann", "select", "database:information_schema").usable


def test_a_column_without_rights_of_its_own_is_named_the_engines_way(asked: Asked) -> None:
    asked.database.sql(f"CREATE USER ann@'%'; GRANT SELECT ON {asked.exact} TO ann@'%'")
    asked.database.sql("ALTER TABLE t ADD `a.b c` int")
    assert asked.explain("ann", "select", "column:{}.t.`a.b c`").usable
    assert asked.explain("ann", "select", "column:`{}`.`t`.`b`").usable
    assert not asked.explain("ann", "update", "column:{}.t.`a.b c`").allowed
