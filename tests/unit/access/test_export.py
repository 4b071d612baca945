"""A spec made of what is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from dbops.access.export import export, names_to_export
from dbops.model.access import AccessSnapshot, DefaultGrant, Grant, Membership, Principal, SecuredObject

Make = Callable[..., AccessSnapshot]
A, B, C = 2, 3, 4


# Any: the plain values of a YAML document.
def entry(snapshot: AccessSnapshot, name: str = "a") -> dict[str, Any]:
    found = export(snapshot, [name], ["app"])
    sections = {"users": "LOGIN" in next(one for one in snapshot.principals if one.name == name).attributes}
    return dict(found["users" if sections["users"] else "roles"][name])


def test_a_spec_names_what_it_manages_and_parts_users_from_roles(make: Make) -> None:
    found = export(make(people={"a": ("LOGIN", "INHERIT"), "b": ("INHERIT",)}), ["b", "a"], ["app"])
    assert found == {
        "dbops": "users/1",
        "manage": {"principals": ["b", "a"], "databases": ["app"]},
        "roles": {"b": {}},
        "users": {"a": {}},
    }
    assert "users" not in export(make(people={"b": ()}), ["b"], ["app"])
    assert "roles" not in export(make(people={"b": ("LOGIN",)}), ["b"], ["app"])


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [((), ("owner", "a", "b")), (("a", "boss"), ("a", "boss")), (("PUBLIC", "pg_*"), ()), (("pg_read",), ("pg_read",))],
)
def test_whom_a_spec_is_made_of(make: Make, patterns: tuple[str, ...], expected: tuple[str, ...]) -> None:
    found = make(people={"a": (), "b": (), "boss": ("SUPERUSER",)})
    more = (Principal(name="pg_read", system=True), Principal(name="16384", kind="unknown"))
    people = (*found.principals, *more)
    assert names_to_export(msgspec.structs.replace(found, principals=people), patterns) == expected


def test_attributes_an_end_and_a_limit(make: Make) -> None:
    found = make(people={"a": ("LOGIN", "CREATEDB")}, until={"a": datetime(2027, 1, 1, tzinfo=UTC)})
    limited = tuple(msgspec.structs.replace(one, connection_limit=0) for one in found.principals)
    assert entry(msgspec.structs.replace(found, principals=limited)) == {
        "attributes": ["createdb", "noinherit"],
        "valid_until": "2027-01-01T00:00:00+00:00",
        "connection_limit": 0,
    }


def test_a_membership_says_what_is_unusual_about_it(make: Make) -> None:
    rows = (
        Membership(member=A, group=C, grantor=1, inherit=True, set=False),
        Membership(member=A, group=C, grantor=B, inherit=False, set=True),
        Membership(member=A, group=B, set=False, admin=True),
        Membership(member=A, group=1, implicit=True),
        Membership(member=B, group=C),
    )
    found = msgspec.structs.replace(make(people={"a": ("INHERIT",), "b": (), "c": ()}), memberships=rows)
    assert entry(found)["member_of"] == [{"role": "b", "set": False, "admin": True}, "c"]


def test_grants_are_joined_where_they_say_the_same(make: Make) -> None:
    """Of several grantors together; columns with the same actions in one entry; the owner's own part is no grant."""
    found = make(people={"a": ("INHERIT",)}, grants=(("a", "OPEN", "v"), ("a", "USAGE", "s")))
    table, column = found.objects[2:4]
    second = msgspec.structs.replace(column, path=("app", "s", "t", "d"))
    other = SecuredObject("database", ("other",), 1, 2)
    lists = (
        *found.acls[:2],
        (Grant(A, 1, 0b011, 0b010), Grant(A, B, 0b101), Grant(1, 1, 0b111), Grant(B, 1, 0b111)),
        (Grant(A, 1, 0b11, 0b01),),
        found.acls[4],
    )
    objects = (*found.objects[:2], table, column, found.objects[4], second, other)
    assert entry(msgspec.structs.replace(found, objects=objects, acls=lists))["grants"] == [
        {"object": "schema:app.s", "can": ["usage"]},
        {"object": "table:app.s.t", "can": ["select", "update"]},
        {"object": "table:app.s.t", "can": ["insert"], "grantable": True},
        {"object": "vault:v", "can": ["open"]},
        {"object": "table:app.s.t", "can": ["update"], "columns": ["c", "d"]},
        {"object": "table:app.s.t", "can": ["select"], "grantable": True, "columns": ["c", "d"]},
    ]


def test_what_new_objects_give_is_written_once_for_all_creators(make: Make) -> None:
    def default(creator: int, schema: str = "s", database: str = "app", grantable: int = 0) -> DefaultGrant:
        grants = (Grant(A, creator, 1, grantable), Grant(B, creator, 7))
        return DefaultGrant(creator=creator, database=database, schema=schema, kind="table", grants=grants)

    every = (default(C), default(B), default(B, ""), default(C, "", grantable=1), default(A), default(B, database="x"))
    found = msgspec.structs.replace(make(people={"a": ("INHERIT",), "b": (), "c": ()}), defaults=every)
    shape = {"can": ["select"], "future": "only"}
    assert entry(found)["grants"] == [
        {"object": "table:app.*.*", **shape, "creators": ["b"]},
        {"object": "table:app.*.*", **shape, "grantable": True, "creators": ["c"]},
        {"object": "table:app.s.*", **shape, "creators": ["b", "c"]},
    ]


def test_what_follows_its_table_is_not_owned_apart(make: Make) -> None:
    found = make(people={})
    followed = tuple(msgspec.structs.replace(one, follows=2) if one.kind == "column" else one for one in found.objects)
    found = msgspec.structs.replace(found, objects=followed)
    assert entry(found, "owner")["owns"] == ["database:app", "schema:app.s", "table:app.s.t", "vault:v"]
