"""Two readings of the same pages: what dbops says that a login may do, and what the modelled instance answers it.

They share the table of permissions and nothing else: one evaluates a snapshot for everybody at once, the other walks
the stored rows for one session. States come from statements that chance picks.
"""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest

from dbops.access.audit import Question
from dbops.access.effective import Effective
from dbops.access.evaluator import evaluator
from dbops.access.naming import find, find_principal
from dbops.model.access import Scope
from dbops.model.finding import Missing
from dbops_mssql.access.ask import ask
from dbops_mssql.access.inspect import inspect
from tests.backends.mssql_simulator.direct import Direct, server_of
from tests.simulators.mssql.answers import Failed
from tests.simulators.mssql.instance import Instance
from tests.simulators.mssql.model import State

CAST = """
CREATE LOGIN ann WITH PASSWORD = N'Secret-1234'; CREATE LOGIN bob WITH PASSWORD = N'Secret-1234';
CREATE LOGIN eve WITH PASSWORD = N'Secret-1234'; CREATE LOGIN owner_ WITH PASSWORD = N'Secret-1234';
CREATE SERVER ROLE ops; CREATE DATABASE shop
GO
ALTER AUTHORIZATION ON DATABASE::shop TO owner_
GO
USE shop
GO
CREATE USER ann FOR LOGIN ann; CREATE USER bob FOR LOGIN bob; CREATE USER robot WITHOUT LOGIN;
CREATE ROLE crew; CREATE ROLE staff
GO
CREATE SCHEMA sales
GO
CREATE SCHEMA hers AUTHORIZATION ann
GO
CREATE TABLE sales.orders (id int, note nvarchar(50)); CREATE TABLE hers.diary (id int)
GO
CREATE PROCEDURE sales.count_ AS SELECT COUNT(*) AS n FROM sales.orders
GO
GRANT REFERENCES ON OBJECT::sales.orders (note) TO robot
"""
PEOPLE = ("ann", "bob", "robot", "crew", "staff", "public", "guest")
LOGINS = ("ann", "bob", "eve", "ops", "public")
ON_TABLE = ("SELECT", "INSERT", "UPDATE", "CONTROL", "ALTER", "VIEW DEFINITION")
ON_SCHEMA = ("SELECT", "EXECUTE", "CONTROL", "ALTER", "VIEW DEFINITION")
ON_DATABASE = ("SELECT", "CONTROL", "ALTER", "ALTER ANY SCHEMA", "VIEW DEFINITION", "VIEW DATABASE STATE", "EXECUTE")
ON_SERVER = (
    "CONTROL SERVER", "VIEW SERVER STATE", "ALTER ANY DATABASE", "VIEW ANY DEFINITION", "ALTER ANY LOGIN",
    "SELECT ALL USER SECURABLES", "IMPERSONATE ANY LOGIN", "CONNECT ANY DATABASE",
)  # fmt: skip
FIXED = ("db_owner", "db_datareader", "db_denydatareader", "db_datawriter", "db_ddladmin", "db_securityadmin")
SERVER_FIXED = ("sysadmin", "securityadmin", "dbcreator", "serveradmin", "processadmin")


def statement(chance: random.Random) -> str:
    verb = chance.choice(("GRANT", "GRANT", "DENY", "REVOKE"))
    word = "FROM" if verb == "REVOKE" else "TO"
    table = f"OBJECT::{chance.choice(('sales.orders', 'hers.diary'))}"
    schema = chance.choice(("sales", "hers"))
    return chance.choice(
        (
            f"{verb} {chance.choice(ON_TABLE)} ON {table} {word} {chance.choice(PEOPLE)}",
            f"{verb} {chance.choice(ON_TABLE[:3])} ON OBJECT::sales.orders (note) {word} {chance.choice(PEOPLE)}",
            f"{verb} EXECUTE ON OBJECT::sales.count_ {word} {chance.choice(PEOPLE)}",
            f"{verb} {chance.choice(ON_SCHEMA)} ON SCHEMA::{schema} {word} {chance.choice(PEOPLE)}",
            f"{verb} {chance.choice(ON_DATABASE)} {word} {chance.choice(PEOPLE)}",
            f"USE master; {verb} {chance.choice(ON_SERVER)} {word} {chance.choice(LOGINS)}",
            f"ALTER ROLE {chance.choice(('crew', 'staff', *FIXED))} ADD MEMBER {chance.choice(PEOPLE[:5])}",
            f"ALTER SERVER ROLE {chance.choice(('ops', *SERVER_FIXED))} ADD MEMBER {chance.choice(LOGINS[:4])}",
            f"ALTER AUTHORIZATION ON SCHEMA::{schema} TO {chance.choice(PEOPLE[:5])}",
            f"ALTER AUTHORIZATION ON OBJECT::sales.orders TO {chance.choice(PEOPLE[:5])}",
        )
    )


COLUMN = "column:shop.sales.orders.note"
THINGS: dict[str, tuple[str, ...]] = {
    "table:shop.sales.orders": ON_TABLE,
    "table:shop.hers.diary": ON_TABLE,
    COLUMN: ("SELECT", "UPDATE"),
    "procedure:shop.sales.count_": ("EXECUTE", "CONTROL"),
    "schema:shop.sales": ON_SCHEMA,
    "schema:shop.hers": ON_SCHEMA,
    "database:shop": ON_DATABASE,
    "login:bob": ("IMPERSONATE", "ALTER"),
    "server": ON_SERVER,
}


def asked(effective: Effective) -> list[Question]:
    """Everybody who can be asked for, about everything."""
    found = effective.snapshot
    questions = []
    for name, actions in THINGS.items():
        if name == COLUMN and not any(one.kind == "column" for one in found.objects):
            continue  # a change of the owner took away the last permission that named it
        number = find(found, name)
        for action in actions:
            holders = effective.nominal(found.objects[number], action)
            for who in ("ann", "bob", "eve", "owner_", "shop.ann", "shop.bob", "shop.robot"):
                place = find_principal(found, who)
                questions.append(
                    Question(principal=place, object=number, action=action, ours=bool(holders >> place & 1))
                )
    return questions


@pytest.fixture(scope="module")
def prepared() -> tuple[Instance, State]:
    instance = Instance()
    instance.execute(CAST)
    return instance, instance.keep()


@pytest.mark.parametrize("seed", range(10))
def test_dbops_and_the_instance_agree(prepared: tuple[Instance, State], seed: int) -> None:
    instance, kept = prepared
    instance.put_back(kept)
    chance = random.Random(seed)
    done = []
    for _ in range(chance.randint(15, 40)):
        sql = statement(chance)
        with suppress(Failed):
            instance.execute(sql, database="shop")
            done.append(sql)
    reader: Any = Direct(instance)
    effective = evaluator(inspect(reader, server_of(instance), Scope(databases=("shop",))), instance.now())
    snapshot = effective.snapshot
    questions = asked(effective)
    answers = ask(reader, snapshot, questions)
    wrong = [
        (snapshot.principals[one.principal].name, one.action, snapshot.objects[one.object].path, one.ours, answer)
        for one, answer in zip(questions, answers, strict=True)
        if not isinstance(answer, Missing) and answer != one.ours
    ]
    assert done
    assert sum(not isinstance(answer, Missing) for answer in answers) >= 60
    assert wrong == [], done
