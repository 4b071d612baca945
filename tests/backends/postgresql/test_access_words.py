"""A spec in PostgreSQL's words, and what is said about a word that has no meaning here."""

from __future__ import annotations

import pytest

from dbops import yaml
from dbops.access.spec import read
from dbops.errors import InputError
from dbops.model.server import Server
from dbops.model.users import Wanted
from dbops_postgresql.access.words import normalise

HEAD = "dbops: users/1\nmanage: {principals: ['*', PUBLIC], databases: [shop]}\n"


def wanted(body: str, major: int = 18) -> Wanted:
    document = yaml.load(HEAD + body, "spec.yaml")
    server = Server(engine="postgresql", version=(major, 0), version_text=str(major), role="primary", incarnation="1")
    return normalise(read(document.value, document.where, "postgresql", "spec.yaml"), server)


@pytest.mark.parametrize(
    ("object_", "word", "actions"),
    [
        ("table:shop.s.t", "read", ("SELECT",)),
        ("table:shop.s.t", "write", ("INSERT", "UPDATE", "DELETE")),
        ("table:shop.s.t", "ddl", ("TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")),
        ("schema:shop.s", "read", ("USAGE",)),
        ("schema:shop.s", "ddl", ("CREATE", "USAGE")),
        ("database:shop", "read", ("CONNECT",)),
        ("database:shop", "temp", ("TEMPORARY",)),
        ("function:shop.s.f(integer)", "execute", ("EXECUTE",)),
        ("sequence:shop.s.q", "write", ("USAGE", "UPDATE")),
        ("parameter:work_mem", "alter_system", ("ALTER SYSTEM",)),
        ("table:shop.s.t", "Select", ("SELECT",)),
        ("sequence:shop.s.q", "all", ("SELECT", "USAGE", "UPDATE")),
    ],
)
def test_words_mean_actions(object_: str, word: str, actions: tuple[str, ...]) -> None:
    [grant] = wanted(f"roles: {{r: {{grants: [{{object: '{object_}', can: ['{word}']}}]}}}}").grants
    assert grant.actions == actions


def test_all_is_what_the_version_has() -> None:
    body = "roles: {r: {grants: [{object: 'table:shop.s.t', can: [all]}]}}"
    assert "MAINTAIN" in wanted(body, 17).grants[0].actions
    assert "MAINTAIN" not in wanted(body, 16).grants[0].actions


def test_attributes_and_options() -> None:
    found = wanted("users: {a: {attributes: [createdb, noinherit], member_of: [r]}, b: {state: locked}}")
    assert found.principals[0].attributes == ("CREATEDB", "LOGIN")
    assert found.principals[0].member_of[0].inherit is False
    assert found.principals[1].attributes == ("INHERIT",)


def test_the_public_is_granted_to_and_is_nobody() -> None:
    found = wanted("roles: {public: {grants: [{object: 'schema:shop.s', can: [usage]}]}}")
    assert found.principals == ()
    assert found.grants[0].principal == "PUBLIC"


def granting(entry: str) -> str:
    return f"roles: {{r: {{grants: [{entry}]}}}}"


@pytest.mark.parametrize(
    ("body", "message", "hint"),
    [
        (
            "roles: {r: {grants: [{object: 'tabel:shop.s.t', can: [x]}]}}",
            "does not begin with a kind",
            "Did you mean table:",
        ),
        (
            "roles: {r: {grants: [{object: 'table:shop.t', can: [x]}]}}",
            "is not the name of a table",
            "table:database.schema.name",
        ),
        (
            "roles: {r: {grants: [{object: 'column:shop.s.t.c', can: [x]}]}}",
            "is not the name of a column",
            "columns: [name",
        ),
        (granting("{object: 'table:shop.s.\"t', can: [x]}"), "a quote is not closed", ""),
        (
            "roles: {r: {grants: [{object: 'table:other.s.t', can: [x]}]}}",
            "'other' is not among manage.databases",
            "Add it",
        ),
        (
            "roles: {r: {grants: [{object: 'table:shop.s.t', can: [selct]}]}}",
            "'selct' has no meaning for a table",
            "'select'",
        ),
        (
            "roles: {r: {grants: [{object: 'schema:shop.s', can: [fly]}]}}",
            "'fly' has no meaning for a schema",
            "There is",
        ),
        (
            "roles: {r: {grants: [{object: 'schema:shop.s', can: [usage], columns: [a]}]}}",
            "a schema has no columns",
            "",
        ),
        (
            "roles: {r: {grants: [{object: 'table:shop.s.t', can: [read], future: true}]}}",
            "the last part must be *",
            "",
        ),
        (
            "roles: {r: {grants: [{object: 'language:shop.*', can: [usage], future: true}]}}",
            "no default privileges",
            "",
        ),
        (granting("{object: 'table:shop.s*.*', can: [read], future: true}"), "is * or a whole name", ""),
        ("roles: {r: {owns: ['parameter:work_mem']}}", "has no owner of its own", ""),
        ("roles: {r: {attributes: [superman]}}", "unknown attribute 'SUPERMAN'", "superuser"),
        ("users: {a: {settings: {x: y}}}", "'settings' has no meaning on PostgreSQL yet", "engines: [mssql]"),
        ("users: {a: {hosts: ['10.%']}}", "'hosts' has no meaning on PostgreSQL", "engines: [mysql, mariadb]"),
        (
            "roles: {r: {denies: [{object: 'table:shop.s.t', can: [select]}]}}",
            "PostgreSQL has no DENY: what is not granted is not allowed",
            "engines: [mssql]",
        ),
        ("users: {a: {sid: '0xab'}}", "'sid' has no meaning on PostgreSQL", "engines: [mssql]"),
        (
            "users: {a: {password: {hashed: env:X}}}",
            "'password: hashed' has no meaning on PostgreSQL",
            "engines: [mssql]",
        ),
        ("users: {pg_evil: {}}", "reserved by PostgreSQL", ""),
        (f"users: {{{'x' * 64}: {{}}}}", "has 64 bytes", "at most 63"),
        (f"users: {{{'é' * 32}: {{}}}}", "has 64 bytes", "at most 63"),
    ],
)
def test_what_has_no_meaning_is_named_with_its_line(body: str, message: str, hint: str) -> None:
    with pytest.raises(InputError) as raised:
        wanted(body)
    assert raised.value.message.startswith("spec.yaml:3: ")
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_membership_options_need_sixteen() -> None:
    body = "users: {a: {member_of: [{role: r, set: false}]}}"
    assert wanted(body, 16).principals[0].member_of[0].set is False
    with pytest.raises(InputError, match="need PostgreSQL 16"):
        wanted(body, 15)
