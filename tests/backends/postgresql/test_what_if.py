"""GRANT and REVOKE as changes, without a server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot, Principal, SecuredObject
from dbops.model.change import AddGrant, AddMembership, ObjectName, RemoveGrant, RemoveMembership
from dbops_postgresql.access.kinds import rules
from dbops_postgresql.access.parse import parse

SNAPSHOT = AccessSnapshot(
    engine="postgresql",
    version=(18, 0),
    incarnation="1",
    taken_at=datetime(2026, 1, 1, tzinfo=UTC),
    rules=rules(18),
    principals=tuple(
        Principal(name=name, kind="role", attributes=attributes)
        for name, attributes in {"owner": (), "Ann": ("INHERIT",), "bob": (), "crew": ()}.items()
    ),
    memberships=(),
    objects=(
        SecuredObject("database", ("app",), 0, 0),
        SecuredObject("schema", ("app", "s"), 0, 0, 0),
        SecuredObject("table", ("app", "s", "t"), 0, 0, 1),
        SecuredObject("function", ("app", "s", "f(integer, text)"), 0, 0, 1),
    ),
    acls=((),),
    database="app",
)
TABLE = ObjectName("table", ("app", "s", "t"))


def test_privileges() -> None:
    column = ObjectName("column", (*TABLE.path, "Total"))
    assert parse('grant select, update ("Total") on table s.t to "Ann", Bob with grant option;', SNAPSHOT) == (
        AddGrant(principal="Ann", object=TABLE, actions=("SELECT",), grantable=True),
        AddGrant(principal="bob", object=TABLE, actions=("SELECT",), grantable=True),
        AddGrant(principal="Ann", object=column, actions=("UPDATE",), grantable=True),
        AddGrant(principal="bob", object=column, actions=("UPDATE",), grantable=True),
    )
    assert parse("REVOKE GRANT OPTION FOR SELECT ON s.t FROM bob -- only that", SNAPSHOT) == (
        RemoveGrant(principal="bob", object=TABLE, actions=("SELECT",), option_only=True),
    )
    [all_of_it] = parse("GRANT ALL PRIVILEGES ON FUNCTION s.f(integer, text) TO bob", SNAPSHOT)
    assert all_of_it == AddGrant(
        principal="bob", object=ObjectName("function", ("app", "s", "f(integer, text)")), actions=("EXECUTE",)
    )
    [temporary] = parse("GRANT TEMP ON DATABASE app TO bob", SNAPSHOT)
    assert temporary == AddGrant(principal="bob", object=ObjectName("database", ("app",)), actions=("TEMPORARY",))


def test_roles() -> None:
    assert parse('GRANT crew TO "Ann", bob WITH ADMIN OPTION; REVOKE crew FROM bob', SNAPSHOT) == (
        AddMembership(member="Ann", group="crew", inherit=True, admin=True),
        AddMembership(member="bob", group="crew", inherit=False, admin=True),
        RemoveMembership(member="bob", group="crew"),
    )


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("", "there is no statement to suppose"),
        ("; -- GRANT crew TO bob", "there is no statement to suppose"),
        ("DROP TABLE x", "not understood: DROP TABLE x"),
        ("GRANT SELECT", "not understood: GRANT SELECT"),
        ("GRANT SELECT ON s.t", "not understood: GRANT SELECT ON s . t"),
        ("GRANT SELECT ON s.t TO bob CASCADE", "not understood: GRANT SELECT ON s . t TO bob CASCADE"),
        ("GRANT SELECT ON s.t, s.t TO bob", "not understood: GRANT SELECT ON s . t , s . t TO bob"),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA s TO bob", "not understood: GRANT SELECT ON ALL TABLES"),
        ("GRANT SELECT (a b) ON s.t TO bob", "not understood: GRANT SELECT ( a b ) ON"),
        ("GRANT ON s.t TO bob", "not understood: GRANT ON s . t TO bob"),
        ("GRANT SELECT ON . TO bob", "not understood: GRANT SELECT ON . TO bob"),
        ("GRANT FLY ON s.t TO bob", "FLY is no privilege of a table"),
        ("GRANT SELECT ON s.nothing TO bob", "there is no object table:s.nothing"),
        ("GRANT SELECT ON s.t TO nobody", "there is no principal 'nobody'"),
        ("GRANT SELECT ON s.t TO ann", "there is no principal 'ann'"),
        ("GRANT EXECUTE ON FUNCTION s.f TO bob", "a routine is named with its argument types"),
        ("GRANT crew (x) TO bob", "not understood: GRANT crew ( x ) TO bob"),
        ("GRANT crew staff TO bob", "not understood: GRANT crew staff TO bob"),
        ("GRANT crew FROM bob", "not understood: GRANT crew FROM bob"),
        ("REVOKE 5 FROM bob", "this part of the SQL is not understood: '5 FROM bob'"),
    ],
)
def test_what_is_not_understood_whole_is_refused(sql: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(sql, SNAPSHOT)
    assert caught.value.message.startswith(says)
