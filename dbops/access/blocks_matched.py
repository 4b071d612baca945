"""What is in the way of a session, where rows are matched by pattern."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dbops.access.matched import Matched
from dbops.access.naming import label
from dbops.access.reasons import Reasons, Unheard
from dbops.access.rows import Row
from dbops.model.access import PUBLIC, SecuredObject
from dbops.model.audit import Block

__all__ = ["Blocks"]

ROLES_TRIED = 20


class Blocks:
    """The reasons, those about rights first."""

    def __init__(self, reasons: Reasons, one: SecuredObject) -> None:
        self._reasons, self._object = reasons, one
        self._effective, self._snapshot = reasons.effective, reasons.snapshot
        self._who, self._action = reasons.who, reasons.action
        self._session = reasons.session
        self._principal = self._snapshot.principals[self._who]
        self._label = label(self._snapshot, one)

    def all(self, *, allowed: bool) -> Iterator[Block]:
        """Everything that would have to go."""
        if not allowed:
            found = [*self._reserved(), *self._unheard(), *self._inactive(), *self._elsewhere()]
            yield from found or [self._nothing()]
        yield from self._account()
        if allowed and not self._effective.behind(self._object, self._action) >> self._who & 1:
            yield self._behind()

    def _name(self, number: int) -> str:
        return self._snapshot.principals[number].name

    def _nothing(self) -> Block:
        return Block(
            kind="no_grant",
            summary=f"{self._action} on {self._label} is granted neither to {self._principal.name}, nor to a role that "
            "is active, nor by a row that matches its sessions",
        )

    def _reserved(self) -> Iterator[Block]:
        for rule in self._effective.matching.reserved:
            if rule.database == self._object.database and self._action in rule.nobody:
                yield Block(kind="system", summary=f"the server lets nobody do {self._action} in {rule.database}")

    def _unheard(self) -> Iterator[Block]:
        for one in self._reasons.unheard(self._object):
            yield self._said(one)

    def _said(self, one: Unheard) -> Block:
        whose = self._name(one.source.principal)
        what = label(self._snapshot, self._snapshot.objects[one.source.object])
        if one.kind == "partial_revoke":
            return Block(
                kind=one.kind,
                summary=f"{whose} has {self._action} on {what}, and a partial revoke takes it away in this database",
                fix=f"grant {self._action} on database:{self._object.database} to {whose}",
            )
        if one.kind == "role_active":
            return Block(
                kind=one.kind,
                summary=f"the row of {whose} on {what} does not count while a role is active",
                fix="SET ROLE NONE",
            )
        return Block(kind="shadowed", summary=self._shadowed(whose, what, one.instead), fix=self._instead(one.instead))

    def _shadowed(self, whose: str, what: str, instead: Row | None) -> str:
        if instead is None:
            return f"the row of {whose} on {what} is shadowed by one of a more specific host"
        by = label(self._snapshot, self._snapshot.objects[instead.object])
        return f"the row of {whose} on {what} is shadowed by that of {self._name(instead.principal)} on {by}"

    def _instead(self, instead: Row | None) -> str:
        if instead is None:
            return ""
        by = label(self._snapshot, self._snapshot.objects[instead.object])
        return f"grant {self._action} on {by} to {self._name(instead.principal)}"

    def _inactive(self) -> Iterator[Block]:
        """Roles that would give it, were they active."""
        account = self._session.account
        waiting = [row for row in self._snapshot.memberships if row.member == account and row.set and not row.inherit]
        for row in waiting[:ROLES_TRIED]:
            other = tuple(
                msgspec.structs.replace(each, inherit=each is row) if each.member == account else each
                for each in self._snapshot.memberships
            )
            tried = Matched(
                msgspec.structs.replace(self._snapshot, memberships=other),
                self._effective.now,
                self._effective.sessions,
            )
            if tried.held(self._object, self._action) >> self._who & 1:
                role = self._snapshot.principals[row.group]
                named = role.user or role.name
                yield Block(
                    kind="not_active",
                    summary=f"the role {role.name} is granted to {self._name(account)} and would give it, "
                    "but is not active when a session begins",
                    fix=f"SET ROLE {named}",
                )

    def _elsewhere(self) -> Iterator[Block]:
        """Other accounts of the same user that have it."""
        if not self._session.user:
            return
        for number in self._others():
            yield Block(
                kind="other_host",
                summary=f"{self._name(number)} has it, and is another account, not for sessions from "
                f"{self._session.origin}",
            )

    def _others(self) -> list[int]:
        held = self._effective.held(self._object, self._action)
        return [
            number
            for number, one in enumerate(self._snapshot.principals)
            if one.user == self._session.user
            and one.host
            and one.kind != "unknown"
            and one.account < 0
            and number != self._session.account
            and held >> number & 1
        ][:5]

    def _account(self) -> Iterator[Block]:
        one, effective = self._principal, self._effective
        if effective.able >> self._who & 1 or self._who == PUBLIC:
            return
        if not one.login:
            why = "is locked" if "LOCKED" in one.attributes and one.kind == "user" else "is a role"
            yield Block(kind="no_login", summary=f"{one.name} {why}: nobody logs in as it")
        if self._session.shadow >= 0:
            shadow = self._name(self._session.shadow)
            yield Block(
                kind="shadowed_account",
                summary=f"nobody ever gets {one.name}: {shadow} always comes first",
                fix=f"drop {shadow}, or give it what {one.name} has",
            )

    def _behind(self) -> Block:
        view = self._effective.ancestor(self._object, "table") or self._object
        if view.runs_as >= 0 and "invoker" not in view.flags:
            definer = self._name(view.runs_as)
            session = self._effective.sessions.all[self._effective.sessions.definer(view.runs_as)]
            if session.account < 0:
                return Block(kind="no_definer", summary=f"{definer}, who defined {self._label}, does not exist")
            return Block(
                kind="definer",
                summary=f"{definer}, who defined {label(self._snapshot, view)}, lacks what it needs for {self._action}",
            )
        return Block(
            kind="view",
            summary=f"{self._principal.name} lacks {self._action} on what {label(self._snapshot, view)} reads",
        )
