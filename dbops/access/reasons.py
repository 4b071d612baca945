"""Which rights count for one session where rows are matched by pattern, and which of those that fit do not."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dbops.access.matched import Matched
from dbops.access.rows import Row, by_bytes
from dbops.model.access import PUBLIC, Grant, SecuredObject

__all__ = ["Reasons", "Source", "Unheard"]


class Source(msgspec.Struct, frozen=True):
    """A right that counts: ``principal`` was granted ``action`` on an object."""

    principal: int
    object: int
    action: str


class Unheard(msgspec.Struct, frozen=True, kw_only=True):
    """A right that would be for the session and does not count.

    :param kind: ``shadowed``, ``partial_revoke``, ``role_active``. :param instead: the row that counts in its place.
    """

    kind: str
    source: Source
    instead: Row | None = None


class Reasons:
    """About one session and one action."""

    def __init__(self, effective: Matched, who: int, action: str) -> None:
        self.effective = effective
        self.snapshot = effective.snapshot
        self.who, self.action = who, action
        self.session = effective.sessions.all[who]
        self.replaced = bool(effective.rows.replacing >> who & 1)

    def _is(self, sessions: int) -> bool:
        return bool(sessions >> self.who & 1)

    def sources(self, one: SecuredObject) -> Iterator[Source]:
        """Every right that gives the action on an object; each is enough."""
        for above in self._levels(one):
            if above.kind == "server":
                yield from self._on_server(one)
            elif above.kind == "database":
                yield from (self._source(row) for row in self._counting(above) if not self._taken(above))
            elif above.kind == "pattern":
                yield from self._granted(above, self._heard(above))
            else:
                yield from self._granted(above, self._by_rows(above))

    def _levels(self, one: SecuredObject) -> Iterator[SecuredObject]:
        at: SecuredObject | None = one
        while at is not None:
            if self.action in self.snapshot.kind(at).actions:
                yield at
            at = self.snapshot.objects[at.parent] if at.parent >= 0 else None

    def _has(self, grant: Grant, one: SecuredObject) -> bool:
        return bool(grant.actions >> self.snapshot.kind(one).actions.index(self.action) & 1)

    def _number(self, one: SecuredObject) -> int:
        return self.effective.number(one)

    # -- the whole server -------------------------------------------------------------------------------------------

    def _everywhere(self) -> Iterator[Source]:
        for number, one in enumerate(self.snapshot.objects):
            if one.kind == "server" and self.action in self.snapshot.kind(one).actions:
                for grant in self.snapshot.grants(one):
                    if self._has(grant, one) and self._is(self.effective.server.whole(grant.grantee)):
                        yield Source(grant.grantee, number, self.action)

    def _on_server(self, one: SecuredObject) -> Iterator[Source]:
        denied = self._denied(one)
        yield from (source for source in self._everywhere() if source.principal not in denied)

    def _denied(self, one: SecuredObject) -> set[int]:
        named = one.kind not in ("server", "pattern", "account")
        return self.effective.server.denied_to(self.action, one.database) if named else set()

    # -- databases --------------------------------------------------------------------------------------------------

    def _source(self, row: Row) -> Source:
        return Source(row.principal, row.object, self.action)

    def _gives(self, row: Row) -> bool:
        return bool(row.actions >> self.snapshot.rules.kinds["database"].actions.index(self.action) & 1)

    def _taken(self, database: SecuredObject) -> bool:
        return self._is(self.effective.filtered(database.database, self.action))

    def _counting(self, database: SecuredObject) -> Iterator[Row]:
        yield from (row for row in self.chosen(database.database) if self._gives(row))

    def chosen(self, name: str) -> list[Row]:
        """The rows for a database that count for the session, whatever they give."""
        rows = self.effective.rows.fitting(self.effective.rows.fold(name))
        if self.replaced:
            return self._first_text(name, rows)
        found = [row for row in rows if self._is(self.effective.matches.of(row.principal, anonymous=True))][:1]
        if self.effective.matching.roles == "add":
            for role, sessions in self.effective.actives.begun.items():
                found += self.effective.rows.rows_of_role(role, rows) if self._is(sessions) else []
        return found

    def _first_text(self, name: str, rows: list[Row]) -> list[Row]:
        for text in by_bytes(self.effective.rows.fold(name), rows):
            held = [row for row in rows if row.text == text and self._is(self.effective.actives.holders(row.principal))]
            if held:
                return held
        return []

    def _heard(self, pattern: SecuredObject) -> set[int]:
        return {
            grant.grantee
            for grant in self.snapshot.grants(pattern)
            if self._is(self.effective.actives.holders(grant.grantee))
            or (not self.replaced and self._is(self.effective.matches.of(grant.grantee, anonymous=True)))
        }

    # -- tables, columns, routines, accounts ------------------------------------------------------------------------

    def _granted(self, one: SecuredObject, principals: set[int]) -> Iterator[Source]:
        for grant in self.snapshot.grants(one):
            if grant.grantee in principals and self._has(grant, one):
                yield Source(grant.grantee, self._number(one), self.action)

    def _by_rows(self, one: SecuredObject) -> set[int]:
        """The principals whose rows for this object count."""
        found = {row for row in self.effective.objects.owners(one) if self._by_role(row)}
        if not self.replaced:
            matches = self.effective.objects.matches_for(one)
            turns = sorted(self.effective.objects.owners(one), key=self.effective.objects.turn)
            found |= set([row for row in turns if self._is(matches.of(row, anonymous=False))][:1])
        return found

    def _by_role(self, principal: int) -> bool:
        added = self.replaced or not self.snapshot.principals[principal].host
        return added and self._is(self.effective.actives.holders(principal))

    # -- what does not count ----------------------------------------------------------------------------------------

    def unheard(self, one: SecuredObject) -> Iterator[Unheard]:
        """Rights with the action that fit the session, and why they give it nothing."""
        denied = self._denied(one)
        for source in self._everywhere() if one.kind != "server" else ():
            if source.principal in denied:
                yield Unheard(kind="partial_revoke", source=source)
        for above in self._levels(one):
            if above.kind == "database":
                yield from self._unheard_rows(above)
            elif above.kind not in ("server", "pattern", "account"):
                yield from self._unheard_grants(above)

    def _unheard_rows(self, database: SecuredObject) -> Iterator[Unheard]:
        chosen = self.chosen(database.database)
        for row in self.effective.rows.fitting(self.effective.rows.fold(database.database)):
            if not self._gives(row):
                continue
            if row in chosen:
                if self._taken(database):
                    yield Unheard(kind="partial_revoke", source=self._source(row))
            elif self._is(self.effective.actives.holders(row.principal)):
                yield Unheard(kind="shadowed", source=self._source(row), instead=self._instead(row, chosen))
            elif self._is(self.effective.matches.of(row.principal, anonymous=True)):
                kind = "role_active" if self.replaced else "shadowed"
                yield Unheard(kind=kind, source=self._source(row), instead=self._instead(row, chosen))

    def _instead(self, row: Row, chosen: list[Row]) -> Row | None:
        mine = [one for one in chosen if bool(self.snapshot.principals[one.principal].host) == self._hosted(row)]
        return next(iter(mine or chosen), None)

    def _hosted(self, row: Row) -> bool:
        return bool(self.snapshot.principals[row.principal].host)

    def _unheard_grants(self, one: SecuredObject) -> Iterator[Unheard]:
        counting = self._by_rows(one)
        matches = self.effective.objects.matches_for(one)
        for grant in self.snapshot.grants(one):
            if self._has(grant, one) and grant.grantee not in counting and grant.grantee != PUBLIC:
                source = Source(grant.grantee, self._number(one), self.action)
                if self._is(matches.of(grant.grantee, anonymous=False)):
                    yield Unheard(kind="role_active" if self.replaced else "shadowed", source=source)
