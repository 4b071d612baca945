"""All sessions that questions are answered for: one for each principal, and those of definers behind them."""

from __future__ import annotations

from dbops.access.hosts import Origin, origin_of
from dbops.access.sessions import Accounts, Session
from dbops.model.access import PUBLIC, AccessSnapshot, Matching, Principal

__all__ = ["SessionList"]


class SessionList:
    """Session *n* is the canonical session of principal *n*, or what comes nearest to one for a role or for somebody
    who is gone. They depend on accounts and definers alone: snapshots with other rights can share them.
    """

    def __init__(self, snapshot: AccessSnapshot, matching: Matching) -> None:
        self.accounts = Accounts(snapshot.principals, matching)
        self.all = [self._of(number, one, matching) for number, one in enumerate(snapshot.principals)]
        self._definers: dict[int, int] = {}
        for number in dict.fromkeys(one.runs_as for one in snapshot.objects if one.runs_as >= 0):
            self._definers[number] = len(self.all)
            self.all.append(self._definer(number, snapshot.principals[number]))

    def _of(self, number: int, one: Principal, matching: Matching) -> Session:
        if number == PUBLIC:
            return Session(PUBLIC, one.name, Origin())
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

    def definer(self, principal: int) -> int:
        """The number of the session of somebody who defined something."""
        return self._definers[principal]
