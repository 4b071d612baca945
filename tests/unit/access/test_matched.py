"""Effective access where rows are matched, by example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from dbops.access.audit import sample
from dbops.access.evaluator import evaluator
from dbops.access.explain import explain
from dbops.access.matched import Matched
from dbops.access.matrix import access_of, holders, rows
from dbops.access.naming import find
from dbops.access.summary import summary
from dbops.access.undecided import undecided
from dbops.model.access import Matching, Reserved

# Any: the class is in conftest, which cannot be imported.
Rowed = Any
Worlds = Callable[..., Any]
REPLACE = Matching(restricts=True, addresses_first=True)
ADD = Matching(order="fewest", roles="add", definer_roles=False, inner_unchecked=("DELETE",), public_enters=False)


def who_has(world: Rowed, action: str, what: str, *, usable: bool = False) -> set[str]:
    snapshot = world.snapshot()
    effective = evaluator(snapshot, snapshot.taken_at)
    one = snapshot.objects[find(snapshot, what)]
    found = effective.usable(one, action) if usable else effective.nominal(one, action)
    return {person.name for number, person in enumerate(snapshot.principals) if found >> number & 1}


A, A_HERE = "'a'@'%'", "'a'@'localhost'"


# -- rows for databases -----------------------------------------------------------------------------------------------


def test_one_row_counts(rowed: Worlds) -> None:
    world = rowed().grant("a@%", "SELECT", "a%.*").grant("a@%", "INSERT", "ab.*")
    assert who_has(world, "INSERT", "database:ab") == {A}
    assert who_has(world, "SELECT", "database:ab") == set()
    assert who_has(world, "SELECT", "database:axb") == {A}
    assert who_has(world, "SELECT", "table:ab.t") == set()
    assert who_has(world, "SELECT", "table:axb.t") == {A}


def test_wildcards_and_their_escapes(rowed: Worlds) -> None:
    world = rowed(["a@%", "b@%"]).grant("a@%", "SELECT", "a_b.*").grant("b@%", "SELECT", r"a\_b.*")
    assert who_has(world, "SELECT", "database:ab") == set()
    assert who_has(world, "SELECT", "database:axb") == {A}
    assert who_has(world, "SELECT", "database:a_b") == {A, "'b'@'%'"}
    literal = rowed(["a@%"], matching=Matching(wildcards=False)).grant("a@%", "SELECT", "a_b.*")
    assert who_has(literal, "SELECT", "database:axb") == set()
    assert who_has(literal, "SELECT", "database:a_b") == {A}


def test_folded_names(rowed: Worlds) -> None:
    world = rowed(matching=Matching(fold=True)).grant("a@%", "SELECT", "A%.*")
    assert who_has(world, "SELECT", "database:ab") == {A}


def test_rows_match_sessions_and_not_accounts(rowed: Worlds) -> None:
    world = rowed(["a@%", "a@localhost"]).grant("a@%", "SELECT", "ab.*")
    assert who_has(world, "SELECT", "database:ab") == {A, A_HERE}
    world.grant("a@localhost", "INSERT", "a%.*")
    assert who_has(world, "SELECT", "database:ab") == {A}, "the host is compared before the database"


def test_rows_of_nobody_and_of_who_is_gone(rowed: Worlds) -> None:
    world = rowed(["a@localhost", "@localhost"]).grant("@localhost", "SELECT", "ab.*")
    assert who_has(world, "SELECT", "database:ab") == {A_HERE, "''@'localhost'"}
    world = rowed(["a@localhost"]).grant("a@%", "SELECT", "ab.*").grant("@%", "SELECT", "ab.t")
    assert A_HERE in who_has(world, "SELECT", "database:ab"), "its account is gone, its row is not"
    world = rowed(["a@localhost"]).grant("@%", "SELECT", "ab.t")
    assert A_HERE not in who_has(world, "SELECT", "table:ab.t"), "nobody's rows for tables are for nobody"


def test_the_order_of_equals_is_the_server_s(rowed: Worlds) -> None:
    world = rowed().grant("a@%", "SELECT", "a%.*").grant("a@%", "INSERT", "a%b.*")
    assert who_has(world, "SELECT", "database:ab") == {A}, "by bytes, where nothing else is known"
    snapshot = world.snapshot()
    effective = Matched(snapshot, snapshot.taken_at)
    one = snapshot.objects[find(snapshot, "table:ab.t")]
    assert undecided(effective, one, "SELECT") == 1 << 1
    assert explain(effective, 1, "SELECT", one).limits == (
        "two rows are equally specific and differ: which one counts depends on the order in which they were granted",
    )
    world.turn("a@%", "a%b", 1).turn("a@%", "a%", 2)
    assert who_has(world, "INSERT", "database:ab") == {A}
    known = world.snapshot()
    assert undecided(Matched(known, known.taken_at), one, "SELECT") == 0


# -- what roles change ------------------------------------------------------------------------------------------------


def test_with_a_role_another_way_is_taken(rowed: Worlds) -> None:
    world = rowed(["a@%", "a@localhost"], roles=["r"], matching=REPLACE)
    world.grant("a@%", "INSERT", "a%.*").grant("a@%", "SELECT", r"a\_b.*")
    world.member("a@%", "r")
    assert who_has(world, "INSERT", "database:a_b") == {A}, "'%' is before '\\' in bytes"
    assert who_has(world, "SELECT", "database:a_b") == {A_HERE}, "and without a role the name comes first"
    world.grant("r", "SELECT", "axb.*")
    assert A not in who_has(world, "INSERT", "database:axb"), "an exact name of a role hides one's own pattern"
    assert who_has(world, "SELECT", "database:axb") == {A, "'r'@'%'"}


def test_with_a_role_rows_of_others_do_not_count(rowed: Worlds) -> None:
    world = rowed(["a@%", "a@localhost"], roles=["r"], matching=REPLACE)
    world.grant("a@%", "SELECT", "ab.*").grant("a@%", "SELECT", "ab.t").member("a@localhost", "r")
    assert who_has(world, "SELECT", "database:ab") == {A}
    assert who_has(world, "SELECT", "table:ab.t") == {A}


def test_roles_of_roles_and_roles_that_sleep(rowed: Worlds) -> None:
    world = rowed(["a@%", "b@%"], roles=["r", "s"], matching=REPLACE)
    world.member("a@%", "r").member("r", "s").member("b@%", "r", active=False)
    world.grant("s", "SELECT", "ab.*").grant("s", "INSERT", "ab.t").grant("s", "EXECUTE", "ab.p()").grant(
        "s", "STOP", "*"
    )
    for action, what in (("SELECT", "table:axb.t"), ("DROP", "server")):
        assert who_has(world, action, what) == set()
    for action, what in (
        ("SELECT", "database:ab"), ("INSERT", "table:ab.t"), ("EXECUTE", "procedure:ab.p"), ("STOP", "server")
    ):  # fmt: skip
        assert who_has(world, action, what) == {A, "'r'@'%'", "'s'@'%'"}


def test_two_ways_to_one_role_and_a_circle_of_roles(rowed: Worlds) -> None:
    world = rowed(["a@%"], roles=["r", "s", "x"], matching=REPLACE).grant("x", "SELECT", "ab.*")
    world.member("a@%", "r").member("a@%", "s").member("r", "x").member("s", "x")
    assert who_has(world, "SELECT", "database:ab") == {A, "'r'@'%'", "'s'@'%'", "'x'@'%'"}
    world = rowed(["a@%"], roles=["r", "s"], matching=REPLACE).member("r", "s").member("s", "r")
    assert who_has(world.grant("r", "SELECT", "ab.*"), "SELECT", "database:ab") == {"'r'@'%'", "'s'@'%'"}


def test_nobody_has_roles_and_is_silenced_by_them(rowed: Worlds) -> None:
    world = rowed(["@%", "@localhost"], roles=["r"], matching=REPLACE)
    world.grant("r", "SELECT", "ab.*").grant("@%", "INSERT", "ab.*").member("@localhost", "r", implicit=True)
    assert who_has(world, "SELECT", "database:ab") == {"'r'@'%'"}
    assert who_has(world, "INSERT", "database:ab") == {"''@'%'"}


def test_where_roles_add(rowed: Worlds) -> None:
    world = rowed(["a@%"], roles=["r", "s"], matching=ADD)
    world.member("a@%", "r").member("r", "s")
    world.grant("a@%", "INSERT", "ab.*").grant("r", "SELECT", "a%.*").grant("s", "DROP", "ab.*")
    assert who_has(world, "INSERT", "database:ab") == {A}
    assert who_has(world, "DROP", "database:ab") == {A, "r", "s"}
    assert who_has(world, "SELECT", "database:ab") == set(), "of a role and its roles one row counts"
    assert who_has(world, "SELECT", "database:axb") == {A, "r"}


def test_the_public(rowed: Worlds) -> None:
    world = rowed(["a@%"], roles=["r"], public=True, matching=ADD)
    world.grant("PUBLIC", "SELECT", "ab.*").grant("PUBLIC", "INSERT", "axb.t").grant("PUBLIC", "STOP", "*")
    assert who_has(world, "SELECT", "table:ab.t") == {A, "r"}
    assert who_has(world, "INSERT", "table:axb.t") == {A, "r"}
    assert who_has(world, "STOP", "server") == {A, "r"}
    world.member("PUBLIC", "r").grant("r", "DROP", "ab.*").grant("r", "EXECUTE", "ab.p()")
    assert who_has(world, "DROP", "database:ab") == {A, "r"}
    assert who_has(world, "EXECUTE", "procedure:ab.p") == {A, "r"}


def test_a_role_without_a_row_finds_those_of_its_namesake(rowed: Worlds) -> None:
    """Seen in the source of MariaDB: a role is looked up like an account from no host."""
    world = rowed(["a@%", "r@%"], roles=["r"], matching=ADD)
    world.member("a@%", "r").grant("r@%", "SELECT", "ab.*")
    assert who_has(world, "SELECT", "database:ab") == {A, "'r'@'%'", "r"}


def test_a_session_with_a_role_has_the_rights_of_another_account(rowed: Worlds) -> None:
    """Seen on MariaDB 10.11 and 11.8: the first account that the role was granted to and that fits."""
    world = rowed(["a@%", "a@localhost"], roles=["r"], matching=ADD)
    world.grant("a@%", "STOP", "*").grant("a@localhost", "DROP", "*")
    assert who_has(world, "STOP", "server") == {A}
    world.member("a@%", "r").member("a@localhost", "r")
    assert who_has(world, "STOP", "server") == {A, A_HERE}
    assert who_has(world, "DROP", "server") == set()


# -- denials and what the server keeps for itself ---------------------------------------------------------------------


def test_a_denial_and_what_it_does_not_reach(rowed: Worlds) -> None:
    world = rowed(["a@%", "b@%"], roles=["r"], matching=msgspec.structs.replace(REPLACE, wildcards=False))
    world.grant("a@%", "SELECT INSERT", "*").grant("a@%", "SELECT", "ab.*", deny=True)
    assert who_has(world, "SELECT", "database:ab") == set()
    assert who_has(world, "INSERT", "table:ab.t") == {A}
    assert who_has(world, "SELECT", "table:axb.t") == {A}
    assert who_has(world, "SELECT", "server") == {A}
    world.grant("r", "SELECT", "*").member("a@%", "r")
    assert who_has(world, "SELECT", "table:ab.t") == {A, "'r'@'%'"}, "a role bypasses the denial of an account"


def test_with_a_role_a_denial_reaches_rows_of_an_unsure_name(rowed: Worlds) -> None:
    literal = msgspec.structs.replace(REPLACE, wildcards=False)
    for name, expected in (("ab", {A, "'r'@'%'"}), ("a_b", {"'r'@'%'"})):
        world = rowed(["a@%"], roles=["r"], matching=literal)
        world.grant("a@%", "SELECT", "*").grant("a@%", "SELECT", f"{name}.*", deny=True)
        world.member("a@%", "r").grant("r", "SELECT", f"{name}.*").grant("r", "INSERT", f"{name}.t")
        assert who_has(world, "SELECT", f"database:{name}") == expected
        assert who_has(world, "INSERT", f"table:{name}.t") == {A, "'r'@'%'"}


def test_with_a_role_a_row_of_a_sure_name_holds_against_a_denial(rowed: Worlds) -> None:
    literal = msgspec.structs.replace(REPLACE, wildcards=False)
    world = rowed(["a@%"], roles=["r"], matching=literal).member("a@%", "r").grant("r", "INSERT", "ab.*")
    world.grant("a@%", "SELECT DROP", "*").grant("a@%", "SELECT DROP", "ab.*", deny=True)
    world.grant("a@%", "SELECT", "ab.*")
    assert who_has(world, "SELECT", "database:ab") == {A}
    assert who_has(world, "INSERT", "database:ab") == {A, "'r'@'%'"}
    assert who_has(world, "DROP", "database:ab") == set(), "no row gives it back"


def test_what_the_server_answers_by_itself(rowed: Worlds) -> None:
    own = msgspec.structs.replace(REPLACE, reserved=(Reserved("ab", everybody=("SELECT",), nobody=("DROP",)),))
    world = rowed(matching=own).grant("a@%", "DROP", "*").grant("a@%", "DROP", "ab.*").grant("a@%", "DROP", "a%.*")
    assert who_has(world, "SELECT", "table:ab.t") == {A}
    assert who_has(world, "DROP", "table:ab.t") == set()
    assert who_has(world, "DROP", "database:axb") == {A}
    assert who_has(world, "DROP", "pattern:a%") == {A}


# -- tables, columns, routines, accounts ------------------------------------------------------------------------------


def test_one_row_for_a_table_and_its_columns(rowed: Worlds) -> None:
    world = rowed(["a@%", "a@localhost"]).grant("a@%", "SELECT", "ab.t").grant("a@localhost", "INSERT", "ab.t.c")
    assert who_has(world, "SELECT", "table:ab.t") == {A}
    assert who_has(world, "SELECT", "column:ab.t.c") == {A}
    assert who_has(world, "INSERT", "column:ab.t.c") == {A_HERE}
    snapshot = world.snapshot()
    effective = Matched(snapshot, snapshot.taken_at)
    for one in snapshot.objects:
        for action in snapshot.kind(one).actions:
            assert undecided(effective, one, action) == 0


def test_equal_hosts_of_rows_for_a_table(rowed: Worlds) -> None:
    world = rowed(["a@10.1.2.3"]).grant("a@10.1.2._", "SELECT", "ab.t").grant("a@10.1.2.%", "INSERT", "ab.t")
    snapshot = world.snapshot()
    effective = Matched(snapshot, snapshot.taken_at)
    one = snapshot.objects[find(snapshot, "table:ab.t")]
    assert undecided(effective, one, "SELECT") & 2 == undecided(effective, one, "INSERT") & 2 == 2
    assert undecided(effective, one, "DROP") == 0
    assert undecided(effective, snapshot.objects[0], "STOP") == 0


def test_routines_are_looked_up_by_the_host_of_the_account(rowed: Worlds) -> None:
    world = rowed(["a@%"]).grant("a@localhost", "EXECUTE", "ab.p()").grant("a@192.0.2.%", "EXECUTE", "axb.p()")
    assert A not in who_has(world, "EXECUTE", "procedure:ab.p")
    assert A in who_has(world, "EXECUTE", "procedure:axb.p"), "or by the address"
    assert who_has(rowed().grant("a@%", "EXECUTE", "ab.*"), "EXECUTE", "procedure:ab.p") == {A}


def test_proxies_and_patterns(rowed: Worlds) -> None:
    world = rowed(["a@%", "b@%"], roles=["r"], matching=REPLACE)
    world.grant("a@%", "PROXY", "account:'b'@'%'").grant("a@%", "SELECT", "a%.*").member("b@%", "r")
    world.grant("r", "SELECT", "%.*")
    assert who_has(world, "PROXY", "account:'b'@'%'") == {A}
    assert who_has(world, "SELECT", "pattern:a%") == {A}
    assert who_has(world, "SELECT", "pattern:%") == {"'b'@'%'", "'r'@'%'"}
    assert who_has(world, "INSERT", "pattern:%") == set()


def test_an_unknown_action(rowed: Worlds) -> None:
    snapshot = rowed().snapshot()
    with pytest.raises(KeyError):
        Matched(snapshot, snapshot.taken_at).nominal(snapshot.objects[0], "FLY")


# -- usable -----------------------------------------------------------------------------------------------------------


def test_who_gets_in(rowed: Worlds) -> None:
    world = rowed(["a@%", "a@localhost"], roles=["r"], locked=["a@%"]).grant("a@%", "SELECT", "ab.*")
    assert who_has(world, "SELECT", "table:ab.t", usable=True) == {A_HERE}
    world = rowed(["a@127.0.0.1", "a@localhost"], matching=ADD).grant("a@127.0.0.1", "SELECT", "ab.*")
    assert who_has(world, "SELECT", "table:ab.t", usable=True) == set(), "nobody gets the account"


def test_a_view_is_checked_as_its_definer(rowed: Worlds) -> None:
    world = rowed(["a@%", "d@%"]).view("ab.v", "ab.t", "d@%").grant("a@%", "SELECT DROP", "ab.v")
    assert who_has(world, "SELECT", "view:ab.v", usable=True) == set()
    assert who_has(world, "DROP", "view:ab.v", usable=True) == {A}
    world.grant("d@%", "SELECT", "ab.t")
    assert who_has(world, "SELECT", "view:ab.v", usable=True) == {A}
    gone = rowed(["a@%"]).view("ab.v", "ab.t", "gone@%").grant("a@%", "SELECT", "*")
    assert who_has(gone, "SELECT", "view:ab.v", usable=True) == set()
    gone.grant("a@%", "SELECT", "ab.v.c")
    assert who_has(gone, "SELECT", "column:ab.v.c", usable=True) == set()


def test_a_view_by_its_columns(rowed: Worlds) -> None:
    world = rowed(["a@%", "d@%"]).view("ab.v", "ab.t", "d@%", "c", "x").grant("a@%", "SELECT", "ab.v")
    world.grant("d@%", "SELECT", "ab.t.c")
    assert who_has(world, "SELECT", "view:ab.v", usable=True) == set()
    world.grant("d@%", "SELECT", "ab.t.x")
    assert who_has(world, "SELECT", "view:ab.v", usable=True) == {A}


def test_an_invoker_s_view_inside_of_a_definer_s(rowed: Worlds) -> None:
    world = rowed(["a@%", "d@%"]).view("ab.v", "ab.t").view("ab.w", "ab.v", "d@%")
    world.grant("a@%", "SELECT", "ab.w").grant("a@%", "SELECT", "ab.v").grant("d@%", "SELECT", "ab.v")
    assert who_has(world, "SELECT", "view:ab.v", usable=True) == set()
    assert who_has(world, "SELECT", "view:ab.w", usable=True) == set()
    world.grant("d@%", "SELECT", "ab.t")
    assert who_has(world, "SELECT", "view:ab.w", usable=True) == {A}, "the definer is asked, all the way down"
    assert who_has(world, "SELECT", "view:ab.v", usable=True) == {"'d'@'%'"} - who_has(world, "DROP", "view:ab.v")


def test_what_a_view_inside_is_not_asked(rowed: Worlds) -> None:
    """Seen on MariaDB: DELETE."""
    lax = msgspec.structs.replace(ADD, inner_unchecked=("INSERT",))
    world = rowed(["a@%", "d@%"], matching=lax).view("ab.v", "ab.t").view("ab.w", "ab.v", "d@%")
    world.grant("a@%", "INSERT SELECT", "ab.w").grant("d@%", "INSERT SELECT", "ab.t")
    assert who_has(world, "INSERT", "view:ab.w", usable=True) == {A}
    assert who_has(world, "SELECT", "view:ab.w", usable=True) == set()


def test_a_view_that_reads_itself(rowed: Worlds) -> None:
    world = rowed().view("ab.v", "ab.t").grant("a@%", "SELECT", "ab.*")
    snapshot = world.snapshot()
    view = find(snapshot, "view:ab.v")
    looped = msgspec.structs.replace(
        snapshot.objects[view], reads=(msgspec.structs.replace(snapshot.objects[view].reads[0], object=view),)
    )
    objects = tuple(looped if number == view else one for number, one in enumerate(snapshot.objects))
    effective = evaluator(msgspec.structs.replace(snapshot, objects=objects), snapshot.taken_at)
    assert effective.usable(looped, "SELECT") == 1 << 1


def test_a_routine_needs_a_definer_who_may_run_it(rowed: Worlds) -> None:
    world = rowed(["a@%", "d@%"]).run_by("ab.p", "d@%").grant("a@%", "EXECUTE", "ab.p()")
    assert who_has(world, "EXECUTE", "procedure:ab.p", usable=True) == set()
    world.grant("d@%", "EXECUTE", "ab.*")
    assert who_has(world, "EXECUTE", "procedure:ab.p", usable=True) == {A, "'d'@'%'"}
    gone = rowed(["a@%"]).run_by("ab.p", "gone@%").grant("a@%", "EXECUTE", "ab.p()")
    assert who_has(gone, "EXECUTE", "procedure:ab.p", usable=True) == set()
    own = rowed(["a@%"], roles=["r"], matching=REPLACE).run_by("ab.p", "a@%").grant("r", "EXECUTE", "ab.p()")
    own.member("a@%", "r", defining=False)
    assert who_has(own, "EXECUTE", "procedure:ab.p", usable=True) == {A}, "who calls his own goes on as he is"


def test_what_the_public_has_does_not_let_into_a_database(rowed: Worlds) -> None:
    world = rowed(["a@%", "b@%", "c@%"], roles=["r"], public=True, matching=ADD).grant("PUBLIC", "EXECUTE", "ab.p()")
    world.grant("b@%", "SELECT", "ab.t").member("c@%", "r").grant("r", "INSERT", "ab.t.c")
    assert who_has(world, "EXECUTE", "procedure:ab.p") == {A, "'b'@'%'", "'c'@'%'", "r"}
    assert who_has(world, "EXECUTE", "procedure:ab.p", usable=True) == {"'b'@'%'", "'c'@'%'"}
    assert who_has(world.grant("a@%", "DROP", "ab.*"), "EXECUTE", "procedure:ab.p", usable=True) >= {A}
    role = rowed(["a@%"], roles=["r"], matching=ADD).run_by("ab.p", "r").grant("a@%", "EXECUTE", "ab.p()")
    assert who_has(role, "EXECUTE", "procedure:ab.p", usable=True) == set()
    assert who_has(role.grant("r", "EXECUTE", "ab.p()"), "EXECUTE", "procedure:ab.p", usable=True) == {A}


def test_a_definer_is_looked_up_like_a_client(rowed: Worlds) -> None:
    world = rowed(["a@%", "d@10.%"]).view("ab.v", "ab.t", "d@10.1.2.3").grant("a@%", "SELECT", "ab.v")
    world.grant("d@10.%", "SELECT", "*")
    assert who_has(world, "SELECT", "view:ab.v", usable=True) == {A, "'d'@'10.%'"}
    nobody = rowed(["a@%"], matching=ADD).view("ab.v", "ab.t", "gone").grant("a@%", "SELECT", "*")
    assert who_has(nobody, "SELECT", "view:ab.v", usable=True) == set()


def test_reports_of_all_sorts(rowed: Worlds) -> None:
    world = rowed(["a@%", "b@%"], roles=["r"], matching=REPLACE).member("a@%", "r").grant("r", "SELECT", "ab.*")
    snapshot = world.snapshot()
    effective = evaluator(snapshot, snapshot.taken_at)
    table = snapshot.objects[find(snapshot, "table:ab.t")]
    assert [one.principal for one in holders(effective, table, "SELECT").holders] == [A, "'r'@'%'"]
    report = access_of(effective, 1)
    assert report.inherits == ("'r'@'%'",)
    assert {row.object for row in report.rows} == {"database:ab", "table:ab.t"}
    assert (A, "table:ab.t", "SELECT", True, True) in set(rows(effective, [1]))
    assert [one.roles for one in summary(effective).people] == [("'r'@'%'",), ()]
    assert {one.ours for one in sample(effective, 40, 1)} == {True, False}
