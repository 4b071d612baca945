"""Rights on the whole server, and where they end: for whom an action is denied in one database."""

from __future__ import annotations

from functools import cached_property

from dbops.access.closure import each
from dbops.access.ground import Ground
from dbops.access.rows import give
from dbops.model.access import Grant, SecuredObject

__all__ = ["WholeServer"]


class WholeServer:
    """Sets of sessions."""

    def __init__(self, ground: Ground) -> None:
        snapshot = ground.snapshot
        self._snapshot, self._matching, self._sessions = snapshot, ground.matching, ground.sessions.all
        self._actives, self._matches = ground.actives, ground.matches
        server = next((one for one in snapshot.objects if one.kind == "server"), None)
        self.actions = snapshot.rules.kinds["server"].actions if server is not None else ()
        self.grants: tuple[Grant, ...] = snapshot.grants(server) if server is not None else ()
        self._denials = {one.path[0]: found for one in snapshot.objects if (found := self._denying(one))}

    def _denying(self, one: SecuredObject) -> list[Grant]:
        return [row for row in self._snapshot.grants(one) if row.denied] if one.kind == "database" else []

    @cached_property
    def allowed(self) -> list[int]:
        """For each action, who has it."""
        found = [0] * len(self.actions)
        for grant in self.grants:
            give(found, grant.actions, self.whole(grant.grantee))
        return found

    def whole(self, principal: int) -> int:
        """The sessions that have what a principal holds on the whole server."""
        return self._borrowed.get(principal, self._actives.holders(principal))

    def inside(self, action: str, database: str) -> int:
        """Who has an action in a database because he has it on the whole server.

        What is granted to a role is not touched by what is denied to the account.
        """
        if action not in self.actions:
            return 0
        number, denied = self.actions.index(action), self.denied_to(action, database)
        if not denied:
            return self.allowed[number]
        found = 0
        for grant in self.grants:
            if grant.actions >> number & 1 and grant.grantee not in denied:
                found |= self.whole(grant.grantee)
        return found

    def denied_to(self, action: str, database: str) -> set[int]:
        """To whom an action is denied in a database, as far as it comes from the whole server."""
        rows = self._denials.get(database)
        if not rows or action not in self._snapshot.rules.kinds["database"].actions:
            return set()
        number = self._snapshot.rules.kinds["database"].actions.index(action)
        return {row.grantee for row in rows if row.denied >> number & 1}

    @cached_property
    def _borrowed(self) -> dict[int, int]:
        """For accounts of a user with several, who has their rights on the whole server.

        Where roles add, a session that begins with a role has there the rights of the first account to which that role
        was granted and which fits the session; that need not be its own account (``check_user_can_set_role``).
        """
        found: dict[int, int] = {}
        for role, sessions in self._actives.begun.items() if self._matching.roles == "add" else ():
            granted = self._granted_to(role)
            for number in each(sessions):
                own, user = self._sessions[number].account, self._sessions[number].user
                first = next((one for one in granted.get(user, ()) if self._fits(one, number)), own)
                if first != own:
                    found[own] = found.get(own, self._actives.holders(own)) & ~(1 << number)
                    found[first] = found.get(first, self._actives.holders(first)) | 1 << number
        return found

    def _granted_to(self, role: int) -> dict[str, list[int]]:
        """The accounts that a role was granted to, by user."""
        found: dict[str, list[int]] = {}
        for row in self._snapshot.memberships:
            if row.group == role and not row.implicit:
                found.setdefault(self._snapshot.principals[row.member].user, []).append(row.member)
        return found

    def _fits(self, account: int, session: int) -> bool:
        return bool(self._matches.of(account, anonymous=False) >> session & 1)
