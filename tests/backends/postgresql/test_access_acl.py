"""Access lists as the catalogue prints them, and the names in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.model.access import PUBLIC, Grant
from dbops_postgresql.access.acl import Acls, default, entries
from dbops_postgresql.access.kinds import rules

TABLE = rules(18).kinds["table"]


def printed(name: str) -> str:
    """As putid() prints a name, the careful way."""
    return name if name.isascii() and name.replace("_", "a").isalnum() else '"' + name.replace('"', '""') + '"'


def element(item: str) -> str:
    """As array_out() prints an element."""
    if not item or any(letter in '{},"\\ \t\n\r\v\f' for letter in item) or item.upper() == "NULL":
        return '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return item


names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
letters = st.lists(st.sampled_from(["r", "a*", "w", "d", "D*", "x", "t", "m"]), unique=True).map("".join)


@given(st.lists(st.tuples(st.just("") | names, letters, names), min_size=1, max_size=4))
def test_what_is_printed_is_read(items: list[tuple[str, str, str]]) -> None:
    texts = [f"{printed(who) if who else ''}={what}/{printed(by)}" for who, what, by in items]
    assert entries("{" + ",".join(element(text) for text in texts) + "}") == items


def test_names_that_older_servers_do_not_quote() -> None:
    assert entries("{漢字=r/ünïcödé}") == [("漢字", "r", "ünïcödé")]


def test_a_broken_list_is_refused() -> None:
    with pytest.raises(ValueError, match="not an access list entry"):
        entries("{nonsense}")


def test_bits_and_grant_options() -> None:
    acls = Acls({"alice": 1, "bob": 2}.__getitem__)
    [alice, public] = acls.parse(TABLE, "{alice=rw*/bob,=d/bob}")
    assert alice == Grant(1, 2, TABLE.bits(("SELECT", "UPDATE")), TABLE.bits(("UPDATE",)))
    assert public == Grant(PUBLIC, 2, TABLE.bits(("DELETE",)))


def test_equal_lists_are_kept_once() -> None:
    acls = Acls({"alice": 1}.__getitem__)
    first = acls.of(TABLE, "{alice=arwdDxtm/alice}", 1)
    assert acls.of(TABLE, "{alice=arwdDxtm/alice}", 1) == first
    assert acls.of(TABLE, None, 1) == first, "the built-in default is the owner's everything"
    assert len(acls.lists) == 1


@pytest.mark.parametrize(
    ("kind", "public"),
    [
        ("table", ()),
        ("function", ("EXECUTE",)),
        ("database", ("CONNECT", "TEMPORARY")),
        ("schema", ()),
        ("type", ("USAGE",)),
    ],
)
def test_what_a_new_object_has(kind: str, public: tuple[str, ...]) -> None:
    words = rules(18).kinds[kind]
    found = default(words, 7)
    assert {grant.grantee for grant in found} == ({PUBLIC, 7} if public else {7})
    assert [words.names(grant.actions) for grant in found if grant.grantee == PUBLIC] == ([public] if public else [])


def test_a_column_has_nothing_of_its_own() -> None:
    assert default(rules(18).kinds["column"], 7) == ()


def test_versions_differ() -> None:
    assert "MAINTAIN" not in rules(16).kinds["table"].actions
    assert "MAINTAIN" in rules(17).kinds["table"].actions
    assert "parameter" not in rules(14).kinds
    assert not rules(13).everywhere
    assert not rules(15).membership_options
