"""Who has which role active, for sessions: sets of sessions as the bits of one integer."""

from __future__ import annotations

from collections.abc import Sequence

from dbops.access.sessions import Session
from dbops.model.access import PUBLIC, AccessSnapshot, Principal

__all__ = ["Actives", "is_role"]


def is_role(one: Principal) -> bool:
    """Nobody logs in as it. An account that was granted to others is a role to them and an account to itself."""
    return one.kind == "role" and not one.login


class Actives:
    """Session *n* is bit *n*. A session begins with the roles of its account that it inherits from; what a role was
    granted it always has; what the public has, everybody has."""

    def __init__(self, snapshot: AccessSnapshot, sessions: Sequence[Session]) -> None:
        self.everybody = (1 << len(sessions)) - 1
        self._of: dict[int, int] = {}
        for number, session in enumerate(sessions):
            if session.account >= 0:
                self._of[session.account] = self._of.get(session.account, 0) | 1 << number
        self._of[PUBLIC] = self.everybody
        definers = sum(1 << number for number, one in enumerate(sessions) if one.definer)
        matching = snapshot.rules.matching
        defining = matching is not None and matching.definer_roles
        self.begun: dict[int, int] = self._apart(snapshot)
        self._direct: dict[int, int] = {}
        self._members: dict[int, set[int]] = {}
        for row in snapshot.memberships:
            member = snapshot.principals[row.member]
            if not row.implicit:
                self._members.setdefault(row.group, set()).add(row.member)
            if row.inherit:
                has = self.of(row.member)
                if row.member != PUBLIC and not is_role(member):
                    has &= self.everybody if defining and row.defining else ~definers
                if row.member != PUBLIC and member.host:
                    self.begun[row.group] = self.begun.get(row.group, 0) | has
                if member.user or not member.host:  # nobody's account has roles active, and nothing by them
                    self._direct[row.group] = self._direct.get(row.group, 0) | has
        self._holders: dict[int, int] = {}
        self._leads: dict[int, set[int]] = {}

    def _apart(self, snapshot: AccessSnapshot) -> dict[int, int]:
        """By role, the sessions for which it is looked up; to begin with the public, and roles for themselves."""
        found = {number: self.of(number) for number, one in enumerate(snapshot.principals) if is_role(one)}
        if "exists" in snapshot.principals[PUBLIC].settings:
            found[PUBLIC] = self.everybody
        return found

    def of(self, principal: int) -> int:
        """The sessions of an account; of the public, everybody's."""
        return self._of.get(principal, 0)

    def any_role(self) -> int:
        """Sessions in which a role is active, and roles themselves."""
        found = 0
        for role, sessions in self.begun.items():
            found |= sessions if role != PUBLIC else 0
        return found

    def holders(self, principal: int) -> int:
        """Everybody who has what a principal has: its own sessions, and those with a role that leads to it."""
        found = self._holders.get(principal)
        if found is None:
            found = self._holders[principal] = self._walk(principal)
        return found

    def _walk(self, principal: int) -> int:
        found, seen, waiting = self.of(principal), {principal}, [principal]
        while waiting:
            at = waiting.pop()
            found |= self._direct.get(at, 0)
            for member in self._members.get(at, ()):
                if member not in seen:
                    seen.add(member)
                    waiting.append(member)
        return found

    def granted(self, principal: int) -> int:
        """The same without what the public has."""
        found = self.of(principal) if principal != PUBLIC else 0
        for role, sessions in self.begun.items():
            if role != PUBLIC and principal in self.leads(role):
                found |= sessions
        return found

    def leads(self, role: int) -> set[int]:
        """A role and all that it was granted, over any number of steps."""
        known = self._leads.get(role)
        if known is None:
            known = self._leads[role] = {role}
            while more := {group for group, members in self._members.items() if members & known} - known:
                known |= more
        return known
