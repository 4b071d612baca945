"""Whom a session is taken for, and the session that stands for an account."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dbops.access.accounts import account_name, named, split_account
from dbops.access.hosts import LOCALHOST, Origin, fits_host, host_rank, origin_of, origins
from dbops.access.matched import Matched
from dbops.access.sessions import Accounts, Session, from_host
from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot, Matching, Principal

HOSTS = (
    "%", "localhost", "127.0.0.1", "10.%", "10.1.%", "10.1.2.3", "10._.2.%", "10.0.0.0/8", "10.0.0.0/255.0.0.0",
    "%.org", "web_.example.org", "_", "1%",
)  # fmt: skip
PREFIX = Matching(addresses_first=True)
FEWEST = Matching(order="fewest", roles="add")


def people(*accounts: str) -> list[Principal]:
    found = [Principal(name="PUBLIC", kind="public")]
    for one in accounts:
        user, _, host = one.rpartition("@")
        found.append(Principal(name=account_name(user, host), kind="user", attributes=("LOGIN",), user=user, host=host))
    return found


def taken(matching: Matching, user: str, place: str, *accounts: str) -> str:
    """The account as it was written, ``""`` for none."""
    origin = origin_of(place, resolves=matching.resolves)
    number = Accounts(people(*accounts), matching).taken_for(user, origin)
    return accounts[number - 1] if number > 0 else ""


def standing(matching: Matching, *accounts: str) -> Session:
    """The session that stands for the first account."""
    found = people(*accounts)
    return Accounts(found, matching).canonical(1, found[1])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("'a'@'10.%'", ("a", "10.%")),
        ("a@10.%", ("a", "10.%")),
        ("`a`@`h`", ("a", "h")),
        ("''@'localhost'", ("", "localhost")),
        ("'o''brien'@'h'", ("o'brien", "h")),
        (r"'a\\b'@'h'", (r"a\b", "h")),
        ("a`b", None),
        ("a", None),
    ],
)
def test_an_account_as_it_is_written(text: str, parts: tuple[str, str] | None) -> None:
    assert split_account(text) == parts


@given(st.text(max_size=8), st.text(max_size=8))
@example("", "``")
def test_the_one_spelling_of_an_account_is_read_back(user: str, host: str) -> None:
    assert split_account(account_name(user, host)) == (user, host)


def test_each_way_to_write_an_account_doubles_its_own_quote() -> None:
    assert split_account("`a``b''`@'c''d``'") == ("a`b''", "c'd``")
    assert split_account("alice@10.%") == ("alice", "10.%")


def test_a_pattern_of_a_spec_means_accounts() -> None:
    one = Principal(name="'app_x'@'10.%'", user="app_x", host="10.%")
    assert named("app_*", one)
    assert named("app_x@10.%", one)
    assert named("*@10.*", one)
    assert not named("app_x@%", one)


@pytest.mark.parametrize(
    ("pattern", "places", "others"),
    [
        ("%", ["localhost", "10.1.2.3", "web1.example.org"], []),
        ("localhost", ["localhost", "127.0.0.1"], ["127.0.0.2", "10.1.2.3"]),
        ("LOCALHOST", ["localhost"], []),
        ("10.%", ["10.1.2.3"], ["110.1.2.3", "localhost"]),
        ("10.0.0.0/255.0.0.0", ["10.1.2.3"], ["11.1.2.3", "localhost"]),
        ("10.0.0.0/8", ["10.1.2.3"], ["11.1.2.3"]),
        ("%.Example.org", ["web1.example.org"], ["example.org"]),
        ("::1", ["::1"], ["127.0.0.1"]),
        ("10.0.0.0/99", [], ["10.0.0.0"]),
        ("", ["localhost", "10.1.2.3"], []),
    ],
)
def test_which_places_a_host_means(pattern: str, places: list[str], others: list[str]) -> None:
    assert [place for place in places if not fits_host(pattern, origin_of(place, resolves=True))] == []
    assert [place for place in others if fits_host(pattern, origin_of(place, resolves=True))] == []


def test_without_names_nobody_from_afar_is_localhost() -> None:
    assert not fits_host("localhost", origin_of("127.0.0.1", resolves=False))
    assert str(origin_of("127.0.0.1", resolves=False)) == "127.0.0.1"
    assert str(origin_of("127.0.0.1", resolves=True)) == "localhost"


@pytest.mark.parametrize("pattern", [*HOSTS, r"web\_%", "%%", "1%2%", "%.%.%.%.%", "__________", "10.0.0.0/30"])
@pytest.mark.parametrize("resolves", [True, False])
def test_every_place_that_is_thought_of_is_meant(pattern: str, resolves: bool) -> None:
    found = list(origins(pattern, resolves=resolves))
    assert found
    assert [place for place in found if not fits_host(pattern, place)] == []


def test_the_most_specific_account_is_taken() -> None:
    accounts = ("a@%", "a@10.%", "a@10.1.2.3", "b@10.1.2.3")
    assert taken(PREFIX, "a", "10.1.2.3", *accounts) == "a@10.1.2.3"
    assert taken(PREFIX, "a", "10.9.9.9", *accounts) == "a@10.%"
    assert taken(PREFIX, "a", "192.0.2.1", *accounts) == "a@%"
    assert taken(PREFIX, "b", "192.0.2.1", *accounts) == ""


def test_addresses_then_networks_then_patterns() -> None:
    """Seen on MySQL 9.7; since 8.0.23."""
    accounts = ("w@10.1.2.%", "w@10.0.0.0/255.255.0.0", "w@10.1.0.0/255.255.0.0", "w@10.0.0.0/8", "w@10.1.2.3")
    assert taken(PREFIX, "w", "10.1.2.3", *accounts) == "w@10.1.2.3"
    assert taken(PREFIX, "w", "10.1.2.3", *accounts[:4]) == "w@10.0.0.0/8"
    assert taken(PREFIX, "w", "10.1.2.3", *accounts[:3]) == "w@10.1.0.0/255.255.0.0"
    assert host_rank("10.1.2.3", "prefix", addresses_first=False) == host_rank("h", "prefix", addresses_first=False)


def test_nobodys_account_takes_everybody_away_who_has_no_better_one() -> None:
    assert taken(PREFIX, "u", "localhost", "@localhost", "u@%") == "@localhost"
    assert taken(PREFIX, "u", "localhost", "@%", "u@%") == "u@%"
    assert taken(PREFIX, "stranger", "localhost", "@%") == "@%"
    assert taken(PREFIX, "", "localhost", "@%") == "@%"


def test_loopback_by_name_or_by_address() -> None:
    """Seen on MySQL 9.7 and MariaDB 10.11: one tries the address first, the other the name."""
    both = ("w@localhost", "w@127.0.0.1")
    assert taken(PREFIX, "w", "127.0.0.1", *both) == "w@127.0.0.1"
    assert taken(FEWEST, "w", "127.0.0.1", *both) == "w@localhost"
    assert taken(FEWEST, "w", "localhost", *both) == "w@localhost"


def test_equally_specific_accounts() -> None:
    assert taken(FEWEST, "w", "10.1.2.3", "w@10.1.2._", "w@10.1._.3") == "w@10.1._.3", "MariaDB: the name, backwards"
    assert taken(PREFIX, "w", "10.1.2.3", "w@10.1.2._", "w@10.1.2.%") == "w@10.1.2._", "MySQL: as they were read"


def test_the_ordinary_session_of_an_account() -> None:
    assert standing(PREFIX, "a@localhost").origin == Origin(LOCALHOST)
    assert standing(PREFIX, "a@10.1.2.3").origin == Origin("", "10.1.2.3")
    assert standing(PREFIX, "a@web1.example.org").origin == Origin("web1.example.org")
    assert standing(PREFIX, "a@%").origin == Origin("", "192.0.2.77")
    assert standing(PREFIX, "a@10.%", "a@10.77.%").origin == Origin("", "10.201.201.201")


def test_an_account_is_shadowed() -> None:
    assert standing(FEWEST, "a@127.0.0.1", "a@localhost").shadow == 2
    assert standing(FEWEST, "a@127.0.0.1", "@localhost").shadow == -1, "a user comes before nobody"
    assert standing(FEWEST, "a@%.0.0.1", "@127.0.0.1", "@localhost").shadow == -1
    assert standing(Matching(order="fewest", resolves=False), "a@127.0.0.1", "a@localhost").shadow == -1
    assert standing(PREFIX, "a@localhost", "a@%").shadow == -1


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", ""]), st.sampled_from(HOSTS)), min_size=1, max_size=8, unique=True),
    st.sampled_from([PREFIX, FEWEST, Matching()]),
)
def test_the_session_of_an_account_is_taken_for_it_or_it_is_shadowed(
    pairs: list[tuple[str, str]], matching: Matching
) -> None:
    found = people(*(f"{user}@{host}" for user, host in pairs))
    accounts = Accounts(found, matching)
    for number, one in enumerate(found[1:], 1):
        session = accounts.canonical(number, one)
        taken_for = accounts.taken_for(one.user, session.origin)
        assert taken_for == (number if session.shadow < 0 else session.shadow)
        assert fits_host(one.host, session.origin)


def test_a_session_from_one_host_becomes_a_principal(rowed: Callable[..., object]) -> None:
    world = rowed(["a@10.%", "a@10.1.%"])
    snapshot: AccessSnapshot = world.grant("a@10.%", "SELECT", "ab.*").snapshot()  # type: ignore[attr-defined]
    found = from_host(snapshot, "a@10.1.2.3")
    assert found is not None
    wider, number = found
    assert wider.principals[number].name == "'a'@'10.1.2.3'"
    assert wider.principals[number].account == 2
    database = wider.objects[1]
    effective = Matched(wider, snapshot.taken_at)
    assert effective.nominal(database, "SELECT") >> number & 1, "the row of the wider pattern matches, too"
    assert effective.able >> number & 1


def test_what_is_no_session_from_one_host(rowed: Callable[..., object]) -> None:
    snapshot: AccessSnapshot = rowed(["a@10.%"]).snapshot()  # type: ignore[attr-defined]
    assert [from_host(snapshot, text) for text in ("a", "a@10.%", "a@10.0.0.0/8", "a@")] == [None] * 4
    with pytest.raises(UsageError, match="no account lets 'a' in from 11") as caught:
        from_host(snapshot, "a@11.0.0.1")
    assert caught.value.hint == "Accounts of that user: 'a'@'10.%'."
    with pytest.raises(UsageError, match="no account lets 'b' in from 11") as caught:
        from_host(snapshot, "b@11.0.0.1")
    assert caught.value.hint == "There is no account of a user 'b' at all."
