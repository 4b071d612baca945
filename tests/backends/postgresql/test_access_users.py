"""Laws of provisioning, without a server: the simulation stands in for it (live tests hold the two together)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dbops import yaml
from dbops.access.delta import compare, deltas
from dbops.access.diff import diff
from dbops.access.effective import Effective
from dbops.access.export import export, names_to_export
from dbops.access.matrix import access_of, holders, rows
from dbops.access.simulate import Simulation, simulate
from dbops.access.spec import read
from dbops.access.telling import summary
from dbops.errors import InputError
from dbops.model.access import AccessSnapshot, DefaultGrant, Grant, Membership, Principal, SecuredObject
from dbops.model.change import (
    AddDefault,
    AddGrant,
    AddMembership,
    AlterPrincipal,
    CreatePrincipal,
    DropPrincipal,
    RemoveDefault,
    RemoveGrant,
    SetOwner,
)
from dbops.model.server import Server
from dbops.model.users import Wanted
from dbops_postgresql.access.acl import default
from dbops_postgresql.access.compile import compile_changes
from dbops_postgresql.access.kinds import rules
from dbops_postgresql.access.words import normalise

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = ("a", "b", "c", "d", "e")
NAMES = ("PUBLIC", "postgres", "pg_database_owner", *PEOPLE)
POSTGRES, FIRST = 1, 3
OBJECTS = (
    ("database", ("app",), -1),
    ("schema", ("app", "s"), 0),
    ("table", ("app", "s", "t"), 1),
    ("view", ("app", "s", "v"), 1),
    ("column", ("app", "s", "t", "x"), 2),
    ("sequence", ("app", "s", "q"), 1),
    ("function", ("app", "s", "f(integer)"), 1),
    ("tablespace", ("fast",), -1),
)
SPELLED = {
    "database": "database:app", "schema": "schema:app.s", "table": "table:app.s.t", "view": "view:app.s.v",
    "sequence": "sequence:app.s.q", "function": "function:app.s.f(integer)", "tablespace": "tablespace:fast",
}  # fmt: skip
people = st.sampled_from(range(FIRST, len(NAMES)))


def server(major: int) -> Server:
    return Server(
        engine="postgresql",
        version=(major, 0),
        version_text=str(major),
        role="primary",
        incarnation="1",
        database="app",
    )


@st.composite
def snapshots(draw: st.DrawFn, major: int, *, foreign_grantors: bool = True) -> AccessSnapshot:
    """Any state: owners, grants by owners and others, memberships under several grantors, default privileges."""
    words = rules(major)
    objects: list[SecuredObject] = []
    acls: list[tuple[Grant, ...]] = []
    for number, (kind, path, parent) in enumerate(OBJECTS):
        table = 2 if kind in ("column", "sequence") else number
        owner = objects[table].owner if table != number else draw(st.just(POSTGRES) | people)
        found = {(one.grantee, one.grantor): one for one in default(words.kinds[kind], owner)}
        every = (1 << len(words.kinds[kind].actions)) - 1
        for grantee in draw(st.lists(people | st.just(0), max_size=3, unique=True)):
            if grantee != owner:
                actions = draw(st.integers(1, every))
                grantable = actions & draw(st.integers(0, every)) if grantee else 0
                found[grantee, owner] = Grant(grantee, owner, actions, grantable)
        if foreign_grantors:
            _passed_on(draw, found, owner)
        acls.append(tuple(found.values()))
        objects.append(SecuredObject(kind, path, owner, number, parent, follows=table if table != number else -1))
    principals = tuple(_principal(draw, number, name) for number, name in enumerate(NAMES))
    return AccessSnapshot(
        engine="postgresql",
        version=(major, 0),
        incarnation="1",
        taken_at=NOW,
        rules=words,
        principals=principals,
        memberships=_memberships(draw, major, objects[0].owner, principals),
        objects=tuple(objects),
        acls=tuple(acls),
        defaults=_defaults(draw, major),
        database="app",
    )


def _passed_on(draw: st.DrawFn, found: dict[tuple[int, int], Grant], owner: int) -> None:
    """Grants by those who may pass on what the owner gave them."""
    for giver in [one for one in found.values() if one.grantable]:
        grantee = draw(people)
        actions = giver.grantable & draw(st.integers(0, 255))
        if actions and grantee not in (owner, giver.grantee):
            found[grantee, giver.grantee] = Grant(grantee, giver.grantee, actions)


def _principal(draw: st.DrawFn, number: int, name: str) -> Principal:
    if number == 0:
        return Principal(name=name, kind="public", system=True)
    if number == POSTGRES:
        return Principal(name=name, attributes=("SUPERUSER", "INHERIT", "LOGIN"), system=True)
    words = draw(st.sampled_from((("INHERIT",), ("INHERIT", "LOGIN"), ("LOGIN",), ("INHERIT", "CREATEDB"))))
    until = draw(st.sampled_from((None, NOW)))
    limit = draw(st.sampled_from((None, 0, 3)))
    return Principal(name=name, attributes=words, valid_until=until, connection_limit=limit, system=number < FIRST)


def _memberships(draw: st.DrawFn, major: int, owner: int, principals: tuple[Principal, ...]) -> tuple[Membership, ...]:
    pairs = st.tuples(people, people, people | st.just(POSTGRES)).filter(lambda one: one[0] < one[1])
    found: dict[tuple[int, ...], Membership] = {}
    for member, group, grantor in draw(st.lists(pairs, max_size=5, unique=True)):
        options: dict[str, Any] = {"admin": draw(st.booleans()), "inherit": "INHERIT" in principals[member].attributes}
        if major >= 16:
            options |= {"inherit": draw(st.booleans()), "set": draw(st.booleans())}
        key = (member, group, grantor) if major >= 16 else (member, group)
        found.setdefault(key, Membership(member=member, group=group, grantor=grantor, **options))
    implicit = Membership(member=owner, group=2, database="app", implicit=True)
    return (*found.values(), implicit)


def _defaults(draw: st.DrawFn, major: int) -> tuple[DefaultGrant, ...]:
    found: dict[tuple[int, str, str], DefaultGrant] = {}
    shapes = st.tuples(people, st.sampled_from(("", "s")), st.sampled_from(("table", "sequence")), people)
    for creator, schema, kind, grantee in draw(st.lists(shapes, max_size=3)):
        bits = draw(st.integers(1, (1 << len(rules(major).kinds[kind].actions)) - 1))
        grants = (Grant(grantee, creator, bits, bits & draw(st.integers(0, 3))),) if grantee != creator else ()
        one = DefaultGrant(creator=creator, database="app", schema=schema, kind=kind, grants=grants)
        found.setdefault((creator, schema, kind), one)
    return tuple(one for one in found.values() if one.grants)


@st.composite
def specs(draw: st.DrawFn, *, plain: bool = False) -> str:
    """Any spec for some of the people; ``plain``: grants on whole objects and memberships alone."""
    named = draw(st.lists(st.sampled_from((*PEOPLE, "new")), min_size=1, max_size=5, unique=True))
    sections: dict[str, dict[str, Any]] = {"roles": {}, "users": {}}
    owned: set[str] = set()
    for name in named:
        section = draw(st.sampled_from(("roles", "users")))
        entry: dict[str, Any] = {"grants": draw(st.lists(_entry(plain), max_size=3))}
        entry["member_of"] = [
            {"role": group, "admin": draw(st.booleans())} for group in PEOPLE if group > name and draw(st.booleans())
        ]
        if not plain:
            entry["owns"] = [one for one in draw(st.lists(_owned, max_size=2, unique=True)) if one not in owned]
            owned.update(entry["owns"])
            if section == "users" and draw(st.booleans()):
                entry["state"] = "locked"
        sections[section][name] = entry
    head = {"dbops": "users/1", "manage": {"principals": [*PEOPLE, "new"], "databases": ["app"]}}
    return yaml.dump({**head, **sections})


_owned = st.sampled_from(("table:app.s.t", "schema:app.s", "view:app.s.v", "function:app.s.*", "database:app"))


def _entry(plain: bool) -> st.SearchStrategy[dict[str, Any]]:
    whole = st.fixed_dictionaries(
        {
            "object": st.sampled_from(sorted(SPELLED.values())),
            "can": st.just(["all"]),
            "grantable": st.booleans(),
        }
    )
    column = st.fixed_dictionaries(
        {
            "object": st.just("table:app.s.t"),
            "can": st.lists(st.sampled_from(("select", "update")), min_size=1, unique=True),
            "columns": st.lists(st.sampled_from(("x", "y")), min_size=1, unique=True),
        }
    )
    future = st.fixed_dictionaries(
        {
            "object": st.sampled_from(("table:app.s.*", "table:app.*.*")),
            "can": st.just(["read"]),
            "future": st.sampled_from((True, "only")),
        }
    )
    return whole if plain else whole | column | future


def wanted(text: str, major: int) -> Wanted:
    document = yaml.load(text, "spec")
    return normalise(read(document.value, document.where, "postgresql", "spec"), server(major))


majors = st.sampled_from((15, 18))
fewer = settings(max_examples=max(1, settings.default.max_examples // 3) if settings.default else 30)


@fewer
@given(st.data(), majors)
def test_one_apply_is_enough(data: st.DataObject, major: int) -> None:
    snapshot = data.draw(snapshots(major))
    wish = wanted(data.draw(specs()), major)
    try:
        changes = diff(snapshot, wish).changes
    except InputError as error:
        assume("circle" not in error.message)
        raise
    after = simulate(snapshot, changes)
    assert diff(after, wish).changes == ()
    found = deltas(snapshot, after, NOW)
    assert changes or not found
    assert [one.principal for one in found] == sorted(one.principal for one in found)
    for change in changes:
        assert summary(change, snapshot.rules)
    steps = compile_changes(changes, server(major))
    assert bool(steps) is bool(changes)


@fewer
@given(st.data(), majors)
def test_an_export_plans_to_nothing(data: st.DataObject, major: int) -> None:
    snapshot = data.draw(snapshots(major))
    names = names_to_export(snapshot, ())
    assert names == PEOPLE
    text = yaml.dump(export(snapshot, names, ["app"]))
    assert diff(snapshot, wanted(text, major)).changes == ()


@fewer
@given(st.data(), majors)
def test_nobody_loses_on_the_way_what_he_keeps_in_the_end(data: st.DataObject, major: int) -> None:
    """Adding comes before removing."""
    snapshot = data.draw(snapshots(major, foreign_grantors=False))
    wish = wanted(data.draw(specs(plain=True)), major)
    changes = diff(snapshot, wish).changes
    first, last = _all(snapshot), _all(simulate(snapshot, changes))
    working = Simulation(snapshot)
    for change in changes:
        working.apply(change)
        assert first & last <= _all(working.snapshot())


def _all(snapshot: AccessSnapshot) -> set[tuple[str, str, str]]:
    return {(who, action, what) for who, what, action, _, _ in rows(Effective(snapshot, NOW))}


@fewer
@given(st.data(), majors)
def test_others_keep_every_grant(data: st.DataObject, major: int) -> None:
    snapshot = data.draw(snapshots(major))
    text = data.draw(specs(plain=True))
    wish = wanted(text, major)
    named = {one.name for one in wish.principals}
    after = simulate(snapshot, diff(snapshot, wish).changes)
    for one in snapshot.objects:
        later = next(other for other in after.objects if (other.kind, other.path) == (one.kind, one.path))
        for number, principal in enumerate(snapshot.principals):
            if principal.name not in named:
                assert _held(snapshot, one, number) == _held(after, later, number)


def _held(snapshot: AccessSnapshot, one: SecuredObject, who: int) -> tuple[int, int]:
    actions = grantable = 0
    for grant in snapshot.grants(one):
        if grant.grantee == who:
            actions, grantable = actions | grant.actions, grantable | grant.grantable
    return actions, grantable


@fewer
@given(st.data(), majors)
def test_a_snapshot_equals_itself_and_differs_after_a_change(data: st.DataObject, major: int) -> None:
    snapshot = data.draw(snapshots(major))
    assert compare(snapshot, snapshot, NOW).equal
    after = simulate(snapshot, [CreatePrincipal(name="new", attributes=("LOGIN",), valid_until=None)])
    found = compare(snapshot, after, NOW)
    assert found.principals == ("+ new (LOGIN)",)
    assert compare(after, snapshot, NOW).principals == ("- new (LOGIN)",)
    assert [one.principal for one in found.deltas] in ([], ["new"])


@fewer
@given(st.data(), majors)
def test_questions_about_one_agree_with_the_matrix(data: st.DataObject, major: int) -> None:
    snapshot = data.draw(snapshots(major))
    effective = Effective(snapshot, NOW)
    everything = set(rows(effective))
    mine = {(row.object, row.action, row.usable) for row in access_of(effective, FIRST).rows}
    assert mine == {(what, action, usable) for who, what, action, _, usable in everything if who == PEOPLE[0]}
    table = snapshot.objects[2]
    may = {one.principal for one in holders(effective, table, "SELECT").holders}
    assert may == {who for who, what, action, *_ in everything if (what, action) == ("table:app.s.t", "SELECT")}
    assert set(rows(effective, [FIRST], ["table"])) == {
        row for row in everything if row[0] == PEOPLE[0] and row[1].split(":")[0] in ("table", "view")
    }


# -- by example -------------------------------------------------------------------------------------------------------


def plain(**changed: Any) -> AccessSnapshot:
    """Everything belongs to postgres, nobody has anything."""
    words = rules(18)
    objects = tuple(
        SecuredObject(kind, path, POSTGRES, number, parent, follows=2 if kind == "sequence" else -1)
        for number, (kind, path, parent) in enumerate(OBJECTS)
    )
    found = AccessSnapshot(
        engine="postgresql",
        version=(18, 0),
        incarnation="1",
        taken_at=NOW,
        rules=words,
        principals=tuple(
            Principal(
                name=name, kind="public" if number == 0 else "role", attributes=("INHERIT",), system=number < FIRST
            )
            for number, name in enumerate(NAMES)
        ),
        memberships=(),
        objects=objects,
        acls=tuple(default(words.kinds[kind], POSTGRES) for kind, _, _ in OBJECTS),
        database="app",
    )
    return msgspec.structs.replace(found, **changed)


def changes(snapshot: AccessSnapshot, body: str) -> tuple[object, ...]:
    head = "dbops: users/1\nmanage: {principals: [a, b, c, d, e, PUBLIC], databases: [app]}\n"
    return diff(snapshot, wanted(head + body, 18)).changes


def acl(snapshot: AccessSnapshot, place: int, *grants: Grant) -> AccessSnapshot:
    lists = tuple((*found, *grants) if at == place else found for at, found in enumerate(snapshot.acls))
    return msgspec.structs.replace(snapshot, acls=lists)


def test_attributes_limits_and_ends() -> None:
    found = changes(plain(), "users: {a: {attributes: [createdb], valid_until: 2030-01-01, connection_limit: 2}}")
    assert found == (
        AlterPrincipal(
            name="a",
            gains=("CREATEDB", "LOGIN"),
            set_limit=True,
            connection_limit=2,
            set_until=True,
            valid_until=datetime(2030, 1, 1, tzinfo=UTC),
        ),
    )
    assert changes(plain(), "roles: {a: {attributes: [noinherit]}}") == (AlterPrincipal(name="a", loses=("INHERIT",)),)


def test_the_public_is_only_touched_when_it_is_named() -> None:
    open_ = acl(plain(), 2, Grant(0, POSTGRES, 1))
    assert changes(open_, "roles: {a: {}}") == ()
    found = changes(open_, "roles: {PUBLIC: {grants: [{object: 'database:app', can: [connect]}]}}")
    assert {(type(one).__name__, getattr(one, "actions", ())) for one in found} == {
        ("RemoveGrant", ("TEMPORARY",)),
        ("RemoveGrant", ("SELECT",)),
        ("RemoveGrant", ("EXECUTE",)),
    }


def test_what_another_passed_on_is_given_by_the_owner_before_it_goes() -> None:
    passed = acl(plain(), 2, Grant(FIRST, POSTGRES, 1, 1), Grant(FIRST + 1, FIRST, 1))
    found = changes(passed, "roles: {a: {}}")
    assert [type(one) for one in found] == [AddGrant, RemoveGrant, RemoveGrant]
    first, orphan, last = found
    assert isinstance(first, AddGrant)
    assert isinstance(orphan, RemoveGrant)
    assert isinstance(last, RemoveGrant)
    assert (first.principal, orphan.principal, orphan.grantor, last.principal) == ("b", "b", "a", "a")


def test_only_the_right_to_pass_on_goes() -> None:
    passed = acl(plain(), 2, Grant(FIRST, POSTGRES, 1, 1))
    [found] = changes(passed, "roles: {a: {grants: [{object: 'table:app.s.t', can: [select]}]}}")
    assert isinstance(found, RemoveGrant)
    assert found.option_only


def test_a_column_grant_survives_the_revoke_of_its_table() -> None:
    both = acl(acl(plain(), 2, Grant(FIRST, POSTGRES, 1)), 4, Grant(FIRST, POSTGRES, 1))
    found = changes(both, "roles: {a: {grants: [{object: 'table:app.s.t', can: [select], columns: [x]}]}}")
    assert [type(one) for one in found] == [RemoveGrant, AddGrant]
    assert isinstance(found[1], AddGrant)
    assert found[1].object.kind == "column"


def test_a_membership_is_known_by_its_options() -> None:
    rows_ = (Membership(member=FIRST, group=FIRST + 1, grantor=POSTGRES, admin=True, set=False),)
    snapshot = plain(memberships=rows_)
    assert changes(snapshot, "roles: {a: {member_of: [{role: b, admin: true, set: false}]}}") == ()
    found = changes(snapshot, "roles: {a: {member_of: [b]}}")
    assert [(one.set, one.admin, one.grantor) for one in found if isinstance(one, AddMembership)] == [
        (True, False, ""),
        (False, False, "postgres"),
    ]


def test_a_new_owner_takes_the_linked_sequence_along() -> None:
    found = changes(plain(), "roles: {a: {owns: ['table:app.s.*', 'sequence:app.s.*']}}")
    assert [one.object.path[-1] for one in found if isinstance(one, SetOwner)] == ["t", "v"]


def test_dropping_says_what_is_left() -> None:
    drop = "roles: {a: {state: absent}}"
    assert changes(plain(), drop) == (DropPrincipal(name="a", attributes=("INHERIT",)),)
    owner = tuple(
        msgspec.structs.replace(one, owner=FIRST) if at == 3 else one for at, one in enumerate(plain().objects)
    )
    with pytest.raises(InputError, match=r"it owns view:app\.s\.v"):
        changes(plain(objects=owner), drop)
    mine = DefaultGrant(creator=FIRST, database="app", schema="", kind="table", grants=(Grant(4, FIRST, 1),))
    with pytest.raises(InputError, match="default privileges for each new table in app name it"):
        changes(plain(defaults=(mine,)), drop)
    elsewhere = SecuredObject("database", ("other",), POSTGRES, 2)
    other = acl(plain(objects=(*plain().objects, elsewhere)), 2, Grant(FIRST, POSTGRES, 1))
    with pytest.raises(InputError, match="it has rights on database:other"):
        changes(other, drop)


def test_a_database_that_could_not_be_read_is_an_error() -> None:
    from dbops.model.finding import Missing

    with pytest.raises(InputError, match="the database app cannot be read: no way in"):
        changes(plain(databases_missing={"app": Missing("no_permission", "no way in")}), "roles: {a: {}}")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("users: {z: {}}", "spec:3: 'z' is not among manage.principals"),
        ("users: {a: {member_of: [f]}}", "there is no role 'f', here or on the server"),
        ("users: {a: {member_of: [b]}, b: {state: absent}}", "the role 'b' shall be absent"),
        (
            "users: {a: {member_of: [b]}, b: {member_of: [c]}, c: {member_of: [a]}}",
            "a circle of memberships: a → b → c → a",
        ),
        ("users: {a: {owns: ['table:app.s.z']}}", "there is no object table:app.s.z"),
        ("users: {a: {grants: [{object: 'table:app.s.z', can: [read]}]}}", "there is no object table:app.s.z"),
        ("roles: {a: {owns: ['schema:app.s']}, b: {owns: ['schema:app.s']}}", "shall also be owned by 'a' (spec:3)"),
        (
            "users: {a: {grants: [{object: 'table:app.z.*', can: [read], future: true}]}}",
            "there is no schema:app.z",
        ),
        (
            "users: {a: {grants: [{object: 'table:app.s.*', can: [read], future: true, creators: [z]}]}}",
            "there is no role 'z' to create anything",
        ),
    ],
)
def test_what_cannot_be_is_refused(body: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        changes(plain(), body)
    assert message in raised.value.message


def test_creators_can_be_named_and_schemas_have_defaults_too() -> None:
    found = changes(
        plain(),
        "roles:\n  a:\n    grants:\n"
        "    - {object: 'table:app.s.*', can: [read], future: only, creators: [b, a], grantable: true}\n"
        "    - {object: 'schema:app.*', can: [read], future: only}\n",
    )
    assert [(one.creator, one.kind, one.schema, one.grantable) for one in found if isinstance(one, AddDefault)] == [
        ("postgres", "schema", "", False),
        ("b", "table", "s", True),
    ]


def test_whoever_owns_the_database_stands_for_its_owner_role() -> None:
    objects = tuple(
        msgspec.structs.replace(one, owner=FIRST if at == 0 else 2) if at < 2 else one
        for at, one in enumerate(plain().objects)
    )
    found = changes(
        plain(objects=objects), "roles: {b: {grants: [{object: 'table:app.s.*', can: [read], future: only}]}}"
    )
    assert {one.creator for one in found if isinstance(one, AddDefault)} == {"postgres", "a"}


def test_what_public_gets_by_default_is_added_and_taken() -> None:
    public = "roles: {PUBLIC: {grants: [%s{object: 'database:app', can: [connect, temp]}, %s]}}"
    keep = "{object: 'function:app.s.*', can: [execute]}"
    wish = "{object: 'table:app.s.*', can: [select], future: only, creators: [a]}, "
    [added] = changes(plain(), public % (wish, keep))
    assert isinstance(added, AddDefault)
    assert (added.principal, added.creator) == ("PUBLIC", "a")
    mine = DefaultGrant(creator=FIRST, database="app", schema="s", kind="table", grants=(Grant(0, FIRST, 3, 0),))
    [removed] = changes(plain(defaults=(mine,)), public % (wish, keep))
    assert isinstance(removed, RemoveDefault)
    assert removed.actions == ("INSERT",)
