"""A snapshot in numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dbops.access.effective import Effective
from dbops.access.summary import EVERYTHING, summary
from dbops.model.access import (
    AccessSnapshot,
    Gate,
    Grant,
    Kind,
    Membership,
    Principal,
    Rules,
    SecuredObject,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KINDS = {
    "database": Kind(name="database", actions=("CONNECT",), contained=False),
    "table": Kind(name="table", actions=("SELECT", "UPDATE"), depth=3, gates=(Gate("database", "CONNECT"),)),
    "column": Kind(name="column", actions=("SELECT",), depth=4),
}
PEOPLE = (
    Principal(name="public", kind="public"),
    Principal(name="app_read"),
    Principal(name="alice", attributes=("INHERIT", "LOGIN")),
    Principal(name="root", attributes=("LOGIN", "SUPERUSER")),
    Principal(name="gone", attributes=("LOGIN",), valid_until=NOW - timedelta(days=1)),
    Principal(name="soon", attributes=("LOGIN",), valid_until=NOW + timedelta(days=1)),
    Principal(name="pg_monitor", system=True),
    Principal(name="17", kind="unknown", attributes=("LOGIN",)),
)
SNAPSHOT = AccessSnapshot(
    engine="postgresql",
    version=(17,),
    incarnation="7",
    taken_at=NOW,
    rules=Rules(kinds=KINDS, bypass=("SUPERUSER",), login="LOGIN"),
    principals=PEOPLE,
    memberships=(
        Membership(member=2, group=1, grantor=3),
        Membership(member=2, group=1, grantor=1),
        Membership(member=6, group=1),
    ),
    objects=(
        SecuredObject("database", ("shop",), 3, 0),
        SecuredObject("table", ("shop", "public", "a"), 3, 1, 0),
        SecuredObject("column", ("shop", "public", "a", "x"), 3, 1, 1),
    ),
    acls=((Grant(0, 3, 1),), (Grant(1, 3, 1), Grant(4, 3, 3))),
)


def test_numbers_leave_out_what_comes_with_the_engine() -> None:
    found = summary(Effective(SNAPSHOT, NOW))
    assert found.principals == 5  # neither the public, nor pg_monitor, nor somebody who is gone
    assert found.memberships == 1  # once, whoever granted it
    assert found.objects == 2  # a column is part of its table
    assert found.grants == 5


def test_everybody_who_can_log_in_now() -> None:
    people = {one.name: one for one in summary(Effective(SNAPSHOT, NOW)).people}
    assert set(people) == {"alice", "root", "soon"}
    alice = people["alice"]
    assert (alice.attributes, alice.roles, alice.objects) == ((), ("app_read",), 2)
    assert (people["root"].attributes, people["root"].objects) == (("SUPERUSER",), EVERYTHING)
    assert people["soon"].objects == 1  # the database, as the public
    assert people["soon"].valid_until == NOW + timedelta(days=1)
