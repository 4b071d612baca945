"""Accounts that go: what is refused, what is handed over, in which order, and what stays."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import UsageError
from dbops.model.access import AccessSnapshot, Membership, Principal, SecuredObject
from dbops.model.finding import Missing
from dbops.model.server import Server
from dbops.plan import Call, Hold, Risk, Sql, Step
from dbops.spi import Reader
from dbops_mysql import mariadb, mysql
from dbops_mysql.access.definers import handing_over, view_statement
from dbops_mysql.access.dialect import mysql as dialect
from dbops_mysql.access.dialect import plain_rules
from dbops_mysql.access.sql import MySQLStatements
from dbops_mysql.probe import SKIPPED_GRANTS
from dbops_mysql.quoting import identifier

SERVER = Server(
    engine="mysql", version=(9, 7, 4), version_text="9.7.4", role="primary", incarnation="1", user="dbops@%"
)
MARIADB = msgspec.structs.replace(SERVER, engine="mariadb", version=(10, 11, 19), version_text="10.11.19")
ALICE, HERE, HEIR, CREW = "'alice'@'%'", "'alice'@'localhost'", "'heir'@'%'", "'crew'@'%'"
CREATED = "CREATE ALGORITHM=MERGE DEFINER=`alice`@`%` SQL SECURITY DEFINER VIEW `v` AS select 1 AS `x`"


class Paper:
    """A reader that knows one view's statement and one event's state, and where it was asked."""

    def __init__(self, created: str = CREATED, state: object = "ENABLED") -> None:
        self.created, self.state = created, state
        self.asked: list[object] = []

    @contextmanager
    def database(self, name: str) -> Generator[Paper]:
        self.asked.append(name)
        yield self

    def tuples(self, sql: str) -> list[tuple[object, ...]]:
        self.asked.append(sql)
        return [("v", self.created, "utf8mb4", "utf8mb4_bin")]

    def scalar(self, _sql: str, parameters: Mapping[str, object]) -> object:
        self.asked.append(parameters)
        return self.state


def reader(paper: Paper | None = None) -> Reader:
    return cast(Reader, paper or Paper())


def person(user: str, host: str, kind: str = "user") -> Principal:
    words = ("LOGIN",) if kind == "user" else ("LOCKED",)
    return msgspec.convert(
        {"name": f"'{user}'@'{host}'", "kind": kind, "user": user, "host": host, "attributes": words}, Principal
    )


def world(*objects: SecuredObject, members: tuple[Membership, ...] = ()) -> AccessSnapshot:
    """1 and 2 are Alice's, 3 is the heir's, 4 is a role, 5 the server's own, 6 the login in use."""
    own = msgspec.structs.replace(person("mysql.sys", "localhost"), system=True)
    people = (person("alice", "%"), person("alice", "localhost"), person("heir", "%"), person("crew", "%", "role"))
    return AccessSnapshot(
        engine="mysql",
        version=(9, 7),
        incarnation="1",
        taken_at=datetime(2026, 1, 1, tzinfo=UTC),
        rules=plain_rules(dialect, (9, 7)),
        principals=(Principal(name="PUBLIC", kind="public"), *people, own, person("dbops", "%")),
        memberships=members,
        objects=objects,
        acls=((),),
    )


def defined(kind: str, name: str, by: int = 1, *flags: str) -> SecuredObject:
    return SecuredObject(kind, ("shop", name), -1, 0, runs_as=by, flags=flags)


def steps(
    snapshot: AccessSnapshot, *names: str, heir: str = "", server: Server = SERVER, paper: Paper | None = None
) -> list[Step]:
    backend = mysql if server.engine == "mysql" else mariadb
    [hold] = backend.access.offboard(reader(paper), snapshot, names, heir, server)
    assert isinstance(hold, Hold)
    return list(hold.steps)


def told(found: list[Step]) -> list[str]:
    return [one.text if isinstance(one, Sql) else one.summary for one in found]


# -- the order --------------------------------------------------------------------------------------------------------


