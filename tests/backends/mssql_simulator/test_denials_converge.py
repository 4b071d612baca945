"""Laws of what a spec grants and denies, on the modelled instance: from any state, one apply is enough; what was
exported plans to nothing; the undo of each step, taken from the last to the first, brings back what was there."""

from __future__ import annotations

import random
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest

from dbops.access.diff import Difference, diff
from dbops.access.export import export
from dbops.access.naming import label
from dbops.access.spec import read
from dbops.model.access import AccessSnapshot, Scope
from dbops.plan import Sql, walk
from dbops_mssql import backend
from dbops_mssql.access.inspect import inspect
from tests.backends.mssql_simulator.direct import Direct, server_of
from tests.simulators.mssql.answers import Failed
from tests.simulators.mssql.instance import Instance
from tests.simulators.mssql.model import State

CAST = """
CREATE LOGIN ann WITH PASSWORD = N'Secret-1234'; CREATE LOGIN bob WITH PASSWORD = N'Secret-1234';
CREATE LOGIN zoe WITH PASSWORD = N'Secret-1234'; CREATE SERVER ROLE ops; CREATE DATABASE shop
GO
USE shop
GO
CREATE USER ann FOR LOGIN ann; CREATE USER bob FOR LOGIN bob; CREATE USER zoe FOR LOGIN zoe;
CREATE USER yan WITHOUT LOGIN; CREATE ROLE crew
GO
CREATE SCHEMA sales
GO
CREATE TABLE sales.orders (id int, note nvarchar(50), price int); CREATE TABLE sales.items (id int)
"""
# As a statement and as a spec name it, with the columns that chance may pick, and what can be done with it.
ORDERS = ("OBJECT::sales.orders", "table:shop.sales.orders", ("", "id", "note"), ("SELECT", "UPDATE", "INSERT"))
ITEMS = ("OBJECT::sales.items", "table:shop.sales.items", ("",), ("SELECT", "CONTROL"))
SALES = ("SCHEMA::sales", "schema:shop.sales", ("",), ("SELECT", "EXECUTE"))
SHOP = ("", "database:shop", ("",), ("SELECT", "VIEW DEFINITION"))
SERVER = ("", "server", ("",), ("VIEW SERVER STATE", "ALTER ANY LOGIN"))
INSIDE, OTHERS = ("ann", "bob", "crew"), ("zoe", "yan")
THINGS = (ORDERS, ORDERS, ORDERS, ITEMS, SALES, SHOP)
MANAGED = {"ann": "users", "bob": "users", "crew": "roles", "ops": "roles"}


def statement(chance: random.Random, *, passing: bool) -> str:
    """:param passing: also rights to pass on, and what was passed on."""
    verb = chance.choice(("GRANT", "GRANT", "DENY"))
    if not chance.randrange(6):
        return f"USE master; {verb} {chance.choice(SERVER[3])} TO {chance.choice(('ann', 'bob', 'ops'))}"
    on, _, columns, actions = chance.choice(THINGS)
    column = chance.choice(columns)
    action = chance.choice(actions[:2] if column else actions)
    what = f"{action}{f' ({column})' if column else ''}{f' ON {on}' if on else ''}"
    option = " WITH GRANT OPTION" if verb == "GRANT" and passing and chance.random() < 0.4 else ""
    by = f" AS {chance.choice((*INSIDE, *OTHERS))}" if on and passing and chance.random() < 0.4 else ""
    return f"{verb} {what} TO {chance.choice((*INSIDE, *OTHERS))}{option}{by}"


def people(chance: random.Random, *, passing: bool) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {"users": {}, "roles": {}}
    for name, section in MANAGED.items():
        entry: dict[str, Any] = {"grants": [], "denies": []}
        for thing in (SERVER,) if name == "ops" else dict.fromkeys((*THINGS, *([SERVER] * (section == "users")))):
            _, spoken, columns, actions = thing
            for column in columns:
                for action in actions[:2] if column else actions:
                    state = chance.choice(("", "", "grants", "denies"))
                    said: dict[str, Any] = {
                        "object": spoken,
                        "can": [action.lower()],
                        **({"columns": [column]} if column else {}),
                    }
                    if state == "grants" and passing and chance.random() < 0.3:
                        said["grantable"] = True
                    entry.setdefault(state, []).append(said)
        entry.pop("", None)
        if name == "ops":
            entry["attributes"] = ["server"]
        found[section][name] = entry
    return found


