"""Users that no login is behind, in the words of SQL Server and as T-SQL; sessions that stay in their databases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st

from dbops.access.spec import read
from dbops.capabilities import Capability, Impossible
from dbops.errors import InputError
from dbops.model.change import AddGrant, AlterPrincipal, Change, CreatePrincipal, ObjectName, SetPassword, Setting
from dbops.model.server import Server
from dbops.model.users import Wanted
from dbops.plan import Hold, SecretRef, Sql, walk
from dbops_mssql import backend
from dbops_mssql.access.people import account_name, split_name
from dbops_mssql.probe import DATABASE, MANAGED_INSTANCE
from dbops_mssql.quoting import identifier
from dbops_mssql.reach import reach
from dbops_mssql.users.languages import language

SERVER = Server(
    engine="mssql", version=(16, 0, 4135, 4), version_text="2022", role="primary", incarnation="own", user="admin"
)
OLD = msgspec.structs.replace(SERVER, version=(13, 0, 7000, 1))
AZURE = msgspec.structs.replace(SERVER, version=(16, 0), edition=DATABASE, database="shop")
MASTER = msgspec.structs.replace(AZURE, database="master")
SECRET = SecretRef("env:WORD")
SID = "0x14585E90117152449347750164BA00A7"
CONTAINED_SID = "0x01050000000000090300000063FF0451A9E7664BA705B10E37DDC4B7"
PERSON = {"attributes": ["contained"], "password": "env:WORD"}


def wanted(server: Server = SERVER, *, databases: tuple[str, ...] = ("shop",), **sections: Mapping[str, Any]) -> Wanted:
    document = {"dbops": "users/1", "manage": {"principals": ["*"], "databases": list(databases)}, **sections}
    desired = read(document, lambda path: f"spec:{'.'.join(map(str, path))}", "mssql")
    return backend.access.normalise(desired, server)


def attributes(found: Wanted) -> dict[str, tuple[str, ...]]:
    return {one.name: one.attributes for one in found.principals}


# Words


def test_whom_no_login_is_behind_is_one_of_each_database_as_a_role_is() -> None:
    found = wanted(
        databases=("shop", "crm"),
        users={
            "al": {**PERSON, "settings": {"default_schema": "sales", "default_language": "French"}},
            "job": {"attributes": ["without_login"]},
            "crm.bo": {**PERSON, "sid": CONTAINED_SID.lower()},
        },
    )
    contained, nobody = ("CONTAINED", "LOGIN"), ("WITHOUT LOGIN",)
    assert attributes(found) == {
        "shop.al": contained, "crm.al": contained, "shop.job": nobody, "crm.job": nobody, "crm.bo": contained,
    }  # fmt: skip
    assert {one.name: one.sid for one in found.principals if one.sid} == {"crm.bo": f"0x{CONTAINED_SID[2:].upper()}"}
    al = found.principals[0]
    assert (al.password, al.database, al.lacking) == (SECRET, "shop", "")
    assert al.settings == (Setting("default_schema", "sales"), Setting("default_language", "Français"))
    needed = {(one.kind, one.path, one.flag) for one in found.requirements}
    assert needed == {
        ("database", ("shop",), "contained"),
        ("database", ("crm",), "contained"),
        ("server", (), "contained"),
    }
    assert {one.principal for one in found.grants} == {one.name for one in found.principals}


def test_who_vouches_for_a_user_is_told_by_his_name_or_said() -> None:
    users: dict[str, Any] = {
        "shop.eve@corp.example": {"attributes": ["contained"]},
        "shop.[my app]": {"attributes": ["contained", "entra"]},
        "shop.CORP\\ann": {"attributes": ["contained"]},
        "shop.[bob@corp.example]": {},
        "The Team": {"attributes": ["entra"]},
        "al@corp.example": {"attributes": ["no_entra"], "password": "env:WORD"},
    }
    found = wanted(users=users)
    assert attributes(found) == {
        "shop.[eve@corp.example]": ("ENTRA", "CONTAINED", "LOGIN"),
        "shop.my app": ("ENTRA", "CONTAINED", "LOGIN"),
        "shop.CORP\\ann": ("CONTAINED", "LOGIN"),
        "shop.[bob@corp.example]": ("ENTRA",),
        "The Team": ("ENTRA", "LOGIN"),
        "[al@corp.example]": ("SQL", "NO ENTRA", "LOGIN"),
    }
    assert [one.lacking for one in found.principals] == [""] * 6
    assert {one.where for one in found.requirements if one.kind == "server"} == {"spec:users.shop.CORP\\ann"}


def test_who_is_to_be_kept_out_is_not_let_in() -> None:
    found = wanted(
        users={"al": {**PERSON, "attributes": ["contained", "no_connect"]}, "bo": {"attributes": ["no connect"]}}
    )
    assert found.grants == ()
    gone = wanted(users={"al": {"attributes": ["contained"], "state": "absent"}})
    assert [(one.name, one.state, one.every_host) for one in gone.principals] == [("shop.al", "absent", False)]
    assert gone.requirements == ()


@pytest.mark.parametrize(
    ("users", "said"),
    [
        ({"a": {**PERSON, "state": "locked"}}, "a is a user of databases alone, and those cannot be locked"),
        ({"a@b": {"attributes": ["entra", "no_entra"]}}, "'entra' and 'no entra' contradict each other"),
        ({"a": {"attributes": ["contained", "without_login"]}}, "nobody logs in as a, who is 'without login'"),
        ({"a": {"attributes": ["without_login"], "password": "env:X"}}, "'password' has no meaning for a user without"),
        ({"a": {"attributes": ["without_login"], "sid": SID}}, "'sid' has no meaning for a user without a login"),
        ({"a": {"attributes": ["contained"], "password": {"hashed": "env:X"}}}, "is made with its password, and not"),
        ({"a": {**PERSON, "sid": SID}}, "is not the SID of a contained user"),
        ({"a": {"sid": CONTAINED_SID}}, "is not the SID of a login"),
        ({"a": {**PERSON, "attributes": ["contained", "entra"]}}, "'a' has no password here: Windows and Entra keep"),
        ({"shop.CORP\\a": PERSON}, "'CORP\\\\a' has no password here"),
        ({"a": {**PERSON, "member_of": ["sysadmin"]}}, "sysadmin is a role of the server, and a is of databases"),
        ({"shop.a": {"member_of": ["##MS_LoginManager##"]}}, "is a role of the server, and shop.a is of databases"),
        ({"a": {**PERSON, "grants": [{"object": "server", "can": ["connect_sql"]}]}}, "'a' is a user of databases,"),
        ({"a": {**PERSON, "settings": {"colour": "red"}}}, "unknown setting 'colour'"),
        ({"a": {**PERSON, "settings": {"default_schema": "x" * 129}}}, "default_schema: a name has 1 to 128"),
        ({"a": {**PERSON, "settings": {"default_language": "Frensh"}}}, "there is no language 'Frensh'"),
        ({"a": {"member_of": ["r"], "settings": {"default_language": "French"}}}, "a setting of contained users alone"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place(users: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=r"^spec:") as caught:
        wanted(roles={"r": {}}, users=users)
    assert said in caught.value.message


def test_roles_have_none_of_it() -> None:
    for entry, word in (
        ({"attributes": ["contained"]}, "contained"),
        ({"settings": {"default_schema": "s"}}, "settings"),
        ({"attributes": ["server"], "member_of": ["sysadmin"]}, ""),
        ({"member_of": ["sysadmin"]}, "sysadmin is a role of the server"),
    ):
        if not word:
            assert wanted(roles={"r": entry}).principals[0].member_of[0].admin
            continue
        with pytest.raises(InputError, match=word):
            wanted(roles={"r": entry})


def test_a_user_of_no_database() -> None:
    with pytest.raises(InputError, match="the user 'a' is of no database") as caught:
        wanted(databases=(), users={"a": PERSON})
    assert caught.value.hint == "Name databases under manage.databases."


def test_who_is_made_needs_a_password_where_nothing_else_opens() -> None:
    lacking = {
        one.name: one.lacking
        for server in (SERVER, MASTER)
        for one in wanted(
            server, databases=(server.database or "shop",), users={"c": {"attributes": ["contained"]}, "l": {}}
        ).principals
    }
    assert "a contained user is made with a password" in lacking["shop.c"]
    assert "a contained user is made with a password" in lacking["master.c"]
    assert "a login is made with a password here" in lacking["l"]
    assert wanted(users={"l": {}}).principals[0].lacking == ""


def test_users_of_entra_came_with_2022() -> None:
    users: dict[str, Any] = {"shop.eve@corp": {"attributes": ["contained"]}}
    with pytest.raises(InputError, match="need SQL Server 2022, and so do its users"):
        wanted(OLD, users=users)
    assert wanted(OLD, users={"al": PERSON}).principals
    for server in (AZURE, msgspec.structs.replace(OLD, edition=MANAGED_INSTANCE)):
        assert wanted(server, users=users).principals


def test_where_logins_are_not_seen_their_users_count_as_who_logs_in() -> None:
    users: dict[str, Any] = {"shop.al": {}, "bo": {"state": "absent"}, "shop.job": {"attributes": ["without login"]}}
    found = wanted(AZURE, users=users)
    assert attributes(found) == {"shop.al": ("LOGIN",), "shop.bo": (), "shop.job": ("WITHOUT LOGIN",)}
    # The login that shall be absent is not this session's to drop; its user here is.
    assert [(one.name, one.every_host) for one in found.principals if one.state == "absent"] == [("shop.bo", True)]


def test_hashes_are_not_for_azure_sql_database() -> None:
    with pytest.raises(InputError, match="in Azure SQL Database a login takes a password, and not what is stored of"):
        wanted(MASTER, databases=("master",), users={"al": {"password": {"hashed": "env:X"}}})
    assert isinstance(backend.support(Capability.USERS_HASHES, AZURE), Impossible)


def test_how_far_a_session_reaches() -> None:
    assert (reach(SERVER).home(SERVER), reach(AZURE).home(AZURE), reach(MASTER).home(MASTER)) == (
        "master",
        "shop",
        "master",
    )
    assert reach(msgspec.structs.replace(SERVER, edition=MANAGED_INSTANCE)).crosses
    assert not reach(AZURE).logins
    assert reach(MASTER).logins


@pytest.mark.parametrize(
    ("said", "name"),
    [("none", ""), ("FRENCH", "Français"), ("français", "Français"), ("english", "us_english"), ("deutsch", "Deutsch")],
)
def test_languages_are_called_as_the_catalog_has_them(said: str, name: str) -> None:
    assert language(said, "spec:1") == name


def test_a_language_that_is_none() -> None:
    with pytest.raises(InputError) as caught:
        language("klingon of the north", "spec:1")
    assert caught.value.hint.startswith("There is: none, English")


# Statements


@pytest.mark.parametrize(
    ("change", "sql"),
    [
        (
            CreatePrincipal(name="shop.al", kind="user", attributes=("CONTAINED", "LOGIN"), password=SECRET),
            "CREATE USER [al] WITH PASSWORD = '***' /* env:WORD */",
        ),
        (
            CreatePrincipal(
                name="shop.[a]]b';--]",
                kind="user",
                attributes=("CONTAINED", "LOGIN"),
                password=SECRET,
                sid=CONTAINED_SID,
                settings=(Setting("default_schema", "s]"), Setting("default_language", "Deutsch")),
            ),
            (
                "CREATE USER [a]]b';--] WITH PASSWORD = '***' /* env:WORD */, DEFAULT_SCHEMA = [s]]], "
                f"DEFAULT_LANGUAGE = [Deutsch], SID = {CONTAINED_SID}"
            ),
        ),
        (
            CreatePrincipal(name="shop.[e@c.d]", kind="user", attributes=("ENTRA", "CONTAINED", "LOGIN")),
            "CREATE USER [e@c.d] FROM EXTERNAL PROVIDER",
        ),
        (
            CreatePrincipal(
                name="shop.CORP\\al",
                kind="user",
                attributes=("CONTAINED", "LOGIN"),
                settings=(Setting("default_schema", "s"),),
            ),
            "CREATE USER [CORP\\al] WITH DEFAULT_SCHEMA = [s]",
        ),
        (
            CreatePrincipal(
                name="shop.al", kind="user", attributes=("WITHOUT LOGIN",), settings=(Setting("default_schema", "s"),)
            ),
            "CREATE USER [al] WITHOUT LOGIN WITH DEFAULT_SCHEMA = [s]",
        ),
        (
            CreatePrincipal(name="shop.al", kind="user", attributes=(), settings=(Setting("default_schema", "s"),)),
            "CREATE USER [al] FOR LOGIN [al] WITH DEFAULT_SCHEMA = [s]",
        ),
        (
            AlterPrincipal(name="shop.al", settings=(Setting("default_schema", "s"), Setting("default_language", ""))),
            "ALTER USER [al] WITH DEFAULT_SCHEMA = [s], DEFAULT_LANGUAGE = NONE",
        ),
        (
            SetPassword(name="shop.al", password=SECRET, stored="stored"),
            "ALTER USER [al] WITH PASSWORD = '***' /* env:WORD */",
        ),
        (
            AddGrant(principal="shop.al", object=ObjectName("schema", ("shop", "s")), actions=("SELECT",)),
            "GRANT SELECT ON SCHEMA::[s] TO [al]",
        ),
    ],
)
def test_statements_go_where_the_session_can(change: Change, sql: str) -> None:
    for server, place, there in ((SERVER, "master", "USE [shop]; "), (AZURE, "shop", "")):
        [hold] = backend.access.compile([change], server)
        assert isinstance(hold, Hold)
        assert hold.opening.arguments == {"database": place}
        assert [(one.text, one.database) for one in walk((hold,)) if isinstance(one, Sql)] == [(there + sql, place)]
    assert backend.access.render(change, AZURE) == f"{sql};"
    assert backend.access.render(change, SERVER).replace("\n", " ") == f"USE [shop]; {sql};"
    if "PROVIDER" not in sql and "WITHOUT LOGIN WITH" not in sql:  # sqlglot knows neither
        assert all(sqlglot.parse(sql, dialect="tsql"))


names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


@given(names, st.sampled_from(("CONTAINED", "ENTRA CONTAINED", "WITHOUT LOGIN", "")), st.sampled_from((SERVER, AZURE)))
def test_no_name_leaves_its_brackets(name: str, words: str, server: Server) -> None:
    sort = ("WITHOUT LOGIN",) if words == "WITHOUT LOGIN" else tuple(words.split())
    password = SECRET if words == "CONTAINED" else None
    full = account_name("shop", name)
    assert split_name(full) == ("shop", name)
    change = CreatePrincipal(name=full, kind="user", attributes=sort, password=password)
    [step] = [one for one in walk(backend.access.compile([change], server)) if isinstance(one, Sql)]
    assert f"CREATE USER {identifier(name)}" in step.text
    assert step.undo.endswith(f"DROP USER {identifier(name)}")
    assert "env:WORD" not in step.text.replace("/* env:WORD */", "")