def test_lock_out_end_sessions_drop() -> None:
    found = steps(world(), ALICE, HERE)
    assert told(found) == [
        "ALTER USER `alice`@`%` ACCOUNT LOCK",
        "ALTER USER `alice`@`localhost` ACCOUNT LOCK",
        f"end the sessions of {ALICE}",
        f"end the sessions of {HERE}",
        "DROP USER IF EXISTS `alice`@`%`",
        "DROP USER IF EXISTS `alice`@`localhost`",
    ]
    assert [one.risk for one in found] == [Risk.WRITE] * 2 + [Risk.DESTRUCTIVE] * 4
    assert len({one.id for one in found}) == len(found)
    assert all(one.idempotent for one in found), "a run that was killed is finished by the next one"
    ending = found[2]
    assert isinstance(ending, Call)
    assert ending.arguments == {"user": "alice", "host": "%"}


def test_a_role_has_no_sessions_to_end() -> None:
    assert told(steps(world(), CREW)) == ["DROP ROLE IF EXISTS `crew`@`%`"]


def test_views_and_events_are_handed_over_before_their_definer_goes() -> None:
    paper = Paper(state="DISABLED")
    found = steps(world(defined("view", "v"), defined("event", "e")), ALICE, heir=HEIR, paper=paper)
    assert told(found)[2:] == [
        "ALTER ALGORITHM=MERGE DEFINER=`heir`@`%` SQL SECURITY DEFINER VIEW `shop`.`v` AS select 1 AS `x`",
        "ALTER DEFINER=`heir`@`%` EVENT `shop`.`e` DISABLE",
        "DROP USER IF EXISTS `alice`@`%`",
    ]
    assert paper.asked == ["shop", "SHOW CREATE VIEW `shop`.`v`", {"database": "shop", "event": "e"}]
    view = found[2]
    assert isinstance(view, Sql)
    assert view.database == "shop"
    assert [need.name for need in view.needs] == ["SET_ANY_DEFINER, before 8.2 SET_USER_ID"]


def test_whose_routine_or_trigger_stays_is_locked_and_kept() -> None:
    left = world(defined("function", "f", 1), defined("trigger", "g", 2), defined("procedure", "p", 1))
    found = steps(left, ALICE, HERE, heir=HEIR)
    assert told(found)[-2:] == ["ALTER USER `alice`@`%` ACCOUNT LOCK", "ALTER USER `alice`@`localhost` ACCOUNT LOCK"]
    assert found[-2].summary.startswith(
        f"keep {ALICE} locked and do not drop it: function:shop.f, procedure:shop.p run(s) with its rights"
    )
    assert "trigger:shop.g" in found[-1].summary
    assert not [one for one in told(found) if one.startswith("DROP")]


def test_only_whose_things_stay_is_kept() -> None:
    found = steps(world(defined("function", "f", 1)), ALICE, HERE, heir=HEIR)
    assert told(found)[-2:] == ["ALTER USER `alice`@`%` ACCOUNT LOCK", "DROP USER IF EXISTS `alice`@`localhost`"]


