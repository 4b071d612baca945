"""Statements supposed, rendered and asked: there and back, with names as hostile as the server allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlfluff.core import FluffConfig, Linter

from dbops.access.audit import Question, sample
from dbops.access.delta import compare
from dbops.access.explain import explain
from dbops.access.naming import find, find_principal
from dbops.access.reverse import reverse
from dbops.access.simulate import simulate
from dbops.access.telling import summary
from dbops.errors import NotPermitted, UsageError
from dbops.model.access import AccessSnapshot
from dbops.model.change import AddGrant, AddMembership, CreatePrincipal, ObjectName, RemoveGrant, SetOwner
from dbops.model.finding import Missing
from dbops_mssql.access.ask import ask
from dbops_mssql.access.parse import parse
from dbops_mssql.access.people import account_name, split_name
from dbops_mssql.access.sql import script, statement, undo
from tests.backends.mssql.access_rows import NOW, Rows, may

LINTER = Linter(config=FluffConfig(overrides={"dialect": "tsql"}))


def understood(sql: str) -> bool:
    """Whether a parser of T-SQL that knows nothing of ours finds nothing wrong."""
    return not LINTER.parse_string(sql).violations


def world() -> Rows:
    rows = Rows().login("ann").login("bob").role("ops")
    one = rows.database("shop").user("ann").user("bob").role("crew").schema("sales")
    one.thing("sales.orders").thing("dbo.run", "P").member("ann", "crew")
    return rows


GRANTS = (
    "GRANT SELECT ON OBJECT::[sales].[orders] TO [ann]",
    "GRANT SELECT ON OBJECT::[sales].[orders] TO [ann] WITH GRANT OPTION",
    "GRANT SELECT ([total]) ON OBJECT::[sales].[orders] TO [crew]",
    "GRANT EXECUTE ON OBJECT::[dbo].[run] TO public",
    "GRANT CONTROL ON SCHEMA::[sales] TO [crew]",
    "GRANT VIEW DATABASE STATE TO [bob]",
    "GRANT IMPERSONATE ON USER::[bob] TO [ann]",
    "GRANT ALTER ON ROLE::[crew] TO [ann]",
    "GRANT VIEW SERVER STATE TO [ops]",
    "GRANT IMPERSONATE ON LOGIN::[bob] TO [ann]",
    "GRANT SELECT ON OBJECT::[sales].[orders] TO [ann] AS [bob]",
    "ALTER ROLE [crew] ADD MEMBER [bob]",
    "ALTER SERVER ROLE [ops] ADD MEMBER [bob]",
    "DENY SELECT ON OBJECT::[sales].[orders] TO [ann] CASCADE",
    "REVOKE SELECT ON OBJECT::[sales].[orders] FROM [ann]",
    "REVOKE GRANT OPTION FOR SELECT ON OBJECT::[sales].[orders] FROM [ann] CASCADE",
)


@pytest.mark.parametrize("sql", GRANTS)
def test_a_statement_is_understood_and_written_as_it_was(sql: str) -> None:
    [change] = parse(sql, world().snapshot())
    assert statement(change) == sql
    assert sql.startswith("ALTER SERVER ROLE") or understood(script(change))  # which the parser does not know


@pytest.mark.parametrize("sql", [one for one in GRANTS if one.startswith(("GRANT", "ALTER"))])
def test_what_was_supposed_can_be_taken_back(sql: str) -> None:
    before = world().snapshot()
    [change] = parse(sql, before)
    back = reverse(change)
    assert back is not None
    assert undo(change) == statement(back)
    assert not compare(before, simulate(before, [change]), NOW).equal
    assert compare(before, simulate(before, [change, back]), NOW).equal


def test_a_denial_takes_the_place_of_a_grant_and_the_other_way_round() -> None:
    rows, table = world(), "table:shop.sales.orders"
    grant, deny = "GRANT SELECT ON sales.orders TO ann;", "DENY SELECT ON sales.orders TO ann;"
    assert may(rows.effective(deny + grant), "ann", "SELECT", table)
    assert not may(rows.effective(grant + deny), "ann", "SELECT", table)
    revoked = rows.effective(grant + deny + "REVOKE SELECT ON sales.orders TO ann;")
    assert not may(revoked, "ann", "SELECT", table)
    assert not any(
        row.denied for row in revoked.snapshot.grants(revoked.snapshot.objects[find(revoked.snapshot, table)])
    )
    crew = "GRANT SELECT ON SCHEMA::sales TO crew;"
    assert may(rows.effective(crew + deny + "REVOKE SELECT ON sales.orders FROM ann;"), "ann", "SELECT", table)


def test_all_is_what_the_documentation_says_it_is() -> None:
    found = world().snapshot()
    [change] = {
        change.actions for change in parse("GRANT ALL ON sales.orders TO ann", found) if isinstance(change, AddGrant)
    }
    assert set(change) == {"DELETE", "INSERT", "REFERENCES", "SELECT", "UPDATE"}
    [run] = parse("GRANT ALL PRIVILEGES ON dbo.run TO ann", found)
    assert isinstance(run, AddGrant)
    assert run.actions == ("EXECUTE",)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("", "there is no statement to suppose"),
        ("DROP TABLE x", "not understood: DROP TABLE x"),
        ("GRANT SELECT ON sales.nothing TO ann", "there is no object shop.sales.nothing"),
        ("GRANT SELECT ON sales.orders TO nobody", "there is no principal 'shop.nobody'"),
        ("GRANT FLY ON sales.orders TO ann", "FLY is no permission on a table"),
        ("GRANT SELECT ON sales.orders TO ann AND bob", "not understood"),
        ("GRANT SELECT ON sales.orders", "not understood"),
        ("USE nowhere; GRANT SELECT TO ann", "there is no object database:nowhere"),
        ("ALTER ROLE crew WITH NAME = other", "this part of the SQL is not understood: '= other'"),
        ("ALTER ROLE crew RENAME x", "not understood: ALTER ROLE crew RENAME x"),
        ("GRANT SELECT ON sales.orders TO ann; $", "this part of the SQL is not understood: '$'"),
    ],
)
def test_what_is_not_understood_whole_is_refused(sql: str, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(sql, world().snapshot())
    assert raised.value.message.startswith(says)


def test_comments_quotes_and_go_are_read_as_the_server_does() -> None:
    sql = 'USE shop\nGO\n/* of\nsales */ GRANT select ON "sales".[orders] -- all\nTO [ann], bob\nGO'
    assert [statement(one) for one in parse(sql, world().snapshot())] == [
        "GRANT SELECT ON OBJECT::[sales].[orders] TO [ann]",
        "GRANT SELECT ON OBJECT::[sales].[orders] TO [bob]",
    ]


def test_remedies_say_where_they_are_to_be_run() -> None:
    assert script(
        RemoveGrant(principal="shop.ann", object=ObjectName("database", ("shop",)), actions=("CONNECT",))
    ) == ("USE [shop];\nREVOKE CONNECT FROM [ann];")
    assert script(AddMembership(member="ann", group="sysadmin")) == (
        "USE [master];\nALTER SERVER ROLE [sysadmin] ADD MEMBER [ann];"
    )
    owner = SetOwner(object=ObjectName("database", ("shop",)), owner="sa", old="ann")
    assert statement(owner) == "ALTER AUTHORIZATION ON DATABASE::[shop] TO [sa]"
    with pytest.raises(TypeError, match="CreatePrincipal"):
        statement(CreatePrincipal(name="x", attributes=()))


def test_a_denial_is_told_as_one() -> None:
    found = world().snapshot()
    [change] = parse("DENY SELECT ON sales.orders TO ann", found)
    assert summary(change, found.rules) == "deny SELECT on table:shop.sales.orders to shop.ann"
    back = reverse(change)
    assert back is not None
    assert summary(back, found.rules) == (
        "no longer deny SELECT on table:shop.sales.orders to shop.ann, which widens access"
    )


@given(st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_any_name_is_one_name_and_comes_back(name: str, database: str) -> None:
    assert split_name(account_name(database, name)) == (database, name)


def test_the_least_revoke_is_in_the_name_of_whom_it_was_passed_on_by() -> None:
    sql = "GRANT SELECT ON sales.orders TO bob WITH GRANT OPTION; GRANT SELECT ON sales.orders TO ann AS bob"
    effective = world().effective(sql)
    found = effective.snapshot
    one = found.objects[find(found, "table:shop.sales.orders")]
    [change] = explain(effective, find_principal(found, "ann"), "SELECT", one).changes
    assert statement(change) == "REVOKE SELECT ON OBJECT::[sales].[orders] FROM [ann] AS [bob]"
    [change] = explain(effective, find_principal(found, "bob"), "SELECT", one).changes
    assert statement(change) == "REVOKE SELECT ON OBJECT::[sales].[orders] FROM [bob] CASCADE"


# -- the server's own answers -----------------------------------------------------------------------------------------


class Answering:
    """Remembers what it was asked, and says yes to all of it."""

    def __init__(self, answer: Any = 1, *, refuses: bool = False) -> None:
        self.answer, self.refuses = answer, refuses
        self.asked: list[tuple[str, str]] = []
        self.place = ""

    @contextmanager
    def database(self, name: str) -> Iterator[Answering]:
        before, self.place = self.place, name
        yield self
        self.place = before

    def tuples(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        assert not parameters
        if self.refuses:
            raise NotPermitted("Cannot execute as the login", reason="no_permission")
        self.asked.append((self.place, sql))
        return [(self.answer,) * sql.count("HAS_PERMS_BY_NAME")]


def question(found: AccessSnapshot, who: str, action: str, what: str) -> Question:
    return Question(principal=find_principal(found, who), object=find(found, what), action=action, ours=True)


def test_the_server_is_asked_as_each_login_and_user() -> None:
    found = world().snapshot("GRANT SELECT ON sales.orders (total) TO ann")
    reader: Any = Answering()
    questions = (
        question(found, "ann", "VIEW SERVER STATE", "server"),
        question(found, "ann", "SELECT", "table:shop.sales.orders"),
        question(found, "ann", "SELECT", "column:shop.sales.orders.total"),
        question(found, "shop.bob", "CONTROL", "database:shop"),
        question(found, "shop.crew", "CONTROL", "database:shop"),
        question(found, "ann", "IMPERSONATE", "login:bob"),
    )
    answers = ask(reader, found, questions)
    assert answers[:4] == (True, True, True, True)
    assert isinstance(answers[4], Missing)
    on_server = (
        "EXECUTE AS LOGIN = N'ann'; SELECT HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE'), "
        "HAS_PERMS_BY_NAME(N'[bob]', N'LOGIN', N'IMPERSONATE'); REVERT;"
    )
    inside = (
        "EXECUTE AS LOGIN = N'ann'; SELECT HAS_PERMS_BY_NAME(N'[sales].[orders]', N'OBJECT', N'SELECT'), "
        "HAS_PERMS_BY_NAME(N'[sales].[orders]', N'OBJECT', N'SELECT', N'total', N'COLUMN'); REVERT;"
    )
    assert reader.asked == [
        ("", on_server),
        ("shop", inside),
        ("shop", "EXECUTE AS USER = N'bob'; SELECT HAS_PERMS_BY_NAME(N'[shop]', N'DATABASE', N'CONTROL'); REVERT;"),
    ]


@pytest.mark.parametrize(
    ("reader", "reason"), [(Answering(None), "stale_input"), (Answering(refuses=True), "no_permission")]
)
def test_no_answer_is_none(reader: Any, reason: str) -> None:
    found = world().snapshot()
    [answer] = ask(reader, found, [question(found, "ann", "SELECT", "table:shop.sales.orders")])
    assert isinstance(answer, Missing)
    assert answer.reason == reason


def test_a_sample_is_asked_without_a_fault() -> None:
    effective = world().effective("GRANT SELECT ON sales.orders (total) TO ann")
    reader: Any = Answering(0)
    answers = ask(reader, effective.snapshot, sample(effective, 300, 1))
    assert len(answers) == 300
    assert any(answer is False for answer in answers)
    for _, sql in reader.asked:
        head, asked, end = sql.rstrip(";").split("; ")
        assert head.startswith(("EXECUTE AS LOGIN = N'", "EXECUTE AS USER = N'"))
        assert end == "REVERT"
        assert understood(asked)
