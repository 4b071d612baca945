"""Effective access where rows of rights are matched by pattern: the same questions, answered the way such servers do.

Everything is answered for sessions (see :mod:`dbops.access.session_list`); sets of sessions are integers, bit *n* for
session *n*, of which the first are the principals.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from dbops.access.actives import Actives
from dbops.access.behind import Behind
from dbops.access.closure import Closure
from dbops.access.effective import Effective
from dbops.access.ground import ground
from dbops.access.object_rows import ObjectRows
from dbops.access.rows import DatabaseRows, unsure
from dbops.access.session_list import SessionList
from dbops.access.whole_server import WholeServer
from dbops.model.access import PUBLIC, AccessSnapshot, Kind, SecuredObject

__all__ = ["Matched"]


class Matched(Effective):
    """Answers for everybody at once.

    :param sessions: those of another snapshot with the same principals and definers.
    """

    def __init__(self, snapshot: AccessSnapshot, now: datetime, sessions: SessionList | None = None) -> None:
        base = ground(snapshot, sessions)
        self.matching, self.sessions, self.actives, self.matches = (
            base.matching,
            base.sessions,
            base.actives,
            base.matches,
        )
        self.rows = DatabaseRows(base)
        self.server = WholeServer(base)
        self.objects = ObjectRows(base, self.rows.replacing)
        self._behind_it = Behind(base, self.held)
        self._database: dict[str, list[int]] = {}
        super().__init__(snapshot, now)

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

    def nominal(self, one: SecuredObject, action: str) -> int:
        """Everybody who holds ``action`` on an object, in the session that stands for him.

        :raises KeyError: the snapshot's rules know no such action for this kind.
        """
        return self.held(one, action) & self.everybody

    def behind(self, one: SecuredObject, action: str) -> int:
        """As whom an action on a view or routine is allowed on what it stands on; everybody for anything else."""
        return self._behind_it.of(one, action) & self.everybody

    def row_limited(self, one: SecuredObject) -> int:  # noqa: ARG002
        """There is no row-level security."""
        return 0

    # -- sets of all sessions -----------------------------------------------------------------------------------------

    def held(self, one: SecuredObject, action: str) -> int:
        """Who holds an action, among all sessions and the public.

        :raises KeyError: there is no such action.
        """
        kind = self.snapshot.kind(one)
        if action not in kind.actions:
            raise KeyError(action)
        if one.kind == "server":
            return self.server.allowed[kind.actions.index(action)]
        everybody, nobody = self._reserved(one, action)
        return 0 if nobody else self._on(one, kind, action) | everybody

    def _on(self, one: SecuredObject, kind: Kind, action: str) -> int:
        number = kind.actions.index(action)
        if one.kind == "database":
            return self._on_database(one.path[0])[number]
        if one.kind == "pattern":
            return self._on_pattern(one, number) | self.server.inside(action, "")
        return self.objects.allowed(self.number(one))[number] | self._inherited(one, action)

    def _inherited(self, one: SecuredObject, action: str) -> int:
        above = self.snapshot.objects[one.parent] if one.parent >= 0 else None
        if above is None or above.kind == "server" or action not in self.snapshot.kind(above).actions:
            return 0
        return self.held(above, action)

    def _reserved(self, one: SecuredObject, action: str) -> tuple[int, bool]:
        """What the server answers by itself: who has it always, and whether nobody has."""
        for rule in self.matching.reserved if one.kind not in ("pattern", "account") else ():
            if rule.database == one.database:
                return (self.actives.everybody if action in rule.everybody else 0), action in rule.nobody
        return 0, False

    def _on_database(self, name: str) -> list[int]:
        found = self._database.get(name)
        if found is None:
            actions = self.snapshot.rules.kinds["database"].actions
            found = self.rows.allowed(name, len(actions))
            for number, action in enumerate(actions):
                by_row = found[number] & ~self.filtered(name, action) if found[number] else 0
                found[number] = by_row | self.server.inside(action, name)
            self._database[name] = found
        return found

    def filtered(self, name: str, action: str) -> int:
        """For whom a denial also takes away what was granted on the database itself.

        So it is once a role is active (``Security_context::filter_access``), unless an action is had on the whole
        server by somebody to whom it is not denied, or on this database by a row of a name without letters that could
        be wildcards.
        """
        denied = self.server.denied_to(action, name)
        if not denied or not self.rows.replacing:
            return 0
        found = 0
        for principal in denied:
            found |= self.actives.holders(principal)
        found &= self.rows.replacing & ~self.server.inside(action, name)
        bit = 1 << self.snapshot.rules.kinds["database"].actions.index(action)
        for row in self.rows.fitting(self.rows.fold(name)) if found and not unsure(name) else ():
            if row.actions & bit and row.text == name:
                found &= ~self.actives.holders(row.principal)
        return found

    def _on_pattern(self, one: SecuredObject, number: int) -> int:
        """Who has an action on a pattern itself, whatever it means."""
        found = 0
        for grant in self.snapshot.grants(one):
            if grant.actions >> number & 1:
                matched = self.matches.of(grant.grantee, anonymous=True) & ~self.rows.replacing
                found |= matched | self.actives.holders(grant.grantee)
        return found

    def number(self, one: SecuredObject) -> int:
        """The position of an object."""
        return self._numbers[one.kind, one.path]

    @cached_property
    def _numbers(self) -> dict[tuple[str, tuple[str, ...]], int]:
        return {(one.kind, one.path): number for number, one in enumerate(self.snapshot.objects)}


class _Holders(Closure):
    """Who has whose privileges at once, as sets of principals."""

    def __init__(self, snapshot: AccessSnapshot, actives: Actives, everybody: int) -> None:
        super().__init__(snapshot, lambda one: one.inherit)
        self._actives = actives
        self._everybody = everybody

    def holders(self, group: int) -> int:
        """``group`` itself and everybody who has it active."""
        return self._actives.holders(group) & self._everybody if group != PUBLIC else 1 << PUBLIC