def document(sections: dict[str, Any]) -> dict[str, Any]:
    return {"dbops": "users/1", "manage": {"principals": [*MANAGED], "databases": ["shop"]}, **sections}


def seen(instance: Instance) -> AccessSnapshot:
    reader: Any = Direct(instance)
    return inspect(reader, server_of(instance), Scope(databases=("shop",)))


def difference(instance: Instance, spec: dict[str, Any]) -> Difference:
    desired = read(spec, lambda path: f"spec:{'.'.join(map(str, path))}", "mssql")
    return diff(seen(instance), backend.access.normalise(desired, server_of(instance)))


def statements(instance: Instance, found: Difference) -> list[Sql]:
    return [step for step in walk(backend.access.compile(found.changes, server_of(instance))) if isinstance(step, Sql)]


def carry_out(instance: Instance, texts: Iterable[str]) -> None:
    for text in texts:
        instance.execute(text)


def rights(instance: Instance) -> set[tuple[str, str, int, int, int]]:
    """What everybody has and is denied on everything, whoever said it."""
    found = seen(instance)
    return {
        (label(found, one), found.principals[grant.grantee].name, grant.actions, grant.grantable, grant.denied)
        for one in found.objects
        for grant in found.grants(one)
    }


@pytest.fixture(scope="module")
def prepared() -> tuple[Instance, State]:
    instance = Instance()
    instance.execute(CAST)
    return instance, instance.keep()


def shaken(prepared: tuple[Instance, State], chance: random.Random, *, passing: bool) -> Instance:
    instance, kept = prepared
    instance.put_back(kept)
    for _ in range(chance.randint(0, 30)):
        with suppress(Failed):
            instance.execute(statement(chance, passing=passing), database="shop")
    return instance


def of_others(instance: Instance) -> dict[tuple[str, str], tuple[int, int, int]]:
    """What those have of whom no spec here says anything, by whoever."""
    found: dict[tuple[str, str], tuple[int, int, int]] = {}
    for name, who, *bits in rights(instance):
        if who in ("shop.zoe", "shop.yan"):
            old = found.get((name, who), (0, 0, 0))
            found[name, who] = (old[0] | bits[0], old[1] | bits[1], old[2] | bits[2])
    return found


@pytest.mark.parametrize("seed", range(12))
def test_one_apply_is_enough_and_others_keep_what_they_have(prepared: tuple[Instance, State], seed: int) -> None:
    chance = random.Random(seed)
    instance = shaken(prepared, chance, passing=True)
    sections = people(chance, passing=True)
    if chance.random() < 0.5:
        crew = sections["roles"]["crew"]
        crew["owns"] = [SALES[1]]
        crew["denies"] = [said for said in crew["denies"] if said["object"] == SHOP[1]]
    before = of_others(instance)
    spec = document(sections)
    carry_out(instance, [step.text for step in statements(instance, difference(instance, spec))])
    assert difference(instance, spec).changes == ()
    assert of_others(instance) == before


@pytest.mark.parametrize("seed", range(12))
def test_what_was_exported_plans_to_nothing(prepared: tuple[Instance, State], seed: int) -> None:
    instance = shaken(prepared, random.Random(seed), passing=False)
    spec = export(seen(instance), ["ann", "shop.ann", "bob", "shop.bob", "shop.crew", "ops"], ["shop"])
    assert difference(instance, spec).changes == ()


@pytest.mark.parametrize("seed", range(12))
def test_what_is_undone_is_as_it_was(prepared: tuple[Instance, State], seed: int) -> None:
    chance = random.Random(seed)
    instance = shaken(prepared, chance, passing=False)
    before = rights(instance)
    steps = statements(instance, difference(instance, document(people(chance, passing=False))))
    carry_out(instance, [step.text for step in steps])
    carry_out(instance, [f"{step.text.partition(';')[0]}; {step.undo.partition('; ')[2]}" for step in reversed(steps)])
    assert rights(instance) == before
