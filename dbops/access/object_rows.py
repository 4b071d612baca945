"""Rows of rights on tables, columns, routines and accounts: which of them counts for whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import msgspec

from dbops.access.ground import Ground, Matches
from dbops.access.hosts import Origin, host_rank
from dbops.access.rows import give
from dbops.access.sessions import Session
from dbops.model.access import Grant, Principal, SecuredObject

__all__ = ["ObjectRows"]


class ObjectRows:
    """Without roles one row alone counts for a session, the one of the most specific host. With roles it is all rows of
    the account and its roles (where they replace), or those of the roles besides (where they add).

    :param replacing: the sessions whose roles replace what is matched.
    """

    def __init__(self, ground: Ground, replacing: int) -> None:
        self._snapshot, self._matching, self._sessions = ground.snapshot, ground.matching, ground.sessions.all
        self._actives, self._matches = ground.actives, ground.matches
        self._replacing = replacing
        self._allowed: dict[int, list[int]] = {}

    def allowed(self, number: int) -> list[int]:
        """For each action of an object, who has it by a row for the object itself."""
        found = self._allowed.get(number)
        if found is None:
            found = self._allowed[number] = self._by_rows(self._snapshot.objects[number])
        return found

    def _by_rows(self, one: SecuredObject) -> list[int]:
        found = [0] * len(self._snapshot.kind(one).actions)
        rows = {grant.grantee: grant for grant in self._snapshot.grants(one)}
        matches, done = self.matches_for(one), self._replacing
        for principal in sorted(self.owners(one), key=self.turn):
            targets = matches.of(principal, anonymous=False) & ~done
            done |= targets
            if principal in rows:
                give(found, rows[principal].actions, targets)
        self._by_role(found, rows.values())
        return found

    def _by_role(self, found: list[int], grants: Iterable[Grant]) -> None:
        for grant in grants:
            holders = self._actives.holders(grant.grantee)
            if self._matching.roles == "replace":
                give(found, grant.actions, holders & self._replacing)
            elif not self._snapshot.principals[grant.grantee].host:
                give(found, grant.actions, holders)

    def turn(self, principal: int) -> tuple[int, int, str]:
        """Where the rows of a principal are in the order in which rows are tried."""
        host = self._snapshot.principals[principal].host
        rank = host_rank(host, self._matching.order)
        return -rank[0], -rank[1], host

    def owners(self, one: SecuredObject) -> set[int]:
        """Whose rows there are: a row for a table is also there when it has rights on columns alone, and a column
        counts as far as the row for its table does."""
        table = one if one.kind != "column" else self._snapshot.objects[one.parent]
        found = {grant.grantee for grant in self._snapshot.grants(table)}
        for column in self._columns.get((table.kind, table.path), ()):
            found |= {grant.grantee for grant in self._snapshot.grants(column)}
        return found

    @cached_property
    def _columns(self) -> dict[tuple[str, tuple[str, ...]], list[SecuredObject]]:
        found: dict[tuple[str, tuple[str, ...]], list[SecuredObject]] = {}
        for one in self._snapshot.objects:
            if one.kind == "column":
                table = self._snapshot.objects[one.parent]
                found.setdefault((table.kind, table.path), []).append(one)
        return found

    def matches_for(self, one: SecuredObject) -> Matches:
        """How rows for an object find their sessions; routines are looked up by the host of the account."""
        return self._by_account if self._snapshot.kind(one).family == "routine" else self._matches

    @cached_property
    def _by_account(self) -> Matches:
        people = self._snapshot.principals
        return Matches(self._snapshot, [_as_account(one, people) for one in self._sessions])


def _as_account(one: Session, people: Sequence[Principal]) -> Session:
    if one.account < 0:
        return one
    return msgspec.structs.replace(one, origin=Origin(people[one.account].host, one.origin.address))
