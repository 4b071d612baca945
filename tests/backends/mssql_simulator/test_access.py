"""What is read of a modelled instance is judged as the instance itself judges, by rules that somebody else wrote."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from dbops.access.audit import judge, sample
from dbops.access.evaluator import evaluator
from dbops.access.naming import find, find_principal, label
from dbops.errors import ReadFailed
from dbops.model.access import Scope
from dbops.model.server import Server
from dbops_mssql.access.ask import ask
from dbops_mssql.access.inspect import inspect
from dbops_mssql.access.rules import RULES
from tests.simulators.mssql.answers import Failed, Message, Rows
from tests.simulators.mssql.instance import Instance
from tests.simulators.mssql.model import Permission, Principal

LOGINS = ("ann", "bob", "cat", "dan")
SERVER_ROLES = (
    "ops", "##MS_DatabaseConnector##", "##MS_DefinitionReader##", "dbcreator", "processadmin", "securityadmin",
    "sysadmin",
)  # fmt: skip
DATABASE_ROLES = ("crew", "mob", "db_owner", "db_datareader", "db_denydatareader", "db_ddladmin", "db_securityadmin")
REFUSED = {15151, 4617, 4624, 15405, 33095}
"""Such as a right for somebody who owns the thing."""
ON_SERVER = (
    "VIEW ANY DEFINITION", "ALTER ANY DATABASE", "CONNECT ANY DATABASE", "VIEW SERVER STATE", "CONTROL SERVER",
    "SELECT ALL USER SECURABLES", "IMPERSONATE ANY LOGIN",
)  # fmt: skip
ON_DATABASE = ("SELECT", "UPDATE", "ALTER", "VIEW DEFINITION", "CONTROL", "CONNECT")
ON_OBJECTS = ("SELECT", "CONTROL", "UPDATE", "ALTER", "VIEW DEFINITION")


class OnInstance:
    """A Reader of an instance, without a wire between."""

    def __init__(self, instance: Instance, database: str = "master") -> None:
        self._instance, self._session = instance, instance.session("sa", database)

    def tuples(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        assert not parameters
        found: list[tuple[Any, ...]] = []
        for answer in self._session.run(sql.replace("%%", "%")):
            if isinstance(answer, Message) and answer.severity > 10:
                raise ReadFailed(answer.text, reason="query_failed")
            if isinstance(answer, Rows):
                found = found or list(answer.rows)
        return found

    def scalar(self, sql: str, parameters: Mapping[str, object] | None = None) -> Any:
        return self.tuples(sql, parameters)[0][0]

    @contextmanager
    def database(self, name: str) -> Iterator[OnInstance]:
        yield OnInstance(self._instance, name)


def statements(chosen: random.Random) -> Iterator[tuple[str, str]]:
    """A server of chance: statements, and the database of each."""
    for login in LOGINS:
        yield f"CREATE LOGIN {login} WITH PASSWORD = N'Sturdy-Password-7'", "master"
    yield "CREATE SERVER ROLE ops", "master"
    for login in LOGINS:
        for role in SERVER_ROLES:
            if chosen.random() < 0.15:
                yield f"ALTER SERVER ROLE [{role}] ADD MEMBER {login}", "master"
    yield "CREATE DATABASE shop", "master"
    if chosen.random() < 0.5:
        yield "ALTER AUTHORIZATION ON DATABASE::shop TO dan", "master"
    yield from ((sql, "shop") for sql in _inside(chosen))
    for _ in range(chosen.randint(2, 6)):
        verb, action = chosen.choice(("GRANT", "DENY")), chosen.choice(ON_SERVER)
        yield f"{verb} {action} TO {chosen.choice((*LOGINS, 'ops', 'public'))}", "master"
    if chosen.random() < 0.5:
        yield f"{chosen.choice(('GRANT', 'DENY'))} IMPERSONATE ON LOGIN::cat TO {chosen.choice(LOGINS[:2])}", "master"


def _inside(chosen: random.Random) -> Iterator[str]:
    users = [login for login in LOGINS[:3] if chosen.random() < 0.7]
    yield from (f"CREATE USER {user} FOR LOGIN {user}" for user in users)
    yield from ("CREATE USER robot WITHOUT LOGIN", "CREATE ROLE crew", "CREATE ROLE mob")
    for member in (*users, "robot", "crew"):
        for role in DATABASE_ROLES:
            if member != role and chosen.random() < 0.15:
                yield f"ALTER ROLE {role} ADD MEMBER {member}"
    yield f"CREATE SCHEMA s AUTHORIZATION {chosen.choice(('dbo', 'robot', 'crew'))}"
    yield "CREATE TABLE s.t (a int NULL, b int NULL)"
    yield "CREATE VIEW s.v AS SELECT a FROM s.t"
    yield "CREATE PROCEDURE s.p AS SELECT 1"
    if chosen.random() < 0.3:
        yield f"ALTER AUTHORIZATION ON OBJECT::s.t TO {chosen.choice((*users, 'robot', 'mob'))}"
    people = (*users, "robot", "crew", "mob", "public", "guest")
    for _ in range(chosen.randint(4, 20)):
        yield f"{chosen.choice(('GRANT', 'GRANT', 'DENY'))} {_said(chosen)} TO {chosen.choice(people)}"


def _said(chosen: random.Random) -> str:
    return chosen.choice(
        (
            f"{chosen.choice(ON_OBJECTS)} ON OBJECT::s.t",
            f"{chosen.choice(ON_OBJECTS)} ON SCHEMA::s",
            f"{chosen.choice(ON_DATABASE)} ON DATABASE::shop",
            f"{chosen.choice(('SELECT', 'UPDATE'))} ON OBJECT::s.t ({chosen.choice('ab')})",
            f"EXECUTE ON {chosen.choice(('OBJECT::s.p', 'SCHEMA::s'))}",
            "IMPERSONATE ON USER::robot",
            "ALTER ANY SCHEMA",
        )
    )


def server() -> Server:
    return Server(
        engine="mssql", version=(16, 0), version_text="2022", role="primary", incarnation="one", database="shop"
    )


def _run(instance: Instance, sql: str, database: str) -> None:
    try:
        instance.execute(sql, database=database)
    except Failed as refused:
        if refused.messages[0].number not in REFUSED:
            raise


def lets_in(instance: Instance, login: str) -> bool:
    """Whether the instance has an access to the database for somebody."""
    session = instance.session("sa", "master")
    list(session.run(f"EXECUTE AS LOGIN = N'{login}'"))
    [found] = [one for one in session.run("SELECT HAS_DBACCESS(N'shop')") if isinstance(one, Rows)]
    return found.rows[0][0] == 1


@pytest.mark.parametrize("seed", range(12))
def test_the_instance_agrees(seed: int, record_property: Callable[[str, object], None]) -> None:
    chosen, instance = random.Random(seed), Instance()
    for sql, database in statements(chosen):
        _run(instance, sql, database)
    reader: Any = OnInstance(instance)
    found = inspect(reader, server(), Scope(databases=("shop",)))
    effective = evaluator(found, found.taken_at)
    questions = sample(effective, 400, seed)
    answers = ask(reader, found, questions)
    asked = [(one, answer) for one, answer in zip(questions, answers, strict=True) if isinstance(answer, bool)]
    wrong = [
        (found.principals[one.principal].name, one.action, label(found, found.objects[one.object]), one.ours)
        for one, answer in asked
        if one.ours is not answer
    ]
    record_property("asked", len(asked))
    assert wrong == []
    shop = found.objects[find(found, "database:shop")]
    inside = effective.nominal(shop, "CONNECT")
    for login in LOGINS:  # who is not let in was asked nothing above
        assert bool(inside >> find_principal(found, login) & 1) == lets_in(instance, login), login
    assert len(asked) > 40


def test_signatures_keys_and_linked_servers_are_found_by_their_questions() -> None:
    instance, sid, print_ = Instance(), b"\x01\x09cert", b"thumb"
    instance.execute("CREATE LOGIN ann WITH PASSWORD = N'Sturdy-Password-7'; CREATE DATABASE shop")
    for sql in ("CREATE USER ann FOR LOGIN ann", "CREATE PROCEDURE dbo.p AS SELECT 1", "GRANT CONTROL TO ann"):
        instance.execute(sql, database="shop")
    state = instance.state
    shop = next(one for one in state.databases.values() if one.name == "shop")
    now = instance.now()
    state.principals[400] = Principal("cert", 400, "C", sid, now, now)
    state.permissions.append(Permission(100, 0, 0, 400, 1, "CONTROL SERVER", "G"))
    key = {"name": "cert", "certificate_id": 256, "sid": sid, "thumbprint": print_, "principal_id": 1}
    instance.set_rows("sys.certificates", [{**key, "pvt_key_encryption_type": "MK"}], database="shop")
    number = next(one.object_id for one in shop.objects.values() if one.name == "p")
    signature = {"class": 1, "major_id": number, "thumbprint": print_, "crypt_property": b"x"}
    counter = {**signature, "crypt_type": "CPVC"}
    instance.set_rows("sys.crypt_properties", [{**signature, "crypt_type": "SPVC"}, counter], database="shop")
    linked = {"server_id": 1, "name": "HR", "product": "", "provider": "MSOLEDBSQL", "is_linked": True}
    instance.set_rows("sys.servers", [linked])
    mapped = {"server_id": 1, "local_principal_id": 0, "uses_self_credential": False, "remote_name": "sa"}
    own = {**mapped, "local_principal_id": 400, "uses_self_credential": True, "remote_name": None}
    instance.set_rows("sys.linked_logins", [mapped, own])
    reader: Any = OnInstance(instance)
    found = inspect(reader, server(), Scope(databases=("shop",)))
    findings, _ = judge(RULES, evaluator(found, found.taken_at))
    told = {one.id.removeprefix("ms.access."): (one.principal, one.object) for one in findings}
    assert told["signed_module"] == ("cert", "procedure:shop.dbo.p")
    assert told["signing_key"] == ("ann", "certificate:shop.cert")
    assert told["linked_server"] == ("public", "linked_server:HR")
