"""Laws of users of SQL Server, on snapshots that chance picks and without a server: one plan is enough, and what is
exported plans to nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dbops.access.diff import diff
from dbops.access.export import export, names_to_export
from dbops.access.simulate import simulate
from dbops.access.spec import read
from dbops.model.access import AccessSnapshot
from dbops.model.change import Change
from dbops.model.server import Server
from dbops.plan import Sql, walk
from dbops_mssql import backend
from dbops_mssql.probe import DATABASE
from tests.backends.mssql.access_rows import Rows

NAMES = ("al", "bo", "o'neil.]", "eve@corp.example")
ROLES = ("app", "db_datareader")
PATTERNS = ("shop.*",)


def before(edition: str, present: dict[str, int]) -> tuple[AccessSnapshot, Server]:
    """A contained database with a role; ``present`` gives users by how they are authenticated."""
    rows = Rows()
    rows.edition = edition
    rows.settings = {"contained database authentication": 1}
    for name in ("al", "bo"):
        rows.login(name)
    shop = rows.database("shop", containment=1)
    shop.schema("sales").role("app").permissions.append((0, 0, 0, 1, 1, "CONNECT", "G"))
    for name, authentication in present.items():
        kind = "E" if authentication == 4 else "S"
        shop.user(name, kind, login=name if authentication == 1 else None, authentication=authentication)
    return rows.snapshot(database="shop"), rows.server("shop")


def document(users: dict[str, Any]) -> dict[str, Any]:
    manage = {"principals": ["*"], "databases": ["shop"]}
    return {"dbops": "users/1", "manage": manage, "roles": {"shop.app": {}}, "users": users}


def planned(spec: dict[str, Any], snapshot: AccessSnapshot, server: Server) -> tuple[Change, ...]:
    desired = read(spec, lambda path: f"spec:{'.'.join(map(str, path))}", "mssql")
    return diff(snapshot, backend.access.normalise(desired, server)).changes


@st.composite
def entries(draw: st.DrawFn, sort: str) -> dict[str, Any]:
    """One user, made so that it can be whoever vouches for it."""
    words: dict[str, list[str]] = {
        "contained": ["contained"],
        "nobody": ["without_login"],
        "entra": ["contained", "entra"],
    }
    entry: dict[str, Any] = {"attributes": list(words.get(sort, []))}
    if sort == "contained":
        entry["password"] = "env:WORD"
    if draw(st.booleans()):
        entry["member_of"] = draw(st.lists(st.sampled_from(ROLES), unique=True))
    if draw(st.booleans()):
        entry["grants"] = [{"object": "schema:shop.sales", "can": ["read"]}]
    if draw(st.booleans()):
        entry["settings"] = {"default_schema": draw(st.sampled_from(("dbo", "sales")))}
    if sort != "nobody" and draw(st.booleans()):
        entry["attributes"].append("no_connect")
    return entry


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    users: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        sort = draw(st.sampled_from(("contained", "nobody", "entra")))
        written = f"[{name.replace(']', ']]')}]" if set(name) & set(".]") else name
        users[f"shop.{written}"] = draw(entries(sort))
        if "@" in name and sort == "contained":
            users[f"shop.{written}"]["attributes"].append("no_entra")
    return users


@given(specs(), st.sampled_from(("", DATABASE)))
def test_one_plan_is_enough_and_its_export_plans_to_nothing(users: dict[str, Any], edition: str) -> None:
    snapshot, server = before(edition, {})
    changes = planned(document(users), snapshot, server)
    steps = [one for one in walk(backend.access.compile(changes, server)) if isinstance(one, Sql)]
    assert len(steps) >= len(changes)  # no change is one in name alone
    after = simulate(snapshot, changes)
    assert planned(document(users), after, server) == ()
    assert planned(export(after, names_to_export(after, PATTERNS), ["shop"]), after, server) == ()


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from((0, 1, 2, 4)), max_size=4), st.sampled_from(("", DATABASE))
)
def test_whoever_is_there_is_exported_as_he_is(present: dict[str, int], edition: str) -> None:
    snapshot, server = before(edition, present)
    exported = export(snapshot, names_to_export(snapshot, PATTERNS), ["shop"])
    assert planned(exported, snapshot, server) == ()
