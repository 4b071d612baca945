"""Effective access where rows are matched: a plain second evaluator says the same, and laws hold."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dbops.access.delta import compare, deltas
from dbops.access.explain import explain
from dbops.access.hosts import Origin, fits_host, host_rank
from dbops.access.matched import Matched
from dbops.access.patterns import row_text, specificity, wild_match
from dbops.access.session_list import SessionList
from dbops.access.sessions import Session
from dbops.access.simulate import simulate
from dbops.access.undecided import undecided
from dbops.model.access import AccessSnapshot, Grant, Matching, SecuredObject
from dbops.model.change import AddGrant, ObjectName, RemoveGrant

# Any: the class is in conftest, which cannot be imported.
Rowed = Any
Worlds = Callable[..., Any]
REPLACE = Matching(restricts=True, addresses_first=True)
ADD = Matching(order="fewest", roles="add", definer_roles=False, inner_unchecked=("DELETE",), public_enters=False)


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