def test_what_runs_as_whoever_asks_holds_nobody_back() -> None:
    assert len(steps(world(defined("view", "v", 1, "invoker"), defined("view", "w", 3)), ALICE)) == 3


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "heir", "message"),
    [
        ("'mysql.sys'@'localhost'", "", "'mysql.sys'@'localhost' is the server's own and cannot go"),
        ("PUBLIC", "", "PUBLIC is the server's own and cannot go"),
        ("'dbops'@'%'", "", "'dbops'@'%' is the login in use"),
        (ALICE, ALICE, f"{ALICE} cannot take over from itself"),
    ],
)
def test_who_cannot_go(name: str, heir: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        steps(world(), name, heir=heir)
    assert raised.value.message == message


def test_without_an_heir_nothing_that_others_use_is_broken() -> None:
    left = world(*(defined("view", f"v{number}") for number in range(4)), defined("event", "e", 2, "invoker"))
    with pytest.raises(UsageError) as raised:
        steps(left, ALICE, HERE)
    assert raised.value.message == (
        f"4 object(s) run with the rights of {ALICE}, {HERE}, and would fail: view:shop.v0, view:shop.v1, view:shop.v2"
    )
    assert "--reassign-to ACCOUNT" in raised.value.hint


@pytest.mark.parametrize("where", ["databases_missing", "kinds_missing"])
def test_what_cannot_be_seen_may_run_with_their_rights(where: str) -> None:
    blind = msgspec.structs.replace(world(), **{where: {"event": Missing("no_permission", "needs EVENT")}})
    with pytest.raises(UsageError, match="what runs with their rights cannot be seen: event: needs EVENT"):
        steps(blind, ALICE)


def test_a_server_that_asks_nobody_who_he_is() -> None:
    open_to_all = msgspec.structs.replace(SERVER, user=f"{SKIPPED_GRANTS}@skip-grants host")
    with pytest.raises(UsageError, match="skip-grant-tables"):
        steps(world(), ALICE, server=open_to_all)


# -- administrators of roles ------------------------------------------------------------------------------------------


def test_a_role_of_mariadb_keeps_somebody_who_may_pass_it_on() -> None:
    alone = world(members=(Membership(member=1, group=4, admin=True), Membership(member=3, group=4)))
    with pytest.raises(UsageError, match=r"nobody but 'alice'@'%' may pass on the role 'crew'@'%'"):
        steps(alone, ALICE, server=MARIADB)
    found = told(steps(alone, ALICE, heir=HEIR, server=MARIADB))
    assert "GRANT `crew`@`%` TO `heir`@`%` WITH ADMIN OPTION" in found
    assert not [one for one in told(steps(alone, ALICE)) if one.startswith("GRANT")], "MySQL's administrators may"


@pytest.mark.parametrize("going", [(ALICE,), (ALICE, CREW)])
def test_where_another_may_or_the_role_goes_too_nothing_is_passed_on(going: tuple[str, ...]) -> None:
    rows = (Membership(member=1, group=4, admin=True), Membership(member=3, group=4, admin=True))
    found = world(members=rows if len(going) == 1 else rows[:1])
    assert not [one for one in told(steps(found, *going, server=MARIADB)) if one.startswith("GRANT")]


# -- definers ---------------------------------------------------------------------------------------------------------


def test_a_view_keeps_everything_but_its_definer() -> None:
    created = (
        "CREATE ALGORITHM=TEMPTABLE DEFINER=`a``b`@`10.%` SQL SECURITY INVOKER VIEW `shop`.`v``1` (`a b`,`c`) AS"
        " select `shop`.`t`.`i` AS `a b`,'\nDEFINER=`x`@`y`' AS `c` from `shop`.`t` WITH LOCAL CHECK OPTION"
    )
    assert view_statement(created, "`shop`.`v``1`", "`heir`@`%`") == (
        "ALTER ALGORITHM=TEMPTABLE DEFINER=`heir`@`%` SQL SECURITY INVOKER VIEW `shop`.`v``1` (`a b`,`c`) AS"
        " select `shop`.`t`.`i` AS `a b`,'\nDEFINER=`x`@`y`' AS `c` from `shop`.`t` WITH LOCAL CHECK OPTION"
    )


@pytest.mark.parametrize(
    "created",
    ["CREATE VIEW `v` AS select 1", CREATED.replace("select 1", r"select 'a\\b'"), CREATED.replace("MERGE", "")],
)
def test_a_view_that_would_change_is_left(created: str) -> None:
    assert view_statement(created, "`shop`.`v`", "`heir`@`%`") == ""


names = st.text(st.sampled_from("`'\"@.() %_aéVIEW"), min_size=1, max_size=8)


@given(names, names, names)
def test_any_name_of_a_view_and_its_definer(user: str, host: str, name: str) -> None:
    definer = f"{identifier(user)}@{identifier(host)}"
    created = f"CREATE ALGORITHM=MERGE DEFINER={definer} SQL SECURITY DEFINER VIEW {identifier(name)} AS select 1"
    assert view_statement(created, "`new`", "`heir`@`%`") == (
        "ALTER ALGORITHM=MERGE DEFINER=`heir`@`%` SQL SECURITY DEFINER VIEW `new` AS select 1"
    )


@pytest.mark.parametrize("state", ["SLAVESIDE_DISABLED", "REPLICA_SIDE_DISABLED", None])
def test_an_event_whose_state_no_word_keeps_is_left(state: object) -> None:
    event = defined("event", "e")
    found = handing_over(reader(Paper(state=state)), [event], HEIR, MySQLStatements(SERVER))
    assert (found.statements, found.left) == ((), (event,))
