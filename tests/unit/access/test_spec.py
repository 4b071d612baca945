"""Reading a users spec: every message that a person can meet, with its line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dbops import yaml
from dbops.access.spec import read
from dbops.errors import InputError
from dbops.model.users import Desired

HEAD = "dbops: users/1\nmanage: {principals: ['*'], databases: [shop]}\n"


def desired(body: str, head: str = HEAD, engine: str = "postgresql") -> Desired:
    document = yaml.load(head + body, "spec.yaml")
    return read(document.value, document.where, engine, "spec.yaml")


def test_a_whole_spec() -> None:
    found = desired(
        "profiles:\n  support: [{object: 'table:shop.s.t', can: [select], columns: [a]}]\n"
        "roles:\n  r: {grants: [{object: 'table:shop.s.*', can: [read], future: true, grantable: true}]}\n"
        "users:\n"
        "  alice: {member_of: [r, {role: q, admin: true, inherit: false}], profiles: [support], password: env:PW,\n"
        "    valid_until: 2027-01-01, connection_limit: 5, attributes: [createdb], owns: ['schema:shop.s']}\n"
        "  bob: {state: locked, password: {generate: file:/tmp/bob}, valid_until: never, connection_limit: unlimited}\n"
        "  carol:\n"
    )
    role, alice, bob, carol = found.principals
    assert (role.login, alice.login) == (False, True)
    assert role.grants[0].future == "also"
    assert role.grants[0].where == "spec.yaml:6"
    assert [member.role for member in alice.member_of] == ["r", "q"]
    assert (alice.member_of[1].inherit, alice.member_of[1].set, alice.member_of[1].admin) == (False, None, True)
    assert alice.grants[0].columns == ("a",)
    assert alice.valid_until == datetime(2027, 1, 1, tzinfo=UTC)
    assert alice.connection_limit == 5
    assert alice.attributes == ("CREATEDB",)
    assert str(alice.password) == "env:PW"
    assert (bob.state, bob.generate, bob.valid_until, bob.connection_limit) == ("locked", True, "never", "unlimited")
    assert (bob.hashed, bob.sid, carol.sid) == (False, "", "")
    assert (carol.valid_until, carol.connection_limit) == ("keep", "keep")


def test_what_a_server_stores_of_a_password_and_its_sid() -> None:
    [alice] = desired("users: {alice: {password: {hashed: env:HASH}, sid: '0xab'}}").principals
    assert (str(alice.password), alice.hashed, alice.generate, alice.sid) == ("env:HASH", True, False, "0xab")


@pytest.mark.parametrize("text", ["2027-01-01T12:00:00+02:00", "2027-01-01T10:00:00Z", "2027-01-01T05:00:00-05:00"])
def test_an_end_is_kept_in_utc(text: str) -> None:
    [alice] = desired(f"users: {{a: {{valid_until: '{text}'}}}}").principals
    assert isinstance(alice.valid_until, datetime)
    assert alice.valid_until.isoformat() == "2027-01-01T10:00:00+00:00"


def test_entries_for_other_engines_are_left_out() -> None:
    found = desired(
        "users:\n  a: {engines: [mysql]}\n  b:\n    grants: [{object: x, can: [y], engines: [mssql]}]\n"
        "    member_of: [{role: q, engines: [mysql]}, {role: r, engines: [postgresql]}]\n"
    )
    assert [one.name for one in found.principals] == ["b"]
    assert found.principals[0].grants == ()
    assert [one.role for one in found.principals[0].member_of] == ["r"]


@pytest.mark.parametrize(
    ("body", "message", "hint"),
    [
        ("user: {}", "spec.yaml:3: unknown key 'user'", "Did you mean 'users'?"),
        ("users:\n  a: {memberof: [x]}", "spec.yaml:4: unknown key 'memberof'", "Did you mean 'member_of'?"),
        (
            "users:\n  a: {grants: [{objekt: x, can: [y]}]}",
            "spec.yaml:4: unknown key 'objekt'",
            "Did you mean 'object'?",
        ),
        ("users:\n  a: {state: gone}", "spec.yaml:4: 'gone' is no state", "There is"),
        (
            "users:\n  a: {profiles: [suport]}\nprofiles: {support: []}",
            "spec.yaml:4: there is no profile 'suport'",
            "'support'",
        ),
        ("users:\n  a: {grants: [{object: x}]}", "spec.yaml:4: 'can' is missing", ""),
        ("users:\n  a: {denies: [{object: x}]}", "spec.yaml:4: 'can' is missing", ""),
        (
            "users:\n  a: {denies: [{object: x, can: [y], grantable: true}]}",
            "spec.yaml:4: unknown key 'grantable'",
            "There is: can, columns, engines, object.",
        ),
        ("users:\n  a: {grants: [{object: x, can: y}]}", "spec.yaml:4: can is a list", ""),
        ("users:\n  a: {grants: [{object: x, can: [y], future: maybe}]}", "future is true, false or only", ""),
        ("users:\n  a: {password: hunter2}", "spec.yaml:4: password: this is not a reference", "env:NAME"),
        ("users:\n  a: {password: {generate: env:X}}", "spec.yaml:4: a generated password is written to a file", ""),
        ("users:\n  a: {password: {}}", "spec.yaml:4: a password is generated or hashed: one of both", ""),
        ("users:\n  a: {password: {hashed: '0x0200AB'}}", "spec.yaml:4: password: this is not a reference", "env:NAME"),
        (
            "users:\n  a: {password: {hashed: env:X, generate: file:y}}",
            "spec.yaml:4: a password is generated or hashed: one of both",
            "",
        ),
        ("users:\n  a: {sid: 0x14585E90117152449347750164BA00A7}", "spec.yaml:4: sid must be a text", "quotes"),
        ("users:\n  a: {settings: [x]}", "spec.yaml:4: settings holds names", ""),
        ("users:\n  a: {settings: {default_schema: 5}}", "spec.yaml:4: default_schema must be a text", "quotes"),
        ("users:\n  a: {valid_until: tomorrow}", "spec.yaml:4: 'tomorrow' is no time", "2027-01-01"),
        ("users:\n  a: {valid_until: 2027-01-01T12:00:00}", "has no offset", "2027-01-01T12:00:00+00:00 for UTC"),
        ("users:\n  a: {connection_limit: -2}", "connection_limit is a number from 0", ""),
        ("users:\n  a: {connection_limit: true}", "connection_limit is a number from 0", ""),
        ("users:\n  a: {owns: [5]}", "spec.yaml:4: owns must be a text", "quotes"),
        ("users:\n  a: {member_of: [{role: x, admin: sure}]}", "admin is true or false", ""),
        ("users:\n  a: {verify_password: true}", "verify_password is not implemented yet", ""),
        ("users: [a, b]", "spec.yaml:3: users holds names", ""),
        ("users: {a: [b]}", "spec.yaml:3: here belong keys", ""),
        ("users: {'': {}}", "a name cannot be empty", ""),
        ("users: {a: {}}\nroles: {a: {}}", "spec.yaml:3: 'a' is also under spec.yaml:4", ""),
    ],
)
def test_what_is_wrong_is_named(body: str, message: str, hint: str) -> None:
    with pytest.raises(InputError) as raised:
        desired(body)
    assert message in raised.value.message
    assert hint in raised.value.hint
    assert "hunter2" not in str(raised.value)
    assert "0x0200AB" not in str(raised.value)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("users: {}", "the first line must be 'dbops: users/1'"),
        ("dbops: users/2", "the first line must be 'dbops: users/1'"),
        ("dbops: users/1", "manage.principals is missing"),
        ("- a", "here belong keys"),
        ("", "here belong keys"),
    ],
)
def test_a_head_that_is_no_spec(head: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        desired("", head)
