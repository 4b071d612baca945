"""A plain second evaluator of covered rights, written from the documented steps alone, agrees on random small servers.

It asks one question at a time, of rows as the catalogue has them, and shares nothing with the first one.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dbops.access.evaluator import evaluator
from dbops.access.explain import explain
from dbops.access.simulate import simulate
from dbops.model.access import (
    AccessSnapshot,
    Covering,
    Fixed,
    Gate,
    Grant,
    Implied,
    Kind,
    Membership,
    Principal,
    Rules,
    SecuredObject,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CASES = max(20_000, int(os.environ.get("DBOPS_TEST_EXAMPLES", "0")) * 100)

# class, permission, covering permission, parent class, parent covering permission: an extract of what the server has.
BUILTIN = (
    ("SERVER", "CONTROL SERVER", "", "", ""),
    ("SERVER", "CONNECT SQL", "CONTROL SERVER", "", ""),
    ("SERVER", "ALTER ANY LOGIN", "CONTROL SERVER", "", ""),
    ("SERVER", "ALTER ANY DATABASE", "CONTROL SERVER", "", ""),
    ("SERVER", "VIEW ANY DEFINITION", "CONTROL SERVER", "", ""),
    ("SERVER", "CONNECT ANY DATABASE", "CONTROL SERVER", "", ""),
    ("SERVER", "SELECT ALL USER SECURABLES", "CONTROL SERVER", "", ""),
    ("SERVER", "IMPERSONATE ANY LOGIN", "CONTROL SERVER", "", ""),
    ("LOGIN", "CONTROL", "", "SERVER", "CONTROL SERVER"),
    ("LOGIN", "IMPERSONATE", "CONTROL", "SERVER", "CONTROL SERVER"),
    ("LOGIN", "IMPERSONATE", "", "SERVER", "IMPERSONATE ANY LOGIN"),
    ("LOGIN", "ALTER", "CONTROL", "SERVER", "ALTER ANY LOGIN"),
    ("DATABASE", "CONTROL", "", "SERVER", "CONTROL SERVER"),
    ("DATABASE", "CONNECT", "CONTROL", "SERVER", "CONNECT ANY DATABASE"),
    ("DATABASE", "ALTER", "CONTROL", "SERVER", "ALTER ANY DATABASE"),
    ("DATABASE", "ALTER ANY SCHEMA", "ALTER", "SERVER", "CONTROL SERVER"),
    ("DATABASE", "SELECT", "CONTROL", "SERVER", "CONTROL SERVER"),
    ("DATABASE", "UPDATE", "CONTROL", "SERVER", "CONTROL SERVER"),
    ("DATABASE", "EXECUTE", "CONTROL", "SERVER", "CONTROL SERVER"),
    ("DATABASE", "VIEW DEFINITION", "CONTROL", "SERVER", "VIEW ANY DEFINITION"),
    ("SCHEMA", "CONTROL", "", "DATABASE", "CONTROL"),
    ("SCHEMA", "ALTER", "CONTROL", "DATABASE", "ALTER ANY SCHEMA"),
    ("SCHEMA", "SELECT", "CONTROL", "DATABASE", "SELECT"),
    ("SCHEMA", "UPDATE", "CONTROL", "DATABASE", "UPDATE"),
    ("SCHEMA", "EXECUTE", "CONTROL", "DATABASE", "EXECUTE"),
    ("SCHEMA", "VIEW DEFINITION", "CONTROL", "DATABASE", "VIEW DEFINITION"),
    ("TABLE", "CONTROL", "", "SCHEMA", "CONTROL"),
    ("TABLE", "ALTER", "CONTROL", "SCHEMA", "ALTER"),
    ("TABLE", "SELECT", "RECEIVE", "SCHEMA", "SELECT"),
    ("TABLE", "SELECT", "", "SERVER", "SELECT ALL USER SECURABLES"),
    ("TABLE", "RECEIVE", "CONTROL", "SCHEMA", "CONTROL"),
    ("TABLE", "UPDATE", "CONTROL", "SCHEMA", "UPDATE"),
    ("TABLE", "VIEW DEFINITION", "CONTROL", "SCHEMA", "VIEW DEFINITION"),
    ("PROCEDURE", "CONTROL", "", "SCHEMA", "CONTROL"),
    ("PROCEDURE", "EXECUTE", "CONTROL", "SCHEMA", "EXECUTE"),
)
PARENTS = {"LOGIN": "SERVER", "DATABASE": "SERVER", "SCHEMA": "DATABASE", "TABLE": "SCHEMA", "PROCEDURE": "SCHEMA"}
FIXED = {
    "sysadmin": ("SERVER", ("CONTROL SERVER",), ()),
    "securityadmin": ("SERVER", ("ALTER ANY LOGIN",), ()),
    "connector": ("SERVER", ("CONNECT ANY DATABASE",), ()),
    "db_owner": ("DATABASE", ("CONTROL",), ()),
    "db_datareader": ("DATABASE", ("SELECT",), ()),
    "db_denydatareader": ("DATABASE", (), ("SELECT",)),
}
COLUMN = ("SELECT", "UPDATE")


def permissions(of: str) -> list[str]:
    """What can be granted on a class; RECEIVE is none of a table, and covers all the same."""
    if of == "COLUMN":
        return list(COLUMN)
    return list(dict.fromkeys(row[1] for row in BUILTIN if row[0] == of and (of, row[1]) != ("TABLE", "RECEIVE")))


# -- a small server, as rows ------------------------------------------------------------------------------------------

Id = tuple[str, str]  # database ("" for the server), name
Thing = tuple[str, tuple[str, ...]]  # class, names from the database down


@dataclass
class Rows:
    """The catalogue: principals, members, what there is with its owner, and permissions."""

    principals: dict[Id, str] = field(default_factory=dict)  # S login, R role, U user, P everybody
    members: list[tuple[Id, Id]] = field(default_factory=list)
    logins: dict[Id, Id] = field(default_factory=dict)  # which login a user is
    owners: dict[Thing, Id | None] = field(default_factory=dict)
    said: list[tuple[Thing, Id, str, str]] = field(default_factory=list)  # thing, grantee, permission, G, D or R


# -- the plain evaluator ----------------------------------------------------------------------------------------------


def above(thing: Thing) -> Iterator[Thing]:
    """The thing itself and what contains it."""
    of, names = thing
    yield thing
    if of in ("TABLE", "PROCEDURE"):
        yield "SCHEMA", names[:2]
    if of in ("TABLE", "PROCEDURE", "SCHEMA"):
        yield "DATABASE", names[:1]
    if of != "SERVER":
        yield "SERVER", ()


def roles(rows: Rows, start: set[Id]) -> set[Id]:
    found = set(start)
    while True:
        more = {group for member, group in rows.members if member in found} - found
        if not more:
            return found
        found |= more


def implying(of: str, permission: str) -> set[tuple[str, str]]:
    """Every permission, by class, that brings one along."""
    found = {(of, permission)}
    while True:
        more = set[tuple[str, str]]()
        for row in BUILTIN:
            if (row[0], row[1]) in found:
                more |= {(row[0], row[2])} if row[2] else set()
                more |= {(row[3], row[4])} if row[4] else set()
        if more <= found:
            return found
        found |= more


def words(
    rows: Rows, who: set[Id], place: Thing, apart: set[tuple[Id, str]] | None = None
) -> Iterator[tuple[str, str]]:
    """What is said to anybody of ``who`` about one place: by rows, by fixed roles, and by owning it."""
    for what, grantee, word, state in rows.said:
        if what == place and grantee in who and (grantee, word) not in (apart or ()):
            yield word, state
    database = place[1][0] if place[1] and place[0] != "LOGIN" else ""
    for role, (of, gives, takes) in FIXED.items():
        if of == place[0] and (database, role) in who:
            yield from ((word, "G") for word in gives)
            yield from ((word, "D") for word in takes)
    if place[0] != "DATABASE" and rows.owners.get(place) in who:
        yield "CONTROL", "G"


def verdict(rows: Rows, who: set[Id], thing: Thing, permission: str, column: str = "") -> bool:
    """The last two steps: collect what was said to anybody of ``who``; a denial wins, then a grant is needed."""
    covering = implying(thing[0], permission)
    apart = {row[1:3] for row in rows.said if row[0] == ("COLUMN", (*thing[1], column)) and row[3] == "R"}
    collected = [
        (place, state)
        for place in above(thing)
        for word, state in words(rows, who, place, {one for one in apart if one[1] == permission and place == thing})
        if (place[0], word) in covering
    ]
    on_column = set[str]()
    if column:
        on_column = {state for word, state in words(rows, who, ("COLUMN", (*thing[1], column))) if word == permission}
    if "G" in on_column:
        collected = [(place, state) for place, state in collected if (place, state) != (thing, "D")]
    states = {state for _, state in collected} | on_column
    return "D" not in states and "G" in states


def enters(rows: Rows, login: Id, database: str) -> Id | None:
    """Who a login is in a database, when it is anybody there by itself."""
    mine = [user for user, owner in rows.logins.items() if owner == login and user[0] == database]
    return mine[0] if mine else None


def context(rows: Rows, subject: Id, database: str) -> set[Id]:
    """Everybody that a subject stands for when it works in a database."""
    if subject[0]:
        return roles(rows, {subject}) | {(subject[0], "public")}
    server = roles(rows, {subject}) | {("", "public")}
    if not database or rows.principals[subject] != "S":
        return server
    user = enters(rows, subject, database)
    if user is not None:
        return server | roles(rows, {user}) | {(database, "public")}
    guest = (database, "guest")
    as_guest = roles(rows, {guest}) | {(database, "public")}
    invited = verdict(rows, as_guest, ("DATABASE", (database,)), "CONNECT")
    let_in = verdict(rows, server, ("DATABASE", (database,)), "CONNECT")
    return server | as_guest if invited or let_in else server


def may(rows: Rows, subject: Id, thing: Thing, permission: str) -> bool:
    """One question, by the steps of the documentation."""
    column = thing[1][-1] if thing[0] == "COLUMN" else ""
    target: Thing = ("TABLE", thing[1][:-1]) if column else thing
    database = target[1][0] if target[0] in ("DATABASE", "SCHEMA", "TABLE", "PROCEDURE") else ""
    if ("", "sysadmin") in roles(rows, {subject}):
        return True
    if database:
        dbo = (database, "dbo")
        if subject == dbo or rows.logins.get(dbo) == subject:
            return True
    owner = rows.owners.get(target)
    if owner is not None and (subject == owner or rows.logins.get(owner) == subject):
        return True
    return verdict(rows, context(rows, subject, database), target, permission, column)


# -- the same server for the first evaluator --------------------------------------------------------------------------


def rules() -> Rules:
    def kind(of: str, **more: object) -> Kind:
        implied = [Implied(row[1], of.lower(), row[2]) for row in BUILTIN if row[0] == of and row[2]]
        implied += [Implied(row[1], row[3].lower(), row[4]) for row in BUILTIN if row[0] == of and row[4]]
        return Kind(name=of.lower(), actions=tuple(permissions(of)), implied=tuple(implied), **more)  # type: ignore[arg-type] # names of fields

    gates = (Gate("database", "CONNECT"),)
    owned = ("CONTROL",)
    kinds = [
        kind("SERVER", contained=False, depth=0),
        kind("LOGIN", contained=False),
        kind("DATABASE", gates=gates),
        kind("SCHEMA", depth=2, gates=gates, owner_actions=owned),
        kind("TABLE", depth=3, gates=gates, owner_actions=owned, family="table"),
        kind("PROCEDURE", depth=3, gates=gates, owner_actions=owned),
        Kind(
            name="column",
            actions=COLUMN,
            depth=4,
            gates=gates,
            implied=tuple(Implied(word, "table", word) for word in COLUMN),
        ),
    ]
    return Rules(
        kinds={one.name: one for one in kinds},
        login="LOGIN",
        covering=Covering(
            unbound="sysadmin",
            owner="dbo",
            guest="guest",
            everybody="public",
            enters="CONNECT",
            connects="CONNECT SQL",
            accounts={"login": "IMPERSONATE"},
            strong="CONTROL SERVER",
            fixed=tuple(Fixed(role, of.lower(), gives, takes) for role, (of, gives, takes) in FIXED.items()),
        ),
    )


RULES = rules()
KINDS = {"S": "user", "U": "user", "R": "role", "P": "public"}


def snapshot(rows: Rows) -> tuple[AccessSnapshot, dict[Id, int], dict[Thing, int]]:
    """The snapshot of some rows, with the positions of principals and things."""
    order = [("", "public"), *(one for one in rows.principals if one != ("", "public"))]
    numbers = {one: at for at, one in enumerate(order)}
    people = [
        Principal(
            name=".".join(part for part in one if part),
            kind=KINDS[rows.principals[one]],  # type: ignore[arg-type] # one of its words
            attributes=("LOGIN",) if rows.principals[one] == "S" else (),
            database=one[0],
            user=one[1] if one[0] else "",
        )
        for one in order
    ]
    members = [Membership(member=numbers[member], group=numbers[group]) for member, group in rows.members]
    members += [
        Membership(member=numbers[login], group=numbers[user], implicit=True, database=user[0])
        for user, login in rows.logins.items()
    ]
    things = {thing: at for at, thing in enumerate(rows.owners)}
    objects, acls = list[SecuredObject](), list[tuple[Grant, ...]]()
    for thing, owner in rows.owners.items():
        kind = RULES.kinds[thing[0].lower()]
        acls.append(
            tuple(
                Grant(
                    numbers[grantee],
                    0,
                    kind.bits((word,)) if state == "G" else 0,
                    0,
                    kind.bits((word,)) if state == "D" else 0,
                    kind.bits((word,)) if state == "R" else 0,
                )
                for what, grantee, word, state in rows.said
                if what == thing
            )
        )
        containing = ("TABLE", thing[1][:-1]) if thing[0] == "COLUMN" else next(_rest(thing), None)
        objects.append(
            SecuredObject(
                thing[0].lower(),
                thing[1],
                -1 if owner is None else numbers[owner],
                len(acls) - 1,
                -1 if containing is None else things[containing],
            )
        )
    found = AccessSnapshot(
        engine="test",
        version=(1,),
        incarnation="1",
        taken_at=NOW,
        rules=RULES,
        principals=tuple(people),
        memberships=tuple(members),
        objects=tuple(objects),
        acls=tuple(acls),
    )
    return found, numbers, things


def _rest(thing: Thing) -> Iterator[Thing]:
    found = above(thing)
    next(found)
    yield from found


# -- random servers ---------------------------------------------------------------------------------------------------


def some(chosen: random.Random) -> Rows:
    """A server of two databases with a handful of everything."""
    rows = Rows()
    logins = [("", name) for name in ("ann", "bob", "cat", "dan")]
    groups = [("", name) for name in ("sysadmin", "securityadmin", "connector", "team")]
    rows.principals = {("", "public"): "P", **dict.fromkeys(logins, "S"), **dict.fromkeys(groups, "R")}
    for member in (*logins, ("", "team")):
        for group in groups:
            if member != group and chosen.random() < (0.06 if group[1] == "sysadmin" else 0.15):
                rows.members.append((member, group))
    rows.owners[("SERVER", ())] = None
    for login in logins[:2]:
        rows.owners["LOGIN", (login[1],)] = None
    for database in ("app", "log")[: chosen.randint(1, 2)]:
        _database(chosen, rows, database, logins)
    _say(chosen, rows)
    return rows


def _database(chosen: random.Random, rows: Rows, name: str, logins: list[Id]) -> None:
    users = [(name, user) for user in ("dbo", "guest", "una", "vic", "wim")]
    groups = [(name, role) for role in ("db_owner", "db_datareader", "db_denydatareader", "crew", "crowd")]
    rows.principals |= {(name, "public"): "P", **dict.fromkeys(users, "U"), **dict.fromkeys(groups, "R")}
    free = [*logins]
    chosen.shuffle(free)
    rows.logins[users[0]] = free.pop()
    for user in users[2:4]:
        if chosen.random() < 0.7:
            rows.logins[user] = free.pop()
    for member in (*users[1:], *groups[3:]):
        for group in groups:
            onward = group[1] != "crew" or member[1] != "crowd"
            if member != group and onward and chosen.random() < 0.13:
                rows.members.append((member, group))
    owners: list[Id] = [users[0], *users[2:], groups[3]]
    rows.owners["DATABASE", (name,)] = rows.logins[users[0]]
    for schema in ("s", "r"):
        owner = chosen.choice(owners)
        rows.owners["SCHEMA", (name, schema)] = owner
        for of, thing in (("TABLE", "t"), ("PROCEDURE", "p")):
            rows.owners[of, (name, schema, thing)] = owner if chosen.random() < 0.7 else chosen.choice(owners)
        table = rows.owners["TABLE", (name, schema, "t")]
        for column in ("a", "b"):
            rows.owners["COLUMN", (name, schema, "t", column)] = table


def _say(chosen: random.Random, rows: Rows) -> None:
    things, people = list(rows.owners), list(rows.principals)
    for _ in range(chosen.randint(5, 30)):
        thing = chosen.choice(things)
        database = thing[1][0] if thing[0] not in ("SERVER", "LOGIN") else ""
        fixed = {*FIXED} | {"dbo"}
        grantee = chosen.choice([one for one in people if one[0] == database and one[1] not in fixed])
        word = chosen.choice(permissions(thing[0]))
        if all((what, who, other) != (thing, grantee, word) for what, who, other, _ in rows.said):
            rows.said.append((thing, grantee, word, "D" if chosen.random() < 0.35 else "G"))
    _part(chosen, rows)
    for database in {one[0] for one in people if one[0]}:
        if chosen.random() < 0.4:
            rows.said.append((("DATABASE", (database,)), (database, "guest"), "CONNECT", "G"))


def _part(chosen: random.Random, rows: Rows) -> None:
    """Columns revoked apart from what was said to the same grantee on their table."""
    for (sort, path), grantee, word, _ in list(rows.said):
        column = ("COLUMN", (*path, "a"))
        said = (column, grantee, word) in {row[:3] for row in rows.said}
        if sort == "TABLE" and word in permissions("COLUMN") and not said and chosen.random() < 0.3:
            rows.said.append((column, grantee, word, "R"))


def questions(rows: Rows) -> Iterator[tuple[Id, Thing, str]]:
    for thing in rows.owners:
        for word in permissions(thing[0]):
            for subject, sort in rows.principals.items():
                if sort != "P":
                    yield subject, thing, word


def test_a_plain_second_evaluator_agrees(record_property: Callable[[str, object], None]) -> None:
    chosen = random.Random("covered")  # the same worlds every time
    asked = allowed = 0
    while asked < CASES:
        rows = some(chosen)
        found, numbers, things = snapshot(rows)
        effective = evaluator(found, NOW)
        for subject, thing, word in questions(rows):
            ours = bool(effective.nominal(found.objects[things[thing]], word) >> numbers[subject] & 1)
            plain = may(rows, subject, thing, word)
            assert ours == plain, (subject, thing, word, plain, rows)
            asked, allowed = asked + 1, allowed + plain
    record_property("cases", asked)
    record_property("allowed", allowed)
    assert 0.05 < allowed / asked < 0.95  # neither answer is rare


# -- laws -------------------------------------------------------------------------------------------------------------

SEEDS = st.integers(min_value=0, max_value=2**32)


def held(found: AccessSnapshot, *, usable: bool = False) -> dict[tuple[str, tuple[str, ...], str], int]:
    effective = evaluator(found, NOW)
    ask = effective.usable if usable else effective.nominal
    return {
        (one.kind, one.path, word): ask(one, word)
        for one in found.objects
        for word in found.rules.kinds[one.kind].actions
    }


def anything(chosen: random.Random, rows: Rows) -> tuple[Thing, Id, str]:
    """Something that could be said and is not."""
    while True:
        thing = chosen.choice(list(rows.owners))
        database = thing[1][0] if thing[0] not in ("SERVER", "LOGIN") else ""
        grantee = chosen.choice([one for one in rows.principals if one[0] == database and one[1] not in FIXED])
        word = chosen.choice(permissions(thing[0]))
        if (thing, grantee, word) not in {row[:3] for row in rows.said}:
            return thing, grantee, word


@given(SEEDS)
def test_a_grant_takes_nothing_away_and_a_denial_gives_nothing(seed: int) -> None:
    chosen = random.Random(seed)
    rows = some(chosen)
    before = held(snapshot(rows)[0])
    thing, grantee, word = anything(chosen, rows)
    if (thing[0], word) in implying("DATABASE", "CONNECT"):
        return  # whoever comes in by it is in the role of everybody there, to whom things are granted and denied
    rows.said.append((thing, grantee, word, "G"))
    after = held(snapshot(rows)[0])
    assert all(not before[key] & ~after[key] for key in before)
    rows.said[-1] = (thing, grantee, word, "D")
    after = held(snapshot(rows)[0])
    assert all(not after[key] & ~before[key] for key in before)


@given(SEEDS)
def test_what_is_usable_is_held(seed: int) -> None:
    found = snapshot(some(random.Random(seed)))[0]
    nominal, usable = held(found), held(found, usable=True)
    assert all(not usable[key] & ~nominal[key] for key in nominal)


@given(SEEDS)
def test_an_explanation_agrees_and_its_revokes_end_it(seed: int) -> None:
    chosen = random.Random(seed)
    found = snapshot(some(chosen))[0]
    effective = evaluator(found, NOW)
    for _ in range(10):
        one = chosen.choice(found.objects)
        word = chosen.choice(found.rules.kinds[one.kind].actions)
        who = chosen.choice([at for at, person in enumerate(found.principals) if person.kind != "public"])
        told = explain(effective, who, word, one)
        assert told.allowed == bool(effective.nominal(one, word) >> who & 1)
        assert bool(told.paths) == told.allowed
        assert told.usable or told.blocked_by
        if told.changes:
            later = evaluator(simulate(found, told.changes), NOW)
            left = next(other for other in later.snapshot.objects if (other.kind, other.path) == (one.kind, one.path))
            assert not later.nominal(left, word) >> who & 1


@given(SEEDS)
def test_a_snapshot_is_judged_the_same_after_it_was_a_file(seed: int) -> None:
    found = snapshot(some(random.Random(seed)))[0]
    again = msgspec.json.decode(msgspec.json.encode(found), type=AccessSnapshot)
    assert held(again) == held(found)


@given(SEEDS)
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    chosen = random.Random(seed)
    rows = some(chosen)
    before = held(snapshot(rows)[0])
    chosen.shuffle(rows.said)
    chosen.shuffle(rows.members)
    assert held(snapshot(rows)[0]) == before
