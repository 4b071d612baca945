"""Names of objects, written and read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.access.naming import find, find_accounts, find_principal, label, parts, spell, split_kind
from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot, Kind, Matching, Rules
from dbops.model.finding import Missing

RULES = Rules(
    kinds={
        "table": Kind(name="table", actions=(), depth=3),
        "function": Kind(name="function", actions=(), signature=True),
    }
)
Make = Callable[..., AccessSnapshot]


@given(st.lists(st.text(min_size=1).filter(lambda text: text != "*"), min_size=1, max_size=4))
def test_a_name_is_read_as_it_was_written(path: list[str]) -> None:
    kind, rest = split_kind(spell(RULES, "table", path), RULES)
    assert kind == "table"
    assert parts(rest, RULES) == tuple(path)


def test_parts_are_quoted_only_where_they_must_be() -> None:
    assert spell(RULES, "table", ("app", "sa.les", 'o"k')) == 'table:app."sa.les"."o""k"'
    assert spell(RULES, "function", ("app", "s", "total(a.b, text)")) == "function:app.s.total(a.b, text)"
    assert parts('app."sa.les"."o""k"', RULES) == ("app", "sa.les", 'o"k')
    assert parts('app.s."to.tal"(a.b)', RULES) == ("app", "s", '"to.tal"(a.b)')
    assert parts("app.s.total(a.b)", RULES) == ("app", "s", "total(a.b)")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('a."b', "a quote is not closed"),
        ("a..b", "a part of the name is empty"),
        ("a.", "empty"),
        ('"a"b', "a dot is missing"),
    ],
)
def test_a_broken_name_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parts(text, RULES)


def test_leading_parts_may_be_left_out(make: Make) -> None:
    found = make(people={"alice": ()})
    for text in ("table:app.s.t", "s.t", "t", "table:t"):
        assert found.objects[find(found, text)].path == ("app", "s", "t")


def twice(make: Make, path: tuple[str, ...]) -> AccessSnapshot:
    """The world, and a second table by another path."""
    found = make(people={})
    second = msgspec.structs.replace(found.objects[2], path=path, parent=-1)
    return msgspec.structs.replace(found, objects=(*found.objects, second))


def test_a_name_that_several_have_is_refused_with_all_of_them(make: Make) -> None:
    found = twice(make, ("app", "z", "t"))
    with pytest.raises(UsageError, match="t could be several objects") as raised:
        find(found, "t")
    assert raised.value.hint == "Write one of: table:app.s.t; table:app.z.t."
    for one in found.objects:
        assert found.objects[find(found, label(found, one))] is one


def test_of_several_the_one_in_the_database_of_the_session_is_meant(make: Make) -> None:
    found = twice(make, ("other", "s", "t"))
    assert found.objects[find(found, "s.t")].path == ("app", "s", "t")
    assert found.objects[find(found, "other.s.t")].path == ("other", "s", "t")


def test_an_object_without_a_path_goes_by_its_kind(make: Make) -> None:
    found = make(people={})
    rules = msgspec.structs.replace(found.rules, kinds={**found.rules.kinds, "server": Kind(name="server", actions=())})
    server = msgspec.structs.replace(found.objects[0], kind="server", path=())
    found = msgspec.structs.replace(found, rules=rules, objects=(*found.objects, server))
    assert label(found, server) == "server"
    assert found.objects[find(found, "server")] is server


def test_what_is_not_there_may_be_in_a_database_that_was_not_read(make: Make) -> None:
    missing = {name: Missing("no_permission", "no right to connect") for name in ("log", "vault")}
    found = msgspec.structs.replace(make(people={}), databases_missing=missing)
    with pytest.raises(UsageError, match=r"there is no object table:log\.s\.t") as raised:
        find(found, "table:log.s.t")
    assert raised.value.hint == "Not read: log, vault."


def test_what_is_not_there_is_said(make: Make) -> None:
    found = make(people={"alice": ()})
    with pytest.raises(UsageError, match="there is no object table:nothing"):
        find(found, "table:nothing")
    with pytest.raises(UsageError) as raised:
        find_principal(found, "alise")
    assert raised.value.hint == "Did you mean 'alice'?"
    part = msgspec.structs.replace(found, kinds_missing={"login": Missing("hidden_rows", "VIEW ANY shows them")})
    with pytest.raises(UsageError) as raised:
        find_principal(part, "zoe")
    assert raised.value.hint == "The login in use is not shown everything: VIEW ANY shows them."
    assert find_principal(found, "public") == 0
    assert find_principal(found, "role:alice") == 2
    with pytest.raises(UsageError, match="there is no principal 'user:alice'"):
        find_principal(found, "user:alice")


def test_the_names_most_like_it_are_named(rowed: Callable[..., Any]) -> None:
    snapshot = rowed(["a@%"]).snapshot()

    def hint(text: str) -> str:
        with pytest.raises(UsageError, match="there is no object") as raised:
            find(snapshot, text)
        return raised.value.hint

    assert hint("table:ab.tt") == "Did you mean table:ab.t?"
    assert hint("table:abb.t") == "Did you mean table:ab.t or table:axb.t or table:a_b.t?"
    assert hint("ab.tt") == "Did you mean ab.t or ab.p?"
    for unlike in ("schema:ab", "table:ab.nothing_of_the_kind", "table:x.y"):
        assert hint(unlike).startswith("Kinds: ")


def test_accounts_of_one_user(rowed: Callable[..., Any]) -> None:
    snapshot = rowed(["a@%", "a@10.%", "b@%"], roles=["r"]).grant("a@gone", "SELECT", "*").snapshot()
    assert find_principal(snapshot, "b") == 3
    assert find_principal(snapshot, "a@10.%") == find_principal(snapshot, "'a'@'10.%'") == 2
    assert find_principal(snapshot, "role:r") == find_principal(snapshot, "r") == 4
    assert find_principal(snapshot, "a@gone") == 5
    with pytest.raises(UsageError, match="a could be several principals") as raised:
        find_principal(snapshot, "a")
    assert raised.value.hint == "Write one of: 'a'@'%'; 'a'@'10.%'."
    assert find_accounts(snapshot, "a") == (1, 2)
    assert find_accounts(snapshot, "'a'@'%'") == (1,)
    assert find_accounts(snapshot, "r") == (4,)


def test_a_user_and_a_role_of_one_name(rowed: Callable[..., Any]) -> None:
    snapshot = rowed(["r@%"], roles=["r"], matching=Matching(roles="add")).snapshot()
    with pytest.raises(UsageError, match="r could be several principals") as raised:
        find_principal(snapshot, "r")
    assert raised.value.hint == "Write one of: 'r'@'%'; role:r."
    assert find_principal(snapshot, "role:r") == 2


def test_a_name_of_one_part_is_taken_whole(rowed: Callable[..., Any]) -> None:
    snapshot = rowed(["a@%"]).grant("a@%", "PROXY", "account:'b'@'10.%'").grant("a@%", "SELECT", "x.y%.*").snapshot()
    assert snapshot.objects[find(snapshot, "account:'b'@'10.%'")].kind == "account"
    assert snapshot.objects[find(snapshot, "pattern:x.y%")].path == ("x.y%",)
    assert snapshot.objects[find(snapshot, "routine:ab.p")].kind == "procedure"
