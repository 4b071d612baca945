"""Effective access where rows of rights are matched by pattern: the same questions, answered the way such servers do.

Everything is answered for sessions. Session *n* of the first ones is the canonical session of principal *n* (see
:mod:`dbops.access.sessions`); behind them are sessions that run with the rights of a definer. Sets of sessions are
integers, bit *n* for session *n*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property

import msgspec

from dbops.access.actives import Actives
from dbops.access.closure import Closure
from dbops.access.effective import READ, Effective
from dbops.access.hosts import Origin, host_rank, origin_of
from dbops.access.rows import DatabaseRows, Matches, give, unsure
from dbops.access.sessions import Accounts, Session
from dbops.model.access import PUBLIC, AccessSnapshot, Grant, Kind, Matching, Principal, SecuredObject

__all__ = ["Matched", "Sessions"]

Sets = list[int]


class Sessions:
    """The sessions of a snapshot. They depend on the accounts alone: snapshots with other rights can share them."""

    def __init__(self, snapshot: AccessSnapshot, matching: Matching) -> None:
        self.accounts = Accounts(snapshot.principals, matching)
        self.all = [self._of(number, one, matching) for number, one in enumerate(snapshot.principals)]
        self.definers: dict[int, int] = {}
        for number in dict.fromkeys(one.runs_as for one in snapshot.objects if one.runs_as >= 0):
            self.definers[number] = len(self.all)
            self.all.append(self._definer(number, snapshot.principals[number]))

    def _of(self, number: int, one: Principal, matching: Matching) -> Session:
        if one.account >= 0:
            return Session(one.account, one.user, origin_of(one.host, resolves=matching.resolves))
        if one.kind == "user" or (one.kind == "role" and one.login):
            return self.accounts.canonical(number, one)
        return Session(number, one.user, Origin(one.host, one.host))

    def _definer(self, number: int, one: Principal) -> Session:
        """Whoever is named is looked up like a client from a host of that text; it need not be his own account."""
        if not one.host:
            return Session(number if one.kind == "role" else -1, "", Origin(), definer=True)
        origin = Origin(one.host, one.host)
        account = self.accounts.taken_for(one.user, origin, anonymous=not one.user)
        return Session(account, one.user, origin, definer=True)


class Matched(Effective):
    """Answers for everybody at once.

    :param sessions: those of another snapshot with the same principals and definers.
    """

    def __init__(self, snapshot: AccessSnapshot, now: datetime, sessions: Sessions | None = None) -> None:
        self.matching = snapshot.rules.matching or Matching()
        self.sessions = sessions or Sessions(snapshot, self.matching)
        self.actives = Actives(snapshot, self.sessions.all)
        self.matches = Matches(snapshot, self.sessions.all)
        self.rows = DatabaseRows(snapshot, self.matching, self.matches, self.actives)
        self._server: Sets | None = None
        self._database: dict[str, Sets] = {}
        self._table: dict[int, Sets] = {}
        self._denials = {
            one.path[0]: grants
            for one in snapshot.objects
            if one.kind == "database" and (grants := [row for row in snapshot.acls[one.acl] if row.denied])
        }
        super().__init__(snapshot, now)

    # -- principals -------------------------------------------------------------------------------------------------

    def inherits(self, database: str = "") -> Closure:  # noqa: ARG002
        """Who has whose privileges at once."""
        return _Holders(self.snapshot, self.actives, self.everybody)

    def _able(self) -> int:
        """Those who get in: the account is no role, not locked, and not always passed over for another one."""
        found = super()._able()
        for number, session in enumerate(self.sessions.all[: len(self.snapshot.principals)]):
            if session.shadow >= 0:
                found &= ~(1 << number)
        return found

    # -- nominal ----------------------------------------------------------------------------------------------------

    def nominal(self, one: SecuredObject, action: str) -> int:
        """Everybody who holds ``action`` on an object, in the session that stands for him.

        :raises KeyError: the snapshot's rules know no such action for this kind.
        """
        return self.held(one, action) & self.everybody

    def held(self, one: SecuredObject, action: str) -> int:
        """The same of all sessions, those of definers too."""
        kind = self.snapshot.kind(one)
        if action not in kind.actions:
            raise KeyError(action)
        number = kind.actions.index(action)
        if one.kind == "server":
            return self._on_server()[number]
        if one.kind == "account":
            return self._by_match(self.snapshot.grants(one), 1)[0]
        everybody, nobody = self._reserved(one, action)
        return 0 if nobody else self._on(one, kind, action, number) | everybody

    def _on(self, one: SecuredObject, kind: Kind, action: str, number: int) -> int:
        if one.kind == "database":
            return self._on_database(one.path[0])[number]
        if one.kind == "pattern":
            return self._granted(one, number) | self._everywhere_but(action, "")
        above = self._above(one)
        found = self._inherited(above, action) if above is not None else 0
        if kind.family == "table":
            return found | self._on_table(one)[number]
        if one.kind == "column":
            return found | self._on_column(one, number)
        return found | self._on_routine(one)[number]

    def _above(self, one: SecuredObject) -> SecuredObject | None:
        return self.snapshot.objects[one.parent] if one.parent >= 0 else None

    def _inherited(self, above: SecuredObject, action: str) -> int:
        return self.held(above, action) if action in self.snapshot.kind(above).actions else 0

    def _reserved(self, one: SecuredObject, action: str) -> tuple[int, bool]:
        """What the server answers by itself: who has it always, and whether nobody has."""
        if one.kind != "pattern":
            for rule in self.matching.reserved:
                if rule.database == one.database:
                    return (self.actives.everybody if action in rule.everybody else 0), action in rule.nobody
        return 0, False

    # -- the whole server -------------------------------------------------------------------------------------------

    def _on_server(self) -> Sets:
        if self._server is None:
            self._server = [0] * len(self.snapshot.rules.kinds["server"].actions)
            for grant in self._server_grants:
                give(self._server, grant.actions, self.actives.holders(grant.grantee))
        return self._server

    @cached_property
    def _server_grants(self) -> tuple[Grant, ...]:
        found = (self.snapshot.grants(one) for one in self.snapshot.objects if one.kind == "server")
        return next(found, ())

    def _everywhere_but(self, action: str, database: str) -> int:
        """Who has an action on the whole server, and so in a database for which it is not denied to whom it was
        granted: what is granted to a role is not touched by what is denied to the account."""
        kinds = self.snapshot.rules.kinds
        if action not in kinds["server"].actions:
            return 0
        number = kinds["server"].actions.index(action)
        denied = self._denied_to(action, database)
        if not denied:
            return self._on_server()[number]
        found = 0
        for grant in self._server_grants:
            if grant.actions >> number & 1 and grant.grantee not in denied:
                found |= self.actives.holders(grant.grantee)
        return found

    def _denied_to(self, action: str, database: str) -> set[int]:
        number = self.snapshot.rules.kinds["database"].actions.index(action)
        return {row.grantee for row in self._denials.get(database, ()) if row.denied >> number & 1}

    # -- databases --------------------------------------------------------------------------------------------------

    def _on_database(self, name: str) -> Sets:
        found = self._database.get(name)
        if found is None:
            actions = self.snapshot.rules.kinds["database"].actions
            found = self.rows.allowed(name, len(actions))
            for number, action in enumerate(actions):
                filtered = self.filtered(name, action)
                found[number] = found[number] & ~filtered | self._everywhere_but(action, name)
            self._database[name] = found
        return found

    def filtered(self, name: str, action: str) -> int:
        """For whom a denial also takes away what was granted on the database and on tables in it.

        So it is once a role is active, unless an action is had on the whole server by somebody to whom it is not
        denied, or on this database by a row of a name without letters that could be wildcards.
        """
        denied = self._denied_to(action, name) if self._denials else set[int]()
        if not denied or not self.rows.replacing:
            return 0
        found = 0
        for principal in denied:
            found |= self.actives.holders(principal)
        found &= self.rows.replacing & ~self._everywhere_but(action, name)
        bit = 1 << self.snapshot.rules.kinds["database"].actions.index(action)
        for row in self.rows.fitting(self.rows.fold(name)) if found and not unsure(name) else ():
            if row.actions & bit and row.text == name:
                found &= ~self.actives.holders(row.principal)
        return found

    def _granted(self, one: SecuredObject, number: int) -> int:
        """Who has an action on a pattern itself, whatever it means."""
        found = 0
        for grant in self.snapshot.grants(one):
            if grant.actions >> number & 1:
                matched = self.matches.of(grant.grantee, anonymous=True) & ~self.rows.replacing
                found |= matched | self.actives.holders(grant.grantee)
        return found

    # -- tables, columns, routines ----------------------------------------------------------------------------------

    def _on_table(self, one: SecuredObject) -> Sets:
        """By rows for the table: without roles one row alone counts, the one of the most specific host."""
        place = self._numbers[one.kind, one.path]
        found = self._table.get(place)
        if found is None:
            kind = self.snapshot.kind(one)
            found = self._table[place] = self._by_match(self.snapshot.grants(one), len(kind.actions), place)
            for number, action in enumerate(kind.actions):
                filtered = self.filtered(one.database, action) if found[number] else 0
                found[number] &= ~filtered
        return found

    def _on_column(self, one: SecuredObject, number: int) -> int:
        """The columns of that same row."""
        return self._by_match(self.snapshot.grants(one), len(self.snapshot.kind(one).actions), one.parent)[number]

    def _on_routine(self, one: SecuredObject) -> Sets:
        found = [0] * len(self.snapshot.kind(one).actions)
        grants = self.snapshot.grants(one)
        done = self.rows.replacing
        for grant in sorted(grants, key=self._turn):
            targets = self._as_accounts.of(grant.grantee, anonymous=False) & ~done
            give(found, grant.actions, targets)
            done |= targets
        self._by_role(found, grants)
        return found

    @cached_property
    def _as_accounts(self) -> Matches:
        """Sessions as the server looks up their routines: by the host of the account and the client's address."""
        people = self.snapshot.principals
        return Matches(self.snapshot, [_as_account(one, people) for one in self.sessions.all])

    def _by_match(self, grants: Iterable[Grant], width: int, table: int = -1) -> Sets:
        """:param table: a row for a table is also there when it has rights on columns alone."""
        found = [0] * width
        rows = {grant.grantee: grant for grant in grants}
        others = self._rows_of_table(table) if table >= 0 else rows.keys()
        done = self.rows.replacing
        for principal in sorted(others, key=self._host_turn):
            targets = self.matches.of(principal, anonymous=False) & ~done
            done |= targets
            if principal in rows:
                give(found, rows[principal].actions, targets)
        self._by_role(found, rows.values())
        return found

    def _by_role(self, found: Sets, grants: Iterable[Grant]) -> None:
        """What roles have is put together; on engines where it replaces what is matched, with what the account has."""
        for grant in grants:
            holders = self.actives.holders(grant.grantee)
            if self.matching.roles == "replace":
                holders &= self.rows.replacing
            elif self.snapshot.principals[grant.grantee].host:
                continue
            give(found, grant.actions, holders)

    def _turn(self, grant: Grant) -> tuple[int, int, str]:
        return self._host_turn(grant.grantee)

    def _host_turn(self, principal: int) -> tuple[int, int, str]:
        host = self.snapshot.principals[principal].host
        rank = host_rank(host, self.matching.order)
        return -rank[0], -rank[1], host

    def _rows_of_table(self, table: int) -> set[int]:
        one = self.snapshot.objects[table]
        found = {grant.grantee for grant in self.snapshot.grants(one)}
        for column in self._columns_of.get(table, ()):
            found |= {grant.grantee for grant in self.snapshot.grants(column)}
        return found

    @cached_property
    def _columns_of(self) -> dict[int, list[SecuredObject]]:
        found: dict[int, list[SecuredObject]] = {}
        for one in self.snapshot.objects:
            if one.kind == "column":
                found.setdefault(one.parent, []).append(one)
        return found

    @cached_property
    def _numbers(self) -> dict[tuple[str, tuple[str, ...]], int]:
        return {(one.kind, one.path): number for number, one in enumerate(self.snapshot.objects)}

    # -- usable -----------------------------------------------------------------------------------------------------

    def behind(self, one: SecuredObject, action: str) -> int:
        """As whom an action on a view or routine is allowed on what it stands on; everybody for anything else."""
        if self.snapshot.kind(one).family == "routine":
            return self._defined(one, action)
        if one.kind == "column" and one.parent >= 0:
            view = self.snapshot.objects[one.parent]
            return self._checked(view, action, one.path[-1:], self.actives.everybody, ()) & self.everybody
        return self._checked(one, action, (), self.actives.everybody, ()) & self.everybody

    def _defined(self, one: SecuredObject, action: str) -> int:
        """A routine with the rights of its definer needs that he exists, and may run it."""
        if one.runs_as < 0 or "invoker" in one.flags or action != "EXECUTE":
            return self.everybody
        session = self.sessions.definers[one.runs_as]
        held = self.held(one, action)
        if self.sessions.all[session].account >= 0 and held >> session & 1:
            return self.everybody
        # Who calls a routine of his own goes on as he is.
        return self.actives.of(one.runs_as) & held & self.everybody

    def _checked(
        self, one: SecuredObject, action: str, columns: tuple[str, ...], asking: int, seen: tuple[int, ...]
    ) -> int:
        """Those of ``asking`` who get through a view to what it reads. A view inside of one with a definer is checked
        as him, whatever it says itself, unless it has a definer of its own."""
        if one.kind != "view" or action not in THROUGH:
            return asking
        if one.runs_as < 0 or "invoker" in one.flags:
            return self._reading(one, action, columns, asking, seen)
        session = self.sessions.definers[one.runs_as]
        if self.sessions.all[session].account < 0:
            return 0
        return asking if self._reading(one, action, columns, 1 << session, seen) else 0

    def _reading(
        self, one: SecuredObject, action: str, columns: tuple[str, ...], asking: int, seen: tuple[int, ...]
    ) -> int:
        for reads in one.reads:
            if reads.object not in seen:
                named = reads.columns if action == READ or not columns else columns
                below = self.snapshot.objects[reads.object]
                asking &= self._sees(reads.object, action, named)
                asking = self._checked(below, action, named, asking, (*seen, reads.object))
        return asking

    def _sees(self, table: int, action: str, columns: tuple[str, ...]) -> int:
        one = self.snapshot.objects[table]
        found = self.held(one, action) if action in self.snapshot.kind(one).actions else 0
        if not columns or action == "DELETE":
            return found
        by_columns = self.actives.everybody
        for column in columns:
            row = self._columns.get((table, column))
            by_columns &= found if row is None else self.held(row, action)
        return found | by_columns

    def row_limited(self, one: SecuredObject) -> int:  # noqa: ARG002
        """There is no row-level security."""
        return 0


THROUGH = ("SELECT", "INSERT", "UPDATE", "DELETE")


def _as_account(one: Session, people: Sequence[Principal]) -> Session:
    if one.account < 0:
        return one
    return msgspec.structs.replace(one, origin=Origin(people[one.account].host, one.origin.address))


class _Holders(Closure):
    """Who has whose privileges at once, as sets of principals."""

    def __init__(self, snapshot: AccessSnapshot, actives: Actives, everybody: int) -> None:
        super().__init__(snapshot, lambda one: one.inherit)
        self._actives = actives
        self._everybody = everybody

    def holders(self, group: int) -> int:
        """``group`` itself and everybody who has it active."""
        return self._actives.holders(group) & self._everybody if group != PUBLIC else self._everybody
