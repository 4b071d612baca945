"""Small worlds of access, written in a few words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dbops.model.access import (
    AccessSnapshot,
    Everywhere,
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
ACTIONS = ("SELECT", "INSERT", "UPDATE")
RULES = Rules(
    kinds={
        "database": Kind(name="database", actions=("CREATE", "CONNECT")),
        "schema": Kind(name="schema", actions=("CREATE", "USAGE"), depth=2, gates=(Gate("database", "CONNECT"),)),
        "table": Kind(
            name="table",
            actions=ACTIONS,
            family="table",
            depth=3,
            gates=(Gate("schema", "USAGE"), Gate("database", "CONNECT")),
        ),
        "column": Kind(
            name="column",
            actions=("SELECT", "UPDATE"),
            depth=4,
            gates=(Gate("schema", "USAGE"), Gate("database", "CONNECT")),
            implied=(Implied("SELECT", "table", "SELECT"), Implied("UPDATE", "table", "UPDATE")),
        ),
        "vault": Kind(name="vault", actions=("OPEN",), contained=False, owner_actions=("OPEN",)),
    },
    everywhere=(Everywhere("reader", ("table",), ("SELECT",)),),
    bypass=("SUPERUSER",),
    row_bypass=("SUPERUSER", "BYPASSRLS"),
    login="LOGIN",
    assumed=("INHERIT",),
)


def world(
    *,
    people: dict[str, tuple[str, ...]],
    members: tuple[tuple[str, str], ...] = (),
    grants: tuple[tuple[str, str, str], ...] = (),
    options: dict[tuple[str, str], dict[str, Any]] | None = None,
    flags: tuple[str, ...] = (),
    owner: str = "owner",
    until: dict[str, datetime] | None = None,
    denied: tuple[tuple[str, str, str], ...] = (),
) -> AccessSnapshot:
    """One database ``app`` with a schema ``s``, a table ``t``, its column ``c``, and a vault outside.

    :param grants: ``(who, action, object's last name)``, all made by the owner.
    """
    names = ["PUBLIC", "owner", *(name for name in people if name != "owner")]
    numbers = {name: number for number, name in enumerate(names)}
    principals = [Principal(name="PUBLIC", kind="public")]
    principals += [
        Principal(name=name, attributes=people.get(name, ()), valid_until=(until or {}).get(name)) for name in names[1:]
    ]
    own = numbers[owner]
    shapes = (
        ("database", ("app",), -1),
        ("schema", ("app", "s"), 0),
        ("table", ("app", "s", "t"), 1),
        ("column", ("app", "s", "t", "c"), 2),
        ("vault", ("v",), -1),
    )
    acls: list[tuple[Grant, ...]] = []
    objects: list[SecuredObject] = []
    for kind, path, parent in shapes:
        rule = RULES.kinds[kind]
        entries = {
            who: rule.bits(tuple(action for one, action, place in grants if one == who and place == path[-1]))
            for who in {who for who, _, place in grants if place == path[-1]}
        }
        barred = {
            who: rule.bits(tuple(action for one, action, place in denied if one == who and place == path[-1]))
            for who in {who for who, _, place in denied if place == path[-1]}
        }
        acls.append(
            tuple(
                Grant(numbers[who], own, entries.get(who, 0), 0, barred.get(who, 0))
                for who in sorted(entries.keys() | barred.keys())
            )
        )
        objects.append(SecuredObject(kind, path, own, len(acls) - 1, parent, flags if kind == "table" else ()))
    return AccessSnapshot(
        engine="test",
        version=(1,),
        incarnation="1",
        taken_at=NOW,
        rules=RULES,
        principals=tuple(principals),
        memberships=tuple(
            Membership(member=numbers[member], group=numbers[group], **(options or {}).get((member, group), {}))
            for member, group in members
        ),
        objects=tuple(objects),
        acls=tuple(acls),
        database="app",
    )


@pytest.fixture(scope="session")
def make() -> Callable[..., AccessSnapshot]:
    return world


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW
