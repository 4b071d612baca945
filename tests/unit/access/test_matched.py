"""Effective access where rows are matched: by example, against a plain second evaluator, and against its laws."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.access.audit import sample
from dbops.access.delta import compare, deltas
from dbops.access.evaluator import evaluator
from dbops.access.explain import explain
from dbops.access.hosts import Origin, fits_host, host_rank
from dbops.access.matched import Matched
from dbops.access.matrix import access_of, holders, rows
from dbops.access.naming import find
from dbops.access.patterns import row_text, specificity, wild_match
from dbops.access.session_list import SessionList
from dbops.access.sessions import Session
from dbops.access.simulate import simulate
from dbops.access.summary import summary
from dbops.access.undecided import undecided
from dbops.model.access import AccessSnapshot, Grant, Matching, Reserved, SecuredObject
from dbops.model.change import AddGrant, ObjectName, RemoveGrant

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


# -- a plain second evaluator -----------------------------------------------------------------------------------------


def plainly(snapshot: AccessSnapshot, session: Session, action: str, one: SecuredObject) -> bool:
    """One answer, by loops over everything."""
    return _Plain(snapshot, session, action).has(one)


class _Plain:
    def __init__(self, snapshot: AccessSnapshot, session: Session, action: str) -> None:
        self.snapshot, self.session, self.action = snapshot, session, action
        self.matching = snapshot.rules.matching or Matching()
        self.people = snapshot.principals
        account = self.people[session.account]
        begun = {row.group for row in snapshot.memberships if row.member == session.account and row.inherit}
        self.begun = begun if account.user or not account.host else set()
        self.replaced = self.matching.roles == "replace" and (
            bool(begun) or (account.kind == "role" and not account.login)
        )

    def closed(self, groups: set[int]) -> set[int]:
        for _ in self.people:
            groups = groups | {
                row.group for row in self.snapshot.memberships if row.member in groups and not row.implicit
            }
        return groups

    def held(self, kind: str, path: tuple[str, ...] = ()) -> list[Grant]:
        return [
            grant
            for one in self.snapshot.objects
            if (one.kind, one.path) == (kind, path)
            for grant in self.snapshot.grants(one)
        ]

    def gives(self, kind: str, actions: int) -> bool:
        known = self.snapshot.rules.kinds[kind].actions
        return self.action in known and bool(actions >> known.index(self.action) & 1)

    def has(self, one: SecuredObject) -> bool:
        if self.gives_everywhere(one):
            return True
        if one.path and self.gives("database", self.on_database(one.path[0])):
            return True
        if one.kind in ("server", "database"):
            return False
        tables = [("table", one.path[:2]), ("view", one.path[:2])] if one.kind in ("table", "column", "view") else []
        levels = [*tables, *([(one.kind, one.path)] if one.kind not in ("table", "view") else [])]
        return any(self.by_row(kind, path) for kind, path in levels)

    def gives_everywhere(self, one: SecuredObject) -> bool:
        denied = {
            grant.grantee
            for grant in self.held("database", one.path[:1])
            if one.path and self.gives("database", grant.denied)
        }
        own = {self.session.account, 0} | self.closed(self.begun | {0})
        return any(
            self.gives("server", grant.actions) and grant.grantee in own - denied for grant in self.held("server")
        )

    def rows(self, name: str) -> list[tuple[int, str, int]]:
        found: list[tuple[int, str, int]] = []
        for one in self.snapshot.objects:
            if one.kind in ("database", "pattern"):
                text = (
                    one.path[0] if one.kind == "pattern" else row_text(one.path[0], wildcards=self.matching.wildcards)
                )
                if wild_match(text, name) if self.matching.wildcards else text == name:
                    found += [(row.grantee, text, row.actions) for row in self.snapshot.grants(one) if row.actions]
        return found

    def on_database(self, name: str) -> int:
        rows = self.rows(name)
        if self.replaced:
            own = {self.session.account} | self.closed(self.begun)
            mine = [row for row in rows if row[0] in own]
            unsure = sorted({text for _, text, _ in mine if "_" in text or "%" in text}, key=str.encode)
            exact = [name] if any(text == name and text not in unsure for _, text, _ in mine) else []
            first = next(iter([*exact, *unsure]), None)
            return joined(actions for _, text, actions in mine if text == first)
        found = self.first([row for row in rows if self.matched(row[0], nobody=True)])
        if self.matching.roles == "add":
            for role in self.begun | {0}:
                leads = self.closed({role})
                found |= self.first([row for row in rows if row[0] in leads], together=True)
        return found

    def first(self, rows: list[tuple[int, str, int]], *, together: bool = False) -> int:
        """The actions of the most specific one."""
        if not rows:
            return 0
        best = max(rows, key=self.rank)
        equal = [row for row in rows if self.rank(row) == self.rank(best)]
        text = min(row[1].encode() for row in equal)
        same = [row for row in equal if row[1].encode() == text]
        return joined(row[2] for row in same) if together else same[0][2]

    def rank(self, row: tuple[int, str, int]) -> tuple[object, ...]:
        one = self.people[row[0]]
        host = host_rank(one.host, self.matching.order, self.matching.addresses_first)
        return host, specificity(row[1], self.matching.order, 64), bool(one.user)

    def matched(self, principal: int, *, nobody: bool) -> bool:
        one = self.people[principal]
        user = one.user == self.session.user or (nobody and not one.user)
        return bool(one.host) and user and fits_host(one.host, self.session.origin)

    def by_row(self, kind: str, path: tuple[str, ...]) -> bool:
        grants = {row.grantee: row.actions for row in self.held(kind, path)}
        own = self.closed(self.begun | {0}) | ({self.session.account} if self.replaced else set())
        own = {one for one in own if self.replaced or not self.people[one].host}
        if any(self.gives(kind, actions) for who, actions in grants.items() if who in own):
            return True
        if self.replaced:
            return False
        table = path[:2] if kind == "column" else path
        owners = {row.grantee for other in ("table", "view", kind) for row in self.held(other, table)}
        for one in self.snapshot.objects:
            if one.kind == "column" and one.path[:2] == table:
                owners |= {row.grantee for row in self.snapshot.grants(one)}
        fitting = [who for who in owners if self.matched_for(kind, who)]
        fitting.sort(key=lambda who: (host_rank(self.people[who].host, self.matching.order), self.people[who].host))
        best = max(fitting, key=lambda who: host_rank(self.people[who].host, self.matching.order), default=None)
        return best is not None and self.gives(kind, grants.get(best, 0))

    def matched_for(self, kind: str, who: int) -> bool:
        if kind != "procedure":
            return self.matched(who, nobody=False)
        one, origin = self.people[who], Origin(self.people[self.session.account].host, self.session.origin.address)
        return bool(one.host) and one.user == self.session.user and fits_host(one.host, origin)


def joined(actions: object) -> int:
    found = 0
    for one in actions:  # type: ignore[attr-defined]
        found |= one
    return found


ACCOUNTS = ("a@%", "a@localhost", "a@10.%", "b@%", "@localhost")
WHERE = ("*", "ab.*", "a%.*", "a_b.*", r"a\_b.*", "%b.*", "ab.t", "axb.t", "ab.t.c", "ab.t.d", "ab.p()", "a__.*")


@st.composite
def worlds(draw: st.DrawFn, rowed: Worlds) -> AccessSnapshot:
    matching = draw(
        st.sampled_from(
            [REPLACE, ADD, msgspec.structs.replace(REPLACE, wildcards=False), Matching(definer_roles=False)]
        )
    )
    accounts = draw(st.lists(st.sampled_from(ACCOUNTS), min_size=1, max_size=4, unique=True))
    roles = ["r", "s"]
    world = rowed(accounts, roles=roles, public=True, matching=matching)
    if draw(st.booleans()):
        world.member("s", "r")
    for who in accounts:
        for role in draw(st.lists(st.sampled_from(roles), max_size=2, unique=True)):
            world.member(who, role, active=draw(st.booleans()))
    people = [*accounts, *roles, *(["PUBLIC"] if matching.roles == "add" else []), "a@%.0.%"]
    for who, on, actions in draw(
        st.lists(
            st.tuples(
                st.sampled_from(people),
                st.sampled_from(WHERE),
                st.sets(st.sampled_from(["SELECT", "INSERT"]), min_size=1),
            ),
            max_size=12,
        )
    ):
        world.grant(who, "EXECUTE" if on.endswith("()") else " ".join(sorted(actions)), on)
    if matching.restricts and draw(st.booleans()):
        world.grant(accounts[0], "SELECT", "ab.*", deny=True)
    found: AccessSnapshot = world.snapshot()
    return found


def questions(snapshot: AccessSnapshot) -> list[tuple[SecuredObject, str]]:
    kinds = ("server", "database", "table", "column", "procedure")
    return [(one, action) for one in snapshot.objects if one.kind in kinds for action in snapshot.kind(one).actions]


@given(st.data())
def test_a_second_evaluator_says_the_same(rowed: Worlds, data: st.DataObject) -> None:
    snapshot = data.draw(worlds(rowed))
    effective = Matched(snapshot, snapshot.taken_at)
    for one, action in questions(snapshot):
        held = effective.nominal(one, action)
        skipped = undecided(effective, one, action) | effective.filtered(one.database, action)
        for number, session in enumerate(effective.sessions.all):
            borrows = (
                effective.matching.roles == "add"
                and len({p.host for p in snapshot.principals if p.user == session.user}) > 1
            )
            person = snapshot.principals[number]
            if number and person.kind == "user" and person.user and not skipped >> number & 1 and not borrows:
                assert bool(held >> number & 1) is plainly(snapshot, session, action, one), (person.name, action, one)


@given(st.data(), st.sampled_from(["SELECT", "INSERT"]))
def test_a_grant_taken_back_leaves_nothing(rowed: Worlds, data: st.DataObject, action: str) -> None:
    snapshot = data.draw(worlds(rowed))
    who = next(one for one in snapshot.principals if one.kind == "user")
    one = next(
        (each for each in snapshot.objects if each.kind in ("database", "pattern") and not snapshot.grants(each)), None
    )
    if one is None:
        return
    name = ObjectName(one.kind, one.path)
    given_ = simulate(snapshot, [AddGrant(principal=who.name, object=name, actions=(action,))])
    back = simulate(given_, [RemoveGrant(principal=who.name, object=name, actions=(action,))])
    assert deltas(snapshot, back, snapshot.taken_at) == ()


@given(st.data())
def test_nothing_is_the_difference_of_equals(rowed: Worlds, data: st.DataObject) -> None:
    snapshot = data.draw(worlds(rowed))
    again = msgspec.json.decode(msgspec.json.encode(snapshot), type=AccessSnapshot)
    assert compare(snapshot, again, snapshot.taken_at).equal


@given(st.data())
def test_a_yes_has_a_way_and_a_no_has_a_reason(rowed: Worlds, data: st.DataObject) -> None:
    snapshot = data.draw(worlds(rowed))
    effective = Matched(snapshot, snapshot.taken_at)
    one, action = data.draw(st.sampled_from(questions(snapshot)))
    for number in range(len(snapshot.principals)):
        found = explain(effective, number, action, one)
        assert found.allowed is bool(effective.held(one, action) >> number & 1)
        assert bool(found.paths) is found.allowed
        assert found.usable or found.blocked_by or number == 0
        for path in found.paths:
            assert path[0].from_ == snapshot.principals[number].name
            assert all(first.to == second.from_ for first, second in pairwise(path))


@given(st.data())
def test_the_least_revoke_is_enough_and_nothing_of_it_is_to_spare(rowed: Worlds, data: st.DataObject) -> None:
    snapshot = data.draw(worlds(rowed))
    effective = Matched(snapshot, snapshot.taken_at)
    one, action = data.draw(st.sampled_from(questions(snapshot)))
    place = snapshot.objects.index(one)

    def held(changes: object, who: int) -> bool:
        after = simulate(snapshot, changes)  # type: ignore[arg-type]
        return bool(Matched(after, snapshot.taken_at).held(after.objects[place], action) >> who & 1)

    for number, person in enumerate(snapshot.principals):
        if person.kind != "unknown" and effective.held(one, action) >> number & 1:
            changes = explain(effective, number, action, one).changes
            assert changes
            assert not held(changes, number)
            for left_out in changes if len(changes) > 1 else ():
                assert held([change for change in changes if change is not left_out], number)


@given(st.data())
def test_sessions_may_be_shared(rowed: Worlds, data: st.DataObject) -> None:
    snapshot = data.draw(worlds(rowed))
    shared = SessionList(snapshot, snapshot.rules.matching or Matching())
    one = snapshot.objects[1]
    assert Matched(snapshot, snapshot.taken_at, shared).held(one, "SELECT") == Matched(
        snapshot, snapshot.taken_at
    ).held(one, "SELECT")


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
