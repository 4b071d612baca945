"""Why and why not, where rows are matched: every way, every reason, and the least revoke."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from dbops.access.evaluator import evaluator
from dbops.access.explain import explain
from dbops.access.naming import find
from dbops.model.access import Matching, Reserved
from dbops.model.audit import Explanation
from dbops.model.change import RemoveGrant, RemoveMembership

# Any: the class is in conftest, which cannot be imported.
Worlds = Callable[..., Any]
REPLACE = Matching(restricts=True, addresses_first=True)
LITERAL = msgspec.structs.replace(REPLACE, wildcards=False)
ADD = Matching(order="fewest", roles="add", definer_roles=False, inner_unchecked=("DELETE",), public_enters=False)


def asked(world: Any, who: str, action: str, what: str) -> Explanation:
    snapshot = world.snapshot()
    number = next(at for at, one in enumerate(snapshot.principals) if one.name == who)
    one = snapshot.objects[find(snapshot, what)]
    return explain(evaluator(snapshot, snapshot.taken_at), number, action, one)


def ways(found: Explanation) -> list[list[str]]:
    return [[hop.kind for hop in path] for path in found.paths]


def reasons(found: Explanation) -> list[tuple[str, str]]:
    return [(one.kind, one.summary) for one in found.blocked_by]


A, B, HERE = "'a'@'%'", "'b'@'%'", "'a'@'localhost'"


# -- why --------------------------------------------------------------------------------------------------------------


def test_every_level_is_a_way(rowed: Worlds) -> None:
    world = rowed().grant("a@%", "SELECT", "*").grant("a@%", "SELECT", "ab.*").grant("a@%", "SELECT", "ab.t")
    found = asked(world.grant("a@%", "SELECT", "ab.t.c"), A, "SELECT", "column:ab.t.c")
    assert ways(found) == [["grant"]] * 4
    assert {path[0].via for path in found.paths} == {
        "SELECT on column:ab.t.c", "SELECT on table:ab.t", "SELECT on database:ab", "SELECT on server"
    }  # fmt: skip
    assert len(found.changes) == 3, "what is revoked from a table is revoked from its columns"


def test_by_a_row_of_somebody_else(rowed: Worlds) -> None:
    world = rowed(["a@%", "a@localhost"]).grant("a@%", "SELECT", "ab.*")
    (path,) = asked(world, HERE, "SELECT", "table:ab.t").paths
    assert [hop.kind for hop in path] == ["match", "grant"]
    assert path[0].via == "rows of 'a'@'%' are for sessions from localhost"


def test_by_roles_of_roles(rowed: Worlds) -> None:
    world = rowed(["a@%"], roles=["r", "s", "x"]).member("a@%", "r").member("r", "s").member("r", "x")
    world.member("a@%", "x", active=False).grant("s", "SELECT", "ab.*")
    found = asked(world, A, "SELECT", "table:ab.t")
    assert ways(found) == [["member", "member", "grant"]]
    assert found.changes == (
        RemoveGrant(principal="'s'@'%'", object=found.changes[0].object, actions=("SELECT",)),  # type: ignore[union-attr]
    )


def test_by_a_role_of_everybody(rowed: Worlds) -> None:
    world = rowed(["a@%"], roles=["r"]).member("a@%", "r", implicit=True).grant("r", "SELECT", "ab.*")
    (path,) = asked(world, A, "SELECT", "table:ab.t").paths
    assert [(hop.kind, hop.via) for hop in path[:1]] == [("implicit", "a role of everybody")]


def test_by_the_public_and_its_roles(rowed: Worlds) -> None:
    world = rowed(["a@%"], roles=["r"], public=True, matching=ADD).member("PUBLIC", "r")
    world.grant("r", "SELECT", "ab.t").grant("PUBLIC", "INSERT", "ab.t")
    assert ways(asked(world, A, "SELECT", "table:ab.t")) == [["public", "member", "grant"]]
    assert ways(asked(world, A, "INSERT", "table:ab.t")) == [["public", "grant"]]
    assert asked(world, "PUBLIC", "INSERT", "table:ab.t").allowed
    assert asked(world, "PUBLIC", "INSERT", "table:ab.t").paths[0][0].from_ == "PUBLIC"


def test_from_one_host(rowed: Worlds) -> None:
    from dbops.access.sessions import from_host

    found = from_host(rowed(["a@10.%"]).grant("a@10.%", "SELECT", "ab.*").snapshot(), "a@10.1.2.3")
    assert found is not None
    snapshot, number = found
    answer = explain(evaluator(snapshot, snapshot.taken_at), number, "SELECT", snapshot.objects[1])
    assert [(hop.kind, hop.to) for hop in answer.paths[0]] == [("account", "'a'@'10.%'"), ("grant", "database:ab")]
    assert answer.paths[0][0].via == "whom the server takes for it, coming from 10.1.2.3"


def test_by_the_rights_of_another_account(rowed: Worlds) -> None:
    world = rowed(["a@%", "a@localhost"], roles=["r"], matching=ADD).grant("a@%", "STOP", "*")
    world.member("a@%", "r").member("a@localhost", "r")
    assert ways(asked(world, HERE, "STOP", "server")) == [["match", "grant"]]


def test_what_is_no_right_on_a_level_above(rowed: Worlds) -> None:
    world = rowed().grant("a@%", "ALTER", "ab.p()").grant("a@%", "LOCK", "ab.*")
    assert ways(asked(world, A, "ALTER", "procedure:ab.p")) == [["grant"]]
    assert asked(world, A, "ALTER", "procedure:ab.p").usable
    assert ways(asked(world, A, "LOCK", "database:ab")) == [["grant"]]


def test_what_everybody_has(rowed: Worlds) -> None:
    own = msgspec.structs.replace(REPLACE, reserved=(Reserved("ab", everybody=("SELECT",)),))
    found = asked(rowed(matching=own), A, "SELECT", "table:ab.t")
    assert ways(found) == [["predefined"]]
    assert found.changes == ()


def test_what_is_held_on_a_pattern_or_on_an_account(rowed: Worlds) -> None:
    world = rowed(["a@%", "b@%"]).grant("a@%", "SELECT", "a%.*").grant("a@%", "PROXY", "account:'b'@'%'")
    assert ways(asked(world, A, "SELECT", "pattern:a%")) == [["grant"]]
    assert ways(asked(world, A, "PROXY", "account:'b'@'%'")) == [["grant"]]
    assert reasons(asked(world, B, "PROXY", "account:'b'@'%'"))[0][0] == "no_grant"


# -- the least revoke -------------------------------------------------------------------------------------------------


def test_leaving_a_role_where_no_single_grant_is_enough(rowed: Worlds) -> None:
    world = rowed(["a@%"], roles=["r"]).member("a@%", "r").grant("r", "SELECT", "ab.*").grant("r", "SELECT", "ab.t")
    (change,) = asked(world, A, "SELECT", "table:ab.t").changes
    assert isinstance(change, RemoveMembership)
    assert (change.member, change.group) == (A, "'r'@'%'")


def test_what_comes_to_count_is_revoked_too(rowed: Worlds) -> None:
    world = rowed().grant("a@%", "SELECT", "ab.*").grant("a@%", "SELECT", "a_.*").grant("a@%", "SELECT", "a%.*")
    assert len(asked(world, A, "SELECT", "table:ab.t").changes) == 3


def test_one_is_enough_where_a_row_stays(rowed: Worlds) -> None:
    world = rowed().grant("a@%", "SELECT INSERT", "ab.*").grant("a@%", "SELECT", "a%.*")
    assert len(asked(world, A, "SELECT", "table:ab.t").changes) == 1


# -- why not ----------------------------------------------------------------------------------------------------------


def test_a_shadow(rowed: Worlds) -> None:
    world = rowed().grant("a@%", "SELECT", "a%.*").grant("a@%", "INSERT", "ab.*")
    (block,) = asked(world, A, "SELECT", "table:ab.t").blocked_by
    assert block.summary == "the row of 'a'@'%' on pattern:`a%` is shadowed by that of 'a'@'%' on database:ab"
    assert block.fix == "grant SELECT on database:ab to 'a'@'%'"


def test_a_shadow_within_roles(rowed: Worlds) -> None:
    world = rowed(["a@%"], roles=["r", "s"], matching=ADD).member("a@%", "r").member("r", "s")
    world.grant("r", "SELECT", "a%.*").grant("s", "INSERT", "ab.*").grant("a@%", "DROP", "ab.*")
    assert reasons(asked(world, A, "SELECT", "table:ab.t")) == [
        ("shadowed", "the row of r on pattern:`a%` is shadowed by that of s on database:ab")
    ]


def test_a_shadow_for_a_table_and_for_a_routine(rowed: Worlds) -> None:
    world = rowed(["a@%", "a@localhost"]).grant("a@%", "SELECT", "ab.t").grant("a@localhost", "INSERT", "ab.t")
    assert reasons(asked(world, HERE, "SELECT", "table:ab.t"))[0] == (
        "shadowed",
        "the row of 'a'@'%' on table:ab.t is shadowed by one of a more specific host",
    )


def test_a_row_for_somebody_else_is_no_reason(rowed: Worlds) -> None:
    world = rowed(["a@%", "b@%", "a@localhost"]).grant("b@%", "SELECT", "ab.t")
    assert [kind for kind, _ in reasons(asked(world, A, "SELECT", "table:ab.t"))] == ["no_grant"]
    world.grant("a@localhost", "SELECT", "ab.t")
    assert [kind for kind, _ in reasons(asked(world, A, "SELECT", "table:ab.t"))] == ["other_host"]


def test_rows_that_a_role_silences(rowed: Worlds) -> None:
    world = rowed(["a@%", "a@localhost"], roles=["r"]).member("a@localhost", "r")
    world.grant("a@%", "SELECT", "ab.*").grant("a@%", "INSERT", "ab.t")
    for action, where in (("SELECT", "database:ab"), ("INSERT", "table:ab.t")):
        block = asked(world, HERE, action, "table:ab.t").blocked_by[0]
        assert (block.kind, block.fix) == ("role_active", "SET ROLE NONE")
        assert block.summary == f"the row of 'a'@'%' on {where} does not count while a role is active"


def test_partial_revokes(rowed: Worlds) -> None:
    world = rowed(["a@%"], roles=["r"], matching=LITERAL)
    world.grant("a@%", "SELECT", "*").grant("a@%", "SELECT", "a_b.*", deny=True)
    what = "table:a_b.t"
    (block,) = asked(world, A, "SELECT", what).blocked_by
    assert block.summary == "'a'@'%' has SELECT on server, and a partial revoke takes it away in this database"
    world.member("a@%", "r").grant("r", "SELECT", "a_b.*")
    assert [kind for kind, _ in reasons(asked(world, A, "SELECT", what))] == ["partial_revoke", "partial_revoke"]
    assert asked(world, A, "SELECT", "server").allowed


def test_roles_that_sleep(rowed: Worlds) -> None:
    world = rowed(["a@%"], roles=["r", "s"]).member("a@%", "r", active=False).member("a@%", "s", active=False)
    world.grant("r", "SELECT", "ab.*")
    (block,) = asked(world, A, "SELECT", "table:ab.t").blocked_by
    assert (block.kind, block.fix) == ("not_active", "SET ROLE r")
    plain = rowed(["a@%"], roles=["r"], matching=ADD).member("a@%", "r", active=False).grant("r", "SELECT", "ab.*")
    assert asked(plain, A, "SELECT", "table:ab.t").blocked_by[0].fix == "SET ROLE r"


def test_the_account_next_door(rowed: Worlds) -> None:
    world = rowed(["a@%", "a@localhost", "b@%"]).grant("a@localhost", "SELECT", "ab.*")
    assert [kind for kind, _ in reasons(asked(world, A, "SELECT", "table:ab.t"))] == ["other_host"]
    assert [kind for kind, _ in reasons(asked(world, B, "SELECT", "table:ab.t"))] == ["no_grant"]
    nobody = rowed(["@%", "a@localhost"]).grant("a@localhost", "SELECT", "ab.*")
    assert [kind for kind, _ in reasons(asked(nobody, "''@'%'", "SELECT", "table:ab.t"))] == ["no_grant"]


def test_nothing_on_the_whole_server(rowed: Worlds) -> None:
    assert [kind for kind, _ in reasons(asked(rowed(), A, "STOP", "server"))] == ["no_grant"]


def test_what_nobody_may(rowed: Worlds) -> None:
    own = msgspec.structs.replace(REPLACE, reserved=(Reserved("axb"), Reserved("ab", nobody=("DROP",))))
    world = rowed(matching=own).grant("a@%", "DROP", "*").grant("a@%", "DROP", "ab.*")
    assert reasons(asked(world, A, "DROP", "table:ab.t")) == [("system", "the server lets nobody do DROP in ab")]
    assert reasons(asked(world, A, "SELECT", "table:ab.t"))[0][0] == "no_grant"


def test_nobody_gets_in(rowed: Worlds) -> None:
    world = rowed(["a@%"], roles=["r"], locked=["a@%"], public=True, matching=ADD).grant("a@%", "SELECT", "*")
    locked = asked(world, A, "SELECT", "table:ab.t")
    assert locked.blocked_by[0].summary == "'a'@'%' is locked: nobody logs in as it"
    assert asked(world, "r", "SELECT", "table:ab.t").blocked_by[-1].kind == "no_login"
    assert asked(world, "PUBLIC", "SELECT", "table:ab.t").blocked_by[0].kind == "no_grant"
    both = rowed(["a@127.0.0.1", "a@localhost"], matching=ADD).grant("a@127.0.0.1", "SELECT", "*")
    (block,) = asked(both, "'a'@'127.0.0.1'", "SELECT", "table:ab.t").blocked_by
    assert (block.kind, block.fix) == (
        "shadowed_account",
        "drop 'a'@'localhost', or give it what 'a'@'127.0.0.1' has",
    )


def test_who_is_behind_a_view(rowed: Worlds) -> None:
    lacking = rowed(["a@%", "d@%"]).view("ab.v", "ab.t", "d@%").grant("a@%", "SELECT", "ab.v")
    assert reasons(asked(lacking, A, "SELECT", "view:ab.v")) == [
        ("definer", "'d'@'%', who defined view:ab.v, lacks what it needs for SELECT")
    ]
    gone = rowed(["a@%"]).view("ab.v", "ab.t", "d@%").grant("a@%", "SELECT", "ab.v")
    assert reasons(asked(gone, A, "SELECT", "view:ab.v")) == [
        ("no_definer", "'d'@'%', who defined view:ab.v, does not exist")
    ]
    own = rowed(["a@%"]).view("ab.v", "ab.t").grant("a@%", "SELECT", "ab.v")
    assert reasons(asked(own, A, "SELECT", "view:ab.v")) == [("view", "'a'@'%' lacks SELECT on what view:ab.v reads")]
    routine = rowed(["a@%"]).run_by("ab.p", "d@%").grant("a@%", "EXECUTE", "ab.p()")
    assert [kind for kind, _ in reasons(asked(routine, A, "EXECUTE", "procedure:ab.p"))] == ["no_definer"]


def test_a_view_whose_query_is_hidden(rowed: Worlds) -> None:
    world = rowed(["a@%"]).view("ab.v", "ab.t", "a@%", flags=("unread",)).grant("a@%", "SELECT", "ab.*")
    assert asked(world, A, "SELECT", "view:ab.v").limits == (
        "the query of view:ab.v is not shown to this login: not followed",
    )
